//! Texts: sequences of letters that users type and erase.
//!
//! Every letter is typed once ([`Letter`]), so that a view tells which keystrokes it shows: the elements of lists are unique
//! in the specification of Attiya, Burckhardt, Gotsman, Morrison, Yang and Zawirski, "Specification and complexity of
//! collaborative text editing", PODC 2016, too. Its strong list specification is the rule of order here; that runs are not
//! mixed is after Weidner and Kleppmann, "The Art of the Fugue", IEEE TPDS, 2025.
//!
//! | rule | what it forbids | for whom |
//! |---|---|---|
//! | strange | a letter that nobody typed | all |
//! | twice | a letter that is shown twice: it was typed once | all |
//! | gone | a letter is not shown, and nobody erased it | all |
//! | back | a letter that somebody erased to whom it was shown | all |
//! | moved | two letters that stand the other way round than some user saw them | all |
//! | mixed | a letter of one run between those of another, where both were typed at the same time | both ways: runs typed forward or backward; forward: those typed forward |
//!
//! A run is what one device typed without anything else coming to its text: forward, each letter right after the one before, or
//! backward, each at the place where the run began. The rule of runs is about two runs of which neither user may have seen a
//! letter of the other: what one of them may have seen is no part of the run for that user.
//!
//! What a judge keeps: for every keystroke the text that was shown, and a number for each device.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::Wrong;
use crate::data::seen::{Edited, Whereabouts};
use crate::domain::data::{Intent, Part, Runs};
use crate::domain::history::Fate;
use crate::domain::letter::Letter;

/// How many letters of a text stand before what is typed after this one: none where it is not shown.
pub fn place(shown: &[Letter], after: Option<Letter>) -> usize {
    after.and_then(|after| shown.iter().position(|&letter| letter == after)).map_or(0, |place| place + 1)
}

/// Does what a user intends; gives whether the text changed.
pub fn apply(letters: &mut Vec<Letter>, intent: Intent) -> bool {
    match intent {
        Intent::Type { after, letter } => {
            letters.insert(place(letters, after), letter);
            true
        }
        Intent::Erase(letter) => match letters.iter().position(|&shown| shown == letter) {
            Some(place) => {
                letters.remove(place);
                true
            }
            None => false,
        },
        _ => false,
    }
}

/// Whether an edit means anything to a user who is shown this: nobody erases what is not there.
pub fn is_meant(shown: &[Letter], intent: Intent) -> bool {
    match intent {
        Intent::Erase(letter) => shown.contains(&letter),
        _ => true,
    }
}

/// What a user means who is shown this: whoever would type after a letter that is not shown types at the beginning.
pub fn meant(shown: &[Letter], intent: Intent) -> Intent {
    match intent {
        Intent::Type { after: Some(after), letter } if !shown.contains(&after) => Intent::Type { after: None, letter },
        _ => intent,
    }
}

/// What a user was shown.
fn shown<'a>(edited: &Edited<'a>) -> &'a [Letter] {
    edited.sighting.shown.letters().unwrap_or(&[])
}

/// The letter that an edit erases, where that meant anything.
fn erased(edited: &Edited<'_>) -> Option<Letter> {
    match edited.edit.intent {
        Intent::Erase(letter) if is_meant(shown(edited), edited.edit.intent) => Some(letter),
        _ => None,
    }
}

/// What is wrong with a view, given all edits of its register. An edit may be missing where `may_be_missing` says so of its
/// fate.
pub fn wrong(view: &[Letter], edits: &[Edited<'_>], runs: Runs, may_be_missing: impl Fn(Fate) -> bool) -> Vec<Wrong> {
    let binding = |edited: &&Edited<'_>| !may_be_missing(edited.edit.fate);
    let typed = |edited: &Edited<'_>| match edited.edit.intent {
        Intent::Type { letter, .. } => Some(letter),
        _ => None,
    };
    let all_typed: BTreeSet<Letter> = edits.iter().filter_map(typed).collect();
    let may_be_erased: BTreeSet<Letter> = edits.iter().filter_map(erased).collect();
    let is_erased: BTreeSet<Letter> = edits.iter().filter(binding).filter_map(erased).collect();
    let mut places: BTreeMap<Letter, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (place, &letter) in view.iter().enumerate() {
        let part = Part::Letter(letter);
        let is_first = places.insert(letter, place).is_none();
        match () {
            () if !is_first => wrong.push(Wrong::Twice(part)),
            () if !all_typed.contains(&letter) => wrong.push(Wrong::Strange(part)),
            () if is_erased.contains(&letter) => wrong.push(Wrong::Back(part)),
            () => {}
        }
    }
    let lacks = |letter: &Letter| !places.contains_key(letter) && !may_be_erased.contains(letter);
    let gone = edits.iter().filter(binding).filter_map(typed).filter(lacks);
    wrong.extend(gone.map(|letter| Wrong::Gone(Part::Letter(letter))));
    wrong.extend(moved(&places, edits));
    wrong.extend(mixed(&places, edits, runs));
    wrong
}

/// Letters that stand the other way round than a user saw them: of each user's view the first two, and no two twice.
fn moved(places: &BTreeMap<Letter, usize>, edits: &[Edited<'_>]) -> BTreeSet<Wrong> {
    let of_one = |edited: &Edited<'_>| {
        let mut seen = shown(edited).to_vec();
        if edited.edit.intent.makes() {
            apply(&mut seen, edited.edit.intent);
        }
        let there: Vec<(Letter, usize)> =
            seen.into_iter().filter_map(|letter| Some((letter, *places.get(&letter)?))).collect();
        let is_turned = |pair: &&[(Letter, usize)]| pair[0].1 > pair[1].1;
        there.windows(2).find(is_turned).map(|pair| Wrong::Moved { first: pair[0].0, then: pair[1].0 })
    };
    edits.iter().filter_map(of_one).collect()
}

/// What one device typed without anything else coming to its text.
struct Run<'a> {
    device: usize,
    /// The number of its first keystroke, and what that came after.
    number: u32,
    began_after: Option<Letter>,
    /// No more edits of others can have come before.
    may_have: &'a [u32],
    letters: Vec<Letter>,
}

impl Run<'_> {
    /// Whether another keystroke of the device goes on with the run.
    fn goes_on(&self, with: &Edited<'_>, after: Option<Letter>, runs: Runs) -> bool {
        let last = self.letters.last().copied();
        let is_in_place = after == last || runs == Runs::BothWays && after == self.began_after;
        is_in_place && last.is_some_and(|last| shown(with).contains(&last))
    }

    /// Whether its user can have seen a letter of another run.
    fn may_have_seen(&self, other: &Run<'_>) -> bool {
        self.device == other.device || self.may_have.get(other.device).is_none_or(|&had| had > other.number)
    }
}

/// Whether nothing came to a device's text between two of its edits.
fn nothing_came(between: &Edited<'_>, and: &Edited<'_>) -> bool {
    let others = |edited: &Edited<'_>| {
        let counts = edited.sighting.may_have.iter().enumerate();
        counts.filter(|(device, _)| *device != edited.device).map(|(_, &count)| count).collect::<Vec<u32>>()
    };
    let mut shown_then = shown(between).to_vec();
    apply(&mut shown_then, between.edit.intent);
    shown_then == shown(and) && others(between) == others(and)
}

/// All runs. What others have seen of a device's letters is one run for them, and what they have not seen begins another: so
/// runs begin at each number up to which another device may have its edits, too.
fn runs_of<'a>(edits: &[Edited<'a>], runs: Runs) -> Vec<Run<'a>> {
    let mut in_order: Vec<&Edited<'a>> = edits.iter().collect();
    in_order.sort_by_key(|edited| (edited.device, edited.number));
    let of_devices = in_order.chunk_by(|one, next| one.device == next.device);
    let of_device = |own: &[&Edited<'a>]| {
        let device = own[0].device;
        let is_quiet: Vec<bool> =
            std::iter::once(false).chain(own.windows(2).map(|pair| nothing_came(pair[0], pair[1]))).collect();
        let others = edits.iter().filter(|edited| edited.device != device);
        let seen = others.filter_map(|edited| edited.sighting.may_have.get(device).copied());
        let starts: BTreeSet<u32> = seen.chain([0]).collect();
        let mut all: BTreeMap<u32, Run<'a>> = BTreeMap::new();
        for start in starts {
            let mut current: Option<Run<'a>> = None;
            for (edited, is_quiet) in own.iter().zip(&is_quiet).filter(|(edited, _)| edited.number >= start) {
                if !is_quiet {
                    all.extend(current.take().map(|run| (run.number, run)));
                }
                // Between keystrokes a user may erase.
                let Intent::Type { after, letter } = meant(shown(edited), edited.edit.intent) else { continue };
                if let Some(run) = current.as_mut().filter(|run| run.goes_on(edited, after, runs)) {
                    run.letters.push(letter);
                    continue;
                }
                all.extend(current.take().map(|run| (run.number, run)));
                if all.contains_key(&edited.number) {
                    // From here on all is as before.
                    break;
                }
                let (number, may_have) = (edited.number, &*edited.sighting.may_have);
                current = Some(Run { device, number, began_after: after, may_have, letters: vec![letter] });
            }
            all.extend(current.map(|run| (run.number, run)));
        }
        all.into_values()
    };
    of_devices.flat_map(of_device).collect()
}

/// Runs that were typed at the same time and are mixed: no two twice.
fn mixed(places: &BTreeMap<Letter, usize>, edits: &[Edited<'_>], runs: Runs) -> BTreeSet<Wrong> {
    if runs == Runs::Mixed {
        return BTreeSet::new();
    }
    let all = runs_of(edits, runs);
    let reaches = |run: &Run<'_>| {
        let places = || run.letters.iter().filter_map(|letter| places.get(letter).copied());
        Some((places().min()?, places().max()?))
    };
    let mut reaching: Vec<(usize, usize, &Run<'_>)> =
        all.iter().filter_map(|run| reaches(run).map(|(first, last)| (first, last, run))).collect();
    reaching.sort_by_key(|&(first, last, _)| (first, last));
    let mut wrong = BTreeSet::new();
    for (number, &(_, last, run)) in reaching.iter().enumerate() {
        for &(_, _, other) in reaching[number + 1..].iter().take_while(|(first, ..)| *first < last) {
            if !run.may_have_seen(other) && !other.may_have_seen(run) {
                wrong.insert(Wrong::Mixed { one: run.letters[0], other: other.letters[0] });
            }
        }
    }
    wrong
}

/// Whether a letter that a replica showed may be gone from it, given all edits of its register until now.
pub fn may_be_gone(letter: Letter, edits: &[Edited<'_>], at: &impl Whereabouts) -> bool {
    edits.iter().any(|edited| erased(edited) == Some(letter) && at.may_be_there(edited))
}

#[cfg(test)]
mod tests;
