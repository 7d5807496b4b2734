//! A record as Bencher Metric Format, the JSON that Bencher keeps a history of:
//! `{ "benchmark": { "measure": { "value": .., "lower_value": .., "upper_value": .. } } }`.
//!
//! Benchmarks are named `scenario`, `scenario/engine` and `scenario/what was timed`. The measures are Bencher's own
//! `latency` (nanoseconds) and `throughput` (operations a second), and ours: `bytes-up`, `bytes-down`, `bytes-stored`,
//! `message-bytes`, `staleness-p99-ms`, `wrong-registers`, `processor-time` (nanoseconds), `mutation-score` (per cent).
//! Bounds are those of the 95 % interval of the median, where a record keeps samples enough.

use serde_json::{Map, Value, json};

use crate::report::any::AnyRecord as Any;
use crate::report::comparison::interval::{Interval, median, of_median};
use crate::report::comparison::name;
use crate::report::comparison::times::{Clock, series};
use crate::report::record::Record;

/// The metrics of these records.
pub fn metrics<'a>(records: impl IntoIterator<Item = &'a Any>) -> Value {
    let mut metrics = Metrics::default();
    for record in records {
        match record {
            Any::Run(record) => metrics.run(record),
            Any::RtlMutation(record) => {
                for (part, score) in &record.score {
                    let percent = score.percent.unwrap_or_default();
                    metrics.put(&format!("rtl/{part}"), "mutation-score", json!({ "value": percent }));
                }
            }
            Any::Ledger(ledger) => {
                let as_expected = ledger.claims.iter().filter(|claim| claim.is_as_expected()).count();
                metrics.put("claims", "as-expected", json!({ "value": as_expected as f64 }));
            }
            Any::Qualification(qualification) => {
                let mut score = |of: &str, part: u64, whole: u64| {
                    if whole > 0 {
                        metrics.put(of, "mutation-score", json!({ "value": 100.0 * part as f64 / whole as f64 }));
                    }
                };
                if let Some(engines) = &qualification.engines {
                    score("qualification/engines", engines.score.killed, engines.score.planted);
                }
                if let Some(devices) = &qualification.devices {
                    score("qualification/devices", devices.together.detected, devices.together.detectable());
                }
            }
        }
    }
    Value::Object(metrics.benchmarks)
}

#[derive(Default)]
struct Metrics {
    benchmarks: Map<String, Value>,
}

impl Metrics {
    fn put(&mut self, benchmark: &str, measure: &str, metric: Value) {
        let measures = self.benchmarks.entry(benchmark).or_insert_with(|| json!({}));
        measures[measure] = metric;
    }

    fn run(&mut self, record: &Record) {
        let name = name(record);
        for tick in &record.ticks {
            let of = if tick.published { "published tick".to_owned() } else { format!("tick {}", tick.seed) };
            self.put(&format!("{name}/{of}"), "message-bytes", json!({ "value": tick.message_bytes }));
        }
        for engine in record.offline.iter().flat_map(|world| &world.engines) {
            let benchmark = format!("{name}/{}", engine.name);
            for (measure, value) in [
                ("bytes-up", engine.up.total()),
                ("bytes-down", engine.down.total()),
                ("bytes-stored", engine.stored),
                ("staleness-p99-ms", engine.staleness_ms.p99),
                ("wrong-registers", engine.wrong_registers.into()),
            ] {
                self.put(&benchmark, measure, json!({ "value": value }));
            }
        }
        self.times(record, &name);
    }

    fn times(&mut self, record: &Record, name: &str) {
        if record.timing.samples.is_empty() {
            return self.put(name, "latency", json!({ "value": record.timing.total_us as f64 * 1e3 }));
        }
        let deltas = record.checks.iter().find_map(|check| check.orders.as_ref()).map(|orders| orders.deltas as f64);
        for series in series(&record.timing.samples) {
            let interval = of_median(&series.nanoseconds);
            let metric = match interval {
                Some(interval) => bounded(interval),
                None => json!({ "value": median(&series.nanoseconds) }),
            };
            match (series.what.strip_prefix("the whole run"), series.clock) {
                (Some(_), Clock::Wall) => self.put(name, "latency", metric),
                (Some(_), Clock::Processor) => self.put(name, "processor-time", metric),
                (None, _) => self.put(&format!("{name}/{}", series.what), "latency", metric),
            }
            let operations = match series.what.as_str() {
                what if what.starts_with("an arrival order on ") => deltas,
                "a delivery between replicas" => Some(1.0),
                _ => None,
            };
            if let Some((operations, interval)) = operations.zip(interval) {
                let rate = |nanoseconds: f64| operations * 1e9 / nanoseconds;
                let [value, lower, upper] = [interval.value, interval.upper, interval.lower].map(rate);
                self.put(&format!("{name}/{}", series.what), "throughput", bounded(Interval { value, lower, upper }));
            }
        }
    }
}

fn bounded(Interval { value, lower, upper }: Interval) -> Value {
    json!({ "value": value, "lower_value": lower, "upper_value": upper })
}
