//! The staleness of every strategy as an interval log, which HdrHistogram's own tools read.

use std::time::Duration;

use base64::Engine;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use hdrhistogram::serialization::{Deserializer, V2DeflateSerializer};

use crate::domain::trial::Trial;
use crate::report::record::Record;

/// The log of a record: one interval a strategy, the whole of its world, tagged with its name; values are milliseconds of
/// virtual time. `None` if the record is of no world, or of no histograms.
pub fn render(record: &Record) -> Option<String> {
    let offline = record.offline.as_ref()?;
    let Trial::Offline(trial) = &record.asked.trial else { return None };
    let (mut bytes, mut serializer) = (Vec::new(), V2DeflateSerializer::new());
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment("abench: staleness of edits by strategy, milliseconds of virtual time")
        .begin_log_with(&mut bytes, &mut serializer)
        .ok()?;
    for strategy in &offline.strategies {
        let encoded = base64::engine::general_purpose::STANDARD.decode(&strategy.staleness_histogram).ok()?;
        let histogram: Histogram<u64> = Deserializer::new().deserialize(&mut encoded.as_slice()).ok()?;
        let lasts = Duration::from_secs(trial.presence.lasts_s) + Duration::from_millis(strategy.settled_ms);
        log.write_histogram(&histogram, Duration::ZERO, lasts, Tag::new(&strategy.name)).ok()?;
    }
    String::from_utf8(bytes).ok()
}
