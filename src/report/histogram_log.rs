//! The staleness and the time to convergence of every engine as an interval log, which HdrHistogram's own tools read.

use std::time::Duration;

use base64::Engine;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use hdrhistogram::serialization::{Deserializer, V2DeflateSerializer};

use crate::report::record::Record;

/// The log of a record: three intervals an engine, each the whole of its world. Tagged with its name is staleness, with
/// `NAME.convergence` the time to convergence of edits, with `NAME.world-convergence` that of the worlds that were tried.
/// Values are milliseconds of virtual time. `None` if the record is of no world, or lacks a histogram.
pub fn render(record: &Record) -> Option<String> {
    let offline = record.offline.as_ref()?;
    let trial = record.asked.trial.keys().world()?;
    let (mut bytes, mut serializer) = (Vec::new(), V2DeflateSerializer::new());
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment("abench: staleness and time to convergence by engine, milliseconds of virtual time")
        .begin_log_with(&mut bytes, &mut serializer)
        .ok()?;
    for engine in &offline.engines {
        let name = &engine.name;
        let lasts = Duration::from_secs(trial.presence.lasts_s) + Duration::from_millis(engine.settled_ms);
        for (tag, encoded) in [
            (name.clone(), &engine.staleness_histogram),
            (format!("{name}.convergence"), &engine.convergence_histogram),
            (format!("{name}.world-convergence"), &engine.world_convergence_histogram),
        ] {
            let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).ok()?;
            let histogram: Histogram<u64> = Deserializer::new().deserialize(&mut bytes.as_slice()).ok()?;
            log.write_histogram(&histogram, Duration::ZERO, lasts, Tag::new(&tag)).ok()?;
        }
    }
    String::from_utf8(bytes).ok()
}
