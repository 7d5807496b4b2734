//! Whether nothing that was shown to a user as accepted, or acknowledged to another node, was lost by a crash.

use crate::domain::count::counted;
use crate::domain::history::History;
use crate::domain::verdict::Verdict;
use crate::oracle::offline::Judgement;

/// Counts what was lost.
pub fn judge(history: &History) -> Judgement {
    let History { forgotten, broken, unkept, restarts, .. } = *history;
    if forgotten + broken + unkept == 0 {
        let (verdict, sentence) = match restarts {
            None => (Verdict::Inconclusive, "its nodes cannot be asked which edits they hold".to_owned()),
            Some(0) => (Verdict::Inconclusive, "no node started again".to_owned()),
            Some(some) => {
                let sentence = "nothing that was shown or acknowledged was lost in";
                (Verdict::Holds, format!("{sentence} {}", counted(some, "restart")))
            }
        };
        return Judgement { verdict, sentence };
    }
    Judgement::of(
        false,
        format!(
            "gone after a restart: {} that users saw, and what {} had acknowledged; gone in the end: what was \
             acknowledged to {}",
            counted(forgotten, "edit"),
            counted(broken, "node"),
            counted(unkept, "client")
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_edit_that_is_forgotten_is_too_much() {
        assert_eq!(judge(&History { forgotten: 1, ..History::default() }).verdict, Verdict::Falsified);
        assert_eq!(judge(&History { broken: 1, ..History::default() }).verdict, Verdict::Falsified);
        assert_eq!(judge(&History { unkept: 1, ..History::default() }).verdict, Verdict::Falsified);
        let after = |restarts| judge(&History { restarts, ..History::default() }).verdict;
        assert_eq!(after(Some(1)), Verdict::Holds);
        assert_eq!([after(Some(0)), after(None)], [Verdict::Inconclusive; 2], "there was nothing to see");
    }
}
