//! A mutant planted in an experiment: what becomes of it, beside the engine as it is in the same runs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::data::DataType;
use crate::domain::history::History;
use crate::domain::oracle::OracleId;
use crate::domain::subject::SubjectError;
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use crate::engine::Registration;
use crate::engine::mutant::reached_in;
use crate::experiment::world::{Said, judged};
use crate::report::qualification::mutants::{Cell, Kind, Outcome};

/// Worlds or walks in which mutants can be planted.
pub trait Planting: Sync {
    /// Which of the two.
    fn kind(&self) -> Kind;

    /// About how much work it is: cheap scenarios come first, and worlds before walks.
    fn cost(&self) -> (bool, u64);

    /// Whether mutants of the engine can be planted here.
    fn suits(&self, engine: &Registration) -> bool;

    /// Whether users edit data of this type here.
    fn has(&self, data: DataType) -> bool;

    /// What judges say of the engine as it is.
    ///
    /// # Errors
    /// If the engine cannot run, or the user stops it.
    fn control(&self, engine: &'static Registration, watch: &mut dyn Watch) -> Result<Control, SubjectError>;

    /// What becomes of a mutant.
    ///
    /// # Errors
    /// As for [`Planting::control`].
    fn plant(
        &self,
        mutant: (&'static Registration, &'static str),
        control: &Control,
        watch: &mut dyn Watch,
    ) -> Result<Cell, SubjectError>;
}

/// What judges say of an engine as it is: the control of everything that is planted in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// The worst verdict of its runs.
    pub verdict: Verdict,
    /// What the judges have against it, in words; empty if nothing.
    pub reason: String,
    /// The judges that have something against it, run by run. None of them catches a mutant in the same run.
    pub accusers: Vec<BTreeSet<OracleId>>,
}

impl Control {
    /// Of runs that came to these histories; nothing is held against one that is missing.
    pub fn of<'a>(histories: impl IntoIterator<Item = Option<&'a History>>) -> Self {
        let (mut verdicts, mut accusers, mut reason) = (Vec::new(), Vec::new(), String::new());
        for history in histories {
            let Some((said, verdict)) = history.map(judged) else {
                verdicts.push(Verdict::Holds);
                accusers.push(BTreeSet::new());
                continue;
            };
            if reason.is_empty()
                && let Some((name, sentence)) = accusing(&said).next()
            {
                reason = format!("{name}: {sentence}");
            }
            accusers.push(accusing(&said).map(|(id, _)| id).collect());
            verdicts.push(verdict);
        }
        Control { verdict: Verdict::of_set(verdicts), reason, accusers }
    }
}

/// The judges that have something against an engine, and what they say.
fn accusing(said: &Said) -> impl Iterator<Item = (OracleId, &str)> {
    let accusing = said.iter().filter(|(_, (verdict, _))| *verdict == Verdict::Falsified);
    accusing.map(|(&id, (_, sentence))| (id, sentence.as_str()))
}

/// Plants a mutant in one run after the other, until a judge catches it that has nothing against the control. A run gives
/// the history that is judged, or why there is none.
pub fn plant<E>(
    control: &Control,
    runs: impl IntoIterator<Item = (String, impl FnOnce() -> Result<Result<History, String>, E>)>,
) -> Result<Cell, E> {
    let mut reached = false;
    let mut reason = String::new();
    for ((place, run), accusers) in runs.into_iter().zip(&control.accusers) {
        let (history, reached_here) = reached_in(run);
        reached |= reached_here;
        let history = match history? {
            Ok(history) => history,
            Err(why) => {
                reason = why;
                continue;
            }
        };
        let (said, _) = judged(&history);
        let against: Vec<(OracleId, &str)> = accusing(&said).filter(|(id, _)| !accusers.contains(id)).collect();
        if let Some((_, sentence)) = against.first() {
            let judges = against.iter().map(|(id, _)| *id).collect();
            return Ok(Cell { outcome: Outcome::Killed, judges, reason: format!("{place}{sentence}") });
        }
        if let Some((name, _)) = accusing(&said).next() {
            reason = format!("{name} has something against the engine without it, too");
        }
    }
    let (outcome, why) = match reached {
        true => (Outcome::Survived, "no judge has anything against it"),
        false => (Outcome::NotReached, "its code was not executed"),
    };
    let reason = if reached && !reason.is_empty() { reason } else { why.to_owned() };
    Ok(Cell { outcome, judges: BTreeSet::new(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Intent;
    use crate::domain::history::{Fate, Ledger, NodeEnd, UserEdit};
    use crate::engine::mutant::reaches;

    /// A world of one edit; it is there, or it is not.
    fn history(shows: i64) -> History {
        let edit = UserEdit { at: 0, register: 0, intent: Intent::Increase(1), fate: Fate::Binding };
        let ledger = Ledger::of_counters(1, 5, vec![vec![edit]]);
        let ends = vec![NodeEnd::of_counters("hub", [shows])];
        History { ledger, ends, quiescent: true, ..History::default() }
    }

    fn planted(control: i64, mutant: i64, is_reached: bool) -> Cell {
        let control = Control::of([Some(&history(control))]);
        let run = || {
            reaches(Some(1), if is_reached { 1 } else { 2 });
            Ok::<_, ()>(Ok(history(mutant)))
        };
        plant(&control, [(String::new(), run)]).expect("nothing fails")
    }

    #[test]
    fn a_mutant_is_killed_by_a_judge_that_has_nothing_against_the_engine_without_it() {
        let killed = planted(6, 5, true);
        assert_eq!(killed.outcome, Outcome::Killed);
        assert!(killed.judges.contains(&OracleId::Truth), "{killed:?}");
        let accused_without_it = planted(5, 5, true);
        assert_eq!(accused_without_it.outcome, Outcome::Survived);
        assert!(accused_without_it.reason.contains("without it, too"), "{accused_without_it:?}");
        assert_eq!(planted(6, 6, true).outcome, Outcome::Survived);
        assert_eq!(planted(6, 6, false).outcome, Outcome::NotReached);
    }

    #[test]
    fn every_run_of_a_scenario_is_tried_and_the_one_that_kills_is_named() {
        let (right, wrong) = (history(6), history(5));
        let control = Control::of([Some(&right), Some(&right)]);
        let run = |history: &History| {
            let history = history.clone();
            move || Ok::<_, ()>(Ok(history))
        };
        let runs = [(String::new(), run(&right)), ("under seed 2: ".to_owned(), run(&wrong))];
        let cell = plant(&control, runs).expect("nothing fails");
        assert!(cell.outcome == Outcome::Killed && cell.reason.starts_with("under seed 2: "), "{cell:?}");
    }
}
