//! A wrong order made smaller: fewest deltas, neighbours sorted, indices lowered, and always the same class of finding.

use crate::domain::delta::Deltas;
use crate::domain::execution::Execution;
use crate::domain::finding::{Finding, Quantity};
use crate::domain::hex::Hex64;
use crate::domain::oracle::OracleId;
use crate::domain::order::Order;
use crate::domain::schedule::{Schedule, can_hold};
use crate::domain::seed::Seed;
use crate::domain::subject::{Subject, SubjectError};
use crate::domain::watch::Watch;
use crate::experiment::case_text;
use crate::experiment::standard::arrival_orders::Workload;
use crate::experiment::standard::arrival_orders::delivery::{Shown, States, indices_of, states_of};
use crate::explore::minimise::{Attempt, smallest_sequence};
use crate::explore::permutation::Permutation;
use crate::report::record::{Counterexample, Sequence};

/// Replays for making a counterexample smaller, those of the order that it is compared with among them.
const REPLAYS: u32 = 100;

/// The longest order that is made smaller delta by delta.
const MINIMISED_UP_TO: u64 = 4096;

/// A subject that is asked again, within a bound.
struct Replays<'a> {
    subject: &'a mut dyn Subject,
    count: u32,
    seed: Seed,
    watch: &'a mut dyn Watch,
    made: u32,
}

impl Replays<'_> {
    fn of(&mut self, order: &Order) -> Result<States, SubjectError> {
        self.made += 1;
        states_of(self.subject, order, self.count, self.seed, self.watch)
    }

    fn left(&self) -> u32 {
        REPLAYS.saturating_sub(self.made)
    }
}

/// How a finding is told from others while its case is made smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Class {
    /// Whether the last state is wrong, and not the one before it alone.
    at_the_end: bool,
    /// The order in which the same deltas go right; `None` where every one that was compared goes wrong.
    right: Option<Comparison>,
}

/// The order that a wrong one is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    ByIndex,
    Backwards,
}

impl Comparison {
    fn order(self, indices: &[u32]) -> Order {
        let mut sorted = indices.to_vec();
        sorted.sort_unstable();
        if self == Comparison::Backwards {
            sorted.reverse();
        }
        Order::Exactly(sorted)
    }
}

impl Class {
    fn of(wrong: States, indices: &[u32], replays: &mut Replays) -> Result<Class, SubjectError> {
        let at_the_end = wrong.last.is_wrong();
        for comparison in [Comparison::ByIndex, Comparison::Backwards] {
            if !replays.of(&comparison.order(indices))?.are_wrong() {
                return Ok(Class { at_the_end, right: Some(comparison) });
            }
        }
        Ok(Class { at_the_end, right: None })
    }

    /// Whether these deltas in this order show the same class.
    fn shown_by(self, indices: &[u32], replays: &mut Replays) -> Result<Attempt, SubjectError> {
        let takes = if self.right.is_none() { 1 } else { 2 };
        // The smallest sequence, and what it is compared with, are replayed once more at the end.
        if replays.left() < takes + 2 {
            return Ok(Attempt::Spent);
        }
        let states = replays.of(&Order::Exactly(indices.to_vec()))?;
        let same = (if self.at_the_end { states.last.is_wrong() } else { states.are_wrong() })
            && match self.right {
                Some(comparison) => !replays.of(&comparison.order(indices))?.are_wrong(),
                None => true,
            };
        Ok(if same { Attempt::Same } else { Attempt::Other })
    }
}

/// What comes of looking into an order that went wrong.
pub(super) struct Found {
    pub(super) finding: Finding,
    pub(super) counterexample: Option<Counterexample>,
    /// Why it could not be made smaller, where the subject gave no more answers.
    pub(super) ended: Option<SubjectError>,
}

/// An order that shows the same with fewer deltas.
struct Smaller {
    shown: Order,
    states: States,
    size: String,
    right: Option<(Order, States)>,
    minimal: bool,
}

fn made_smaller(
    order: &Order,
    states: States,
    indices: &[u32],
    replays: &mut Replays<'_>,
) -> Result<Smaller, SubjectError> {
    let class = Class::of(states, indices, replays)?;
    let smallest = smallest_sequence(indices, |indices| class.shown_by(indices, replays))?;
    let mut size = match (smallest.found.len(), smallest.minimal) {
        (1, _) => "one delta; fewer cannot fail".to_owned(),
        (len, true) => format!("{len} deltas; leaving out any one of them passes"),
        (len, false) => format!("{len} deltas after {} replays; not proved minimal", replays.made),
    };
    let of_smallest = replays.of(&Order::Exactly(smallest.found.clone()))?;
    let (shown, states) = if of_smallest.are_wrong() {
        (Order::Exactly(smallest.found.clone()), of_smallest)
    } else {
        size = "not made smaller: less of it does not go wrong again".to_owned();
        (order.clone(), states)
    };
    let right = match class.right.map(|comparison| comparison.order(&smallest.found)) {
        Some(order) => Some((order.clone(), replays.of(&order)?)),
        None => None,
    };
    Ok(Smaller { shown, states, size, right, minimal: smallest.minimal })
}

/// The contradiction that an order shows, with the fewest deltas that the bound allows to find, and the sequences that
/// show it, where the order is short enough to be made smaller. `Err` if the order could not be tried again.
pub(super) fn finding(
    subject: &mut dyn Subject,
    order: &Order,
    seen: States,
    workload: &Workload,
    watch: &mut dyn Watch,
) -> Result<Found, SubjectError> {
    let Workload { count, seed, .. } = *workload;
    let mut replays = Replays { subject, count, seed, watch, made: 0 };
    let mut states = replays.of(order)?;
    // Wrong again is not enough: a link that damages words is wrong in another way each time.
    let reproducible = states.are_wrong() && states == seen;
    let (mut shown, mut size) = (order.clone(), "not made smaller".to_owned());
    let (mut sequences, mut ended) = (None, None);
    if reproducible && u64::from(count) <= MINIMISED_UP_TO {
        let indices = indices_of(order, count.into(), seed);
        match made_smaller(order, states, &indices, &mut replays) {
            Ok(smaller) => {
                (shown, states, size) = (smaller.shown, smaller.states, smaller.size);
                sequences = Some((smaller.right, smaller.minimal));
            }
            // It went wrong twice, and that stands.
            Err(error) => {
                size = format!("not made smaller: {error}");
                ended = Some(error);
            }
        }
    }
    let Replays { made, .. } = replays;
    let Shown { expected, got } = states.telling();
    let case = case_text(subject, Execution::Delivery { count, seed, order: shown.clone() });
    let counterexample = sequences.map(|(right, minimal)| Counterexample {
        case: case.clone(),
        schedule: schedule(order, workload),
        right: right.map(|(order, states)| sequence(&order, states, workload)),
        wrong: sequence(&shown, states, workload),
        differing_bytes: (0..8).filter(|byte| (expected ^ got) >> (8 * byte) & 0xFF != 0).collect(),
        replays: made,
        minimal,
    });
    let finding = Finding {
        subject: subject.name().to_owned(),
        evidence: subject.evidence(),
        during: format!("arrival order {order}"),
        quantity: Quantity::State,
        expected: Hex64(expected),
        got: Hex64(got),
        reproducible,
        oracle: OracleId::Truth,
        case,
        size,
    };
    Ok(Found { finding, counterexample, ended })
}

/// The text by which `--orders replay:` takes this order again.
fn schedule(order: &Order, workload: &Workload) -> String {
    let Workload { scenario, count, seed, .. } = *workload;
    let scenario = scenario.filter(|name| can_hold(name)).map(str::to_owned);
    let length = Permutation::prepare(order, count.into(), seed).len();
    let count = count.to_string().parse().expect("a workload has at least one delta");
    Schedule { scenario, count, seed, length, order: order.clone() }.to_string()
}

/// What an order delivers, and the state that tells.
fn sequence(order: &Order, states: States, workload: &Workload) -> Sequence {
    let Workload { count, seed, .. } = *workload;
    let deltas = Deltas::of_engine(seed);
    let indices = indices_of(order, count.into(), seed);
    let before_last = states.before_last.is_wrong();
    Sequence {
        after: indices.len() as u64 - u64::from(before_last),
        deltas: indices.into_iter().map(|index| (index, Hex64(deltas.at(index.into())))).collect(),
        state: Hex64(states.telling().got),
    }
}
