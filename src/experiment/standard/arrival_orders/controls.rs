//! What is planted for the judges of arrival orders: whole orders, walks and searches.

use std::num::NonZeroUsize;

use super::{Workload, check, searched, walked};
use crate::domain::delta::Deltas;
use crate::domain::explorer::Claim;
use crate::domain::judge::Judge;
use crate::domain::oracle::OracleId;
use crate::domain::order::Shuffle;
use crate::domain::seed::Seed;
use crate::domain::trial::Budget;
use crate::domain::verdict::Verdict;
use crate::domain::watch::Unwatched;
use crate::experiment::control::accumulator::{WrongAccumulator, sum};
use crate::experiment::control::device::{WrongDevice, WrongMerge, WrongWalk};
use crate::experiment::control::{Control, Show, Shown, agreed, bits};
use crate::explore;
use crate::explore::exhaustive::{FAULTS, Limits};
use crate::oracle::delivered::{Delivered, Unwarranted};
use crate::subject::walk::Truth;

/// For states after whole orders.
pub const WHOLE_ORDERS: &[Control] = &[
    Control {
        judge: Judge::ArrivalOrders,
        planted: "invariance: each bit of the state wrong after the orders that end in one delta",
        show: Show::Alone(show_invariance),
    },
    Control {
        judge: Judge::ArrivalOrders,
        planted: "truth: each bit of the state wrong after every order",
        show: Show::Alone(show_truth),
    },
    Control {
        judge: Judge::ArrivalOrders,
        planted: "truth: each bit of the state wrong before the last delta, and right after it",
        show: Show::Alone(show_truth_before_last),
    },
];

/// For walks over every delivered set of an accumulator.
pub const EVERY_SET: &[Control] = &[
    Control {
        judge: Judge::EverySet,
        planted: "invariance: each bit of the state wrong where one delta does not arrive first",
        show: Show::Alone(show_walk_invariance),
    },
    Control {
        judge: Judge::EverySet,
        planted: "truth: each bit of the state wrong once one delta has arrived, in whatever order",
        show: Show::Alone(show_walk_truth),
    },
    Control {
        judge: Judge::EverySet,
        planted: "invariance: a bit of the state wrong in one way into the set of the last two of twelve deltas, and of the \
                  first and the last",
        show: Show::Alone(show_walk_far),
    },
    Control {
        judge: Judge::EverySet,
        planted: "a walk over twelve deltas that leaves out a block, walks one twice or compares nothing in one, and a \
                  comparison with the truth that leaves out a set",
        show: Show::Alone(show_walk_left_out),
    },
];

/// For what delivered orders warrant.
pub const WARRANT: &[Control] = &[
    Control {
        judge: Judge::Warrant,
        planted: "all orders of five deltas without the first, and with each twice",
        show: Show::Alone(show_every_order),
    },
    Control {
        judge: Judge::Warrant,
        planted: "a covering family of five deltas without one of its orders",
        show: Show::Alone(show_every_tuple),
    },
    Control {
        judge: Judge::Warrant,
        planted: "drawn orders of twelve deltas in which one delta always comes first, or which are all even permutations",
        show: Show::Alone(show_drawn),
    },
];

/// For searches of every delivered set of a device.
pub const SEARCH: &[Control] = &[Control {
    judge: Judge::Search,
    planted: "each bit of the state wrong once all deltas have arrived",
    show: Show::Alone(show_search),
}];

const DELTAS: u32 = 3;

fn workload() -> Workload<'static> {
    let workload = Workload {
        scenario: None,
        count: DELTAS,
        seed: Seed::new(7),
        truth: 0,
        budget: Budget::deliveries(1 << 10),
        memory: 1 << 20,
        banks: 8,
        software: true,
        devices: false,
    };
    Workload { truth: sum(&workload.deltas()), ..workload }
}

/// Whole orders by an accumulator whose state is wrong by `mask` after these arrivals.
fn whole_orders(oracle: OracleId, is_wrong: fn(&[u64], &[u64]) -> bool) -> Shown {
    let workload = workload();
    let deltas = workload.deltas();
    let spec = "all".parse().expect("an explorer");
    let chosen = explore::choose(&spec, &workload.setting()).expect("it fits");
    Shown::of(0, bits(), |mask| {
        let deltas = deltas.clone();
        let after = move |arrived: &[u64]| sum(arrived) ^ if is_wrong(arrived, &deltas) { mask } else { 0 };
        let mut accumulator = WrongAccumulator::showing(after);
        agreed(&check(&mut [&mut accumulator], &workload, &chosen, &mut Unwatched).check, oracle)
    })
}

fn show_invariance() -> Shown {
    whole_orders(OracleId::Invariance, |arrived, deltas| {
        arrived.len() == deltas.len() && arrived.last() == deltas.first()
    })
}

fn show_truth() -> Shown {
    whole_orders(OracleId::Truth, |arrived, deltas| arrived.len() == deltas.len())
}

fn show_truth_before_last() -> Shown {
    whole_orders(OracleId::Truth, |arrived, deltas| arrived.len() + 1 == deltas.len())
}

/// A walk over an accumulator whose merge of the first delta is wrong by a mask, at these states.
fn walk(oracle: OracleId, is_wrong: fn(u64) -> bool) -> Shown {
    let limits = Limits { memory: 1 << 20, deliveries: 1 << 10, threads: NonZeroUsize::MIN };
    let workload = workload();
    let first = workload.deltas()[0];
    Shown::of(0, bits(), |mask| {
        let merge = move |state: u64, delta| state ^ delta ^ if delta == first && is_wrong(state) { mask } else { 0 };
        let walked = walked::check(&WrongMerge::by(merge), &workload, &limits, &mut Unwatched).expect("it fits");
        agreed(&walked.check, oracle)
    })
}

fn show_walk_invariance() -> Shown {
    walk(OracleId::Invariance, |state| state != 0)
}

fn show_walk_truth() -> Shown {
    walk(OracleId::Truth, |_| true)
}

/// What these orders warrant, if this is claimed of them.
fn warranted(claim: Claim, deltas: u64, orders: &[Vec<u32>]) -> Verdict {
    let seed = Seed::new(7);
    let mut delivered = Delivered::new(seed, deltas, [(claim, orders.len() as u64)]);
    for order in orders {
        delivered.begin(0);
        let arrivals: Vec<u64> = order.iter().map(|&index| Deltas::of_engine(seed).at(index.into())).collect();
        delivered.deliver(&arrivals).and_then(|()| delivered.end()).expect("an order of the deltas");
    }
    match delivered.warrant(&delivered.measured()) {
        Ok(_) => Verdict::Holds,
        Err(Unwarranted::FalseClaim(_)) => Verdict::Falsified,
        Err(Unwarranted::Nothing(_)) => Verdict::Inconclusive,
    }
}

/// Every permutation of `0..deltas`, by Heap's algorithm.
fn all_orders(deltas: u32) -> Vec<Vec<u32>> {
    fn exchange(order: &mut Vec<u32>, length: usize, all: &mut Vec<Vec<u32>>) {
        if length <= 1 {
            return all.push(order.clone());
        }
        for place in 0..length {
            exchange(order, length - 1, all);
            order.swap(if length.is_multiple_of(2) { place } else { 0 }, length - 1);
        }
    }
    let mut all = Vec::new();
    exchange(&mut (0..deltas).collect(), deltas as usize, &mut all);
    all
}

fn show_every_order() -> Shown {
    let all = all_orders(5);
    let twice: Vec<Vec<u32>> = all.iter().take(60).flat_map(|order| [order.clone(), order.clone()]).collect();
    let wrong = [all[1..].to_vec(), twice];
    Shown::of(all, wrong, |orders| warranted(Claim::EveryOrder, 5, &orders))
}

fn show_every_tuple() -> Shown {
    let backwards = |order: &Vec<u32>| order.iter().rev().copied().collect::<Vec<u32>>();
    let one: Vec<u32> = (0..5).collect();
    let family = vec![one.clone(), backwards(&one)];
    let wrong = [vec![family[0].clone()], vec![family[1].clone()]];
    Shown::of(family, wrong, |orders| warranted(Claim::EveryTuple { strength: 2 }, 5, &orders))
}

fn show_drawn() -> Shown {
    let drawn = |number: u64| {
        let mut order: Vec<u32> = (0..12).collect();
        Seed::new(7).stream("control").member(number).shuffle(&mut order);
        order
    };
    let orders: Vec<Vec<u32>> = (0..64).map(drawn).collect();
    let first = |order: &Vec<u32>| {
        let mut order = order.clone();
        let at = order.iter().position(|&index| index == 0).expect("it is there");
        order.swap(0, at);
        order
    };
    let even = |order: &Vec<u32>| {
        let mut order = order.clone();
        let inversions = |order: &[u32]| -> usize {
            (0..order.len()).map(|at| order[at + 1..].iter().filter(|&&later| later < order[at]).count()).sum()
        };
        if inversions(&order) % 2 == 1 {
            order.swap(0, 1);
        }
        order
    };
    let wrong = [orders.iter().map(first).collect(), orders.iter().map(even).collect::<Vec<_>>()];
    Shown::of(orders, wrong, |orders| warranted(Claim::Drawn { by: Shuffle::FisherYates }, 12, &orders))
}

/// Twelve deltas are walked in blocks of ten: one way is from block to block, one within the last.
fn show_walk_far() -> Shown {
    let limits = Limits { memory: 1 << 20, deliveries: 1 << 16, threads: NonZeroUsize::MIN };
    let workload = Workload { count: 12, budget: Budget::deliveries(1 << 16), ..workload() };
    let deltas = workload.deltas();
    let workload = Workload { truth: sum(&deltas), ..workload };
    let wrong = [1, 1 << 31, 1 << 63].into_iter().flat_map(|mask| [(10, 11, mask), (11, 0, mask)]);
    Shown::of((0, 1, 0), wrong, |(before, last, mask)| {
        let (before, last) = (deltas[before], deltas[last]);
        let merge = move |state: u64, delta| state ^ delta ^ if delta == last && state == before { mask } else { 0 };
        let walked = walked::check(&WrongMerge::by(merge), &workload, &limits, &mut Unwatched).expect("it fits");
        agreed(&walked.check, OracleId::Invariance)
    })
}

/// A walk that leaves something out warrants nothing: to refuse it is to leave it undecided.
fn show_walk_left_out() -> Shown {
    let limits = Limits { memory: 1 << 20, deliveries: 1 << 16, threads: NonZeroUsize::MIN };
    let workload = Workload { count: 12, budget: Budget::deliveries(1 << 16), ..workload() };
    let sound = || WrongWalk { fault: None, compared: Truth::Right };
    let walks = FAULTS.into_iter().map(|fault| WrongWalk { fault: Some(fault), ..sound() });
    let compared = WrongWalk { compared: Truth::Incomplete { sets: (1 << 12) - 1 }, ..sound() };
    Shown::of(sound(), walks.chain([compared]), |walk| {
        let check = walked::check(&walk, &workload, &limits, &mut Unwatched).expect("it fits").check;
        match (check.verdict, check.warrant.is_some()) {
            (Verdict::Inconclusive, false) => Verdict::Falsified,
            (verdict, true) => verdict,
            (_, false) => Verdict::Inconclusive,
        }
    })
}

fn show_search() -> Shown {
    Shown::of(0, bits(), |mask| {
        let workload = workload();
        // The state of all deltas is read last in its step.
        let mut device = WrongDevice::in_states(workload.truth, mask);
        agreed(&searched::check(&mut device, &workload, &mut Unwatched).check, OracleId::Truth)
    })
}
