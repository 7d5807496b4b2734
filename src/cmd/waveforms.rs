//! Where waveforms go: into the folder that is asked for, or beside the record.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::campaign::waveforms::Waveform;
use crate::cmd::{Failure, RecordPlace};
use crate::domain::subject::BenchDevice;
use crate::report::file::{Destination, RecordError};
use crate::report::record::WaveformRecord;
use crate::subject::Subjects;

/// A folder for waveforms, or none.
pub struct WaveformPlace {
    folder: Option<PathBuf>,
    /// What names in reports begin with: nothing where the file is beside the record.
    shown: PathBuf,
}

impl WaveformPlace {
    /// The folder that is asked for, tried before the run; or else that of a record that is a file.
    pub fn open(asked: Option<&Path>, record: &RecordPlace) -> Result<Self, Failure> {
        if let Some(folder) = asked {
            if !folder.is_dir() {
                return Err(Failure::usage(anyhow!("--waveforms takes a folder, and {} is none", folder.display())));
            }
            Destination::open(&folder.join("waveform.vcd")).map_err(unwritable)?;
            return Ok(WaveformPlace { folder: Some(folder.to_owned()), shown: folder.to_owned() });
        }
        let folder = match record {
            RecordPlace::File(destination) => destination.folder(),
            RecordPlace::Nowhere | RecordPlace::Output => None,
        };
        Ok(WaveformPlace { folder, shown: PathBuf::new() })
    }

    /// Writes these waveforms, each whole or not at all, and tells what they were seen in where they are.
    pub fn write(&self, waveforms: &[Waveform], seen: &mut [WaveformRecord]) -> Result<(), Failure> {
        let Some(folder) = &self.folder else { return Ok(()) };
        for Waveform { case, name, vcd } in waveforms {
            let destination = Destination::open(&folder.join(name)).map_err(unwritable)?;
            destination.write(vcd).map_err(unwritable)?;
            for waveform in seen.iter_mut().filter(|waveform| waveform.case == *case) {
                waveform.file = Some(self.shown.join(name).display().to_string());
            }
        }
        Ok(())
    }
}

/// Refuses waveforms of subjects of which none can be looked into.
pub fn possible(asked: Option<&Path>, subjects: &Subjects) -> Result<(), Failure> {
    if asked.is_none() || subjects.devices.iter().any(|device| device.can_be_looked_into()) {
        return Ok(());
    }
    Err(Failure::usage(anyhow!(
        "--waveforms is about devices simulated from RTL, and there is none in this run: use --backend rtl, which a build \
         with the feature rtl has"
    )))
}

fn unwritable(error: RecordError) -> Failure {
    match error {
        RecordError::Unwritable { path, error } => {
            Failure::usage(anyhow!("cannot write the waveform to {}: {error}", path.display()))
        }
        other => other.into(),
    }
}
