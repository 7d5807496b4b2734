//! Whether all is quiescent, and nothing is left to send, within a bound after faults are over.

use crate::domain::count::counted;
use crate::domain::history::History;
use crate::oracle::offline::Judgement;

/// Compares the time until the last message with the bound.
pub fn judge(history: &History) -> Judgement {
    let History { quiescent, settled_after, settle_bound, backlog, .. } = *history;
    let seconds = |micros: u64| format!("{:.1} s", micros as f64 / 1e6);
    let (after, bound) = (seconds(settled_after), seconds(settle_bound));
    match (quiescent, settled_after <= settle_bound, backlog) {
        (false, ..) => Judgement::of(
            false,
            format!("messages go on and on, {after} after faults are over, and the bound is {bound}"),
        ),
        (_, false, _) => {
            Judgement::of(false, format!("quiescent {after} after faults are over, and the bound is {bound}"))
        }
        (.., 1..) => {
            Judgement::of(false, format!("quiescent, with {} given up or never sent", counted(backlog, "edit")))
        }
        _ if history.own_timers => Judgement::of(
            true,
            format!("no edit waits for its answer; its timers go on, and were cut off {bound} after faults were over"),
        ),
        _ => Judgement::of(true, format!("quiescent {after} after faults are over, within {bound}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;

    #[test]
    fn it_must_be_quiescent_in_time_and_nothing_left() {
        let judge = |quiescent, settled_after, backlog| {
            judge(&History { quiescent, settled_after, settle_bound: 10, backlog, ..History::default() }).verdict
        };
        assert_eq!(judge(true, 10, 0), Verdict::Holds);
        assert_eq!([judge(false, 1, 0), judge(true, 11, 0), judge(true, 1, 1)], [Verdict::Falsified; 3]);
    }
}
