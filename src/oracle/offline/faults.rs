//! Whether every fault that the scenario asks for took effect. A fault that never did was not tested, so that the world
//! says nothing about it: the judge is inconclusive, and never accuses the engine.

use crate::domain::count::counted;
use crate::domain::fault_count::FaultCounts;
use crate::domain::history::History;
use crate::domain::verdict::Verdict;
use crate::oracle::offline::Judgement;

/// How many idle faults a sentence names; the record names all.
const NAMED: usize = 3;

/// Looks for faults that never took effect.
pub fn judge(history: &History) -> Judgement {
    counts(&history.faults)
}

/// The same of counts that several worlds came to.
pub fn counts(counts: &FaultCounts) -> Judgement {
    let mut idle: Vec<String> = counts
        .values()
        .flat_map(|count| &count.idle)
        .map(|(fault, why)| format!("{fault} never took effect: {why}"))
        .collect();
    if idle.is_empty() {
        let sentence = match counts.len() {
            0 => "the scenario asks for no fault".to_owned(),
            kinds => format!("every fault that the scenario asks for took effect ({})", counted(kinds, "kind")),
        };
        return Judgement { verdict: Verdict::Holds, sentence };
    }
    let more = idle.len().saturating_sub(NAMED);
    idle.truncate(NAMED);
    if more > 0 {
        idle.push(format!("{} more never took effect", counted(more, "fault")));
    }
    Judgement { verdict: Verdict::Inconclusive, sentence: idle.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault_count::FaultCount;

    #[test]
    fn a_fault_that_never_took_effect_leaves_the_world_inconclusive_and_is_named_with_the_reason() {
        let mut faults = FaultCounts::from([(
            "crashes".to_owned(),
            FaultCount { injected: 3, effective: 1, ..FaultCount::default() },
        )]);
        assert_eq!(counts(&FaultCounts::new()).verdict, Verdict::Holds);
        assert_eq!(counts(&faults).verdict, Verdict::Holds);
        let idle = (0..5).map(|number| (format!("faults[{number}]"), "it had no power".to_owned())).collect();
        faults.insert("damage".to_owned(), FaultCount { idle, ..FaultCount::default() });
        let Judgement { verdict, sentence } = judge(&History { faults, ..History::default() });
        assert_eq!(verdict, Verdict::Inconclusive);
        assert!(sentence.starts_with("faults[0] never took effect: it had no power; "), "{sentence}");
        assert!(sentence.ends_with("; 2 faults more never took effect"), "{sentence}");
    }
}
