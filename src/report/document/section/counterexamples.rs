//! The smallest cases that contradict: what was expected, what came, the steps that lead there, and the command that
//! repeats it.

use crate::domain::case::Case;
use crate::domain::finding::{Finding, Quantity};
use crate::domain::hex::Hex64;
use crate::domain::script;
use crate::report::document::{Block, Cell, Column, Section, Table};
use crate::report::inert::quoted;
use crate::report::record::{Asked, Counterexample, Record, Sequence, WaveformRecord};

/// Deliveries of a sequence that are shown.
const SHOWN: usize = 64;

/// Every case once, however many checks end in it.
pub fn section(record: &Record) -> Option<Section> {
    let mut shown: Vec<&str> = Vec::new();
    let mut blocks = Vec::new();
    for (check, finding) in record.checks.iter().flat_map(|check| check.findings.iter().map(move |f| (check, f))) {
        if shown.contains(&finding.case.as_str()) {
            continue;
        }
        shown.push(&finding.case);
        blocks.push(Block::Heading(format!("{} on {}", check.name, finding.subject)));
        blocks.push(Block::Facts(facts(record, finding)));
        blocks.extend(steps(finding));
        let sequences = check.orders.iter().flat_map(|orders| &orders.counterexamples);
        blocks.extend(sequences.filter(|other| other.case == finding.case).flat_map(sequence));
        blocks.push(Block::Command(command(&record.asked, finding)));
        let waveforms = record.waveforms.iter().filter(|waveform| waveform.case == finding.case);
        let looked: Vec<String> = waveforms.flat_map(waveform_lines).collect();
        if !looked.is_empty() {
            blocks.push(Block::List(looked));
        }
    }
    Section::first("counterexamples", "Counterexamples", blocks)
}

/// The command that repeats it. The name of an engine in a process says nothing by itself: its command is given with it.
pub fn command(asked: &Asked, finding: &Finding) -> String {
    let command = format!("abench replay {}", quoted(&finding.case));
    let is_subject = |text: &&str| text.strip_prefix(&finding.subject).is_some_and(|rest| rest.starts_with('='));
    match asked.trial.keys().engines().into_iter().find(is_subject) {
        Some(text) => format!("{command} --engines {}", quoted(text)),
        None => command,
    }
}

fn facts(record: &Record, finding: &Finding) -> Vec<(String, String)> {
    let Finding { evidence, during, quantity, expected, got, oracle, size, .. } = finding;
    let decimal = |value: Hex64| match quantity {
        Quantity::Cycles => format!("{quantity} {value} ({})", value.0),
        _ => format!("{quantity} {value}"),
    };
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    fact("during", during.clone());
    if *quantity != Quantity::Judges {
        fact("expected", decimal(*expected));
        fact("got", decimal(*got));
        if *quantity != Quantity::Cycles {
            fact("difference", Hex64(expected.0 ^ got.0).to_string());
        }
    }
    fact("found by", format!("{oracle} (evidence {evidence})"));
    fact("smallest case found", size.clone());
    if !finding.reproducible {
        fact("again", "the same execution did not give this answer again".to_owned());
    } else if record.has_doubtful_link(&finding.subject) {
        fact("again", "it came twice, over a link that is in doubt".to_owned());
    }
    facts
}

/// The steps of a world, where the finding is of one.
fn steps(finding: &Finding) -> Option<Block> {
    let case: Case = finding.case.parse().ok()?;
    let trial = script::world::written_down(&case.execution)?;
    let lines: Vec<String> = trial.steps.iter().map(script::text::line).collect();
    (!lines.is_empty()).then(|| Block::Steps { caption: "The steps of this world".to_owned(), lines })
}

/// The order that goes wrong beside one that goes right, where one was found.
fn sequence(counterexample: &Counterexample) -> Vec<Block> {
    let Counterexample { schedule, right, wrong, differing_bytes, replays, .. } = counterexample;
    let sides: Vec<(&str, &Sequence)> = right
        .iter()
        .map(|right| ("an order that goes right", right))
        .chain([("the order that goes wrong", wrong)])
        .collect();
    let longest = sides.iter().map(|(_, side)| side.deltas.len()).max().unwrap_or(0);
    let cell = |side: &Sequence, place: usize| {
        Cell::text(side.deltas.get(place).map_or(String::new(), |(index, value)| format!("delta {index} {value}")))
    };
    let row = |label: String, of: &dyn Fn(&Sequence) -> Cell| {
        [Cell::text(label)].into_iter().chain(sides.iter().map(|(_, side)| of(side))).collect::<Vec<_>>()
    };
    let mut rows: Vec<Vec<Cell>> =
        (0..longest.min(SHOWN)).map(|place| row(format!("#{}", place + 1), &|side| cell(side, place))).collect();
    rows.push(row("state".to_owned(), &|side| Cell::text(format!("{} after {}", side.state, side.after))));
    let columns = [Column::words("delivered")].into_iter().chain(sides.iter().map(|(name, _)| Column::words(*name)));
    let caption = format!("Deliveries from a start of 0, found in {replays} replays");
    let bytes: Vec<String> = differing_bytes.iter().map(u32::to_string).collect();
    let more = longest.saturating_sub(SHOWN);
    let more = if more > 0 { format!(" {more} more deliveries are in the record.") } else { String::new() };
    let reverse =
        if right.is_none() && longest > 1 { " The same deltas by index and backwards go wrong too." } else { "" };
    vec![
        Block::Table(Table::numbers(caption, columns, rows)),
        Block::Note(format!("Differing bytes, of which 0 is the lowest: {}.{more}{reverse}", bytes.join(", "))),
        Block::Paragraph("The whole order that first went wrong, for --orders:".to_owned()),
        Block::Command(format!("--orders replay:{}", quoted(schedule))),
    ]
}

/// Where a simulated device first goes wrong inside, and where that can be seen.
pub fn waveform_lines(waveform: &WaveformRecord) -> Vec<String> {
    let WaveformRecord { clock, nanoseconds, what, file, unwritten, .. } = waveform;
    let (Some(clock), Some(nanoseconds)) = (clock, nanoseconds) else { return vec![format!("inside: {what}")] };
    let seen = match (file, unwritten) {
        (Some(file), _) => format!("waveform: {file}"),
        (None, Some(reason)) => format!("no waveform written: {reason}; a replay with --waveforms FOLDER writes it"),
        (None, None) => "no waveform written".to_owned(),
    };
    vec![format!("first wrong: clock {clock} since reset, at {nanoseconds} ns: {what}"), seen]
}
