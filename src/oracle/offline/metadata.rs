//! Whether the bytes of a tick stay what they were, however long the history, where an engine claims so.

use crate::domain::history::History;
use crate::domain::verdict::Verdict;
use crate::oracle::offline::Judgement;

/// Bytes that a tick may grow by: numbers that count ticks take a byte more with every seventh bit (LEB128), and a message
/// has a few of them.
pub const ALLOWANCE: u64 = 6;

/// The same of a tick in a visit of its own, whose greetings both ways count what was given and taken, too.
pub const OF_A_VISIT: u64 = 10;

/// Compares the largest of the last ticks with the largest of the first, in one connection and in visits.
pub fn judge(history: &History) -> Judgement {
    let ways = [
        (&history.ticks, "one and the same tick", ALLOWANCE),
        (&history.visits, "in a visit of its own it", OF_A_VISIT),
    ];
    let compared: Vec<Judgement> = ways.iter().filter_map(|way| compare(way.0, way.1, way.2)).collect();
    if compared.is_empty() {
        return Judgement { verdict: Verdict::Inconclusive, sentence: "it claims nothing of its metadata".to_owned() };
    }
    let telling = |judgement: &&Judgement| judgement.verdict != Verdict::Inconclusive;
    let verdicts: Vec<Verdict> = compared.iter().filter(telling).map(|judgement| judgement.verdict).collect();
    let verdict = if verdicts.is_empty() { Verdict::Inconclusive } else { Verdict::of_set(verdicts) };
    let sentences: Vec<String> = compared.into_iter().map(|judgement| judgement.sentence).collect();
    Judgement { verdict, sentence: sentences.join(", ") }
}

/// Whether the last of these grew out of what the first were; nothing where there are too few.
fn compare(ticks: &[u64], what: &str, allowance: u64) -> Option<Judgement> {
    let part = ticks.len() / 8;
    let most = |ticks: &[u64]| ticks.iter().copied().max();
    let (early, late) = (most(&ticks[..part])?, most(&ticks[ticks.len() - part..])?);
    if late == 0 {
        let sentence = format!("{what} takes no bytes at all after {} of them", ticks.len());
        return Some(Judgement { verdict: Verdict::Inconclusive, sentence });
    }
    let sentence = format!("{what} takes {early} B at first and {late} B after {} of them", ticks.len());
    Some(Judgement::of(late <= early + allowance, sentence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_may_grow_by_the_bytes_of_a_counter_and_not_with_history() {
        let judge = |ticks: Vec<u64>| judge(&History { ticks, ..History::default() }).verdict;
        assert_eq!(judge((0..800).map(|tick| 70 + u64::from(tick > 127)).collect()), Verdict::Holds);
        assert_eq!(judge((0..800).map(|tick| 70 + tick).collect()), Verdict::Falsified);
        assert_eq!(judge(Vec::new()), Verdict::Inconclusive);
        assert_eq!(judge(vec![0; 800]), Verdict::Inconclusive);
    }

    #[test]
    fn what_grows_in_visits_alone_grows_and_ticks_without_bytes_say_nothing_of_visits() {
        let judge = |ticks, visits| judge(&History { ticks, visits, ..History::default() }).verdict;
        let grows: Vec<u64> = (0..800).map(|tick| 70 + tick / 50).collect();
        assert_eq!(judge(vec![70; 800], grows.clone()), Verdict::Falsified);
        assert_eq!(judge(grows, vec![70; 800]), Verdict::Falsified);
        assert_eq!(judge(vec![0; 800], vec![70; 800]), Verdict::Holds);
        assert_eq!(judge(vec![70; 800], vec![0; 800]), Verdict::Holds);
        assert_eq!(judge(vec![0; 800], vec![0; 800]), Verdict::Inconclusive);
    }
}
