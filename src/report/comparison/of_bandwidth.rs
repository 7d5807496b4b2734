//! The facts of a bandwidth report: what each sender moves, and how many records it gets wrong.

use crate::report::bandwidth_record::{BandwidthRecord, BandwidthRow, MessageBytes};
use crate::report::comparison::facts::{Fact, Kind, Value};

/// The facts of a report.
pub(super) fn facts(record: &BandwidthRecord) -> Vec<Fact> {
    let bound = Fact::new(
        Kind::Result,
        "information bound",
        Value::Exact(format!("{} tenths of a byte a sync", record.bound.bytes_per_sync_tenths)),
    );
    record.rows.iter().flat_map(of_row).chain([bound]).collect()
}

fn of_row(row: &BandwidthRow) -> Vec<Fact> {
    let name = &row.name;
    let bytes = |what: &str, bytes: i64| {
        let bytes = Value::Amount(u64::try_from(bytes).unwrap_or(0), "B");
        Fact::new(Kind::Bytes, format!("{name}: {what}"), bytes)
    };
    let both = |of: fn(&MessageBytes) -> i64| of(&row.up) + of(&row.down);
    let mut facts = vec![
        Fact::new(Kind::Verdict, name.as_str(), Value::Verdict(row.verdict)),
        Fact::new(Kind::Result, format!("{name}: wrong records"), Value::Amount(row.wrong_records.into(), "")),
        Fact::new(Kind::Result, format!("{name}: syncs"), Value::Exact(row.syncs.to_string())),
        bytes("data", both(|of| of.data)),
        bytes("acknowledgements", both(|of| of.acknowledgements)),
        bytes("handshakes", both(|of| of.handshakes)),
        bytes("sent again", both(|of| of.retransmissions)),
    ];
    facts.extend(row.estimate.map(|estimate| {
        let a_month = Value::Amount(estimate.bytes_per_month, "B");
        Fact::new(Kind::Bytes, format!("{name}: a month"), a_month)
    }));
    facts
}
