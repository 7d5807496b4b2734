//! Every codec: what a receiver makes of its messages, and of bytes that are no message.

use proptest::prelude::*;

use crate::codec::frame::{Frame, decode, encode};
use crate::codec::payload::{
    read_amounts, read_numbers, read_registers, write_amounts, write_numbers, write_registers,
};
use crate::codec::range_coder::{Decoder, Encoder};
use crate::codec::{Codec, Needs, REGISTRY, Receiver, Refused, Replica, Tick};
use crate::domain::seed::Seed;

const FROM: Replica = Replica { client: 300, incarnation: 0x0A0B_0C0D };

fn find(name: &str) -> &'static dyn Codec {
    *REGISTRY.iter().find(|codec| codec.name() == name).expect("it is registered")
}

fn sent(codec: &dyn Codec, old: &[i64], new: &[i64], sequence: u64) -> Vec<u8> {
    codec.encode(&Tick { from: FROM, sequence, old, new }, &codec.asks(old))
}

/// Registers before and after a tick.
fn any_tick() -> impl Strategy<Value = (Vec<i64>, Vec<i64>)> {
    let amount = prop_oneof![Just(0), -1000..1000i64, any::<i64>(), Just(i64::MIN), Just(i64::MAX)];
    let small = prop_oneof![4 => Just(0i64), 1 => 1..4i64];
    let amounts = prop_oneof![
        prop::collection::vec(amount, 0..300),
        prop::collection::vec(small, 0..300),
        prop::collection::vec(-9..0i64, 0..40)
    ];
    (any::<i64>(), amounts).prop_map(|(start, amounts)| {
        let old: Vec<i64> = (0..amounts.len() as i64).map(|place| start.wrapping_mul(place | 1)).collect();
        let new = old.iter().zip(&amounts).map(|(old, amount)| old.wrapping_add(*amount)).collect();
        (old, new)
    })
}

fn any_frame() -> impl Strategy<Value = Frame> {
    (any_tick(), any::<u32>(), any::<u32>(), any::<(u64, u64)>()).prop_map(|((old, new), client, incarnation, ends)| {
        let tick = Tick { from: Replica { client, incarnation }, sequence: 0, old: &old, new: &new };
        let changes = tick.changes().map(|change| (change.register, change.amount())).collect();
        let (first, last) = (ends.0.min(ends.1), ends.0.max(ends.1));
        Frame { from: tick.from, first, last, registers: new.len() as u32, changes }
    })
}

proptest! {
    #[test]
    fn every_codec_but_the_undecodable_one_brings_the_receiver_to_the_senders_registers((old, new) in any_tick()) {
        for codec in REGISTRY {
            let message = sent(*codec, &old, &new, 1);
            let mut receiver = Receiver::with(&old);
            let taken = codec.receive(&mut receiver, &message);
            if codec.needs() == Needs::NotSent {
                prop_assert_eq!(taken, Err(Refused::Undecodable));
            } else {
                prop_assert_eq!(taken, Ok(()), "{}", codec.name());
                prop_assert_eq!(&receiver.registers, &new, "{}", codec.name());
            }
        }
    }

    #[test]
    fn every_frame_decodes_to_what_was_encoded(frame in any_frame()) {
        prop_assert_eq!(decode(&encode(&frame), frame.registers), Ok(frame));
    }

    #[test]
    fn a_frame_with_a_flipped_bit_a_missing_end_or_a_byte_too_many_is_refused(
        frame in any_frame(),
        at: prop::sample::Index,
        bit in 0..8u32,
    ) {
        let bytes = encode(&frame);
        let mut flipped = bytes.clone();
        flipped[at.index(bytes.len())] ^= 1 << bit;
        prop_assert!(decode(&flipped, u32::MAX).is_err());
        prop_assert!(decode(&bytes[..at.index(bytes.len())], u32::MAX).is_err());
        prop_assert!(decode(&[&bytes[..], &[0]].concat(), u32::MAX).is_err());
    }

    #[test]
    fn registers_of_any_number_and_share_are_read_back(
        registers in prop_oneof![1..100u32, 1..100_000u32, any::<u32>()],
        at in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        let mut changed: Vec<u32> = at.iter().map(|at| at.index(registers as usize) as u32).collect();
        changed.sort_unstable();
        changed.dedup();
        let mut encoder = Encoder::default();
        write_registers(&mut encoder, registers, &changed);
        let bytes = encoder.finish();
        let mut decoder = Decoder::of(&bytes);
        prop_assert_eq!(read_registers(&mut decoder, registers, changed.len() as u32), Ok(changed));
        prop_assert_eq!(decoder.end(), Ok(()));
    }

    #[test]
    fn numbers_and_amounts_of_any_size_are_read_back(numbers: Vec<u64>, amounts: Vec<i64>, shift in 0..64u32) {
        let numbers: Vec<u64> = numbers.into_iter().map(|number| number >> shift).collect();
        let amounts: Vec<i64> = amounts.into_iter().map(|amount| amount >> shift).collect();
        let mut encoder = Encoder::default();
        write_numbers(&mut encoder, &numbers);
        write_amounts(&mut encoder, &amounts);
        let bytes = encoder.finish();
        let mut decoder = Decoder::of(&bytes);
        prop_assert_eq!(read_numbers(&mut decoder, numbers.len() as u32), numbers);
        prop_assert_eq!(read_amounts(&mut decoder, amounts.len() as u32), Ok(amounts));
        prop_assert_eq!(decoder.end(), Ok(()));
    }

    #[test]
    fn choices_of_any_share_are_read_back(
        choices in prop::collection::vec((any::<u64>(), any::<u64>(), 1..=1u64 << 40), 0..200),
    ) {
        let parts: Vec<(u64, u64, u64)> = choices
            .into_iter()
            .map(|(start, size, total)| {
                let start = start % total;
                (start, 1 + size % (total - start), total)
            })
            .collect();
        let mut encoder = Encoder::default();
        parts.iter().for_each(|&(start, size, total)| encoder.part(start, size, total));
        let bytes = encoder.finish();
        let mut decoder = Decoder::of(&bytes);
        for (start, size, total) in parts {
            let place = decoder.place(total);
            prop_assert!((start..start + size).contains(&place));
            decoder.take(start, size, total);
        }
        prop_assert_eq!(decoder.end(), Ok(()));
    }
}

#[test]
fn every_frame_of_few_small_changes_decodes_to_what_was_encoded() {
    let amounts = [-2, -1, 0, 1, 2, i64::MIN, i64::MAX];
    let mut tried = 0;
    for registers in 0..=4u32 {
        for set in 0..1u32 << registers {
            let places: Vec<u32> = (0..registers).filter(|register| set >> register & 1 == 1).collect();
            for number in 0..amounts.len().pow(places.len() as u32) {
                let amount = |place: usize| amounts[number / amounts.len().pow(place as u32) % amounts.len()];
                let changes = places.iter().enumerate().map(|(place, &register)| (register, amount(place))).collect();
                let frame = Frame { from: FROM, first: 7, last: 8, registers, changes };
                assert_eq!(decode(&encode(&frame), registers), Ok(frame));
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 1 + 8 + 64 + 512 + 4096);
}

#[test]
fn a_frame_may_change_nothing_or_all_of_a_million_registers() {
    let all = |amount: &dyn Fn(u32) -> i64, registers: u32| Frame {
        from: FROM,
        first: 1,
        last: u64::MAX,
        registers,
        changes: (0..registers).map(|register| (register, amount(register))).collect(),
    };
    let of_ones = all(&|_| 1, 1 << 20);
    assert!(encode(&of_ones).len() < 64, "all the same is next to nothing");
    let of_all = all(&|register| i64::from(register).wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64), 1 << 20);
    for frame in [of_ones, of_all, all(&|_| 0, 0), Frame { changes: Vec::new(), ..all(&|_| 0, 1 << 20) }] {
        assert!(decode(&encode(&frame), 1 << 20).is_ok_and(|decoded| decoded == frame));
    }
}

/// What stands here is the format: these bytes change with its version alone.
#[test]
fn golden_frames() {
    let hex = |frame: &Frame| encode(frame).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let frame = |registers, changes: &[(u32, i64)]| Frame {
        from: FROM,
        first: 9,
        last: 11,
        registers,
        changes: changes.to_vec(),
    };
    let golden = [
        hex(&frame(256, &[])),
        hex(&frame(256, &[(7, 1)])),
        hex(&frame(256, &[(0, -1000), (10, 3), (40, 999), (255, i64::MIN)])),
        hex(&frame(4, &[(0, 1), (1, 2), (2, 3), (3, 1)])),
        hex(&frame(1 << 20, &[(5, -1), (6, -70_000), (1_000_000, -3)])),
    ];
    insta::assert_debug_snapshot!(golden);
}

#[test]
fn a_frame_that_claims_too_much_is_refused_before_anything_is_allocated() {
    let sealed = |body: &[u8]| {
        let mut bytes = vec![crate::codec::frame::BEGINS, body.len() as u8 + 4];
        bytes.extend(body);
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes
    };
    let most = [0xFF, 0xFF, 0xFF, 0xFF, 0x0F];
    let claims = |registers: &[u8], changes: &[u8]| {
        let body = [&[1, 1, 1, 0], registers, changes].concat();
        decode(&sealed(&body), 1 << 20)
    };
    assert_eq!(claims(&most, &most), Err(Refused::Range("the number of registers")));
    assert_eq!(claims(&[4], &most), Err(Refused::Range("the number of changes")));
    assert_eq!(claims(&[0xFF; 10], &[0]), Err(Refused::Range("a number")));
    let foreign = [0xA2, 4, 0, 0, 0, 0];
    assert_eq!(decode(&foreign, 1), Err(Refused::Format));
    let claims_all = [&[crate::codec::frame::BEGINS][..], &[0xFF; 9], &[1]].concat();
    assert_eq!(decode(&claims_all, 1), Err(Refused::Short));
}

/// A tick of 20 of 256 registers, within a thousand or of any size, by a client and a tick of many.
fn seeded(number: u64, wide: bool) -> (Tick<'static>, Vec<i64>, Vec<i64>) {
    let mut stream = Seed::new(0x7EC7).stream("codec").member(number);
    let mut places: Vec<usize> = (0..256).collect();
    stream.shuffle(&mut places);
    let old: Vec<i64> = (0..256).map(|_| stream.word() as i64).collect();
    let mut new = old.clone();
    for &place in &places[..20] {
        let amount = if wide { stream.word() as i64 } else { stream.below(2000) as i64 - 1000 };
        new[place] = new[place].wrapping_add(if amount < 0 || wide { amount } else { amount + 1 });
    }
    let from = Replica { client: stream.below(10_000) as u32, incarnation: stream.below(1 << 28) as u32 };
    (Tick { from, sequence: 1 + stream.below(10_000), old: &[], new: &[] }, old, new)
}

#[test]
fn the_largest_frame_of_a_thousand_seeded_ticks_is_near_the_bound() {
    let largest = |wide| {
        let length = |number| {
            let (tick, old, new) = seeded(number, wide);
            find("frame").encode(&Tick { old: &old, new: &new, ..tick }, &[]).len()
        };
        (0..1000).map(length).max()
    };
    let [narrow, wide] = [largest(false), largest(true)];
    // The information bound is 39.6 B and 172.2 B.
    assert!(narrow <= Some(64) && wide <= Some(196), "{narrow:?}, {wide:?}");
    assert_eq!([narrow, wide], [Some(60), Some(193)]);
}

#[test]
fn a_changeset_and_a_patchset_have_the_bytes_of_sqlite() {
    let hex = |name| {
        let message = sent(find(name), &[0, 5, 0, 300], &[0, 6, 0, -70_000], 1);
        message.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    assert_eq!(
        hex("sqlite-changeset"),
        "54020100636f756e74657273001700010000000000000001010000000000000005000100000000000000061700010000000000000003010000\
         00000000012c0001fffffffffffeee90"
    );
    assert_eq!(
        hex("sqlite-patchset"),
        "50020100636f756e74657273001700010000000000000001010000000000000006170001000000000000000301fffffffffffeee90"
    );
}

#[test]
fn a_receiver_takes_a_tick_once_in_any_order_and_tells_a_gap() {
    let mut receiver = Receiver::with(&[]);
    let other = Replica { client: 1, ..FROM };
    assert_eq!(receiver.takes(FROM, 2, 3), Ok(true));
    assert!(receiver.has_gaps());
    assert_eq!(receiver.takes(FROM, 2, 2), Ok(false));
    assert_eq!(receiver.takes(FROM, 3, 4), Err(Refused::Overlap));
    assert_eq!(receiver.takes(FROM, 1, 1), Ok(true));
    assert!(!receiver.has_gaps());
    assert_eq!(receiver.takes(other, 1, u64::MAX), Ok(true));
    assert_eq!(receiver.takes(FROM, 6, 6), Ok(true));
    assert!(receiver.has_gaps());
    assert_eq!(receiver.takes(FROM, 4, 5), Ok(true));
    assert_eq!(receiver.takes(FROM, 1, 6), Ok(false));
    assert!(!receiver.has_gaps());
}

#[test]
fn a_patch_on_another_state_is_refused_and_changes_nothing() {
    let (_, old, new) = seeded(0, false);
    let mut receiver = Receiver::with(&seeded(1, false).1);
    for name in ["zstd-patch", "bsdiff", "rsync-style"] {
        let before = receiver.clone();
        assert!(find(name).receive(&mut receiver, &sent(find(name), &old, &new, 1)).is_err(), "{name}");
        assert_eq!(receiver, before, "{name}");
    }
}

/// A patch that copies nothing from the old state, or only what the receiver's state has as well, can be applied: its
/// checksum alone tells that it is for another state.
#[test]
fn a_patch_that_fits_any_state_is_refused_on_another() {
    let random = Seed::new(0x7EC7).stream("patches");
    for number in 0..64 {
        let mut stream = random.member(number);
        let mut state = || -> Vec<i64> { (0..4).map(|_| stream.word() as i64).collect() };
        let [old, all, unlike] = [state(), state(), state()];
        let half = vec![old[0], all[1], old[2], all[3]];
        // Of another writer: it differs from the old state only where the tick overwrites it.
        let overwritten = vec![old[0], unlike[1], old[2], old[3]];
        for (new, name) in [&all, &half].into_iter().flat_map(|new| ["zstd-patch", "bsdiff"].map(|name| (new, name))) {
            let message = sent(find(name), &old, new, 1);
            for other in [&unlike, &overwritten, new] {
                let mut receiver = Receiver::with(other);
                assert_eq!(find(name).receive(&mut receiver, &message), Err(Refused::OldState), "{name}");
                assert_eq!(receiver, Receiver::with(other), "{name}");
            }
            let mut receiver = Receiver::with(&old);
            assert_eq!(find(name).receive(&mut receiver, &message), Ok(()), "{name}");
        }
    }
}

#[test]
fn gaps_and_values_are_varints_of_one_form_and_end_with_the_last_value() {
    let codec = find("gap-varint");
    let message = sent(codec, &[0, 5, 0, 300], &[0, 6, 0, -70_000], 1);
    assert_eq!(message, [2, 1, 1, 12, 0xDF, 0xC5, 0x08], "two changes, their gaps, and zigzag values");
    let received = |message: &[u8]| codec.receive(&mut Receiver::with(&[0, 5, 0, 300]), message);
    assert_eq!(received(&message), Ok(()));
    assert_eq!(received(&message[..6]), Err(Refused::Short));
    assert_eq!(received(&[&message[..], &[0]].concat()), Err(Refused::Long));
    assert_eq!(received(&[2, 1, 1, 12, 0xDF, 0xC5, 0x88, 0]), Err(Refused::Range("a number")), "it is overlong");
    assert_eq!(received(&[5]), Err(Refused::Range("the number of changes")));
}

#[test]
fn json_that_is_nested_a_hundred_thousand_deep_is_refused() {
    let deep = "[".repeat(100_000);
    let mut receiver = Receiver::with(&[0; 4]);
    assert!(find("json-outbox").receive(&mut receiver, deep.as_bytes()).is_err());
    let deep_cbor = vec![0x81; 100_000];
    assert!(find("cbor").receive(&mut receiver, &deep_cbor).is_err());
}

/// The codecs that send a frame of Zstandard without its magic number, and how many bytes of a checksum go before it.
const FRAMES_OF_ZSTANDARD: [(&str, usize); 4] = [("zstd-3", 0), ("zstd-19", 0), ("zstd-patch", 4), ("bsdiff", 4)];

/// The end of each bomb is missing: a decoder that reads on after it has too much never answers that the message is too long.
#[test]
fn what_decompresses_to_64_mebibytes_is_refused_before_its_end_is_read() {
    use std::io::Write;
    const MEMORY: &str = "memory takes it";
    let mut receiver = Receiver::with(&[0; 4]);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    (0..64).for_each(|_| encoder.write_all(&[b' '; 1 << 20]).expect(MEMORY));
    let bomb = encoder.finish().expect(MEMORY);
    assert_eq!(find("json-outbox-gzip").receive(&mut receiver, &bomb[..bomb.len() / 2]), Err(Refused::Long));
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).expect(MEMORY);
    // The smallest window, which every receiver allows.
    encoder.window_log(10).expect(MEMORY);
    (0..64).for_each(|_| encoder.write_all(&[0; 1 << 20]).expect(MEMORY));
    let bomb = encoder.finish().expect(MEMORY);
    for (name, checksum) in FRAMES_OF_ZSTANDARD {
        let message = [&vec![0; checksum], &bomb[4..bomb.len() / 2]].concat();
        assert_eq!(find(name).receive(&mut receiver, &message), Err(Refused::Long), "{name}");
    }
    assert_eq!(receiver, Receiver::with(&[0; 4]));
}

#[test]
fn a_frame_that_asks_for_a_window_of_128_mebibytes_is_refused() {
    // One empty block, with a window of 1 << 27 bytes: the largest that the library allows by itself.
    let frame = [0x00, 0x88, 0x01, 0x00, 0x00];
    for (name, checksum) in FRAMES_OF_ZSTANDARD {
        let message = [&vec![0; checksum], &frame[..]].concat();
        let refused = find(name).receive(&mut Receiver::with(&[0; 4]), &message);
        assert_eq!(refused, Err(Refused::Range("a Zstandard frame")), "{name}");
    }
}
