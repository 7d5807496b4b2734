//! The checks, and what was planted for their judges before the run.

use crate::domain::finding::{Finding, Quantity};
use crate::domain::judge::Judge;
use crate::report::document::section::verdict::counts;
use crate::report::document::{Block, Cell, Column, Section, Table, Tone};
use crate::report::record::{Check, Record};
use crate::report::text::{coverage, on};

/// A row a check, those that failed first.
pub fn section(record: &Record) -> Option<Section> {
    if record.checks.is_empty() {
        return None;
    }
    let mut checks: Vec<&Check> = record.checks.iter().collect();
    checks.sort_by_key(|check| std::cmp::Reverse(check.verdict));
    let columns = ["check", "verdict", "on", "what was compared"].map(Column::words);
    let rows = checks.into_iter().map(|check| {
        vec![
            Cell::text(&check.name),
            Cell::verdict(check.verdict),
            Cell::text(on(&check.subjects)),
            Cell::text(what_was_compared(check)),
        ]
    });
    let table = Table::prose(format!("The checks of this run: {}", counts(&record.checks)), columns, rows);
    Section::of("checks", "Checks", vec![Block::Table(table)])
}

/// What is first wrong, what was compared, with how many orders, and what a `holds` rests on.
fn what_was_compared(check: &Check) -> String {
    let mut sentences: Vec<String> = first_wrong(check).into_iter().chain([check.summary.clone()]).collect();
    if let Some(orders) = check.orders.as_ref().filter(|orders| orders.deliveries > 0) {
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
