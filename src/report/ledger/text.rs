//! The ledger as text for people: one screen, and more where more is asked for.
//!
//! Knows: the ledger. Must not: judge.

use anstyle::{AnsiColor, Style};

use crate::domain::count::counted;
use crate::domain::verdict::exit;
use crate::report::columns::{Column, lines};
use crate::report::first_screen::SCREEN;
use crate::report::ledger::{ClaimEntry, ClaimTrial, ClaimVerdict, Decision, Ledger, LedgerCounterexample};
use crate::report::text::{Detail, Text, styled};

/// Lines that a replay command may take on the first screen.
const REPLAY: usize = 3;

/// The whole report, in lines of at most `width` columns where words allow it. Its last line is the verdict.
pub fn render(ledger: &Ledger, width: usize, detail: Detail) -> String {
    let mut text = Text::new(width);
    match detail {
        Detail::Verdict => {}
        Detail::Screen => text.ledger_screen(ledger),
        Detail::Checks | Detail::All => text.ledger_in_full(ledger, detail == Detail::All),
    }
    text.line(&verdict_line(ledger));
    text.finish()
}

/// The last line of every report.
fn verdict_line(ledger: &Ledger) -> String {
    let code = ledger.outcome().exit_code();
    let why = match code {
        exit::INTERRUPTED => ledger.stopped(),
        exit::INTERNAL => ", but worth nothing: the harness contradicts itself".to_owned(),
        exit::UNAVAILABLE => ", as far as it went: a backend was unavailable".to_owned(),
        _ => match ledger.unexpected().map(|claim| claim.id.as_str()).collect::<Vec<_>>().as_slice() {
            [] => format!(", as expected of {}", counted(ledger.claims.len(), "claim")),
            [one] => format!(", and not as expected: {one}"),
            [first, rest @ ..] => format!(", and not as expected: {first} and {} more", rest.len()),
        },
    };
    format!("verdict {}{why} (exit {code})", styled(ledger.verdict()))
}

/// A claim's verdict in its colour, in a column of so many columns.
fn coloured(verdict: ClaimVerdict, words: &str) -> String {
    let colour = match verdict {
        ClaimVerdict::Holds => AnsiColor::Green,
        ClaimVerdict::Falsified => AnsiColor::Red,
        _ => AnsiColor::Yellow,
    };
    let style = Style::new().fg_color(Some(colour.into())).bold();
    format!("{style}{words}{style:#}")
}

/// What decided about a claim, in a few words.
fn decided(trial: &ClaimTrial) -> String {
    let Some(decision) = trial.decisive().next() else { return String::new() };
    match (&decision.number, trial.verdict) {
        (Some(number), ClaimVerdict::Falsified) => format!("{}, not {}", number.shown, number.bound),
        (_, ClaimVerdict::Holds) => {
            // What a holds rests on says more than that nothing was found.
            let warrant = trial.decisions.iter().find_map(|decision| decision.warrant.as_ref());
            let numbers = trial.decisions.iter().find_map(|decision| decision.number.as_ref());
            let words = warrant.map(ToString::to_string).or(numbers.map(|number| number.shown.clone()));
            words.unwrap_or_else(|| decision.found.clone())
        }
        _ => decision.found.clone(),
    }
}

/// The claims that have a row: all, or of more than fit the worst.
fn rows_shown(ledger: &Ledger, room: usize) -> Vec<&ClaimEntry> {
    if ledger.claims.len() <= room {
        return ledger.claims.iter().collect();
    }
    let mut claims = ledger.worst_first();
    claims.truncate(room);
    claims
}

impl Text {
    fn ledger_screen(&mut self, ledger: &Ledger) {
        self.ledger_head(ledger);
        let last = |found: Option<(&ClaimEntry, &LedgerCounterexample)>| {
            let mut last = Text::new(self.width());
            found.into_iter().for_each(|(claim, found)| last.ledger_smallest(claim, found));
            last.ledger_took(ledger);
            last
        };
        // The verdict's line, and the line that says how many rows there are more.
        let room = |last: &Text| SCREEN.saturating_sub(self.lines() + last.lines() + 3).max(1);
        let smallest = ledger.smallest_counterexample();
        let with = last(smallest);
        let shown = rows_shown(ledger, room(&with));
        // A counterexample stands below the row of its claim, or not at all.
        let has_row = smallest.is_some_and(|(of, _)| shown.iter().any(|claim| claim.id == of.id));
        let last = if has_row { with } else { last(None) };
        let shown = if has_row { shown } else { rows_shown(ledger, room(&last)) };
        self.ledger_rows(ledger, &shown);
        self.out(&last.finish());
    }

    fn ledger_head(&mut self, ledger: &Ledger) {
        let Ledger { abench, claims, runs, claims_from, planted, .. } = ledger;
        let from = if claims_from == "shipped" { String::new() } else { format!(" of {claims_from}") };
        self.cut(&format!(
            "abench {abench}: {}{from} on trial, {}",
            counted(claims.len(), "claim"),
            counted(runs.len(), "run")
        ));
        let of = |verdict| claims.iter().filter(|claim| claim.trial.verdict == verdict).count();
        let weaker = |claim: &&ClaimEntry| {
            let holds = claim.weaker.as_ref().is_some_and(|weaker| weaker.trial.verdict == ClaimVerdict::Holds);
            claim.trial.verdict == ClaimVerdict::Falsified && holds
        };
        let weaker = claims.iter().filter(weaker).count();
        let holds = of(ClaimVerdict::Holds);
        let counts = [
            (holds, if holds == 1 { "holds" } else { "hold" }, String::new()),
            (of(ClaimVerdict::Falsified), "falsified", format!(" ({weaker} with a weaker claim that holds)")),
            (of(ClaimVerdict::Inconclusive), "inconclusive", String::new()),
            (of(ClaimVerdict::NoHardware), "no hardware here", String::new()),
            (of(ClaimVerdict::NotTried), "not tried", String::new()),
        ];
        let told = counts.iter().filter(|(count, ..)| *count > 0);
        let told: Vec<String> = told.map(|(count, words, more)| format!("{count} {words}{more}")).collect();
        self.paragraph("", 0, &told.join(", "));
        if !planted.is_empty() {
            self.paragraph("", 0, &format!("planted: {}; a claim that falls is what this is for", planted.join(", ")));
        }
        if let Some(reason) = &ledger.unavailable {
            self.cut(&format!("unavailable: {reason}"));
        }
        if ledger.interrupted {
            let left: Vec<&str> = ledger.not_tried().map(|claim| claim.id.as_str()).collect();
            let left = if left.is_empty() { "nothing that a claim needs".to_owned() } else { left.join(", ") };
            self.cut(&format!("interrupted: stopped by the user; not tried: {left}"));
        }
    }

    /// A row for each of these claims, and how many more there are.
    fn ledger_rows(&mut self, ledger: &Ledger, shown: &[&ClaimEntry]) {
        let column = |head, rank| Column { head, rank, left: true };
        let columns = [column("claim", 0), column("verdict", 0), column("weaker", 1), column("what decided", 0)];
        let is_expected = |claim: &ClaimEntry| claim.is_as_expected() || !claim.is_tried();
        let weaker = |claim: &ClaimEntry| {
            claim.weaker.as_ref().map_or("-".to_owned(), |weaker| weaker.trial.verdict.to_string())
        };
        let before = |claim: &ClaimEntry| if is_expected(claim) { "" } else { "unexpected: " };
        let row = |claim: &&ClaimEntry| {
            let what = format!("{}{}", before(claim), decided(&claim.trial));
            vec![claim.id.clone(), claim.trial.verdict.to_string(), weaker(claim), what]
        };
        let mut rows: Vec<Vec<String>> = shown.iter().map(row).collect();
        // The last column takes what the others leave.
        let widest = |place: usize, head: &str| {
            rows.iter().map(|row| row[place].chars().count()).chain([head.len()]).max().unwrap_or(0) + 2
        };
        let narrow = self.width() < 72;
        let others = widest(0, "claim") + widest(1, "verdict") + if narrow { 0 } else { widest(2, "weaker") };
        let left = self.width().saturating_sub(others + 2).max(8);
        for row in &mut rows {
            if row[3].chars().count() > left {
                let cut: String = row[3].chars().take(left - 1).collect();
                row[3] = format!("{}…", cut.trim_end());
            }
        }
        let verdicts: Vec<ClaimVerdict> = shown.iter().map(|claim| claim.trial.verdict).collect();
        let style = |place: usize, cell: &str| {
            let verdict = verdicts.iter().find(|verdict| place == 1 && verdict.to_string() == cell);
            verdict.map_or(cell.to_owned(), |&verdict| coloured(verdict, cell))
        };
        lines(&columns, &rows, self.width(), style).iter().for_each(|line| self.line(line));
        if ledger.claims.len() > shown.len() {
            let more = counted(ledger.claims.len() - shown.len(), "more claim");
            self.cut(&format!("  and {more}, none worse (-v shows all, with sources and weaker claims)"));
        }
    }

    /// A counterexample to a claim, and the command that shows it.
    fn ledger_smallest(&mut self, claim: &ClaimEntry, found: &LedgerCounterexample) {
        self.cut(&format!("smallest counterexample, of {}: {}", claim.id, found.sentence));
        let command = format!("  {}", found.command);
        if command.chars().count() <= REPLAY * self.width() {
            // A command that is pasted must not be broken by the report: the terminal wraps it.
            self.line(&command);
        } else {
            self.cut("  its replay command is long: -v prints it, and --record FILE keeps it");
        }
    }

    fn ledger_took(&mut self, ledger: &Ledger) {
        let micros = ledger.timing.total_us;
        let longest = ledger.timing.runs_us.iter().max_by_key(|(_, time)| *time);
        let longest = longest.map_or(String::new(), |(name, time)| format!("; longest: {name}, {}", seconds(*time)));
        self.cut(&format!("took {}{longest}", seconds(micros)));
    }

    fn ledger_in_full(&mut self, ledger: &Ledger, all: bool) {
        self.ledger_head(ledger);
        for claim in &ledger.claims {
            self.claim(claim, all);
        }
        if all {
            self.heading("runs");
            for run in &ledger.runs {
                let verdict = run.verdict.map_or("not to its end".to_owned(), |verdict| verdict.to_string());
                self.paragraph("  - ", 4, &format!("{}: {verdict}: {}", run.name, run.reason));
                self.line(&format!("    {}", run.command));
            }
        }
        self.heading("time");
        self.ledger_took(ledger);
        self.line("");
    }

    fn claim(&mut self, claim: &ClaimEntry, all: bool) {
        self.heading(&claim.id);
        let expected = match (claim.is_as_expected(), claim.trial.verdict == claim.expected) {
            _ if !claim.is_tried() => ", or not tried to its end".to_owned(),
            (true, _) => ", as expected".to_owned(),
            (false, false) => format!(", and {} is expected", claim.expected),
            (false, true) => ", as expected, and its weaker claim does not hold".to_owned(),
        };
        let verdict = claim.trial.verdict;
        self.line(&format!("  {}{expected}", coloured(verdict, &verdict.to_string())));
        self.paragraph("  claim    ", 11, &format!("\"{}\" ({})", claim.says, claim.source));
        self.paragraph("  refuted  ", 11, &format!("if {}", claim.refuted_if));
        self.claim_trial(&claim.trial, all);
        if let Some(weaker) = &claim.weaker {
            let verdict = weaker.trial.verdict;
            self.paragraph("  weaker   ", 11, &format!("{} ({verdict})", weaker.says));
            self.claim_trial(&weaker.trial, all);
        }
    }

    /// The decisions that gave the verdict, or all; and the smallest counterexample.
    fn claim_trial(&mut self, trial: &ClaimTrial, all: bool) {
        let is_shown = |decision: &&Decision| all || decision.verdict == trial.verdict;
        for decision in trial.decisions.iter().filter(is_shown) {
            self.decision(decision, all);
        }
        if let Some(found) = trial.counterexample() {
            let size = if found.size.is_empty() { String::new() } else { format!(" ({})", found.size) };
            self.paragraph("    counterexample: ", 6, &format!("{}{size}", found.sentence));
            self.line(&format!("      {}", found.command));
        }
    }

    fn decision(&mut self, decision: &Decision, all: bool) {
        let Decision { run, asked, verdict, found, evidence, warrant, .. } = decision;
        let of = if run.is_empty() { String::new() } else { format!("{run}: ") };
        let evidence: Vec<String> = evidence.iter().map(ToString::to_string).collect();
        let evidence = if evidence.is_empty() { String::new() } else { format!(" (evidence {})", evidence.join(", ")) };
        // What only an instrument tells is asked in the words that say why.
        // A number is told with its bound.
        let is_told = asked == found || decision.number.is_some() && warrant.is_none();
        let asked = if is_told { String::new() } else { format!("{asked}: ") };
        let verdict = if all { format!("{verdict}: ") } else { String::new() };
        self.paragraph("    - ", 6, &format!("{verdict}{of}{asked}{found}{evidence}"));
        if let Some(warrant) = warrant.as_ref().map(ToString::to_string)
            && decision.verdict == ClaimVerdict::Holds
            && warrant != *found
        {
            self.paragraph("", 6, &format!("warrant {warrant}"));
        }
    }
}

fn seconds(micros: u64) -> String {
    match micros {
        0..1_000_000 => format!("{} ms", micros.div_ceil(1000)),
        _ => format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000),
    }
}
