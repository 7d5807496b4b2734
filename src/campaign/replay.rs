//! A case again, or a whole record again.

use crate::domain::access::Access;
use crate::domain::algebra::{AlgebraError, Named};
use crate::domain::case::Case;
use crate::domain::data::DataType;
use crate::domain::delta::{Deltas, Generator};
use crate::domain::evidence::Evidence;
use crate::domain::execution::{AdapterOp, EngineRun, Execution, LawCase};
use crate::domain::finding::Quantity;
use crate::domain::hex::Hex64;
use crate::domain::json;
use crate::domain::law::Term;
use crate::domain::offline::OfflineTrial;
use crate::domain::script::text::line as script_step;
use crate::domain::subject::{Accumulator, AdapterShape, BenchDevice, Device, SubjectError};
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use crate::domain::way::Way;
use crate::engine::{self, Registration, Unknown};
use crate::experiment::devices::link_on_trial;
use crate::experiment::small_world::{self, Followed, Unfollowed};
use crate::experiment::standard::accumulation::seams;
use crate::experiment::standard::adapter_round_trips::operate;
use crate::experiment::standard::{accumulation, arrival_orders, conformance, engine_sweeps};
use crate::experiment::world;
use crate::experiment::world::reduced::Unshown;
use crate::explore::permutation::{Undeliverable, deliverable};
use crate::oracle::contexts::judged_reads;
use crate::oracle::equations;
use crate::oracle::laws::try_words;
use crate::oracle::registers::{WrongWord, judged_words};
use crate::report::record::Record;
use crate::subject::Subjects;
use crate::subject::scalar::Scalar;

/// What a case showed when it was replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// How the answers are got.
    pub evidence: Evidence,
    /// What was compared.
    pub compared: Vec<Comparison>,
    /// Holds if everything is as it should be, and could have been otherwise.
    pub verdict: Verdict,
    /// What happened, step by step, where a way was followed; what was computed, of a law.
    pub told: Vec<String>,
    /// What judges have against it, a sentence for each that has.
    pub against: Vec<String>,
    /// Why the case tells nothing, where it does not.
    pub doubt: Option<String>,
}

/// One quantity as it should be and as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Which.
    pub quantity: Quantity,
    /// As it should be.
    pub expected: Hex64,
    /// As it is.
    pub got: Hex64,
}

/// Why a case cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The subject cannot do what the case asks.
    #[error("{subject} cannot replay this case: {reason}")]
    Incapable {
        /// The subject's name.
        subject: String,
        /// What it cannot do.
        reason: String,
    },
    /// There is no such order of the workload.
    #[error(transparent)]
    Order(#[from] Undeliverable),
    /// The subject gave no answer.
    #[error(transparent)]
    Subject(#[from] SubjectError),
}

/// Replays a case on the one subject that was opened for it. What a device shows that is wrong is asked for once more:
/// it may have been the link's doing.
pub fn case(case: &Case, subjects: &mut Subjects, watch: &mut dyn Watch) -> Result<Replayed, ReplayError> {
    if let Execution::Script(script) = &case.execution {
        return replayed_script(case, script, watch);
    }
    if let Execution::Walk(way) = &case.execution {
        return replayed_way(case, way);
    }
    if let Execution::Law(law) = &case.execution {
        return replayed_law(case, law);
    }
    if let (Execution::Engine(run), [device]) = (&case.execution, &mut subjects.devices[..]) {
        let (compared, reproducible) = engine(device, *run, watch)?;
        let doubt = link_doubt(&compared, reproducible, subjects, watch)?;
        return Ok(judged(case, compared, doubt, subjects));
    }
    if let (Execution::Registers(accesses), [device]) = (&case.execution, &mut subjects.devices[..]) {
        let (compared, wrong) = registers(device, accesses, watch)?;
        let reproducible = match wrong {
            Some(wrong) => {
                let known = conformance::known(device);
                conformance::comes_again(device, known, accesses, wrong, watch)?
            }
            None => true,
        };
        let doubt = link_doubt(&compared, reproducible, subjects, watch)?;
        return Ok(judged(case, compared, doubt, subjects));
    }
    let compared = shown(case, subjects, watch)?;
    let doubtful = !is_right(&compared) && subjects.all_devices().next().is_some();
    let reproducible = !doubtful || shown(case, subjects, watch)? == compared;
    let doubt = link_doubt(&compared, reproducible, subjects, watch)?;
    Ok(judged(case, compared, doubt, subjects))
}

/// Why what is wrong may be the link's doing, if it may: it did not come again, or the link damages words.
fn link_doubt(
    compared: &[Comparison],
    reproducible: bool,
    subjects: &mut Subjects,
    watch: &mut dyn Watch,
) -> Result<Option<String>, SubjectError> {
    if is_right(compared) {
        return Ok(None);
    }
    if !reproducible {
        let otherwise = "what was wrong came otherwise when the case was repeated: the link may have damaged it";
        return Ok(Some(otherwise.to_owned()));
    }
    let Some(device) = subjects.all_devices_mut().next() else { return Ok(None) };
    let echoes = link_on_trial::listen(device, watch)?;
    Ok(echoes.and_then(link_on_trial::doubt))
}

fn is_right(compared: &[Comparison]) -> bool {
    compared.iter().all(|comparison| comparison.expected == comparison.got)
}

/// What the subject shows of a case, which is not an engine run of a device with a bench engine.
fn shown(case: &Case, subjects: &mut Subjects, watch: &mut dyn Watch) -> Result<Vec<Comparison>, ReplayError> {
    if let Execution::Delivery { count, seed, order } = &case.execution {
        deliverable(order, (*count).into(), *seed)?;
    }
    let incapable = |reason: String| ReplayError::Incapable { subject: case.subject.clone(), reason };
    let state =
        |(expected, got)| vec![Comparison { quantity: Quantity::State, expected: Hex64(expected), got: Hex64(got) }];
    let over_buses = subjects.devices.iter_mut().map(|device| device as &mut dyn Device);
    let mut devices: Vec<&mut dyn Device> =
        over_buses.chain(subjects.serials.iter_mut().map(|device| device as &mut dyn Device)).collect();
    Ok(match (&case.execution, &mut subjects.accumulators[..], &mut devices[..]) {
        (Execution::Adapter(ops), _, [device]) => {
            if device.adapter() == AdapterShape::OneState && !ops.iter().all(is_of_one_state) {
                return Err(incapable("it keeps one state: load:0, accum and read are all that it takes".to_owned()));
            }
            adapter(*device, ops, watch)?
        }
        (Execution::Engine(_), _, [_]) => return Err(incapable("it has no bench engine".to_owned())),
        (Execution::Registers(_), ..) => return Err(incapable("it has no registers".to_owned())),
        (Execution::Accumulate { generator, start, count, seed, arrive }, [accumulator], _) => {
            let deltas = Deltas { generator: *generator, seed: *seed };
            let indices = u64::from(*start)..u64::from(*start) + u64::from(*count);
            let mut sum = |accumulator: &mut dyn Accumulator, arrive: bool| match arrive {
                true => seams::arrive(accumulator, &deltas.stored(indices.clone()), 0..*count as usize),
                false => accumulation::accumulate(accumulator, deltas, indices.clone(), watch),
            };
            let got = sum(accumulator.as_mut(), *arrive)?;
            let expected = match (generator, start) {
                (Generator::Xorshift64, 0) => {
                    equations::right_result(EngineRun { count: *count, active: 1, seed: *seed })
                }
                _ => sum(&mut Scalar::default(), false)?,
            };
            vec![Comparison { quantity: Quantity::Result, expected: Hex64(expected), got: Hex64(got) }]
        }
        (Execution::Delivery { count, seed, order }, [accumulator], []) => {
            state(arrival_orders::deliver(accumulator.as_mut(), order, *count, *seed, watch)?)
        }
        (Execution::Delivery { count, seed, order }, [], [device]) => {
            let longest = device.longest_order();
            if u64::from(*count) > longest {
                return Err(incapable(format!("a device takes orders of at most {longest} deltas")));
            }
            state(arrival_orders::deliver(*device, order, *count, *seed, watch)?)
        }
        (Execution::Edits { start, clients }, ..) => {
            let found = named(case)?;
            state(world::smallest::shown(found, *start, clients)?)
        }
        (Execution::Tags { clients }, ..) => {
            let found = named(case)?;
            if !found.carries.has(DataType::Tags) {
                return Err(incapable("it carries counters alone".to_owned()));
            }
            state(world::smallest::shown_tags(found, clients)?)
        }
        (Execution::Script(_) | Execution::Walk(_), ..) => {
            return Err(incapable("it is a world of clients".to_owned()));
        }
        (Execution::Law(_), ..) => return Err(incapable("it is a law of an algebra".to_owned())),
        (Execution::Merge { start, first, second }, ..) => merge(&case.subject, *start, first, second)?,
        (Execution::Engine(_) | Execution::Adapter(_), ..) => {
            return Err(incapable("it has no engine and no adapter".to_owned()));
        }
        (Execution::Accumulate { .. } | Execution::Delivery { .. }, ..) => {
            return Err(incapable("it does not generate deltas by itself; use a case of kind engine".to_owned()));
        }
    })
}

/// The engine that the case names.
fn named(case: &Case) -> Result<&'static Registration, ReplayError> {
    engine::find(&case.subject).map_err(|error| {
        let subject = case.subject.clone();
        let reason = match error {
            Unknown::Name(_) => format!("{error}; of an engine in a process, add --engines '{subject}=cmd:COMMAND'"),
            _ => error.to_string(),
        };
        ReplayError::Incapable { subject, reason }
    })
}

/// A world that is written down, with the engine that the case names.
fn replayed_script(case: &Case, script: &OfflineTrial, watch: &mut dyn Watch) -> Result<Replayed, ReplayError> {
    let incapable = |reason: String| ReplayError::Incapable { subject: case.subject.clone(), reason };
    let engine = named(case)?;
    let shown = world::reduced::shown(script, engine, watch).map_err(|unshown| match unshown {
        Unshown::Refused(reason) => incapable(reason),
        Unshown::Failed(error) => error.into(),
    })?;
    let doubt = match (shown.verdict, &shown.unmet[..]) {
        (Verdict::Inconclusive, []) => Some("no judge can tell".to_owned()),
        (_, []) => None,
        (_, unmet) => Some(format!("the script did not go as it is written: {}", unmet.join("; "))),
    };
    let (evidence, verdict, against) = (Evidence::Software, shown.verdict, shown.against);
    let told = script.steps.iter().map(script_step).collect();
    Ok(Replayed { evidence, compared: Vec::new(), verdict, told, against, doubt })
}

/// A way through a small world, with the engine that the case names.
fn replayed_way(case: &Case, way: &Way) -> Result<Replayed, ReplayError> {
    let Followed { way_there, said, verdict } =
        small_world::follow(way, named(case)?).map_err(|unfollowed| match unfollowed {
            Unfollowed::Refused(reason) => ReplayError::Incapable { subject: case.subject.clone(), reason },
            Unfollowed::Failed(error) => error.into(),
        })?;
    let against = said.iter().filter(|(_, (verdict, _))| *verdict == Verdict::Falsified);
    let against = against.map(|(judge, (_, sentence))| format!("{judge}: {sentence}")).collect();
    let doubt = (verdict == Verdict::Inconclusive).then(|| "no judge can tell".to_owned());
    let after = "then faults are over, everyone starts and connects, and everything is delivered".to_owned();
    let told = way_there.into_iter().chain([after]).collect();
    Ok(Replayed { evidence: Evidence::Software, compared: Vec::new(), verdict, told, against, doubt })
}

/// A law of the algebra that the case names, by the words of the case.
fn replayed_law(case: &Case, law: &LawCase) -> Result<Replayed, ReplayError> {
    let incapable = |reason: String| ReplayError::Incapable { subject: case.subject.clone(), reason };
    let algebra: Named = case.subject.parse().map_err(|error: AlgebraError| incapable(error.to_string()))?;
    let witness = try_words(algebra.entry(), law).map_err(incapable)?;
    let verdict = if witness.is_some() { Verdict::Falsified } else { Verdict::Holds };
    let (told, against) = match witness {
        Some(witness) => {
            let sides = witness.sides.into_iter().filter(|side| !witness.operands.contains(side));
            let terms = witness.operands.iter().cloned().chain(sides);
            let told = terms.map(|Term { form, word, decimal }| format!("{form} = {word}  ({decimal})")).collect();
            (told, vec![format!("the law {}: {}", law.law, witness.sentence)])
        }
        None => (Vec::new(), Vec::new()),
    };
    Ok(Replayed { evidence: Evidence::Software, compared: Vec::new(), verdict, told, against, doubt: None })
}

/// Whether a device that keeps one state can carry this out.
fn is_of_one_state(op: &AdapterOp) -> bool {
    matches!(op, AdapterOp::Load { context: 0, .. } | AdapterOp::Accumulate(_) | AdapterOp::Read)
}

fn judged(case: &Case, compared: Vec<Comparison>, link_doubt: Option<String>, subjects: &Subjects) -> Replayed {
    let right = is_right(&compared);
    let doubt = if right { doubt(case, &compared, subjects) } else { link_doubt };
    let verdict = match (right, &doubt) {
        (_, Some(_)) => Verdict::Inconclusive,
        (false, None) => Verdict::Falsified,
        (true, None) => Verdict::Holds,
    };
    Replayed { evidence: evidence(subjects), compared, verdict, told: Vec::new(), against: Vec::new(), doubt }
}

/// What two sequences of the same deltas come to by an algebra; the first is what the second should.
fn merge(algebra: &str, start: u64, first: &[u64], second: &[u64]) -> Result<Vec<Comparison>, ReplayError> {
    let incapable = |reason: String| ReplayError::Incapable { subject: algebra.to_owned(), reason };
    let named: Named = algebra.parse().map_err(|error: AlgebraError| incapable(error.to_string()))?;
    let merge = named.entry().at_64.merge;
    let state = |deltas: &[u64]| Hex64(deltas.iter().fold(start, |state, &delta| merge(state, delta)));
    Ok(vec![Comparison { quantity: Quantity::State, expected: state(first), got: state(second) }])
}

/// Why a case that comes out right tells nothing: nothing in it could be judged, or what is planted did not show.
fn doubt(case: &Case, compared: &[Comparison], subjects: &Subjects) -> Option<String> {
    if compared.is_empty() {
        return Some("nothing that the case shows is determined by what it does before".to_owned());
    }
    if case.faults.is_empty() {
        return None;
    }
    let modelled = subjects.all_devices().find(|device| !device.planted().is_empty());
    let Some(device) = modelled else {
        return Some("faults are planted in a model or a simulation, and this subject is neither".to_owned());
    };
    let planted = device.planted();
    let idle: Vec<String> =
        planted.iter().filter(|(_, a)| a.changed == 0).map(|(fault, _)| fault.to_string()).collect();
    Some(match idle.len() {
        0 => "what is planted cancels in this case".to_owned(),
        _ => format!("planted and without effect in this case: {}", idle.join(", ")),
    })
}

/// The first wrong read, or the last one that can be judged; nothing if none can.
fn adapter(device: &mut dyn Device, ops: &[AdapterOp], watch: &mut dyn Watch) -> Result<Vec<Comparison>, ReplayError> {
    let shown = operate(device, ops, watch)?;
    let judged = judged_reads(ops, &shown);
    let telling = judged.iter().find(|(expected, got)| expected != got).or(judged.last());
    let comparison = |&(expected, got): &(u64, u64)| Comparison {
        quantity: Quantity::State,
        expected: Hex64(expected),
        got: Hex64(got),
    };
    Ok(telling.map(comparison).into_iter().collect())
}

/// The first wrong word, or the last one that can be judged, nothing if none can; and the wrong word by itself.
fn registers(
    device: &mut dyn BenchDevice,
    accesses: &[Access],
    watch: &mut dyn Watch,
) -> Result<(Vec<Comparison>, Option<WrongWord>), ReplayError> {
    let incapable =
        |reason: &str| ReplayError::Incapable { subject: device.name().to_owned(), reason: reason.to_owned() };
    let in_process = device.is_in_process();
    if accesses.iter().skip(1).any(|&access| access == Access::Reset) {
        return Err(incapable("a device is reset at the start of a case alone"));
    }
    if !in_process && accesses.iter().any(|access| matches!(access, Access::Reset | Access::WriteBytes(..))) {
        return Err(incapable(
            "a link can neither reset a device nor write some bytes of a word; replay it on model or rtl",
        ));
    }
    watch.begin("register accesses", accesses.len() as u64);
    let shown = device.access(accesses, watch)?;
    watch.end();
    let judged = judged_words(conformance::known(device), accesses, &shown);
    let wrong = judged.iter().find(|word| word.expected != word.got);
    let telling = wrong.or(judged.last());
    let comparison = |word: &WrongWord| Comparison {
        quantity: Quantity::Word,
        expected: Hex64(word.expected.into()),
        got: Hex64(word.got.into()),
    };
    Ok((telling.map(comparison).into_iter().collect(), wrong.copied()))
}

/// What a run shows, and whether what is wrong of it came again.
fn engine(
    device: &mut dyn BenchDevice,
    run: EngineRun,
    watch: &mut dyn Watch,
) -> Result<(Vec<Comparison>, bool), ReplayError> {
    let banks = device.identity().banks;
    if run.active > banks {
        let reason = format!("it has {banks} banks and the case wants {} active", run.active);
        return Err(ReplayError::Incapable { subject: device.name().to_owned(), reason });
    }
    watch.begin("engine run", run.count.into());
    watch.unit("deltas");
    let observed = engine_sweeps::observe(device, &[run], equations::right_result, watch)?[0];
    watch.end();
    let (expected, got) = (observed.expected, observed.got);
    let compared = vec![
        Comparison { quantity: Quantity::Result, expected: Hex64(expected.result), got: Hex64(got.result) },
        Comparison {
            quantity: Quantity::Cycles,
            expected: Hex64(expected.cycles.into()),
            got: Hex64(got.cycles.into()),
        },
    ];
    Ok((compared, observed.reproducible))
}

fn evidence(subjects: &Subjects) -> Evidence {
    subjects.all_devices().next().map_or(Evidence::Software, |device| device.evidence())
}

/// Where two records differ outside `timing` and `host`: the paths, shortest first within each part.
pub fn differences(recorded: &Record, fresh: &Record) -> Vec<String> {
    let value = |record: &Record| {
        json::to_value(&record.without_timing_and_host()).expect("a record holds nothing that JSON cannot")
    };
    let mut paths = Vec::new();
    compare("", &value(recorded), &value(fresh), &mut paths);
    paths
}

fn compare(path: &str, recorded: &serde_json::Value, fresh: &serde_json::Value, paths: &mut Vec<String>) {
    use serde_json::Value::{Array, Object};
    match (recorded, fresh) {
        (Object(a), Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let absent = serde_json::Value::Null;
                compare(&format!("{path}/{key}"), a.get(key).unwrap_or(&absent), b.get(key).unwrap_or(&absent), paths);
            }
        }
        (Array(a), Array(b)) if a.len() == b.len() => {
            for (place, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}/{place}"), a, b, paths);
            }
        }
        _ if recorded == fresh => {}
        _ => paths.push(format!("{path}: recorded {recorded}, now {fresh}")),
    }
}
