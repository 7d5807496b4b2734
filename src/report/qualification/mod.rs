//! The record of a qualification: what was planted under which scenarios, and what was found.
//!
//! Faults are planted in devices ([`devices`]), mutants in engines ([`mutants`]).

pub mod devices;
pub mod mutants;

use serde::{Deserialize, Serialize};

use crate::domain::verdict::{Outcome, exit};
use crate::report::seal::Sealed;
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
