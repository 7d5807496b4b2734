//! What every registered engine makes of any bytes, and of its own frames with something wrong in them.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;

use super::{REGISTRY, Registration};
use crate::engine::any_bytes::{NODES, STEPS, Said, Talk, sealed, unsealed};
use crate::engine::port::Reception;
use crate::engine::wire::Writer;

/// A registered engine, with a hub or, where it can, between peers.
fn talks() -> Vec<(&'static Registration, bool)> {
    REGISTRY
        .iter()
        .flat_map(|engine| [(engine, false), (engine, true)])
        .filter(|(s, peers)| s.peers || !peers)
        .collect()
}

/// What goes wrong with a body.
#[derive(Clone, Debug)]
enum Wound {
    Flip(prop::sample::Index, u32),
    Cut(prop::sample::Index),
    Insert(prop::sample::Index, Vec<u8>),
    /// A number, where a byte was: a count that promises far more than there is, say.
    Number(prop::sample::Index, u64),
}

impl Wound {
    fn of(self, bytes: &mut Vec<u8>) {
        let at = |index: prop::sample::Index, length: usize| index.index(length.max(1));
        match self {
            Wound::Flip(..) | Wound::Number(..) if bytes.is_empty() => {}
            Wound::Flip(index, bit) => {
                let place = at(index, bytes.len());
                bytes[place] ^= 1 << bit;
            }
            Wound::Cut(index) => bytes.truncate(at(index, bytes.len())),
            Wound::Insert(index, more) => {
                let place = at(index, bytes.len() + 1);
                bytes.splice(place..place, more);
            }
            Wound::Number(index, number) => {
                let place = at(index, bytes.len());
                let mut writer = Writer::bare();
                writer.number(number);
                bytes.splice(place..=place, writer.into_bytes());
            }
        }
    }
}

fn wound() -> impl Strategy<Value = Wound> {
    let index = any::<prop::sample::Index>;
    let number =
        prop_oneof![any::<u64>(), (0..64u32).prop_map(|bits| u64::MAX >> bits), (20..64u32).prop_map(|bit| 1 << bit)];
    prop_oneof![
        (index(), 0..8u32).prop_map(|(at, bit)| Wound::Flip(at, bit)),
        index().prop_map(Wound::Cut),
        (index(), proptest::collection::vec(any::<u8>(), 1..9)).prop_map(|(at, more)| Wound::Insert(at, more)),
        (index(), number).prop_map(|(at, number)| Wound::Number(at, number)),
    ]
}

/// Gives a frame to its receiver in each of the talks that say such frames.
fn given(
    steps: usize,
    choose: impl Fn(&Talk) -> Option<Said>,
    seen: &mut dyn FnMut(&Registration, Reception),
) -> Result<(), TestCaseError> {
    for (engine, peers) in talks() {
        let talk = Talk::after(engine, peers, steps).expect("a sound talk");
        let Some(Said { from, to, frame }) = choose(&talk) else { continue };
        let given = catch_unwind(AssertUnwindSafe(|| talk.moment(to).give(from, &frame)));
        let of = format!("{}, peers {peers}, {from} to {to}, {frame:02x?}", engine.name);
        prop_assert!(given.is_ok(), "a panic: {of}");
        match given.expect("it was looked at") {
            Ok(reception) => seen(engine, reception),
            Err(wrong) => prop_assert!(false, "{wrong}: {of}"),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    #[test]
    fn every_engine_makes_a_value_or_an_error_of_its_frames_with_wounds_and_a_refusal_changes_nothing(
        steps in 0..STEPS,
        which: prop::sample::Index,
        wounds in proptest::collection::vec(wound(), 1..4),
        honest in 0..8u8,
    ) {
        let choose = |talk: &Talk| {
            let said = talk.said.get(which.index(talk.said.len().max(1)))?;
            let mut body = unsealed(&said.frame).to_vec();
            wounds.iter().for_each(|wound| wound.clone().of(&mut body));
            // One in eight has the checksum that it had, as a link leaves it.
            let frame = match honest {
                0 => [body, said.frame[said.frame.len() - 4..].to_vec()].concat(),
                _ => sealed(body),
            };
            Some(Said { frame, ..*said })
        };
        given(steps, choose, &mut |_, _| {})?;
    }

    #[test]
    fn every_engine_makes_a_value_or_an_error_of_any_bytes(
        steps in 0..STEPS,
        to in 0..NODES,
        which: prop::sample::Index,
        tag in 0..20u8,
        bytes: Vec<u8>,
        sealing in 0..4u8,
    ) {
        let choose = |talk: &Talk| {
            let from = *which.get(&talk.neighbours(to));
            // Without a checksum that fits, with one, and as the body of a known kind.
            let frame = match sealing {
                0 => bytes.clone(),
                1 => sealed(bytes.clone()),
                _ => sealed([&[tag], &bytes[..]].concat()),
            };
            Some(Said { from, to, frame })
        };
        given(steps, choose, &mut |_, _| {})?;
    }
}

#[test]
fn frames_as_they_were_said_are_taken_and_every_kind_of_them_is_said() {
    for (engine, peers) in talks() {
        let said = Talk::after(engine, peers, STEPS).expect("a sound talk").said;
        let kinds: BTreeSet<u8> = said.iter().map(|said| said.frame[0]).collect();
        let wanted: &[u8] = match (engine.name, peers) {
            // Handshake, answer, deltas, taken, summary, snapshot, reached, fragment, fragments; peers take no sums.
            ("delta-summary", false) => &[1, 2, 3, 4, 5, 6, 7, 8, 9],
            ("delta-summary", true) => &[1, 2, 3, 4, 8, 9],
            // Data, its arrival, handshake, welcome; and ready, where who opens the handshake happens to have nothing to tell.
            _ => &[0x10, 0x11, 0x12, 0x13],
        };
        let short = kinds.iter().copied().filter(|&kind| kind != 0x14).collect::<Vec<u8>>();
        assert_eq!(short, wanted, "{}, peers {peers}", engine.name);
    }
    // The sentinel of the properties: given at its time, an honest frame is no damage.
    let mut taken = BTreeSet::new();
    for steps in 0..STEPS {
        let last = |talk: &Talk| talk.said.last().cloned();
        given(steps, last, &mut |engine, reception| {
            assert_ne!(reception, Reception::Damaged, "{}", engine.name);
            if reception == Reception::Taken {
                taken.insert(engine.name);
            }
        })
        .expect("honest frames do no harm");
    }
    assert_eq!(taken.len(), REGISTRY.len());
}
