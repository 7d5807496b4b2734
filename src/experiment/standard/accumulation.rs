//! Software accumulators, each generating and applying all deltas itself, against the reference; and the reference
//! against the closed form.
//!
//! The engine's deltas cancel in every aligned stretch of four and more, so that an accumulator could leave out whole
//! blocks of them unseen. The same number of splitmix64 deltas, which do not, closes that hole.

pub mod seams;

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::domain::case::Case;
use crate::domain::delta::{Deltas, Generator};
use crate::domain::evidence::Evidence;
use crate::domain::execution::{EngineRun, Execution};
use crate::domain::fault::FaultClass;
use crate::domain::finding::{Finding, Quantity};
use crate::domain::hex::Hex64;
use crate::domain::judge::Judge;
use crate::domain::oracle::OracleId;
use crate::domain::seed::Seed;
use crate::domain::subject::{Accumulator, SubjectError};
use crate::domain::verdict::Verdict;
use crate::domain::watch::{Unwatched, Watch};
use crate::experiment::case_text;
use crate::experiment::control::accumulator::{WrongAccumulator, sum};
use crate::experiment::control::{Control, Show, Shown, bits};
use crate::oracle::equations;
use crate::report::record::{Check, Part};
use crate::subject::scalar::{self, Scalar};
use crate::subject::simd::Simd;
use crate::subject::threads::Threads;
use crate::subject::word::Word;

use seams::{Seams, WrongRange};

/// Name of the check.
pub const ACCUMULATION: &str = "accumulation";

/// Deltas between two looks at the watch: about 50 ms on one core of the plain reference.
const SLICE: u64 = 1 << 26;

/// The plain reference's results, by generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct References {
    /// Of the engine's deltas.
    pub xorshift64: u64,
    /// Of as many splitmix64 deltas.
    pub splitmix64: u64,
}

impl References {
    /// Computes both, one delta after the other.
    pub fn of(count: u32, seed: Seed, watch: &mut dyn Watch) -> Result<Self, SubjectError> {
        let mut of = |generator| accumulate(&mut Scalar::default(), Deltas { generator, seed }, 0..count.into(), watch);
        Ok(References { xorshift64: of(Generator::Xorshift64)?, splitmix64: of(Generator::SplitMix64)? })
    }
}

/// What is in an accumulator before it takes what it is asked for: one that drops its state goes unseen on an empty one.
pub const MARK: u64 = 0x5A5A_C3C3_0F0F_9669;

/// What deltas with these indices come to, every one of them applied, watched in units of deltas.
pub fn accumulate<A: Accumulator + ?Sized>(
    accumulator: &mut A,
    deltas: Deltas,
    indices: Range<u64>,
    watch: &mut dyn Watch,
) -> Result<u64, SubjectError> {
    accumulator.reset()?;
    accumulator.deliver(&[MARK])?;
    let mut next = indices.start;
    while next < indices.end {
        if watch.stop_requested() {
            return Err(SubjectError::Interrupted);
        }
        let end = (next + SLICE).min(indices.end);
        accumulator.accumulate(deltas, next..end);
        watch.advance(end - next);
        next = end;
    }
    Ok(accumulator.observe()? ^ MARK)
}

/// Whether the reference is what the closed form says, which applies no delta at all. Where it is not, nothing can be
/// judged by it.
pub fn check_reference(references: References, count: u32, seed: Seed) -> Option<Check> {
    let closed_form = equations::right_result(EngineRun { count, active: 1, seed });
    let wrong = references.xorshift64 != closed_form;
    wrong.then(|| {
        let execution =
            Execution::Accumulate { generator: Generator::Xorshift64, start: 0, count, seed, arrive: false };
        let case = case_text(&Scalar::default(), execution);
        let during = format!("accumulation of {count} deltas");
        let finding = finding(scalar::NAME, during, (closed_form, references.xorshift64), case);
        let summary = "the reference is not what the closed form says: nothing else can be judged".to_owned();
        let subjects = BTreeMap::from([(scalar::NAME.to_owned(), Evidence::Software)]);
        judged(Judge::Reference, subjects, summary, vec![finding])
    })
}

/// Checks every accumulator against the references. `scalar` is its own reference, and is checked by its closed form.
pub fn check<A: Accumulator + ?Sized>(
    accumulators: &mut [Box<A>],
    references: References,
    seams: &Seams,
    (count, seed): (u32, Seed),
    watch: &mut dyn Watch,
) -> Result<Check, SubjectError> {
    let mut findings = Vec::new();
    let mut subjects = Vec::new();
    for accumulator in accumulators.iter_mut().filter(|accumulator| accumulator.name() != scalar::NAME) {
        findings.extend(check_one(accumulator.as_mut(), references, seams, (count, seed), watch)?);
        subjects.push((accumulator.name().to_owned(), accumulator.evidence()));
    }
    Ok(together(subjects, count, seams.ranges(), findings))
}

/// What one accumulator gets wrong.
pub fn check_one<A: Accumulator + ?Sized>(
    accumulator: &mut A,
    references: References,
    seams: &Seams,
    (count, seed): (u32, Seed),
    watch: &mut dyn Watch,
) -> Result<Vec<Finding>, SubjectError> {
    let mut findings = Vec::new();
    let both = [(Generator::Xorshift64, references.xorshift64), (Generator::SplitMix64, references.splitmix64)];
    for (generator, expected) in both {
        let got = accumulate(accumulator, Deltas { generator, seed }, 0..count.into(), watch)?;
        if got != expected {
            let execution = Execution::Accumulate { generator, start: 0, count, seed, arrive: false };
            let case = case_text(accumulator, execution);
            let during = format!("accumulation of {count} deltas");
            findings.push(finding(accumulator.name(), during, (expected, got), case));
        }
    }
    let wrong = seams.wrong(accumulator, watch)?;
    findings.extend(wrong.into_iter().map(|wrong| finding_at_seam(accumulator.name(), wrong)));
    Ok(findings)
}

/// The check of all accumulators, by what each of them gets wrong.
pub fn together(accumulators: Vec<(String, Evidence)>, count: u32, ranges: usize, findings: Vec<Finding>) -> Check {
    let reference = (scalar::NAME.to_owned(), Evidence::Software);
    let subjects = accumulators.into_iter().chain([reference]).collect();
    let summary = format!(
        "{count} xorshift64 and {count} splitmix64 deltas, every one applied, against scalar, and scalar's xorshift64 \
         against the closed form; {ranges} ranges of each that begin and end at every place of a vector block, generated \
         and from memory, and every number of workers from 1 to 8",
    );
    judged(Judge::Accumulation, subjects, summary, findings)
}

/// A range that went wrong. Ranges are tried from the shortest.
fn finding_at_seam(name: &str, wrong: WrongRange) -> Finding {
    let WrongRange { by, execution, expected, got } = wrong;
    let during = match execution {
        Execution::Accumulate { start, count, arrive: false, .. } => format!("{by}: {count} deltas from index {start}"),
        Execution::Accumulate { start, count, .. } => format!("{by}: {count} deltas from memory, from index {start}"),
        _ => by.clone(),
    };
    let case = Case { subject: by, execution, faults: Vec::new() }.to_string();
    let size = "the shortest of the ranges that were tried".to_owned();
    Finding { size, ..finding(name, during, (expected, got), case) }
}

fn finding(name: &str, during: String, (expected, got): (u64, u64), case: String) -> Finding {
    Finding {
        subject: name.to_owned(),
        evidence: Evidence::Software,
        during,
        quantity: Quantity::Result,
        expected: Hex64(expected),
        got: Hex64(got),
        reproducible: true,
        oracle: OracleId::Truth,
        case,
        size: "not made smaller".to_owned(),
    }
}

fn judged(judge: Judge, subjects: BTreeMap<String, Evidence>, summary: String, findings: Vec<Finding>) -> Check {
    let verdict = if findings.is_empty() { Verdict::Holds } else { Verdict::Falsified };
    Check {
        name: ACCUMULATION.to_owned(),
        part: Part::Orders,
        judge,
        subjects,
        verdict,
        summary,
        oracles: BTreeMap::from([(OracleId::Truth, verdict)]),
        warrant: None,
        orders: None,
        tries: vec![FaultClass::WrongAccumulation],
        findings,
    }
}

/// What is planted for the judge of the reference.
pub const CONTROLS_OF_REFERENCE: &[Control] = &[Control {
    judge: Judge::Reference,
    planted: "each bit of the reference wrong",
    show: Show::Alone(show_reference),
}];

/// What is planted for the judge of accumulators.
pub const CONTROLS: &[Control] = &[
    Control {
        judge: Judge::Accumulation,
        planted: "each bit of an accumulator's result wrong, for each generator",
        show: Show::Alone(show_accumulators),
    },
    Control {
        judge: Judge::Accumulation,
        planted: "each bit of the result of the whole run wrong, and of no other, for each generator",
        show: Show::Alone(show_whole_run),
    },
    Control {
        judge: Judge::Accumulation,
        planted: "a wrong result at some lengths alone, by some workers alone",
        show: Show::Alone(show_seams),
    },
    Control {
        judge: Judge::Accumulation,
        planted: "a wrong result under the name of each accumulator, the others right",
        show: Show::Alone(show_names),
    },
];

/// Deltas of a control, and their seed.
const OF_CONTROL: (u32, Seed) = (9, Seed::new(7));

fn references_of_control() -> References {
    let (count, seed) = OF_CONTROL;
    References::of(count, seed, &mut Unwatched).expect("software answers")
}

fn seams_of_control() -> Seams {
    Seams::of(OF_CONTROL.1).expect("software answers")
}

fn show_reference() -> Shown {
    let (count, seed) = OF_CONTROL;
    let right = references_of_control();
    Shown::of(0, bits(), |mask| {
        let references = References { xorshift64: right.xorshift64 ^ mask, ..right };
        check_reference(references, count, seed).map_or(Verdict::Holds, |check| check.verdict)
    })
}

fn show_accumulators() -> Shown {
    let seed = OF_CONTROL.1;
    let (references, seams) = (references_of_control(), seams_of_control());
    let wrong =
        [Generator::Xorshift64, Generator::SplitMix64].into_iter().flat_map(|of| bits().map(move |bit| (of, bit)));
    Shown::of((Generator::Xorshift64, 0), wrong, |(of, mask)| {
        let first = Deltas { generator: of, seed }.at(0);
        let after = move |arrived: &[u64]| sum(arrived) ^ if arrived.get(1) == Some(&first) { mask } else { 0 };
        let mut accumulators = [Box::new(WrongAccumulator::showing(after))];
        check(&mut accumulators, references, &seams, OF_CONTROL, &mut Unwatched).expect("software answers").verdict
    })
}

fn show_whole_run() -> Shown {
    let (count, seed) = OF_CONTROL;
    let references = references_of_control();
    let seams = Seams::of_one(seed, 0..1).expect("software answers");
    let wrong =
        [Generator::Xorshift64, Generator::SplitMix64].into_iter().flat_map(|of| bits().map(move |bit| (of, bit)));
    Shown::of((Generator::Xorshift64, 0), wrong, |(of, mask)| {
        let first = Deltas { generator: of, seed }.at(0);
        let is_whole = move |arrived: &[u64]| arrived.len() == count as usize + 1 && arrived[1] == first;
        let after = move |arrived: &[u64]| sum(arrived) ^ if is_whole(arrived) { mask } else { 0 };
        let mut accumulators = [Box::new(WrongAccumulator::showing(after))];
        check(&mut accumulators, references, &seams, OF_CONTROL, &mut Unwatched).expect("software answers").verdict
    })
}

fn show_seams() -> Shown {
    let (references, seams) = (references_of_control(), seams_of_control());
    // A length past a block, one below it, one of several blocks; and other workers. One more arrives before them.
    let wrong = [Some(130), Some(6), Some(301), None];
    Shown::of(Some(0), wrong, |length: Option<usize>| {
        let mask = move |arrived: &[u64]| if Some(arrived.len()) == length && length > Some(0) { 1 << 63 } else { 0 };
        let accumulator = WrongAccumulator::showing(move |arrived| sum(arrived) ^ mask(arrived));
        let accumulator = if length.is_none() { accumulator.wrong_when_rearranged() } else { accumulator };
        check(&mut [Box::new(accumulator)], references, &seams, OF_CONTROL, &mut Unwatched)
            .expect("software answers")
            .verdict
    })
}

/// An accumulator that is named in the report and never tried would hold under its name alone.
fn show_names() -> Shown {
    let (references, seams) = (references_of_control(), seams_of_control());
    let names = [Simd::NAME, Threads::NAME];
    Shown::of(None, names.map(Some), |wrong: Option<&str>| {
        let mut accumulators = names.map(|name| {
            let mask = u64::from(wrong == Some(name));
            let after = move |arrived: &[u64]| sum(arrived) ^ if arrived.len() > 1 { mask } else { 0 };
            Box::new(WrongAccumulator::showing(after).named(name))
        });
        check(&mut accumulators, references, &seams, OF_CONTROL, &mut Unwatched).expect("software answers").verdict
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::subject::Subject;
    use crate::domain::watch::Unwatched;
    use std::ops::Range;

    const SEED: Seed = Seed::new(0xDEAD_BEEF_0BAD_F00D);

    /// Applies only what does not lie in a full aligned block of 128, as a vector kernel might that forgets its blocks.
    #[derive(Default)]
    struct BlocksForgotten(Scalar);

    impl Subject for BlocksForgotten {
        fn name(&self) -> &str {
            "blocks-forgotten"
        }
        fn evidence(&self) -> Evidence {
            Evidence::Software
        }
        fn longest_order(&self) -> u64 {
            u64::MAX
        }
        fn reset(&mut self) -> Result<(), SubjectError> {
            self.0.reset()
        }
        fn deliver(&mut self, arrivals: &[u64]) -> Result<(), SubjectError> {
            self.0.deliver(arrivals)
        }
        fn observe(&mut self) -> Result<u64, SubjectError> {
            self.0.observe()
        }
    }

    impl Accumulator for BlocksForgotten {
        fn accumulate(&mut self, deltas: Deltas, indices: Range<u64>) {
            self.0.accumulate(deltas, indices.end / 128 * 128..indices.end);
        }
    }

    #[test]
    fn blocks_whose_engine_deltas_cancel_are_missed_in_the_other_deltas() {
        let references = References::of(65_537, SEED, &mut Unwatched).expect("software answers");
        let mut accumulators: Vec<Box<dyn Accumulator>> = vec![Box::new(BlocksForgotten::default())];
        let seams = Seams::of(SEED).expect("software answers");
        let check =
            check(&mut accumulators, references, &seams, (65_537, SEED), &mut Unwatched).expect("software answers");
        assert_eq!(check.verdict, Verdict::Falsified);
        // The deltas of the whole workload cancel in a block: splitmix64's do not.
        let cases: Vec<&str> = check.findings.iter().map(|finding| finding.case.as_str()).collect();
        assert!(cases.iter().any(|case| case.contains("generator=splitmix64")), "{cases:?}");
    }

    /// Starts from nothing where many deltas come together.
    #[derive(Default)]
    struct StateDropped(Scalar);

    impl Subject for StateDropped {
        fn name(&self) -> &str {
            "state-dropped"
        }
        fn evidence(&self) -> Evidence {
            Evidence::Software
        }
        fn longest_order(&self) -> u64 {
            u64::MAX
        }
        fn reset(&mut self) -> Result<(), SubjectError> {
            self.0.reset()
        }
        fn deliver(&mut self, arrivals: &[u64]) -> Result<(), SubjectError> {
            if arrivals.len() > 8 {
                self.0.reset()?;
            }
            self.0.deliver(arrivals)
        }
        fn observe(&mut self) -> Result<u64, SubjectError> {
            self.0.observe()
        }
    }

    impl Accumulator for StateDropped {
        fn accumulate(&mut self, deltas: Deltas, indices: Range<u64>) {
            self.0.accumulate(deltas, indices);
        }
    }

    #[test]
    fn an_accumulator_that_drops_its_state_before_it_takes_many_deltas_is_falsified() {
        let references = References::of(1_000, SEED, &mut Unwatched).expect("software answers");
        let mut accumulators = [Box::new(StateDropped::default())];
        let seams = Seams::of(SEED).expect("software answers");
        let check =
            check(&mut accumulators, references, &seams, (1_000, SEED), &mut Unwatched).expect("software answers");
        assert_eq!(check.verdict, Verdict::Falsified);
    }

    #[test]
    fn a_reference_that_is_not_its_closed_form_is_accused_and_no_other() {
        let references = References::of(1000, SEED, &mut Unwatched).expect("software answers");
        assert_eq!(check_reference(references, 1000, SEED), None);
        let wrong = References { xorshift64: references.xorshift64 ^ 1, ..references };
        let check = check_reference(wrong, 1000, SEED).expect("it is wrong");
        assert_eq!((check.verdict, check.findings[0].subject.as_str()), (Verdict::Falsified, scalar::NAME));
    }
}
