//! A bandwidth report: the answer, the table of who sends how much and gets what wrong, and how far it was scaled.

use crate::domain::bandwidth::{DAY_S, Values};
use crate::domain::count::counted;
use crate::domain::shown::{self, bytes, hundredths, money, percent, tenths};
use crate::domain::verdict::Verdict;
use crate::report::bandwidth_record::{BandwidthRecord, BandwidthRow, Estimate, MessageBytes, Sender, SizeRecord};
use crate::report::document::{Block, Cell, Column, Section, Table, Tone};
use crate::report::record::Record;

/// What the information bound is called.
const BOUND: &str = "information bound";

/// The answer with its table, what was scaled, and the command that repeats it.
pub fn section(record: &Record) -> Option<Section> {
    let of = record.bandwidth.as_ref()?;
    let table = table(of, &in_order(of));
    let mut blocks = vec![Block::Paragraph(format!("{}.", world(of))), Block::List(answer(of)), Block::Table(table)];
    blocks.push(Block::Paragraph(scaled(of)));
    blocks.extend(unknown(of).map(Block::Paragraph));
    blocks.push(Block::Note(HOW_TO_READ.to_owned()));
    blocks.extend(of.again.iter().map(|again| Block::Command(again.clone())));
    Section::of("bandwidth", "Bandwidth", blocks)
}

/// What the bytes are for, what is against each sender, and how well the rules of scaling predict.
pub fn detail(record: &Record) -> Option<Section> {
    let of = record.bandwidth.as_ref()?;
    let mut blocks = vec![Block::Table(kinds_of_messages(of))];
    let against = of.rows.iter().filter(|row| !row.against.is_empty());
    let mut told: Vec<String> =
        against.map(|row| format!("{}, {}: {}.", label(row), row.verdict, row.against.join("; "))).collect();
    let rules = of.rows.iter().flat_map(|row| row.rules.iter().map(move |rule| (row, rule)));
    told.extend(rules.map(|(row, rule)| {
        format!(
            "{}, {}: half predicts {} B a sync, and {} B were measured: {} wrong; {} times as much is asked for: {}.",
            label(row),
            rule.rule,
            tenths(rule.predicted_tenths),
            tenths(rule.measured_tenths),
            percent(rule.of_doubling_per_mille),
            hundredths(rule.times_hundredths),
            percent(rule.in_all_per_mille)
        )
    }));
    told.extend(of.left_out.iter().map(|(name, reason)| format!("Left out: {name}, {reason}.")));
    if !told.is_empty() {
        blocks.push(Block::List(told));
    }
    Section::detail("bandwidth-detail", "What the messages are for, and how it was scaled", blocks)
}

/// The bytes of each kind of message.
fn kinds_of_messages(record: &BandwidthRecord) -> Table {
    let bytes = ["data", "acknowledged", "handshakes", "sent again"].map(|head| Column::of(head, "B"));
    let columns = [Column::words("sender"), Column::number("syncs")].into_iter().chain(bytes);
    let row = |row: &BandwidthRow| {
        let both = |of: fn(&MessageBytes) -> i64| Cell::text(of(&row.up) + of(&row.down));
        vec![
            Cell::text(label(row)),
            Cell::text(row.syncs),
            both(|of| of.data),
            both(|of| of.acknowledgements),
            both(|of| of.handshakes),
            both(|of| of.retransmissions),
        ]
    };
    let caption = "Bytes by what messages are for, both ways, in the time that was measured";
    Table::numbers(caption, columns, in_order(record).into_iter().map(row))
}

/// Who sends how much and gets what wrong; the information bound comes last.
pub fn table(record: &BandwidthRecord, rows: &[&BandwidthRow]) -> Table {
    let columns = [
        Column::words("sender"),
        Column::number("a sync").ranked(1),
        Column::number("a day").ranked(3),
        Column::number("a month"),
        Column::number("cost"),
        Column::number("of full").ranked(2),
        Column::number("wrong"),
        Column::words("verdict").ranked(4),
    ];
    let rows = rows.iter().map(|row| {
        let [sender, sync, day, month, cost, of_full, wrong] = cells(row);
        let is_wrong = wrong.starts_with(|c: char| ('1'..='9').contains(&c));
        let numbers = [sender, sync, day, month, cost, of_full].map(Cell::text);
        let wrong = Cell::toned(wrong, if is_wrong { Tone::Bad } else { Tone::Plain });
        numbers.into_iter().chain([wrong, Cell::verdict(row.verdict)]).collect()
    });
    let bound = of_bound(record).map(Cell::text).into_iter().chain([Cell::text("-")]).collect();
    let caption = format!("Bytes both ways, cost, and wrong records (evidence {})", record.evidence);
    Table::numbers(caption, columns, rows.chain([bound]))
}

/// How numbers of the table are to be read.
const HOW_TO_READ: &str = "Sync: of one client, both ways. Day and month: of all clients; a month has 30 days. kB, MB and GB have 1000, 1000^2 and \
     1000^3 bytes. All messages count: data, acknowledgements, handshakes and what is sent again, with their framing and \
     checksums. Headers of TCP, IP and TLS do not. Full: the full state, each record in the bytes that its users store. Wrong: \
     records of those of the world that was run, at the replica that has most of them, when everybody had synced in the end.";

/// What ran, in a line.
pub fn world(record: &BandwidthRecord) -> String {
    let values = match record.values {
        Values::Counters => "counters",
        Values::Tags => "tags",
    };
    format!(
        "{}, {} of {} B ({values}), {} changed a tick, {} syncs a day",
        counted(record.clients, "client"),
        counted(record.asked.records, "record"),
        record.record_bytes,
        record.changed,
        record.syncs_per_day
    )
}

/// The answer: what the engine costs, what the full state costs, and who else is cheaper; a sentence each.
pub fn answer(record: &BandwidthRecord) -> Vec<String> {
    let Some((about, estimate)) = record.about().and_then(|about| Some((about, about.estimate?))) else {
        return vec![format!("{}: no number can be given, as the rule of scaling does not hold.", record.about)];
    };
    let wrong = match about.verdict {
        Verdict::Holds => String::new(),
        _ => format!(", with {}", counted(about.wrong_records, "wrong record")),
    };
    let against = match record.whole_state().and_then(|whole| whole.estimate) {
        None => "the full state is unknown, as the rule of scaling does not hold for it".to_owned(),
        Some(whole) => {
            let share = about.of_whole_state_per_mille.map_or("-".to_owned(), percent);
            format!("full state {}: {share} of it", money_for(&whole))
        }
    };
    let own = format!("{}: {}{wrong}; {against}.", record.about, a_month(&estimate));
    [own].into_iter().chain((about.verdict == Verdict::Holds).then(|| cheaper(record, &estimate))).collect()
}

/// Who is cheaper without a wrong record.
fn cheaper(record: &BandwidthRecord, than: &Estimate) -> String {
    let right = record.rows.iter().filter(|row| row.verdict == Verdict::Holds);
    let cheapest = right.filter_map(|row| Some((row, row.estimate?))).min_by_key(|(_, of)| of.bytes_per_sync_tenths);
    match cheapest.filter(|(_, of)| of.bytes_per_sync_tenths < than.bytes_per_sync_tenths) {
        Some((row, of)) => format!("Cheapest without a wrong record: {}, {}.", row.name, a_month(&of)),
        None => "Nobody is cheaper without a wrong record.".to_owned(),
    }
}

/// Bytes, and what they cost where that is known.
fn money_for(of: &Estimate) -> String {
    let cost = of.cost_per_month_millionths.map_or(String::new(), |cost| format!(" for {}", money(cost)));
    format!("{}{cost}", bytes(of.bytes_per_month))
}

fn a_month(of: &Estimate) -> String {
    let cost = of.cost_per_month_millionths.map_or(String::new(), |cost| format!(" for {}", money(cost)));
    format!("{} a month{cost}", bytes(of.bytes_per_month))
}

/// How far it was scaled, and how wrong that may be.
pub fn scaled(record: &BandwidthRecord) -> String {
    let BandwidthRecord { asked, run, tolerance_per_mille, .. } = record;
    if !record.scaled {
        return format!("Nothing was scaled: {} were run.", days(run));
    }
    let of_days = (run.measured_s < asked.measured_s).then(|| format!("{} of {}", days(run), days(asked)));
    let of_records = (run.records < asked.records).then(|| format!("{} of {} records", run.records, asked.records));
    let sizes: Vec<String> = of_days.into_iter().chain(of_records).collect();
    let error = |row: &BandwidthRow| row.rules.iter().map(|rule| rule.in_all_per_mille).fold(0, u64::saturating_add);
    let most = [record.about(), record.whole_state()].into_iter().flatten().map(error).max().unwrap_or(0);
    format!(
        "Scaled from {}: up to {} wrong ({} allowed).",
        sizes.join(" and "),
        percent(most),
        percent(*tolerance_per_mille)
    )
}

/// Why no number is given of some senders, if of any.
pub fn unknown(record: &BandwidthRecord) -> Option<String> {
    let error = |row: &BandwidthRow| row.rules.iter().map(|rule| rule.in_all_per_mille).fold(0, u64::saturating_add);
    let without = record.rows.iter().filter(|row| row.estimate.is_none());
    let told: Vec<String> = without.map(|row| format!("{} {}", label(row), percent(error(row)))).collect();
    let bound = percent(record.tolerance_per_mille);
    (!told.is_empty())
        .then(|| format!("Unknown where scaling would be wrong by more than {bound}: {}.", told.join(", ")))
}

fn days(size: &SizeRecord) -> String {
    let tenths = size.measured_s * 10 / DAY_S;
    match tenths % 10 {
        0 => counted(tenths / 10, "day"),
        _ => format!("{} days", shown::tenths(tenths)),
    }
}

/// All rows: the engine that the report is about, other engines that get nothing wrong, the full state in its forms, and then
/// engines that get something wrong; each by what they send.
pub fn in_order(record: &BandwidthRecord) -> Vec<&BandwidthRow> {
    let rank = |row: &&BandwidthRow| {
        let group = match (row.sender, row.verdict) {
            _ if row.name == record.about => 0,
            (Sender::Engine, Verdict::Holds) => 1,
            (Sender::WholeState, _) => 2,
            (Sender::Compressed, _) => 3,
            (Sender::Engine, _) => 4,
        };
        (group, row.estimate.map_or(u64::MAX, |of| of.bytes_per_sync_tenths))
    };
    let mut rows: Vec<&BandwidthRow> = record.rows.iter().collect();
    rows.sort_by_key(rank);
    rows
}

/// Of these rows the first of engines, and all forms of the full state.
pub fn first_of<'a>(rows: &[&'a BandwidthRow], engines: usize) -> Vec<&'a BandwidthRow> {
    let mut left = engines;
    let is_shown = |row: &&&BandwidthRow| {
        let is_shown = row.sender != Sender::Engine || left > 0;
        left -= usize::from(row.sender == Sender::Engine && left > 0);
        is_shown
    };
    rows.iter().filter(is_shown).copied().collect()
}

/// What a row is called.
pub fn label(row: &BandwidthRow) -> String {
    match row.sender {
        Sender::Engine => row.name.clone(),
        Sender::WholeState => "full state".to_owned(),
        Sender::Compressed => row.name.replace("whole-state", "full state").replace('-', " "),
    }
}

/// The cells of a row.
fn cells(row: &BandwidthRow) -> [String; 7] {
    let wrong = match row.wrong_records {
        0 if row.verdict == Verdict::Inconclusive => "unknown".to_owned(),
        0 if row.verdict == Verdict::Falsified => "0, falsified".to_owned(),
        0 => "0".to_owned(),
        some => some.to_string(),
    };
    let Some(of) = row.estimate else {
        let unknown = || "unknown".to_owned();
        return [label(row), unknown(), unknown(), unknown(), unknown(), "-".to_owned(), wrong];
    };
    let of_full = row.of_whole_state_per_mille.map_or("-".to_owned(), percent);
    with_estimate(label(row), &of, of_full, wrong)
}

/// The cells of the information bound.
fn of_bound(record: &BandwidthRecord) -> [String; 7] {
    let whole = record.whole_state().and_then(|whole| whole.estimate).map(|of| of.bytes_per_sync_tenths);
    let own = record.bound.bytes_per_sync_tenths;
    let of_full = whole.filter(|&whole| whole > 0).map(|whole| percent((own * 1000 + whole / 2) / whole));
    with_estimate(BOUND.to_owned(), &record.bound, of_full.unwrap_or("-".to_owned()), "-".to_owned())
}

fn with_estimate(name: String, of: &Estimate, of_full: String, wrong: String) -> [String; 7] {
    [
        name,
        bytes(of.bytes_per_sync_tenths.div_ceil(10)),
        bytes(of.bytes_per_day),
        bytes(of.bytes_per_month),
        of.cost_per_month_millionths.map_or("-".to_owned(), money),
        of_full,
        wrong,
    ]
}
