//! Every order on an accumulator whose state is one word: walked over, and every delivered set held against the truth.
//!
//! Knows: accumulators that can be walked over. Must not: speak of a device, whose state cannot be put back.

use std::collections::BTreeMap;

use crate::campaign::arrival_orders::Workload;
use crate::campaign::case_text;
use crate::campaign::walk::{self, Walked};
use crate::domain::execution::Execution;
use crate::domain::fault::FaultClass;
use crate::domain::finding::{Finding, Quantity};
use crate::domain::hex::Hex64;
use crate::domain::judge::Judge;
use crate::domain::order::Order;
use crate::domain::subject::SubjectError;
use crate::domain::verdict::{Verdict, Warrant};
use crate::domain::watch::Watch;
use crate::explore::exhaustive::{Disagreement, Judgement, Limits, Outcome, Unsettled, Way};
use crate::report::record::{Check, Part, WalkRecord};
use crate::subject::walk::{Truth, Walkable, plan};

/// What a walk takes for granted beside what every walk does. An accumulator may take what arrives together by other code
/// than what arrives alone: vectors, threads.
const ONE_BY_ONE: &str = "Each delta was delivered by itself: that deltas which arrive together lead to the same state rests \
                          on the whole orders that were tried besides.";

/// What the check is called.
pub fn name(subject: &str) -> String {
    format!("every order on {subject}")
}

/// Walks over every order on an accumulator whose state is one word, and holds every set against the truth.
pub fn check(
    accumulator: &dyn Walkable,
    workload: &Workload,
    limits: &Limits,
    watch: &mut dyn Watch,
) -> Result<Walked, SubjectError> {
    let deltas = workload.deltas();
    let plan = plan(workload.count);
    let outcome =
        accumulator.walk(&deltas, limits, watch).map_err(|refused| SubjectError::Unavailable(refused.to_string()))?;
    let truth = match outcome.judgement {
        Judgement::Agree => accumulator.compare(&deltas, watch),
        _ => Truth::Stopped,
    };
    let name = name(accumulator.name());
    let mut walk = walk::record(name.clone(), accumulator.evidence(), &plan, &deltas, &outcome);
    walk.assumptions.push(ONE_BY_ONE.to_owned());
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
    let doubt = workload.untelling(&deltas);
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
        judge: Judge::EverySet,
        subjects: BTreeMap::from([(accumulator.name().to_owned(), accumulator.evidence())]),
        verdict,
        summary: doubt.filter(|_| verdict == Verdict::Inconclusive).unwrap_or(told),
        oracles,
        warrant: warrant(&walk).filter(|_| verdict == Verdict::Holds),
        orders: None,
        tries: if deltas.len() > 1 { vec![FaultClass::OrderDependence] } else { Vec::new() },
        findings: finding.into_iter().collect(),
    };
    Ok(Walked { check, walk, ended: stopped.then_some(SubjectError::Interrupted) })
}

/// What the walk is worth, if all that it covered holds.
fn warrant(walk: &WalkRecord) -> Option<Warrant> {
    let WalkRecord { proved, schedules, assumptions, .. } = walk;
    let all = proved == &walk.of;
    all.then(|| Warrant::Walked { schedules: proved.clone(), of: schedules.clone(), assumptions: assumptions.clone() })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::case::Case;
    use crate::domain::delta::Deltas;
    use crate::domain::evidence::Evidence;
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

    fn walked_by(merge: fn(u64, u64) -> u64, seed: u64) -> Walked {
        walked_over(merge, 9, seed, &mut Unwatched)
    }

    fn walked_over(merge: fn(u64, u64) -> u64, count: u32, seed: u64, watch: &mut dyn Watch) -> Walked {
        let (seed, budget) = (Seed::new(seed), Budget::deliveries(1 << 20));
        let workload = Workload {
            scenario: None,
            count,
            seed,
            truth: 0,
            budget,
            memory: 1 << 20,
            banks: 8,
            software: true,
            devices: false,
        };
        let limits = Limits { memory: 1 << 20, deliveries: 1 << 24, threads: NonZeroUsize::MIN };
        check(&Merges(merge), &workload, &limits, watch).expect("it fits")
    }

    fn verdicts(merge: fn(u64, u64) -> u64) -> (Verdict, Verdict, Verdict, Option<String>) {
        let Walked { check, .. } = walked_by(merge, 7);
        let finding = check.findings.first().map(|finding| finding.case.clone());
        for finding in &check.findings {
            let Ok(Case { execution: Execution::Delivery { order: Order::Exactly(order), .. }, .. }) =
                finding.case.parse()
            else {
                panic!("{finding:?} is a delivery")
            };
            let deltas = Deltas::of_engine(Seed::new(7));
            let after = |merge: &dyn Fn(u64, u64) -> u64| order.iter().fold(0, |s, &d| merge(s, deltas.at(d.into())));
            assert_eq!((finding.expected.0, finding.got.0), (after(&|s, d| s ^ d), after(&merge)));
        }
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

    #[test]
    fn a_walk_that_could_not_have_failed_is_no_pass() {
        // Delta 0 is 0 under SEED 0.
        let zero = walked_over(|state, delta| state ^ delta, 1, 0, &mut Unwatched).check;
        assert_eq!((zero.verdict, zero.warrant), (Verdict::Inconclusive, None));
        let alone = walked_over(|state, delta| state ^ delta, 1, 7, &mut Unwatched).check;
        assert_eq!(alone.tries, []);
        let two = walked_over(|state, delta| state ^ delta, 2, 7, &mut Unwatched).check;
        assert_eq!((two.verdict, two.tries), (Verdict::Holds, vec![FaultClass::OrderDependence]));
    }

    /// Asks to stop as soon as this stage has begun.
    struct StopsIn(&'static str, bool);

    impl Watch for StopsIn {
        fn begin(&mut self, stage: &str, _total: u64) {
            self.1 = stage.contains(self.0);
        }
        fn advance(&mut self, _units: u64) {}
        fn end(&mut self) {}
        fn stop_requested(&self) -> bool {
            self.1
        }
    }

    #[test]
    fn a_walk_that_is_stopped_before_it_was_held_against_the_truth_claims_nothing() {
        let stopped = walked_over(|state, delta| state ^ delta, 17, 7, &mut StopsIn("against the truth", false));
        assert_eq!(stopped.ended, Some(SubjectError::Interrupted));
        assert_eq!((stopped.check.verdict, stopped.check.warrant), (Verdict::Inconclusive, None));
        assert_eq!(stopped.check.oracles["invariance"], Verdict::Holds);
        assert_eq!(stopped.check.oracles["truth"], Verdict::Inconclusive);
    }
}
