//! What became of the edits of each register with a name: merged, superseded, dropped, refused and why, and what waited.
//!
//! All of that is read off the ledger, what replicas show in the end, and what was seen while the world ran. Every edit is counted
//! in one place, so that what is told of a register adds up to what its users did.
//!
//! Knows: histories and specifications. Must not: know engines.

use std::collections::{BTreeMap, BTreeSet};

use crate::data;
use crate::domain::data::{Intent, Part, View};
use crate::domain::history::{History, Sighting, UserEdit};
use crate::domain::offline::OfflineTrial;
use crate::domain::over_time::{OfName, RefusedAtOnce};
use crate::oracle::offline::specified::{OfRegister, Specified};
use crate::report::offline_record::{FieldRecord, RefusedRecord, ShownRecord, WaitedRecord};

/// Who decides in a world without a hub.
const NOBODY: &str = "nobody: the world has no hub";

/// What became of an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Became {
    /// All replicas show it.
    Merged,
    /// A user who had seen it made another in its place.
    Superseded,
    /// A replica does not show it, and nobody who had seen it took it away.
    Dropped,
    /// It is one of a sum that is wrong somewhere: nobody can tell which of its edits count.
    Unaccounted,
    /// A replica still shows it as waiting.
    Waits,
    /// It was refused, and why.
    Refused(String),
}

/// One row for each register with a name; none in a world without names.
pub fn rows(trial: &OfflineTrial, history: &History) -> Vec<FieldRecord> {
    let (truth, specified) = (history.ledger.truth(), Specified::of(history));
    let wrong: Vec<Vec<OfRegister>> = history.ends.iter().map(|end| specified.compared(&end.registers)).collect();
    let registers = (0..).zip(&trial.names).zip(&history.over_time.named);
    let row = |((register, name), seen): ((u32, &String), _)| {
        let truth = truth.get(register as usize).copied();
        Field { trial, history, register, seen, truth, wrong: &wrong }.row(name)
    };
    registers.map(row).collect()
}

/// A register with a name, in a world that is over.
struct Field<'a> {
    trial: &'a OfflineTrial,
    history: &'a History,
    register: u32,
    seen: &'a OfName,
    /// What it should come to, where it shows a sum.
    truth: Option<i64>,
    /// By replica, what is wrong with its registers in the end.
    wrong: &'a [Vec<OfRegister>],
}

/// An edit, and what its user had seen.
type Meant<'a> = (&'a UserEdit, Option<&'a Sighting>);

/// What tells what became of a part.
struct Parts<'a> {
    /// Each replica's view in the end, with its parts.
    shown: Vec<(&'a View, BTreeSet<Part>)>,
    /// Parts that a user took away to whom they were shown.
    taken_away: BTreeSet<Part>,
    /// How often each part was made.
    made: BTreeMap<Part, u32>,
}

impl<'a> Field<'a> {
    /// The edits of this register that users saw accepted and that meant something.
    fn edits(&self) -> Vec<Meant<'a>> {
        let ledger = &self.history.ledger;
        let of_device = |(device, edits): (usize, &'a Vec<UserEdit>)| {
            (0..).zip(edits).map(move |(number, edit)| (edit, ledger.sightings.get(&(device, number))))
        };
        let all = ledger.by_device.iter().enumerate().flat_map(of_device);
        let counts = |(edit, sighting): &Meant<'_>| {
            edit.register == self.register && !edit.fate.is_unshared() && data::was_meant(*sighting, edit.intent)
        };
        all.filter(counts).collect()
    }

    /// What each replica shows of it in the end, by name.
    fn views(&self) -> impl Iterator<Item = (&'a str, &'a View)> {
        let place = self.register as usize;
        self.history.ends.iter().filter_map(move |end| Some((end.name.as_str(), end.registers.get(place)?)))
    }

    fn parts(&self, edits: &[Meant<'_>]) -> Parts<'a> {
        let shown = self.views().map(|(_, view)| (view, view.parts())).collect();
        let (mut taken_away, mut made) = (BTreeSet::new(), BTreeMap::new());
        for (edit, sighting) in edits {
            let intent = edit.intent;
            match (intent.part(), sighting) {
                // One part alone, which its user was shown: else the edit had meant nothing.
                (Some((part, false)), Some(_)) if part != Part::Record => drop(taken_away.insert(part)),
                (Some(_), Some(seen)) if intent.takes_away() => {
                    taken_away.extend(seen.shown.parts().into_iter().filter(|&part| takes_away(intent, part)));
                }
                _ => {}
            }
            if let Some((part, true)) = intent.part() {
                *made.entry(part).or_default() += 1;
            }
        }
        Parts { shown, taken_away, made }
    }

    fn row(&self, name: &str) -> FieldRecord {
        let (edits, data) = (self.edits(), self.history.ledger.fields.of(self.register));
        let parts = self.parts(&edits);
        let mut row = FieldRecord {
            name: name.to_owned(),
            data,
            decided: data.decided(),
            edits: (edits.len() + self.seen.refused.len()) as u64,
            merged: 0,
            superseded: 0,
            dropped: 0,
            unaccounted: 0,
            waiting: 0,
            refused: Vec::new(),
            conflict: self.conflict(),
            waited: self.waited(),
            wrong: self.wrong(),
            shows: self.shows(),
        };
        let mut refused: BTreeMap<String, (u64, String)> = BTreeMap::new();
        let mut refuse = |why: String, what: String| refused.entry(why).or_insert((0, what)).0 += 1;
        for (edit, _) in &edits {
            match self.became(edit.intent, &parts) {
                Became::Merged => row.merged += 1,
                Became::Superseded => row.superseded += 1,
                Became::Dropped => row.dropped += 1,
                Became::Unaccounted => row.unaccounted += 1,
                Became::Waits => row.waiting += 1,
                Became::Refused(why) => refuse(why, wanted(edit.intent)),
            }
        }
        for edit in &self.seen.refused {
            refuse(refused_at_once(edit, &edits), format!("{} of {}", wanted(edit.intent), edit.client));
        }
        let of = |(why, (edits, first))| RefusedRecord { why, edits, first };
        row.refused = refused.into_iter().map(of).collect();
        row
    }

    fn became(&self, intent: Intent, Parts { shown, taken_away, made }: &Parts<'_>) -> Became {
        let Some((part, makes)) = intent.part() else {
            let is_right = self.views().all(|(_, view)| view.number() == self.truth);
            return if is_right { Became::Merged } else { Became::Unaccounted };
        };
        if let Some(why) = shown.iter().find_map(|(view, _)| refused(view, part)) {
            return Became::Refused(why);
        }
        if shown.iter().any(|(view, _)| view.shows_waiting(part)) {
            return Became::Waits;
        }
        if shown.iter().all(|(_, parts)| parts.contains(&part) == makes) {
            return Became::Merged;
        }
        // What somebody took away may be there again, from a user who had not seen that.
        let is_explained =
            if makes { taken_away.contains(&part) } else { made.get(&part).is_some_and(|&made| made > 1) };
        if is_explained { Became::Superseded } else { Became::Dropped }
    }

    fn conflict(&self) -> Option<String> {
        let values = &self.seen.conflict;
        (!values.is_empty()).then(|| View::Label(values.clone()).to_string())
    }

    fn waited(&self) -> Option<WaitedRecord> {
        let OfName { waited, first_wait, longest_wait, still_waiting, came_in_meanwhile, .. } = self.seen;
        let first = first_wait.as_ref()?;
        let names = came_in_meanwhile.iter().filter_map(|&register| self.trial.named(register));
        Some(WaitedRecord {
            edits: *waited,
            decided_by: self.trial.root().map_or(NOBODY.to_owned(), |root| self.trial.name(root)),
            longest_ms: longest_wait / 1000,
            undecided: *still_waiting,
            shown: format!("{} showed {}", first.client, first.shown),
            came_in: names.map(str::to_owned).collect(),
        })
    }

    /// What nobody may be shown, in sentences without their full stops.
    fn wrong(&self) -> Vec<String> {
        let mut said = Vec::new();
        if let Some(spent) = self.history.over_time.spending.as_ref().and_then(|spent| spent.first.as_ref())
            && spent.register == self.register
        {
            said.push(format!("{} took {}, and {} were left", spent.node, spent.units, spent.left));
        }
        if self.seen.holders.len() > 1 {
            let holders: Vec<String> = self.seen.holders.iter().map(u64::to_string).collect();
            said.push(format!("{} were each shown as the holder", holders.join(" and ")));
        }
        if self.seen.closed_with.len() > 1 {
            let sets: Vec<String> = self.seen.closed_with.iter().map(|items| format!("{items:?}")).collect();
            said.push(format!("it was shown as closed with {}", sets.join(" and with ")));
        }
        let sum = self.views().find(|(_, view)| self.truth.is_some() && view.number() != self.truth);
        said.extend(
            sum.zip(self.truth).map(|((node, view), truth)| format!("{node} shows {view}, and {truth} is right")),
        );
        let of_end = self.history.ends.iter().zip(self.wrong).find_map(|(end, wrong)| {
            let wrong = &wrong.iter().find(|of| of.register == self.register)?.wrong;
            let more = if wrong.len() > 1 { format!(" ({} more)", wrong.len() - 1) } else { String::new() };
            Some(format!("at {} {}{more}", end.name, wrong.first()?))
        });
        said.extend(of_end);
        said
    }

    fn shows(&self) -> Vec<ShownRecord> {
        let mut shows: Vec<ShownRecord> = Vec::new();
        for (node, view) in self.views() {
            let view = view.to_string();
            match shows.iter_mut().find(|shown| shown.view == view) {
                Some(shown) => shown.at.push(node.to_owned()),
                None => shows.push(ShownRecord { view, at: vec![node.to_owned()] }),
            }
        }
        if let [shown] = &mut shows[..] {
            shown.at.clear();
        }
        shows
    }
}

/// Why an edit was refused as soon as it was made, as far as what was shown and what others had done tells.
fn refused_at_once(edit: &RefusedAtOnce, all: &[Meant<'_>]) -> String {
    let Some(shown) = edit.shown else { return "its store or its role took no edits then".to_owned() };
    let units = i64::from(edit.intent.spends());
    if shown < units {
        return "its replica showed too few".to_owned();
    }
    let left: i64 = all.iter().filter(|(other, _)| other.at <= edit.at).map(|(other, _)| other.amount()).sum();
    match left >= units {
        true => "another device holds the rights to the rest".to_owned(),
        false => "others had taken the rest".to_owned(),
    }
}

/// What a user wanted, in words.
fn wanted(intent: Intent) -> String {
    match intent {
        Intent::Take(units) => format!("take {units}"),
        Intent::Transfer { units, to } => format!("transfer {units} to client {to}"),
        Intent::Supply(units) => format!("supply {units}"),
        Intent::Increase(amount) => format!("increase by {amount}"),
        _ => intent.part().map_or_else(|| "an edit".to_owned(), |(part, _)| part.to_string()),
    }
}

/// Why a replica shows what an edit made as refused, if it does.
fn refused(view: &View, part: Part) -> Option<String> {
    match (view, part) {
        (View::Claim(claimed), Part::Claim(value)) if claimed.refused.contains(&value) => Some(
            claimed.holder.map_or("nobody is shown as the holder".to_owned(), |holder| format!("{holder} holds it")),
        ),
        (View::Case(case), Part::Item(item)) if case.refused.contains(&item) => {
            Some("the case was closed without it".to_owned())
        }
        _ => None,
    }
}

/// Whether an edit of several parts takes this one away, where its user is shown it.
fn takes_away(intent: Intent, part: Part) -> bool {
    match (intent, part) {
        (Intent::Write(value), Part::Value(other)) => value != other,
        (Intent::Set { field, value }, Part::Field { field: of, value: other }) => field == of && value != other,
        (Intent::Delete, Part::Record | Part::Field { .. } | Part::Tag(_)) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trial::Trial;
    use crate::domain::watch::Unwatched;
    use crate::engine::{self, Registration};
    use crate::experiment::world::tried;
    use crate::scenario::shipped;

    const NAMED: [&str; 2] = ["job-j42", "case-c19"];

    fn world(name: &str) -> OfflineTrial {
        match shipped::find(name).expect("it is shipped").expect("it is sound").trial {
            Trial::Offline(trial) => *trial,
            _ => panic!("it is a world"),
        }
    }

    fn told(trial: &OfflineTrial, engine: &Registration, mutant: Option<&'static str>) -> Vec<FieldRecord> {
        let history = tried::outcome(trial, engine, mutant, &mut Unwatched).expect("it ends").history;
        rows(trial, &history)
    }

    fn field<'a>(rows: &'a [FieldRecord], name: &str) -> &'a FieldRecord {
        rows.iter().find(|row| row.name == name).expect(name)
    }

    #[test]
    fn every_edit_is_counted_in_one_place_with_every_engine() {
        for name in NAMED {
            let trial = world(name);
            let mut engines = 0;
            for engine in engine::on_trial(&trial).filter(|engine| engine.suits(&trial) && !engine.own_timers) {
                let rows = told(&trial, engine, None);
                assert_eq!(rows.len(), trial.names.len(), "{name}: {}", engine.name);
                for row in &rows {
                    let refused: u64 = row.refused.iter().map(|refused| refused.edits).sum();
                    let all = row.merged + row.superseded + row.dropped + row.unaccounted + row.waiting + refused;
                    assert_eq!(all, row.edits, "{name}: {}: {row:?}", engine.name);
                    assert!(row.edits > 0 && !row.shows.is_empty(), "{name}: {}: {row:?}", engine.name);
                }
                engines += 1;
            }
            assert!(engines >= 7, "{name}: {engines}");
        }
    }

    #[test]
    fn where_nothing_is_wrong_no_edit_is_dropped_and_all_replicas_show_one_view() {
        for name in NAMED {
            let trial = world(name);
            for row in told(&trial, engine::reference(), None) {
                assert_eq!((row.dropped, row.unaccounted, row.waiting, &row.wrong), (0, 0, 0, &Vec::new()), "{row:?}");
                assert!(matches!(&row.shows[..], [shown] if shown.at.is_empty()), "{row:?}");
            }
        }
    }

    #[test]
    fn a_right_that_another_holds_a_number_that_another_has_and_a_closed_case_are_the_reasons_of_refusals() {
        let rows = told(&world("job-j42"), engine::reference(), None);
        let why = |name: &str| {
            let refused = field(&rows, name).refused.iter();
            refused.map(|refused| (refused.why.as_str(), refused.edits)).collect::<Vec<_>>()
        };
        assert_eq!(why("filters"), [("another device holds the rights to the rest", 1)]);
        assert_eq!(why("audit number"), [("43 holds it", 1)]);
        assert_eq!(why("checklist"), [("the case was closed without it", 2)]);
        for merges in ["notes", "tags", "status"] {
            assert_eq!(why(merges), [], "{merges}");
            assert_eq!(field(&rows, merges).waited, None, "{merges}");
        }
    }

    #[test]
    fn a_close_waits_for_the_hub_while_notes_and_photos_of_others_come_in() {
        let rows = told(&world("case-c19"), engine::reference(), None);
        let waited = field(&rows, "closed_at").waited.as_ref().expect("it waits");
        assert_eq!((waited.edits, waited.decided_by.as_str(), waited.undecided), (2, "hub", 0));
        assert!((1_500_000..1_900_000).contains(&waited.longest_ms), "{waited:?}");
        assert_eq!(waited.shown, "client 0 showed close requested, done: {0}");
        assert_eq!(waited.came_in, ["photos", "notes"]);
        let owner = field(&rows, "assigned_owner");
        assert_eq!(owner.conflict.as_deref(), Some("10 or 20"));
        assert_eq!((owner.edits, owner.merged, owner.superseded, owner.shows[0].view.as_str()), (4, 1, 3, "21"));
    }

    #[test]
    fn a_planted_close_without_the_authority_is_told_as_two_lists_of_one_closed_case() {
        for name in NAMED {
            let trial = world(name);
            let planted = engine::find_mutant(engine::on_trial(&trial), "close-without-authority").expect("a mutant");
            let rows = told(&trial, planted.0, Some(planted.1));
            let wrong: Vec<&String> = rows.iter().flat_map(|row| &row.wrong).collect();
            assert!(wrong.iter().any(|said| said.starts_with("it was shown as closed with {")), "{name}: {wrong:?}");
        }
    }
}
