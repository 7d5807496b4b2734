//! A sequence of characters that many type into, and that does not interleave what two of them typed at one place.
//!
//! Weidner and Kleppmann, "The art of the Fugue: minimizing interleaving in collaborative text editing", IEEE Transactions
//! on Parallel and Distributed Systems, 2025. Every character has an id, and was typed on a side of another: that makes a
//! tree, whose order is the text (`tree`). A run of typed characters is one piece of it. The characters lie in their order
//! in chunks (`sequence`), and travel in parts (`part`).
//!
//! An erase takes away what is shown, whoever typed it. Of an erased character its place remains, since others may type
//! beside it: the runs of erased numbers, and no character. A piece whose parent has not arrived waits for it.
//!
//! Knows: numbers of characters. Must not: know connections, or stores.

mod part;
mod sequence;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smallvec::{SmallVec, smallvec};

use crate::engine::vector::{Actor, Overlap, Ranges, VersionVector};
use crate::engine::wire::{Reader, Writer};
pub use part::{Part, Piece};
use sequence::{Sequence, Span};
pub use tree::Side;
use tree::{Beside, Node, Stretch, Tree};

/// No writer types more: what is read leaves room to count on.
const MOST: u64 = u64::MAX >> 2;

/// The id of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Id {
    /// Who typed it.
    pub actor: Actor,
    /// Which of the characters that the writer typed into this sequence, from 1.
    pub number: u64,
}

/// Ids in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Run {
    /// Who typed them.
    pub actor: Actor,
    /// The number of the first.
    pub first: u64,
    /// The number of the last.
    pub last: u64,
}

impl Run {
    /// How many they are.
    pub fn count(&self) -> u64 {
        self.last - self.first + 1
    }
}

/// A sequence.
#[derive(Clone, Debug, Default)]
pub struct Fugue {
    tree: Tree,
    sequence: Sequence,
    written: VersionVector,
    erased: VersionVector,
    /// By the parent that is not here.
    waiting: BTreeMap<Id, Vec<Piece>>,
}

impl Fugue {
    /// How many characters are shown.
    pub fn len(&self) -> usize {
        self.sequence.shown()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is shown.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.sequence.texts().map(str::len).sum());
        text.extend(self.sequence.texts());
        text
    }

    /// What is shown, with the ids. Ids in a row may be told in several runs.
    pub fn runs(&self) -> impl Iterator<Item = (Run, &str)> {
        self.sequence.spans().map(|(Span { first, count, .. }, text)| {
            let actor = self.tree.actor(first.writer);
            (Run { actor, first: first.number, last: first.number + count - 1 }, text)
        })
    }

    /// The character that is shown at a position.
    pub fn id_at(&self, position: usize) -> Option<Id> {
        self.sequence.shown_at(position).map(|(node, _)| self.id(node))
    }

    /// How many characters are shown before one, which may be erased; none if it is not here, or waits for its parent.
    pub fn position_of(&self, id: Id) -> Option<usize> {
        self.sequence.position_of(self.node(id)?).map(|(before, _)| before)
    }

    /// Whether a character is shown.
    pub fn shows(&self, id: Id) -> bool {
        self.node(id).and_then(|node| self.sequence.position_of(node)).is_some_and(|(_, is_shown)| is_shown)
    }

    /// The ids that are here, those that wait for their parent included.
    pub fn written(&self) -> &VersionVector {
        &self.written
    }

    /// The ids that somebody erased, those that are not here included.
    pub fn erased(&self) -> &VersionVector {
        &self.erased
    }

    /// How many characters, erased or not, wait for what they were typed beside.
    pub fn waiting(&self) -> u64 {
        self.waiting.values().flatten().map(|piece| piece.run.count()).sum()
    }

    /// A user types at a position; gives the ids, unless that is beyond the end or there is no text.
    pub fn insert(&mut self, actor: Actor, position: usize, text: &str) -> Option<Run> {
        let before = match position.checked_sub(1) {
            Some(before) => Some(self.sequence.shown_at(before)?.0),
            None => None,
        };
        self.typed(actor, before, text)
    }

    /// A user types right after a character, erased or not, or at the beginning; gives the ids, unless that is not here or
    /// there is no text.
    pub fn insert_after(&mut self, actor: Actor, after: Option<Id>, text: &str) -> Option<Run> {
        let before = match after {
            Some(id) => Some(self.node(id).filter(|&node| self.tree.has(node))?),
            None => None,
        };
        self.typed(actor, before, text)
    }

    fn typed(&mut self, actor: Actor, before: Option<Node>, text: &str) -> Option<Run> {
        let count = text.chars().count() as u64;
        let first = self.written.get(actor).map_or(0, Ranges::last) + 1;
        let last = (first - 1).checked_add(count).filter(|&last| last >= first && last <= MOST)?;
        let beside = self.tree.beside(before, self.sequence.after(before));
        let writer = self.tree.writer(actor);
        let run = Run { actor, first, last };
        self.written.insert(actor, first, last);
        self.place(Stretch { first, last, beside }, writer, text);
        self.place_waiting(run);
        Some(run)
    }

    /// A user erases characters from a position on; gives their ids. There may be fewer than that.
    pub fn erase(&mut self, position: usize, count: usize) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        let mut rest = count.min(self.len().saturating_sub(position)) as u64;
        while let Some((node, shown)) = self.sequence.shown_at(position).filter(|_| rest > 0) {
            let Id { actor, number } = self.id(node);
            let taken = shown.min(rest);
            let run = Run { actor, first: number, last: number + taken - 1 };
            self.erase_run(run);
            match runs.last_mut() {
                Some(before) if before.actor == actor && before.last + 1 == number => before.last = run.last,
                _ => runs.push(run),
            }
            rest -= taken;
        }
        runs
    }

    /// Erases characters, here or not yet; gives whether any was not erased before.
    pub fn erase_run(&mut self, run: Run) -> bool {
        let Run { actor, first, last } = run;
        if first == 0 || last < first || last > MOST || self.erased.overlap(actor, first, last) == Overlap::Seen {
            return false;
        }
        self.erased.insert(actor, first, last);
        if let Some(writer) = self.tree.writer_of(actor) {
            for stretch in self.tree.between(writer, first, last) {
                let number = stretch.first;
                self.sequence.erase(Node { writer, number }, stretch.last - number + 1);
            }
        }
        true
    }

    /// Takes what is new in a part; gives exactly that.
    pub fn take(&mut self, part: &Part) -> Part {
        let mut erased = VersionVector::default();
        for (actor, ranges) in part.erased().iter() {
            for (first, last) in ranges.runs() {
                for (first, last) in self.lacking(&self.erased, Run { actor, first, last }) {
                    self.erase_run(Run { actor, first, last });
                    erased.insert(actor, first, last);
                }
            }
        }
        let mut new = Vec::new();
        for piece in part.pieces() {
            for (first, last) in self.lacking(&self.written, piece.run) {
                self.written.insert(piece.run.actor, first, last);
                self.part_piece(piece.cut(first, last), &mut new);
            }
        }
        for piece in &new {
            self.place_or_keep(piece);
        }
        Part::of(new, erased)
    }

    fn lacking(&self, seen: &VersionVector, Run { actor, first, last }: Run) -> SmallVec<[(u64, u64); 1]> {
        seen.get(actor).map_or_else(|| smallvec![(first, last)], |seen| seen.gaps(first, last).collect())
    }

    /// Adds a piece, cut where some of it is erased here; those have no text.
    fn part_piece(&self, piece: Piece, pieces: &mut Vec<Piece>) {
        let Run { actor, first, last } = piece.run;
        let Some(erased) = self.erased.get(actor).filter(|of| of.within(first, last).next().is_some()) else {
            return pieces.push(piece);
        };
        let cut = |(first, last): (u64, u64)| piece.cut(first, last);
        pieces.extend(erased.within(first, last).map(|run| Piece { text: String::new(), ..cut(run) }));
        pieces.extend(erased.gaps(first, last).map(cut));
    }

    /// Puts a piece where it belongs, or apart until its parent is here.
    fn place_or_keep(&mut self, piece: &Piece) {
        let parent = match piece.parent {
            None => None,
            Some(id) => match self.node(id).filter(|&node| self.tree.has(node)) {
                Some(node) => Some(node),
                None => return self.waiting.entry(id).or_default().push(piece.clone()),
            },
        };
        let Run { actor, first, last } = piece.run;
        let writer = self.tree.writer(actor);
        self.place(Stretch { first, last, beside: Beside { parent, side: piece.side } }, writer, &piece.text);
        self.place_waiting(piece.run);
    }

    /// Places what waited for characters that are here now.
    fn place_waiting(&mut self, placed: Run) {
        let mut placed = vec![placed];
        while let Some(Run { actor, first, last }) = placed.pop().filter(|_| !self.waiting.is_empty()) {
            let ids = Id { actor, number: first }..=Id { actor, number: last };
            let parents: Vec<Id> = self.waiting.range(ids).map(|(&parent, _)| parent).collect();
            for parent in parents {
                let node = self.node(parent);
                for piece in self.waiting.remove(&parent).into_iter().flatten() {
                    let Run { actor, first, last } = piece.run;
                    let writer = self.tree.writer(actor);
                    self.place(
                        Stretch { first, last, beside: Beside { parent: node, side: piece.side } },
                        writer,
                        &piece.text,
                    );
                    placed.push(piece.run);
                }
            }
        }
    }

    /// Puts characters where they belong. Those that are erased have no text, or are erased at once.
    fn place(&mut self, stretch: Stretch, writer: u32, text: &str) {
        let (node, count) = (Node { writer, number: stretch.first }, stretch.last - stretch.first + 1);
        let gap = self.tree.gap(stretch.beside, node);
        self.sequence.insert(gap, Span { first: node, count, is_erased: text.is_empty() }, text);
        self.tree.add(writer, stretch);
        let erased = self.erased.get(self.tree.actor(writer)).filter(|_| !text.is_empty());
        for (first, last) in erased.into_iter().flat_map(|of| of.within(stretch.first, stretch.last)) {
            self.sequence.erase(Node { writer, number: first }, last - first + 1);
        }
    }

    /// The characters of runs that are here, and that others are erased. Those of the first that are erased have no text.
    pub fn part(&self, written: &[Run], erased: &[Run]) -> Part {
        let vector = |runs: &[Run]| {
            let mut vector = VersionVector::default();
            runs.iter().for_each(|run| vector.insert(run.actor, run.first, run.last));
            vector
        };
        self.part_of(&vector(written), vector(erased))
    }

    fn part_of(&self, written: &VersionVector, erased: VersionVector) -> Part {
        let mut pieces = Vec::new();
        for (actor, ranges) in written.iter() {
            let Some(writer) = self.tree.writer_of(actor) else { continue };
            for (first, last) in ranges.runs() {
                self.tree
                    .between(writer, first, last)
                    .for_each(|stretch| self.add_pieces(writer, stretch, &mut pieces));
            }
        }
        for piece in self.waiting.values().flatten() {
            let asked = written.get(piece.run.actor).into_iter();
            for (first, last) in asked.flat_map(|of| of.within(piece.run.first, piece.run.last)) {
                self.part_piece(piece.cut(first, last), &mut pieces);
            }
        }
        Part::of(pieces, erased)
    }

    /// The pieces that a stretch is: cut where some of it is erased.
    fn add_pieces(&self, writer: u32, stretch: Stretch, pieces: &mut Vec<Piece>) {
        let (actor, from) = (self.tree.actor(writer), pieces.len());
        let Stretch { first, last, beside } = stretch;
        let piece = |(first, last): (u64, u64)| {
            let run = Run { actor, first, last };
            let (parent, side) = match first > stretch.first {
                true => (Some(Id { actor, number: first - 1 }), Side::Right),
                false => (beside.parent.map(|node| self.id(node)), beside.side),
            };
            Piece { run, parent, side, text: String::new() }
        };
        let erased = self.erased.get(actor);
        pieces.extend(erased.into_iter().flat_map(|of| of.within(first, last)).map(piece));
        let shown = match erased {
            Some(of) => of.gaps(first, last).collect(),
            None => vec![(first, last)],
        };
        for (first, last) in shown {
            let mut shown = piece((first, last));
            self.sequence.add_text(Node { writer, number: first }, last - first + 1, &mut shown.text);
            pieces.push(shown);
        }
        pieces[from..].sort_unstable_by_key(|piece| piece.run);
    }

    /// All of it.
    pub fn whole(&self) -> Part {
        self.part_of(&self.written, self.erased.clone())
    }

    /// All that is known of what one writer typed.
    pub fn of(&self, actor: Actor) -> Part {
        let of_actor = |vector: &VersionVector| {
            let mut only = VersionVector::default();
            vector.get(actor).into_iter().for_each(|ranges| only.set(actor, ranges.clone()));
            only
        };
        self.part_of(&of_actor(&self.written), of_actor(&self.erased))
    }

    /// What somebody lacks who has so much.
    pub fn since(&self, written: &VersionVector, erased: &VersionVector) -> Part {
        let lacking = |mine: &VersionVector, seen: &VersionVector| {
            let mut lacking = VersionVector::default();
            for (actor, ranges) in mine.iter() {
                for (first, last) in ranges.runs() {
                    let gaps = self.lacking(seen, Run { actor, first, last });
                    gaps.into_iter().for_each(|(first, last)| lacking.insert(actor, first, last));
                }
            }
            lacking
        };
        self.part_of(&lacking(&self.written, written), lacking(&self.erased, erased))
    }

    /// Its bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut writer = Writer::bare();
        self.whole().write(&mut writer);
        writer.into_bytes()
    }

    fn id(&self, Node { writer, number }: Node) -> Id {
        Id { actor: self.tree.actor(writer), number }
    }

    fn node(&self, Id { actor, number }: Id) -> Option<Node> {
        self.tree.writer_of(actor).map(|writer| Node { writer, number })
    }
}

impl PartialEq for Fugue {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written && self.erased == other.erased && self.whole() == other.whole()
    }
}

impl Eq for Fugue {}

impl Hash for Fugue {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.bytes().hash(hasher);
    }
}

impl Serialize for Fugue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.bytes().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Fugue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes: Vec<u8> = Vec::deserialize(deserializer)?;
        let mut reader = Reader::bare(&bytes);
        let part = Part::read(&mut reader).map_err(D::Error::custom)?;
        reader.end().map_err(D::Error::custom)?;
        let mut fugue = Fugue::default();
        fugue.take(&part);
        Ok(fugue)
    }
}
