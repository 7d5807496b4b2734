//! What SQLite's session extension records of a tick, on a table of counters: a changeset, with old and new values, and a
//! patchset, with new ones alone. Written and read by the format that SQLite documents (`sqlite3session.h`), as the extension
//! itself needs a C interface generated when it is built; the golden bytes of the tests are those of SQLite 3.54.1. A
//! receiver overwrites what conflicts: the handler that answers `SQLITE_CHANGESET_REPLACE`.

use crate::codec::{Change, Codec, Needs, Receiver, Refused, Tick};

/// The table's two columns, of which the first is the primary key, and its name.
const TABLE: &[u8] = b"\x02\x01\x00counters\0";

/// The opcode of an update, and that no trigger made it.
const UPDATE: [u8; 2] = [23, 0];

/// A column that the change leaves alone.
const UNDEFINED: u8 = 0;

/// A column that is an integer: 8 bytes follow, the highest first.
const INTEGER: u8 = 1;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Changeset = b'T' as isize,
    Patchset = b'P' as isize,
}

fn push(message: &mut Vec<u8>, value: i64) {
    message.push(INTEGER);
    message.extend(value.to_be_bytes());
}

fn write(tick: &Tick, form: Form) -> Vec<u8> {
    let mut message = Vec::new();
    for Change { register, old, new } in tick.changes() {
        if message.is_empty() {
            message.push(form as u8);
            message.extend(TABLE);
        }
        message.extend(UPDATE);
        push(&mut message, register.into());
        if form == Form::Changeset {
            push(&mut message, old);
            message.push(UNDEFINED);
        }
        push(&mut message, new);
    }
    message
}

fn expect(rest: &mut &[u8], expected: &[u8]) -> Result<(), Refused> {
    *rest = rest.strip_prefix(expected).ok_or(Refused::Format)?;
    Ok(())
}

fn take(rest: &mut &[u8]) -> Result<i64, Refused> {
    expect(rest, &[INTEGER])?;
    let (value, after) = rest.split_first_chunk::<8>().ok_or(Refused::Short)?;
    *rest = after;
    Ok(i64::from_be_bytes(*value))
}

fn read(receiver: &mut Receiver, message: &[u8], form: Form) -> Result<(), Refused> {
    let mut rest = message;
    if rest.is_empty() {
        return Ok(());
    }
    expect(&mut rest, &[form as u8])?;
    expect(&mut rest, TABLE)?;
    let mut changes = Vec::new();
    while !rest.is_empty() {
        expect(&mut rest, &UPDATE)?;
        let register = u32::try_from(take(&mut rest)?).map_err(|_| Refused::Range("a register"))?;
        receiver.has(register)?;
        if form == Form::Changeset {
            take(&mut rest)?;
            expect(&mut rest, &[UNDEFINED])?;
        }
        changes.push((register, take(&mut rest)?));
    }
    changes.into_iter().for_each(|(register, value)| receiver.registers[register as usize] = value);
    Ok(())
}

/// The codec that sends changesets.
pub struct Changeset;

impl Codec for Changeset {
    fn name(&self) -> &'static str {
        "sqlite-changeset"
    }

    fn about(&self) -> &'static str {
        "a SQLite session changeset: old and new values; conflicts are overwritten"
    }

    fn needs(&self) -> Needs {
        Needs::Registers
    }

    fn encode(&self, tick: &Tick, _asked: &[u8]) -> Vec<u8> {
        write(tick, Form::Changeset)
    }

    fn receive(&self, receiver: &mut Receiver, message: &[u8]) -> Result<(), Refused> {
        read(receiver, message, Form::Changeset)
    }
}

/// The codec that sends patchsets.
pub struct Patchset;

impl Codec for Patchset {
    fn name(&self) -> &'static str {
        "sqlite-patchset"
    }

    fn about(&self) -> &'static str {
        "a SQLite session patchset: new values alone; conflicts are overwritten"
    }

    fn needs(&self) -> Needs {
        Needs::Registers
    }

    fn encode(&self, tick: &Tick, _asked: &[u8]) -> Vec<u8> {
        write(tick, Form::Patchset)
    }

    fn receive(&self, receiver: &mut Receiver, message: &[u8]) -> Result<(), Refused> {
        read(receiver, message, Form::Patchset)
    }
}
