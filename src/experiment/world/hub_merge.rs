//! The hub's merge of a delta-state engine on accumulators: every delta that came in at the hub, in order, merged again by
//! each backend, and compared with the hub byte for byte.
//!
//! Deltas of the published engine are words that XOR merges, and go to the accumulators as they came. An amount that is
//! added goes to them as the XOR of a register before and after, in a register file that is not the hub's. Both are on
//! trial: a hub that makes something else of what it takes in, and a backend that merges wrongly. What the hub takes in
//! twice, or never, is judged by the ledger. After a crash, only the hub can tell what survived: what differs then is
//! merged as it is, and counted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::data::View;
use crate::domain::evidence::Evidence;
use crate::domain::judge::Judge;
use crate::domain::offline::OfflineTrial;
use crate::domain::oracle::OracleId;
use crate::domain::subject::{Subject, SubjectError};
use crate::domain::verdict::Verdict;
use crate::engine::Registration;
use crate::experiment::control::accumulator::{WrongAccumulator, sum};
use crate::experiment::control::{Control, Show, Shown, bits};
use crate::lab::Outcome;
use crate::report::offline_record::MergeRecord;
use crate::report::record::{Check, Part};
use crate::subject::Subjects;

/// What the names of these checks begin with.
const NAME: &str = "hub merge of ";

/// The name of the check of an engine's merges.
pub fn name(engine: &str) -> String {
    format!("{NAME}{engine}")
}

/// Whether it is a check of a merge.
pub fn is_merge(check: &Check) -> bool {
    check.name.starts_with(NAME)
}

/// Why a hub's merge is not compared.
pub const SET_BACK: &str = "the hub loses its store in this world, and what it has then is not what it merged";

/// Whether the hub loses its store: what it has then is not what it merged.
pub fn is_set_back(trial: &OfflineTrial) -> bool {
    trial.faults.iter().any(|fault| fault.node == "hub" && fault.kind.loses_store())
}

/// What a hub merged, and what it shows in the end.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Merged {
    /// Register, and the XOR of before and after, of every merge.
    words: Vec<(u32, u64)>,
    /// Changes that only a start explains.
    by_starts: u64,
    /// The counters.
    shown: Vec<i64>,
}

impl Merged {
    /// Whether it names the registers of this world, and no others.
    pub(super) fn is_of(&self, trial: &OfflineTrial) -> bool {
        let registers = trial.registers;
        self.shown.len() >= registers as usize && self.words.iter().all(|(register, _)| *register < registers)
    }

    /// Of a world whose hub was traced.
    pub(super) fn of(trial: &OfflineTrial, outcome: &Outcome) -> Option<Self> {
        let hub = trial.name(trial.clients);
        let end = outcome.history.ends.iter().find(|end| end.name == hub)?;
        let trace = outcome.trace.as_ref()?;
        let shown = end.registers.iter().take(trial.registers as usize).filter_map(View::number).collect();
        Some(Merged { words: trace.words.clone(), by_starts: trace.by_starts, shown })
    }
}

/// Compares the hub of a world with every backend.
pub(super) fn compare(
    trial: &OfflineTrial,
    engine: &Registration,
    merged: &Merged,
    subjects: &mut Subjects,
    records: &mut Vec<MergeRecord>,
) -> Result<(), SubjectError> {
    let mut arrived: BTreeMap<u32, Vec<u64>> = (0..trial.registers).map(|register| (register, Vec::new())).collect();
    for &(register, word) in &merged.words {
        arrived.entry(register).or_default().push(word);
    }
    let accumulators = subjects.accumulators.iter_mut().map(|subject| subject.as_mut() as &mut dyn Subject);
    let devices = subjects.devices.iter_mut().map(|device| device as &mut dyn Subject);
    for subject in accumulators.chain(devices) {
        let mut record = MergeRecord {
            engine: engine.name.to_owned(),
            backend: subject.name().to_owned(),
            evidence: subject.evidence(),
            merges: merged.words.len() as u64,
            by_starts: merged.by_starts,
            compared: 0,
            different: 0,
        };
        merge_all(subject, trial.start, &arrived, &merged.shown, &mut record)?;
        records.push(record);
    }
    Ok(())
}

/// Has a backend merge what arrived for each register, and compares it with what the hub shows of them.
fn merge_all(
    subject: &mut dyn Subject,
    start: i64,
    arrived: &BTreeMap<u32, Vec<u64>>,
    shown: &[i64],
    record: &mut MergeRecord,
) -> Result<(), SubjectError> {
    let at_once = usize::try_from(subject.longest_order()).unwrap_or(usize::MAX).max(1);
    for (&register, words) in arrived {
        // Where nothing came in there is nothing to merge, and the register is as it was at the start.
        let mut merged = start as u64;
        if !words.is_empty() {
            subject.reset()?;
            words.chunks(at_once).try_for_each(|some| subject.deliver(some))?;
            merged ^= subject.observe()?;
        }
        let shown = shown[register as usize] as u64;
        record.compared += 8;
        record.different +=
            merged.to_be_bytes().iter().zip(shown.to_be_bytes()).filter(|(a, b)| **a != *b).count() as u64;
    }
    Ok(())
}

/// A check for each engine that was merged on accumulators.
pub fn checks(records: &[MergeRecord]) -> Vec<Check> {
    let of_engine = records.chunk_by(|one, next| one.engine == next.engine);
    of_engine.map(|records| check(&records[0].engine, records)).collect()
}

fn check(engine: &str, records: &[MergeRecord]) -> Check {
    let different: u64 = records.iter().map(|record| record.different).sum();
    let compared: u64 = records.iter().map(|record| record.compared).sum();
    let merges = records[0].merges;
    let verdict = match (different, merges) {
        (1.., _) => Verdict::Falsified,
        (0, 0) => Verdict::Inconclusive,
        (0, _) => Verdict::Holds,
    };
    let subjects: BTreeMap<String, Evidence> =
        records.iter().map(|record| (record.backend.clone(), record.evidence)).collect();
    Check {
        name: format!("{NAME}{engine}"),
        part: Part::Replicas,
        judge: Judge::HubMerge,
        subjects,
        verdict,
        summary: format!(
            "{merges} merges each, compared with the hub byte for byte: {different} of {compared} bytes differ"
        ),
        oracles: BTreeMap::from([(OracleId::Truth, verdict)]),
        warrant: None,
        orders: None,
        // What the hub lost is not seen here.
        tries: Vec::new(),
        findings: Vec::new(),
    }
}

/// What is planted for the judge of hub merges.
pub const CONTROLS: &[Control] = &[Control {
    judge: Judge::HubMerge,
    planted: "each bit of a register wrong, in each register in turn, at the backend and at the hub",
    show: Show::Alone(show_merges),
}];

/// Registers of the control.
const REGISTERS: u32 = 3;

fn show_merges() -> Shown {
    let places = (0..REGISTERS).cycle();
    let at = |hub: bool| bits().zip(places.clone()).map(move |(mask, register)| (hub, register, mask));
    Shown::of((false, 0, 0), at(false).chain(at(true)), |(at_hub, wrong, mask)| {
        let arrived: BTreeMap<u32, Vec<u64>> = (0..REGISTERS).map(|r| (r, vec![1 << r, 0xFF00 << r])).collect();
        let due = |register: u32| 100 ^ sum(&arrived[&register]);
        let mask_at = |register, hub| if (register, hub) == (wrong, at_hub) { mask } else { 0 };
        let shown: Vec<i64> = (0..REGISTERS).map(|r| (due(r) ^ mask_at(r, true)) as i64).collect();
        let (first, mask) = (arrived[&wrong][0], mask_at(wrong, false));
        let after = move |words: &[u64]| sum(words) ^ if words.first() == Some(&first) { mask } else { 0 };
        let mut backend = WrongAccumulator::showing(after);
        let mut record = MergeRecord {
            engine: "control".to_owned(),
            backend: backend.name().to_owned(),
            evidence: backend.evidence(),
            merges: 2 * u64::from(REGISTERS),
            by_starts: 0,
            compared: 0,
            different: 0,
        };
        merge_all(&mut backend, 100, &arrived, &shown, &mut record).expect("software answers");
        checks(&[record])[0].verdict
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Intent;
    use crate::domain::history::{Fate, UserEdit};
    use crate::domain::watch::Unwatched;
    use crate::engine;
    use crate::experiment::world::faultless::faultless_trial;
    use crate::lab::{World, settings};
    use crate::subject::{Conditions, backends, open};

    fn words(outcome: &mut Outcome) -> &mut Vec<(u32, u64)> {
        &mut outcome.trace.as_mut().expect("it was traced").words
    }

    /// What is found against a hub that was changed like this.
    fn against(name: &str, change: impl Fn(&mut Outcome)) -> Vec<(u64, u64)> {
        let trial = faultless_trial(2, 4, 100);
        let engine = engine::find(name).expect("an engine");
        let edit =
            |register, amount| UserEdit { at: 5, register, intent: Intent::Increase(amount), fate: Fate::Binding };
        let users = vec![vec![edit(0, 5), edit(1, -300)], vec![edit(0, 7), edit(3, 1 << 40)]];
        let world = World::new(&trial, engine, &settings(&trial, None)).expect("a world");
        let mut outcome = world.with_users(users).traced(2).run(&mut Unwatched).expect("it ends");
        change(&mut outcome);
        let conditions =
            Conditions { threads: std::num::NonZeroUsize::MIN, faults: Vec::new(), link: Default::default() };
        let named = backends(["scalar", "model"]).expect("they are there");
        let mut subjects = open(&named, &conditions).expect("they open");
        let mut records = Vec::new();
        let merged = Merged::of(&trial, &outcome).expect("the hub was traced");
        compare(&trial, engine, &merged, &mut subjects, &mut records).expect("they answer");
        assert_eq!(checks(&records)[0].verdict == Verdict::Holds, records.iter().all(|record| record.different == 0));
        records.iter().map(|record| (record.compared, record.different)).collect()
    }

    #[test]
    fn a_hub_is_compared_with_what_backends_merge_and_not_with_itself() {
        for engine in engine::REGISTRY.iter().filter(|engine| engine.tells_merges) {
            let name = engine.name;
            assert_eq!(against(name, |_| {}), [(32, 0); 2], "{name}");
            // The hub shows another bit than was merged.
            let shown = |outcome: &mut Outcome| {
                let view = &mut outcome.history.ends[2].registers[3];
                *view = (view.number().unwrap_or(0) ^ 1 << 50).into();
            };
            assert_eq!(against(name, shown), [(32, 1); 2], "{name}");
            // What arrived is not what the hub shows.
            let arrived = |outcome: &mut Outcome| words(outcome)[0].1 ^= 0x0101;
            assert_eq!(against(name, arrived), [(32, 2); 2], "{name}");
            let lost = |outcome: &mut Outcome| words(outcome).truncate(1);
            assert!(against(name, lost).iter().all(|&(_, different)| different > 0), "{name}");
        }
    }
}
