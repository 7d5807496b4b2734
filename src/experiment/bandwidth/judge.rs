//! What a bandwidth report is worth: nobody may save bytes by losing edits, and scaled numbers are given where their rules hold.

use std::collections::BTreeMap;

use crate::domain::bandwidth::MONTH_DAYS;
use crate::domain::count::counted;
use crate::domain::data::Intent;
use crate::domain::data::View;
use crate::domain::evidence::Evidence;
use crate::domain::fault::FaultClass;
use crate::domain::history::{Fate, History, Ledger, NodeEnd, UserEdit};
use crate::domain::judge::Judge;
use crate::domain::oracle::OracleId;
use crate::domain::verdict::{Verdict, Warrant};
use crate::experiment::bandwidth::scaling::{self, Measured, OfSyncs};
use crate::experiment::bandwidth::size::{Size, Sizes};
use crate::experiment::control::{Control, Show, Shown};
use crate::experiment::world::judged;
use crate::report::bandwidth_record::{BandwidthRecord, BandwidthRow};
use crate::report::record::{Check, Part};

/// What the check of this engine is called.
pub fn name(engine: &str) -> String {
    format!("bandwidth of {engine}")
}

/// The check of the engine that the report is about. Of the others, what they got wrong stands beside their bytes.
pub fn check(record: &BandwidthRecord) -> Check {
    let about = record.about();
    let verdict = about.map_or(Verdict::Inconclusive, |about| verdict(about, record.whole_state()));
    let world = about.map_or(Verdict::Inconclusive, |about| about.verdict);
    let both = || [about, record.whole_state()].into_iter().flatten();
    let rules = both().all(|row| row.estimate.is_some() || row.is_beyond_its_link());
    let link = both().all(|row| !row.is_beyond_its_link());
    let known = |is_known: bool| if is_known { Verdict::Holds } else { Verdict::Inconclusive };
    Check {
        name: name(&record.about),
        part: Part::Replicas,
        judge: Judge::Bandwidth,
        subjects: BTreeMap::from([(record.about.clone(), Evidence::Software)]),
        verdict,
        summary: summary(record, about),
        oracles: BTreeMap::from([
            (OracleId::World, world),
            (OracleId::Scaling, known(rules)),
            (OracleId::TimeOnline, known(link)),
        ]),
        warrant: (verdict == Verdict::Holds).then_some(Warrant::Worlds { drawn: 0 }),
        orders: None,
        tries: vec![FaultClass::LostEdit],
        findings: Vec::new(),
    }
}

/// A measured number is as good as the world that it was measured in, and as the rules that scaled it.
fn verdict(about: &BandwidthRow, whole_state: Option<&BandwidthRow>) -> Verdict {
    let is_known = |row: &BandwidthRow| row.estimate.is_some();
    let known = is_known(about) && whole_state.is_some_and(is_known);
    Verdict::of_set([about.verdict, if known { Verdict::Holds } else { Verdict::Inconclusive }])
}

fn summary(record: &BandwidthRecord, about: Option<&BandwidthRow>) -> String {
    let Some(about) = about else { return "the engine that the report is about was not measured".to_owned() };
    if about.verdict != Verdict::Holds {
        return about.against.join("; ");
    }
    let unknown = [Some(about), record.whole_state()].into_iter().flatten().find(|row| row.estimate.is_none());
    match unknown {
        None if record.scaled => "no record is wrong, and the rules of scaling hold".to_owned(),
        None if u64::from(record.days) < MONTH_DAYS => {
            format!("no record is wrong, and a month is told from {}", counted(record.days, "day"))
        }
        None => "no record is wrong, and nothing was scaled".to_owned(),
        Some(row) => {
            let why = row.why_unknown(record).unwrap_or_default();
            match row.is_beyond_its_link() {
                true => format!("{} has no number: {why}", row.label()),
                false => {
                    let larger = || record.scaled.then(|| "Allow a larger --budget.".to_owned());
                    let remedy = record.remedy().or_else(larger).map_or(String::new(), |remedy| format!(". {remedy}"));
                    format!("of {} no number is given by the rules of scaling: {why}{remedy}", row.label())
                }
            }
        }
    }
}

/// What is planted for the judge of bandwidth.
pub const CONTROLS: &[Control] = &[
    Control {
        judge: Judge::Bandwidth,
        planted: "a world in which one record of 64 is wrong at one replica, each in turn",
        show: Show::Alone(show_wrong_records),
    },
    Control {
        judge: Judge::Bandwidth,
        planted: "numbers that a rule of scaling predicts too low or too high: days and records, by a tenth and more",
        show: Show::Alone(show_wrong_rules),
    },
];

/// The verdict on what replicas show, as rows have it.
fn show_wrong_records() -> Shown {
    let edits = |register| UserEdit { at: 0, register, intent: Intent::Increase(3), fate: Fate::Binding };
    let ledger = Ledger::of_counters(64, 0, vec![(0..64).map(edits).collect()]);
    Shown::of(None, (0..64).map(Some), |wrong: Option<usize>| {
        let mut ends = vec![NodeEnd::of_counters("hub", [3; 64]); 2];
        if let Some(wrong) = wrong {
            ends[1].registers[wrong] = View::Counter(2);
        }
        judged(&History { ledger: ledger.clone(), ends, quiescent: true, ..History::default() }).1
    })
}

/// The rules accuse nobody, so that refused means that no number is given.
fn show_wrong_rules() -> Shown {
    let size = |records, measured_s| Size { records, changed: records / 50, measured_s };
    let fewer = Some([size(500, 100), size(250, 100)]);
    let sizes = Sizes { asked: size(2000, 200), run: size(1000, 100), fewer, before_s: 0 };
    let of = |bytes| OfSyncs { bytes, syncs: 10 };
    let wrong = [880, 500, 0, 1120, 2000].into_iter().flat_map(|bytes| [(bytes, 1000), (1000, bytes)]);
    // What the first half of the time takes, and what fewer records predict for the whole by either fit.
    Shown::of((1000, 1000), wrong, |(first_half, predicted)| {
        let measured = Measured {
            halves_of_time: [of(first_half), of(1000)],
            fewer_records: Some([[of(predicted / 2); 2], [of(predicted / 4); 2]]),
        };
        if scaling::holds(&scaling::errors(&sizes, &measured)) { Verdict::Holds } else { Verdict::Falsified }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_judge_refuses_all_that_is_planted_and_accepts_what_is_right() {
        for Shown { accepts_right, wrong, refused } in [show_wrong_records(), show_wrong_rules()] {
            assert!(accepts_right && wrong >= 10 && refused == wrong, "{refused} of {wrong}");
        }
    }
}
