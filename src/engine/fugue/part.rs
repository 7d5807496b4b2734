//! Part of a sequence, as it travels and is stored: what some writers typed, and what anybody erased.
//!
//! By writer: the runs of numbers, for each piece in them how long it is and beside which character its first was typed, and
//! the runs of erased numbers. Then the text of all characters that are not erased. An erased character takes no byte but
//! those of the runs that it is in.
//!
//! Knows: pieces. Must not: know the order of the text.

use std::collections::BTreeSet;

use super::tree::Side;
use super::{Id, MOST, Run};
use crate::domain::traffic::Kind;
use crate::engine::vector::{Actor, Ranges, VersionVector};
use crate::engine::wire::{Malformed, Reader, Writer};

/// Characters that a writer typed one after the other, and that are all shown, or all erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Their ids.
    pub run: Run,
    /// Beside which character the first was typed; none is the beginning. Each other is right after the one before.
    pub parent: Option<Id>,
    /// On which side.
    pub side: Side,
    /// The characters; empty where they are erased.
    pub text: String,
}

impl Piece {
    /// The part of it that is in a run.
    pub fn cut(&self, first: u64, last: u64) -> Piece {
        let actor = self.run.actor;
        let run = Run { actor, first: first.max(self.run.first), last: last.min(self.run.last) };
        let (parent, side) = match run.first > self.run.first {
            true => (Some(Id { actor, number: run.first - 1 }), Side::Right),
            false => (self.parent, self.side),
        };
        let text = match run == self.run || self.text.is_empty() {
            true => self.text.clone(),
            false => {
                let skipped = (run.first - self.run.first) as usize;
                self.text.chars().skip(skipped).take(run.count() as usize).collect()
            }
        };
        Piece { run, parent, side, text }
    }

    /// Whether it was typed right after the end of another.
    fn follows(&self, before: &Piece) -> bool {
        before.run.actor == self.run.actor
            && before.run.last + 1 == self.run.first
            && self.side == Side::Right
            && self.parent == Some(Id { actor: before.run.actor, number: before.run.last })
    }
}

/// Part of a sequence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    pieces: Vec<Piece>,
    written: VersionVector,
    erased: VersionVector,
}

impl Part {
    /// Of pieces, whose erased ones are erased, and of runs that are erased besides.
    pub(super) fn of(mut pieces: Vec<Piece>, mut erased: VersionVector) -> Part {
        if !pieces.is_sorted_by_key(|piece| piece.run) {
            pieces.sort_by_key(|piece| piece.run);
        }
        pieces.dedup_by(|piece, before| {
            let joins = piece.follows(before) && piece.text.is_empty() == before.text.is_empty();
            if joins {
                before.run.last = piece.run.last;
                before.text.push_str(&piece.text);
            }
            joins
        });
        let mut written = VersionVector::default();
        for Piece { run, text, .. } in &pieces {
            written.insert(run.actor, run.first, run.last);
            if text.is_empty() {
                erased.insert(run.actor, run.first, run.last);
            }
        }
        Part { pieces, written, erased }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.erased.is_empty()
    }

    /// Its pieces, ascending by id.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The ids whose characters are in it, or of which it says that they are erased and where they were.
    pub fn written(&self) -> &VersionVector {
        &self.written
    }

    /// The ids that are erased, whether their places are in it or not.
    pub fn erased(&self) -> &VersionVector {
        &self.erased
    }

    /// Bytes that it takes.
    pub fn length(&self) -> usize {
        let mut writer = Writer::bare();
        self.write(&mut writer);
        writer.len()
    }

    /// Writes it.
    pub fn write(&self, writer: &mut Writer) {
        let mut actors: BTreeSet<Actor> =
            self.written.iter().chain(self.erased.iter()).map(|(actor, _)| actor).collect();
        actors.extend(self.pieces.iter().filter_map(|piece| Some(piece.parent?.actor)));
        writer.of(Kind::Framing).number(actors.len() as u64);
        actors.iter().for_each(|actor| actor.write(writer.of(Kind::Ids)));
        let mut pieces = &self.pieces[..];
        let (none, mut length) = (Ranges::default(), 0);
        for &actor in &actors {
            let written = self.written.get(actor).unwrap_or(&none);
            write_runs(written, Kind::Ids, writer);
            for (_, last) in written.runs() {
                while let Some(piece) =
                    pieces.first().filter(|piece| piece.run.actor == actor && piece.run.last <= last)
                {
                    let ends = pieces.windows(2).position(|two| !two[1].follows(&two[0])).unwrap_or(pieces.len() - 1);
                    let end = pieces[ends].run.last;
                    length += pieces[..=ends].iter().map(|piece| piece.text.len()).sum::<usize>();
                    let count = if end == last { 0 } else { end - piece.run.first + 1 };
                    write_parent(piece, &actors, writer.of(Kind::Ids).number(count));
                    pieces = &pieces[ends + 1..];
                }
            }
            write_runs(self.erased.get(actor).unwrap_or(&none), Kind::Payload, writer);
        }
        writer.of(Kind::Framing).number(length as u64).of(Kind::Payload);
        for piece in &self.pieces {
            writer.raw(piece.text.as_bytes());
        }
    }

    /// Reads it. What is read takes no more memory than a few times its bytes, whatever they say.
    pub fn read(reader: &mut Reader) -> Result<Part, Malformed> {
        let mut actors: Vec<Actor> = Vec::new();
        for _ in 0..reader.count("a number of writers")? {
            let actor = Actor::read(reader)?;
            if actors.last().is_some_and(|&last| last >= actor) {
                return Err(Malformed::Range("a writer's place"));
            }
            actors.push(actor);
        }
        let (mut pieces, mut erased) = (Vec::new(), VersionVector::default());
        for &actor in &actors {
            let mut typed = Vec::new();
            for (mut first, last) in read_runs(reader)? {
                while first <= last {
                    let count = reader.at_most(last - first, "the length of a piece")?;
                    let end = if count == 0 { last } else { first + count - 1 };
                    let (parent, side) = read_parent(Id { actor, number: first }, &actors, reader)?;
                    let run = Run { actor, first, last: end };
                    typed.push(Piece { run, parent, side, text: String::new() });
                    first = end + 1;
                }
            }
            let mut gone = Ranges::default();
            read_runs(reader)?.into_iter().for_each(|(first, last)| gone.insert(first, last));
            typed.into_iter().for_each(|piece| part_piece(piece, &gone, &mut pieces));
            if !gone.is_empty() {
                erased.set(actor, gone);
            }
        }
        let length = reader.count("the length of a text")?;
        let text = std::str::from_utf8(reader.raw(length)?).map_err(|_| Malformed::Range("a text"))?;
        give_texts(&mut pieces, text)?;
        let pieces = pieces.into_iter().map(|(piece, _)| piece).collect();
        Ok(Part::of(pieces, erased))
    }
}

/// Adds a piece, cut where some of it is erased; whether each is.
fn part_piece(piece: Piece, erased: &Ranges, pieces: &mut Vec<(Piece, bool)>) {
    let (Run { first, last, .. }, from) = (piece.run, pieces.len());
    if erased.within(first, last).next().is_none() {
        return pieces.push((piece, false));
    }
    let cut = |(first, last): (u64, u64), is_erased| (piece.cut(first, last), is_erased);
    pieces.extend(erased.within(first, last).map(|run| cut(run, true)));
    pieces.extend(erased.gaps(first, last).map(|run| cut(run, false)));
    pieces[from..].sort_unstable_by_key(|(piece, _)| piece.run);
}

/// Gives every piece that is not erased its characters, of which there must be as many as that.
fn give_texts(pieces: &mut [(Piece, bool)], text: &str) -> Result<(), Malformed> {
    let mut rest = text;
    for (piece, _) in pieces.iter_mut().filter(|(_, is_erased)| !is_erased) {
        let mut chars = rest.chars();
        // The last that must be there: past the end, the number does not matter.
        let last = usize::try_from(piece.run.count() - 1).map_err(|_| Malformed::Short)?;
        chars.nth(last).ok_or(Malformed::Short)?;
        let (own, others) = rest.split_at(rest.len() - chars.as_str().len());
        own.clone_into(&mut piece.text);
        rest = others;
    }
    if rest.is_empty() { Ok(()) } else { Err(Malformed::Long) }
}

/// How many there are, and for each how far it is from the one before and how many numbers it has besides the first.
fn write_runs(runs: &Ranges, kind: Kind, writer: &mut Writer) {
    writer.of(Kind::Framing).number(runs.runs().count() as u64).of(kind);
    let mut next = 1;
    for (first, last) in runs.runs() {
        writer.number(first - next).number(last - first);
        next = last + 2;
    }
}

fn read_runs(reader: &mut Reader) -> Result<Vec<(u64, u64)>, Malformed> {
    let (mut runs, mut next) = (Vec::new(), 1u64);
    for _ in 0..reader.count("a number of runs")? {
        let wrong = Malformed::Range("the number of a character");
        let first = next.checked_add(reader.number()?).ok_or(wrong)?;
        let last = first.checked_add(reader.number()?).filter(|&last| last <= MOST).ok_or(wrong)?;
        runs.push((first, last));
        next = last + 2;
    }
    Ok(runs)
}

/// Bits of a parent beside its distance or its writer.
const OTHER: u64 = 1;
const LEFT: u64 = 2;
const BITS: u32 = 2;

/// Of the same writer, how far the parent is before the piece; else its writer, or 0 for the beginning, and its number.
fn write_parent(piece: &Piece, actors: &BTreeSet<Actor>, writer: &mut Writer) {
    let side = if piece.side == Side::Left { LEFT } else { 0 };
    match piece.parent {
        None => writer.number(OTHER | side),
        Some(parent) if parent.actor == piece.run.actor => {
            writer.number((piece.run.first - parent.number) << BITS | side)
        }
        Some(parent) => {
            let place = actors.range(..parent.actor).count() as u64 + 1;
            writer.number(place << BITS | OTHER | side).number(parent.number)
        }
    };
}

fn read_parent(first: Id, actors: &[Actor], reader: &mut Reader) -> Result<(Option<Id>, Side), Malformed> {
    let told = reader.number()?;
    let side = if told & LEFT != 0 { Side::Left } else { Side::Right };
    let (is_other, place, wrong) = (told & OTHER != 0, told >> BITS, Malformed::Range("the parent of a piece"));
    let parent = match (is_other, place) {
        (true, 0) if side == Side::Right => return Ok((None, side)),
        (true, 0) | (false, 0) => return Err(wrong),
        (true, place) => {
            let actor = usize::try_from(place - 1).ok().and_then(|place| actors.get(place)).copied();
            Id {
                actor: actor.filter(|&actor| actor != first.actor).ok_or(wrong)?,
                number: reader.at_most(MOST, "a parent")?,
            }
        }
        // Nobody types beside what he has not typed yet.
        (false, distance) => Id { number: first.number.checked_sub(distance).ok_or(wrong)?, ..first },
    };
    if parent.number > 0 { Ok((Some(parent), side)) } else { Err(wrong) }
}
