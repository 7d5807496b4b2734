//! What is planted for the judges of arrival orders: whole orders, walks and searches.

use std::num::NonZeroUsize;

use super::{Workload, check, searched, walked};
use crate::campaign::controls::wrong::{WrongAccumulator, WrongDevice, WrongMerge, sum};
use crate::campaign::controls::{Control, Shown, agreed, bits};
use crate::domain::judge::Judge;
use crate::domain::seed::Seed;
use crate::domain::trial::Budget;
use crate::domain::watch::Unwatched;
use crate::explore;
use crate::explore::exhaustive::Limits;

/// For states after whole orders.
pub const WHOLE_ORDERS: &[Control] = &[
    Control {
        judge: Judge::ArrivalOrders,
        planted: "invariance: each bit of the state wrong after the orders that end in one delta",
        show: show_invariance,
    },
    Control {
        judge: Judge::ArrivalOrders,
        planted: "truth: each bit of the state wrong after every order",
        show: show_truth,
    },
    Control {
        judge: Judge::ArrivalOrders,
        planted: "truth: each bit of the state wrong before the last delta, and right after it",
        show: show_truth_before_last,
    },
];

/// For walks over every delivered set of an accumulator.
pub const EVERY_SET: &[Control] = &[
    Control {
        judge: Judge::EverySet,
        planted: "invariance: each bit of the state wrong where one delta does not arrive first",
        show: show_walk_invariance,
    },
    Control {
        judge: Judge::EverySet,
        planted: "truth: each bit of the state wrong once one delta has arrived, in whatever order",
        show: show_walk_truth,
    },
];

/// For searches of every delivered set of a device.
pub const SEARCH: &[Control] = &[Control {
    judge: Judge::Search,
    planted: "each bit of the state wrong once all deltas have arrived",
    show: show_search,
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
fn whole_orders(oracle: &str, is_wrong: fn(&[u64], &[u64]) -> bool) -> Shown {
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
    whole_orders("invariance", |arrived, deltas| arrived.len() == deltas.len() && arrived.last() == deltas.first())
}

fn show_truth() -> Shown {
    whole_orders("truth", |arrived, deltas| arrived.len() == deltas.len())
}

fn show_truth_before_last() -> Shown {
    whole_orders("truth", |arrived, deltas| arrived.len() + 1 == deltas.len())
}

/// A walk over an accumulator whose merge of the first delta is wrong by a mask, at these states.
fn walk(oracle: &str, is_wrong: fn(u64) -> bool) -> Shown {
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
    walk("invariance", |state| state != 0)
}

fn show_walk_truth() -> Shown {
    walk("truth", |_| true)
}

fn show_search() -> Shown {
    Shown::of(0, bits(), |mask| {
        let workload = workload();
        // The state of all deltas is read last in its step.
        let mut device = WrongDevice::in_states(workload.truth, mask);
        agreed(&searched::check(&mut device, &workload, &mut Unwatched).check, "truth")
    })
}
