//! Whether what is closed stays as it is, at all replicas and at every instant.
//!
//! Whoever saw a case closed has signed for its items. So another set of items is wrong for every engine, also where all replicas
//! agree in the end. As with what can be had once ([`uniqueness`](super::uniqueness)), an engine that asks an authority declares
//! nothing of the time after the store of that node was lost, damaged, set back or replaced; and it shows no case as closed before
//! that node does.

use std::collections::BTreeSet;

use crate::domain::count::counted;
use crate::domain::data::Closing;
use crate::domain::history::History;
use crate::domain::over_time::{ChangedCase, Frozen};
use crate::domain::verdict::Verdict;
use crate::oracle::offline::Judgement;

/// Names the first closed case that was shown otherwise; nothing in a world without cases.
pub fn judge(history: &History) -> Option<Judgement> {
    let Frozen { looked, held, second, first, all_after_loss, early, first_early } =
        history.over_time.frozen.as_ref()?;
    let asks = history.carries.cases == Some(Closing::ByAuthority);
    let inconclusive = |sentence| Judgement { verdict: Verdict::Inconclusive, sentence };
    Some(match (first, first_early.as_ref().filter(|_| asks)) {
        (_, Some((register, (closed, replica, at)))) if first.is_none() || *all_after_loss => Judgement::of(
            false,
            format!(
                "a case was shown as closed {} before the node that closes showed that: first register {register}, which {replica} \
                 showed closed with {} after {} s",
                counted(*early, "time"),
                items(closed),
                at / 1_000_000,
            ),
        ),
        (Some(ChangedCase { register, one, other }), _) => {
            let said = format!(
                "a closed case was shown with other items {}: first register {register}, where {} showed {} after {} s, and {} {} \
                 after {} s",
                counted(*second, "time"),
                one.1,
                items(&one.0),
                one.2 / 1_000_000,
                other.1,
                items(&other.0),
                other.2 / 1_000_000,
            );
            if asks && *all_after_loss {
                inconclusive(format!(
                    "{said}; the store of the node that closes had been lost, damaged or set back, and this engine does not \
                     declare to close once after that"
                ))
            } else {
                Judgement::of(false, said)
            }
        }
        _ if *looked == 0 => inconclusive("no case was ever shown as closed".to_owned()),
        _ => Judgement::of(
            true,
            format!("{} stayed as it was closed, in {}", counted(*held, "closed case"), counted(*looked, "look")),
        ),
    })
}

fn items(items: &BTreeSet<u32>) -> String {
    let items: Vec<String> = items.iter().map(u32::to_string).collect();
    format!("{{{}}}", items.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Carries;

    fn said(closing: Closing, frozen: Frozen) -> (Verdict, String) {
        let mut history = History { carries: Carries::COUNTERS.and_cases(closing), ..History::default() };
        history.over_time.frozen = Some(frozen);
        let said = judge(&history).expect("there are cases");
        (said.verdict, said.sentence)
    }

    #[test]
    fn another_set_of_items_is_wrong_and_beyond_what_is_declared_after_the_deciding_store_was_lost() {
        let first = ChangedCase {
            register: 4,
            one: ([1, 3].into(), "client 0".to_owned(), 3_000_000),
            other: ([1].into(), "hub".to_owned(), 60_000_000),
        };
        let changed = Frozen { looked: 9, held: 1, second: 2, first: Some(first), ..Frozen::default() };
        let (verdict, sentence) = said(Closing::ByAuthority, changed.clone());
        assert_eq!(verdict, Verdict::Falsified);
        assert_eq!(
            sentence,
            "a closed case was shown with other items 2 times: first register 4, where client 0 showed {1, 3} after 3 s, and hub \
             {1} after 60 s"
        );
        let after_loss = Frozen { all_after_loss: true, ..changed };
        assert_eq!(said(Closing::ByAuthority, after_loss.clone()).0, Verdict::Inconclusive);
        assert_eq!(said(Closing::Shown, after_loss).0, Verdict::Falsified, "who asks nobody has no excuse");
    }

    #[test]
    fn who_asks_an_authority_shows_no_case_as_closed_before_that_node_does() {
        let first_early = Some((4, ([1].into(), "client 0".to_owned(), 3_000_000)));
        let early = Frozen { looked: 9, held: 1, early: 1, first_early, ..Frozen::default() };
        let (verdict, sentence) = said(Closing::ByAuthority, early.clone());
        assert_eq!(verdict, Verdict::Falsified);
        assert_eq!(
            sentence,
            "a case was shown as closed 1 time before the node that closes showed that: first register 4, which client 0 showed \
             closed with {1} after 3 s"
        );
        assert_eq!(said(Closing::Shown, early).0, Verdict::Holds);
    }

    #[test]
    fn a_world_in_which_nothing_is_closed_proves_nothing() {
        assert_eq!(said(Closing::ByAuthority, Frozen::default()).0, Verdict::Inconclusive);
        let (verdict, sentence) = said(Closing::Shown, Frozen { looked: 9, held: 1, ..Frozen::default() });
        assert_eq!((verdict, sentence.as_str()), (Verdict::Holds, "1 closed case stayed as it was closed, in 9 looks"));
        assert_eq!(judge(&History::default()), None);
    }
}
