//! Whether nothing that was shown to a user as accepted, or acknowledged to another node, was lost by a crash.

use crate::domain::count::counted;
use crate::domain::history::History;
use crate::oracle::offline::Judgement;

/// Counts what was lost.
pub fn judge(history: &History) -> Judgement {
    let History { forgotten, unkept, .. } = *history;
    if forgotten + unkept == 0 {
        return Judgement::of(true, "nothing that was shown or acknowledged was lost".to_owned());
    }
    Judgement::of(
        false,
        format!(
            "gone after a restart: {} that users saw; given, and not kept above: by {}",
            counted(forgotten, "edit"),
            counted(unkept, "node")
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;

    #[test]
    fn a_single_edit_that_is_forgotten_is_too_much() {
        assert_eq!(judge(&History { forgotten: 1, ..History::default() }).verdict, Verdict::Falsified);
        assert_eq!(judge(&History { unkept: 1, ..History::default() }).verdict, Verdict::Falsified);
        assert_eq!(judge(&History::default()).verdict, Verdict::Holds);
    }
}
