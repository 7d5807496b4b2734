//! Every order on an accumulator whose state is one word: walked over, and every delivered set held against the truth.
//!
//! Knows: accumulators that can be walked over. Must not: speak of a device, whose state cannot be put back.

use std::collections::BTreeMap;

use crate::domain::execution::Execution;
use crate::domain::fault::FaultClass;
use crate::domain::finding::{Finding, Quantity};
use crate::domain::hex::Hex64;
use crate::domain::judge::Judge;
use crate::domain::oracle::OracleId;
use crate::domain::order::Order;
use crate::domain::subject::SubjectError;
use crate::domain::verdict::{Verdict, Warrant};
use crate::domain::watch::Watch;
use crate::experiment::case_text;
use crate::experiment::standard::arrival_orders::Workload;
use crate::experiment::walk::{self, Walked};
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
        (OracleId::Invariance, outcome.verdict()),
        (
            OracleId::Truth,
            match &truth {
                Truth::Right => Verdict::Holds,
                Truth::Wrong { .. } => Verdict::Falsified,
                Truth::Stopped | Truth::Incomplete { .. } => Verdict::Inconclusive,
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
        Truth::Right => "; every set's state byte for byte against the XOR of its deltas".to_owned(),
        Truth::Wrong { .. } => "; and they agree on a wrong state".to_owned(),
        Truth::Stopped => "; not held against the truth".to_owned(),
        Truth::Incomplete { sets } => format!("; only {sets} sets were held against the truth: a fault of abench"),
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
            (deliveries.clone(), right, walk::word(shown), OracleId::Invariance, size)
        }
        (_, Truth::Wrong { deltas: of, expected, got }) => {
            let size = format!("{} deltas; every set of fewer has the right state", of.len());
            (of.clone(), *expected, *got, OracleId::Truth, size)
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
        oracle,
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
    use crate::experiment::control::device::WrongWalk;
    use crate::explore::exhaustive::FAULTS;
    use std::num::NonZeroUsize;
    use std::ops::Range;

    /// An accumulator of which only its merge matters.
    #[derive(Clone)]
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

    fn workload(count: u32, seed: u64) -> Workload<'static> {
        Workload {
            scenario: None,
            count,
            seed: Seed::new(seed),
            truth: 0,
            budget: Budget::deliveries(1 << 20),
            memory: 1 << 20,
            banks: 8,
            software: true,
            devices: false,
        }
    }

    fn walked_by(merge: fn(u64, u64) -> u64, seed: u64) -> Walked {
        walked_over(merge, 9, seed, &mut Unwatched)
    }

    fn walked_over(merge: fn(u64, u64) -> u64, count: u32, seed: u64, watch: &mut dyn Watch) -> Walked {
        let workload = workload(count, seed);
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
        (check.verdict, check.oracles[&OracleId::Invariance], check.oracles[&OracleId::Truth], finding)
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

    #[test]
    fn a_walk_that_leaves_something_out_is_inconclusive_and_carries_no_warrant() {
        let workload = workload(16, 7);
        let checked = |fault, truth| {
            let limits = Limits { memory: 1 << 20, deliveries: 1 << 24, threads: NonZeroUsize::MIN };
            let Walked { check, walk, ended } =
                check(&WrongWalk { fault, compared: truth }, &workload, &limits, &mut Unwatched).expect("it fits");
            assert_eq!(ended, None);
            (check.verdict, check.warrant.is_some(), walk.proved, check.summary)
        };
        let (verdict, warranted, proved, _) = checked(None, Truth::Right);
        assert_eq!((verdict, warranted, proved.as_str()), (Verdict::Holds, true, "20922789888000"));
        for fault in FAULTS {
            let (verdict, warranted, proved, told) = checked(Some(fault), Truth::Right);
            assert_eq!((verdict, warranted, proved.as_str()), (Verdict::Inconclusive, false, "0"), "{fault:?}");
            assert!(told.contains("and there are 524288 merges over 65536 delivered sets; it left some out"), "{told}");
        }
        let (verdict, warranted, _, told) = checked(None, Truth::Incomplete { sets: 65_535 });
        assert_eq!((verdict, warranted), (Verdict::Inconclusive, false));
        assert!(told.contains("only 65535 sets were held against the truth"), "{told}");
    }

    #[test]
    fn a_state_that_is_wrong_in_any_one_bit_is_falsified_by_the_truth() {
        // The bit is set by every delivery, whatever is delivered: every order agrees.
        macro_rules! stuck_at_one {
            ($($bit:literal)*) => { [$(|state: u64, delta: u64| (state ^ delta) | 1 << $bit),*] };
        }
        let merges: [fn(u64, u64) -> u64; 64] = stuck_at_one!(
            0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39
            40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63
        );
        for (bit, merge) in merges.into_iter().enumerate() {
            let check = walked_over(merge, 12, 0xDEAD_BEEF_0BAD_F00D, &mut Unwatched).check;
            let judged = (check.verdict, check.oracles[&OracleId::Invariance], check.oracles[&OracleId::Truth]);
            assert_eq!(judged, (Verdict::Falsified, Verdict::Holds, Verdict::Falsified), "bit {bit}");
            assert_eq!(check.findings[0].expected.0 ^ check.findings[0].got.0, 1 << bit);
        }
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
        assert_eq!(stopped.check.oracles[&OracleId::Invariance], Verdict::Holds);
        assert_eq!(stopped.check.oracles[&OracleId::Truth], Verdict::Inconclusive);
    }
}
