//! Slices of the chosen orders: each is delivered by itself, and keeps what the subjects showed.
//!
//! The first slice of an explorer has the orders that are looked at for chance, and is timed; so it is run alone. The
//! others are run beside each other, and are not timed.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::counterexample::finding;
use super::delivery::{Delivery, Shown, States};
use super::{ARRIVAL_ORDERS, Workload};
use crate::domain::evidence::Evidence;
use crate::domain::explorer::{Audit, Claim};
use crate::domain::finding::Finding;
use crate::domain::hex::Hex64;
use crate::domain::oracle::Oracle;
use crate::domain::order::Order;
use crate::domain::subject::{Subject, SubjectError};
use crate::domain::watch::Watch;
use crate::explore::choice::Choice;
use crate::oracle::delivered::Delivered;
use crate::oracle::delivered::slice::Slice;
use crate::oracle::invariance::Invariance;
use crate::oracle::truth::Truth;
use crate::report::record::Counterexample;

/// Deliveries of a slice that is not the last of its explorer, at least: some milliseconds.
const DELIVERIES: u64 = 1 << 18;

/// The most slices of an explorer: each makes the orders before its own once more.
const MOST: u64 = 64;

/// Orders of one explorer, from the first on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrdersOf {
    /// The place of the explorer.
    pub explorer: usize,
    /// The number of the first order.
    pub first: u64,
    /// How many.
    pub number: u64,
}

impl OrdersOf {
    /// Whether it is the first of its explorer.
    pub fn is_first(&self) -> bool {
        self.first == 0
    }

    /// What a journal calls it.
    pub fn id(&self, chosen: &Choice) -> String {
        let name = chosen.explorers[self.explorer].explorer.name();
        format!("{ARRIVAL_ORDERS} {name} {} to {}", self.first, self.first + self.number)
    }
}

/// The slices of the chosen orders. They depend on the plan alone.
pub fn planned(chosen: &Choice, count: u32) -> Vec<OrdersOf> {
    let of = |(explorer, chooser): (usize, &crate::explore::choice::Chooser)| {
        let planned = chooser.planned;
        let least = DELIVERIES.div_ceil(count.into()).max(planned.div_ceil(MOST));
        let first = least.max(Audit::ORDERS).min(planned);
        let rest = (first..planned).step_by(usize::try_from(least).unwrap_or(usize::MAX));
        let rest = rest.map(move |first| OrdersOf { explorer, first, number: least.min(planned - first) });
        std::iter::once(OrdersOf { explorer, first: 0, number: first }).chain(rest).collect::<Vec<_>>()
    };
    chosen.explorers.iter().enumerate().flat_map(of).collect()
}

/// What came of a slice.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// What was delivered; nothing where no order was begun.
    pub(super) delivered: Option<Slice>,
    /// Whether any state should have been another than 0.
    pub(super) telling: bool,
    /// The orders, where they were chosen by hand.
    pub(super) named: Vec<String>,
    /// What each subject showed.
    pub(super) subjects: Vec<Showed>,
    /// How long it took.
    pub(super) took: Duration,
}

impl Taken {
    /// How long it took.
    pub fn took(&self) -> Duration {
        self.took
    }

    /// Whether a state was wrong in it, twice in the same way.
    pub fn accuses(&self) -> bool {
        self.subjects.iter().any(|showed| showed.finding.as_ref().is_some_and(|finding| finding.reproducible))
    }
}

/// What one subject showed.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Showed {
    pub(super) name: String,
    pub(super) evidence: Evidence,
    /// The state after the first order.
    pub(super) first: Option<Hex64>,
    /// Whether another order ended in another state.
    pub(super) varies: bool,
    /// The orders in which a state was not what the deltas come to: the number of the first in a row, and how many.
    pub(super) untrue: Vec<(u64, u64)>,
    /// The first of them.
    pub(super) first_untrue: Option<String>,
    /// The smallest case of it that was found.
    pub(super) finding: Option<Finding>,
    /// The sequences that show it.
    pub(super) counterexample: Option<Counterexample>,
    /// The time of each order, where it was timed, in nanoseconds.
    pub(super) times_ns: Vec<u64>,
    /// The first order that is untrue, and what was shown.
    #[serde(skip)]
    seen: Option<(Order, States)>,
}

impl Showed {
    fn none(subject: &dyn Subject) -> Self {
        Showed {
            name: subject.name().to_owned(),
            evidence: subject.evidence(),
            first: None,
            varies: false,
            untrue: Vec::new(),
            first_untrue: None,
            finding: None,
            counterexample: None,
            times_ns: Vec::new(),
            seen: None,
        }
    }

    fn judge(&mut self, number: u64, (order, states): (&Order, States), truth: u64, invariance: &mut Invariance) {
        let States { before_last, last } = states;
        self.first.get_or_insert(Hex64(last.got));
        self.varies |= invariance.judge(order, last.got).is_some();
        let wrong_before_last = Truth { expected: before_last.expected }.judge(order, before_last.got).is_some();
        if wrong_before_last || (Truth { expected: truth }).judge(order, last.got).is_some() {
            match self.untrue.last_mut() {
                Some((first, length)) if *first + *length == number => *length += 1,
                _ => self.untrue.push((number, 1)),
            }
            self.first_untrue.get_or_insert_with(|| order.to_string());
            self.seen.get_or_insert_with(|| (order.clone(), states));
        }
    }
}

/// Delivers a slice to subjects that take it at the same time; and why it ended early, where it did.
pub fn take(
    subjects: &mut [&mut dyn Subject],
    workload: &Workload,
    chosen: &Choice,
    slice: OrdersOf,
    watch: &mut dyn Watch,
) -> (Taken, Option<SubjectError>) {
    let start = Instant::now();
    let count = u64::from(workload.count);
    let claims = chosen.explorers.iter().map(|chooser| (chooser.explorer.claim(count), chooser.planned));
    let mut delivered = Delivered::new(workload.seed, count, claims);
    if !slice.is_first() {
        delivered = delivered.of_later_orders();
    }
    let mut showed: Vec<Showed> = subjects.iter().map(|subject| Showed::none(*subject)).collect();
    let mut invariances = vec![Invariance::default(); subjects.len()];
    let (mut telling, mut named, mut ended) = (false, Vec::new(), None);
    let chooser = &chosen.explorers[slice.explorer];
    let by_hand = chooser.explorer.claim(count) == Claim::Chosen;
    let orders =
        chooser.explorer.orders(count, chooser.planned).skip(usize::try_from(slice.first).unwrap_or(usize::MAX));
    for (number, order) in (slice.first..slice.first.saturating_add(slice.number)).zip(orders) {
        delivered.begin(slice.explorer);
        let shown = match deliver_to_all(subjects, &order, workload, &mut delivered, watch) {
            Ok(shown) => shown,
            Err(error) => {
                ended = Some(error);
                break;
            }
        };
        // What is no permutation is a fault of the harness, and must not be blamed on a subject.
        delivered.end().unwrap_or_else(|fault| panic!("order {order}: {fault}"));
        for ((showed, invariance), (states, took)) in showed.iter_mut().zip(&mut invariances).zip(shown) {
            telling |= states.before_last.expected != 0 || states.last.expected != 0;
            showed.judge(number, (&order, states), workload.truth, invariance);
            if slice.is_first() {
                showed.times_ns.push(took.as_nanos() as u64);
            }
        }
        if by_hand {
            named.push(order.to_string());
        }
    }
    let delivered = delivered.into_slices().pop();
    (Taken { delivered, telling, named, subjects: showed, took: start.elapsed() }, ended)
}

/// Makes the first wrong order of each subject smaller; and why a subject gave no more answers, where it did not.
pub fn look_closer(
    subjects: &mut [&mut dyn Subject],
    slices: &mut [Taken],
    workload: &Workload,
    watch: &mut dyn Watch,
) -> Option<SubjectError> {
    for (place, subject) in subjects.iter_mut().enumerate() {
        let mut showed = slices.iter_mut().map(|taken| &mut taken.subjects[place]);
        let Some(showed) = showed.find(|showed| showed.seen.is_some()) else { continue };
        let Some((order, states)) = showed.seen.take() else { continue };
        match finding(*subject, &order, states, workload, watch) {
            Ok(found) => {
                showed.finding = Some(found.finding);
                showed.counterexample = found.counterexample;
                if found.ended.is_some() {
                    return found.ended;
                }
            }
            Err(error) => return Some(error),
        }
    }
    None
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

/// Delivers one order to all subjects and gives what each shows, and how long it took.
fn deliver_to_all(
    subjects: &mut [&mut dyn Subject],
    order: &Order,
    workload: &Workload,
    delivered: &mut Delivered,
    watch: &mut dyn Watch,
) -> Result<Vec<(States, Duration)>, SubjectError> {
    let mut delivery = Delivery::of(order, workload.count, workload.seed);
    let len = delivery.permutation.len();
    let elapsed = vec![Duration::ZERO; subjects.len()];
    let mut subjects = TimedSubjects { subjects, elapsed };
    let mut arrive = |subjects: &mut TimedSubjects, arrivals: &[u64]| {
        if watch.stop_requested() {
            return Err(SubjectError::Interrupted);
        }
        subjects.each(|subject| subject.deliver(arrivals))?;
        delivered.deliver(arrivals).unwrap_or_else(|fault| panic!("order {order}: {fault}"));
        watch.advance(arrivals.len() as u64);
        Ok(())
    };
    subjects.each(|subject| subject.restart().and_then(|()| subject.reset()))?;
    delivery.send(0..len - 1, |arrivals| arrive(&mut subjects, arrivals))?;
    let (expected_before, before) = (delivery.expected, subjects.each(|subject| subject.observe())?);
    delivery.send(len - 1..len, |arrivals| arrive(&mut subjects, arrivals))?;
    let (expected, last) = (delivery.expected, subjects.each(|subject| subject.observe())?);
    let states = before.into_iter().zip(last).map(|(before, last)| States {
        before_last: Shown { expected: expected_before, got: before },
        last: Shown { expected, got: last },
    });
    Ok(states.zip(subjects.elapsed).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::choice::Chooser;
    use crate::explore::seeded::Seeded;

    fn drawn(orders: u64) -> Choice {
        let explorers = vec![Chooser { explorer: Box::new(Seeded { orders }), planned: orders }];
        Choice { explorers, every_set: false, asked: true }
    }

    #[test]
    fn the_slices_hold_every_order_once_and_the_first_all_that_are_looked_at_for_chance() {
        for (orders, count) in [(1, 9), (64, 65_537), (255, 65_537), (256, 65_537), (5000, 65_537), (3_000_000, 10)] {
            let slices = planned(&drawn(orders), count);
            let mut next = 0;
            for slice in &slices {
                assert!(slice.first == next && slice.number > 0, "{slice:?}");
                next += slice.number;
            }
            assert_eq!(next, orders);
            assert!(slices[0].number >= orders.min(Audit::ORDERS));
            assert!(slices.len() as u64 <= MOST + 1, "{}", slices.len());
            assert_eq!(slices.len() > 1, orders > 255 && orders * u64::from(count) > DELIVERIES, "{orders} of {count}");
        }
    }
}
