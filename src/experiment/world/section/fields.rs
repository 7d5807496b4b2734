//! What became of each register with a name: field by field with one engine, and with the others where they differ.
//!
//! The engine that is told field by field is the first that holds, so that readers see first how the world ends where nothing
//! is wrong. Of the other engines the section tells only what differs.

use std::collections::BTreeMap;

use crate::domain::count::counted;
use crate::domain::shown::lasting;
use crate::domain::verdict::Verdict;
use crate::report::document::{Block, Detail, Section};
use crate::report::first_screen::Screen;
use crate::report::offline_record::{
    EngineRecord, FieldRecord, OfflineRecord, RefusedRecord, ShownRecord, WaitedRecord,
};
use crate::report::record::Record;

/// Engines that differ from the one that is told in the same way, and how: fields, and what became of them.
type Alike<'a> = (Vec<&'a str>, Vec<(String, String)>);

/// Field by field, and where engines differ.
pub fn section(record: &Record) -> Option<Section> {
    let offline = record.offline.as_ref()?;
    let told = told(offline)?;
    let facts = |row: &FieldRecord| (row.name.clone(), format!("{}. {}.", kind(row), whole(row)));
    let mut blocks = vec![
        Block::Heading(format!("With {}, which {}", told.name, said(told.verdict))),
        Block::Facts(told.fields.iter().map(facts).collect()),
    ];
    // Engines that differ in the same way are told together.
    let mut groups: Vec<Alike> = Vec::new();
    for engine in offline.engines.iter().filter(|engine| engine.name != told.name && !engine.fields.is_empty()) {
        let differs = different(told, engine);
        match groups.iter_mut().find(|(_, other)| *other == differs) {
            Some((names, _)) => names.push(&engine.name),
            None => groups.push((vec![&engine.name], differs)),
        }
    }
    for (names, differs) in groups {
        let heading = |what: &str| Block::Heading(format!("{}: {what}", names.join(", ")));
        match differs.is_empty() {
            true => blocks.push(heading("the same")),
            false => {
                let fields = counted(differs.len(), "field");
                blocks
                    .extend([heading(&format!("{fields} of {} otherwise", told.fields.len())), Block::Facts(differs)]);
            }
        }
    }
    blocks.push(Block::Note(
        "Merged: all replicas show it. Superseded: a user who had seen it made another edit in its place. Dropped: a replica does \
         not show it, and nobody who had seen it took it away. Times are virtual."
            .to_owned(),
    ));
    Section::first("fields", "Field by field", blocks)
}

/// One line of the first screen: how many fields there are, and what became of them with the engine that is told.
pub fn screen(offline: &OfflineRecord, screen: &mut Screen<'_>) {
    let Some(told) = told(offline) else { return };
    let with = |is: fn(&&FieldRecord) -> bool| told.fields.iter().filter(is).count();
    let mut parts = vec![counted(told.fields.len(), "field")];
    let waits = with(|row| row.waited.is_some());
    let refuses = with(|row| !row.refused.is_empty());
    parts.extend((waits > 0).then(|| format!("{waits} waited")));
    parts.extend((refuses > 0).then(|| format!("{refuses} refused edits")));
    let place = screen.place_of(Detail::Checks);
    screen.cut(&format!("  field by field ({}): {} ({place})", told.name, parts.join(", ")));
}

/// The engine that is told field by field: the first that holds, or else the first.
fn told(offline: &OfflineRecord) -> Option<&EngineRecord> {
    let mut with_fields = offline.engines.iter().filter(|engine| !engine.fields.is_empty());
    let holds = with_fields.clone().find(|engine| engine.verdict == Verdict::Holds);
    holds.or_else(|| with_fields.next())
}

fn said(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::Falsified => "is falsified",
        Verdict::Inconclusive => "is inconclusive",
    }
}

/// What a register holds, and who can say that an edit of it counts.
fn kind(row: &FieldRecord) -> String {
    format!("{}, {}", row.data.singular(), row.decided.told())
}

/// The fields that another engine brings to something else, by name.
fn different(told: &EngineRecord, other: &EngineRecord) -> Vec<(String, String)> {
    let of_told: BTreeMap<&str, &FieldRecord> = told.fields.iter().map(|row| (row.name.as_str(), row)).collect();
    let is_other = |row: &&FieldRecord| of_told.get(row.name.as_str()).is_none_or(|told| !is_alike(told, row));
    other.fields.iter().filter(is_other).map(|row| (row.name.clone(), format!("{}.", whole(row)))).collect()
}

/// Whether two engines bring a field to the same. How long an edit waited depends on the links.
fn is_alike(one: &FieldRecord, other: &FieldRecord) -> bool {
    let without_times = |row: &FieldRecord| {
        let waited = row.waited.as_ref().map(|waited| (waited.edits, waited.undecided));
        (FieldRecord { waited: None, ..row.clone() }, waited)
    };
    without_times(one) == without_times(other)
}

/// What became of a field.
fn whole(row: &FieldRecord) -> String {
    let numbers = [
        (row.merged, "merged"),
        (row.superseded, "superseded"),
        (row.dropped, "dropped"),
        (row.unaccounted, "in a wrong sum"),
        (row.waiting, "still waiting"),
        (row.refused.iter().map(|refused| refused.edits).sum(), "refused"),
    ];
    let some: Vec<String> = numbers.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let edits = match &numbers.iter().filter(|(n, _)| *n > 0).collect::<Vec<_>>()[..] {
        [] => "no edit".to_owned(),
        [(n, what)] => format!("{} {what}", counted(n, "edit")),
        _ => format!("{}: {}", counted(row.edits, "edit"), some.join(", ")),
    };
    let refused = row.refused.iter().map(refused);
    let conflict = row.conflict.iter().map(|values| format!("a conflict was shown, {values}"));
    let parts = refused
        .chain(conflict)
        .chain(row.waited.iter().map(waited))
        .chain(row.wrong.iter().map(|wrong| format!("wrong: {wrong}")));
    [edits].into_iter().chain(parts).chain([shown(&row.shows)]).collect::<Vec<_>>().join("; ")
}

fn refused(RefusedRecord { why, edits, first }: &RefusedRecord) -> String {
    let more = if *edits > 1 { format!(" and {} more", edits - 1) } else { String::new() };
    format!("{first}{more} refused, as {why}")
}

fn waited(waited: &WaitedRecord) -> String {
    let WaitedRecord { edits, decided_by, longest_ms, undecided, shown, came_in } = waited;
    let long = if longest_ms > &0 { format!(", {} at most", lasting(*longest_ms)) } else { String::new() };
    let left = if *undecided > 0 { format!(", {undecided} in vain") } else { String::new() };
    let meanwhile = match &came_in[..] {
        [] => String::new(),
        names => format!(", and {} of others came in", names.join(", ")),
    };
    format!("{} waited for {decided_by}{long}{left}; meanwhile {shown}{meanwhile}", counted(edits, "edit"))
}

fn shown(shows: &[ShownRecord]) -> String {
    match shows {
        [] => "no replica is left".to_owned(),
        [one] => format!("in the end {}", one.view),
        several => {
            let of = |shown: &ShownRecord| format!("{} at {}", shown.view, shown.at.join(", "));
            format!("in the end {}", several.iter().map(of).collect::<Vec<_>>().join(", but "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::{DataType, Decided};

    fn row() -> FieldRecord {
        FieldRecord {
            name: "number".to_owned(),
            data: DataType::Claim,
            decided: Decided::ByAuthority,
            edits: 2,
            merged: 1,
            superseded: 0,
            dropped: 0,
            unaccounted: 0,
            waiting: 0,
            refused: vec![RefusedRecord {
                why: "43 holds it".to_owned(),
                edits: 1,
                first: "the claim of 42".to_owned(),
            }],
            conflict: None,
            waited: Some(WaitedRecord {
                edits: 2,
                decided_by: "hub".to_owned(),
                longest_ms: 90_000,
                undecided: 0,
                shown: "client 1 showed free, waiting: 43".to_owned(),
                came_in: vec!["notes".to_owned(), "photos".to_owned()],
            }),
            wrong: Vec::new(),
            shows: vec![ShownRecord { view: "held by 43, refused: 42".to_owned(), at: Vec::new() }],
        }
    }

    #[test]
    fn a_field_is_told_with_what_waited_for_whom_what_was_refused_and_why_and_what_is_shown() {
        assert_eq!(
            format!("{}. {}", kind(&row()), whole(&row())),
            "claim, needs an authority. 2 edits: 1 merged, 1 refused; the claim of 42 refused, as 43 holds it; 2 edits waited for \
             hub, 90.0 s at most; meanwhile client 1 showed free, waiting: 43, and notes, photos of others came in; \
             in the end held by 43, refused: 42"
        );
    }

    #[test]
    fn a_field_differs_by_what_it_comes_to_and_not_by_how_long_that_took() {
        let slower = FieldRecord { waited: row().waited.map(|w| WaitedRecord { longest_ms: 1, ..w }), ..row() };
        assert!(is_alike(&row(), &slower));
        assert!(!is_alike(&row(), &FieldRecord { waited: None, ..row() }));
        let wrong = vec!["42 and 43 were each shown as the holder".to_owned()];
        assert!(!is_alike(&row(), &FieldRecord { wrong, ..row() }));
        let shows =
            ["held by 42", "held by 43"].map(|view| ShownRecord { view: view.to_owned(), at: vec!["a".to_owned()] });
        let other = FieldRecord { shows: shows.to_vec(), ..row() };
        assert!(!is_alike(&row(), &other));
        assert!(whole(&other).ends_with("in the end held by 42 at a, but held by 43 at a"), "{}", whole(&other));
    }
}
