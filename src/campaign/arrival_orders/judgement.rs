//! What the states after the tried orders come to: the verdict of each oracle, why they may tell nothing, and what was
//! covered.

use std::collections::BTreeMap;

use super::{Trial, Tried, Workload};
use crate::domain::explorer::Audit;
use crate::domain::factorial;
use crate::domain::trial::Budget;
use crate::domain::verdict::{Verdict, Warrant};
use crate::explore::choice::Choice;
use crate::explore::covering;
use crate::report::record::{Coverage, Orders, TuplesRecord};

/// The judgement of each oracle over all subjects. One order agrees with itself, which says nothing, unless it is the
/// only one there is.
pub(super) fn oracles(distinct: u64, count: u64, trials: &[Trial]) -> BTreeMap<String, Verdict> {
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
pub(super) fn doubt(
    tried: &Tried,
    chosen: &Choice,
    oracles: &BTreeMap<String, Verdict>,
    audit: Option<&Audit>,
    workload: &Workload,
) -> Option<String> {
    let (count, fit) = (u64::from(workload.count), workload.budget.get());
    let undecided = oracles.values().any(|&verdict| verdict == Verdict::Inconclusive);
    if tried.all() == 0 {
        let planned = count * Choice::most_of_standard(&workload.setting());
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

pub(super) fn summary(tried: &Tried, workload: &Workload) -> String {
    let (count, all, distinct) = (workload.count, tried.all(), tried.distinct);
    let orders = if all == 1 { "order" } else { "orders" };
    let different = if distinct < all { format!(", {distinct} of them different,") } else { String::new() };
    format!(
        "{all} {orders}{different} of {count} deltas, the last two states byte for byte against scalar, the last also \
         against each other"
    )
}

pub(super) fn orders_record(chosen: &Choice, tried: &Tried, workload: &Workload, audit: Option<Audit>) -> Orders {
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
