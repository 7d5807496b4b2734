//! Texts beside what else a replica holds: one sequence for each text, of all its writers ([`Fugue`]).
//!
//! What a neighbour lacks is runs of letters that were typed, and runs that were erased. They travel in front of all else, in
//! order of their ids, each with what it was typed beside; a run whose neighbours in the text have not come waits for them.
//! What a text takes is its letters, a few bytes for each run, and what is left of erased letters: their places.
//!
//! | field | kind |
//! |---|---|
//! | number of texts | framing |
//! | each: gap to the text before | addressing |
//! | what is new in it ([`crate::engine::fugue`]) | payload and ids |
//! | what else is pending, where anything is | |
//!
//! Where a world has no texts, all is as if this were not here.
//!
//! Knows: letters, and runs of them. Must not: know connections, or stores.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::data;
use crate::domain::data::{DataType, Intent, View};
use crate::domain::letter::Letter;
use crate::domain::traffic::Kind;
use crate::engine::by_writer::mutant::{self, Mutant};
use crate::engine::by_writer::{ByWriter, Neighbours, Slot};
use crate::engine::delta_state::OfRegister;
use crate::engine::fugue::{Fugue, Id, Part, Run};
use crate::engine::host::{Merge, NodeId, Round};
use crate::engine::reliable_channel::content::{About, Content, Peers};
use crate::engine::reliable_channel::pending::PendingChanges;
use crate::engine::vector::VersionVector;
use crate::engine::wire::{Malformed, Reader, Writer};

/// The most letters of a run that are pending together, where a neighbour is met anew.
const TOGETHER: u64 = 256;

/// A longer run of ids is of erased letters for the most part: nobody types so much.
const TYPED_AT_MOST: u64 = 1 << 16;

/// A run that a neighbour lacks: of which text, whether it is erased, and the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Lacking(u32, bool, Run);

/// What a neighbour lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Peer {
    others: PendingChanges<Slot>,
    texts: PendingChanges<Lacking>,
}

impl Neighbours for Peers<Peer> {
    fn pending(&mut self) -> impl Iterator<Item = (NodeId, &mut PendingChanges<Slot>)> {
        self.iter_mut().map(|(&id, peer)| (id, &mut peer.others))
    }
}

/// Texts, by register, and all else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WithTexts {
    others: ByWriter<OfRegister>,
    texts: BTreeMap<u32, Fugue>,
}

/// The letters that a text shows, each with how many code points come before it.
fn letters(text: &Fugue) -> Vec<(usize, Letter)> {
    let mut before = 0;
    let placed = |letter: Letter| {
        let place = (before, letter);
        before += letter.code_points().count();
        place
    };
    Letter::all_of(&text.text()).into_iter().map(placed).collect()
}

/// The runs of a vector.
fn runs(vector: &VersionVector) -> impl Iterator<Item = Run> + '_ {
    vector.iter().flat_map(|(actor, ranges)| ranges.runs().map(move |(first, last)| Run { actor, first, last }))
}

/// A run in portions that no letter is cut in half by.
fn portions(run: Run, marks: &BTreeSet<Id>) -> Vec<Run> {
    if run.count() > TYPED_AT_MOST {
        return vec![run];
    }
    let (mut first, mut portions) = (run.first, Vec::new());
    while first <= run.last {
        let mut last = run.last.min(first + TOGETHER - 1);
        while last < run.last && marks.contains(&Id { actor: run.actor, number: last + 1 }) {
            last += 1;
        }
        portions.push(Run { first, last, ..run });
        first = last + 1;
    }
    portions
}

/// The ids of marks, which belong to the letters before them.
fn marks(text: &Fugue) -> BTreeSet<Id> {
    let of_run = |(run, text): (Run, &str)| {
        let ids = (run.first..).map(move |number| Id { actor: run.actor, number });
        let is_mark = |(id, code_point): (Id, char)| Letter::from(code_point).is_mark().then_some(id);
        ids.zip(text.chars().collect::<Vec<char>>()).filter_map(is_mark).collect::<Vec<Id>>()
    };
    text.runs().flat_map(of_run).collect()
}

impl WithTexts {
    /// A user types, or erases what is shown; gives what is new: the runs that were typed, and those that were erased.
    fn edit_text(&mut self, about: &About, register: u32, intent: Intent) -> (Vec<Run>, Vec<Run>) {
        let text = self.texts.entry(register).or_default();
        let letters = letters(text);
        let shown: Vec<Letter> = letters.iter().map(|(_, letter)| *letter).collect();
        match intent {
            Intent::Type { after, letter } => {
                let place = data::text::place(&shown, after);
                let place = if Mutant::TypeInFront.is_in(about) { place.saturating_sub(1) } else { place };
                let place = letters.get(place).map_or(text.len(), |(before, _)| *before);
                (text.insert(about.actor, place, &Letter::text(&[letter])).into_iter().collect(), Vec::new())
            }
            Intent::Erase(letter) => match letters.iter().find(|(_, there)| *there == letter) {
                Some(&(place, letter)) => (Vec::new(), text.erase(place, letter.code_points().count())),
                None => (Vec::new(), Vec::new()),
            },
            _ => (Vec::new(), Vec::new()),
        }
    }

    /// What a text shows.
    fn shown(about: &About, text: &Fugue) -> Vec<Letter> {
        if about.mutant.is_none() {
            return Letter::all_of(&text.text());
        }
        // By writer, what stands beside each other.
        let mut of_writers: Vec<(u32, String)> = Vec::new();
        for (run, text) in text.runs() {
            match of_writers.last_mut().filter(|(client, _)| *client == run.actor.client) {
                Some((_, before)) => before.push_str(text),
                None => of_writers.push((run.actor.client, text.to_owned())),
            }
        }
        let mut letters: Vec<Letter> = Vec::new();
        let mut of_writers = of_writers.into_iter().map(|(_, text)| Letter::all_of(&text)).peekable();
        while let Some(of_one) = of_writers.next() {
            match of_writers.next_if(|_| Mutant::MixRuns.is_in(about)) {
                Some(of_other) => {
                    let most = of_one.len().max(of_other.len());
                    let both = |place| of_one.get(place).into_iter().chain(of_other.get(place));
                    letters.extend((0..most).flat_map(both));
                }
                None => {
                    letters.extend(&of_one);
                    let is_doubled = Mutant::ShowLetterTwice.is_in(about) && of_writers.peek().is_some();
                    letters.extend(of_one.last().filter(|_| is_doubled));
                }
            }
        }
        letters
    }

    /// Reads what is new in texts.
    fn read_texts(about: &About, reader: &mut Reader) -> Result<Vec<(u32, Part)>, Malformed> {
        let (mut next, mut parts) = (0, Vec::new());
        for _ in 0..reader.count("a number of texts")? {
            let text = reader.register(&mut next, about.fields.texts)?;
            parts.push((about.fields.first(DataType::Text) + text, Part::read(reader)?));
        }
        Ok(parts)
    }
}

impl Content for WithTexts {
    type Peer = Peer;

    fn begin(&mut self, about: &About) {
        self.others.begin(about);
    }

    fn begun(&mut self, about: &About) {
        self.others.begun(about);
    }

    fn allows(&self, about: &About, register: u32, intent: Intent) -> bool {
        self.others.allows(about, register, intent)
    }

    fn meet(&self, about: &About, before: Option<Self::Peer>, blank: bool) -> Self::Peer {
        let mut lacking = Vec::new();
        for (&register, text) in &self.texts {
            let marks = marks(text);
            let written = runs(text.written()).flat_map(|run| portions(run, &marks));
            lacking.extend(written.map(|run| Lacking(register, false, run)));
            lacking.extend(runs(text.erased()).map(|run| Lacking(register, true, run)));
        }
        let others = self.others.meet(about, before.map(|before| before.others), blank);
        Peer { others, texts: PendingChanges::of(lacking) }
    }

    fn edit(&mut self, about: &About, peers: &mut Peers<Self::Peer>, register: u32, intent: Intent) {
        if intent.of() != DataType::Text {
            return self.others.edit_among(about, peers, register, intent);
        }
        let (written, erased) = self.edit_text(about, register, intent);
        let erased = if Mutant::KeepEraseHere.is_in(about) { Vec::new() } else { erased };
        let written = written.into_iter().map(|run| Lacking(register, false, run));
        let new: Vec<Lacking> = written.chain(erased.into_iter().map(|run| Lacking(register, true, run))).collect();
        peers.values_mut().for_each(|peer| new.iter().for_each(|&new| peer.texts.insert(new)));
    }

    fn offer(&mut self, about: &About, peer: &mut Self::Peer, writer: &mut Writer) -> Option<Round> {
        if about.fields.texts == 0 {
            return self.others.offer(about, &mut peer.others, writer);
        }
        let weighs = |Lacking(_, is_erased, run): &Lacking| if *is_erased { 8 } else { 8 + run.count() as usize };
        let round = peer.texts.take_off(about.fragment, weighs);
        let flying = if round.is_some() { peer.texts.flying() } else { &[] };
        let of_texts = flying.chunk_by(|one, next| one.0 == next.0);
        let before = writer.len();
        writer.of(Kind::Framing).number(of_texts.clone().count() as u64);
        let mut next = about.fields.first(DataType::Text);
        for of_text in of_texts {
            let register = of_text[0].0;
            let of = |is_erased: bool| -> Vec<Run> {
                of_text.iter().filter(|lacking| lacking.1 == is_erased).map(|lacking| lacking.2).collect()
            };
            writer.of(Kind::Addressing).number((register - next).into());
            next = register + 1;
            if let Some(text) = self.texts.get(&register) {
                text.part(&of(false), &of(true)).write(writer);
            }
        }
        let rest = about.fragment.saturating_sub(writer.len() - before).max(1);
        let of_others = self.others.offer(&About { fragment: rest, ..*about }, &mut peer.others, writer);
        match (round, of_others) {
            // A round of both is over when both are.
            (Some(Round { begins, ends }), Some(others)) => {
                Some(Round { begins: begins && others.begins, ends: ends && others.ends })
            }
            (round, others) => round.or(others),
        }
    }

    fn arrived(&mut self, peer: &mut Self::Peer) {
        self.others.arrived(&mut peer.others);
        peer.texts.arrived();
    }

    fn take(
        &mut self,
        about: &About,
        peers: &mut Peers<Self::Peer>,
        from: NodeId,
        reader: &mut Reader,
    ) -> Result<bool, Malformed> {
        let parts = if about.fields.texts > 0 { Self::read_texts(about, reader)? } else { Vec::new() };
        let mut changes = !parts.is_empty();
        if parts.is_empty() || !reader.is_done() {
            changes |= self.others.take_among(about, peers, from, reader)?;
        }
        for (register, part) in parts {
            let new = self.texts.entry(register).or_default().take(&part);
            let written = runs(new.written()).map(|run| Lacking(register, false, run));
            let new: Vec<Lacking> = written.chain(runs(new.erased()).map(|run| Lacking(register, true, run))).collect();
            for (_, peer) in peers.iter_mut().filter(|(peer, _)| **peer != from) {
                new.iter().for_each(|&new| peer.texts.insert(new));
            }
        }
        Ok(changes)
    }

    fn check(
        &self,
        about: &About,
        _peers: &Peers<Self::Peer>,
        from: NodeId,
        reader: &mut Reader,
    ) -> Result<(), Malformed> {
        let parts = if about.fields.texts > 0 { Self::read_texts(about, reader)? } else { Vec::new() };
        if !parts.is_empty() && reader.is_done() {
            return Ok(());
        }
        // Whether shares can be taken does not depend on neighbours.
        self.others.check(about, &Peers::new(), from, reader)
    }

    fn tidy(&mut self) {
        self.others.tidy();
    }

    fn merges(&self, about: &About, reader: &mut Reader) -> Result<Vec<(u32, Merge)>, Malformed> {
        let parts = if about.fields.texts > 0 { Self::read_texts(about, reader)? } else { Vec::new() };
        if !parts.is_empty() && reader.is_done() {
            return Ok(Vec::new());
        }
        self.others.merges(about, reader)
    }

    fn shows(&self, about: &About) -> Vec<View> {
        let mut views = self.others.shows(about);
        for (&register, text) in &self.texts {
            if let Some(View::Text(shown)) = views.get_mut(register as usize) {
                *shown = Self::shown(about, text);
            }
        }
        mutant::shown(about, views)
    }

    fn waiting(&self, peer: &Self::Peer) -> u64 {
        self.others.waiting(&peer.others) + peer.texts.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Fields;
    use crate::engine::delta_state::DeltaState;
    use crate::engine::vector::Actor;

    fn about(client: u32, fragment: usize) -> About {
        let fields = Fields { labels: 1, texts: 2, ..Fields::default() };
        About {
            actor: Actor { client, incarnation: 1 },
            store: 1,
            fields,
            wall: 0,
            fragment,
            serves: false,
            is_root: false,
            mutant: None,
        }
    }

    /// A user types letters, each after the one before, the first after this one.
    fn types(at: &mut DeltaState, client: u32, register: u32, text: &str, after: Option<char>) {
        let mut after = after.map(Letter::from);
        for letter in Letter::all_of(text) {
            let intent = Intent::Type { after: after.replace(letter), letter };
            at.edit(&about(client, 4096), &mut Peers::new(), register, intent);
        }
    }

    /// Takes what one tells the other, who is met anew; gives how many messages that took.
    fn told(from: &DeltaState, fragment: usize, to: &mut DeltaState) -> usize {
        let (mut from, mut peer) = (from.clone(), from.meet(&about(1, fragment), None, true));
        for messages in 0.. {
            let mut writer = Writer::bare();
            if from.offer(&about(1, fragment), &mut peer, &mut writer).is_none() {
                assert_eq!(from.waiting(&peer), 0);
                return messages;
            }
            let bytes = writer.into_bytes();
            let reader = || Reader::bare(&bytes);
            to.check(&about(2, fragment), &Peers::new(), 1, &mut reader()).expect("it is sound");
            to.take(&about(2, fragment), &mut Peers::new(), 1, &mut reader()).expect("it is sound");
            for view in to.shows(&about(2, fragment)) {
                let letters = view.letters().unwrap_or(&[]);
                let distinct: BTreeSet<&Letter> = letters.iter().collect();
                assert_eq!(distinct.len(), letters.len(), "a letter that was cut in half is another: {view}");
            }
            from.arrived(&mut peer);
        }
        unreachable!("it ends")
    }

    fn shown(at: &DeltaState, register: usize) -> String {
        at.shows(&about(0, 4096)).swap_remove(register).letters().map(Letter::text).unwrap_or_default()
    }

    #[test]
    fn whoever_is_met_anew_gets_every_letter_whole_in_any_fragments_and_any_order_of_who_tells() {
        let copies: Vec<Letter> = (0..241).filter_map(|copy| Letter::from('l').copied(copy)).collect();
        let (long, mut first, mut other) = (Letter::text(&copies), DeltaState::default(), DeltaState::default());
        first.edit(&about(0, 4096), &mut Peers::new(), 0, Intent::Write(7));
        types(&mut first, 0, 1, &long, None);
        types(&mut first, 0, 2, "ab", None);
        first.edit(&about(0, 4096), &mut Peers::new(), 2, Intent::Erase('a'.into()));
        told(&first, 4096, &mut other);
        types(&mut other, 1, 2, "xy", Some('b'));
        for fragment in [1, 64, 4096] {
            let [mut one, mut another] = [DeltaState::default(), DeltaState::default()];
            let messages = told(&other, fragment, &mut one);
            assert_eq!(messages > 2, fragment < 4096, "{messages} of {fragment} B");
            told(&first, fragment, &mut another);
            told(&other, fragment, &mut another);
            for at in [one, another] {
                assert_eq!((shown(&at, 1), shown(&at, 2)), (long.clone(), "bxy".to_owned()));
                assert_eq!(at.shows(&about(0, 1)), other.shows(&about(0, 1)));
            }
        }
    }

    #[test]
    fn a_keystroke_is_told_to_all_neighbours_what_came_to_all_others_and_what_means_nothing_to_nobody() {
        let mut here = DeltaState::default();
        let mut peers: Peers<_> = (5..8).map(|id| (id, here.meet(&about(0, 4096), None, true))).collect();
        let waiting = |here: &DeltaState, peers: &Peers<_>| -> Vec<u64> {
            peers.values().map(|peer| here.waiting(peer)).collect()
        };
        here.edit(&about(0, 4096), &mut peers, 1, Intent::Erase('a'.into()));
        assert_eq!(waiting(&here, &peers), [0, 0, 0]);
        here.edit(&about(0, 4096), &mut peers, 1, Intent::Type { after: None, letter: 'a'.into() });
        assert_eq!(waiting(&here, &peers), [1, 1, 1]);
        let mut other = DeltaState::default();
        types(&mut other, 1, 1, "b", None);
        let (mut writer, mut peer) = (Writer::bare(), other.meet(&about(1, 4096), None, true));
        other.offer(&about(1, 4096), &mut peer, &mut writer).expect("something is pending");
        here.take(&about(0, 4096), &mut peers, 6, &mut Reader::bare(&writer.into_bytes())).expect("it is sound");
        assert_eq!(waiting(&here, &peers), [2, 1, 2]);
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_and_change_nothing() {
        let mut here = DeltaState::default();
        types(&mut here, 0, 1, "ab", None);
        let before = here.clone();
        for bytes in [&[][..], &[1], &[1, 2, 0, 0], &[1, 0, 9, 9, 9], &[0], &[2, 0, 0, 0]] {
            let refused = here.take(&about(0, 4096), &mut Peers::new(), 1, &mut Reader::bare(bytes));
            assert!(refused.is_err(), "{bytes:?}");
            assert_eq!(here, before, "{bytes:?}");
        }
    }
}
