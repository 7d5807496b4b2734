//! The first screen of a trial of claims: what became of each claim, and the smallest counterexample.

use crate::domain::count::counted;
use crate::domain::shown::took;
use crate::report::document::{Cell, Column, Detail, Judgement, Report, Table, ledger};
use crate::report::first_screen::{elsewhere, replay, room};
use crate::report::format::text::{Shown, Text, shortened};
use crate::report::ledger::{ClaimEntry, ClaimTrial, ClaimVerdict, Ledger, LedgerCounterexample};

/// Lines that a replay command may take on the first screen.
const REPLAY: usize = 3;

impl Shown for Ledger {
    fn report(&self, _: &str, _: Option<&str>) -> Report {
        ledger::report(self)
    }

    fn judgement(&self) -> Judgement {
        ledger::judgement(self)
    }

    fn screen(&self, text: &mut Text, detail: Detail) {
        head(text, self);
        let width = text.width();
        let last = |found: Option<(&ClaimEntry, &LedgerCounterexample)>| {
            let mut last = Text::new(width);
            found.into_iter().for_each(|(claim, found)| smallest(&mut last, claim, found, detail));
            time(&mut last, self);
            last
        };
        // The head of the table, and the line that says how many rows there are more.
        let room = |last: &Text| room(text, last, detail).saturating_sub(2).max(1);
        let found = self.smallest_counterexample();
        let with = last(found);
        let shown = rows_shown(self, room(&with));
        // A counterexample stands below the row of its claim, or not at all.
        let has_row = found.is_none_or(|(of, _)| shown.iter().any(|claim| claim.id == of.id));
        let last = if has_row { with } else { last(None) };
        let shown = if has_row { shown } else { rows_shown(self, room(&last)) };
        rows(text, self, &shown, detail);
        text.append(last);
    }
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

fn head(text: &mut Text, ledger: &Ledger) {
    let Ledger { abench, claims, runs, claims_from, planted, .. } = ledger;
    let from = if claims_from == "shipped" { String::new() } else { format!(" of {claims_from}") };
    let evidence = ledger::evidence(claims.iter().flat_map(|claim| &claim.trial.decisions));
    text.cut(&format!(
        "abench {abench}: {}{from} on trial, {}{evidence}",
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
    text.paragraph("", 0, &told.join(", "));
    if !planted.is_empty() {
        let are = if planted.len() == 1 { "A fault is" } else { "Faults are" };
        text.paragraph("", 0, &format!("{are} planted: claims are expected to fail ({}).", planted.join(", ")));
    }
    if let Some(reason) = &ledger.unavailable {
        text.cut(&format!("unavailable: {reason}"));
    }
    if ledger.interrupted {
        let left: Vec<&str> = ledger.not_tried().map(|claim| claim.id.as_str()).collect();
        let left = if left.is_empty() { "nothing that a claim needs".to_owned() } else { left.join(", ") };
        text.cut(&format!("interrupted: stopped by the user; not tried: {left}"));
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

/// A row for each of these claims, and how many more there are.
fn rows(text: &mut Text, ledger: &Ledger, shown: &[&ClaimEntry], detail: Detail) {
    let columns = [
        Column::words("claim"),
        Column::words("verdict"),
        Column::words("weaker").ranked(1),
        Column::words("what decided"),
    ];
    let is_expected = |claim: &ClaimEntry| claim.is_as_expected() || !claim.is_tried();
    let row = |claim: &&ClaimEntry| {
        let before = if is_expected(claim) { "" } else { "unexpected: " };
        vec![
            Cell::text(&claim.id),
            ledger::cell(claim.trial.verdict),
            Cell::number(claim.weaker.as_ref().map(|weaker| weaker.trial.verdict)),
            Cell::text(format!("{before}{}", decided(&claim.trial))),
        ]
    };
    let mut table = Table::numbers("", columns, shown.iter().map(row));
    // The last column takes what the others leave.
    let widest = |place: usize, head: &str| {
        let cells = table.rows.iter().map(|row| row[place].text.chars().count());
        cells.chain([head.len()]).max().unwrap_or(0) + 2
    };
    let is_narrow = text.width() < 72;
    let others = widest(0, "claim") + widest(1, "verdict") + if is_narrow { 0 } else { widest(2, "weaker") };
    let left = text.width().saturating_sub(others + 2).max(8);
    table.rows.iter_mut().for_each(|row| row[3].text = shortened(&row[3].text, left));
    text.fitted(&table);
    if ledger.claims.len() > shown.len() {
        let (more, place) =
            (counted(ledger.claims.len() - shown.len(), "more claim"), elsewhere(detail, Detail::Checks));
        text.cut(&format!("  and {more}, none worse ({place}, with sources and weaker claims)"));
    }
}

/// A counterexample to a claim, and the command that shows it.
fn smallest(text: &mut Text, claim: &ClaimEntry, found: &LedgerCounterexample, detail: Detail) {
    text.cut(&format!("smallest counterexample, of {}: {}", claim.id, found.sentence));
    replay(text, &found.command, REPLAY, detail);
}

fn time(text: &mut Text, ledger: &Ledger) {
    let longest = ledger.timing.runs_us.iter().max_by_key(|(_, time)| *time);
    let longest = longest.map_or(String::new(), |(name, time)| format!("; longest: {name}, {}", took(*time)));
    text.cut(&format!("took {}{longest}", took(ledger.timing.total_us)));
}
