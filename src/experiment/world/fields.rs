//! What became of the edits of each register with a name: merged, superseded, dropped, refused and why, and what waited.
//!
//! All of that is read off the ledger, what replicas show in the end, and what was seen while the world ran. Every edit is counted
//! in one place, so that what is told of a register adds up to what its users did.
//!
//! Knows: histories and specifications. Must not: know engines.

use std::collections::BTreeMap;

use crate::data;
use crate::domain::data::{Intent, Part, View};
use crate::domain::history::{History, NodeEnd, Sighting, UserEdit};
use crate::domain::offline::OfflineTrial;
use crate::domain::over_time::{OfName, RefusedAtOnce};
use crate::oracle::offline::specified::Specified;
use crate::report::offline_record::{FieldRecord, RefusedRecord, ShownRecord, WaitedRecord};

/// The node that decides, where there is none.
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
    let registers = (0..).zip(&trial.names).zip(&history.over_time.named);
    registers.map(|((register, name), seen)| Field { trial, history, register, seen }.row(name)).collect()
}

/// A register with a name, in a world that is over.
struct Field<'a> {
    trial: &'a OfflineTrial,
    history: &'a History,
    register: u32,
    seen: &'a OfName,
}

/// An edit, and what its user had seen.
type Meant<'a> = (&'a UserEdit, Option<&'a Sighting>);

impl Field<'_> {
    /// The edits of this register that users saw accepted and that meant something.
    fn edits(&self) -> Vec<Meant<'_>> {
        let ledger = &self.history.ledger;
        let of_device = |(device, edits)| {
            let edits: &Vec<UserEdit> = edits;
            (0..).zip(edits).map(move |(number, edit)| (edit, ledger.sightings.get(&(device, number))))
        };
        let all = ledger.by_device.iter().enumerate().flat_map(of_device);
        let counts = |(edit, sighting): &Meant<'_>| {
            edit.register == self.register && !edit.fate.is_unshared() && data::was_meant(*sighting, edit.intent)
        };
        all.filter(counts).collect()
    }

    /// What each replica shows of it in the end, by name.
    fn views(&self) -> impl Iterator<Item = (&str, &View)> {
        let of = |end: &NodeEnd| end.registers.get(self.register as usize);
        self.history.ends.iter().filter_map(move |end| Some((end.name.as_str(), of(end)?)))
    }

    fn row(&self, name: &str) -> FieldRecord {
        let (edits, data) = (self.edits(), self.history.ledger.fields.of(self.register));
        let wrong = self.wrong();
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
            waited: self.waited(),
            wrong,
            shows: self.shows(),
        };
        let mut refused: BTreeMap<String, (u64, String)> = BTreeMap::new();
        let mut refuse = |why: String, what: String| refused.entry(why).or_insert((0, what)).0 += 1;
        for edit in &edits {
            match self.became(edit, &edits) {
                Became::Merged => row.merged += 1,
                Became::Superseded => row.superseded += 1,
                Became::Dropped => row.dropped += 1,
                Became::Unaccounted => row.unaccounted += 1,
                Became::Waits => row.waiting += 1,
                Became::Refused(why) => refuse(why, wanted(edit.0.intent)),
            }
        }
        for edit in &self.seen.refused {
            refuse(self.refused_at_once(edit), format!("{} of {}", wanted(edit.intent), edit.client));
        }
        let of = |(why, (edits, first))| RefusedRecord { why, edits, first };
        row.refused = refused.into_iter().map(of).collect();
        row
    }

    fn became(&self, (edit, _): &Meant<'_>, all: &[Meant<'_>]) -> Became {
        let Some((part, makes)) = edit.intent.part() else {
            let truth = self.history.ledger.truth();
            let is_right = |(_, view): (&str, &View)| view.number() == truth.get(self.register as usize).copied();
            return if self.views().all(is_right) { Became::Merged } else { Became::Unaccounted };
        };
        if let Some(why) = self.views().find_map(|(_, view)| refused(view, part)) {
            return Became::Refused(why);
        }
        if self.views().any(|(_, view)| view.shows_waiting(part)) {
            return Became::Waits;
        }
        let is_shown = |(_, view): (&str, &View)| view.parts().contains(&part);
        if self.views().all(is_shown) == makes && (makes || !self.views().any(is_shown)) {
            return Became::Merged;
        }
        let is_taken_away = |(other, sighting): &Meant<'_>| {
            takes_away(other.intent, part) && sighting.is_some_and(|seen| seen.shown.parts().contains(&part))
        };
        // What is taken away may come again from somebody who had not seen that.
        let is_explained = if makes { all.iter().any(is_taken_away) } else { self.is_made_again(part, all) };
        if is_explained { Became::Superseded } else { Became::Dropped }
    }

    /// Whether more than one user made a part: one may not have seen that it was taken away.
    fn is_made_again(&self, part: Part, all: &[Meant<'_>]) -> bool {
        all.iter().filter(|(edit, _)| edit.intent.part() == Some((part, true))).count() > 1
    }

    /// Why an edit was refused as soon as it was made.
    fn refused_at_once(&self, edit: &RefusedAtOnce) -> String {
        let Some(shown) = edit.shown else { return "its store or its role took no edits then".to_owned() };
        let units = i64::from(edit.intent.spends());
        if shown < units {
            return "its replica showed too few".to_owned();
        }
        let until = self.edits().into_iter().filter(|(other, _)| other.at <= edit.at);
        let left: i64 = until.map(|(other, _)| other.amount()).sum();
        match left >= units {
            true => "another device holds the rights to the rest".to_owned(),
            false => "others had taken the rest".to_owned(),
        }
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
        let truth = self.history.ledger.truth().get(self.register as usize).copied();
        let sum = self.views().find(|(_, view)| truth.is_some() && view.number() != truth);
        said.extend(sum.zip(truth).map(|((node, view), truth)| format!("{node} shows {view}, and {truth} is right")));
        let specified = Specified::of(self.history);
        let of_end = self.history.ends.iter().find_map(|end| {
            let wrong = specified.compared(&end.registers).into_iter().find(|of| of.register == self.register)?;
            let more = wrong.wrong.len() - 1;
            let more = if more > 0 { format!(", and so are {more} more") } else { String::new() };
            Some(format!("at {}: {}{more}", end.name, wrong.wrong.first()?))
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
        (View::Claim(claimed), Part::Claim(value)) if claimed.refused.contains(&value) => {
            Some(claimed.holder.map_or("nobody is shown as the holder".to_owned(), |holder| format!("{holder} holds it")))
        }
        (View::Case(case), Part::Item(item)) if case.refused.contains(&item) => {
            Some("the case was closed without it".to_owned())
        }
        _ => None,
    }
}

/// Whether an edit takes this part away, where its user is shown it.
fn takes_away(intent: Intent, part: Part) -> bool {
    match (intent, part) {
        (Intent::Write(value), Part::Value(other)) => value != other,
        (Intent::Set { field, value }, Part::Field { field: of, value: other }) => field == of && value != other,
        (Intent::Delete, Part::Record | Part::Field { .. } | Part::Tag(_)) => true,
        (intent, part) => intent.part() == Some((part, false)),
    }
}
