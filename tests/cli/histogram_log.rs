//! The log of staleness and of times to convergence: read by the hdrhistogram crate's own iterator, and by HdrHistogram's Python tools from PyPI.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::answer;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use serde_json::Value;

/// What a tool says of one interval: its tag, seconds, and the numbers of the record's row.
type Row = (String, f64, Vec<u64>);

/// A world's log, in a folder of its own, and the rows that its record wants.
fn logged(scenario: &str) -> (tempfile::TempDir, PathBuf, Vec<Row>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("staleness.hlog");
    let answer = answer(&["run", scenario, "--histogram-log", path.to_str().expect("text"), "--record", "-"]);
    assert_eq!(answer.exit, 0, "{}", answer.talk);
    let record: Value = serde_json::from_str(&answer.output).expect("JSON");
    let lasts = record["asked"]["trial"]["offline"]["presence"]["lasts_s"].as_f64().expect("seconds");
    let engines = record["offline"]["engines"].as_array().expect("rows");
    let row = |row: &Value, tag: &str, times: &str| {
        let number = |key: &str| row[times][key].as_u64().expect("a number");
        let seconds = lasts + row["settled_ms"].as_f64().expect("milliseconds") / 1000.0;
        let name = row["name"].as_str().expect("a name");
        (format!("{name}{tag}"), seconds, ["count", "min", "p50", "p90", "p99", "max"].map(number).to_vec())
    };
    let tags =
        [("", "staleness_ms"), (".convergence", "convergence_ms"), (".world-convergence", "world_convergence_ms")];
    let rows: Vec<Row> = engines.iter().flat_map(|engine| tags.map(|(tag, times)| row(engine, tag, times))).collect();
    for kind in rows.chunks_exact(tags.len()) {
        // An edit is with one other client before it is with all replicas, and a world in which none differ has a time.
        let [stale, edits, worlds] = [0, 1, 2].map(|place| &kind[place].2);
        assert!(
            stale[0] > edits[0] && stale[2] < stale[4] && edits[2] < edits[4],
            "there is something to read: {kind:?}"
        );
        assert!(stale[2] < edits[2] && stale[5] <= edits[5] && worlds[0] <= 5, "{kind:?}");
    }
    let worlds = |rows: &[Row]| rows.iter().filter(|(tag, ..)| tag.ends_with(".world-convergence")).count();
    let tried = |row: &&Value| row["world_convergence_ms"]["count"] == 5 && row["unconverged_worlds"] == 0;
    assert_eq!((worlds(&rows), engines.iter().filter(tried).count() > 0), (engines.len(), true));
    (folder, path, rows)
}

#[test]
fn the_crates_own_iterator_reads_every_interval_with_the_numbers_of_the_record() {
    let (_folder, path, wanted) = logged("shop-inventory");
    let bytes = std::fs::read(path).expect("a file");
    let intervals = IntervalLogIterator::new(&bytes).filter_map(|entry| match entry.expect("a sound log") {
        LogEntry::Interval(interval) => Some(interval),
        _ => None,
    });
    let row = |interval: hdrhistogram::serialization::interval_log::IntervalLogHistogram| {
        let encoded = STANDARD.decode(interval.encoded_histogram()).expect("base64");
        let histogram: Histogram<u64> = Deserializer::new().deserialize(&mut encoded.as_slice()).expect("a histogram");
        let at = |quantile| histogram.value_at_quantile(quantile);
        let numbers = vec![histogram.len(), histogram.min(), at(0.5), at(0.9), at(0.99), histogram.max()];
        assert_eq!(interval.max(), histogram.max() as f64);
        (interval.tag().expect("a tag").as_str().to_owned(), interval.duration().as_secs_f64(), numbers)
    };
    assert_eq!(intervals.map(row).collect::<Vec<Row>>(), wanted);
}

/// Where the test command installs it.
fn installed() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/hdrhistogram/bin/python");
    if python.exists() {
        return Some(python);
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "in CI hdrhistogram must be there: {}", python.display());
    // Said past the test's own output, which is hidden where a test passes.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: PyPI's hdrhistogram is not installed (.ci/test installs it with python3)"
    );
    None
}

const READER: &str = "
import json, sys
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
reader, rows = HistogramLogReader(sys.argv[1], HdrHistogram(1, 2 ** 40, 3)), []
while (h := reader.get_next_interval_histogram()) is not None:
    at = [h.get_value_at_percentile(percentile) for percentile in (50, 90, 99)]
    lasts = (h.get_end_time_stamp() - h.get_start_time_stamp()) / 1000
    rows.append([h.get_tag(), lasts, [h.get_total_count(), h.get_min_value(), *at, h.get_max_value()]])
print(json.dumps(rows))
";

#[test]
fn hdrhistograms_python_tools_read_every_interval_with_the_numbers_of_the_record() {
    let Some(python) = installed() else { return };
    let (_folder, path, wanted) = logged("shop-inventory");
    let read = Command::new(python).args(["-c", READER]).arg(path).output().expect("python starts");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let rows: Vec<Row> = serde_json::from_slice(&read.stdout).expect("JSON");
    assert_eq!(rows, wanted);
}

#[test]
fn a_log_of_a_scenario_without_engines_is_refused_and_leaves_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("none.hlog");
    let answer = answer(&["run", "tick", "--histogram-log", path.to_str().expect("text")]);
    assert_eq!(answer.exit, 2);
    assert!(answer.talk.contains("--histogram-log is about engines"), "{}", answer.talk);
    assert!(!path.exists(), "no half a file");
}
