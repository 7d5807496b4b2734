//! Every delivered set of a workload's deltas: walked over where a state can be put back, searched where it may hold more
//! than it shows.

use std::collections::BTreeMap;

use crate::campaign::arrival_orders::Workload;
use crate::campaign::{adapter_round_trips, case_text, walk};
use crate::domain::delta::Deltas;
use crate::domain::evidence::Evidence;
use crate::domain::execution::{AdapterOp, Execution};
use crate::domain::fault::FaultClass;
use crate::domain::finding::{Finding, Quantity};
use crate::domain::hex::Hex64;
use crate::domain::order::Order;
use crate::domain::subject::{Device, SubjectError};
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use crate::explore::exhaustive::{Disagreement, Judgement, Limits, Outcome, Unsettled, Way};
use crate::explore::search::{self, Searched, Shown, Step};
use crate::report::record::{Check, Part, WalkRecord, WayRecord};
use crate::subject::walk::{Truth, Walkable, plan};

/// A check, what it covered, and why it ended early, where it did.
pub struct EverySet {
    /// The check.
    pub check: Check,
    /// What it covered.
    pub walk: WalkRecord,
    /// Why it ended early.
    pub ended: Option<SubjectError>,
}

/// Name of the check of a software accumulator.
pub fn walked_name(subject: &str) -> String {
    format!("every order on {subject}")
}

/// Name of the check of a device.
pub fn searched_name(subject: &str) -> String {
    format!("every delivered set on {subject}")
}

fn deltas(workload: &Workload) -> Vec<u64> {
    let generated = Deltas::of_engine(workload.seed);
    (0..u64::from(workload.count)).map(|index| generated.at(index)).collect()
}

/// Why agreement tells nothing, if it does not.
fn untelling(deltas: &[u64]) -> Option<String> {
    let all_zero = deltas.iter().all(|&delta| delta == 0);
    all_zero.then(|| "every state is right to be 0: a subject that does nothing passes".to_owned())
}

/// Walks over every order on an accumulator whose state is one word, and holds every set against the truth.
pub fn walked(
    accumulator: &dyn Walkable,
    workload: &Workload,
    limits: &Limits,
    watch: &mut dyn Watch,
) -> Result<EverySet, SubjectError> {
    let deltas = deltas(workload);
    let plan = plan(workload.count);
    let outcome =
        accumulator.walk(&deltas, limits, watch).map_err(|refused| SubjectError::Unavailable(refused.to_string()))?;
    let truth = match outcome.judgement {
        Judgement::Agree => accumulator.compare(&deltas, watch),
        _ => Truth::Stopped,
    };
    let name = walked_name(accumulator.name());
    let walk = walk::record(name.clone(), accumulator.evidence(), &plan, &deltas, &outcome);
    let oracles = BTreeMap::from([
        ("invariance".to_owned(), outcome.verdict()),
        (
            "truth".to_owned(),
            match &truth {
                Truth::Right => Verdict::Holds,
                Truth::Wrong { .. } => Verdict::Falsified,
                Truth::Stopped => Verdict::Inconclusive,
            },
        ),
    ]);
    let doubt = untelling(&deltas);
    let verdict = match (&outcome.judgement, &truth) {
        (Judgement::Disagree(_), _) | (_, Truth::Wrong { .. }) => Verdict::Falsified,
        (Judgement::Agree, Truth::Right) if doubt.is_none() => Verdict::Holds,
        _ => Verdict::Inconclusive,
    };
    let finding = finding_of_walk(accumulator, workload, &deltas, &outcome, &truth);
    let stopped = matches!(outcome.judgement, Judgement::Inconclusive(Unsettled::Stopped))
        || (outcome.judgement == Judgement::Agree && truth == Truth::Stopped);
    let compared = match &truth {
        Truth::Right => "; every set's state byte for byte against the XOR of its deltas",
        Truth::Wrong { .. } => "; and they agree on a wrong state",
        Truth::Stopped => "; not held against the truth",
    };
    let told = format!("{}{compared}", walk::summary(&plan, &outcome));
    let check = Check {
        name,
        part: Part::Orders,
        subjects: BTreeMap::from([(accumulator.name().to_owned(), accumulator.evidence())]),
        verdict,
        summary: doubt.filter(|_| verdict == Verdict::Inconclusive).unwrap_or(told),
        oracles,
        warrant: walk::warrant(&plan, &outcome).filter(|_| verdict == Verdict::Holds),
        orders: None,
        tries: if deltas.len() > 1 { vec![FaultClass::OrderDependence] } else { Vec::new() },
        findings: finding.into_iter().collect(),
    };
    Ok(EverySet { check, walk, ended: stopped.then_some(SubjectError::Interrupted) })
}

/// The sequence that shows what is wrong, as a delivery that can be replayed.
fn finding_of_walk(
    accumulator: &dyn Walkable,
    workload: &Workload,
    deltas: &[u64],
    outcome: &Outcome,
    truth: &Truth,
) -> Option<Finding> {
    let sum = |indices: &[u32]| indices.iter().fold(0, |state, &index| state ^ deltas[index as usize]);
    let (sequence, expected, got, oracle, size) = match (&outcome.judgement, truth) {
        (Judgement::Disagree(Disagreement { deltas: of, first, second, smallest }), _) => {
            let right = sum(&first.deliveries);
            // Of two ways that end differently at least one is wrong.
            let wrong = if walk::word(&first.shown) == right { second } else { first };
            let Way { deliveries, shown } = wrong;
            let size = walk::size(&plan(workload.count), of.len(), *smallest);
            (deliveries.clone(), right, walk::word(shown), "invariance", size)
        }
        (_, Truth::Wrong { deltas: of, expected, got }) => {
            let size = format!("{} deltas; every set of fewer has the right state", of.len());
            (of.clone(), *expected, *got, "truth", size)
        }
        _ => return None,
    };
    let execution = Execution::Delivery { count: workload.count, seed: workload.seed, order: Order::Exactly(sequence) };
    Some(Finding {
        subject: accumulator.name().to_owned(),
        evidence: accumulator.evidence(),
        during: plan(workload.count).describe(),
        quantity: Quantity::State,
        expected: Hex64(expected),
        got: Hex64(got),
        reproducible: true,
        oracle: oracle.to_owned(),
        case: case_text(accumulator, execution),
        size,
    })
}

/// Steps that are kept, so that a device whose faults come and go with what was done before can be asked again.
const KEPT_STEPS: usize = 1024;

/// The operations of a step. The state is put back into the accumulator, where it would be, and not as a reference: a
/// delta that meets an empty accumulator is the same by every operator.
fn step_ops(from: u64, delta: u64) -> [AdapterOp; 5] {
    let empty = AdapterOp::Load { context: 0, reference: 0 };
    [empty, AdapterOp::Accumulate(from), AdapterOp::Read, AdapterOp::Accumulate(delta), AdapterOp::Read]
}

/// Searches every delivered set on a device: each state is put back, one delta accumulated, and the state read.
pub fn searched(device: &mut dyn Device, workload: &Workload, watch: &mut dyn Watch) -> Result<EverySet, SubjectError> {
    let deltas = deltas(workload);
    let name = searched_name(device.name());
    watch.begin(&name, search::steps(workload.count));
    device.restart()?;
    let mut made = Vec::new();
    let mut right_so_far = true;
    let mut step = |from: u64, delta: u64| {
        if right_so_far && made.len() < KEPT_STEPS {
            made.push((from, delta));
        }
        let shown = one_step(device, from, delta)?;
        right_so_far &= shown == (Shown { before: from, after: from ^ delta });
        Ok::<_, SubjectError>(shown)
    };
    let searched = search::search(&deltas, |state, delta| state ^ delta, &mut step, watch)?;
    watch.end();
    let finding = match &searched.untrue {
        Some(step) => Some(finding_of_search(device, &deltas, step, &made, watch)?),
        None => None,
    };
    let verdict_of = |wrong: bool| match (wrong, searched.complete) {
        (true, _) => Verdict::Falsified,
        (false, true) => Verdict::Holds,
        (false, false) => Verdict::Inconclusive,
    };
    let oracles = BTreeMap::from([
        ("invariance".to_owned(), verdict_of(searched.disagreement.is_some())),
        ("truth".to_owned(), verdict_of(searched.untrue.is_some())),
    ]);
    let doubt = untelling(&deltas);
    let verdict = match Verdict::of_set(oracles.values().copied()) {
        Verdict::Falsified if finding.as_ref().is_some_and(|finding| !finding.reproducible) => Verdict::Inconclusive,
        Verdict::Holds if doubt.is_some() => Verdict::Inconclusive,
        verdict => verdict,
    };
    let told = doubt.filter(|_| verdict == Verdict::Inconclusive).unwrap_or_else(|| summary(&searched));
    let stopped = !searched.complete && searched.disagreement.is_none();
    let check = Check {
        name: name.clone(),
        part: Part::Orders,
        subjects: BTreeMap::from([(device.name().to_owned(), device.evidence())]),
        verdict,
        summary: told,
        oracles,
        // A search is never a proof: the whole orders that are tried besides carry the warrant.
        warrant: None,
        orders: None,
        tries: Vec::new(),
        findings: finding.into_iter().collect(),
    };
    let walk = record(name, device.evidence(), workload, &deltas, &searched);
    Ok(EverySet { check, walk, ended: stopped.then_some(SubjectError::Interrupted) })
}

fn one_step(device: &mut dyn Device, from: u64, delta: u64) -> Result<Shown, SubjectError> {
    match device.operate(&step_ops(from, delta))?[..] {
        [before, after] => Ok(Shown { before, after }),
        ref shown => Err(SubjectError::Unavailable(format!("two READs showed {} states", shown.len()))),
    }
}

/// The step that went wrong, made once more on a device that was brought back to its opening state; and if it goes right
/// alone, all steps up to it, as far as they were kept.
fn finding_of_search(
    device: &mut dyn Device,
    deltas: &[u64],
    step: &Step,
    made: &[(u64, u64)],
    watch: &mut dyn Watch,
) -> Result<Finding, SubjectError> {
    let Step { before, from, delta, .. } = step;
    let value = deltas[*delta as usize];
    let during = format!("delta {delta} after {}", listed(before));
    let alone = step_ops(*from, value).to_vec();
    let all: Vec<AdapterOp> = made.iter().flat_map(|&(from, delta)| step_ops(from, delta)).collect();
    for ops in [&alone, &all] {
        if let Some(finding) = adapter_round_trips::judge(device, ops, &during, watch)?.finding {
            return Ok(finding);
        }
    }
    let (expected, got) =
        if step.shown.before == *from { (step.truth, step.shown.after) } else { (*from, step.shown.before) };
    Ok(Finding {
        subject: device.name().to_owned(),
        evidence: device.evidence(),
        during,
        quantity: Quantity::State,
        expected: Hex64(expected),
        got: Hex64(got),
        reproducible: false,
        oracle: "truth".to_owned(),
        case: case_text(device, Execution::Adapter(alone)),
        size: "not made smaller".to_owned(),
    })
}

/// "none", "the deltas 1, 4".
fn listed(deltas: &[u32]) -> String {
    let texts: Vec<String> = deltas.iter().map(u32::to_string).collect();
    if texts.is_empty() { "none".to_owned() } else { format!("the deltas {}", texts.join(", ")) }
}

fn summary(searched: &Searched) -> String {
    let Searched { steps, sets, settled, untrue, disagreement, complete } = searched;
    let made = format!("{steps} steps over {sets} delivered sets, each from a state that was put back");
    let found = match (disagreement, untrue, complete) {
        (Some(disagreement), _, _) => {
            format!("two ways into one set of {} deltas end differently", disagreement.deltas.len())
        }
        (None, Some(step), _) => format!("a set of {} deltas has a wrong state", step.before.len() + 1),
        (None, None, true) => "all agree, and with the XOR of their deltas".to_owned(),
        (None, None, false) => format!("stopped by the user; of up to {settled} deltas all agree"),
    };
    format!("a search, and no proof: {made}; {found}")
}

fn record(name: String, evidence: Evidence, workload: &Workload, deltas: &[u64], searched: &Searched) -> WalkRecord {
    let plan = plan(workload.count);
    let ways = searched.disagreement.iter().flat_map(|disagreement| {
        [disagreement.one, disagreement.other].map(|(last, state)| {
            let before = disagreement.deltas.iter().copied().filter(|&delta| delta != last);
            let deltas = before.chain([last]).map(|delta| (delta, Hex64(deltas[delta as usize]))).collect();
            WayRecord { deltas, state: Hex64(state) }
        })
    });
    WalkRecord {
        check: name,
        evidence,
        schedules: plan.describe(),
        proved: "0".to_owned(),
        of: plan.orders().to_string(),
        merges: searched.steps,
        sets: searched.sets,
        snapshots: searched.sets,
        settled: searched.settled,
        assumptions: vec!["Nothing: what a device holds beside the state that it shows is not put back.".to_owned()],
        ways: ways.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::seed::Seed;
    use crate::domain::subject::{Accumulator, Subject, WordState};
    use crate::domain::trial::Budget;
    use crate::domain::watch::Unwatched;
    use std::num::NonZeroUsize;
    use std::ops::Range;

    /// An accumulator of which only its merge matters.
    struct Merges(fn(u64, u64) -> u64);

    impl WordState for Merges {
        fn after(&self, state: u64, arrivals: &[u64]) -> u64 {
            arrivals.iter().fold(state, |state, &delta| self.0(state, delta))
        }
    }

    impl Subject for Merges {
        fn name(&self) -> &str {
            "merges"
        }
        fn evidence(&self) -> Evidence {
            Evidence::Software
        }
        fn longest_order(&self) -> u64 {
            u64::MAX
        }
        fn reset(&mut self) -> Result<(), SubjectError> {
            Ok(())
        }
        fn deliver(&mut self, _arrivals: &[u64]) -> Result<(), SubjectError> {
            Ok(())
        }
        fn observe(&mut self) -> Result<u64, SubjectError> {
            Ok(0)
        }
    }

    impl Accumulator for Merges {
        fn accumulate(&mut self, _deltas: Deltas, _indices: Range<u64>) {}
    }

    fn walked_by(merge: fn(u64, u64) -> u64, seed: u64) -> EverySet {
        let (count, seed, budget) = (9, Seed::new(seed), Budget::deliveries(1 << 20));
        let workload =
            Workload { count, seed, truth: 0, budget, memory: 1 << 20, banks: 8, software: true, devices: false };
        let limits = Limits { memory: 1 << 20, deliveries: 1 << 20, threads: NonZeroUsize::MIN };
        walked(&Merges(merge), &workload, &limits, &mut Unwatched).expect("it fits")
    }

    fn verdicts(merge: fn(u64, u64) -> u64) -> (Verdict, Verdict, Verdict, Option<String>) {
        let EverySet { check, .. } = walked_by(merge, 7);
        let finding = check.findings.first().map(|finding| finding.case.clone());
        assert_eq!(check.warrant.is_some(), check.verdict == Verdict::Holds);
        (check.verdict, check.oracles["invariance"], check.oracles["truth"], finding)
    }

    #[test]
    fn what_agrees_on_a_wrong_state_is_falsified_by_the_truth_and_what_does_not_agree_by_invariance() {
        use Verdict::*;
        assert_eq!(verdicts(|state, delta| state ^ delta), (Holds, Holds, Holds, None));
        let case = |order| Some(format!("case1,merges,delivery,count=9,seed=0x0000000000000007,order=exactly:{order}"));
        // Whatever the order, the bits that two deltas share stay.
        assert_eq!(verdicts(|state, delta| state | delta), (Falsified, Holds, Falsified, case("0.1")));
        assert_eq!(verdicts(|_, delta| delta), (Falsified, Falsified, Inconclusive, case("0.1")));
        // Nothing arrives: one delta is enough to tell.
        assert_eq!(verdicts(|state, _| state), (Falsified, Holds, Falsified, case("0")));
    }
}
