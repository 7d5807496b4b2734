//! What slices of orders come to together: one check, whoever ran them, and in whichever order they ended.

use hdrhistogram::Histogram;

use super::judgement::{Tried, doubt, oracles, orders_record, summary};
use super::slices::{Showed, Taken};
use super::{ARRIVAL_ORDERS, Latencies, Workload};
use crate::bus::timed::record;
use crate::domain::fault::FaultClass;
use crate::domain::judge::Judge;
use crate::domain::subject::SubjectError;
use crate::domain::verdict::Verdict;
use crate::explore::choice::Choice;
use crate::oracle::delivered::Delivered;
use crate::report::record::{Check, Orders, Part};

/// The check, and the time that each subject took an order, in nanoseconds.
pub struct Together {
    /// The check, with what was tried.
    pub check: Check,
    /// Of whole orders.
    pub latencies: Latencies,
}

/// What one subject showed in all slices.
pub(super) struct Trial {
    pub(super) invariance: Verdict,
    pub(super) truth: Verdict,
}

/// Puts slices together: those of each group of subjects, which took them at the same time, in their order. `ended` is why
/// not all planned orders were tried, where they were not.
///
/// # Errors
/// If they cannot be slices of these orders: a sentence without its full stop.
pub fn together(
    workload: &Workload,
    chosen: &Choice,
    groups: &[Vec<Taken>],
    ended: Option<&SubjectError>,
) -> Result<Together, String> {
    let count = u64::from(workload.count);
    let mut ledgers = groups.iter().map(|group| counted_up(workload, chosen, group)).collect::<Result<Vec<_>, _>>()?;
    let fewest = ledgers.iter().map(Delivered::orders).min().unwrap_or(0);
    let unlike = |of: &Delivered| of.measured().iter().map(|of| of.digest.clone()).collect::<Vec<_>>();
    if ended.is_none() && ledgers.iter().any(|ledger| unlike(ledger) != unlike(&ledgers[0])) {
        return Err("some subjects took other orders than others".to_owned());
    }
    let subjects: Vec<Vec<&Showed>> =
        groups.iter().map(|group| of_subjects(group)).collect::<Result<Vec<_>, _>>()?.concat();
    let trials: Vec<Trial> = subjects.iter().map(|showed| Trial::of(showed)).collect();
    let starts = starts_of(chosen);
    let mut wrong = Vec::new();
    for (group, ledger) in groups.iter().zip(&ledgers) {
        for place in 0..group.first().map_or(0, |taken| taken.subjects.len()) {
            wrong.extend(wrong_orders(workload.truth, group, place, &starts, ledger)?);
        }
    }
    let mut named = vec![Vec::new(); chosen.explorers.len()];
    for taken in groups.first().into_iter().flatten() {
        let explorer = taken.delivered.as_ref().map_or(0, |slice| slice.explorer);
        named[explorer].extend(taken.named.iter().cloned());
    }
    let delivered = if ledgers.is_empty() { counted_up(workload, chosen, &[])? } else { ledgers.swap_remove(0) };
    let telling = groups.iter().flatten().any(|taken| taken.telling);
    let tried = Tried { delivered, telling, wrong: covered(wrong), named };
    let findings: Vec<_> =
        subjects.iter().filter_map(|of| of.iter().find_map(|showed| showed.finding.clone())).collect();
    let counterexamples =
        subjects.iter().filter_map(|of| of.iter().find_map(|showed| showed.counterexample.clone())).collect();
    let oracles = oracles(tried.delivered.distinct(), count, &trials);
    let measured = tried.delivered.measured();
    let warrant = tried.delivered.warrant(&measured);
    let doubt = match ended {
        Some(ended) => {
            let wrong = subjects.iter().flatten().find_map(|showed| showed.first_untrue.as_ref());
            let wrong = wrong.map_or(String::new(), |order| format!("; after order {order} a state was wrong"));
            Some(format!("{ended} after {fewest} of {} planned orders{wrong}", chosen.planned()))
        }
        None => doubt(&tried, chosen, &oracles, warrant.as_ref().err(), workload),
    };
    let verdict = match Verdict::of_set(oracles.values().copied()) {
        // What did not come again, or could not be tried again, may have been the link's doing.
        Verdict::Falsified if findings.iter().all(|finding| !finding.reproducible) => Verdict::Inconclusive,
        Verdict::Falsified => Verdict::Falsified,
        _ if doubt.is_some() => Verdict::Inconclusive,
        _ => Verdict::Holds,
    };
    let told = doubt.filter(|_| verdict == Verdict::Inconclusive).unwrap_or_else(|| summary(&tried, workload));
    let latencies = subjects.iter().filter_map(|of| Some((of.first()?.name.clone(), latencies(of)))).collect();
    let check = Check {
        name: ARRIVAL_ORDERS.to_owned(),
        part: Part::Orders,
        judge: Judge::ArrivalOrders,
        subjects: subjects.iter().flat_map(|of| of.first()).map(|of| (of.name.clone(), of.evidence)).collect(),
        verdict,
        summary: told,
        oracles,
        warrant: warrant.ok().filter(|_| verdict == Verdict::Holds),
        orders: Some(Orders { counterexamples, ..orders_record(chosen, &tried, measured, workload) }),
        // An order by index is the one in which the reference took the deltas: it tries nothing. One delta has no other.
        tries: if tried.delivered.orders() > 0 && count > 1 && !tried.delivered.by_index_alone() {
            vec![FaultClass::OrderDependence]
        } else {
            Vec::new()
        },
        findings,
    };
    Ok(Together { check, latencies })
}

/// What was delivered in all slices of a group.
fn counted_up(workload: &Workload, chosen: &Choice, group: &[Taken]) -> Result<Delivered, String> {
    let count = u64::from(workload.count);
    let claims = chosen.explorers.iter().map(|chooser| (chooser.explorer.claim(count), chooser.planned));
    let mut delivered = Delivered::new(workload.seed, count, claims);
    group.iter().filter_map(|taken| taken.delivered.as_ref()).try_for_each(|slice| delivered.absorb(slice))?;
    Ok(delivered)
}

/// What each subject of a group showed, slice after slice.
fn of_subjects(group: &[Taken]) -> Result<Vec<Vec<&Showed>>, String> {
    let Some(first) = group.first() else { return Ok(Vec::new()) };
    let names = |taken: &Taken| taken.subjects.iter().map(|showed| showed.name.clone()).collect::<Vec<_>>();
    if group.iter().any(|taken| names(taken) != names(first)) {
        return Err("two slices are of different subjects".to_owned());
    }
    let of = |place: usize| group.iter().map(|taken| &taken.subjects[place]).collect();
    Ok((0..first.subjects.len()).map(of).collect())
}

/// The number of the first order of each explorer, counted over all of them.
fn starts_of(chosen: &Choice) -> Vec<u64> {
    let starts = chosen.explorers.iter().scan(0u64, |next, chooser| {
        let start = *next;
        *next = next.saturating_add(chooser.planned);
        Some(start)
    });
    starts.collect()
}

/// The orders in which an oracle has something against a subject, counted over all explorers: where it began with a wrong
/// state, one is against each order.
fn wrong_orders(
    truth: u64,
    group: &[Taken],
    place: usize,
    starts: &[u64],
    ledger: &Delivered,
) -> Result<Vec<(u64, u64)>, String> {
    let first = group.iter().find_map(|taken| taken.subjects[place].first);
    let mut wrong = Vec::new();
    for (taken, slice) in group.iter().filter_map(|taken| Some((taken, taken.delivered.as_ref()?))) {
        let start = starts.get(slice.explorer).copied().unwrap_or(0);
        for &(number, length) in &taken.subjects[place].untrue {
            let end = number.checked_add(length).and_then(|end| end.checked_add(start)).filter(|_| length > 0);
            wrong.push((start + number, end.ok_or("an order has a number that no order has")?));
        }
    }
    let all =
        || (0..ledger.measured().len()).map(|of| (starts[of], starts[of] + ledger.measured()[of].orders)).collect();
    Ok(if first.is_some_and(|first| first.0 != truth) { all() } else { wrong })
}

/// How many numbers lie in any of these ranges.
fn covered(mut ranges: Vec<(u64, u64)>) -> u64 {
    ranges.sort_unstable();
    let (mut sum, mut until) = (0, 0);
    for (start, end) in ranges {
        let start = start.max(until);
        sum += end.saturating_sub(start);
        until = until.max(end);
    }
    sum
}

impl Trial {
    fn of(showed: &[&Showed]) -> Self {
        let firsts = || showed.iter().filter_map(|showed| showed.first);
        let varies = showed.iter().any(|showed| showed.varies) || firsts().any(|first| Some(first) != firsts().next());
        let untrue = showed.iter().any(|showed| !showed.untrue.is_empty());
        let verdict = |wrong| if wrong { Verdict::Falsified } else { Verdict::Holds };
        Trial { invariance: verdict(varies), truth: verdict(untrue) }
    }
}

fn latencies(showed: &[&Showed]) -> Histogram<u64> {
    let mut histogram = Histogram::new(3).expect("three digits are within what a histogram allows");
    let times = showed.iter().flat_map(|showed| &showed.times_ns);
    times.for_each(|&time| record(&mut histogram, std::time::Duration::from_nanos(time)));
    histogram
}
