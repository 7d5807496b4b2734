//! Whether replicas show each record with all its labels, or not at all, at every instant.
//!
//! A create gives every label a value, and no edit takes the last one away: half a record is never right, however edits travel.
//! It is judged by what replicas show, in the world of unique amounts, and asks no engine.

use crate::domain::count::counted;
use crate::domain::history::History;
use crate::domain::over_time::{FirstHalf, Halves};
use crate::domain::verdict::Verdict;
use crate::oracle::offline::Judgement;

/// Names the first half of a record that was shown; nothing in a world without records.
pub fn judge(history: &History) -> Option<Judgement> {
    let Halves { looked, half, first } = history.over_time.unshown.as_ref()?.halves.as_ref()?;
    Some(match first {
        Some(FirstHalf { node, register, label, at }) => Judgement::of(
            false,
            format!(
                "half a record was shown {}: first register {register} at {node} after {} s, where label {label} has no value",
                counted(*half, "time"),
                at / 1_000_000
            ),
        ),
        None if *looked == 0 => {
            Judgement { verdict: Verdict::Inconclusive, sentence: "no record was ever shown".to_owned() }
        }
        None => Judgement::of(true, format!("every record that was shown was whole, in {}", counted(*looked, "look"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::over_time::Unshown;

    #[test]
    fn half_a_record_that_was_shown_once_is_too_much() {
        let judge = |halves| {
            let mut history = History::default();
            history.over_time.unshown = Some(Unshown { halves, ..Unshown::default() });
            judge(&history).map(|said| (said.verdict, said.sentence))
        };
        let first = FirstHalf { node: "client 1".to_owned(), register: 4, label: 1, at: 7_000_000 };
        let half = Halves { looked: 9, half: 1, first: Some(first) };
        let (verdict, sentence) = judge(Some(half)).expect("there are records");
        assert_eq!(verdict, Verdict::Falsified);
        assert_eq!(
            sentence,
            "half a record was shown 1 time: first register 4 at client 1 after 7 s, where label 1 has no value"
        );
        let verdict = |looked| judge(Some(Halves { looked, ..Halves::default() })).map(|(verdict, _)| verdict);
        assert_eq!([verdict(9), verdict(0)], [Some(Verdict::Holds), Some(Verdict::Inconclusive)]);
        assert_eq!(judge(None), None);
    }
}
