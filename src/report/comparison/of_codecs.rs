//! The facts of a trial of codecs: what each row's messages take, and what a receiver gets wrong.

use crate::report::codecs_record::{CodecRow, CodecsRecord, Of};
use crate::report::comparison::facts::{Fact, Kind, Value};

/// The facts of a trial.
pub(super) fn facts(record: &CodecsRecord) -> Vec<Fact> {
    record.rows.iter().flat_map(of_row).collect()
}

fn of_row(row: &CodecRow) -> Vec<Fact> {
    let of = if row.of == Of::Codec { "codec" } else { "tick of" };
    let fact = |kind, what: &str, value| Fact::new(kind, format!("{of} {}: {what}", row.name), value);
    let bytes = |what: &str, bytes: u64| fact(Kind::Bytes, what, Value::Amount(bytes, "B"));
    let mut facts = vec![
        bytes("narrow, median", row.narrow.median),
        bytes("narrow, largest", row.narrow.largest),
        bytes("wide, median", row.wide.median),
        bytes("wide, largest", row.wide.largest),
    ];
    facts.extend(row.narrow.connection.map(|connection| bytes("narrow, a connection", connection)));
    if let Some(wrong) = &row.wrong {
        let ways = [
            ("wrong registers", wrong.exact),
            ("wrong registers, repeated", wrong.repeated),
            ("wrong registers, reordered", wrong.reordered),
            ("wrong registers, lost", wrong.lost),
            ("wrong registers, two writers", wrong.two_writers),
        ];
        facts.extend(ways.map(|(what, wrong)| fact(Kind::Result, what, Value::Amount(wrong.registers.into(), ""))));
    }
    facts
}
