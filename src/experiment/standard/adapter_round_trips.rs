//! The adapter, command by command: LOAD, ACCUM, READ and SWAP on every context, exact to the bit.

use std::collections::BTreeMap;

use crate::domain::execution::{AdapterOp, Execution};
use crate::domain::fault::{FaultClass, WrongOperator};
use crate::domain::finding::{Finding, Quantity};
use crate::domain::hex::Hex64;
use crate::domain::judge::Judge;
use crate::domain::oracle::OracleId;
use crate::domain::seed::Seed;
use crate::domain::subject::{AdapterShape, Device, SubjectError};
use crate::domain::verdict::Verdict;
use crate::domain::watch::{Unwatched, Watch};
use crate::experiment::case_text;
use crate::experiment::control::device::WrongDevice;
use crate::experiment::control::{Control, Show, Shown, bits};
use crate::explore::minimise::fewest_items;
use crate::oracle::contexts::{Flaw, WrongRead, explain, first_wrong_read, number_of_wrong_reads};
use crate::report::record::{Check, Part};

/// Name of the check.
pub const ROUND_TRIPS: &str = "adapter round trips";

/// Replays for making a counterexample smaller.
const REPLAYS: u32 = 100;

/// Operations between two looks at the watch.
const SLICE: usize = 64;

/// What a list of operations showed, and what is wrong with it.
pub struct Judged {
    /// The contradiction, if there is one.
    pub finding: Option<Finding>,
    /// How many of the states that were read are wrong.
    pub wrong: usize,
    /// What accounts for every answer, if the answers are wrong and one of the known flaws does.
    pub flaw: Option<Flaw>,
}

/// The round trips under this seed.
///
/// All contexts are loaded before any is read, so that two contexts that share a place are noticed. Each then shows its
/// reference, takes two deltas, one onto the other, and two more at once, is swapped into a new epoch and takes what
/// inverts the reference: every bit of every context has then been 0 and 1. Half of the contexts are at last swapped into the other half, and all are
/// read again.
pub fn operations(seed: Seed) -> Vec<AdapterOp> {
    let mut stream = seed.stream("round trips");
    let mut ops = Vec::new();
    for context in 0..=u8::MAX {
        ops.push(AdapterOp::Load { context, reference: stream.word() });
    }
    for context in 0..=u8::MAX {
        let [first, second, third, fourth] = [(); 4].map(|()| stream.word());
        ops.extend([AdapterOp::Select { context }, AdapterOp::Read]);
        ops.extend([AdapterOp::Accumulate(first), AdapterOp::Read, AdapterOp::Accumulate(second), AdapterOp::Read]);
        ops.extend([AdapterOp::Accumulate(third), AdapterOp::Accumulate(fourth), AdapterOp::Read]);
        ops.extend([AdapterOp::Swap { context }, AdapterOp::Read]);
        let inverse = !(first ^ second ^ third ^ fourth);
        ops.extend([AdapterOp::Accumulate(inverse), AdapterOp::Read, AdapterOp::Swap { context }]);
    }
    for context in 0..u8::MAX / 2 + 1 {
        let delta = stream.word();
        ops.extend([AdapterOp::Select { context }, AdapterOp::Accumulate(delta)]);
        ops.push(AdapterOp::Swap { context: u8::MAX - context });
    }
    for context in 0..=u8::MAX {
        ops.extend([AdapterOp::Select { context }, AdapterOp::Read]);
    }
    ops
}

/// The round trips on a device that keeps one state: as many references as there would be contexts, each of which takes
/// two deltas, one onto the other, two more at once, and then what inverts it.
pub fn operations_on_one_state(seed: Seed) -> Vec<AdapterOp> {
    let mut stream = seed.stream("one state");
    let mut ops = Vec::new();
    for _ in 0..=u8::MAX {
        let [reference, first, second, third, fourth] = [(); 5].map(|()| stream.word());
        ops.extend([AdapterOp::Load { context: 0, reference }, AdapterOp::Read]);
        ops.extend([AdapterOp::Accumulate(first), AdapterOp::Read, AdapterOp::Accumulate(second), AdapterOp::Read]);
        ops.extend([AdapterOp::Accumulate(third), AdapterOp::Accumulate(fourth), AdapterOp::Read]);
        ops.extend([AdapterOp::Accumulate(!(first ^ second ^ third ^ fourth)), AdapterOp::Read]);
    }
    ops
}

/// Makes the round trips on a device.
pub fn check(
    device: &mut dyn Device,
    seed: Seed,
    watch: &mut dyn Watch,
) -> Result<(Check, Option<Flaw>), SubjectError> {
    let (ops, of_what) = match device.adapter() {
        AdapterShape::Contexts => (operations(seed), "LOAD, ACCUM, READ and SWAP on all 256 contexts"),
        AdapterShape::OneState => (operations_on_one_state(seed), "LOAD, ACCUM and READ on the one state"),
    };
    watch.begin(ROUND_TRIPS, ops.len() as u64);
    watch.unit("operations");
    let judged = judge(device, &ops, "adapter round trips", watch)?;
    watch.end();
    let reads = ops.iter().filter(|&&op| op == AdapterOp::Read).count();
    let verdict = verdict(judged.finding.as_ref());
    let check = Check {
        name: ROUND_TRIPS.to_owned(),
        part: Part::Adapter,
        judge: Judge::RoundTrips,
        subjects: BTreeMap::from([(device.name().to_owned(), device.evidence())]),
        verdict,
        oracles: BTreeMap::from([(OracleId::Truth, verdict)]),
        summary: match verdict {
            Verdict::Holds => format!("{of_what}, {reads} states exact to the bit"),
            _ => format!("{} of {reads} states are wrong: {of_what}", judged.wrong),
        },
        warrant: None,
        orders: None,
        tries: tried(&ops),
        findings: judged.finding.into_iter().collect(),
    };
    Ok((check, judged.flaw))
}

/// A contradiction that could not be reproduced is none, but no pass either.
pub fn verdict(finding: Option<&Finding>) -> Verdict {
    match finding {
        None => Verdict::Holds,
        Some(finding) if finding.reproducible => Verdict::Falsified,
        Some(_) => Verdict::Inconclusive,
    }
}

/// The kinds of fault that operations notice: those flaws that would have changed what they show; and a wrong context, if
/// every context is read after all were written.
pub fn tried(ops: &[AdapterOp]) -> Vec<FaultClass> {
    let selected = ops.windows(2).filter(|pair| matches!(pair, [AdapterOp::Select { .. }, AdapterOp::Read])).count();
    let shows_operators = WrongOperator::ALL.into_iter().all(|operator| Flaw::wrong_operator(operator).shows_in(ops));
    let tried = [
        (Flaw::STALE_READ.shows_in(ops), FaultClass::StaleRead),
        (Flaw::LOST_HIGH_WORD.shows_in(ops), FaultClass::LostHighWord),
        (shows_operators, FaultClass::WrongOperator),
        (Flaw::PIPELINE_HAZARD.shows_in(ops), FaultClass::PipelineHazard),
        (selected >= 256, FaultClass::WrongContext),
    ];
    tried.into_iter().filter(|(shows, _)| *shows).map(|(_, class)| class).collect()
}

/// Has the device carry out operations and judges what it shows; a contradiction is made as small as the bound allows.
pub fn judge(
    device: &mut dyn Device,
    ops: &[AdapterOp],
    during: &str,
    watch: &mut dyn Watch,
) -> Result<Judged, SubjectError> {
    let shown = operate(device, ops, watch)?;
    let Some(wrong) = first_wrong_read(ops, &shown) else {
        return Ok(Judged { finding: None, wrong: 0, flaw: None });
    };
    let failing = &ops[..=wrong.place];
    let again = operate(device, failing, watch)?;
    let reproducible = first_wrong_read(failing, &again) == Some(wrong);
    let (smallest, shows, size) = if reproducible {
        shrink(device, failing, wrong, watch)?
    } else {
        (failing.to_vec(), wrong, "not made smaller".to_owned())
    };
    let finding = Finding {
        subject: device.name().to_owned(),
        evidence: device.evidence(),
        during: during.to_owned(),
        quantity: Quantity::State,
        expected: Hex64(shows.expected),
        got: Hex64(shows.got),
        reproducible,
        oracle: OracleId::Truth,
        case: case_text(device, Execution::Adapter(smallest)),
        size,
    };
    let flaw = explain(ops, &shown).filter(|_| reproducible);
    Ok(Judged { finding: Some(finding), wrong: number_of_wrong_reads(ops, &shown), flaw })
}

/// Carries out operations on the device as it was opened, so that they mean the same whenever they are repeated; slice
/// by slice, so that a slow device can be stopped.
pub fn operate(device: &mut dyn Device, ops: &[AdapterOp], watch: &mut dyn Watch) -> Result<Vec<u64>, SubjectError> {
    device.restart()?;
    let mut shown = Vec::new();
    for slice in ops.chunks(SLICE) {
        if watch.stop_requested() {
            return Err(SubjectError::Interrupted);
        }
        shown.extend(device.operate(slice)?);
        watch.advance(slice.len() as u64);
    }
    Ok(shown)
}

/// Fewer operations that still end in a wrong read: first the guess that the last ACCUM or two alone matter, then
/// whatever can be left out.
fn shrink(
    device: &mut dyn Device,
    failing: &[AdapterOp],
    wrong: WrongRead,
    watch: &mut dyn Watch,
) -> Result<(Vec<AdapterOp>, WrongRead, String), SubjectError> {
    let mut replay = |ops: &[AdapterOp]| {
        let shown = operate(device, ops, watch)?;
        Ok::<_, SubjectError>(first_wrong_read(ops, &shown))
    };
    let deltas = failing.iter().rev().filter_map(|op| match op {
        AdapterOp::Accumulate(delta) => Some(*delta),
        _ => None,
    });
    let deltas: Vec<u64> = deltas.take(2).collect();
    let mut start = failing.to_vec();
    for number in 1..=deltas.len() {
        let last: Vec<u64> = deltas[..number].iter().rev().copied().collect();
        let before = last.iter().fold(wrong.expected, |state, delta| state ^ delta);
        let mut guess = vec![AdapterOp::Load { context: 0, reference: before }];
        guess.extend(last.into_iter().map(AdapterOp::Accumulate));
        guess.push(AdapterOp::Read);
        if replay(&guess)?.is_some() {
            start = guess;
            break;
        }
    }
    let smallest = fewest_items(&start, REPLAYS, |ops| Ok::<_, SubjectError>(replay(ops)?.is_some()))?;
    // What is left must be wrong in the same way twice, or it is another thing than what was found.
    let (shows, again) = (replay(&smallest.found)?, replay(&smallest.found)?);
    let Some(shows) = shows.filter(|_| shows == again) else {
        return Ok((
            failing.to_vec(),
            wrong,
            "not made smaller: less of it does not go wrong the same way twice".to_owned(),
        ));
    };
    let len = smallest.found.len();
    let size = if smallest.neighbours_pass {
        format!("{len} operations; leaving out any one of them passes")
    } else {
        format!("{len} operations after {REPLAYS} replays; not proved minimal")
    };
    Ok((smallest.found, shows, size))
}

/// What is planted for the judge of reads.
pub const CONTROLS: &[Control] = &[
    Control {
        judge: Judge::RoundTrips,
        planted: "each bit of a READ wrong, and each of the READs in turn",
        show: Show::Alone(show_reads),
    },
    Control {
        judge: Judge::RoundTrips,
        planted: "the first READ of the whole check wrong",
        show: Show::Alone(show_whole_check),
    },
];

fn show_reads() -> Shown {
    let seed = Seed::new(7);
    // One context from its LOAD to its last READ.
    let ops: Vec<AdapterOp> = operations_on_one_state(seed).into_iter().take(20).collect();
    let reads = ops.iter().filter(|&&op| op == AdapterOp::Read).count() as u64;
    let wrong = bits().enumerate().map(|(place, mask)| (place as u64 % reads, mask));
    Shown::of((0, 0), wrong, |(place, mask)| {
        let mut device = WrongDevice::in_reads(move |read| if read == place { mask } else { 0 });
        let judged = judge(&mut device, &ops, "control", &mut Unwatched).expect("software answers");
        verdict(judged.finding.as_ref())
    })
}

fn show_whole_check() -> Shown {
    Shown::of(0, [1], |mask| {
        let mut device = WrongDevice::in_reads(move |read| if read == 0 { mask } else { 0 });
        check(&mut device, Seed::new(7), &mut Unwatched).expect("software answers").0.verdict
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::contexts::Contexts;

    #[test]
    fn every_bit_of_every_context_has_been_zero_and_one() {
        let ops = operations(Seed::new(0xDEAD_BEEF_0BAD_F00D));
        let mut seen = [[0u64; 2]; 256];
        let mut contexts = Contexts::default();
        let mut selected = 0usize;
        for op in ops {
            if let AdapterOp::Select { context } | AdapterOp::Swap { context } | AdapterOp::Load { context, .. } = op {
                selected = context.into();
            }
            if let Some(state) = contexts.follow(op) {
                seen[selected][1] |= state;
                seen[selected][0] |= !state;
            }
        }
        assert!(seen.iter().all(|&bits| bits == [u64::MAX; 2]));
    }

    #[test]
    fn the_round_trips_try_all_five_kinds_of_fault() {
        use FaultClass::*;
        let all = [StaleRead, LostHighWord, WrongOperator, PipelineHazard, WrongContext];
        assert_eq!(tried(&operations(Seed::new(1))), all);
        assert_eq!(tried(&operations_on_one_state(Seed::new(1))), all[..4]);
        let load = AdapterOp::Load { context: 0, reference: 0 };
        assert_eq!(tried(&[load, AdapterOp::Accumulate(1), AdapterOp::Read]), [StaleRead]);
        assert_eq!(tried(&[load, AdapterOp::Accumulate(0), AdapterOp::Read]), []);
        // One delta onto nothing is the same by every operator; one onto another is not.
        let two = [load, AdapterOp::Accumulate(3), AdapterOp::Accumulate(1), AdapterOp::Read];
        assert_eq!(tried(&two), [StaleRead, WrongOperator, PipelineHazard]);
        let apart = [load, AdapterOp::Accumulate(3), AdapterOp::Read, AdapterOp::Accumulate(1), AdapterOp::Read];
        assert_eq!(tried(&apart), [StaleRead, WrongOperator]);
    }
}
