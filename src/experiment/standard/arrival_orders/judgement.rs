//! What the states after the tried orders come to: the verdict of each oracle, why they may tell nothing, and what was
//! covered.

use std::collections::BTreeMap;

use super::Workload;
use super::together::Trial;
use crate::domain::factorial;
use crate::domain::oracle::OracleId;
use crate::domain::trial::Budget;
use crate::domain::verdict::{FEWEST_SAMPLES, Verdict};
use crate::explore::choice::Choice;
use crate::oracle::delivered::{Delivered, Measured, Unwarranted};
use crate::report::record::{Coverage, DeliveredRecord, Orders, TuplesRecord};

/// Where it is described how the orders are made and counted.
const DESCRIBED_IN: &str = "docs/orders.md, version 1";

/// What was tried of the chosen orders.
pub(super) struct Tried {
    /// What the subjects were given.
    pub(super) delivered: Delivered,
    /// Whether any state should have been another than 0.
    pub(super) telling: bool,
    /// Orders in which a state of any subject was wrong.
    pub(super) wrong: u64,
    /// The orders that were chosen by hand, by explorer.
    pub(super) named: Vec<Vec<String>>,
}

/// The judgement of each oracle over all subjects. One order agrees with itself, which says nothing, unless it is the
/// only one there is.
pub(super) fn oracles(distinct: u64, count: u64, trials: &[Trial]) -> BTreeMap<OracleId, Verdict> {
    let verdict = |of: fn(&Trial) -> Verdict, least: u64| match Verdict::of_set(trials.iter().map(of)) {
        Verdict::Holds if distinct < least => Verdict::Inconclusive,
        verdict => verdict,
    };
    BTreeMap::from([
        (OracleId::Invariance, verdict(|trial| trial.invariance, count.min(2))),
        (OracleId::Truth, verdict(|trial| trial.truth, 1)),
    ])
}

/// Why the orders tell nothing, if they do not.
pub(super) fn doubt(
    tried: &Tried,
    chosen: &Choice,
    oracles: &BTreeMap<OracleId, Verdict>,
    unwarranted: Option<&Unwarranted>,
    workload: &Workload,
) -> Option<String> {
    let (count, fit) = (u64::from(workload.count), workload.budget.get());
    let undecided = oracles.values().any(|&verdict| verdict == Verdict::Inconclusive);
    if tried.delivered.orders() == 0 {
        let planned = count * Choice::most_of_standard(&workload.setting());
        Some(format!(
            "give --budget {}, or {planned} for all planned orders: no complete order of {count} deltas fits the budget of \
             {fit} deliveries, and {FEWEST_SAMPLES} drawn orders are the fewest that bound anything",
            FEWEST_SAMPLES * count,
        ))
    } else if let Some(Unwarranted::FalseClaim(reason)) = unwarranted {
        Some(reason.clone())
    } else if tried.delivered.by_index_alone() {
        Some("the deltas were tried by index alone, as the reference took them".to_owned())
    } else if undecided && chosen.asked {
        Some("one order cannot disagree with another: ask for several, such as --orders sample:64".to_owned())
    } else if undecided {
        Some(format!(
            "give --budget {}: one complete order of {count} deltas fits the budget of {fit} deliveries, one order cannot \
             disagree with another, and {FEWEST_SAMPLES} drawn orders are the fewest that bound anything",
            FEWEST_SAMPLES * count,
        ))
    } else if !tried.telling {
        Some("every state is right to be 0: a subject that does nothing passes".to_owned())
    } else if let Some(Unwarranted::Nothing(reason)) = unwarranted {
        Some(reason.clone())
    } else {
        None
    }
}

pub(super) fn summary(tried: &Tried, workload: &Workload) -> String {
    let (count, all, distinct) = (workload.count, tried.delivered.orders(), tried.delivered.distinct());
    let orders = if all == 1 { "order" } else { "orders" };
    let different = if distinct < all { format!(", {distinct} of them different,") } else { String::new() };
    let wrong = match tried.wrong {
        0 => String::new(),
        wrong => format!("{wrong} of {all} orders are wrong: "),
    };
    format!(
        "{wrong}{all} {orders}{different} of {count} deltas: the last two states of each compared with scalar's, byte for byte, and \
         the last state with that of every other order"
    )
}

/// What was delivered, as the record keeps it.
pub(super) fn orders_record(chosen: &Choice, tried: &Tried, measured: Vec<Measured>, workload: &Workload) -> Orders {
    let count = u64::from(workload.count);
    let delivered = &tried.delivered;
    let tuples = measured.iter().filter_map(|measured| measured.tuples).max();
    let audit = measured.iter().find_map(|measured| measured.audit.clone());
    let of_explorers = chosen.explorers.iter().zip(measured).zip(&tried.named);
    let delivered_by = of_explorers.map(|((chooser, measured), named)| DeliveredRecord {
        explorer: chooser.explorer.name().to_owned(),
        claim: chooser.explorer.claim(count),
        orders: measured.orders,
        digest: measured.digest,
        named: named.clone(),
        listed: measured.listed.iter().map(|order| listed(order)).collect(),
    });
    Orders {
        deltas: count,
        seed: workload.seed,
        described_in: DESCRIBED_IN.to_owned(),
        delivered: delivered_by.collect(),
        coverage: Coverage {
            tried: delivered.orders(),
            distinct: delivered.distinct(),
            identified_by: delivered.identified_by(),
            all: factorial::text(count),
            tuples: tuples.map(|(strength, counted, all)| TuplesRecord { strength, counted, all }),
        },
        audit,
        deliveries: delivered.deliveries(),
        budget: workload.budget.get(),
        nominal_deliveries_per_second: Budget::DELIVERIES_PER_SECOND,
        counterexamples: Vec::new(),
    }
}

/// The indices of an order as `exactly:` takes them.
fn listed(order: &[u32]) -> String {
    let indices: Vec<String> = order.iter().map(u32::to_string).collect();
    indices.join(".")
}
