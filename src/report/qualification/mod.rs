//! The record of a qualification, and its view as text: what was planted under which scenarios, and what was found.
//!
//! Faults are planted in devices ([`devices`]), mutants in engines ([`mutants`]).

pub mod devices;
pub mod mutants;

use serde::{Deserialize, Serialize};

use crate::domain::verdict::{Outcome, exit};
use crate::report::first_screen::SCREEN;
use crate::report::seal::Sealed;
use crate::report::text::{Detail, Text};
use devices::DeviceQualification;
use mutants::EngineQualification;

/// What every record of a qualification says it is.
pub const FORMAT: &str = "abench-qualification";

/// The version of the format.
pub const VERSION: u32 = 2;

/// What was planted under some scenarios, and what they found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Qualification {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The version of abench that made it.
    pub abench: String,
    /// Faults of a device, under the scenarios that put one on trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices: Option<DeviceQualification>,
    /// Mutants of engines, under worlds and crash walks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engines: Option<EngineQualification>,
    /// The digest of all of it, computed when it is written: see [`seal`](crate::report::seal).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

impl Sealed for Qualification {
    fn digest(&mut self) -> &mut Option<String> {
        &mut self.digest
    }
}

impl Qualification {
    /// A record of these parts.
    pub fn of(devices: Option<DeviceQualification>, engines: Option<EngineQualification>) -> Self {
        let abench = env!("CARGO_PKG_VERSION").to_owned();
        Qualification { format: FORMAT.to_owned(), version: VERSION, abench, devices, engines, digest: None }
    }

    /// In a word: what the exit code says.
    fn verdict(&self) -> &'static str {
        match self.exit_code() {
            exit::HOLDS => "holds",
            exit::FALSIFIED => "falsified: not all that was planted was found as expected",
            exit::INTERRUPTED => "inconclusive: stopped by the user",
            _ => "inconclusive: the harness crashed",
        }
    }

    /// 0 when everything that was planted was found as expected, else 1; 70 if the harness crashed, 130 if it was stopped.
    pub fn exit_code(&self) -> u8 {
        let outcomes = [
            self.devices.as_ref().map(DeviceQualification::outcome),
            self.engines.as_ref().map(EngineQualification::outcome),
        ];
        let codes: Vec<u8> = outcomes.into_iter().flatten().map(Outcome::exit_code).collect();
        let first = [exit::INTERRUPTED, exit::INTERNAL, exit::FALSIFIED].into_iter().find(|code| codes.contains(code));
        first.unwrap_or(exit::HOLDS)
    }
}

/// The report, in lines of at most `width` columns where words allow it. Its last line is the verdict.
pub fn render(qualification: &Qualification, width: usize, detail: Detail) -> String {
    let mut text = Text::new(width);
    if detail != Detail::Verdict {
        let devices = qualification.devices.as_ref().map(|devices| devices::render(devices, width, detail));
        let engines = qualification.engines.as_ref().map(|engines| mutants::render(engines, width, detail));
        let parts: Vec<String> = devices.into_iter().chain(engines).collect();
        let room = if detail == Detail::Screen { (SCREEN - 1) / parts.len().max(1) } else { usize::MAX };
        for part in &parts {
            let lines: Vec<&str> = part.lines().collect();
            let shown = if lines.len() > room { room - 1 } else { lines.len() };
            lines[..shown].iter().for_each(|line| text.line(line));
            if lines.len() > shown {
                text.cut(&format!("  and {} more lines (-v shows all)", lines.len() - shown));
            }
        }
    }
    text.line(&format!("verdict {} (exit {})", qualification.verdict(), qualification.exit_code()));
    text.finish()
}
