//! Labels: values that users overwrite. The literature calls them registers; here that is any place of a world that holds
//! something.
//!
//! Who writes means to supersede what the replica shows, and nothing else. What becomes of values that were written at the
//! same time, an engine declares ([`Overwrites`]): it shows all of them until somebody who sees them writes again (a
//! multi-value register: Shapiro, Preguiça, Baquero and Zawirski, INRIA RR-7506, 2011, specification 10), or one of them.
//!
//! | rule | what it forbids | for whom |
//! |---|---|---|
//! | strange | a value that nobody wrote | all |
//! | back | a value that was overwritten by somebody who had seen it: an old write never wins silently | all |
//! | gone | a value is not shown, and no write can have taken its place that is shown, or lost its own place so | multi-value; of one value, where none is shown |
//! | beside | a second value | one value |
//! | late | a value, and another that nobody overwrote was written later by its writer's clock | the last by the writers' clocks |
//!
//! Where an engine shows one value, a write that nobody had seen may be lost: its policy covers that, and
//! [`lost_unseen`] counts it.

use std::collections::BTreeSet;

use crate::data::Wrong;
use crate::data::seen::{Edited, Whereabouts};
use crate::domain::data::{Clock, Intent, Overwrites, Part, Value};
use crate::domain::history::Fate;

/// Does what a user intends; gives whether the values changed.
pub fn apply(values: &mut BTreeSet<Value>, intent: Intent) -> bool {
    let Intent::Write(value) = intent else { return false };
    let is_alone = values.len() == 1 && values.contains(&value);
    if !is_alone {
        *values = BTreeSet::from([value]);
    }
    !is_alone
}

/// Milliseconds: as fine as a clock is compared. Engines may stamp no finer.
const MILLISECOND: i64 = 1000;

/// All edits of a label.
struct Writes<'a>(&'a [Edited<'a>]);

impl<'a> Writes<'a> {
    fn of(&self, value: Value) -> impl Iterator<Item = &'a Edited<'a>> + use<'a> {
        self.0.iter().filter(move |edited| edited.edit.intent == Intent::Write(value))
    }

    /// Whether the user of a write had seen another for certain: it had come, or was shown and nobody else wrote the same.
    fn had_seen(&self, by: &Edited<'_>, write: &Edited<'_>) -> bool {
        let Intent::Write(value) = write.edit.intent else { return false };
        let is_shown = || by.sighting.shown.values().is_some_and(|shown| shown.contains(&value));
        write.was_seen_by(by) || is_shown() && write.may_be_seen_by(by) && self.of(value).count() == 1
    }
}

fn value_of(edited: &Edited<'_>) -> Option<Value> {
    match edited.edit.intent {
        Intent::Write(value) => Some(value),
        _ => None,
    }
}

/// What is wrong with a view, given all edits of its register. An edit may be missing where `may_be_missing` says so of its
/// fate.
pub fn wrong(
    view: &BTreeSet<Value>,
    edits: &[Edited<'_>],
    overwrites: Overwrites,
    may_be_missing: impl Fn(Fate) -> bool,
) -> Vec<Wrong> {
    let writes = Writes(edits);
    let binding = |edited: &&Edited<'_>| !may_be_missing(edited.edit.fate);
    let is_overwritten = |write: &Edited<'_>| edits.iter().filter(binding).any(|by| writes.had_seen(by, write));
    let of_shown = |&value: &Value| {
        let part = Part::Value(value);
        match writes.of(value).next() {
            None => Some(Wrong::Strange(part)),
            Some(_) => writes.of(value).all(is_overwritten).then_some(Wrong::Back(part)),
        }
    };
    let mut wrong: Vec<Wrong> = view.iter().filter_map(of_shown).collect();
    let is_shown = |edited: &Edited<'_>| value_of(edited).is_some_and(|value| view.contains(&value));
    match overwrites {
        Overwrites::Multi => {
            let stands = standing(edits, is_shown);
            let is_gone = |place: usize| !stands[place] && binding(&&edits[place]);
            // Of a chain of writes, each over the one before, the last is named.
            let is_last = |place: &usize| {
                let over = |by: usize| is_gone(by) && edits[*place].may_be_seen_by(&edits[by]);
                is_gone(*place) && !(0..edits.len()).any(over)
            };
            let gone = (0..edits.len()).filter(is_last);
            let gone: BTreeSet<Value> = gone.filter_map(|place| value_of(&edits[place])).collect();
            wrong.extend(gone.into_iter().map(|value| Wrong::Gone(Part::Value(value))));
        }
        Overwrites::Last(_) | Overwrites::One => {
            wrong.extend(view.iter().skip(1).map(|&value| Wrong::Beside(Part::Value(value))));
            let any = edits.iter().find(binding).and_then(value_of).filter(|_| view.is_empty());
            wrong.extend(any.map(|value| Wrong::Gone(Part::Value(value))));
        }
    }
    if overwrites == Overwrites::Last(Clock::Wall) {
        let at = |edited: &Edited<'_>| edited.sighting.wall.div_euclid(MILLISECOND);
        let is_late = |&&value: &&Value| {
            let shown = writes.of(value).map(at).max();
            let others = edits.iter().filter(binding).filter(|edited| value_of(edited) != Some(value));
            // What somebody overwrote who had seen it is out of the race, whatever its clock said.
            let last = others.filter(|edited| !is_overwritten(edited)).map(at).max();
            shown.is_some_and(|shown| last.is_some_and(|last| last > shown))
        };
        wrong.extend(view.iter().filter(is_late).map(|&value| Wrong::Late(Part::Value(value))));
    }
    wrong
}

/// Which writes are shown, or may have been overwritten by one that is, or that may have been so in its turn: a write takes
/// the place of another only where it is itself.
fn standing(edits: &[Edited<'_>], is_shown: impl Fn(&Edited<'_>) -> bool) -> Vec<bool> {
    let mut stands: Vec<bool> = edits.iter().map(is_shown).collect();
    loop {
        let is_new = |&place: &usize| {
            let may_be_seen = |(by, stands): (&Edited<'_>, &bool)| *stands && edits[place].may_be_seen_by(by);
            !stands[place] && edits.iter().zip(&stands).any(may_be_seen)
        };
        let new: Vec<usize> = (0..edits.len()).filter(is_new).collect();
        if new.is_empty() {
            return stands;
        }
        new.into_iter().for_each(|place| stands[place] = true);
    }
}

/// How many values are not shown though nobody to whom they were shown wrote again: where an engine shows one value, its
/// policy covers that, and its users are not told. What was lost with its store is not counted. A value that several users
/// wrote counts once, and not if one of them was overwritten by somebody who saw it.
pub fn lost_unseen(view: &BTreeSet<Value>, edits: &[Edited<'_>]) -> usize {
    let seen = edits.iter().filter_map(|by| by.sighting.shown.values()).flatten();
    let seen: BTreeSet<Value> = seen.chain(view).copied().collect();
    let kept = edits.iter().filter(|edited| edited.edit.fate == Fate::Binding);
    kept.filter_map(value_of).filter(|value| !seen.contains(value)).collect::<BTreeSet<Value>>().len()
}

/// Whether a value that a replica showed may be gone from it, given all edits of its register until now.
pub fn may_be_gone(value: Value, edits: &[Edited<'_>], overwrites: Overwrites, at: &impl Whereabouts) -> bool {
    let writes = Writes(edits);
    let come = || edits.iter().filter(|by| at.may_be_there(by));
    let may_be_overwritten = |write: &Edited<'_>| {
        come().any(|by| match overwrites {
            Overwrites::Multi => write.may_be_seen_by(by),
            // Whatever came takes its place, unless that is older for certain.
            Overwrites::Last(_) | Overwrites::One => {
                value_of(by) != Some(value) && !(at.is_known(by) && by.was_seen_by(write))
            }
        })
    };
    // It was shown: one write is there at least, though it may be known of none.
    writes.of(value).filter(|write| at.is_known(write) && at.is_there(write)).all(may_be_overwritten)
        && writes.of(value).filter(|write| at.may_be_there(write)).any(may_be_overwritten)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::View;
    use crate::domain::history::{Had, Sighting, UserEdit};
    use Fate::{Binding, Unshared};
    use Overwrites::{Last, Multi, One};
    use proptest::prelude::*;

    const DEVICES: usize = 3;

    fn sighting(shown: &[Value], had: [u32; DEVICES], may_have: [u32; DEVICES], wall: i64) -> Sighting {
        let shown = View::Label(shown.iter().copied().collect());
        Sighting { shown, had: Had::upto(&had, [].into()), may_have: may_have.into(), wall }
    }

    /// What a user saw whose replica had exactly this number of edits of each device.
    fn exact(shown: &[Value], had: [u32; DEVICES]) -> Sighting {
        sighting(shown, had, had, 0)
    }

    fn write(device: usize, number: u32, value: Value, fate: Fate, sighting: &Sighting) -> Edited<'_> {
        Edited { device, number, edit: UserEdit { at: 0, register: 0, intent: Intent::Write(value), fate }, sighting }
    }

    fn said(view: &[Value], edits: &[Edited<'_>], overwrites: Overwrites) -> Vec<Wrong> {
        wrong(&view.iter().copied().collect(), edits, overwrites, Fate::is_unshared)
    }

    fn back(value: Value) -> Wrong {
        Wrong::Back(Part::Value(value))
    }

    fn gone(value: Value) -> Wrong {
        Wrong::Gone(Part::Value(value))
    }

    #[test]
    fn two_values_that_were_written_at_the_same_time_are_both_shown_or_one_of_them_where_the_engine_declares_so() {
        let nothing = exact(&[], [0; DEVICES]);
        let edits = [write(0, 0, 3, Binding, &nothing), write(1, 0, 4, Binding, &nothing)];
        assert_eq!(said(&[3, 4], &edits, Multi), []);
        assert_eq!([said(&[3], &edits, Multi), said(&[], &edits, Multi)], [vec![gone(4)], vec![gone(3), gone(4)]]);
        assert_eq!([said(&[3], &edits, One), said(&[4], &edits, One)], [vec![], vec![]]);
        assert_eq!(said(&[3, 4], &edits, One), [Wrong::Beside(Part::Value(4))]);
        assert_eq!(said(&[], &edits, One), [gone(3)]);
        assert_eq!(said(&[5], &edits, One), [Wrong::Strange(Part::Value(5))]);
        assert_eq!([&[3][..], &[3, 4]].map(|view| lost_unseen(&view.iter().copied().collect(), &edits)), [1, 0]);
    }

    #[test]
    fn a_value_that_was_overwritten_by_somebody_who_had_seen_it_never_comes_back_whatever_the_policy() {
        let (nothing, seen) = (exact(&[], [0; DEVICES]), exact(&[3], [1, 0, 0]));
        let edits = [write(0, 0, 3, Binding, &nothing), write(1, 0, 4, Binding, &seen)];
        for policy in [Multi, One, Last(Clock::Hybrid), Last(Clock::Arrival)] {
            assert_eq!(said(&[4], &edits, policy), [], "{policy:?}");
            assert_eq!(said(&[3], &edits, policy)[0], back(3), "{policy:?}");
        }
        assert_eq!(said(&[3, 4], &edits, Multi), [back(3)]);
        assert_eq!(lost_unseen(&[4].into(), &edits), 0, "who overwrote it had seen it");
        // A write that may be missing takes no place where it is not shown.
        let unshared = [edits[0], write(1, 0, 4, Unshared, &seen)];
        assert_eq!([said(&[], &unshared, Multi), said(&[], &edits, Multi)], [vec![gone(3)], vec![gone(4)]]);
        // A write that may be missing overwrites nothing for certain.
        let may_be_missing = [edits[0], write(1, 0, 4, Unshared, &seen)];
        assert_eq!([said(&[3], &may_be_missing, Multi), said(&[4], &may_be_missing, Multi)], [vec![], vec![]]);
        // The same value, written again by somebody who had seen the other, is meant.
        let after = exact(&[4], [1, 1, 0]);
        assert_eq!(said(&[3], &[edits[0], edits[1], write(0, 1, 3, Binding, &after)], Multi), []);
    }

    #[test]
    fn what_was_shown_was_seen_though_no_message_tells_so_unless_two_wrote_the_same() {
        let nothing = exact(&[], [0; DEVICES]);
        let shown = sighting(&[3], [0; DEVICES], [1, 0, 0], 0);
        let edits = [write(0, 0, 3, Binding, &nothing), write(1, 0, 4, Binding, &shown)];
        assert_eq!(said(&[3, 4], &edits, Multi), [back(3)]);
        let same = write(2, 0, 3, Binding, &nothing);
        assert_eq!(said(&[3, 4], &[edits[0], edits[1], same], Multi), []);
        // What may have come, and was not shown, accuses nobody.
        let perhaps = sighting(&[], [0; DEVICES], [1, 0, 0], 0);
        let edits = [edits[0], write(1, 0, 4, Binding, &perhaps)];
        assert_eq!([said(&[3, 4], &edits, Multi), said(&[4], &edits, Multi)], [vec![], vec![]]);
    }

    #[test]
    fn of_the_last_by_the_wall_clock_the_clock_decides_and_of_an_old_write_over_a_newer_nothing_does() {
        let [early, ahead] = [5_000, 3_600_000].map(|wall| sighting(&[], [0; DEVICES], [0; DEVICES], wall * 1000));
        let edits = [write(0, 0, 3, Binding, &early), write(1, 0, 4, Binding, &ahead)];
        let wall = Last(Clock::Wall);
        assert_eq!([said(&[4], &edits, wall), said(&[3], &edits, wall)], [vec![], vec![Wrong::Late(Part::Value(3))]]);
        assert_eq!(said(&[3], &edits, Last(Clock::Arrival)), [], "nobody knows in which order they arrived");
        // The clock was ahead. Somebody saw that write, and wrote by a clock that is right: the clock's winner is old.
        let seen = sighting(&[4], [1, 1, 0], [1, 1, 0], 10_000_000);
        let edits = [edits[0], edits[1], write(2, 0, 5, Binding, &seen)];
        assert_eq!(said(&[4], &edits, wall), [back(4)]);
        assert_eq!(said(&[5], &edits, wall), [], "whoever saw the other and wrote again wins");
        assert_eq!(said(&[5], &edits, Last(Clock::Hybrid)), []);
    }

    /// How many edits of each device have arrived for certain, and how many may have.
    struct Come {
        had: [u32; DEVICES],
        may_have: [u32; DEVICES],
    }

    impl Whereabouts for Come {
        fn is_known(&self, _edit: &Edited<'_>) -> bool {
            true
        }

        fn is_there(&self, edit: &Edited<'_>) -> bool {
            edit.number < self.had[edit.device]
        }

        fn may_be_there(&self, edit: &Edited<'_>) -> bool {
            edit.number < self.may_have[edit.device]
        }
    }

    #[test]
    fn a_value_that_was_shown_may_be_gone_only_if_a_write_can_have_come_that_takes_its_place() {
        let (nothing, seen) = (exact(&[], [0; DEVICES]), exact(&[3], [1, 0, 0]));
        let edits =
            [write(0, 0, 3, Binding, &nothing), write(1, 0, 4, Binding, &seen), write(2, 0, 5, Binding, &nothing)];
        let may_be_gone = |policy, value, may_have: [u32; DEVICES]| {
            may_be_gone(value, &edits, policy, &Come { had: [1, 0, 0], may_have })
        };
        assert!(!may_be_gone(Multi, 3, [1, 0, 0]) && !may_be_gone(One, 3, [1, 0, 0]), "nothing can have come");
        assert!(may_be_gone(Multi, 3, [1, 1, 0]) && may_be_gone(One, 3, [1, 1, 0]));
        assert!(!may_be_gone(Multi, 3, [1, 0, 1]), "who wrote the other had not seen it");
        assert!(may_be_gone(One, 3, [1, 0, 1]));
        assert!(!may_be_gone(One, 4, [1, 1, 0]), "what is older for certain takes no place");
    }

    /// A step of a plain multi-value register: a device writes, or takes all that another has.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Write(usize),
        Take(usize, usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0..DEVICES).prop_map(Step::Write),
            (0..DEVICES, 0..DEVICES).prop_map(|(to, from)| Step::Take(to, from)),
        ];
        proptest::collection::vec(step, 1..25)
    }

    /// Writes with what their users had seen, by device, number and value.
    type Written = Vec<(usize, u32, Value, Sighting)>;

    /// The values of these writes that no other of them overwrote: by definition, without any engine.
    fn shown(written: &Written, has: [u32; DEVICES]) -> BTreeSet<Value> {
        let come = || written.iter().filter(|(device, number, ..)| *number < has[*device]);
        let is_overwritten = |device, number| come().any(|(.., seen)| seen.may_have[device] > number);
        come().filter(|&&(device, number, ..)| !is_overwritten(device, number)).map(|(.., value, _)| *value).collect()
    }

    /// Plays steps, and then everybody takes everything: all writes, and what is shown.
    fn played(steps: &[Step]) -> (Written, BTreeSet<Value>) {
        let (mut written, mut has) = (Written::new(), [[0u32; DEVICES]; DEVICES]);
        for &step in steps {
            match step {
                Step::Write(device) => {
                    let values: Vec<Value> = shown(&written, has[device]).into_iter().collect();
                    let value = 100 + written.len() as Value;
                    written.push((device, has[device][device], value, exact(&values, has[device])));
                    has[device][device] += 1;
                }
                Step::Take(to, from) => {
                    let came = has[from];
                    has[to].iter_mut().zip(came).for_each(|(mine, theirs)| *mine = (*mine).max(theirs));
                }
            }
        }
        let all = std::array::from_fn(|device| has[device][device]);
        let shown = shown(&written, all);
        (written, shown)
    }

    proptest! {
        #[test]
        fn what_a_plain_multi_value_register_shows_is_right_and_every_other_view_is_wrong(steps in steps()) {
            let (written, shown) = played(&steps);
            let edits: Vec<Edited<'_>> =
                written.iter().map(|(device, number, value, seen)| write(*device, *number, *value, Binding, seen)).collect();
            let judged = |view: &BTreeSet<Value>| wrong(view, &edits, Multi, Fate::is_unshared);
            prop_assert_eq!(judged(&shown), []);
            // One is left out, one that was overwritten comes back, and one is nobody's.
            for value in &shown {
                let mut less = shown.clone();
                less.remove(value);
                prop_assert_eq!(judged(&less), [gone(*value)]);
            }
            for &(.., value, _) in written.iter().filter(|(.., value, _)| !shown.contains(value)) {
                let mut more = shown.clone();
                more.insert(value);
                prop_assert_eq!(judged(&more), [back(value)]);
            }
            let mut strange = shown.clone();
            strange.insert(7);
            prop_assert_eq!(judged(&strange), [Wrong::Strange(Part::Value(7))]);
            // Of one value, each of these is right, and none of those that were overwritten.
            for &(.., value, _) in &written {
                let one = wrong(&[value].into(), &edits, One, Fate::is_unshared);
                prop_assert_eq!(one.is_empty(), shown.contains(&value));
            }
        }
    }
}
