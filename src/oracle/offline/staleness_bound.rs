//! Whether an edit is at every device that is present together with its author's within the scenario's bound, whatever is
//! down between the two.

use crate::domain::count::counted;
use crate::domain::history::History;
use crate::domain::over_time::{LateEdit, Lateness};
use crate::domain::verdict::Verdict;
use crate::oracle::offline::Judgement;

/// Names the latest edit; nothing where the scenario sets no bound.
pub fn judge(history: &History) -> Option<Judgement> {
    let Lateness { bound, unreported, judged, late, worst } = history.over_time.lateness.as_ref()?;
    let seconds = |time: u64| time / 1_000_000;
    let bound = seconds(*bound);
    let Some(LateEdit { author, device, since, waited }) = worst else {
        let (verdict, sentence) = match judged {
            _ if *unreported => (
                Verdict::Inconclusive,
                "the engine reports neither ids nor rounds, so that nobody knows when an edit arrived".to_owned(),
            ),
            0 => (
                Verdict::Inconclusive,
                format!("no two devices were present together for more than {bound} s after an edit of one of them"),
            ),
            _ => (
                Verdict::Holds,
                format!(
                    "every edit was at the devices that were present within {bound} s, in {}",
                    counted(*judged, "case")
                ),
            ),
        };
        return Some(Judgement { verdict, sentence });
    };
    let for_long = match waited {
        Some(waited) => format!("for {} s", seconds(*waited)),
        None => "for ever".to_owned(),
    };
    let sentence = format!(
        "late in {late} of {}: from {} s on, {author} and {device} were present, and {device} lacked an edit of {author} \
         {for_long}; the bound is {bound} s",
        counted(*judged, "case"),
        seconds(*since)
    );
    Some(Judgement::of(false, sentence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_late_edit_is_too_much_and_without_a_case_nothing_is_told() {
        let judge = |judged, worst: Option<LateEdit>| {
            let mut history = History::default();
            let late = worst.is_some().into();
            history.over_time.lateness = Some(Lateness { bound: 600_000_000, unreported: false, judged, late, worst });
            judge(&history).expect("there is a bound")
        };
        assert_eq!(judge(0, None).verdict, Verdict::Inconclusive);
        assert_eq!(judge(7, None).verdict, Verdict::Holds);
        let mut unreported = History::default();
        unreported.over_time.lateness = Some(Lateness { unreported: true, ..Lateness::default() });
        assert_eq!(super::judge(&unreported).expect("there is a bound").verdict, Verdict::Inconclusive);
        let late = |waited| LateEdit {
            author: "client 0".to_owned(),
            device: "client 2".to_owned(),
            since: 5_000_000,
            waited,
        };
        let said = judge(7, Some(late(Some(601_000_000))));
        assert_eq!(said.verdict, Verdict::Falsified);
        assert_eq!(
            said.sentence,
            "late in 1 of 7 cases: from 5 s on, client 0 and client 2 were present, and client 2 lacked an edit of client 0 \
             for 601 s; the bound is 600 s"
        );
        assert!(judge(7, Some(late(None))).sentence.contains("an edit of client 0 for ever;"));
        assert_eq!(super::judge(&History::default()), None);
    }
}
