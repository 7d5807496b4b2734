//! The checks, and what was planted for their judges before the run.

use crate::domain::explorer::Audit;
use crate::domain::finding::{Finding, Quantity};
use crate::domain::judge::Judge;
use crate::domain::shown::magnitude;
use crate::report::document::section::verdict::{counts, on};
use crate::report::document::{Block, Cell, Column, Section, Table, Tone};
use crate::report::record::{Check, Coverage, Orders, Record, TuplesRecord};

/// A row a check, those that failed first.
pub fn section(record: &Record) -> Option<Section> {
    if record.checks.is_empty() {
        return None;
    }
    let mut checks: Vec<&Check> = record.checks.iter().collect();
    checks.sort_by_key(|check| std::cmp::Reverse(check.verdict));
    let columns = ["check", "verdict", "on", "found"].map(Column::words);
    let rows = checks.into_iter().map(|check| {
        vec![
            Cell::text(&check.name),
            Cell::verdict(check.verdict),
            Cell::text(on(&check.subjects)),
            Cell::text(found(check)),
        ]
    });
    let table = Table::prose(format!("The checks of this run: {}", counts(&record.checks)), columns, rows);
    Section::first("checks", "Checks", vec![Block::Table(table)])
}

/// What is first wrong, what was compared, with how many orders, and what a `holds` rests on.
fn found(check: &Check) -> String {
    let mut sentences: Vec<String> = first_wrong(check).into_iter().chain([check.summary.clone()]).collect();
    if let Some(orders) = check.orders.as_ref().filter(|orders| orders.deliveries > 0) {
        let explorers = orders.delivered.iter().map(|of| format!("{} ({})", of.explorer, of.orders));
        let oracles = check.oracles.iter().map(|(oracle, verdict)| format!("{oracle} {verdict}"));
        let (explorers, oracles): (Vec<String>, Vec<String>) = (explorers.collect(), oracles.collect());
        sentences.push(format!("orders: {}; oracles: {}", explorers.join(", "), oracles.join(", ")));
        sentences.extend(coverage(orders));
    }
    sentences.extend(check.warrant.iter().map(|warrant| format!("warrant {warrant}")));
    format!("{}.", sentences.join(". "))
}

/// What failed, where, and how many more there are.
fn first_wrong(check: &Check) -> Option<String> {
    let Finding { subject, during, quantity, expected, got, .. } = check.findings.first()?;
    let what = match quantity {
        Quantity::Judges => during.clone(),
        _ => format!("{during} on {subject}: {quantity} {got}, not {expected}"),
    };
    let more = check.findings.len() - 1;
    Some(if more > 0 { format!("First wrong: {what}, and {more} more") } else { format!("First wrong: {what}") })
}

/// The wrong answers that every judge was given before the run.
pub fn controls(record: &Record) -> Option<Section> {
    let mut judges: Vec<(Judge, u64, u64)> = Vec::new();
    for control in &record.controls {
        match judges.iter_mut().find(|(judge, ..)| *judge == control.judge) {
            Some((_, refused, wrong)) => (*refused, *wrong) = (*refused + control.refused, *wrong + control.wrong),
            None => judges.push((control.judge, control.refused, control.wrong)),
        }
    }
    if judges.is_empty() {
        return None;
    }
    let columns = [Column::words("judge"), Column::number("wrong answers planted"), Column::number("refused")];
    let rows = judges.into_iter().map(|(judge, refused, wrong)| {
        let tone = if refused == wrong { Tone::Good } else { Tone::Bad };
        vec![Cell::text(judge), Cell::text(wrong), Cell::toned(refused, tone)]
    });
    let table = Table::numbers("Wrong answers that were planted for each judge before the run", columns, rows);
    let mut blocks = vec![Block::Table(table)];
    let faults: Vec<String> = record.controls.iter().filter_map(|control| control.fault()).collect();
    if !faults.is_empty() {
        blocks.push(Block::List(faults));
    }
    Section::detail("controls", "Controls of the judges", blocks)
}

/// How much was tried: the orders, the tuples, and what the drawn ones look like.
fn coverage(orders: &Orders) -> Vec<String> {
    let Coverage { tried, distinct, all, tuples, .. } = &orders.coverage;
    let again = if distinct == tried { String::new() } else { format!(", in {tried} tries") };
    let tuples = tuples.as_ref().map_or(String::new(), |TuplesRecord { strength, counted, all }| {
        format!("; {counted} of {all} ordered {strength}-tuples")
    });
    let all = magnitude(all);
    let mut sentences = vec![format!("coverage, counted as delivered: {distinct} of {all} orders{again}{tuples}")];
    if let Some(audit) = &orders.audit {
        sentences.push(audit_sentence(audit));
    }
    sentences
}

/// What the drawn orders look like, as far as it is so in every audit.
fn audit_sentence(audit: &Audit) -> String {
    let Audit { orders, distinct, inversions_off_by, agreements_off_by, spread_off_by, places_off_by, .. } = audit;
    let off_by = |thousandths: i64| {
        let sign = if thousandths < 0 { "-" } else { "+" };
        format!("{sign}{}.{:03}", thousandths.unsigned_abs() / 1000, thousandths.unsigned_abs() % 1000)
    };
    let parts = match (spread_off_by, places_off_by) {
        (Some(each), Some(all)) => format!(", spread {} in each and {} in all", off_by(*each), off_by(*all)),
        _ => String::new(),
    };
    format!(
        "audit of the drawn orders: {distinct} of {orders} different; in standard deviations from chance: inversions {}, \
         same delta at the same position {}{parts}",
        off_by(*inversions_off_by),
        off_by(*agreements_off_by)
    )
}
