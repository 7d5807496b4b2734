//! The facts of a trial of curves: what each engine takes at each point, and what arrivals pay.

use crate::report::comparison::facts::{Fact, Kind, Value};
use crate::report::curves_record::CurvesRecord;

/// The facts of a trial.
pub(super) fn facts(record: &CurvesRecord) -> Vec<Fact> {
    let mut facts = Vec::new();
    let bytes = |name: String, bytes: u64| Fact::new(Kind::Bytes, name, Value::Amount(bytes, "B"));
    let wrong = |name: String, wrong: u32| Fact::new(Kind::Result, name, Value::Amount(wrong.into(), ""));
    for curve in &record.curves {
        for point in &curve.points {
            for row in &point.rows {
                let of = format!("{}: {} {}", row.engine, point.x, curve.axis.unit());
                facts.push(bytes(of.clone(), row.total()));
                facts.push(bytes(format!("{of}, the hub stores"), row.hub_stores));
                facts.push(bytes(format!("{of}, a client stores"), row.client_stores));
                facts.push(wrong(format!("{of}, wrong registers"), row.wrong));
            }
        }
    }
    for place in &record.places {
        let of = format!("{} differences of {} ids", place.differences, place.ids);
        facts.push(bytes(format!("{of}, sketch"), place.sketch));
        facts.push(wrong(format!("{of}, not found"), place.wrong));
    }
    for arrival in &record.arrivals {
        let of = |what: &str| format!("{}: {what}", arrival.engine);
        let paid = [
            ("a sync with nothing to say", Some(arrival.idle)),
            ("a new client", Some(arrival.new)),
            ("a wiped client", Some(arrival.wiped)),
            ("a client set back", arrival.set_back),
        ];
        facts.extend(paid.into_iter().filter_map(|(what, paid)| Some(bytes(of(what), paid?))));
        facts.push(wrong(of("wrong registers after arrivals"), arrival.wrong));
    }
    facts
}
