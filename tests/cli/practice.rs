//! The map of the practice in `docs/offline-first.md`: each row that is on trial says what its record shows.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

/// The documents, by their letters on the page.
const DOCUMENTS: [&str; 5] = ["A", "C", "L", "P", "S"];

/// A row of a recommendation or a failure mode.
#[derive(Debug)]
struct Row {
    says: String,
    documents: Vec<String>,
    on_trial: Option<OnTrial>,
}

/// Who is wrong in which scenario by which judge, and who is right there.
#[derive(Debug)]
struct OnTrial {
    judge: String,
    scenario: String,
    wrong: String,
    right: String,
}

fn page() -> String {
    fs::read_to_string("docs/offline-first.md").expect("the page")
}

/// The rows of a page; panics at one that is written in another way than the page says.
fn rows(page: &str) -> Vec<Row> {
    let (_, groups) = page.split_once("\n## Local store and outbox\n").expect("the groups come after how to read them");
    let is_row = |line: &&str| line.starts_with("| ") && !line.starts_with("| what the practice says");
    groups.lines().filter(is_row).map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
    let (says, source) = cells[0].strip_suffix(')').and_then(|cell| cell.rsplit_once(" (")).expect(line);
    let (documents, judge) = source.split_once("; ").map_or((source, None), |(of, judge)| (of, Some(judge)));
    let named = |cell: &str| cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`')).expect(line).to_owned();
    let on_trial = match (judge, &cells[1..]) {
        (Some(judge), &[scenario, wrong, right]) => Some(OnTrial {
            judge: judge.to_owned(),
            scenario: named(scenario),
            wrong: named(wrong),
            right: named(right),
        }),
        (None, &[_]) => None,
        _ => panic!("neither on trial nor not: {line}"),
    };
    Row { says: says.to_owned(), documents: documents.split(", ").map(str::to_owned).collect(), on_trial }
}

fn record(scenario: &str) -> Value {
    let text =
        fs::read_to_string(format!("results/{scenario}.json")).unwrap_or_else(|_| panic!("{scenario}: no record"));
    serde_json::from_str(&text).expect("JSON")
}

fn each<'a>(of: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    of[key].as_array().into_iter().flatten()
}

/// Whether the record shows that this judge accuses this engine, or caught this mutant.
fn is_wrong(record: &Value, wrong: &str, judge: &str) -> bool {
    if let Some((mutant, engine)) = wrong.strip_prefix("mutant ").and_then(|of| of.split_once(" of ")) {
        let mutants = each(&record["offline"], "mutants").chain(each(&record["everywhere"], "mutants"));
        let mut those = mutants.filter(|row| row["mutant"] == mutant && row["engine"] == engine);
        return those.any(|row| each(row, "caught_by").any(|by| by == judge));
    }
    let in_worlds = each(&record["offline"], "engines").filter(|row| row["name"] == wrong).map(|row| &row["oracles"]);
    let in_walks = each(record, "deliveries").filter(|row| row["engine"] == wrong).map(|row| &row["against"]);
    in_worlds.chain(in_walks).any(|judges| judges[judge][0] == "falsified")
}

/// Whether the record shows that this engine holds, and that this judge has nothing against it.
fn is_right(record: &Value, right: &str, judge: &str) -> bool {
    let in_worlds = each(&record["offline"], "engines").filter(|row| row["name"] == right);
    let in_walks = each(record, "deliveries").filter(|row| row["engine"] == right);
    let crashes: Vec<&Value> = each(record, "checks")
        .filter(|check| check["name"].as_str().is_some_and(|name| name.starts_with("every crash")))
        .collect();
    in_worlds.into_iter().any(|row| row["verdict"] == "holds" && row["oracles"][judge][0] == "holds")
        || in_walks.into_iter().any(|row| row["verdict"] == "holds")
        || (!crashes.is_empty()
            && crashes.iter().all(|check| check["verdict"] == "holds" && !check["subjects"][right].is_null()))
}

/// What is wrong with the rows, by the records.
fn contradicted(rows: &[Row]) -> Vec<String> {
    let on_trial = rows.iter().filter_map(|row| row.on_trial.as_ref().map(|on_trial| (&row.says, on_trial)));
    let judged = on_trial.flat_map(|(says, OnTrial { judge, scenario, wrong, right })| {
        let record = record(scenario);
        let of_wrong =
            (!is_wrong(&record, wrong, judge)).then(|| format!("{says}: {wrong} is not wrong in {scenario}"));
        let of_right =
            (!is_right(&record, right, judge)).then(|| format!("{says}: {right} is not right in {scenario}"));
        of_wrong.into_iter().chain(of_right)
    });
    judged.collect()
}

#[test]
fn every_row_that_is_on_trial_says_what_its_record_shows() {
    assert_eq!(contradicted(&rows(&page())), Vec::<String>::new());
}

#[test]
fn a_row_that_no_record_shows_is_noticed() {
    let planted = "\n## Local store and outbox\n
| Wrong engine. (L; truth) | `two-stores-lost` | `delta-state` | `delta-state` |
| Right engine. (L; monotonic) | `two-stores-lost` | `delta-summary` | `delta-summary` |
| Judge. (L; load) | `killed-between-two-writes` | `mutant accept-before-journal of delta-state` | `delta-state` |
| Mutant. (L; truth) | `killed-between-two-writes` | `mutant accept-before-durable of operation-log` | `delta-state` |
| Not on trial. (A, L) | Something that is missing. |";
    let rows = rows(planted);
    assert_eq!(rows.len(), 5);
    assert!(rows[4].on_trial.is_none());
    let found = contradicted(&rows);
    for says in ["Wrong engine.", "Right engine.", "Judge.", "Mutant."] {
        assert!(found.iter().any(|wrong| wrong.starts_with(says)), "{says} {found:?}");
    }
}

#[test]
fn the_numbers_of_the_page_are_those_of_its_rows_and_every_document_is_in_it() {
    let page = page();
    let rows = rows(&page);
    let on_trial: Vec<&OnTrial> = rows.iter().filter_map(|row| row.on_trial.as_ref()).collect();
    let scenarios: BTreeSet<&str> = on_trial.iter().map(|of| of.scenario.as_str()).collect();
    let mutants = on_trial.iter().filter(|of| of.wrong.starts_with("mutant ")).count();
    let told = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in [
        format!("The page has {} rows: {} are on trial, in {} scenarios,", rows.len(), on_trial.len(), scenarios.len()),
        format!("and {} are not.", rows.len() - on_trial.len()),
        format!("In {mutants} of the {} rows the wrong engine is one with a planted mistake.", on_trial.len()),
    ] {
        assert!(told.contains(&sentence), "{sentence}");
    }
    let documents: BTreeSet<&str> = rows.iter().flat_map(|row| row.documents.iter().map(String::as_str)).collect();
    assert_eq!(documents.into_iter().collect::<Vec<_>>(), DOCUMENTS);
    let mut said = BTreeSet::new();
    rows.iter().for_each(|row| assert!(said.insert(&row.says), "twice: {}", row.says));
}
