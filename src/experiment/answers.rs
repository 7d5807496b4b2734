//! What the record of a trial can answer: so that a rule that could never decide is refused before anything runs.

/// What a record has, on backends that can be asked for all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Its checks, by name.
    pub checks: Vec<String>,
    /// The laws that it tries, by algebra and law.
    pub laws: Vec<String>,
    /// The engines that have a row.
    pub engines: Vec<&'static str>,
    /// Whether it has the bytes of a sync tick.
    pub tick: bool,
    /// Whether it has a bank sweep.
    pub bank_sweep: bool,
    /// Whether a device is on trial, so that faults can be planted in it.
    pub device: bool,
}
