//! How entries and states lie in a store: their bytes, and what bytes are none of them.
//!
//! Reading is total: any bytes give a value or a [`Malformed`]. Knows: what there is to keep. Must not: change a state.

use crate::engine::delta_summary::log::{Delta, Log, read_run};
use crate::engine::delta_summary::state::{Entry, MessageId, Run, State};
use crate::engine::delta_summary::sums::{Changes, Edit, Sums};
use crate::engine::vector::{Actor, VersionVector};
use crate::engine::wire::{Malformed, Reader, Writer};

const STARTED: u8 = 1;
const EDIT: u8 = 2;
const SEALED: u8 = 3;
const TOOK: u8 = 4;
const SUMMED: u8 = 5;
const ADOPTED: u8 = 6;
const RENAMED: u8 = 7;
const GIVEN: u8 = 8;
const FRAGMENT: u8 = 9;
const SPLIT: u8 = 10;

/// Writes runs.
pub fn write_runs(writer: &mut Writer, runs: &[Run]) {
    writer.number(runs.len() as u64);
    for &(actor, first, last) in runs {
        actor.write(writer);
        writer.number(first).number(last - first);
    }
}

/// Reads runs.
pub fn read_runs(reader: &mut Reader) -> Result<Vec<Run>, Malformed> {
    let count = reader.count("a number of runs")?;
    let mut runs = Vec::with_capacity(count);
    for _ in 0..count {
        let actor = Actor::read(reader)?;
        let (first, last) = read_run(reader)?;
        runs.push((actor, first, last));
    }
    Ok(runs)
}

/// Reads a position in a log, or the number of an operation.
fn position(reader: &mut Reader) -> Result<u64, Malformed> {
    reader.at_most(u64::MAX >> 2, "a position")
}

impl Entry {
    /// Its bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut writer = Writer::bare();
        let message = |writer: &mut Writer, id: &MessageId| {
            writer.number(id.from.into()).number(id.checksum.into());
        };
        match self {
            Entry::Started(incarnation) => {
                writer.byte(STARTED).number((*incarnation).into());
            }
            Entry::Edit(edit) => edit.write(writer.byte(EDIT)),
            Entry::Sealed => {
                writer.byte(SEALED);
            }
            Entry::Took(id, delta) => {
                message(writer.byte(TOOK), id);
                delta.write(&mut writer);
            }
            Entry::Summed { through, log, first, last, without, changes } => {
                message(writer.byte(SUMMED), through);
                log.write(&mut writer);
                writer.number(*first).number(last - first);
                write_runs(&mut writer, without);
                changes.write(&mut writer);
            }
            Entry::Adopted { through, log, position, within, changes } => {
                message(writer.byte(ADOPTED), through);
                log.write(&mut writer);
                writer.number(*position);
                write_runs(&mut writer, within);
                changes.write(&mut writer);
            }
            Entry::Renamed(known) => {
                writer.byte(RENAMED).byte(known.is_some().into());
                if let Some((log, position)) = known {
                    log.write(&mut writer);
                    writer.number(*position);
                }
            }
            Entry::Given(first, last, actor) => {
                actor.write(writer.byte(GIVEN));
                writer.number(*first).number(last - first);
            }
            Entry::Split(author, last) => {
                author.write(writer.byte(SPLIT));
                writer.number(*last);
            }
            Entry::Fragment { from, id, count, place, bytes } => {
                writer.byte(FRAGMENT).number((*from).into()).number((*id).into());
                writer.number((*count).into()).number((*place).into()).raw(bytes);
            }
        }
        writer.into_bytes()
    }

    /// The entry in these bytes.
    pub fn read(bytes: &[u8], registers: u32) -> Result<Entry, Malformed> {
        let reader = &mut Reader::bare(bytes);
        let message = |reader: &mut Reader| {
            Ok(MessageId { from: reader.small("a node")?, checksum: reader.small("a checksum")? })
        };
        let entry = match reader.byte()? {
            STARTED => Entry::Started(reader.small("an incarnation")?),
            EDIT => Entry::Edit(Edit::read(reader, registers)?),
            SEALED => Entry::Sealed,
            TOOK => Entry::Took(message(reader)?, Delta::read(reader, registers)?),
            SUMMED => {
                let (through, log) = (message(reader)?, Actor::read(reader)?);
                let (first, last) = read_run(reader)?;
                let without = read_runs(reader)?;
                Entry::Summed { through, log, first, last, without, changes: Changes::read(reader, registers)? }
            }
            ADOPTED => Entry::Adopted {
                through: message(reader)?,
                log: Actor::read(reader)?,
                position: position(reader)?,
                within: read_runs(reader)?,
                changes: Changes::read(reader, registers)?,
            },
            RENAMED => Entry::Renamed(match reader.byte()? {
                0 => None,
                _ => Some((Actor::read(reader)?, position(reader)?)),
            }),
            GIVEN => {
                let actor = Actor::read(reader)?;
                let (first, last) = read_run(reader)?;
                Entry::Given(first, last, actor)
            }
            SPLIT => Entry::Split(Actor::read(reader)?, reader.at_most(u64::MAX >> 2, "a sequence number")?),
            FRAGMENT => Entry::Fragment {
                from: reader.small("a node")?,
                id: reader.small("a checksum")?,
                count: reader.small("a number of fragments")?,
                place: reader.small("a fragment")?,
                bytes: reader.rest().to_vec(),
            },
            _ => return Err(Malformed::Range("a kind of entry")),
        };
        if reader.is_done() { Ok(entry) } else { Err(Malformed::Long) }
    }
}

impl State {
    /// The state as an image: it stands for all entries so far.
    pub fn image(&self) -> Vec<u8> {
        let mut writer = Writer::bare();
        self.me.write(&mut writer);
        writer.number(self.lineage.len() as u64);
        for &(incarnation, length) in &self.lineage {
            writer.number(incarnation.into()).number(length);
        }
        writer.number(self.made).number(self.sealed).number(self.pending.len() as u64);
        self.pending.iter().for_each(|edit| edit.write(&mut writer));
        for vector in [&self.seen, &self.given, &self.settled] {
            vector.write(&mut writer);
        }
        let mut cursor = VersionVector::default();
        if let Some((log, ranges)) = &self.cursor {
            cursor.set(*log, ranges.clone());
        }
        cursor.write(&mut writer);
        self.sums.write(&mut writer);
        self.log.write(&mut writer);
        writer.number(self.edits.len() as u64);
        for (&(author, first), edits) in &self.edits {
            author.write(&mut writer);
            writer.number(first).number(edits.len() as u64);
            edits.iter().for_each(|edit| edit.write(&mut writer));
        }
        writer.into_bytes()
    }

    /// The state in an image. Fragments of messages are not in it: they come again.
    pub fn read(image: &[u8], registers: u32, serves: bool) -> Result<State, Malformed> {
        let reader = &mut Reader::bare(image);
        let mut state = State::new(0, registers, serves);
        state.me = Actor::read(reader)?;
        for _ in 0..reader.count("a number of incarnations")? {
            state.lineage.push((reader.small("an incarnation")?, position(reader)?));
        }
        (state.made, state.sealed) = (position(reader)?, position(reader)?);
        for _ in 0..reader.count("a number of edits")? {
            state.pending.push(Edit::read(reader, registers)?);
        }
        if state.made.checked_sub(state.sealed) != Some(state.pending.len() as u64) {
            return Err(Malformed::Range("the number of edits that are not sealed"));
        }
        state.seen = VersionVector::read(reader)?;
        state.given = VersionVector::read(reader)?;
        state.settled = VersionVector::read(reader)?;
        state.cursor = VersionVector::read(reader)?.iter().next().map(|(log, ranges)| (log, ranges.clone()));
        state.sums = Sums::read(reader, registers)?;
        state.log = Log::read(reader, registers, serves)?;
        for _ in 0..reader.count("a number of deltas")? {
            let (author, first) = (Actor::read(reader)?, position(reader)?);
            let mut edits = Vec::new();
            for _ in 0..reader.count("a number of edits")? {
                edits.push(Edit::read(reader, registers)?);
            }
            if first == 0 || edits.is_empty() {
                return Err(Malformed::Range("a run of edits"));
            }
            state.edits.insert((author, first), edits);
        }
        if reader.is_done() { Ok(state) } else { Err(Malformed::Long) }
    }
}
