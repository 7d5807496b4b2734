//! Whether nothing that was shown to a user as accepted, or acknowledged to another node, was lost by a crash.
//!
//! Every replica is judged by what it shows when it starts again on its own store, in the world of unique amounts: no less than
//! before its power failed ([`crate::domain::over_time::Restarts`]). A replica that can be asked which edits it holds is asked, too: what it had
//! acknowledged is seen there alone.

use crate::domain::count::counted;
use crate::domain::history::History;
use crate::domain::over_time::FirstUnshown;
use crate::domain::verdict::Verdict;
use crate::oracle::offline::Judgement;

/// Counts what was lost.
pub fn judge(history: &History) -> Judgement {
    let History { forgotten, broken, unkept, restarts, .. } = *history;
    let seen = history.over_time.unshown.as_ref().map(|unshown| unshown.restarts.clone()).unwrap_or_default();
    if forgotten + broken + unkept + seen.less == 0 {
        let (verdict, sentence) = match (restarts, seen.compared) {
            (None, 0) => (
                Verdict::Inconclusive,
                "no node that showed edits started again on its own store, and none can be asked which edits it holds"
                    .to_owned(),
            ),
            (None, some) => (
                Verdict::Holds,
                format!(
                    "nothing that was shown was lost in {} (its nodes cannot be asked for what they acknowledged)",
                    counted(some, "restart")
                ),
            ),
            (Some(0), _) => (Verdict::Inconclusive, "no node started again".to_owned()),
            (Some(some), _) => {
                let sentence = "nothing that was shown or acknowledged was lost in";
                (Verdict::Holds, format!("{sentence} {}", counted(some, "restart")))
            }
        };
        return Judgement { verdict, sentence };
    }
    let first = seen.first.map_or(String::new(), |FirstUnshown { node, register, part, at }| {
        let gone = part.map_or(String::new(), |part| format!(", where {part} is gone"));
        format!(": first register {register} at {node} after {} s{gone}", at / 1_000_000)
    });
    let registers = if seen.less == 1 { "1 register shows" } else { &format!("{} registers show", seen.less) };
    let lost = [
        (forgotten, format!("{} that users saw gone after a restart", counted(forgotten, "edit"))),
        (broken, format!("{} without what was acknowledged before a restart", counted(broken, "node"))),
        (unkept, format!("what was acknowledged to {} held by nobody in the end", counted(unkept, "client"))),
        (seen.less, format!("{registers} less after a restart than before the crash{first}")),
    ];
    let told: Vec<String> = lost.into_iter().filter(|&(some, _)| some > 0).map(|(_, told)| told).collect();
    Judgement::of(false, told.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::over_time::{Restarts, Unshown};

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

    #[test]
    fn an_engine_without_ids_is_judged_by_what_it_shows_after_restarts() {
        let told = |restarts| {
            let mut history = History::default();
            history.over_time.unshown = Some(Unshown { restarts, ..Unshown::default() });
            let Judgement { verdict, sentence } = judge(&history);
            (verdict, sentence)
        };
        assert_eq!(told(Restarts::default()).0, Verdict::Inconclusive);
        let (verdict, sentence) = told(Restarts { compared: 3, ..Restarts::default() });
        assert_eq!(verdict, Verdict::Holds);
        assert!(sentence.starts_with("nothing that was shown was lost in 3 restarts ("), "{sentence}");
        let first = Some(FirstUnshown { node: "client 0".to_owned(), register: 3, part: None, at: 7_000_000 });
        let (verdict, sentence) = told(Restarts { compared: 3, less: 1, first });
        assert_eq!(verdict, Verdict::Falsified);
        assert_eq!(
            sentence,
            "1 register shows less after a restart than before the crash: first register 3 at client 0 after 7 s"
        );
    }
}
