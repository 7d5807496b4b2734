//! What mutants planted in engines came to under worlds and crash walks, and its view as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::count::counted;
use crate::domain::verdict::{self, Verdict};
use crate::report::text::{Detail, Text};

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
    pub judges: BTreeSet<String>,
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
        let per_mille = (self.killed * 1000).checked_div(self.planted).unwrap_or(1000);
        write!(f, "{} of {} ({}.{} %)", self.killed, self.planted, per_mille / 10, per_mille % 10)
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
    pub by_judge: BTreeMap<String, u64>,
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

/// The report, in lines of at most `width` columns where words allow it.
pub fn render(qualification: &EngineQualification, width: usize, detail: Detail) -> String {
    let mut text = Text::new(width);
    text.head_of_mutants(qualification);
    if detail == Detail::Screen {
        return text.finish();
    }
    text.mutants_of_engines(qualification);
    text.exceptions(qualification);
    text.scenarios_of_mutants(qualification);
    text.finish()
}

impl Text {
    fn head_of_mutants(&mut self, qualification: &EngineQualification) {
        let EngineQualification { scenarios, score, by_worlds, by_walks, mutants, planned, .. } = qualification;
        let abench = env!("CARGO_PKG_VERSION");
        let of = |kind: Kind| scenarios.iter().filter(|scenario| scenario.kind == kind).count() as u64;
        let (worlds, walks) = (counted(of(Kind::World), "world"), counted(of(Kind::Walk), "walk"));
        self.line(&format!("abench {abench}: mutants of engines under {worlds} and {walks}"));
        let whole = !qualification.interrupted;
        if whole {
            self.paragraph("", 2, &format!("mutation score: {score}"));
        }
        if by_worlds.planted > 0 && whole {
            self.paragraph("", 2, &format!("by drawn worlds alone: {by_worlds}"));
        }
        if by_walks.planted > 0 && whole {
            self.paragraph("", 2, &format!("by crash walks alone, of the mutants that a walk can show: {by_walks}"));
        }
        let judges: Vec<String> =
            qualification.by_judge.iter().map(|(judge, killed)| format!("{judge} {killed}")).collect();
        self.paragraph("", 2, &format!("by each judge alone: {}", judges.join(", ")));
        if qualification.until_killed {
            self.paragraph("", 2, "each mutant was tried until a world and a walk had killed it");
        }
        if qualification.interrupted {
            let tried = mutants.len();
            self.paragraph("", 2, &format!("stopped by the user: {tried} of {planned} mutants planted"));
        }
        if qualification.crashed {
            self.paragraph("", 2, "the harness crashed, which is a fault of abench and kills no mutant");
        }
        qualification.unmet.iter().for_each(|unmet| self.paragraph("  - ", 4, unmet));
    }

    fn mutants_of_engines(&mut self, qualification: &EngineQualification) {
        let mut engine = "";
        for row in &qualification.mutants {
            if row.engine != engine {
                engine = &row.engine;
                self.heading(&format!("mutants of {engine}"));
                self.line(&format!("  {:<30}{:>8}{:>8}  first killed by", "", "worlds", "walks"));
            }
            let (worlds, of_worlds, in_world) = qualification.kills(row, Kind::World);
            let (walks, of_walks, in_walk) = qualification.kills(row, Kind::Walk);
            let first = match in_world.or(in_walk) {
                Some((scenario, cell)) => {
                    let judge = cell.judges.first().map_or("", String::as_str);
                    format!("{judge} in {scenario}")
                }
                None => format!("nobody: {}", row.together),
            };
            let share = |killed: u64, of: u64| if of == 0 { "-".to_owned() } else { format!("{killed}/{of}") };
            let (worlds, walks) = (share(worlds, of_worlds), share(walks, of_walks));
            self.line(&format!("  {:<30}{worlds:>8}{walks:>8}  {first}", row.mutant));
        }
    }

    /// Mutants that no walk has to kill, and why.
    fn exceptions(&mut self, qualification: &EngineQualification) {
        let excepted: Vec<&MutantRow> = qualification.mutants.iter().filter(|row| row.not_in_walks.is_some()).collect();
        if excepted.is_empty() {
            return;
        }
        self.heading("mutants that no walk can show");
        for row in excepted {
            let why = row.not_in_walks.as_deref().unwrap_or_default();
            self.paragraph("  - ", 4, &format!("{} of {}: {why}", row.mutant, row.engine));
        }
    }

    fn scenarios_of_mutants(&mut self, qualification: &EngineQualification) {
        self.heading("scenarios");
        self.line(&format!(
            "  {:<28}{:>6}{:>9}{:>8}{:>10}{:>13}{:>9}",
            "", "", "planted", "killed", "survived", "not reached", "score"
        ));
        for ScenarioRow { scenario, kind, score, .. } in &qualification.scenarios {
            let Score { planted, killed, survived, not_reached, .. } = *score;
            let per_mille = (killed * 1000).checked_div(planted).unwrap_or(0);
            let percent = format!("{}.{} %", per_mille / 10, per_mille % 10);
            self.line(&format!(
                "  {scenario:<28}{kind:>6}{planted:>9}{killed:>8}{survived:>10}{not_reached:>13}{percent:>9}"
            ));
        }
        let fails: Vec<String> = qualification
            .scenarios
            .iter()
            .flat_map(|row| row.controls.iter().map(move |control| (row, control)))
            .filter(|(_, control)| control.verdict == Verdict::Falsified)
            .map(|(row, Control { engine, reason, .. })| {
                format!("{engine} fails in {} without a mutant: {reason}", row.scenario)
            })
            .collect();
        fails.iter().for_each(|fails| self.paragraph("  - ", 4, fails));
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
