//! One sync tick: what its message weighs, whether a receiver can decode it, and whether the device comes to the same.

use std::collections::BTreeMap;

use crate::domain::evidence::Evidence;
use crate::domain::execution::AdapterOp;
use crate::domain::fault::FaultClass;
use crate::domain::finding::Finding;
use crate::domain::hex::Hex64;
use crate::domain::judge::Judge;
use crate::domain::oracle::OracleId;
use crate::domain::seed::Seed;
use crate::domain::subject::{Device, SubjectError};
use crate::domain::verdict::Verdict;
use crate::domain::watch::{Unwatched, Watch};
use crate::experiment::claims::MESSAGE;
use crate::experiment::control::device::WrongDevice;
use crate::experiment::control::{Control, Show, Shown, bits};
use crate::experiment::standard::adapter_round_trips::{judge, tried, verdict};
use crate::experiment::tick::message::{decode, encode, information_bound};
use crate::oracle::contexts::Flaw;
use crate::report::record::{Check, DensityRecord, Part, TickRecord};
use crate::scenario::tick::{
    self, CONTEXTS, Change, FULL_STATE_BYTES, PUBLISHED_BYTES, PUBLISHED_CHANGED, PUBLISHED_SEED,
};

/// How many contexts change in the ticks that are weighed besides: 0.4 %, 1, 2, 5, 10, 20, 50 and 100 % of them.
const DENSITIES: [u32; 8] = [1, 3, 5, 13, 26, 51, 128, CONTEXTS];

/// What the check of the published tick is called.
pub const PUBLISHED_TICK: &str = "published tick";

/// What the check of the tick of the run's own seed is called.
pub const SEED_TICK: &str = "tick of this SEED";

/// The check's name for the tick of this seed.
pub fn name(seed: Seed) -> &'static str {
    if seed == PUBLISHED_SEED { PUBLISHED_TICK } else { SEED_TICK }
}

/// The checks of this seed's tick, by name: of its message, and of it on a device.
pub fn checks(seed: Seed) -> [String; 2] {
    [format!("{} as a message", name(seed)), format!("{} on the device", name(seed))]
}

/// Weighs the tick of this seed, has a receiver decode it, and checks the published numbers if it is the published one.
pub fn check_message(seed: Seed) -> Result<(Check, TickRecord), SubjectError> {
    let changes = tick::changes(seed);
    let (message, bytes) = encode(1, 1, &changes);
    counted_alike(&message, bytes.total())?;
    let changed: Vec<u32> = changes.iter().map(|change| change.context.into()).collect();
    let published = seed == PUBLISHED_SEED;
    let tenths = |bytes: f64| (bytes * 10.0).round() as u64;
    let record = TickRecord {
        seed: Hex64(seed.value()),
        evidence: Evidence::Software,
        published,
        changed,
        value_bytes: bytes.values,
        addressing_bytes: bytes.addressing,
        framing_bytes: bytes.framing,
        id_bytes: bytes.ids,
        checksum_bytes: bytes.checksum,
        message_bytes: bytes.total(),
        bound_tenths: tenths(information_bound(changes.len() as u64, 64)),
        odd_bound_tenths: tenths(information_bound(changes.len() as u64, 63)),
        full_state_bytes: FULL_STATE_BYTES,
        by_density: by_density(seed)?,
    };
    let (count, values) = (changes.len(), bytes.values);
    Ok((judge_message(seed, &changes, &message, Weight { count, values, total: bytes.total() }), record))
}

/// The messages of ticks that change fewer and more contexts: the first so many in an order that is drawn from the seed.
fn by_density(seed: Seed) -> Result<Vec<DensityRecord>, SubjectError> {
    let of = |changed: u32| {
        let changes = tick::some_changes(seed, changed);
        let (message, bytes) = encode(1, 1, &changes);
        counted_alike(&message, bytes.total())?;
        if received(&message) != Ok(state_after(&changes)) {
            let lost = format!("the message of a tick with {changed} changes is not decoded to what was sent");
            return Err(SubjectError::Internal(lost));
        }
        let bound_tenths = (information_bound(changed.into(), 64) * 10.0).round() as u64;
        Ok(DensityRecord { changed, message_bytes: bytes.total(), bound_tenths })
    };
    DENSITIES.into_iter().map(of).collect()
}

/// What the bytes of a message are for must come to all of its bytes.
fn counted_alike(message: &[u8], total: u64) -> Result<(), SubjectError> {
    let length = message.len() as u64;
    let differ =
        || format!("the tick's bytes count as {total}, and its message has {length}: one of the two counts is wrong");
    if length == total { Ok(()) } else { Err(SubjectError::Internal(differ())) }
}

/// How many contexts a message changes, the bytes of their values, and all of its bytes.
#[derive(Clone, Copy, Debug)]
struct Weight {
    count: usize,
    values: u64,
    total: u64,
}

/// Judges what a receiver makes of a message that should carry these changes.
fn judge_message(seed: Seed, changes: &[Change], message: &[u8], weight: Weight) -> Check {
    let Weight { count, values, total } = weight;
    let published = seed == PUBLISHED_SEED;
    let changed: Vec<u32> = changes.iter().map(|change| change.context.into()).collect();
    let received = received(message);
    let as_sent = received.as_ref().is_ok_and(|received| *received == state_after(changes));
    let as_published = !published || (changed == PUBLISHED_CHANGED && values == PUBLISHED_BYTES);
    let summary = match (&received, as_sent, as_published) {
        (Err(error), ..) => format!("the receiver cannot decode the message: {error}"),
        (_, false, _) => "the receiver decodes the message to another state than the sender's".to_owned(),
        (_, _, false) => format!("{count} contexts, {} B of values: not what is published", values),
        _ if changes.is_empty() => "no context changes: a tick of no bytes".to_owned(),
        _ => format!("{count} of {CONTEXTS} contexts change; a receiver decodes the {} B to the same state", total),
    };
    let verdict = match (as_sent && as_published, changes.is_empty()) {
        (false, _) => Verdict::Falsified,
        // What has nothing to send cannot be sent wrongly.
        (true, true) => Verdict::Inconclusive,
        (true, false) => Verdict::Holds,
    };
    // What was compared came out right, also where there was nothing to send.
    let truth = if as_sent && as_published { Verdict::Holds } else { Verdict::Falsified };
    Check {
        name: format!("{} as a message", name(seed)),
        part: Part::Message,
        judge: Judge::TickMessage,
        subjects: BTreeMap::from([(MESSAGE.to_owned(), Evidence::Software)]),
        verdict,
        oracles: BTreeMap::from([(OracleId::Truth, truth)]),
        summary,
        warrant: None,
        orders: None,
        tries: if changes.is_empty() { Vec::new() } else { vec![FaultClass::WrongMessage] },
        findings: Vec::new(),
    }
}

/// Has a device apply the tick: LOAD 0, ACCUM the delta and READ it back, for each changed context.
pub fn check_device(
    device: &mut dyn Device,
    seed: Seed,
    watch: &mut dyn Watch,
) -> Result<(Check, Option<Flaw>), SubjectError> {
    let changes = tick::changes(seed);
    let ops: Vec<AdapterOp> = changes
        .iter()
        .flat_map(|&Change { context, delta }| {
            [AdapterOp::Load { context, reference: 0 }, AdapterOp::Accumulate(delta), AdapterOp::Read]
        })
        .collect();
    let judged = judge(device, &ops, name(seed), watch)?;
    let wrong = judged.wrong;
    let findings: Vec<Finding> = judged.finding.into_iter().collect();
    let truth = verdict(findings.first());
    let summary = match changes.len() {
        0 => "no context changes: there is nothing for the device to do".to_owned(),
        count if truth == Verdict::Holds => {
            format!("LOAD 0, ACCUM and READ of the {count} changed contexts, exact to the bit")
        }
        count => format!("{wrong} of {count} changed contexts are wrong: LOAD 0, ACCUM and READ of each"),
    };
    let verdict = if changes.is_empty() { Verdict::Inconclusive } else { truth };
    let check = Check {
        name: format!("{} on the device", name(seed)),
        part: Part::Adapter,
        judge: Judge::TickOnDevice,
        subjects: BTreeMap::from([(device.name().to_owned(), device.evidence())]),
        verdict,
        oracles: BTreeMap::from([(OracleId::Truth, truth)]),
        summary,
        warrant: None,
        orders: None,
        tries: tried(&ops),
        findings,
    };
    Ok((check, judged.flaw))
}

/// The full state after these changes, from a start of 0.
fn state_after(changes: &[Change]) -> Vec<u64> {
    let mut state = vec![0; CONTEXTS as usize];
    for change in changes {
        state[usize::from(change.context)] ^= change.delta;
    }
    state
}

/// The full state of a receiver that starts at 0 and is sent these bytes.
fn received(message: &[u8]) -> Result<Vec<u64>, String> {
    if message.is_empty() {
        return Ok(state_after(&[]));
    }
    decode(message).map(|message| state_after(&message.changes)).map_err(|error| error.to_string())
}

/// What is planted for the judge of messages.
pub const CONTROLS_OF_MESSAGE: &[Control] = &[
    Control {
        judge: Judge::TickMessage,
        planted: "each bit of a delta wrong, in each changed context in turn; each context left out",
        show: Show::Alone(show_message),
    },
    Control {
        judge: Judge::TickMessage,
        planted: "the published tick without one of its contexts",
        show: Show::Alone(show_published_message),
    },
];

/// What is planted for the judge of ticks on a device.
pub const CONTROLS_ON_DEVICE: &[Control] = &[Control {
    judge: Judge::TickOnDevice,
    planted: "each bit of a READ wrong, in each changed context in turn",
    show: Show::Alone(show_on_device),
}];

/// What the judge says of a message with these changes, where others are due.
fn verdict_of_message(seed: Seed, due: &[Change], sent: &[Change]) -> Verdict {
    let (message, bytes) = encode(1, 1, sent);
    let weight = Weight { count: sent.len(), values: bytes.values, total: bytes.total() };
    judge_message(seed, due, &message, weight).verdict
}

fn show_message() -> Shown {
    let seed = Seed::new(7);
    let due = tick::changes(seed);
    let flipped = bits().enumerate().map(|(place, mask)| {
        let mut sent = due.clone();
        let len = sent.len();
        sent[place % len].delta ^= mask;
        sent
    });
    let left_out = (0..due.len()).map(|place| {
        let mut sent = due.clone();
        sent.remove(place);
        sent
    });
    let wrong: Vec<_> = flipped.chain(left_out).collect();
    Shown::of(due.clone(), wrong, |sent| verdict_of_message(seed, &due, &sent))
}

fn show_published_message() -> Shown {
    let due = tick::changes(PUBLISHED_SEED);
    let wrong = (0..due.len()).map(|place| {
        let mut fewer = due.clone();
        fewer.remove(place);
        fewer
    });
    let wrong: Vec<_> = wrong.collect();
    // Sender and receiver agree; only what is published tells.
    Shown::of(due, wrong, |changes| verdict_of_message(PUBLISHED_SEED, &changes, &changes))
}

fn show_on_device() -> Shown {
    let changed = tick::changes(PUBLISHED_SEED).len() as u64;
    let wrong = bits().enumerate().map(|(place, mask)| (place as u64 % changed, mask));
    Shown::of((0, 0), wrong, |(place, mask)| {
        let mut device = WrongDevice::in_reads(move |read| if read == place { mask } else { 0 });
        check_device(&mut device, PUBLISHED_SEED, &mut Unwatched).expect("software answers").0.verdict
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_tick_holds_and_weighs_more_than_its_values() {
        let (check, record) = check_message(PUBLISHED_SEED).expect("its bytes are counted");
        assert_eq!(check.verdict, Verdict::Holds);
        let bytes = [record.value_bytes, record.message_bytes, record.bound_tenths, record.odd_bound_tenths];
        assert_eq!(bytes, [160, 201, 1722, 1697]);
    }

    #[test]
    fn the_denser_a_tick_the_longer_its_message_which_is_never_below_the_bound() {
        let (_, record) = check_message(PUBLISHED_SEED).expect("its bytes are counted");
        let bytes: Vec<u64> = record.by_density.iter().map(|density| density.message_bytes).collect();
        assert_eq!(record.by_density.iter().map(|density| density.changed).collect::<Vec<_>>(), DENSITIES);
        assert!(bytes.is_sorted() && (30..=31).contains(&bytes[0]) && bytes[7] > FULL_STATE_BYTES, "{bytes:?}");
        assert!(record.by_density.iter().all(|density| 10 * density.message_bytes > density.bound_tenths));
    }

    #[test]
    fn a_tick_in_which_nothing_changes_is_no_bytes_and_says_so() {
        // Found by searching: about one in five hundred thousand changes nothing.
        let seed = Seed::new(120_843_008);
        let (check, record) = check_message(seed).expect("its bytes are counted");
        assert_eq!((record.message_bytes, record.bound_tenths, check.verdict), (0, 0, Verdict::Inconclusive));
        insta::assert_snapshot!(check.summary);
    }

    #[test]
    fn a_byte_of_a_tick_that_is_not_counted_is_an_internal_error() {
        let message = [7; 201];
        assert_eq!(counted_alike(&message, 201), Ok(()));
        for wrong in [197, 200, 202] {
            assert!(matches!(counted_alike(&message, wrong), Err(SubjectError::Internal(_))), "{wrong}");
        }
    }
}
