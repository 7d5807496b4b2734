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
    let lost = [
        (forgotten, format!("{} that users saw gone after a restart", counted(forgotten, "edit"))),
        (broken, format!("{} without what was acknowledged before a restart", counted(broken, "node"))),
        (unkept, format!("what was acknowledged to {} held by nobody in the end", counted(unkept, "client"))),
    ];
    let told: Vec<String> = lost.into_iter().filter(|&(some, _)| some > 0).map(|(_, told)| told).collect();
    Judgement::of(false, told.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_edit_that_is_forgotten_is_too_much() {
        let told = |history: History| {
            let Judgement { verdict, sentence } = judge(&history);
            assert_eq!(verdict, Verdict::Falsified);
            sentence
        };
        assert_eq!(told(History { forgotten: 1, ..History::default() }), "1 edit that users saw gone after a restart");
        assert_eq!(
            told(History { broken: 1, ..History::default() }),
            "1 node without what was acknowledged before a restart"
        );
        assert_eq!(
            told(History { broken: 2, unkept: 3, ..History::default() }),
            "2 nodes without what was acknowledged before a restart; what was acknowledged to 3 clients held by \
             nobody in the end"
        );
        let after = |restarts| judge(&History { restarts, ..History::default() }).verdict;
        assert_eq!(after(Some(1)), Verdict::Holds);
        assert_eq!([after(Some(0)), after(None)], [Verdict::Inconclusive; 2], "there was nothing to see");
    }
}
