//! A bandwidth report: the answer, what was asked for, the table of who sends how much and gets what wrong, and how far it was scaled.

use crate::domain::bandwidth::units::BitRate;
use crate::domain::bandwidth::{BandwidthTrial, DAY_S, MONTH_DAYS, Values};
use crate::domain::count::counted;
use crate::domain::offline::Link;
use crate::domain::shown::{self, bytes, hundredths, lasting, money, percent, tenths};
use crate::domain::verdict::Verdict;
use crate::report::bandwidth_record::{
    BandwidthRecord, BandwidthRow, Estimate, Fit, MessageBytes, Rule, RuleError, Sender, SizeRecord,
};
use crate::report::document::{Block, Cell, Column, Section, Table, Tone};
use crate::report::figure;
use crate::report::first_screen::Screen;
use crate::report::record::Record;
use crate::report::view::View;

/// What stands above the time on the link.
const ON_LINK: &str = "on link";

/// What the information bound is called.
const BOUND: &str = "information bound";

/// Rows of engines on the first screen. Forms of the whole state, and the bound, come besides.
const ENGINES: usize = 3;

impl View for BandwidthTrial {
    fn what_ran(&self, record: &Record) -> Option<String> {
        record.bandwidth.as_ref().map(|of| format!(": {} (evidence {})", world(of), of.evidence))
    }

    fn screen(&self, record: &Record, screen: &mut Screen<'_>) {
        record.bandwidth.iter().for_each(|of| first_screen(of, screen));
    }

    fn sections(&self, record: &Record) -> Vec<Section> {
        section(record).into_iter().collect()
    }

    fn details(&self, record: &Record) -> Vec<Section> {
        detail(record).into_iter().collect()
    }
}

fn first_screen(record: &BandwidthRecord, screen: &mut Screen<'_>) {
    screen.text().paragraph("", 0, &answer(record).join(" "));
    let rows = in_order(record);
    let shown = first_of(&rows, ENGINES);
    // Who gets something wrong is told by the number of wrong records, and the time on the link by a sentence.
    let table = table(record, &shown).without("verdict").without(ON_LINK);
    screen.text().fitted(&table);
    if shown.len() < rows.len() {
        let left: Vec<&BandwidthRow> =
            rows.iter().copied().filter(|row| !shown.iter().any(|shown| shown.name == row.name)).collect();
        let (more, place) = (counted(left.len(), "more engine"), screen.elsewhere());
        screen.cut(&format!("  and {more}: {} ({place})", groups(record, &left)));
    }
    screen.text().paragraph("", 2, &scaled(record));
    let told = [empty(record), unknown(record)];
    told.iter().flatten().for_each(|sentence| screen.cut(&format!("  {sentence}")));
    // The terminal wraps it, so that it can be pasted.
    let again = record.again.as_deref().unwrap_or("abench replay RECORD, or the scenario's file");
    screen.text().line(&format!("  {again}"));
}

/// What these engines of a bandwidth report came to: "5 wrong, 1 dearer, 1 of unknown cost". Who is dearer is so than the
/// engine that the report is about.
fn groups(record: &BandwidthRecord, rows: &[&BandwidthRow]) -> String {
    let about = record.about().and_then(|about| about.estimate).map(|of| of.bytes_per_sync_tenths);
    let group = |row: &BandwidthRow| match (row.estimate, about) {
        _ if row.wrong_records > 0 => "wrong",
        _ if row.verdict == Verdict::Falsified => "falsified",
        (None, _) => "of unknown cost",
        _ if row.verdict == Verdict::Inconclusive => "inconclusive",
        (Some(of), Some(about)) if of.bytes_per_sync_tenths <= about => "no dearer",
        (Some(_), Some(_)) => "dearer",
        (Some(_), None) => "not wrong",
    };
    let names = ["wrong", "falsified", "inconclusive", "dearer", "no dearer", "not wrong", "of unknown cost"];
    let counts = names.map(|name| (rows.iter().filter(|row| group(row) == name).count(), name));
    let told: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")).collect();
    told.join(", ")
}

/// The answer with its table, what was scaled, and the command that repeats it.
fn section(record: &Record) -> Option<Section> {
    let of = record.bandwidth.as_ref()?;
    let mut blocks = vec![Block::List(answer(of)), Block::Facts(asked(of))];
    blocks.extend(figure::of_bandwidth(of).map(|figure| Block::Figure(Box::new(figure))));
    blocks.extend([Block::Table(table(of, &in_order(of))), Block::Paragraph(scaled(of))]);
    blocks.extend([empty(of), unknown(of)].into_iter().flatten().map(Block::Paragraph));
    blocks.push(Block::Note(HOW_TO_READ.to_owned()));
    blocks.extend(of.again.iter().map(|again| Block::Command(again.clone())));
    Section::of("bandwidth", "Bandwidth", blocks)
}

/// What the bytes are for, what is against each sender, and how well the rules of scaling predict.
fn detail(record: &Record) -> Option<Section> {
    let of = record.bandwidth.as_ref()?;
    let mut blocks = vec![Block::Table(kinds_of_messages(of))];
    let against = of.rows.iter().filter(|row| !row.against.is_empty());
    let mut told: Vec<String> =
        against.map(|row| format!("{}, {}: {}.", row.label(), row.verdict, row.against.join("; "))).collect();
    let rules = of.rows.iter().flat_map(|row| row.rules.iter().map(move |rule| (row, rule)));
    told.extend(rules.map(|(row, rule)| format!("{}, {}.", row.label(), of_rule(rule))));
    told.extend(of.left_out.iter().map(|(name, reason)| format!("Left out: {name}, {reason}.")));
    if !told.is_empty() {
        blocks.push(Block::List(told));
    }
    Section::detail("bandwidth-detail", "What the messages are for, and how it was scaled", blocks)
}

/// A rule of scaling, and how far it is wrong.
fn of_rule(rule: &RuleError) -> String {
    let (predicted, measured) = (tenths(rule.predicted_tenths), tenths(rule.measured_tenths));
    let compared = match (rule.rule, rule.fit) {
        (Rule::Days, _) => {
            format!("days: {predicted} B a sync in the first half of the time, and {measured} B in the second")
        }
        (Rule::Records, fit) => {
            let fit = if fit == Fit::Power { "a power" } else { "a straight line" };
            format!(
                "records: {fit} through fewer records predicts {predicted} B a sync, and {measured} B were measured"
            )
        }
    };
    format!(
        "{compared}: {} apart; {} times as much is asked for: {}",
        percent(rule.of_doubling_per_mille),
        hundredths(rule.times_hundredths),
        percent(rule.in_all_per_mille)
    )
}

/// The bytes of each kind of message.
fn kinds_of_messages(record: &BandwidthRecord) -> Table {
    let bytes = ["data", "acknowledged", "handshakes", "sent again"].map(|head| Column::of(head, "B"));
    let columns = [Column::words("sender"), Column::number("syncs")].into_iter().chain(bytes);
    let row = |row: &BandwidthRow| {
        let both = |of: fn(&MessageBytes) -> i64| Cell::text(of(&row.up) + of(&row.down));
        vec![
            Cell::text(row.label()),
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
fn table(record: &BandwidthRecord, rows: &[&BandwidthRow]) -> Table {
    let columns = [
        Column::words("sender"),
        Column::number("a sync").ranked(1),
        Column::number(ON_LINK).ranked(4),
        Column::number("a day").ranked(3),
        Column::number("a month"),
        Column::number("cost"),
        Column::number("of full").ranked(2),
        Column::number("wrong"),
        Column::words("verdict").ranked(5),
    ];
    let rows = rows.iter().map(|row| {
        let [sender, sync, link, day, month, cost, of_full, wrong] = cells(row);
        let is_wrong = wrong.starts_with(|c: char| ('1'..='9').contains(&c));
        let numbers = [sender, sync, link, day, month, cost, of_full].map(Cell::text);
        let wrong = Cell::toned(wrong, if is_wrong { Tone::Bad } else { Tone::Plain });
        numbers.into_iter().chain([wrong, Cell::verdict(row.verdict)]).collect()
    });
    let bound = of_bound(record).map(Cell::text).into_iter().chain([Cell::text("-")]).collect();
    let caption = format!("Bytes both ways, cost, and wrong records (evidence {})", record.evidence);
    Table::numbers(caption, columns, rows.chain([bound]))
}

/// How numbers of the table are to be read.
const HOW_TO_READ: &str = "Sync: of one client, both ways. On link: how long these bytes keep its link busy, without latency. Day and month: of all \
     clients; a month has 30 days. kB, MB and GB have 1000, 1000^2 and 1000^3 bytes. All messages count: data, acknowledgements, handshakes and what is sent again, with their framing and \
     checksums. Headers of TCP, IP and TLS do not. Full: the full state, each record in the bytes that its users store. Wrong: \
     records of those of the world that was run, at the replica that has most of them, when everybody had synced in the end.";

/// What ran, in a line.
fn world(record: &BandwidthRecord) -> String {
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

/// What was asked for: names and values.
fn asked(record: &BandwidthRecord) -> Vec<(String, String)> {
    let Link { latency_ms, lost_per_mille, .. } = record.link;
    let link = format!(
        "{}, {latency_ms} ms, {} lost",
        BitRate::bits_per_s(record.link.bits_per_s),
        percent(lost_per_mille.into())
    );
    let price = record.price_per_mb.map_or("none was named".to_owned(), |price| price.to_string());
    let values = match record.values {
        Values::Counters => "counters",
        Values::Tags => "tags",
    };
    let pairs = [
        ("clients", record.clients.to_string()),
        (
            "records",
            format!(
                "{} of {} B ({values}), {} changed a tick",
                record.asked.records, record.record_bytes, record.changed
            ),
        ),
        ("syncs a day", record.syncs_per_day.to_string()),
        ("days", record.days.to_string()),
        ("link of a client", link),
        ("price of a MB", price),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

/// The answer: what the engine costs, what the full state costs, and who else is cheaper; a sentence each.
fn answer(record: &BandwidthRecord) -> Vec<String> {
    let Some((about, estimate)) = record.about().and_then(|about| Some((about, about.estimate?))) else {
        let why =
            record.about().and_then(|about| about.why_unknown(record)).unwrap_or("it was not measured".to_owned());
        let is_by_scaling = record.about().is_some_and(|about| !about.is_beyond_its_link());
        let remedy = remedy(record).filter(|_| is_by_scaling).map_or(String::new(), |remedy| format!(" {remedy}"));
        return vec![format!("{}: no number is given: {why}.{remedy}", record.about)];
    };
    let wrong = match about.verdict {
        Verdict::Holds => String::new(),
        _ => format!(", with {}", counted(about.wrong_records, "wrong record")),
    };
    let against = match record.whole_state().and_then(|whole| whole.estimate) {
        None => "the full state is unknown".to_owned(),
        Some(whole) => {
            let share = about.of_whole_state_per_mille.map_or("-".to_owned(), percent);
            format!("full state {}: {share} of it", money_for(&whole))
        }
    };
    let own = format!("{}: {}{wrong}; {against}.", record.about, a_month(&estimate));
    let full = record.whole_state().and_then(|whole| whole.estimate).map(|whole| lasting(whole.link_ms_per_sync));
    let full = full.map_or(String::new(), |time| format!("; the full state for {time}"));
    let link = format!("A sync keeps a client's link busy for {}{full}.", lasting(estimate.link_ms_per_sync));
    [own, link].into_iter().chain((about.verdict == Verdict::Holds).then(|| cheaper(record, &estimate))).collect()
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
fn scaled(record: &BandwidthRecord) -> String {
    let BandwidthRecord { asked, run, tolerance_per_mille, .. } = record;
    let month = a_month_of(record.days);
    if !record.scaled {
        return match month {
            None => format!("Nothing was scaled: {} were run.", days(run)),
            Some(month) => format!("{} {} run: {month}.", days(run), if record.days == 1 { "was" } else { "were" }),
        };
    }
    let month = month.map_or(String::new(), |month| format!(" Besides, {month}."));
    let of_days = (run.measured_s < asked.measured_s).then(|| format!("{} of {}", days(run), days(asked)));
    let of_records = (run.records < asked.records).then(|| format!("{} of {} records", run.records, asked.records));
    let sizes: Vec<String> = of_days.into_iter().chain(of_records).collect();
    let known = record.rows.iter().filter(|row| row.estimate.is_some());
    let Some(most) = known.map(|row| record.error_per_mille(row)).max() else {
        return format!("{} were run, which no number could be scaled from.", sizes.join(" and "));
    };
    format!(
        "Scaled from {}: off by up to {} ({} allowed).{month}",
        sizes.join(" and "),
        percent(most),
        percent(*tolerance_per_mille)
    )
}

/// What a month is told from, where fewer days than those of a month were asked for.
fn a_month_of(days: u32) -> Option<String> {
    let these = if days == 1 { "this one".to_owned() } else { format!("these {days}") };
    (u64::from(days) < MONTH_DAYS).then(|| format!("a month is {MONTH_DAYS} days at the rate of {these}"))
}

/// What to do about senders that the rules of scaling have no number of, if there are any.
fn remedy(record: &BandwidthRecord) -> Option<String> {
    let is_by_scaling = |row: &BandwidthRow| row.estimate.is_none() && !row.is_beyond_its_link();
    let larger = || "A larger --budget may tell.".to_owned();
    // Where nothing was scaled, more of the budget changes nothing.
    (record.scaled && record.rows.iter().any(is_by_scaling)).then(|| record.remedy().unwrap_or_else(larger))
}

/// Why no number is given of some senders, if of any.
fn unknown(record: &BandwidthRecord) -> Option<String> {
    let told: Vec<String> =
        record.rows.iter().filter_map(|row| Some(format!("{}: {}.", row.label(), row.why_unknown(record)?))).collect();
    let advice = remedy(record).map_or(String::new(), |remedy| format!(" {remedy}"));
    (!told.is_empty()).then(|| format!("Unknown: {}{advice}", told.join(" ")))
}

/// How many syncs brought nothing, of those that have a number all the same.
fn empty(record: &BandwidthRecord) -> Option<String> {
    let rows = record.rows.iter().filter(|row| row.empty_syncs > 0 && row.estimate.is_some());
    let told: Vec<String> = rows.map(|row| format!("{} {} of {}", row.label(), row.empty_syncs, row.syncs)).collect();
    let after = "A sync is one that brings something; the bytes of the others are in its bytes.";
    (!told.is_empty())
        .then(|| format!("Syncs in which nothing arrived of what a client had to tell: {}. {after}", told.join(", ")))
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
fn in_order(record: &BandwidthRecord) -> Vec<&BandwidthRow> {
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
fn first_of<'a>(rows: &[&'a BandwidthRow], engines: usize) -> Vec<&'a BandwidthRow> {
    let mut left = engines;
    let is_shown = |row: &&&BandwidthRow| {
        let is_shown = row.sender != Sender::Engine || left > 0;
        left -= usize::from(row.sender == Sender::Engine && left > 0);
        is_shown
    };
    rows.iter().filter(is_shown).copied().collect()
}

/// The cells of a row.
fn cells(row: &BandwidthRow) -> [String; 8] {
    let wrong = match row.wrong_records {
        0 if row.verdict == Verdict::Inconclusive => "unknown".to_owned(),
        0 if row.verdict == Verdict::Falsified => "0, falsified".to_owned(),
        0 => "0".to_owned(),
        some => some.to_string(),
    };
    let Some(of) = row.estimate else {
        let unknown = || "unknown".to_owned();
        return [row.label(), unknown(), unknown(), unknown(), unknown(), unknown(), "-".to_owned(), wrong];
    };
    let of_full = row.of_whole_state_per_mille.map_or("-".to_owned(), percent);
    with_estimate(row.label(), &of, of_full, wrong)
}

/// The cells of the information bound.
fn of_bound(record: &BandwidthRecord) -> [String; 8] {
    let whole = record.whole_state().and_then(|whole| whole.estimate).map(|of| of.bytes_per_sync_tenths);
    let own = record.bound.bytes_per_sync_tenths;
    let of_full = whole.filter(|&whole| whole > 0).map(|whole| percent((own * 1000 + whole / 2) / whole));
    with_estimate(BOUND.to_owned(), &record.bound, of_full.unwrap_or("-".to_owned()), "-".to_owned())
}

fn with_estimate(name: String, of: &Estimate, of_full: String, wrong: String) -> [String; 8] {
    [
        name,
        bytes(of.bytes_per_sync_tenths.div_ceil(10)),
        lasting(of.link_ms_per_sync),
        bytes(of.bytes_per_day),
        bytes(of.bytes_per_month),
        of.cost_per_month_millionths.map_or("-".to_owned(), money),
        of_full,
        wrong,
    ]
}
