//! Where waveforms go: into the folder that is asked for, beside the record, or else into the current folder.

use std::fs;
use std::io::{Error, Read};
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::campaign::waveforms::Waveform;
use crate::cmd::{Failure, RecordPlace};
use crate::domain::subject::BenchDevice;
use crate::report::file::{Destination, RecordError};
use crate::report::record::WaveformRecord;
use crate::subject::Subjects;

/// What is asked for where no waveform is wanted; a folder of this name is reached as `./none`.
const NONE: &str = "none";

/// A folder for waveforms, or none.
pub struct WaveformPlace(Option<Folder>);

struct Folder {
    path: PathBuf,
    /// What names in reports begin with: nothing where the file is beside the record, or in the current folder.
    shown: PathBuf,
}

impl WaveformPlace {
    /// The folder that is asked for, or that of a record that is a file, or else the current one. Whether it takes a
    /// waveform is seen when there is one: a verdict does not depend on it.
    pub fn of(asked: Option<&Path>, record: &RecordPlace) -> Self {
        let beside = match record {
            RecordPlace::File(destination) => destination.folder(),
            RecordPlace::Nowhere | RecordPlace::Output => None,
        };
        match asked {
            Some(asked) if asked == Path::new(NONE) => WaveformPlace(None),
            Some(asked) => WaveformPlace(Some(Folder { path: asked.to_owned(), shown: asked.to_owned() })),
            None => {
                let path = beside.unwrap_or_else(|| PathBuf::from("."));
                WaveformPlace(Some(Folder { path, shown: PathBuf::new() }))
            }
        }
    }

    /// Writes these waveforms, each whole or not at all, and tells what they were seen in where they are, or why they
    /// are nowhere.
    pub fn write(&self, waveforms: &[Waveform], seen: &mut [WaveformRecord]) {
        for waveform in waveforms {
            let written = match &self.0 {
                Some(folder) => folder.write(waveform),
                None => Err(format!("--waveforms {NONE} asks for none")),
            };
            for seen in seen.iter_mut().filter(|seen| seen.case == waveform.case) {
                match &written {
                    Ok(file) => seen.file = Some(file.clone()),
                    Err(reason) => seen.unwritten = Some(reason.clone()),
                }
            }
        }
    }
}

impl Folder {
    /// Gives the name of the file as reports show it, or why there is none.
    fn write(&self, waveform: &Waveform) -> Result<String, String> {
        let path = self.path.join(&waveform.name);
        let refused = |error: Error| {
            // The words of the kind alone: the rest names a file that is there only while it is written.
            format!("{} cannot be written: {}", path.display(), error.kind())
        };
        if !self.path.is_dir() {
            return Err(format!("{} is no folder", self.path.display()));
        }
        if is_taken(&path, waveform.mark()).map_err(refused)? {
            return Err(format!("{} is there, is no waveform of this case, and is left as it is", path.display()));
        }
        let written = Destination::open(&path).and_then(|destination| destination.write(&waveform.vcd));
        match written {
            Ok(()) => Ok(self.shown.join(&waveform.name).display().to_string()),
            Err(RecordError::Unwritable { error, .. }) => Err(refused(error)),
            Err(other) => Err(other.to_string()),
        }
    }
}

/// Whether something is at this path that is no waveform of the same case.
fn is_taken(path: &Path, mark: &str) -> Result<bool, Error> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {
            let mut begins = Vec::new();
            fs::File::open(path)?.take(mark.len() as u64).read_to_end(&mut begins)?;
            Ok(begins != mark.as_bytes())
        }
        Ok(_) => Ok(true),
        Err(_) => Ok(false),
    }
}

/// Refuses waveforms of subjects of which none can be looked into.
pub fn possible(asked: Option<&Path>, subjects: &Subjects) -> Result<(), Failure> {
    let wanted = asked.is_some_and(|asked| asked != Path::new(NONE));
    if !wanted || subjects.devices.iter().any(|device| device.can_be_looked_into()) {
        return Ok(());
    }
    Err(Failure::usage(anyhow!(
        "--waveforms is about devices simulated from RTL, and there is none in this run: use --backend rtl, which a build \
         with the feature rtl has"
    )))
}
