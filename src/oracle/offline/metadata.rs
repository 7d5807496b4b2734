//! Whether the bytes of a tick stay what they were, however long the history, where a strategy claims so.

use crate::domain::history::History;
use crate::domain::verdict::Verdict;
use crate::oracle::offline::Judgement;

/// Bytes that a tick may grow by: numbers that count ticks take a byte more with every seventh bit (LEB128), and a message
/// has a few of them.
pub const ALLOWANCE: u64 = 6;

/// Compares the largest of the last ticks with the largest of the first.
pub fn judge(history: &History) -> Judgement {
    let ticks = &history.ticks;
    let part = ticks.len() / 8;
    if part == 0 {
        return Judgement { verdict: Verdict::Inconclusive, sentence: "it claims nothing of its metadata".to_owned() };
    }
    let most = |ticks: &[u64]| ticks.iter().copied().max().unwrap_or(0);
    let (early, late) = (most(&ticks[..part]), most(&ticks[ticks.len() - part..]));
    if late == 0 {
        let sentence = "the ticks that are compared take no bytes at all".to_owned();
        return Judgement { verdict: Verdict::Inconclusive, sentence };
    }
    let sentence = format!("one and the same tick takes {early} B at first and {late} B after {} of them", ticks.len());
    Judgement::of(late <= early + ALLOWANCE, sentence)
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
}
