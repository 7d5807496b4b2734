//! A record as text for people, beginning with the board's table for dashboards.
//!
//! Lines after the table are such that dashboards skip them: none begins with two whole numbers, and the words that
//! they take for a green light are in the table alone.

use std::collections::BTreeMap;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use textwrap::Options;

use crate::domain::case::Case;
use crate::domain::count::counted;
use crate::domain::evidence::Evidence;
use crate::domain::explorer::Audit;
use crate::domain::finding::{Finding, Quantity};
use crate::domain::hex::Hex64;
use crate::domain::judge::Judge;
use crate::domain::script;
use crate::domain::verdict::{Verdict, Warrant};
use crate::report::record::{
    Check, Counterexample, Coverage, DeviceRecord, Orders, PlantedRecord, Record, Sequence, TickRecord, TuplesRecord,
    WaveformRecord,
};
use crate::report::{board_table, first_screen};

/// Columns of text where the output is no terminal.
pub const DEFAULT_WIDTH: usize = 100;

/// Columns that no text is made narrower than.
const LEAST_WIDTH: usize = 40;

/// Whether a report begins with the board's table, of which there is at most one in an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// It does, if a device was on trial.
    Shown,
    /// It does not.
    Left,
}

/// How much a report tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// The verdict alone.
    Verdict,
    /// One screen.
    Screen,
    /// The checks and the counterexamples, too.
    Checks,
    /// Everything.
    All,
}

/// The report, in lines of at most `width` columns where words allow it; styled for a terminal. Its last line is the verdict.
pub fn render(record: &Record, width: usize, table: Table, detail: Detail) -> String {
    let mut text = Text::new(width);
    if detail == Detail::Verdict {
        text.verdict(record);
        return text.finish();
    }
    let sweep = record.bank_sweeps.first().filter(|_| table == Table::Shown);
    if let Some(sweep) = sweep
        && let Some(device) = record.devices.iter().find(|device| device.name == sweep.device)
    {
        text.out.push_str(&board_table::render(device, sweep, record.outcome().board()));
        text.blank();
    }
    if detail == Detail::Screen {
        text.first_screen(record);
        return text.finish();
    }
    text.head(record);
    text.counterexamples(record);
    text.planted(&record.planted);
    text.checks(&record.checks);
    if detail == Detail::All {
        text.evidence(record);
    }
    text.blank();
    text.verdict(record);
    text.finish()
}
/// A run in one line: its verdict, and its exit code with the reason where the verdict alone does not give it.
pub fn verdict_line(record: &Record) -> String {
    first_screen::verdict_line(record)
}

/// A verdict's word in its colour.
pub fn styled(verdict: Verdict) -> String {
    let colour = match verdict {
        Verdict::Holds => AnsiColor::Green,
        Verdict::Inconclusive => AnsiColor::Yellow,
        Verdict::Falsified => AnsiColor::Red,
    };
    let style = Style::new().fg_color(Some(colour.into())).bold();
    format!("{style}{verdict}{style:#}")
}

pub(super) struct Text {
    out: String,
    width: usize,
}

impl Text {
    /// Nothing yet, in lines of so many columns.
    pub(super) fn new(width: usize) -> Self {
        Text { out: String::new(), width: width.max(LEAST_WIDTH) }
    }

    /// All that was written.
    pub(super) fn finish(self) -> String {
        self.out
    }

    /// Columns of a line.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Lines that were written, as a terminal of this width shows them.
    pub(super) fn lines(&self) -> usize {
        self.out
            .lines()
            .map(|line| anstream::adapter::strip_str(line).to_string().chars().count())
            .map(|columns| columns.div_ceil(self.width).max(1))
            .sum()
    }

    /// Text in lines of its own.
    pub(super) fn out(&mut self, lines: &str) {
        self.out.push_str(lines);
    }

    /// One line, cut off where the terminal ends.
    pub(super) fn cut(&mut self, line: &str) {
        match line.char_indices().nth(self.width) {
            None => self.line(line),
            Some(_) => {
                let shown: String = line.chars().take(self.width - 1).collect();
                self.line(&format!("{}…", shown.trim_end()));
            }
        }
    }

    /// All that the record has besides the checks.
    fn evidence(&mut self, record: &Record) {
        self.controls(record);
        self.claims(record);
        self.ticks(&record.ticks);
        self.walks(&record.walks);
        if let Some(laws) = &record.laws {
            self.laws(laws);
        }
        if let Some(offline) = &record.offline {
            self.offline(offline);
        }
        if let Some(everywhere) = &record.everywhere {
            self.everywhere(everywhere);
        }
        if let Some(bandwidth) = &record.bandwidth {
            self.bandwidth(bandwidth);
        }
        if let Some(codecs) = &record.codecs {
            self.codecs(codecs);
        }
        self.unseen(record);
        self.devices(record);
    }

    fn blank(&mut self) {
        self.out.push('\n');
    }

    pub(super) fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    pub(super) fn heading(&mut self, heading: &str) {
        let bold = Style::new().bold();
        self.blank();
        for line in textwrap::wrap(heading, self.width) {
            self.line(&format!("{bold}{line}{bold:#}"));
        }
    }

    /// A label with two cells beside each other, or below each other where the window is too narrow for both.
    pub(super) fn pair(&mut self, label: &str, one: &str, other: &str) {
        /// Columns of a first cell: a delta with its value, and a gap.
        const CELL: usize = 34;
        const LABEL: usize = 10;
        if self.width >= 2 * CELL + LABEL {
            self.line(format!("  {label:<LABEL$} {one:<CELL$}{other}").trim_end());
            return;
        }
        self.line(format!("  {label:<LABEL$} {one}").trim_end());
        if !other.is_empty() {
            self.line(&format!("  {:<LABEL$} {other}", ""));
        }
    }

    /// A paragraph with every line but the first indented by `indent` columns, and the first one too if it is not
    /// given a beginning of its own.
    pub(super) fn paragraph(&mut self, beginning: &str, indent: usize, words: &str) {
        let rest = " ".repeat(indent);
        let first = if beginning.is_empty() { rest.as_str() } else { beginning };
        let options = Options::new(self.width)
            .initial_indent(first)
            .subsequent_indent(&rest)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .break_words(false);
        for line in textwrap::wrap(words, options) {
            self.line(line.trim_end());
        }
    }

    fn head(&mut self, record: &Record) {
        let name = record.asked.scenario.as_deref().map_or(String::new(), |name| format!(" {name}:"));
        let one_world =
            |check: &Check| check.judge == Judge::World && matches!(check.warrant, Some(Warrant::Worlds { drawn: 0 }));
        self.line(&format!("abench {}:{name} verdict {}", record.abench, styled(record.verdict)));
        if record.checks.iter().any(one_world) {
            self.paragraph("", 2, "in one world each: k = 1 is no sample");
        }
        self.paragraph("", 2, &record.reason);
        for cause in &record.causes {
            self.paragraph("", 2, &format!("cause ({}): {}", cause.device, cause.sentence));
        }
        if record.interrupted {
            self.paragraph("", 2, "stopped by the user: what is missing was not done");
        }
        if let Some(reason) = &record.unavailable {
            self.paragraph("", 2, &format!("a backend was unavailable: {reason}"));
        }
        match record.expectation.as_ref().filter(|_| !record.interrupted) {
            Some(expectation) if expectation.met => self.line("  expectations of the scenario: met"),
            Some(expectation) => {
                self.line("  expectations of the scenario: not met");
                expectation.unmet.iter().for_each(|unmet| self.paragraph("  - ", 4, unmet));
            }
            None => {}
        }
    }

    fn checks(&mut self, checks: &[Check]) {
        self.heading("checks");
        for check in checks {
            let padding = " ".repeat(14 - check.verdict.to_string().len());
            self.line(&format!("  {}{padding}{}", styled(check.verdict), check.name));
            self.paragraph("", 16, &format!("on {}: {}", on(&check.subjects), check.summary));
            if let Some(orders) = &check.orders {
                let explorers: Vec<String> =
                    orders.delivered.iter().map(|of| format!("{} ({})", of.explorer, of.orders)).collect();
                let oracles: Vec<String> = check.oracles.iter().map(|(o, verdict)| format!("{o} {verdict}")).collect();
                if orders.deliveries > 0 {
                    self.paragraph(
                        "",
                        16,
                        &format!("orders: {}; oracles: {}", explorers.join(", "), oracles.join(", ")),
                    );
                }
            }
            if let Some(orders) = check.orders.as_ref().filter(|orders| orders.deliveries > 0) {
                coverage(orders).iter().for_each(|sentence| self.paragraph("", 16, sentence));
            }
            if let Some(warrant) = &check.warrant {
                self.paragraph("", 16, &format!("warrant {warrant}"));
            }
        }
    }

    fn counterexamples(&mut self, record: &Record) {
        let mut shown: Vec<&str> = Vec::new();
        for (check, finding) in record.checks.iter().flat_map(|check| check.findings.iter().map(move |f| (check, f))) {
            // Checks that end in the same smallest case show it once.
            if !shown.contains(&finding.case.as_str()) {
                shown.push(&finding.case);
                self.finding(check, finding, record.has_doubtful_link(&finding.subject));
                let waveforms = record.waveforms.iter().filter(|waveform| waveform.case == finding.case);
                waveforms.for_each(|waveform| waveform_lines(waveform).iter().for_each(|l| self.paragraph("", 2, l)));
            }
        }
    }

    fn finding(&mut self, check: &Check, finding: &Finding, has_doubtful_link: bool) {
        let Finding { subject, evidence, quantity, expected, got, .. } = finding;
        self.heading("counterexample");
        if *quantity == Quantity::Judges {
            self.paragraph("", 2, &format!("{}: {} (evidence {evidence})", check.name, finding.during));
            return self.script(finding);
        }
        self.paragraph("", 2, &format!("{}: {} on {subject} (evidence {evidence})", check.name, finding.during));
        let decimal = |value: u64| match quantity {
            Quantity::Cycles => format!(" ({value})"),
            _ => String::new(),
        };
        self.line(&format!("  expected   {quantity} {expected}{}", decimal(expected.0)));
        self.line(&format!("  got        {quantity} {got}{}", decimal(got.0)));
        if *quantity != Quantity::Cycles {
            self.line(&format!("  difference {quantity} {}", Hex64(expected.0 ^ got.0)));
        }
        if !finding.reproducible {
            self.line("  the same execution did not give this answer again");
        } else if has_doubtful_link {
            self.line("  it came twice, over a link that is in doubt");
        }
        self.steps(finding);
        self.paragraph("", 2, &format!("smallest case found: {}", finding.size));
        self.line(&format!("  replay: abench replay {}", finding.case));
        let counterexamples = check.orders.iter().flat_map(|orders| &orders.counterexamples);
        counterexamples.filter(|other| other.case == finding.case).for_each(|other| self.sequences(other));
    }

    /// A world that is written down, and how it is replayed.
    fn script(&mut self, finding: &Finding) {
        self.steps(finding);
        self.paragraph("", 2, &format!("smallest script found: {}", finding.size));
        self.line(&format!("  replay: abench replay {}", finding.case));
    }

    /// The steps of a world, where the finding is of one.
    fn steps(&mut self, finding: &Finding) {
        /// Steps that are shown.
        const SHOWN: usize = 24;
        let case: Option<Case> = finding.case.parse().ok();
        if let Some(trial) = case.and_then(|case| script::world::written_down(&case.execution)) {
            trial.steps.iter().take(SHOWN).for_each(|step| self.paragraph("    ", 8, &script::text::line(step)));
            if trial.steps.len() > SHOWN {
                self.line(&format!("    and {}", counted(trial.steps.len() - SHOWN, "more step")));
            }
        }
    }

    /// Two sequences side by side, or one alone, as far as they help.
    fn sequences(&mut self, counterexample: &Counterexample) {
        /// Deliveries that are shown.
        const SHOWN: usize = 16;
        let Counterexample { right, wrong, differing_bytes, replays, schedule, .. } = counterexample;
        let mut row = |label: &str, cell: &dyn Fn(&Sequence) -> String| match right {
            Some(right) => self.pair(label, &cell(right), &cell(wrong)),
            None => self.pair(label, &cell(wrong), ""),
        };
        row("delivered", &|sequence| if sequence == wrong { "wrong".to_owned() } else { "right".to_owned() });
        for place in 0..wrong.deltas.len().min(SHOWN) {
            row(&format!("#{}", place + 1), &|sequence| {
                let delivered = sequence.deltas.get(place);
                delivered.map_or(String::new(), |(index, value)| format!("delta {index} {value}"))
            });
        }
        row("state", &|sequence| format!("{} after {}", sequence.state, sequence.after));
        if wrong.deltas.len() > SHOWN {
            self.line(&format!("  the first {SHOWN} of {} deliveries are shown", wrong.deltas.len()));
        }
        let bytes: Vec<String> = differing_bytes.iter().map(u32::to_string).collect();
        self.paragraph("", 2, &format!("differing bytes, of which 0 is the lowest: {}", bytes.join(", ")));
        if right.is_none() && wrong.deltas.len() > 1 {
            self.paragraph("", 2, "the same deltas by index and backwards go wrong too");
        }
        self.line(&format!("  found in {replays} replays; whole order: --orders replay:{schedule}"));
    }

    fn planted(&mut self, planted: &[PlantedRecord]) {
        if planted.is_empty() {
            return;
        }
        self.heading("planted faults");
        for PlantedRecord { device, fault, outcome, reason, .. } in planted {
            let place = if device.is_empty() { String::new() } else { format!(" in {device}") };
            self.paragraph(&format!("  {outcome:<16}"), 18, &format!("{fault}{place}: {reason}"));
        }
    }

    fn controls(&mut self, record: &Record) {
        if record.controls.is_empty() {
            return;
        }
        self.heading("controls: wrong answers that were planted for each judge before the run, and refused");
        let mut by_judge: Vec<(Judge, u64, u64)> = Vec::new();
        for control in &record.controls {
            match by_judge.iter_mut().find(|(judge, ..)| *judge == control.judge) {
                Some((_, refused, wrong)) => (*refused, *wrong) = (*refused + control.refused, *wrong + control.wrong),
                None => by_judge.push((control.judge, control.refused, control.wrong)),
            }
        }
        let told: Vec<String> =
            by_judge.iter().map(|(judge, refused, wrong)| format!("{judge} {refused} of {wrong}")).collect();
        self.paragraph("", 2, &told.join(", "));
    }

    fn claims(&mut self, record: &Record) {
        if record.claims.is_empty() {
            return;
        }
        self.heading("claims, and the checks that hold and tried them");
        for claim in &record.claims {
            let tried_by = if claim.tried_by.is_empty() { "none".to_owned() } else { claim.tried_by.join(", ") };
            let extent = claim.extent.as_ref().map(|extent| format!("; {extent}")).unwrap_or_default();
            self.paragraph("  - ", 4, &format!("{} ({}): {tried_by}{extent}", claim.class, claim.of));
        }
    }

    pub(super) fn ticks(&mut self, ticks: &[TickRecord]) {
        let Some(first) = ticks.first() else { return };
        self.heading(&format!("one sync tick in bytes (evidence {})", first.evidence));
        let mut row = |label: &str, value: &dyn Fn(&TickRecord) -> String| {
            let cells = ticks.iter().fold(String::new(), |mut cells, tick| {
                write!(cells, "{:>12}", value(tick)).expect("a string takes every text");
                cells
            });
            self.line(&format!("  {label:<30}{cells}"));
        };
        row("tick", &|tick| if tick.published { "published".to_owned() } else { "this SEED".to_owned() });
        row("contexts changed, of 256", &|tick| tick.changed.len().to_string());
        row("values alone, undecodable", &|tick| tick.value_bytes.to_string());
        row("+ addressing", &|tick| tick.addressing_bytes.to_string());
        row("+ framing", &|tick| tick.framing_bytes.to_string());
        row("+ ids", &|tick| tick.id_bytes.to_string());
        row("+ checksum", &|tick| tick.checksum_bytes.to_string());
        row("= message, decodable", &|tick| tick.message_bytes.to_string());
        row("information bound", &|tick| tenths(tick.bound_tenths));
        row("bound, lowest bits known", &|tick| tenths(tick.odd_bound_tenths));
        row("full state", &|tick| tick.full_state_bytes.to_string());
        row("message of full state", &|tick| {
            let per_mille = (tick.message_bytes * 2000 / tick.full_state_bytes).div_ceil(2);
            format!("{} %", tenths(per_mille))
        });
        if ticks.iter().any(|tick| tick.changed.is_empty()) {
            self.paragraph("", 2, "No context changes under this SEED: a tick of no bytes.");
        }
        let explained = "The bound grants that the receiver knows how many contexts changed. No message of fewer bytes, on \
                         average, can be decoded: the values alone are below it.";
        if ticks.iter().any(|tick| tick.value_bytes * 10 < tick.odd_bound_tenths) {
            self.paragraph("", 2, explained);
        }
    }

    fn unseen(&mut self, record: &Record) {
        let unseen = &record.unseen;
        if !unseen.by_bank_sweep.is_empty() {
            self.heading("what the bank sweep alone cannot see (evidence software: its equations over GF(2))");
            unseen.by_bank_sweep.iter().for_each(|sentence| self.paragraph("  - ", 4, sentence));
        }
        if !unseen.by_run.is_empty() {
            self.heading("what this run cannot see (evidence software: computed from what was run)");
            unseen.by_run.iter().for_each(|sentence| self.paragraph("  - ", 4, sentence));
        }
    }

    fn devices(&mut self, record: &Record) {
        if record.devices.is_empty() {
            return;
        }
        self.heading("devices");
        for device in &record.devices {
            let DeviceRecord { name, evidence, version, banks, link, link_events, opening } = device;
            self.paragraph("  - ", 4, &format!("{name}: evidence {evidence}, {}", identity(*version, *banks, link)));
            link_events.iter().for_each(|event| self.paragraph("    link: ", 6, event));
            opening.iter().for_each(|sentence| self.paragraph("    at opening: ", 6, sentence));
        }
    }
}

/// What a device says of itself, and how it is reached.
pub fn identity(version: u32, banks: u32, link: &str) -> String {
    match banks {
        0 => format!("no bench engine, and nothing tells its version, reached {link}"),
        _ => format!("version {version}, banks {banks}, reached {link}"),
    }
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

/// How much was tried: the orders, the tuples, and what the drawn ones look like.
pub(super) fn coverage(orders: &Orders) -> Vec<String> {
    let Coverage { tried, distinct, all, tuples, .. } = &orders.coverage;
    let again = if distinct == tried { String::new() } else { format!(", in {tried} tries") };
    let tuples = tuples.as_ref().map_or(String::new(), |TuplesRecord { strength, counted, all }| {
        format!("; {counted} of {all} ordered {strength}-tuples")
    });
    let all = shortened(all);
    let mut sentences = vec![format!("coverage, counted as delivered: {distinct} of {all} orders{again}{tuples}")];
    if let Some(audit) = &orders.audit {
        sentences.push(audit_sentence(audit));
    }
    sentences
}

/// A number as people read it: one of many digits by its first ones and its magnitude.
fn shortened(number: &str) -> String {
    /// Digits that are read at a glance, more or less.
    const READABLE: usize = 18;
    match number.len() {
        digits if digits > READABLE && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            // Half a unit of the second digit is rounded up, and 9.95 becomes 10.
            let (rounded, exponent) = match (number[..3].parse::<u32>().unwrap_or(0) + 5) / 10 {
                100 => (10, digits),
                rounded => (rounded, digits - 1),
            };
            format!("{}.{} × 10^{exponent}", rounded / 10, rounded % 10)
        }
        _ => number.to_owned(),
    }
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

pub(super) fn tenths(tenths: u64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// "scalar, simd (evidence software), model (evidence model)".
pub(super) fn on(subjects: &BTreeMap<String, Evidence>) -> String {
    let mut by_evidence: BTreeMap<Evidence, Vec<&str>> = BTreeMap::new();
    for (subject, evidence) in subjects {
        by_evidence.entry(*evidence).or_default().push(subject);
    }
    let groups: Vec<String> =
        by_evidence.iter().map(|(evidence, names)| format!("{} (evidence {evidence})", names.join(", "))).collect();
    groups.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(indices: &[u32], state: u64) -> Sequence {
        let deltas = indices.iter().map(|&index| (index, Hex64(0x0101_0101 << index))).collect();
        Sequence { deltas, after: indices.len() as u64, state: Hex64(state) }
    }

    #[test]
    fn a_number_of_many_digits_is_rounded_and_not_cut_off() {
        let zeros = |digits: &str, zeros: usize| digits.to_owned() + &"0".repeat(zeros);
        assert_eq!(shortened(&crate::domain::factorial::text(64)), "1.3 × 10^89");
        assert_eq!(shortened(&zeros("124", 20)), "1.2 × 10^22");
        assert_eq!(shortened(&zeros("125", 20)), "1.3 × 10^22");
        assert_eq!(shortened(&zeros("9949", 20)), "9.9 × 10^23");
        assert_eq!(shortened(&zeros("995", 20)), "1.0 × 10^23");
        assert_eq!(shortened("479001600"), "479001600");
        assert_eq!(shortened("65537!"), "65537!");
    }

    #[test]
    fn sequences_stand_side_by_side_with_their_states_and_the_bytes_that_differ() {
        let mut text = Text { out: String::new(), width: DEFAULT_WIDTH };
        let two = Counterexample {
            case: String::new(),
            schedule: "schedule1,count=64,seed=0x0000000000000007,length=64,order=covering:3:7".to_owned(),
            right: Some(sequence(&[2, 9, 17], 0x1234)),
            wrong: sequence(&[17, 2, 9], 0xFF_0000_0000_00CB),
            differing_bytes: vec![0, 1, 6],
            replays: 61,
            minimal: true,
        };
        let alone = Counterexample { right: None, wrong: sequence(&[3], 1), ..two.clone() };
        let indices: Vec<u32> = (0..20).rev().collect();
        let long = Counterexample { right: None, wrong: sequence(&indices, 1), ..two.clone() };
        for counterexample in [two, alone, long] {
            text.sequences(&counterexample);
            text.blank();
        }
        insta::assert_snapshot!(text.out);
    }
}
