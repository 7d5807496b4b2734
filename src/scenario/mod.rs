//! Scenarios: what to put on trial, from a file or by name, and the workloads that they come to.
//!
//! Knows: `domain`, and the format of scenario files. Must not: run anything.

pub mod file;
pub mod offline;
pub mod schema;
pub mod shipped;
pub mod tick;
pub mod version_1;
pub mod written;

use crate::domain::trial::{Expectation, Trial};

/// Plain validated data: what is put on trial, and what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// The name of the file without its ending; `None` for a run that was asked for by COUNT and SEED.
    pub name: Option<String>,
    /// What it is and why, in prose.
    pub about: String,
    /// What is put on trial.
    pub trial: Trial,
    /// The backends that it asks for, where it does not leave them to the command line.
    pub backends: Option<Backends>,
    /// What is expected of the run.
    pub expect: Option<Expectation>,
    /// Where the steps of its script are, if it has one.
    pub steps: Option<StepLines>,
}

/// Where the steps of a script are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepLines {
    /// The file or shipped name.
    pub origin: String,
    /// The line of each step.
    pub lines: Vec<usize>,
}

/// Backends that a file asks for, and where it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backends {
    /// As `--backend` takes them.
    pub names: Vec<String>,
    /// The file or shipped name.
    pub origin: String,
    /// The line in it.
    pub line: usize,
}

impl Scenario {
    /// The scenario of a run that was asked for without a file.
    pub fn unnamed(trial: Trial) -> Self {
        Scenario { name: None, about: String::new(), trial, backends: None, expect: None, steps: None }
    }
}
