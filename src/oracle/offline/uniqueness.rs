//! Whether what can be had once has one holder, at all replicas and at every instant.
//!
//! Whoever was shown as the holder has told others. So a second holder is wrong for every engine, also where the first is shown
//! no more, and where all replicas agree in the end. An engine that asks an authority declares nothing of the time after the
//! store of that node was lost, damaged, set back or replaced: what it had decided may be lost with it. A second holder after that
//! is counted, and leaves the judge without a verdict. An engine that asks an authority shows no holder before that node does.

use crate::domain::count::counted;
use crate::domain::data::Granting;
use crate::domain::history::History;
use crate::domain::over_time::{Holders, SecondHolder};
use crate::domain::verdict::Verdict;
use crate::oracle::offline::Judgement;

/// Names the first second holder; nothing in a world without claims.
pub fn judge(history: &History) -> Option<Judgement> {
    let Holders { looked, held, second, first, all_after_loss, early, first_early } =
        history.over_time.holders.as_ref()?;
    let asks = history.carries.claims == Some(Granting::ByAuthority);
    let inconclusive = |sentence| Judgement { verdict: Verdict::Inconclusive, sentence };
    Some(match (first, first_early.as_ref().filter(|_| asks)) {
        (_, Some((register, (value, replica, at)))) if first.is_none() || *all_after_loss => Judgement::of(
            false,
            format!(
                "a holder was shown {} before the node that decides showed it: first of register {register}, where {value} was \
                 shown at {replica} after {} s",
                counted(*early, "time"),
                at / 1_000_000,
            ),
        ),
        (Some(SecondHolder { register, one, other }), _) => {
            let said = format!(
                "a second holder was shown {}: first of register {register}, where {} was shown at {} after {} s, and {} at {} after {} s",
                counted(*second, "time"),
                one.0,
                one.1,
                one.2 / 1_000_000,
                other.0,
                other.1,
                other.2 / 1_000_000,
            );
            if asks && *all_after_loss {
                inconclusive(format!(
                    "{said}; the store of the node that decides had been lost, damaged or set back, and this engine does not \
                     declare to decide once after that"
                ))
            } else {
                Judgement::of(false, said)
            }
        }
        _ if *looked == 0 => inconclusive("nobody was ever shown as the holder of a claim".to_owned()),
        _ => Judgement::of(
            true,
            format!("{} had one holder each, in {}", counted(*held, "claimed register"), counted(*looked, "look")),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Carries;

    fn said(granting: Granting, holders: Holders) -> (Verdict, String) {
        let mut history = History { carries: Carries::COUNTERS.and_claims(granting), ..History::default() };
        history.over_time.holders = Some(holders);
        let said = judge(&history).expect("there are claims");
        (said.verdict, said.sentence)
    }

    #[test]
    fn a_second_holder_is_wrong_by_every_rule_and_beyond_what_is_declared_after_the_deciding_store_was_lost() {
        let first = SecondHolder {
            register: 4,
            one: (7, "client 0".to_owned(), 3_000_000),
            other: (9, "hub".to_owned(), 60_000_000),
        };
        let twice = Holders { looked: 9, held: 1, second: 2, first: Some(first), ..Holders::default() };
        let (verdict, sentence) = said(Granting::ByAuthority, twice.clone());
        assert_eq!(verdict, Verdict::Falsified);
        assert_eq!(
            sentence,
            "a second holder was shown 2 times: first of register 4, where 7 was shown at client 0 after 3 s, and 9 at hub after 60 s"
        );
        assert_eq!(said(Granting::Shown, twice.clone()).0, Verdict::Falsified);
        let after_loss = Holders { all_after_loss: true, ..twice };
        assert_eq!(said(Granting::ByAuthority, after_loss.clone()).0, Verdict::Inconclusive);
        assert_eq!(said(Granting::Shown, after_loss).0, Verdict::Falsified, "who asks nobody has no excuse");
    }

    #[test]
    fn who_asks_an_authority_shows_no_holder_before_that_node_does_also_where_a_loss_explains_a_second_holder() {
        let first_early = Some((4, (7, "client 0".to_owned(), 3_000_000)));
        let early = Holders { looked: 9, held: 1, early: 1, first_early, ..Holders::default() };
        let (verdict, sentence) = said(Granting::ByAuthority, early.clone());
        assert_eq!(verdict, Verdict::Falsified);
        assert_eq!(
            sentence,
            "a holder was shown 1 time before the node that decides showed it: first of register 4, where 7 was shown at client 0 \
             after 3 s"
        );
        assert_eq!(said(Granting::Shown, early.clone()).0, Verdict::Holds);
        let [one, other] = [(7, "client 0".to_owned(), 3_000_000), (9, "hub".to_owned(), 60_000_000)];
        let first = Some(SecondHolder { register: 4, one, other });
        let excused = Holders { second: 1, first, all_after_loss: true, ..early };
        assert_eq!(said(Granting::ByAuthority, excused).0, Verdict::Falsified);
    }

    #[test]
    fn a_world_in_which_nobody_holds_anything_proves_nothing() {
        assert_eq!(said(Granting::ByAuthority, Holders::default()).0, Verdict::Inconclusive);
        let (verdict, sentence) = said(Granting::Shown, Holders { looked: 9, held: 1, ..Holders::default() });
        assert_eq!(
            (verdict, sentence.as_str()),
            (Verdict::Holds, "1 claimed register had one holder each, in 9 looks")
        );
        assert_eq!(judge(&History::default()), None);
    }
}
