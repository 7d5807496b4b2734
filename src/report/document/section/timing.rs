//! How long things took, how fast subjects were, and on what host. These numbers differ between runs.

use std::collections::BTreeMap;

use crate::domain::shown::{ratio, took};
use crate::report::document::{Block, Cell, Column, Section, Table};
use crate::report::record::{Host, Latencies, Record, Simulated, Timing};
use crate::report::samples::Sample;

/// Times, rates and the host.
pub fn section(record: &Record) -> Option<Section> {
    let Timing { total_us, checks_us, round_trips_ns, orders_ns, deliveries, samples, .. } = &record.timing;
    let Host { os, arch, simd, threads, processor, build } = &record.host;
    let mut facts = vec![
        ("the whole run".to_owned(), took(*total_us)),
        ("operating system".to_owned(), os.clone()),
        ("processor".to_owned(), format!("{processor} {arch}").trim().to_owned()),
        ("vector unit".to_owned(), simd.clone()),
        ("threads".to_owned(), threads.to_string()),
        ("build".to_owned(), build.clone()),
    ];
    for (device, Simulated { cycles, us }) in record.clock_by_clock() {
        if let Some(per_second) = cycles.saturating_mul(1_000_000).checked_div(*us) {
            facts.push((format!("simulated cycles of {device}"), format!("{per_second} a second")));
        }
    }
    if let Some(per_second) = deliveries.count.saturating_mul(1_000_000).checked_div(deliveries.us) {
        facts.push(("deliveries".to_owned(), format!("{per_second} a second on one thread")));
    }
    facts.retain(|(_, value)| !value.is_empty());
    let deltas = record.checks.iter().find_map(|check| check.orders.as_ref()).map(|orders| orders.deltas);
    // How fast the host simulates a device says nothing of the device.
    let rate = |name: &str, p50: u64| {
        deltas.map(|deltas| Cell::number((!record.is_simulated(name)).then(|| ratio(deltas, p50))))
    };
    let tables = [
        latencies(
            "Whole arrival orders, from reset to the observed state, by the host's clock",
            "subject",
            orders_ns,
            rate,
        ),
        latencies("Register round trips, by the host's clock", "device", round_trips_ns, |_, _| None),
        checks(checks_us),
        all_samples(samples),
    ];
    let blocks = [Block::Facts(facts)].into_iter().chain(tables.into_iter().flatten().map(Block::Table)).collect();
    Section::detail("timing", "Time and host", blocks)
}

/// A row for each of what was timed, with a rate where one is given.
fn latencies(
    what: &str,
    of: &str,
    times: &BTreeMap<String, Latencies>,
    rate: impl Fn(&str, u64) -> Option<Cell>,
) -> Option<Table> {
    let heads = ["shortest", "p50", "p90", "p99", "longest"].map(|head| Column::of(head, "ns"));
    let columns = [Column::words(of), Column::number("count")].into_iter().chain(heads);
    let rows = times.iter().filter(|(_, times)| times.count > 0).map(|(name, times)| {
        let Latencies { count, min, p50, p90, p99, max } = *times;
        let numbers = [count, min, p50, p90, p99, max].map(Cell::text);
        [Cell::text(name)].into_iter().chain(numbers).chain(rate(name, p50)).collect::<Vec<Cell>>()
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    let has_rates = rows.first()?.len() > 7;
    let columns = columns.chain(has_rates.then(|| Column::of("rate", "G deltas/s")));
    Some(Table::numbers(what, columns, rows))
}

fn checks(checks: &[(String, u64)]) -> Option<Table> {
    let columns = [Column::words("check"), Column::of("time", "µs")];
    let rows = checks.iter().map(|(name, us)| vec![Cell::text(name), Cell::text(us)]);
    (!checks.is_empty()).then(|| Table::numbers("Time of each check", columns, rows))
}

fn all_samples(samples: &[Sample]) -> Option<Table> {
    let columns = [
        Column::words("run"),
        Column::of("time", "µs"),
        Column::of("processor time", "µs"),
        Column::number("deliveries"),
    ];
    let rows = samples.iter().enumerate().map(|(place, sample)| {
        let Sample { total_us, processor_us, deliveries, .. } = sample;
        vec![
            Cell::text(format!("#{}", place + 1)),
            Cell::text(total_us),
            Cell::number(*processor_us),
            Cell::text(deliveries.count),
        ]
    });
    (!samples.is_empty()).then(|| Table::numbers("Repeated runs, in the order in which they were made", columns, rows))
}
