//! Claims: what can be had once, such as a job number or a seat. Users ask for it, and one of them holds it for good.
//!
//! No merge makes two holders one again: both have told their customers. So the first rule is about every instant, and is judged
//! over time: as soon as anybody was shown as the holder, nobody else may ever be, at any replica. A claim that is not granted
//! is refused, and whoever made it is told. Uniqueness cannot be had without coordination (Bailis, Fekete, Franklin, Ghodsi,
//! Hellerstein and Stoica, "Coordination avoidance in database systems", PVLDB 8(3), 2014): an engine that lets users ask
//! offline has them wait for a node that decides, or breaks the rule.
//!
//! | rule | what it forbids | for whom |
//! |---|---|---|
//! | twice | a second holder, at any instant and at any replica | all |
//! | strange | a claim that nobody made | all |
//! | gone | a claim that is neither granted, nor waiting, nor refused | all |
//! | unheld | a claim is refused, and nobody is shown as the holder | all |
//! | undecided | in the end, a claim waits though another is granted, or though all that can decide was reached | all; who asks an authority may wait where the world has none |

use std::collections::BTreeSet;

use crate::data::seen::{Edited, Terms};
use crate::data::{Wrong, is_meant};
use crate::domain::data::{Claimed, Granting, Intent, Part, Value};
use crate::domain::history::Fate;

/// Does what a user intends where the replica grants by what it shows; gives whether that changed anything.
pub fn apply(claimed: &mut Claimed, intent: Intent) -> bool {
    let Intent::Claim(value) = intent else { return false };
    let is_free = claimed.holder.is_none();
    if is_free {
        claimed.holder = Some(value);
    }
    is_free
}

fn value_of(edited: &Edited<'_>) -> Option<Value> {
    match edited.edit.intent {
        Intent::Claim(value) => Some(value),
        _ => None,
    }
}

/// What is wrong with a view in the end, given all edits of its register. An edit may be missing where `may_be_missing` says so
/// of its fate.
pub fn wrong(shown: &Claimed, edits: &[Edited<'_>], terms: Terms, may_be_missing: impl Fn(Fate) -> bool) -> Vec<Wrong> {
    let asked: BTreeSet<Value> = edits.iter().filter_map(value_of).collect();
    let all: BTreeSet<Value> = shown.all().collect();
    let mut wrong: Vec<Wrong> = all.difference(&asked).map(|&value| Wrong::Strange(Part::Claim(value))).collect();
    let binds = |edited: &&Edited<'_>| {
        !may_be_missing(edited.edit.fate) && is_meant(&edited.sighting.shown, edited.edit.intent)
    };
    let binding: BTreeSet<Value> = edits.iter().filter(binds).filter_map(value_of).collect();
    wrong.extend(binding.difference(&all).map(|&value| Wrong::Gone(Part::Claim(value))));
    let is_any_missing = edits.iter().any(|edited| may_be_missing(edited.edit.fate));
    // Where the holder's claim was lost, so may be that it was granted.
    let unheld = shown.refused.first().filter(|_| shown.holder.is_none() && !is_any_missing);
    wrong.extend(unheld.map(|&value| Wrong::Unheld(Part::Claim(value))));
    let can_decide = terms.has_authority || terms.carries.claims.unwrap_or_default() == Granting::Shown;
    if can_decide || shown.holder.is_some() {
        wrong.extend(shown.waiting.iter().map(|&value| Wrong::Undecided(Part::Claim(value))));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::{Carries, View};
    use crate::domain::history::{Had, Sighting, UserEdit};
    use Fate::{Binding, Unshared};

    fn sighting(holder: Option<Value>) -> Sighting {
        let shown = View::Claim(Box::new(Claimed { holder, ..Claimed::default() }));
        Sighting { shown, had: Had::upto(&[0; 2], [].into()), may_have: [0; 2].into(), wall: 0 }
    }

    fn claim(device: usize, value: Value, fate: Fate, sighting: &Sighting) -> Edited<'_> {
        let edit = UserEdit { at: 0, register: 0, intent: Intent::Claim(value), fate };
        Edited { device, number: 0, edit, sighting }
    }

    fn claimed(holder: Option<Value>, waiting: &[Value], refused: &[Value]) -> Claimed {
        Claimed { holder, waiting: waiting.iter().copied().collect(), refused: refused.iter().copied().collect() }
    }

    const AUTHORITY: Terms =
        Terms { carries: Carries::COUNTERS.and_claims(Granting::ByAuthority), now: 0, has_authority: true };

    fn said(shown: &Claimed, edits: &[Edited<'_>]) -> Vec<Wrong> {
        wrong(shown, edits, AUTHORITY, Fate::is_unshared)
    }

    fn part(value: Value) -> Part {
        Part::Claim(value)
    }

    #[test]
    fn of_two_claims_one_is_granted_and_the_other_is_refused_and_shown_as_that() {
        let free = sighting(None);
        let edits = [claim(0, 3, Binding, &free), claim(1, 4, Binding, &free)];
        assert_eq!(said(&claimed(Some(3), &[], &[4]), &edits), []);
        assert_eq!(said(&claimed(Some(4), &[], &[3]), &edits), []);
        assert_eq!(said(&claimed(Some(3), &[], &[]), &edits), [Wrong::Gone(part(4))]);
        assert_eq!(said(&claimed(Some(3), &[4], &[]), &edits), [Wrong::Undecided(part(4))]);
        assert_eq!(said(&claimed(None, &[], &[3, 4]), &edits), [Wrong::Unheld(part(3))]);
        assert_eq!(said(&claimed(Some(5), &[], &[3, 4]), &edits), [Wrong::Strange(part(5))]);
        assert_eq!(said(&claimed(None, &[], &[]), &edits), [Wrong::Gone(part(3)), Wrong::Gone(part(4))]);
    }

    #[test]
    fn claims_wait_only_where_nobody_can_decide() {
        let free = sighting(None);
        let edits = [claim(0, 3, Binding, &free), claim(1, 4, Binding, &free)];
        let waits = claimed(None, &[3, 4], &[]);
        let by = |has_authority, granting| {
            let carries = Carries::COUNTERS.and_claims(granting);
            wrong(&waits, &edits, Terms { carries, now: 0, has_authority }, Fate::is_unshared)
        };
        let undecided = [Wrong::Undecided(part(3)), Wrong::Undecided(part(4))];
        assert_eq!(by(true, Granting::ByAuthority), undecided);
        assert_eq!(by(false, Granting::ByAuthority), []);
        assert_eq!(by(false, Granting::Shown), undecided);
    }

    #[test]
    fn a_claim_that_was_lost_or_meant_nothing_may_be_missing_and_explains_a_refusal() {
        let (free, held) = (sighting(None), sighting(Some(3)));
        let edits = [claim(0, 3, Binding, &free), claim(1, 4, Binding, &held)];
        assert_eq!(said(&claimed(Some(3), &[], &[]), &edits), []);
        assert_eq!(said(&claimed(Some(3), &[], &[4]), &edits), []);
        let edits = [claim(0, 3, Unshared, &free), claim(1, 4, Binding, &free)];
        assert_eq!(said(&claimed(Some(4), &[], &[]), &edits), []);
        assert_eq!(said(&claimed(None, &[], &[4]), &edits), []);
        assert_eq!(said(&claimed(None, &[], &[]), &edits), [Wrong::Gone(part(4))]);
    }

    #[test]
    fn who_grants_by_what_is_shown_grants_what_nobody_holds() {
        let mut shown = Claimed::default();
        assert!(apply(&mut shown, Intent::Claim(7)));
        assert!(!apply(&mut shown, Intent::Claim(8)));
        assert!(!apply(&mut shown, Intent::Write(9)));
        assert_eq!(shown, claimed(Some(7), &[], &[]));
        assert_eq!(
            View::Claim(Box::new(claimed(Some(7), &[1], &[2, 3]))).to_string(),
            "held by 7, waiting: 1, refused: 2, 3"
        );
        assert!(!claimed(Some(7), &[7], &[]).is_canonical() && claimed(Some(7), &[1], &[2]).is_canonical());
    }
}
