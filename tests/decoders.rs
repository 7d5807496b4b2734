//! What the fuzz targets in `fuzz/` assert of every decoder, tried in every test run, on any toolchain: bytes of all kinds,
//! and messages that are whole, cut short, damaged or run into each other. libFuzzer goes further (`fuzz/RUNS.md`).

#[path = "../fuzz/properties/codecs.rs"]
mod codecs;
#[path = "../fuzz/properties/etherbone.rs"]
mod etherbone;
#[path = "../fuzz/properties/protocol.rs"]
mod protocol;
#[path = "../fuzz/properties/serial.rs"]
mod serial;
#[path = "../fuzz/properties/tick_frame.rs"]
mod tick_frame;
#[path = "../fuzz/properties/uartbone.rs"]
mod uartbone;

use abench::bus::etherbone::codec::Packet;
use abench::bus::uartbone::codec::Command;
use abench::codec::{REGISTRY, Replica, Tick};
use abench::device::serial::codec::Command as SerialCommand;
use abench::engine::process::frame;
use abench::engine::process::protocol::{Bytes, Send};
use proptest::prelude::*;

/// Inputs that each decoder is given.
const INPUTS: u32 = 4096;

/// What a link does to bytes.
#[derive(Clone, Debug)]
enum Damage {
    Flip(prop::sample::Index, u8),
    Lose(prop::sample::Index),
    Add(prop::sample::Index, u8),
    Cut(prop::sample::Index),
}

fn any_damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        3 => (at(), 0..8u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        3 => at().prop_map(Damage::Lose),
        3 => (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Add(at, byte)),
        1 => at().prop_map(Damage::Cut),
    ]
}

fn damaged(mut bytes: Vec<u8>, damage: &[Damage]) -> Vec<u8> {
    for damage in damage {
        if bytes.is_empty() {
            break;
        }
        match damage {
            Damage::Flip(at, bit) => *at.get_mut(&mut bytes) ^= 1 << bit,
            Damage::Lose(at) => drop(bytes.remove(at.index(bytes.len()))),
            Damage::Add(at, byte) => bytes.insert(at.index(bytes.len()), *byte),
            Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
        }
    }
    bytes
}

/// Any bytes, or messages one after the other that a link has damaged in a few places, or nowhere.
fn any_bytes(message: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let messages = prop::collection::vec(message, 0..6).prop_map(|messages| messages.concat());
    let damage = prop::collection::vec(any_damage(), 0..4);
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..300),
        3 => (messages, damage).prop_map(|(bytes, damage)| damaged(bytes, &damage)),
    ]
}

fn words() -> impl Strategy<Value = Vec<u32>> {
    prop_oneof![4 => prop::collection::vec(any::<u32>(), 1..9), 1 => prop::collection::vec(any::<u32>(), 1..=255)]
}

fn uartbone_message() -> impl Strategy<Value = Vec<u8>> {
    let read = (any::<u32>(), 1..=255u8, any::<bool>()).prop_map(|(address, words, fixed)| Command::Read {
        address: address & !3,
        words,
        fixed,
    });
    let write = (any::<u32>(), words(), any::<bool>()).prop_map(|(address, words, fixed)| Command::Write {
        address: address & !3,
        words,
        fixed,
    });
    prop_oneof![read, write].prop_map(|command| command.encode())
}

fn etherbone_message() -> impl Strategy<Value = Vec<u8>> {
    let probe = (any::<bool>(), any::<bool>()).prop_map(|(probe, probe_reply)| Packet {
        probe,
        probe_reply,
        ..Packet::default()
    });
    let access = (any::<u32>(), words(), any::<u32>(), words(), 0..4u8).prop_map(|(base, writes, back, reads, has)| {
        let (has_writes, has_reads) = (has & 1 != 0, has & 2 != 0);
        let writes = if has_writes { writes } else { Vec::new() };
        let reads = if has_reads { reads } else { Vec::new() };
        Packet { base, writes, return_base: back, reads, ..Packet::default() }
    });
    prop_oneof![1 => probe, 4 => access].prop_map(|packet| packet.encode())
}

fn serial_message() -> impl Strategy<Value = Vec<u8>> {
    let command = prop_oneof![
        any::<u64>().prop_map(SerialCommand::Load),
        any::<u64>().prop_map(SerialCommand::Accumulate),
        Just(SerialCommand::Read),
        Just(SerialCommand::Status),
        Just(SerialCommand::Reference),
    ];
    command.prop_map(|command| command.encode())
}

/// An answer of the worked transcript, as a line, or a message with such a line as its body.
fn protocol_message() -> impl Strategy<Value = Vec<u8>> {
    let transcript = include_str!("../docs/engine-protocol.md").lines();
    let answers: Vec<&str> = transcript.filter_map(|line| line.strip_prefix("< ")).collect();
    assert!(answers.len() > 4, "the page has a transcript");
    let numbers = || prop::option::of(any::<u64>());
    (prop::sample::select(answers), any::<bool>(), numbers(), numbers()).prop_map(|(line, is_sent, request, answer)| {
        if !is_sent {
            return format!("{line}\n").into_bytes();
        }
        let body = Bytes(line.as_bytes().to_vec());
        let (edits, again, ids, begins, ends) = (true, false, 0, false, false);
        frame::write(&Send { to: 0, body, request, answer, edits, again, ids, begins, ends })
    })
}

/// A message of any codec, of a tick of 256 registers.
fn tick_message() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((0..256usize, -1000..1000i64), 0..30);
    (changes, 0..REGISTRY.len(), any::<u32>()).prop_map(|(changes, codec, client)| {
        let old: Vec<i64> = (0..256).collect();
        let mut new = old.clone();
        changes.into_iter().for_each(|(register, amount)| new[register] += amount);
        let tick = Tick { from: Replica { client, incarnation: 1 }, sequence: 1, old: &old, new: &new };
        REGISTRY[codec].encode(&tick, &REGISTRY[codec].asks(&old))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: INPUTS, ..ProptestConfig::default() })]

    #[test]
    fn the_codecs_of_a_tick_keep_their_word_on_any_bytes(bytes in any_bytes(tick_message())) {
        codecs::holds_for(&bytes);
    }

    #[test]
    fn the_decoder_of_tick_frames_keeps_its_word_on_any_bytes(bytes in any_bytes(tick_message())) {
        tick_frame::holds_for(&bytes);
        // A frame's body, which gets another length and checksum.
        tick_frame::holds_for(bytes.get(2..bytes.len().saturating_sub(4)).unwrap_or_default());
    }

    #[test]
    fn the_reader_of_the_engine_protocol_keeps_its_word_on_any_bytes(bytes in any_bytes(protocol_message())) {
        protocol::holds_for(&bytes);
    }

    #[test]
    fn the_decoder_of_uartbone_keeps_its_word_on_any_bytes(bytes in any_bytes(uartbone_message())) {
        uartbone::holds_for(&bytes);
    }

    #[test]
    fn the_decoder_of_etherbone_keeps_its_word_on_any_bytes(bytes in any_bytes(etherbone_message())) {
        etherbone::holds_for(&bytes);
    }

    #[test]
    fn the_decoder_of_the_serial_protocol_keeps_its_word_on_any_bytes(bytes in any_bytes(serial_message())) {
        serial::holds_for(&bytes);
    }
}
