//! Whether replicas go on showing every edit that they have shown, unless their own store was lost.
//!
//! It is judged by what replicas show, in the world of unique amounts, and asks no engine. A counter that shows less of its
//! edits than before has stopped showing one, or has taken back one that it showed twice: users see it go back. Of other
//! data types no part may be gone that no edit can have taken away, of those that can have come.

use crate::domain::count::counted;
use crate::domain::history::History;
use crate::domain::over_time::{FirstUnshown, Unshown};
use crate::domain::verdict::Verdict;
use crate::oracle::offline::Judgement;

/// Names the first replica that stopped showing an edit; nothing where that was not followed.
pub fn judge(history: &History) -> Option<Judgement> {
    let Unshown { compared, less, first, .. } = history.over_time.unshown.as_ref()?;
    let Some(FirstUnshown { node, register, part, at }) = first else {
        let holds = format!("no replica stopped showing an edit, in {}", counted(*compared, "comparison"));
        let nothing =
            Judgement { verdict: Verdict::Inconclusive, sentence: "no replica showed anything twice".to_owned() };
        return Some(if *compared > 0 { Judgement::of(true, holds) } else { nothing });
    };
    let times = counted(*less, "time");
    let gone = part.map_or(String::new(), |part| match part.taken_away_by() {
        Some(edit) => format!(", where {part} is gone and no {edit} that can have come explains it"),
        None => format!(", where {part} is gone, which no edit can take away"),
    });
    // Counters alone have amounts.
    let with = if part.is_none() { ", with unique amounts" } else { "" };
    let sentence = format!(
        "a register shows fewer edits than before{with}: first register {register} at {node} after {} s{gone}; \
         {times} in all, at replicas whose stores were not lost",
        at / 1_000_000
    );
    Some(Judgement::of(false, sentence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Part;

    #[test]
    fn a_register_that_showed_less_once_is_too_much() {
        let judge = |unshown| {
            let mut history = History::default();
            history.over_time.unshown = unshown;
            judge(&history)
        };
        let first = |part| Some(FirstUnshown { node: "hub".to_owned(), register: 3, part, at: 7_000_000 });
        let refused = |part, told: &str| {
            let said = judge(Some(Unshown { compared: 9, less: 1, first: first(part), ..Unshown::default() }))
                .expect("it was followed");
            assert_eq!(said.verdict, Verdict::Falsified);
            assert!(said.sentence.contains(told), "{}", said.sentence);
        };
        refused(None, "than before, with unique amounts: first register 3 at hub after 7 s; 1 time in all");
        refused(
            Some(Part::Element(5)),
            "than before: first register 3 at hub after 7 s, where element 5 is gone and no remove that can have come",
        );
        let verdict = |compared| judge(Some(Unshown { compared, ..Unshown::default() })).map(|said| said.verdict);
        assert_eq!([verdict(9), verdict(0)], [Some(Verdict::Holds), Some(Verdict::Inconclusive)]);
        assert_eq!(judge(None), None);
    }
}
