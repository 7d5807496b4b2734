//! The facts of a trial of codecs: what each row's messages take, and what a receiver gets wrong.

use crate::domain::codecs::Arrival;
use crate::report::codecs_record::{CodecRow, CodecsRecord, Of, Wrong};
use crate::report::comparison::facts::{Fact, Kind, Value};

/// The facts of a trial.
pub(super) fn facts(record: &CodecsRecord) -> Vec<Fact> {
    record.rows.iter().flat_map(of_row).collect()
}

fn of_row(row: &CodecRow) -> Vec<Fact> {
    let of = if row.of == Of::Codec { "codec" } else { "tick of" };
    let fact = |kind, what: &str, value| Fact::new(kind, format!("{of} {}: {what}", row.name), value);
    let bytes = |what: &str, bytes: u64| fact(Kind::Bytes, what, Value::Amount(bytes, "B"));
    let mut facts = vec![bytes("narrow, median", row.narrow.median), bytes("narrow, largest", row.narrow.largest)];
    let wide = row.wide.iter().flat_map(|wide| [("median", wide.median), ("largest", wide.largest)]);
    facts.extend(wide.map(|(what, length)| bytes(&format!("wide, {what}"), length)));
    facts.extend(row.narrow.connection.map(|connection| bytes("narrow, a connection", connection)));
    if let Some(wrong) = &row.wrong {
        for (arrival, wrong) in wrong.by_arrival() {
            let way = match arrival {
                Arrival::Exact => "",
                Arrival::Repeated => ", repeated",
                Arrival::Reordered => ", reordered",
                Arrival::Lost => ", lost",
                Arrival::TwoWriters => ", two writers",
                Arrival::CutOff => ", cut off",
                Arrival::SetBack => ", set back",
            };
            let Wrong { registers, lost, resurrected, .. } = wrong;
            let counts =
                [("wrong registers", registers), ("lost elements", lost), ("resurrected elements", resurrected)];
            let told = counts.into_iter().filter(|(what, number)| *what == "wrong registers" || *number > 0);
            facts.extend(
                told.map(|(what, number)| {
                    fact(Kind::Result, &format!("{what}{way}"), Value::Amount(number.into(), ""))
                }),
            );
        }
    }
    facts
}
