//! Bandwidth reports as text: the answer, the table of who sends how much and gets what wrong, and how far it was scaled.

use crate::domain::bandwidth::units::BitRate;
use crate::domain::bandwidth::{DAY_S, Values};
use crate::domain::count::counted;
use crate::domain::offline::Link;
use crate::domain::verdict::Verdict;
use crate::report::bandwidth_record::{
    BandwidthRecord, BandwidthRow, Estimate, Fit, MessageBytes, Rule, RuleError, Sender, SizeRecord,
};
use crate::report::columns::{Column, lines, wrapped};
use crate::report::offline::per_mille;
use crate::report::text::{Text, styled};

/// Rows of engines on the first screen. Forms of the whole state, and the bound, come besides.
const ENGINES: usize = 3;

/// What stands above the columns of the table.
pub const HEADS: [&str; 8] = ["sender", "a sync", "on link", "a day", "a month", "cost", "of full", "wrong"];

/// The place of the time on the link among them.
const LINK: usize = 2;

/// What the information bound is called.
const BOUND: &str = "information bound";

impl Text {
    /// What is in the place of the first screen's table.
    pub(super) fn bandwidth_screen(&mut self, record: &BandwidthRecord) {
        answer(record).iter().for_each(|sentence| self.paragraph("", 0, sentence));
        let rows = in_order(record);
        let shown: Vec<&BandwidthRow> = first_of(&rows, ENGINES);
        self.bandwidth_table(record, &shown, false);
        if shown.len() < rows.len() {
            let left = counted(rows.len() - shown.len(), "more engine");
            self.cut(&format!("  and {left}, all wrong or dearer (-vv shows all)"));
        }
        self.paragraph("", 2, &scaled(record));
        unknown(record).iter().for_each(|sentence| self.cut(&format!("  {sentence}")));
        self.repeat(record);
    }

    /// All that the record has.
    pub(super) fn bandwidth(&mut self, record: &BandwidthRecord) {
        self.heading(&format!("bandwidth: {} (evidence {})", world(record), record.evidence));
        answer(record).iter().for_each(|sentence| self.paragraph("", 0, sentence));
        self.bandwidth_table(record, &in_order(record), true);
        self.paragraph("", 2, HOW_TO_READ);
        self.paragraph("", 2, &scaled(record));
        unknown(record).iter().for_each(|sentence| self.paragraph("", 2, sentence));
        self.heading("bytes by what messages are for, both ways, in the time that was measured");
        self.kinds_of_messages(record);
        for row in record.rows.iter().filter(|row| !row.against.is_empty()) {
            self.paragraph("  - ", 4, &format!("{}, {}: {}", row.label(), row.verdict, row.against.join("; ")));
        }
        for (row, rule) in record.rows.iter().flat_map(|row| row.rules.iter().map(move |rule| (row, rule))) {
            let told = format!("{}, {}", row.label(), rule_told(rule));
            self.paragraph("  - ", 4, &told);
        }
        for (name, reason) in &record.left_out {
            self.paragraph("", 2, &format!("Left out: {name}, {reason}."));
        }
        self.repeat(record);
    }

    /// The bytes of each kind of message.
    fn kinds_of_messages(&mut self, record: &BandwidthRecord) {
        let column = |head, left| Column { head, rank: 0, left };
        let columns = [
            column("sender", true),
            column("syncs", false),
            column("data", false),
            column("acknowledged", false),
            column("handshakes", false),
            column("sent again", false),
        ];
        let row = |row: &BandwidthRow| {
            let both = |of: fn(&MessageBytes) -> i64| (of(&row.up) + of(&row.down)).to_string();
            vec![
                row.label(),
                row.syncs.to_string(),
                both(|of| of.data),
                both(|of| of.acknowledgements),
                both(|of| of.handshakes),
                both(|of| of.retransmissions),
            ]
        };
        let rows: Vec<Vec<String>> = in_order(record).into_iter().map(row).collect();
        wrapped(&columns, &rows, self.width(), |_, cell| cell.to_owned()).iter().for_each(|line| self.line(line));
    }

    /// The table; on one screen a sentence tells the time on the link.
    fn bandwidth_table(&mut self, record: &BandwidthRecord, rows: &[&BandwidthRow], with_link: bool) {
        let column = |head, rank, left| Column { head, rank, left };
        let [sender, sync, link, day, month, cost, of_full, wrong] = HEADS;
        let columns = [
            column(sender, 0, true),
            column(sync, 1, false),
            column(link, 4, false),
            column(day, 3, false),
            column(month, 0, false),
            column(cost, 0, false),
            column(of_full, 2, false),
            column(wrong, 0, false),
        ];
        let rows: Vec<[String; 8]> = rows.iter().map(|row| cells(row)).chain([of_bound(record)]).collect();
        let mut rows: Vec<Vec<String>> = rows.into_iter().map(Vec::from).collect();
        let mut columns = columns.to_vec();
        if !with_link {
            columns.remove(LINK);
            rows.iter_mut().for_each(|row| drop(row.remove(LINK)));
        }
        let of_wrong = columns.len() - 1;
        let style = |place: usize, cell: &str| {
            let is_wrong = place == of_wrong && cell.trim_start().starts_with(|c: char| ('1'..='9').contains(&c));
            if is_wrong { styled_as(Verdict::Falsified, cell) } else { cell.to_owned() }
        };
        lines(&columns, &rows, self.width(), style).iter().for_each(|line| self.line(line));
    }

    /// The command that makes the same report. The terminal wraps it, so that it can be pasted.
    fn repeat(&mut self, record: &BandwidthRecord) {
        match &record.again {
            Some(command) => self.line(&format!("  {command}")),
            None => self.line("  abench replay RECORD, or the scenario's file"),
        }
    }
}

/// A cell in the colour of a verdict.
fn styled_as(verdict: Verdict, cell: &str) -> String {
    styled(verdict).replace(&verdict.to_string(), cell)
}

/// A rule of scaling, and how far it is wrong.
pub fn rule_told(rule: &RuleError) -> String {
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
        share(rule.of_doubling_per_mille),
        hundredths(rule.times_hundredths),
        share(rule.in_all_per_mille)
    )
}

/// How numbers of the table are to be read.
pub const HOW_TO_READ: &str = "Sync: of one client, both ways. On link: how long these bytes keep its link busy, without latency. Day and month: of all clients; a month has 30 days. kB, MB and GB have 1000, 1000^2 and \
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

/// What was asked for: names and values.
pub fn asked(record: &BandwidthRecord) -> Vec<(String, String)> {
    let Link { latency_ms, lost_per_mille, .. } = record.link;
    let link = format!(
        "{}, {latency_ms} ms, {} lost",
        BitRate::bits_per_s(record.link.bits_per_s),
        share(lost_per_mille.into())
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
pub fn answer(record: &BandwidthRecord) -> Vec<String> {
    let Some((about, estimate)) = record.about().and_then(|about| Some((about, about.estimate?))) else {
        let why =
            record.about().and_then(|about| about.why_unknown(record)).unwrap_or("it was not measured".to_owned());
        return vec![format!("{}: no number is given: {why}.", record.about)];
    };
    let wrong = match about.verdict {
        Verdict::Holds => String::new(),
        _ => format!(", with {}", counted(about.wrong_records, "wrong record")),
    };
    let against = match record.whole_state().and_then(|whole| whole.estimate) {
        None => "the full state is unknown".to_owned(),
        Some(whole) => {
            let share = about.of_whole_state_per_mille.map_or("-".to_owned(), share);
            format!("full state {}: {share} of it", money_for(&whole))
        }
    };
    let own = format!("{}: {}{wrong}; {against}.", record.about, a_month(&estimate));
    let full = record.whole_state().and_then(|whole| whole.estimate).map(|whole| time(whole.link_ms_per_sync));
    let full = full.map_or(String::new(), |time| format!("; the full state for {time}"));
    let link = format!("A sync keeps a client's link busy for {}{full}.", time(estimate.link_ms_per_sync));
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
pub fn scaled(record: &BandwidthRecord) -> String {
    let BandwidthRecord { asked, run, tolerance_per_mille, .. } = record;
    if !record.scaled {
        return format!("Nothing was scaled: {} were run.", days(run));
    }
    let of_days = (run.measured_s < asked.measured_s).then(|| format!("{} of {}", days(run), days(asked)));
    let of_records = (run.records < asked.records).then(|| format!("{} of {} records", run.records, asked.records));
    let sizes: Vec<String> = of_days.into_iter().chain(of_records).collect();
    let known = record.rows.iter().filter(|row| row.estimate.is_some());
    let Some(most) = known.map(BandwidthRow::error_per_mille).max() else {
        return format!("{} were run, which no number could be scaled from.", sizes.join(" and "));
    };
    format!(
        "Scaled from {}: up to {} wrong ({} allowed).",
        sizes.join(" and "),
        share(most),
        share(*tolerance_per_mille)
    )
}

/// Why no number is given of some senders, if of any.
pub fn unknown(record: &BandwidthRecord) -> Option<String> {
    let told: Vec<String> =
        record.rows.iter().filter_map(|row| Some(format!("{}: {}.", row.label(), row.why_unknown(record)?))).collect();
    (!told.is_empty()).then(|| format!("Unknown: {} A larger --budget may tell.", told.join(" ")))
}

fn days(size: &SizeRecord) -> String {
    let tenths = size.measured_s * 10 / DAY_S;
    match tenths % 10 {
        0 => counted(tenths / 10, "day"),
        _ => format!("{}.{} days", tenths / 10, tenths % 10),
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
pub fn cells(row: &BandwidthRow) -> [String; 8] {
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
    let of_full = row.of_whole_state_per_mille.map_or("-".to_owned(), share);
    with_estimate(row.label(), &of, of_full, wrong)
}

/// The cells of the information bound.
pub fn of_bound(record: &BandwidthRecord) -> [String; 8] {
    let whole = record.whole_state().and_then(|whole| whole.estimate).map(|of| of.bytes_per_sync_tenths);
    let own = record.bound.bytes_per_sync_tenths;
    let of_full = whole.filter(|&whole| whole > 0).map(|whole| share((own * 1000 + whole / 2) / whole));
    with_estimate(BOUND.to_owned(), &record.bound, of_full.unwrap_or("-".to_owned()), "-".to_owned())
}

fn with_estimate(name: String, of: &Estimate, of_full: String, wrong: String) -> [String; 8] {
    [
        name,
        bytes(of.bytes_per_sync_tenths.div_ceil(10)),
        time(of.link_ms_per_sync),
        bytes(of.bytes_per_day),
        bytes(of.bytes_per_month),
        of.cost_per_month_millionths.map_or("-".to_owned(), money),
        of_full,
        wrong,
    ]
}

/// Bytes with a unit, to a tenth.
pub fn bytes(bytes: u64) -> String {
    let units = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")];
    match units.into_iter().find(|(worth, _)| bytes >= *worth) {
        None => format!("{bytes} B"),
        Some((worth, unit)) => {
            let tenths = (u128::from(bytes) * 10 + u128::from(worth) / 2) / u128::from(worth);
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
    }
}

/// Milliseconds, with a unit that fits.
pub fn time(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..120_000 => format!("{} s", tenths((ms + 50) / 100)),
        _ => format!("{} min", tenths((ms + 3000) / 6000)),
    }
}

/// Money, to a hundredth.
pub fn money(millionths: u64) -> String {
    let hundredths = (millionths + 5000) / 10_000;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn share(share: u64) -> String {
    format!("{} %", per_mille(share))
}

fn tenths(number: u64) -> String {
    format!("{}.{}", number / 10, number % 10)
}

fn hundredths(number: u64) -> String {
    format!("{}.{:02}", number / 100, number % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_money_are_told_in_decimal_units() {
        let told = [0, 999, 1000, 1949, 9_950_000, 71_440_000, 1_000_000_000, u64::MAX].map(bytes);
        assert_eq!(told, ["0 B", "999 B", "1.0 kB", "1.9 kB", "10.0 MB", "71.4 MB", "1.0 GB", "18446744.1 TB"]);
        assert_eq!([0, 999, 10_449, 119_000, 3_600_000].map(time), ["0 ms", "999 ms", "10.4 s", "119.0 s", "60.0 min"]);
        assert_eq!([0, 4999, 5000, 3_570_000, 28_796_000].map(money), ["0.00", "0.00", "0.01", "3.57", "28.80"]);
    }
}
