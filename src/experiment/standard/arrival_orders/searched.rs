//! Every delivered set on a device, searched: it may hold more than it shows, so that nothing is proved.
//!
//! Knows: adapter operations. Must not: give a warrant about whole orders.

use std::collections::BTreeMap;

use crate::domain::count::counted;
use crate::domain::evidence::Evidence;
use crate::domain::execution::{AdapterOp, Execution};
use crate::domain::finding::{Finding, Quantity};
use crate::domain::hex::Hex64;
use crate::domain::judge::Judge;
use crate::domain::oracle::OracleId;
use crate::domain::subject::{Device, SubjectError};
use crate::domain::verdict::{Verdict, Warrant};
use crate::domain::watch::Watch;
use crate::experiment::case_text;
use crate::experiment::standard::adapter_round_trips;
use crate::experiment::standard::arrival_orders::Workload;
use crate::experiment::walk::Walked;
use crate::explore::search::{self, Searched, Shown, Step};
use crate::report::record::{Check, Part, WalkRecord, WayRecord};
use crate::subject::walk::plan;

/// What the check is called.
pub fn name(subject: &str) -> String {
    format!("every delivered set on {subject}")
}

/// Steps that are kept, so that a device whose faults come and go with what was done before can be asked again.
const KEPT_STEPS: usize = 1024;

/// The operations of a step. The state is put back into the accumulator, where it would be, and not as a reference: a
/// delta that meets an empty accumulator is the same by every operator.
fn step_ops(from: u64, delta: u64) -> [AdapterOp; 5] {
    let empty = AdapterOp::Load { context: 0, reference: 0 };
    [empty, AdapterOp::Accumulate(from), AdapterOp::Read, AdapterOp::Accumulate(delta), AdapterOp::Read]
}

/// Searches every delivered set on a device: each state is put back, one delta accumulated, and the state read. Where the
/// device falls silent or the user stops it, what was searched until then is kept.
pub fn check(device: &mut dyn Device, workload: &Workload, watch: &mut dyn Watch) -> Walked {
    let deltas = workload.deltas();
    let (searched, mut ended, made) = search_device(device, &deltas, watch);
    let finding = match &searched.untrue {
        Some(step) if ended.is_none() => match finding(device, &deltas, step, &made, watch) {
            Ok(finding) => Some(finding),
            Err(error) => {
                ended = Some(error);
                None
            }
        },
        _ => None,
    };
    let verdict_of = |wrong: bool| match (wrong, searched.complete) {
        (true, _) => Verdict::Falsified,
        (false, true) => Verdict::Holds,
        (false, false) => Verdict::Inconclusive,
    };
    let oracles = BTreeMap::from([
        (OracleId::Invariance, verdict_of(searched.disagreement.is_some())),
        (OracleId::Truth, verdict_of(searched.untrue.is_some())),
    ]);
    let doubt = workload.untelling(&deltas);
    let verdict = match Verdict::of_set(oracles.values().copied()) {
        // What did not come again may be the link's; and what was not asked again may be, too.
        Verdict::Falsified if finding.as_ref().is_none_or(|finding| !finding.reproducible) => Verdict::Inconclusive,
        Verdict::Holds if doubt.is_some() => Verdict::Inconclusive,
        verdict => verdict,
    };
    let told = doubt.filter(|_| verdict == Verdict::Inconclusive && searched.complete);
    let check = Check {
        name: name(device.name()),
        part: Part::Orders,
        judge: Judge::Search,
        subjects: BTreeMap::from([(device.name().to_owned(), device.evidence())]),
        verdict,
        summary: told.unwrap_or_else(|| summary(&searched, ended.as_ref())),
        oracles,
        // A search is never a proof: the whole orders that are tried besides carry the warrant about those.
        warrant: (verdict == Verdict::Holds)
            .then_some(Warrant::Searched { steps: searched.steps, sets: searched.sets }),
        orders: None,
        tries: Vec::new(),
        findings: finding.into_iter().collect(),
    };
    let walk = record(name(device.name()), device.evidence(), workload, &deltas, &searched);
    Walked { check, walk, ended }
}

/// The search, why it ended early, and the first steps that were made, up to the first that went wrong.
fn search_device(
    device: &mut dyn Device,
    deltas: &[u64],
    watch: &mut dyn Watch,
) -> (Searched, Option<SubjectError>, Vec<(u64, u64)>) {
    let mut made = Vec::new();
    if let Err(error) = device.restart() {
        return (Searched::default(), Some(error), made);
    }
    watch.begin(&name(device.name()), search::steps(deltas.len() as u32));
    watch.unit("steps");
    let mut right_so_far = true;
    let step = |from: u64, delta: u64| {
        if right_so_far && made.len() < KEPT_STEPS {
            made.push((from, delta));
        }
        let shown = one_step(device, from, delta)?;
        right_so_far &= shown == (Shown { before: from, after: from ^ delta });
        Ok::<_, SubjectError>(shown)
    };
    let (searched, failed) = search::search(deltas, |state, delta| state ^ delta, step, watch);
    watch.end();
    let stopped = !searched.complete && searched.disagreement.is_none() && watch.stop_requested();
    (searched, failed.or_else(|| stopped.then_some(SubjectError::Interrupted)), made)
}

fn one_step(device: &mut dyn Device, from: u64, delta: u64) -> Result<Shown, SubjectError> {
    match device.operate(&step_ops(from, delta))?[..] {
        [before, after] => Ok(Shown { before, after }),
        ref shown => Err(SubjectError::Unavailable(format!("two READs showed {} states", shown.len()))),
    }
}

/// The step that went wrong, made once more on a device that was brought back to its opening state; and if it goes right
/// alone, all steps up to it, as far as they were kept.
fn finding(
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
        oracle: OracleId::Truth,
        case: case_text(device, Execution::Adapter(alone)),
        size: "not made smaller".to_owned(),
    })
}

/// "none", "the deltas 1, 4".
fn listed(deltas: &[u32]) -> String {
    let texts: Vec<String> = deltas.iter().map(u32::to_string).collect();
    if texts.is_empty() { "none".to_owned() } else { format!("the deltas {}", texts.join(", ")) }
}

fn summary(searched: &Searched, ended: Option<&SubjectError>) -> String {
    let Searched { steps, sets, settled, untrue, disagreement, .. } = searched;
    let (steps, sets) = (counted(steps, "step"), counted(sets, "delivered set"));
    let made = format!("{steps} over {sets}, each from a state that was put back");
    let found = match (disagreement, untrue, ended) {
        (Some(disagreement), ..) => {
            format!("two ways into one set of {} end differently", counted(disagreement.deltas.len(), "delta"))
        }
        (_, Some(step), _) => format!("a set of {} has a wrong state", counted(step.before.len() + 1, "delta")),
        (.., Some(ended)) => format!("{ended}; of up to {} all agree", counted(settled, "delta")),
        (None, None, None) if searched.complete => "all agree, and with the XOR of their deltas".to_owned(),
        (None, None, None) => "that is not all that there are: a fault of abench, please report it".to_owned(),
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
