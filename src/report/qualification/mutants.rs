//! What mutants planted in engines came to under worlds and crash walks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::oracle::OracleId;
use crate::domain::shown::part_of;
use crate::domain::verdict::{self, Verdict};

/// What became of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A judge found something that it does not find in the engine without the mutant.
    Killed,
    /// Its code was executed, and no judge found anything.
    Survived,
    /// Its code was never executed.
    NotReached,
    /// The harness fell over, which tells nothing of the scenario.
    Crashed,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Outcome::Killed => "killed",
            Outcome::Survived => "survived",
            Outcome::NotReached => "not reached",
            Outcome::Crashed => "crashed",
        })
    }
}

/// A mutant under a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// What became of it.
    pub outcome: Outcome,
    /// The judges that killed it.
    pub judges: BTreeSet<OracleId>,
    /// What the first of them says, or why none says anything.
    pub reason: String,
}

/// A mutant under all scenarios.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MutantRow {
    /// The engine that it is planted in.
    pub engine: String,
    /// Its name.
    pub mutant: String,
    /// What is wrong with it.
    pub about: String,
    /// Why no crash walk can show it, where none can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_in_walks: Option<String>,
    /// What became of it over all scenarios.
    pub together: Outcome,
    /// What became of it under each scenario, in their order; nothing where it was not tried.
    pub cells: Vec<Option<Cell>>,
}

/// What a scenario is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A world that is drawn from a seed.
    World,
    /// A walk over every crash and order.
    Walk,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if *self == Kind::World { "world" } else { "walk" })
    }
}

/// An engine without a mutant, under a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// The engine.
    pub engine: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// What the first judge has against it; empty if nothing.
    pub reason: String,
}

/// A scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioRow {
    /// Its name.
    pub scenario: String,
    /// What it is.
    pub kind: Kind,
    /// The engines in it without a mutant.
    pub controls: Vec<Control>,
    /// What became of the mutants that were tried under it.
    pub score: Score,
}

/// How many mutants came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// All of them. None is equivalent: users can see the difference between each and its engine.
    pub planted: u64,
    /// Those that a judge found.
    pub killed: u64,
    /// Those whose code was executed, and that no judge found.
    pub survived: u64,
    /// Those whose code was never executed.
    pub not_reached: u64,
    /// Those under which the harness fell over.
    pub crashed: u64,
}

impl Score {
    /// Counts outcomes.
    pub fn of(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut score = Score::default();
        for outcome in outcomes {
            score.planted += 1;
            *match outcome {
                Outcome::Killed => &mut score.killed,
                Outcome::Survived => &mut score.survived,
                Outcome::NotReached => &mut score.not_reached,
                Outcome::Crashed => &mut score.crashed,
            } += 1;
        }
        score
    }
}

impl fmt::Display for Score {
    /// "30 of 32 (93.7 %)", truncated, so that nothing short of all shows as 100 %.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&part_of(self.killed, self.planted))
    }
}

/// What mutants of engines came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineQualification {
    /// Whether the user stopped it; what is missing was not tried.
    pub interrupted: bool,
    /// Whether the harness crashed under a mutant.
    pub crashed: bool,
    /// Whether a mutant was tried no more once a world and a walk had killed it.
    pub until_killed: bool,
    /// How many mutants there are to plant.
    pub planned: u64,
    /// Mutants that escape, and exceptions that are none, a sentence each.
    pub unmet: Vec<String>,
    /// What the scenarios kill together.
    pub score: Score,
    /// What the worlds kill.
    pub by_worlds: Score,
    /// What the walks kill of what a walk can show.
    pub by_walks: Score,
    /// How many mutants each judge kills in any of the scenarios.
    pub by_judge: BTreeMap<OracleId, u64>,
    /// The scenarios.
    pub scenarios: Vec<ScenarioRow>,
    /// The mutants.
    pub mutants: Vec<MutantRow>,
}

impl EngineQualification {
    /// Holds when no mutant escapes.
    pub fn outcome(&self) -> verdict::Outcome {
        verdict::Outcome {
            interrupted: self.interrupted,
            broken: self.crashed,
            expectation_met: Some(self.unmet.is_empty()),
            ..verdict::Outcome::of(Verdict::Holds)
        }
    }

    /// How many scenarios of a kind killed a mutant, of those under which it was tried; and the first that did, with its
    /// judges.
    pub fn kills<'a>(&'a self, row: &'a MutantRow, kind: Kind) -> (u64, u64, Option<(&'a str, &'a Cell)>) {
        let (mut killed, mut tried, mut first) = (0, 0, None);
        for (scenario, cell) in self.scenarios.iter().zip(&row.cells) {
            let Some(cell) = cell.as_ref().filter(|_| scenario.kind == kind) else { continue };
            tried += 1;
            if cell.outcome == Outcome::Killed {
                killed += 1;
                first = first.or(Some((scenario.scenario.as_str(), cell)));
            }
        }
        (killed, tried, first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_counts_what_is_not_reached_as_not_killed_and_nothing_short_of_all_shows_as_all() {
        use Outcome::*;
        let score = Score::of([Killed, Killed, Survived, NotReached]);
        assert_eq!(score.to_string(), "2 of 4 (50.0 %)");
        let nearly = Score { planted: 10_000, killed: 9_999, ..Score::default() };
        assert_eq!(nearly.to_string(), "9999 of 10000 (99.9 %)");
    }
}
