//! Software accumulators, each generating and applying all deltas itself, against the reference; and the reference
//! against the closed form.

use std::collections::BTreeMap;

use crate::campaign::case_text;
use crate::domain::delta::Deltas;
use crate::domain::evidence::Evidence;
use crate::domain::execution::{EngineRun, Execution};
use crate::domain::fault::FaultClass;
use crate::domain::finding::{Finding, Quantity};
use crate::domain::hex::Hex64;
use crate::domain::seed::Seed;
use crate::domain::subject::{Accumulator, SubjectError};
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use crate::oracle::equations;
use crate::report::record::Check;
use crate::subject::scalar::{self, Scalar};

/// Name of the check.
pub const ACCUMULATION: &str = "accumulation";

/// Deltas between two looks at the watch: about 50 ms on one core of the plain reference.
const SLICE: u64 = 1 << 26;

/// The state after deltas `0..count`, every one of them applied, watched in units of deltas.
pub fn accumulate(
    accumulator: &mut dyn Accumulator,
    count: u32,
    seed: Seed,
    watch: &mut dyn Watch,
) -> Result<u64, SubjectError> {
    accumulator.reset()?;
    let mut next = 0;
    while next < u64::from(count) {
        if watch.stop_requested() {
            return Err(SubjectError::Interrupted);
        }
        let end = (next + SLICE).min(count.into());
        accumulator.accumulate(Deltas::of_engine(seed), next..end);
        watch.advance(end - next);
        next = end;
    }
    accumulator.observe()
}

/// Checks every accumulator against `reference`, the plain one's result, and that against the closed form.
pub fn check(
    accumulators: &mut [Box<dyn Accumulator>],
    reference: u64,
    count: u32,
    seed: Seed,
    watch: &mut dyn Watch,
) -> Result<Check, SubjectError> {
    let mut findings = Vec::new();
    let mut subjects = BTreeMap::from([(scalar::NAME.to_owned(), Evidence::Software)]);
    let closed_form = equations::right_result(EngineRun { count, active: 1, seed });
    let finding = |name: &str, expected: u64, got: u64, case: String| Finding {
        subject: name.to_owned(),
        evidence: Evidence::Software,
        during: format!("accumulation of {count} deltas"),
        quantity: Quantity::Result,
        expected: Hex64(expected),
        got: Hex64(got),
        reproducible: true,
        oracle: "truth".to_owned(),
        case,
        size: "not made smaller".to_owned(),
    };
    if reference != closed_form {
        let case = case_text(&Scalar::default(), Execution::Accumulate { count, seed });
        findings.push(finding(scalar::NAME, closed_form, reference, case));
    }
    for accumulator in accumulators.iter_mut().filter(|accumulator| accumulator.name() != scalar::NAME) {
        let got = accumulate(accumulator.as_mut(), count, seed, watch)?;
        subjects.insert(accumulator.name().to_owned(), accumulator.evidence());
        if got != reference {
            let case = case_text(accumulator.as_ref(), Execution::Accumulate { count, seed });
            findings.push(finding(accumulator.name(), reference, got, case));
        }
    }
    Ok(Check {
        name: ACCUMULATION.to_owned(),
        subjects,
        verdict: if findings.is_empty() { Verdict::Holds } else { Verdict::Falsified },
        summary: format!("{count} deltas, every one applied, against scalar, and scalar against the closed form"),
        warrant: None,
        orders: None,
        tries: vec![FaultClass::WrongAccumulation],
        findings,
    })
}
