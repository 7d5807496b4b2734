//! The report of a trial of claims: what became of each, the smallest counterexamples, and what was run.

use std::collections::BTreeSet;

use crate::domain::count::counted;
use crate::domain::evidence::Evidence;
use crate::domain::verdict::exit;
use crate::report::document::{Block, Cell, Column, Judgement, Report, Section, Table, Tone};
use crate::report::ledger::{ClaimEntry, ClaimTrial, ClaimVerdict, Decision, Ledger};

/// The report of a ledger.
pub fn report(ledger: &Ledger) -> Report {
    let sections = [
        Section::of("failed", "What did not come out as expected", failed(ledger)),
        Section::first("ledger", "Published claims", vec![Block::Table(claims(ledger))]),
        Section::first("weaker", "Claims that fail as written, and what holds", weaker(ledger)),
        Section::first("counterexamples", "Counterexamples", counterexamples(ledger)),
        Section::detail("numbers", "What each rule found", vec![Block::Table(decisions(ledger))]),
        Section::detail("runs", "What was run", vec![Block::Table(runs(ledger))]),
        Section::of("repeat", "How to repeat it", vec![Block::Command(command(ledger))]),
    ];
    let title = format!("{} published claims", ledger.claims.len());
    Report { title, warning: None, judgement: judgement(ledger), sections: sections.into_iter().flatten().collect() }
}

/// The judgement of a ledger.
pub fn judgement(ledger: &Ledger) -> Judgement {
    let outcome = ledger.outcome();
    let unexpected: Vec<&str> = ledger.unexpected().map(|claim| claim.id.as_str()).collect();
    let remark = match (outcome.exit_code(), &unexpected[..]) {
        (exit::INTERRUPTED, _) => ledger.stopped(),
        (exit::INTERNAL, _) => ", but worth nothing: the harness contradicts itself".to_owned(),
        (exit::UNAVAILABLE, _) => ", as far as it went: a backend was unavailable".to_owned(),
        (_, []) => format!(", as expected of {}", counted(ledger.claims.len(), "claim")),
        (_, [one]) => format!(", and not as expected: {one}"),
        (_, [first, rest @ ..]) => format!(", and not as expected: {first} and {} more", rest.len()),
    };
    let of = |verdict| ledger.claims.iter().filter(|claim| claim.trial.verdict == verdict).count();
    let counted = [
        (ClaimVerdict::Holds, "holding"),
        (ClaimVerdict::Falsified, "falsified as written"),
        (ClaimVerdict::Inconclusive, "undecided"),
        (ClaimVerdict::NoHardware, "in need of a board, which was not there"),
        (ClaimVerdict::NotTried, "not tried"),
    ];
    let counted = counted.map(|(verdict, words)| (of(verdict), words));
    let counted: Vec<String> =
        counted.iter().filter(|(number, _)| *number > 0).map(|(number, words)| format!("{number} {words}")).collect();
    let mut reasons = vec![format!("Claims: {}.", counted.join(", "))];
    if !unexpected.is_empty() && !ledger.interrupted {
        reasons.push(format!("Not as expected: {}.", unexpected.join(", ")));
    }
    reasons.extend(ledger.unavailable.iter().map(|reason| format!("A backend was unavailable: {reason}.")));
    reasons.extend(ledger.contradiction.iter().map(|reason| format!("The harness contradicts itself: {reason}.")));
    let mut facts = vec![("claims from".to_owned(), ledger.claims_from.clone())];
    if !ledger.planted.is_empty() {
        facts.push(("planted".to_owned(), ledger.planted.join(", ")));
    }
    facts.push(("runs".to_owned(), ledger.runs.len().to_string()));
    let (verdict, exit) = (ledger.verdict(), outcome.exit_code());
    Judgement { verdict, remark, exit, reasons, warrants: Vec::new(), facts }
}

/// The claims that surprise, and the smallest counterexample to one of them.
fn failed(ledger: &Ledger) -> Vec<Block> {
    let surprising = ledger.worst_first().into_iter().filter(|claim| claim.is_tried() && !claim.is_as_expected());
    let line = |claim: &ClaimEntry| match claim.trial.verdict == claim.expected {
        true => format!("{}: {}, as expected, but its weaker claim does not hold.", claim.id, claim.trial.verdict),
        false => {
            format!("{}: {}, but {} is expected: {}.", claim.id, claim.trial.verdict, claim.expected, why(&claim.trial))
        }
    };
    let lines: Vec<String> = surprising.map(line).collect();
    if lines.is_empty() {
        return Vec::new();
    }
    let found = ledger.smallest_counterexample().filter(|(claim, _)| !claim.is_as_expected());
    let counterexample = found.into_iter().flat_map(|(claim, found)| {
        let told = format!("Smallest counterexample, of {}: {}.", claim.id, found.sentence);
        [Block::Paragraph(told), Block::Command(found.command.clone())]
    });
    [Block::List(lines)].into_iter().chain(counterexample).collect()
}

/// A claim's verdict.
pub fn cell(verdict: ClaimVerdict) -> Cell {
    let tone = match verdict {
        ClaimVerdict::Holds => Tone::Good,
        ClaimVerdict::Falsified => Tone::Bad,
        ClaimVerdict::Inconclusive | ClaimVerdict::NotTried => Tone::Doubtful,
        ClaimVerdict::NoHardware => Tone::Plain,
    };
    Cell { text: verdict.to_string(), tone }
}

/// What a claim rests on where it holds, and what decided it where it does not; and how that was got.
fn why(trial: &ClaimTrial) -> String {
    let warrants = trial.decisive().filter_map(|decision| decision.warrant.as_ref()).map(ToString::to_string);
    let found = trial.decisive().map(|decision| decision.found.clone());
    let mut all: Vec<String> = if trial.verdict == ClaimVerdict::Holds { warrants.collect() } else { Vec::new() };
    if all.is_empty() {
        all = found.collect();
    }
    all.dedup();
    format!("{}{}", all.join("; "), evidence(trial.decisive()))
}

/// " (evidence software, model)", or nothing where nothing was found.
pub fn evidence<'a>(decisions: impl Iterator<Item = &'a Decision>) -> String {
    let all: BTreeSet<Evidence> = decisions.flat_map(|decision| decision.evidence.iter().copied()).collect();
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    if all.is_empty() { String::new() } else { format!(" (evidence {})", all.join(", ")) }
}

fn claims(ledger: &Ledger) -> Table {
    let columns = [
        Column::words("claim"),
        Column::words("verdict"),
        Column::words("in its own words"),
        Column::words("source"),
        Column::words("why"),
        Column::words("as expected"),
        Column::words("refuted if"),
    ];
    let row = |claim: &ClaimEntry| {
        let ClaimEntry { id, says, source, trial, refuted_if, .. } = claim;
        let expected = match (claim.is_as_expected(), trial.verdict == claim.expected) {
            _ if !claim.is_tried() => "not tried to its end".to_owned(),
            (true, _) => "yes".to_owned(),
            (false, false) => format!("no: {} is expected", claim.expected),
            (false, true) => "no: its weaker claim does not hold".to_owned(),
        };
        vec![
            Cell::text(id.as_str()),
            cell(trial.verdict),
            Cell::text(says.as_str()),
            Cell::text(source.as_str()),
            Cell::text(why(trial)),
            Cell::text(expected),
            Cell::text(refuted_if.as_str()),
        ]
    };
    Table::prose("Every claim as it was published, and what became of it", columns, ledger.claims.iter().map(row))
}

fn weaker(ledger: &Ledger) -> Vec<Block> {
    let of = |claim: &ClaimEntry| {
        let weaker = claim.weaker.as_ref()?;
        let verdict = weaker.trial.verdict;
        Some(format!("{}: {} ({verdict}: {})", claim.id, weaker.says, why(&weaker.trial)))
    };
    let all: Vec<String> = ledger.claims.iter().filter_map(of).collect();
    if all.is_empty() { Vec::new() } else { vec![Block::List(all)] }
}

fn counterexamples(ledger: &Ledger) -> Vec<Block> {
    let of = |claim: &ClaimEntry| {
        let found = claim.trial.counterexample()?;
        let size = if found.size.is_empty() { String::new() } else { format!(" ({})", found.size) };
        let sentence = format!("{}{size}.", found.sentence);
        Some([Block::Heading(claim.id.clone()), Block::Paragraph(sentence), Block::Command(found.command.clone())])
    };
    ledger.claims.iter().filter_map(of).flatten().collect()
}

fn decisions(ledger: &Ledger) -> Table {
    let columns = [
        Column::words("claim"),
        Column::words("verdict"),
        Column::words("run"),
        Column::words("asked"),
        Column::words("found"),
        Column::words("evidence"),
    ];
    let rows = ledger.claims.iter().flat_map(|claim| {
        let weaker = claim.weaker.iter().map(|weaker| (format!("{}, weaker", claim.id), &weaker.trial));
        let trials = std::iter::once((claim.id.clone(), &claim.trial)).chain(weaker);
        trials.flat_map(|(name, trial)| {
            trial.decisions.iter().map(move |decision| {
                let evidence: Vec<String> = decision.evidence.iter().map(ToString::to_string).collect();
                vec![
                    Cell::text(name.as_str()),
                    cell(decision.verdict),
                    Cell::text(decision.run.as_str()),
                    Cell::text(decision.asked.as_str()),
                    Cell::text(decision.found.as_str()),
                    Cell::text(evidence.join(", ")),
                ]
            })
        })
    });
    Table::prose("Each rule of each claim in each run", columns, rows)
}

fn runs(ledger: &Ledger) -> Table {
    let columns = [Column::words("run"), Column::words("verdict"), Column::words("why"), Column::words("command")];
    let row = |run: &crate::report::ledger::RunEntry| {
        let verdict = run.verdict.map_or(Cell::text("not run to its end"), Cell::verdict);
        vec![Cell::text(run.name.as_str()), verdict, Cell::text(run.reason.as_str()), Cell::text(run.command.as_str())]
    };
    Table::prose("Every run is made once, however many claims rest on it", columns, ledger.runs.iter().map(row))
}

fn command(ledger: &Ledger) -> String {
    let planted = ledger.planted.iter().map(|fault| format!(" --plant {fault}"));
    let from = match ledger.claims_from.as_str() {
        "shipped" => String::new(),
        file => format!(" --claims {}", crate::report::inert::quoted(file)),
    };
    format!("abench falsify{from}{}", planted.collect::<String>())
}
