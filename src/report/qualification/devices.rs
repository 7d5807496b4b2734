//! What faults planted in a device came to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::evidence::Evidence;
use crate::domain::oracle::OracleId;
use crate::domain::shown::part_of;
use crate::domain::trial::Trial;
use crate::domain::verdict::{Outcome, Verdict};

/// What planted faults came to, under some scenarios.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceQualification {
    /// Who took the faults.
    pub backend: String,
    /// How its answers are got.
    pub evidence: Evidence,
    /// Whether a control was not found sound, so that nothing was planted.
    pub void: bool,
    /// Whether the user stopped it; what is missing was not planted.
    pub interrupted: bool,
    /// Whether the harness crashed under a mutant.
    pub crashed: bool,
    /// Coverages that are not as expected, a sentence each.
    pub unmet: Vec<String>,
    /// Every scenario without a fault.
    pub controls: Vec<Control>,
    /// How many mutants there are to plant.
    pub planned: u64,
    /// What each scenario detects, in the order of the controls.
    pub by_scenario: Vec<Coverage>,
    /// How many mutants each oracle alone detects under each scenario, in the same order.
    pub by_oracle: Vec<BTreeMap<OracleId, u64>>,
    /// What the scenarios detect together.
    pub together: Coverage,
    /// The matrix: every mutant, with a cell for each scenario.
    pub mutants: Vec<MutantRecord>,
}

/// A scenario without a fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// The scenario's name.
    pub scenario: String,
    /// What it puts on trial.
    pub trial: Trial,
    /// The verdict of its run.
    pub verdict: Verdict,
    /// Whether the run came to its end and found nothing wrong.
    pub sound: bool,
    /// Why the verdict is what it is.
    pub reason: String,
}

/// What became of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MutantOutcome {
    /// A check found something wrong.
    Detected,
    /// It was in use and could have shown, and no check found it.
    Escaped,
    /// The scenario never used the faulty part.
    NotActivated,
    /// It was in use, and no run whatever could tell it from a sound part.
    Equivalent,
    /// The harness fell over, which tells nothing of the scenario.
    Crashed,
}

impl fmt::Display for MutantOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            MutantOutcome::Detected => "detected",
            MutantOutcome::Escaped => "escaped",
            MutantOutcome::NotActivated => "not activated",
            MutantOutcome::Equivalent => "equivalent",
            MutantOutcome::Crashed => "crashed",
        })
    }
}

/// A mutant under a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// What became of it.
    pub outcome: MutantOutcome,
    /// The oracles that found it, each by itself.
    pub oracles: BTreeSet<OracleId>,
    /// What was found, or why nothing was.
    pub reason: String,
}

/// A mutant under all scenarios.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MutantRecord {
    /// The form of its catalogue entry.
    pub kind: String,
    /// What is planted, as texts.
    pub faults: Vec<String>,
    /// What became of it over all scenarios.
    pub together: MutantOutcome,
    /// What became of it under each, in the order of the controls.
    pub cells: Vec<Cell>,
}

impl MutantRecord {
    /// The faults in short: those of one name by their arguments, `dead-bank:1+2`.
    pub fn label(&self) -> String {
        let mut label = self.faults.first().cloned().unwrap_or_default();
        for fault in self.faults.iter().skip(1) {
            let argument = fault.split_once(':').map_or(fault.as_str(), |(_, argument)| argument);
            label = format!("{label}+{argument}");
        }
        label
    }
}

/// How many mutants came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// All of them.
    pub injected: u64,
    /// Those that a check found.
    pub detected: u64,
    /// Those that were in use, could have shown, and were not found.
    pub escaped: u64,
    /// Those whose part was never used.
    pub not_activated: u64,
    /// Those that no run could tell from a sound part.
    pub equivalent: u64,
    /// Those under which the harness fell over.
    pub crashed: u64,
}

impl Coverage {
    /// Counts outcomes.
    pub fn of(outcomes: impl Iterator<Item = MutantOutcome>) -> Self {
        let mut coverage = Coverage::default();
        for outcome in outcomes {
            coverage.injected += 1;
            *match outcome {
                MutantOutcome::Detected => &mut coverage.detected,
                MutantOutcome::Escaped => &mut coverage.escaped,
                MutantOutcome::NotActivated => &mut coverage.not_activated,
                MutantOutcome::Equivalent => &mut coverage.equivalent,
                MutantOutcome::Crashed => &mut coverage.crashed,
            } += 1;
        }
        coverage
    }

    /// What detected is counted against: injected less equivalent.
    pub fn detectable(self) -> u64 {
        self.injected - self.equivalent
    }

    /// Whether so many per cent of the detectable are detected at least. Of nothing, every part is detected.
    pub fn reaches(self, percent: u32) -> bool {
        self.detected * 100 >= self.detectable() * u64::from(percent)
    }
}

impl fmt::Display for Coverage {
    /// "42 of 110 (38.1 %)", truncated, so that nothing short of all shows as 100 %.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&part_of(self.detected, self.detectable()))
    }
}

impl DeviceQualification {
    /// Holds when every control is sound and every coverage as expected.
    pub fn outcome(&self) -> Outcome {
        let DeviceQualification { interrupted, crashed, void, ref unmet, .. } = *self;
        Outcome {
            interrupted,
            broken: crashed,
            expectation_met: Some(!void && unmet.is_empty()),
            ..Outcome::of(Verdict::Holds)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_leaves_out_the_equivalent_and_counts_what_was_never_activated_as_undetected() {
        use MutantOutcome::*;
        let coverage = Coverage::of([Detected, Detected, Escaped, NotActivated, Equivalent].into_iter());
        assert_eq!(coverage.to_string(), "2 of 4 (50.0 %)");
        assert!(coverage.reaches(50) && !coverage.reaches(51));
    }

    #[test]
    fn nothing_short_of_all_shows_as_all() {
        let coverage = Coverage { injected: 10_000, detected: 9_999, escaped: 1, ..Coverage::default() };
        assert_eq!(coverage.to_string(), "9999 of 10000 (99.9 %)");
    }
}
