//! Arrival orders: the same deltas delivered in many orders, judged by two oracles.

mod chosen;
mod counterexample;
mod delivery;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::domain::delta::{Generate, SplitMix64};
use crate::domain::explorer::Audit;
use crate::domain::factorial;
use crate::domain::fault::FaultClass;
use crate::domain::oracle::Oracle;
use crate::domain::order::Order;
use crate::domain::seed::Seed;
use crate::domain::subject::{Subject, SubjectError};
use crate::domain::trial::Budget;
use crate::domain::verdict::{Verdict, Warrant};
use crate::domain::watch::Watch;
use crate::explore::covering;
use crate::explore::{adversarial, all_orders};
use crate::oracle::invariance::Invariance;
use crate::oracle::truth::Truth;
use crate::report::record::{Check, Coverage, Orders, Part, TuplesRecord};

use counterexample::finding;
use delivery::{Delivery, Shown, States};

pub use chosen::Chosen;
pub use delivery::deliver;

/// Name of the check.
pub const ARRIVAL_ORDERS: &str = "arrival orders";

/// The workload whose orders are tried, and within what.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// Number of deltas.
    pub count: u32,
    /// What the deltas, and the seeded orders, are drawn from.
    pub seed: Seed,
    /// The state after all of them.
    pub truth: u64,
    /// Bound on the deliveries to each subject.
    pub budget: Budget,
    /// Banks that the adversarial interleavings are made for.
    pub banks: u32,
}

/// The time that each subject took an order, in nanoseconds, by its name.
pub type Latencies = Vec<(String, Histogram<u64>)>;

/// One subject's two judges, and what they found.
struct Trial {
    invariance: (Invariance, Verdict),
    truth: (Truth, Verdict),
    first_wrong: Option<Order>,
    latencies: Histogram<u64>,
}

/// The check, the time that each subject took an order, in nanoseconds, and why it ended before all planned orders were
/// tried, where it did.
pub struct Outcome {
    /// The check, with what was tried.
    pub check: Check,
    /// Of whole orders.
    pub latencies: Latencies,
    /// Why it ended early.
    pub ended: Option<SubjectError>,
}

/// What was tried of the chosen orders.
struct Tried {
    /// How many orders of each explorer.
    by_explorer: Vec<u64>,
    /// How many of them are different ones.
    distinct: u64,
    /// Whether any state should have been another than 0.
    telling: bool,
    /// The adversarial ones.
    named: Vec<String>,
    /// Whether the only order was the one by index, in which the reference took the deltas.
    by_index_alone: bool,
}

impl Tried {
    fn all(&self) -> u64 {
        self.by_explorer.iter().sum()
    }
}

/// Delivers the workload to every subject in every chosen order.
pub fn check(
    subjects: &mut [&mut dyn Subject],
    workload: &Workload,
    chosen: &Chosen,
    watch: &mut dyn Watch,
) -> Outcome {
    let count = u64::from(workload.count);
    let planned = chosen.planned();
    watch.begin(ARRIVAL_ORDERS, planned * count);
    let mut trials: Vec<Trial> = subjects.iter().map(|_| Trial::new(workload.truth)).collect();
    let (tried, mut ended) = try_orders(subjects, &mut trials, workload, chosen, watch);
    watch.end();
    let (mut findings, mut counterexamples) = (Vec::new(), Vec::new());
    for (subject, trial) in subjects.iter_mut().zip(&trials) {
        if let Some(order) = trial.first_wrong.as_ref().filter(|_| ended.is_none()) {
            match finding(*subject, order, workload, watch) {
                Ok((finding, counterexample)) => {
                    findings.push(finding);
                    counterexamples.extend(counterexample);
                }
                Err(error) => ended = Some(error),
            }
        }
    }
    let oracles = oracles(tried.distinct, count, &trials);
    let audit = chosen.audit(count, &tried.by_explorer);
    let doubt = match &ended {
        Some(ended) => Some(stopped(ended, &tried, planned, &trials)),
        None => doubt(&tried, chosen, &oracles, audit.as_ref(), workload),
    };
    let verdict = match Verdict::of_set(oracles.values().copied()) {
        Verdict::Falsified if !findings.is_empty() && findings.iter().all(|finding| !finding.reproducible) => {
            Verdict::Inconclusive
        }
        Verdict::Falsified => Verdict::Falsified,
        _ if doubt.is_some() => Verdict::Inconclusive,
        _ => Verdict::Holds,
    };
    let told = doubt.filter(|_| verdict == Verdict::Inconclusive).unwrap_or_else(|| summary(&tried, workload));
    let check = Check {
        name: ARRIVAL_ORDERS.to_owned(),
        part: Part::Orders,
        subjects: subjects.iter().map(|subject| (subject.name().to_owned(), subject.evidence())).collect(),
        verdict,
        summary: told,
        oracles,
        warrant: chosen.warrant(count, &tried.by_explorer).filter(|_| verdict == Verdict::Holds),
        orders: Some(Orders { counterexamples, ..orders_record(chosen, &tried, workload, audit) }),
        // An order by index is the one in which the reference took the deltas: it tries nothing.
        tries: if tried.all() > 0 && !tried.by_index_alone { vec![FaultClass::OrderDependence] } else { Vec::new() },
        findings,
    };
    let names = subjects.iter().map(|subject| subject.name().to_owned());
    let latencies = names.zip(trials.into_iter().map(|trial| trial.latencies)).collect();
    Outcome { check, latencies, ended }
}

/// Tries the chosen orders, one after the other, until one cannot be delivered.
fn try_orders(
    subjects: &mut [&mut dyn Subject],
    trials: &mut [Trial],
    workload: &Workload,
    chosen: &Chosen,
    watch: &mut dyn Watch,
) -> (Tried, Option<SubjectError>) {
    let count = u64::from(workload.count);
    let mut tried = Tried {
        by_explorer: vec![0; chosen.explorers.len()],
        distinct: 0,
        telling: false,
        named: Vec::new(),
        by_index_alone: false,
    };
    let mut fingerprints = BTreeSet::new();
    for (place, chooser) in chosen.explorers.iter().enumerate() {
        for order in chooser.explorer.orders(count, chooser.planned) {
            let (delivered, fingerprint) = match deliver_to_all(subjects, trials, &order, workload, watch) {
                Ok(delivered) => delivered,
                Err(ended) => return (tried, Some(ended)),
            };
            for (trial, states) in trials.iter_mut().zip(delivered) {
                tried.telling |= states.before_last.expected != 0 || states.last.expected != 0;
                trial.judge(&order, states);
            }
            tried.by_explorer[place] += 1;
            // All orders are different by their making, and too many to be kept.
            let is_new = chooser.explorer.name() == all_orders::NAME || fingerprints.insert(fingerprint);
            tried.distinct += u64::from(is_new);
            if chooser.explorer.name() == adversarial::NAME {
                tried.named.push(order.to_string());
            }
        }
    }
    // An order may say "by index" in other words than `given`.
    tried.by_index_alone = count > 1 && fingerprints.len() == 1 && fingerprints.contains(&by_index(count));
    (tried, None)
}

/// The fingerprint of the order by index.
fn by_index(count: u64) -> u64 {
    (0..count).fold(0, |fingerprint, index| SplitMix64.generate(fingerprint ^ index))
}

fn stopped(ended: &SubjectError, tried: &Tried, planned: u64, trials: &[Trial]) -> String {
    let wrong = trials.iter().find_map(|trial| trial.first_wrong.as_ref());
    let wrong = wrong.map_or(String::new(), |order| format!("; after order {order} a state was wrong"));
    format!("{ended} after {} of {planned} planned orders{wrong}", tried.all())
}

impl Trial {
    fn new(truth: u64) -> Self {
        Trial {
            invariance: (Invariance::default(), Verdict::Holds),
            truth: (Truth { expected: truth }, Verdict::Holds),
            first_wrong: None,
            latencies: Histogram::new(3).expect("three digits are within what a histogram allows"),
        }
    }

    fn judge(&mut self, order: &Order, states: States) {
        let States { before_last, last } = states;
        if self.invariance.0.judge(order, last.got).is_some() {
            self.invariance.1 = Verdict::Falsified;
        }
        let wrong_before_last = Truth { expected: before_last.expected }.judge(order, before_last.got).is_some();
        if wrong_before_last || self.truth.0.judge(order, last.got).is_some() {
            self.truth.1 = Verdict::Falsified;
            self.first_wrong.get_or_insert_with(|| order.clone());
        }
    }
}

/// Subjects that are asked the same, each timed by itself.
struct TimedSubjects<'a, 'b> {
    subjects: &'a mut [&'b mut dyn Subject],
    elapsed: Vec<Duration>,
}

impl TimedSubjects<'_, '_> {
    fn each<T>(
        &mut self,
        mut ask: impl FnMut(&mut dyn Subject) -> Result<T, SubjectError>,
    ) -> Result<Vec<T>, SubjectError> {
        let timed = self.subjects.iter_mut().zip(&mut self.elapsed).map(|(subject, elapsed)| {
            let start = Instant::now();
            let answer = ask(*subject);
            *elapsed += start.elapsed();
            answer
        });
        timed.collect()
    }
}

/// Delivers one order to all subjects and gives what each shows, and the order's fingerprint.
fn deliver_to_all(
    subjects: &mut [&mut dyn Subject],
    trials: &mut [Trial],
    order: &Order,
    workload: &Workload,
    watch: &mut dyn Watch,
) -> Result<(Vec<States>, u64), SubjectError> {
    let mut delivery = Delivery::of(order, workload.count, workload.seed);
    let len = delivery.permutation.len();
    let elapsed = vec![Duration::ZERO; subjects.len()];
    let mut subjects = TimedSubjects { subjects, elapsed };
    let mut arrive = |subjects: &mut TimedSubjects, arrivals: &[u64]| {
        if watch.stop_requested() {
            return Err(SubjectError::Interrupted);
        }
        subjects.each(|subject| subject.deliver(arrivals))?;
        watch.advance(arrivals.len() as u64);
        Ok(())
    };
    subjects.each(|subject| subject.restart().and_then(|()| subject.reset()))?;
    delivery.send(0..len - 1, |arrivals| arrive(&mut subjects, arrivals))?;
    let (expected_before, before) = (delivery.expected, subjects.each(|subject| subject.observe())?);
    delivery.send(len - 1..len, |arrivals| arrive(&mut subjects, arrivals))?;
    let (expected, last) = (delivery.expected, subjects.each(|subject| subject.observe())?);
    for (trial, elapsed) in trials.iter_mut().zip(&subjects.elapsed) {
        trial.latencies.saturating_record(elapsed.as_nanos() as u64);
    }
    let states = before.into_iter().zip(last).map(|(before, last)| States {
        before_last: Shown { expected: expected_before, got: before },
        last: Shown { expected, got: last },
    });
    Ok((states.collect(), delivery.finish(order, workload.count)))
}

/// The judgement of each oracle over all subjects. One order agrees with itself, which says nothing, unless it is the
/// only one there is.
fn oracles(distinct: u64, count: u64, trials: &[Trial]) -> BTreeMap<String, Verdict> {
    let verdict = |of: fn(&Trial) -> Verdict, least: u64| match Verdict::of_set(trials.iter().map(of)) {
        Verdict::Holds if distinct < least => Verdict::Inconclusive,
        verdict => verdict,
    };
    BTreeMap::from([
        ("invariance".to_owned(), verdict(|trial| trial.invariance.1, count.min(2))),
        ("truth".to_owned(), verdict(|trial| trial.truth.1, 1)),
    ])
}

/// Why the orders tell nothing, if they do not.
fn doubt(
    tried: &Tried,
    chosen: &Chosen,
    oracles: &BTreeMap<String, Verdict>,
    audit: Option<&Audit>,
    workload: &Workload,
) -> Option<String> {
    let (count, fit) = (u64::from(workload.count), workload.budget.get());
    let undecided = oracles.values().any(|&verdict| verdict == Verdict::Inconclusive);
    if tried.all() == 0 {
        let planned = count * Chosen::most_of_standard(workload);
        Some(format!(
            "not one complete order of {count} deltas fits the budget of {fit} deliveries; --budget {} takes two, and \
             --budget {planned} all that are planned",
            2 * count,
        ))
    } else if let Some(reason) = audit.and_then(|audit| audit.rejected.as_ref()) {
        Some(format!("the orders are not as chance gives them: {reason}"))
    } else if tried.by_index_alone {
        Some("the deltas were tried by index alone, as the reference took them".to_owned())
    } else if undecided && chosen.asked {
        Some("one order cannot disagree with another: ask for several, such as --orders adversarial".to_owned())
    } else if undecided {
        Some(format!(
            "one complete order of {count} deltas fits the budget of {fit} deliveries, and one order cannot disagree with \
             another; --budget {} takes two",
            2 * count,
        ))
    } else if !tried.telling {
        Some("every state is right to be 0: a subject that does nothing passes".to_owned())
    } else {
        None
    }
}

fn summary(tried: &Tried, workload: &Workload) -> String {
    let (count, all, distinct) = (workload.count, tried.all(), tried.distinct);
    let orders = if all == 1 { "order" } else { "orders" };
    let different = if distinct < all { format!(", {distinct} of them different,") } else { String::new() };
    format!(
        "{all} {orders}{different} of {count} deltas, the last two states byte for byte against scalar, the last also \
         against each other"
    )
}

fn orders_record(chosen: &Chosen, tried: &Tried, workload: &Workload, audit: Option<Audit>) -> Orders {
    let count = u64::from(workload.count);
    let tuples = match chosen.warrant(count, &tried.by_explorer) {
        Some(Warrant::Covered { strength, tuples: counted }) => {
            Some(TuplesRecord { strength, counted, all: covering::tuples(count, strength) })
        }
        _ => None,
    };
    let names = chosen.explorers.iter().map(|chooser| chooser.explorer.name().to_owned());
    Orders {
        deltas: count,
        explorers: names.zip(tried.by_explorer.iter().copied()).collect(),
        named: tried.named.clone(),
        coverage: Coverage { tried: tried.all(), distinct: tried.distinct, all: factorial::text(count), tuples },
        audit,
        deliveries: tried.all() * count,
        budget: workload.budget.get(),
        nominal_deliveries_per_second: Budget::DELIVERIES_PER_SECOND,
        counterexamples: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::chosen::Chooser;
    use super::*;
    use crate::campaign::arrival_orders::delivery::indices_of;
    use crate::domain::delta::Deltas;
    use crate::domain::evidence::Evidence;
    use crate::domain::explorer::Explorer;
    use crate::domain::watch::Unwatched;
    use crate::explore;
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

    fn workload(count: u32, budget: u64) -> Workload {
        let deltas = Deltas::of_engine(SEED);
        let truth = (0..u64::from(count)).fold(0, |state, index| state ^ deltas.at(index));
        Workload { count, seed: SEED, truth, budget: Budget::deliveries(budget), banks: 8 }
    }

    fn asked_for(spec: &str, workload: &Workload) -> Chosen {
        Chosen::asked_for(&spec.parse().expect("an explorer"), workload, None).expect("it fits")
    }

    fn checked(subject: &mut dyn Subject, workload: &Workload, chosen: &Chosen) -> Check {
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

        fn warrant(&self, _deltas: u64, tried: u64) -> Option<Warrant> {
            Some(Warrant::Sampled { orders: tried })
        }

        fn audit(&self, deltas: u64, tried: u64) -> Option<Audit> {
            let orders = self.orders(deltas, tried).map(|order| indices_of(&order, deltas, SEED));
            let orders = orders.map(|indices| indices.into_iter().map(u64::from).collect());
            Some(explore::audit::audit(deltas, orders))
        }
    }

    #[test]
    fn drawn_orders_that_are_all_the_same_are_inconclusive_with_the_reason_and_warrant_nothing() {
        let workload = workload(64, 10_000);
        let chosen = Chosen { explorers: vec![Chooser { explorer: Box::new(Stuck), planned: 64 }], asked: true };
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
}
