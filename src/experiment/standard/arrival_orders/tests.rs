//! The check on planted subjects, whose faults depend on order.

use super::*;
use crate::domain::delta::Deltas;
use crate::domain::evidence::Evidence;
use crate::domain::explorer::{Claim, Explorer};
use crate::domain::order::{Order, Shuffle};
use crate::domain::verdict::{Verdict, Warrant};
use crate::domain::watch::Unwatched;
use crate::explore;
use crate::explore::choice::Chooser;
use crate::report::record::Sequence;

/// An XOR accumulator that goes wrong once these deltas have arrived in this order, whatever lies between them.
struct Hazard {
    pattern: Vec<u64>,
    matched: usize,
    state: u64,
}

impl Hazard {
    fn of(pattern: &[u64]) -> Self {
        let deltas = Deltas::of_engine(SEED);
        Hazard { pattern: pattern.iter().map(|&index| deltas.at(index)).collect(), matched: 0, state: 0 }
    }
}

impl Subject for Hazard {
    fn name(&self) -> &str {
        "hazard"
    }

    fn evidence(&self) -> Evidence {
        Evidence::Software
    }

    fn longest_order(&self) -> u64 {
        u64::MAX
    }

    fn reset(&mut self) -> Result<(), SubjectError> {
        (self.matched, self.state) = (0, 0);
        Ok(())
    }

    fn deliver(&mut self, arrivals: &[u64]) -> Result<(), SubjectError> {
        for &delta in arrivals {
            self.state ^= delta;
            if self.pattern.get(self.matched) == Some(&delta) {
                self.matched += 1;
                self.state ^= if self.matched == self.pattern.len() { 0xFF00 } else { 0 };
            }
        }
        Ok(())
    }

    fn observe(&mut self) -> Result<u64, SubjectError> {
        Ok(self.state)
    }
}

const SEED: Seed = Seed::new(0xDEAD_BEEF_0BAD_F00D);

fn workload(count: u32, budget: u64) -> Workload<'static> {
    let deltas = Deltas::of_engine(SEED);
    let truth = (0..u64::from(count)).fold(0, |state, index| state ^ deltas.at(index));
    Workload {
        scenario: None,
        count,
        seed: SEED,
        truth,
        budget: Budget::deliveries(budget),
        memory: 64 << 20,
        banks: 8,
        software: true,
        devices: false,
    }
}

fn asked_for(spec: &str, workload: &Workload) -> Choice {
    explore::choose(&spec.parse().expect("an explorer"), &workload.setting()).expect("it fits")
}

fn checked(subject: &mut dyn Subject, workload: &Workload, chosen: &Choice) -> Check {
    check(&mut [subject], workload, chosen, &mut Unwatched).check
}

#[test]
fn what_depends_on_three_deltas_is_found_by_a_family_of_strength_three_whichever_they_are() {
    let workload = workload(16, 10_000);
    let chosen = asked_for("covering:3", &workload);
    let mut stream = SEED.stream("hazards");
    for _ in 0..50 {
        let mut all: Vec<u64> = (0..16).collect();
        stream.shuffle(&mut all);
        let check = checked(&mut Hazard::of(&all[..3]), &workload, &chosen);
        assert_eq!((check.verdict, check.warrant), (Verdict::Falsified, None), "{:?}", &all[..3]);
    }
    let sound = checked(&mut Hazard::of(&[]), &workload, &chosen);
    assert_eq!(sound.verdict, Verdict::Holds);
    assert_eq!(sound.warrant, Some(Warrant::Covered { strength: 3, tuples: 16 * 15 * 14 }));
}

#[test]
fn one_two_or_three_deltas_of_64_that_matter_are_found_within_a_hundred_replays() {
    let workload = workload(64, 10_000);
    let mut stream = SEED.stream("hazards");
    let mut most = 0;
    for matter in [1, 2, 3] {
        for _ in 0..40 {
            let mut all: Vec<u64> = (0..64).collect();
            stream.shuffle(&mut all);
            let pattern = &all[..matter];
            let check = checked(&mut Hazard::of(pattern), &workload, &asked_for("covering:3", &workload));
            let counterexample = &check.orders.expect("it is recorded").counterexamples[0];
            let wrong: Vec<u64> = counterexample.wrong.deltas.iter().map(|(index, _)| u64::from(*index)).collect();
            assert_eq!((wrong.as_slice(), counterexample.minimal), (pattern, true));
            assert_eq!(counterexample.right.is_some(), matter > 1);
            assert_eq!(counterexample.differing_bytes, [1]);
            most = most.max(counterexample.replays);
        }
    }
    assert!(most <= 100, "{most} replays");
}

#[test]
fn more_deltas_than_the_replays_tell_apart_are_marked_as_not_proved_minimal() {
    let workload = workload(64, 10_000);
    let pattern: Vec<u64> = (0..64).rev().step_by(3).collect();
    let check = checked(&mut Hazard::of(&pattern), &workload, &asked_for("adversarial", &workload));
    let counterexample = &check.orders.expect("it is recorded").counterexamples[0];
    assert!(!counterexample.minimal && counterexample.replays <= 100);
    assert!(check.findings[0].size.ends_with("replays; not proved minimal"), "{}", check.findings[0].size);
}

/// A hazard that is wrong in every order as long as this delta has not arrived: another class of finding.
struct Needing(u64, Hazard, bool);

impl Subject for Needing {
    fn name(&self) -> &str {
        "needing"
    }

    fn evidence(&self) -> Evidence {
        Evidence::Software
    }

    fn longest_order(&self) -> u64 {
        u64::MAX
    }

    fn reset(&mut self) -> Result<(), SubjectError> {
        self.2 = false;
        self.1.reset()
    }

    fn deliver(&mut self, arrivals: &[u64]) -> Result<(), SubjectError> {
        self.2 |= arrivals.contains(&Deltas::of_engine(SEED).at(self.0));
        self.1.deliver(arrivals)
    }

    fn observe(&mut self) -> Result<u64, SubjectError> {
        Ok(self.1.observe()? ^ if self.2 { 0 } else { 1 << 63 })
    }
}

#[test]
fn a_finding_keeps_its_class_while_it_is_made_smaller() {
    let workload = workload(16, 10_000);
    let mut subject = Needing(7, Hazard::of(&[9, 5]), false);
    let backwards = format!("replay:schedule1,count=16,seed={SEED},length=16,order=reverse");
    let check = checked(&mut subject, &workload, &asked_for(&backwards, &workload));
    let counterexample = &check.orders.expect("it is recorded").counterexamples[0];
    let indices = |sequence: &Sequence| sequence.deltas.iter().map(|(index, _)| *index).collect::<Vec<_>>();
    // A single delta would be wrong too, in the only order that it has, which is not what was found.
    assert_eq!(indices(&counterexample.wrong), [7, 9, 5]);
    assert_eq!(counterexample.right.as_ref().map(indices), Some(vec![5, 7, 9]));
    assert_eq!((counterexample.differing_bytes.as_slice(), counterexample.minimal), (&[1][..], true));
}

/// A generator that is stuck: it names another order every time, and gives the same one.
struct Stuck;

impl Explorer for Stuck {
    fn name(&self) -> &'static str {
        "stuck"
    }

    fn number(&self, _deltas: u64) -> Option<u64> {
        Some(64)
    }

    fn orders(&self, deltas: u64, limit: u64) -> Box<dyn Iterator<Item = Order>> {
        Box::new((0..limit).map(move |number| Order::Rotate(3 + number * deltas)))
    }

    fn claim(&self, _deltas: u64) -> Claim {
        Claim::Drawn { by: Shuffle::FisherYates }
    }
}

#[test]
fn drawn_orders_that_are_all_the_same_are_inconclusive_with_the_reason_and_warrant_nothing() {
    let workload = workload(64, 10_000);
    let chosen =
        Choice { explorers: vec![Chooser { explorer: Box::new(Stuck), planned: 64 }], every_set: false, asked: true };
    let check = checked(&mut Hazard::of(&[]), &workload, &chosen);
    assert_eq!((check.verdict, check.warrant), (Verdict::Inconclusive, None));
    assert_eq!(
        check.summary,
        "the orders are not as chance gives them: 64 drawn orders hold only 1 different ones: 2016 pairs are alike, and chance \
         gives 0.0"
    );
    let coverage = check.orders.map(|orders| orders.coverage).expect("it is recorded");
    assert_eq!((coverage.tried, coverage.distinct), (64, 1));
}

/// Stops the run after so many deliveries.
struct StopAfter(u64);

impl Watch for StopAfter {
    fn begin(&mut self, _stage: &str, _total: u64) {}

    fn advance(&mut self, units: u64) {
        self.0 = self.0.saturating_sub(units);
    }

    fn end(&mut self) {}

    fn stop_requested(&self) -> bool {
        self.0 == 0
    }
}

#[test]
fn a_run_that_is_stopped_keeps_the_coverage_that_it_reached_and_claims_nothing() {
    let workload = workload(8, 1_000_000);
    let chosen = asked_for("all", &workload);
    let outcome = check(&mut [&mut Hazard::of(&[])], &workload, &chosen, &mut StopAfter(800));
    assert_eq!(outcome.ended, Some(SubjectError::Interrupted));
    let Check { verdict, warrant, summary, orders, .. } = outcome.check;
    assert_eq!((verdict, warrant), (Verdict::Inconclusive, None));
    assert_eq!(summary, "stopped by the user after 100 of 40320 planned orders");
    let coverage = orders.map(|orders| orders.coverage).expect("it is recorded");
    assert_eq!((coverage.tried, coverage.distinct, coverage.all.as_str()), (100, 100, "40320"));
}

#[test]
fn an_order_by_index_alone_tries_nothing_in_whatever_words_it_comes() {
    let workload = workload(3, 100);
    let tries = |order: &str| {
        let schedule = format!("replay:schedule1,count=3,seed={SEED},length=3,order={order}");
        !checked(&mut Hazard::of(&[]), &workload, &asked_for(&schedule, &workload)).tries.is_empty()
    };
    assert_eq!(
        ["given", "rotate:3", "exactly:0.1.2", "reverse", "exactly:0.2.1"].map(tries),
        [false, false, false, true, true]
    );
}

/// A subject that goes wrong in every order, and gives no answer any more after so many.
struct GoesAway(Hazard, u32);

impl Subject for GoesAway {
    fn name(&self) -> &str {
        "goes away"
    }

    fn evidence(&self) -> Evidence {
        Evidence::Model
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
        self.1 = self.1.checked_sub(1).ok_or_else(|| SubjectError::Unavailable("the line is cut".to_owned()))?;
        self.0.observe()
    }
}

#[test]
fn what_could_not_be_tried_again_is_inconclusive_and_what_went_wrong_twice_is_falsified() {
    let workload = workload(5, 1_000_000);
    let chosen = asked_for("adversarial", &workload);
    let orders = chosen.planned() as u32;
    // Two states an order: the last, and the one before it.
    for (answers, verdict) in [
        (2 * orders - 1, Verdict::Inconclusive),
        (2 * orders, Verdict::Inconclusive),
        (2 * orders + 2, Verdict::Falsified),
    ] {
        let outcome = check(&mut [&mut GoesAway(Hazard::of(&[3]), answers)], &workload, &chosen, &mut Unwatched);
        assert!(matches!(outcome.ended, Some(SubjectError::Unavailable(_))), "{answers}");
        assert_eq!(outcome.check.verdict, verdict, "{answers}: {}", outcome.check.summary);
        let sizes: Vec<&str> = outcome.check.findings.iter().map(|finding| finding.size.as_str()).collect();
        let told = "not made smaller: the line is cut";
        assert!(sizes.iter().all(|size| size.contains(told)), "{sizes:?}");
        assert_eq!(sizes.is_empty(), verdict == Verdict::Inconclusive);
    }
}

#[test]
fn orders_that_were_taken_in_slices_come_to_the_check_of_the_orders_at_once() {
    let workload = workload(9, 1 << 20);
    let chosen = asked_for("sample:40", &workload);
    for pattern in [&[][..], &[3], &[5, 2], &[0, 1, 2, 3, 4]] {
        let at_once = checked(&mut Hazard::of(pattern), &workload, &chosen);
        for cuts in [&[40][..], &[17, 23], &[1, 1, 38]] {
            let mut first = 0;
            let taken = cuts.iter().map(|&number| {
                let slice = OrdersOf { explorer: 0, first, number };
                first += number;
                let mut own = Hazard::of(pattern);
                let mut own: [&mut dyn Subject; 1] = [&mut own];
                let (mut taken, ended) = slices::take(&mut own, &workload, &chosen, slice, &mut Unwatched);
                let failed = slices::look_closer(&mut own, std::slice::from_mut(&mut taken), &workload, &mut Unwatched);
                assert_eq!((ended, failed), (None, None));
                let text = serde_json::to_string(&taken).expect("plain data");
                serde_json::from_str(&text).expect("a slice")
            });
            let groups = [taken.collect::<Vec<Taken>>()];
            let mut check = together(&workload, &chosen, &groups, None).expect("they are slices").check;
            // Orders are looked at for chance in the first slice alone, which holds them all in a campaign.
            let audit = |check: &mut Check| check.orders.as_mut().and_then(|orders| orders.audit.take());
            let (mut at_once, slices) = (at_once.clone(), audit(&mut check));
            assert_eq!(audit(&mut at_once) == slices, cuts.len() == 1);
            assert_eq!(check, at_once, "{pattern:?} in {cuts:?}");
        }
    }
}
