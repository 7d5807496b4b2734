//! The report of mutants of the gateware: the score by part, and every mutant.

use crate::domain::verdict::{Verdict, exit};
use crate::report::document::{Block, Cell, Column, Judgement, Report, Section, Table, Tone};
use crate::report::rtl_mutation::{Mutant, Outcome, RtlMutation, Score};

/// The report of mutants of the gateware.
pub fn report(record: &RtlMutation) -> Report {
    let mut mutants: Vec<&Mutant> = record.mutants.iter().collect();
    mutants.sort_by_key(|mutant| mutant.outcome);
    let (killed, others): (Vec<&Mutant>, Vec<&Mutant>) =
        mutants.into_iter().partition(|mutant| mutant.outcome == Outcome::Killed);
    let table = |caption: &str, mutants: Vec<&Mutant>| {
        let block = Block::Table(mutants_of(caption, &mutants));
        if mutants.is_empty() { Vec::new() } else { vec![block] }
    };
    let sections = [
        Section::of("scores", "Mutation score by part", vec![Block::Table(scores(record))]),
        Section::of("missed", "Mutants that no check killed", table("Not killed, and why", others)),
        Section::detail("matrix", "Mutants that a check killed", table("Killed, and by which check", killed)),
        repeat(record),
    ];
    let title = "mutation of the gateware".to_owned();
    Report { title, warning: None, judgement: judgement(record), sections: sections.into_iter().flatten().collect() }
}

/// The judgement of mutants of the gateware.
pub fn judgement(record: &RtlMutation) -> Judgement {
    let survived = record.mutants.iter().filter(|mutant| mutant.outcome == Outcome::Survived).count();
    let verdict = match (record.mutants.is_empty(), survived) {
        (true, _) => Verdict::Inconclusive,
        (false, 0) => Verdict::Holds,
        (false, _) => Verdict::Falsified,
    };
    let reason = match (record.mutants.len(), survived) {
        (0, _) => "No mutant was planted.".to_owned(),
        (_, 0) => "A check kills or shows every mutant that is not equivalent.".to_owned(),
        (all, _) => format!("{survived} of {all} mutants survived every check."),
    };
    let exit = match verdict {
        Verdict::Holds => exit::HOLDS,
        Verdict::Falsified => exit::FALSIFIED,
        Verdict::Inconclusive => exit::INCONCLUSIVE,
    };
    let mut facts = Vec::new();
    if let Some(score) = record.score.get("all") {
        facts.push(("mutation score".to_owned(), share(score)));
    }
    facts.push(("evidence".to_owned(), "rtl-simulation".to_owned()));
    facts.push(("campaigns".to_owned(), record.campaigns.join("; ")));
    facts.push(("mutants made by".to_owned(), format!("yosys {}, seed {}", record.yosys, record.seed)));
    facts.push(("SHA-256 of the sources".to_owned(), record.rtl.clone()));
    Judgement { verdict, remark: String::new(), exit, reasons: vec![reason], warrants: Vec::new(), facts }
}

/// "260 of 275 (94.55 %)".
fn share(score: &Score) -> String {
    let percent = score.percent.map_or(String::new(), |percent| format!(" ({percent:.2} %)"));
    format!("{} of {}{percent}", score.killed, score.planted.saturating_sub(score.equivalent))
}

/// The mutation score of each part.
pub fn scores(record: &RtlMutation) -> Table {
    let columns = [("planted", 3), ("killed", 0), ("shown", 1), ("survived", 0), ("equivalent", 2), ("score", 0)]
        .map(|(head, rank)| Column::number(head).ranked(rank));
    let rows = record.score.iter().map(|(part, score)| {
        let Score { planted, killed, shown, survived, equivalent, percent } = *score;
        let tone = if survived > 0 { Tone::Bad } else { Tone::Plain };
        vec![
            Cell::text(part),
            Cell::text(planted),
            Cell::text(killed),
            Cell::text(shown),
            Cell::toned(survived, tone),
            Cell::text(equivalent),
            Cell::number(percent.map(|percent| format!("{percent:.2} %"))),
        ]
    });
    let caption = "Mutants of the gateware: killed, of the planted less the equivalent (evidence rtl-simulation)";
    Table::numbers(caption, [Column::words("part")].into_iter().chain(columns), rows)
}

fn mutants_of(caption: &str, mutants: &[&Mutant]) -> Table {
    let columns = ["mutant", "part", "outcome", "change", "by, or why"].map(Column::words);
    let rows = mutants.iter().map(|mutant| {
        let Mutant { number, part, change, outcome, by, proof, reason } = mutant;
        let tone = match outcome {
            Outcome::Killed => Tone::Good,
            Outcome::Survived => Tone::Bad,
            Outcome::Shown => Tone::Doubtful,
            Outcome::Equivalent => Tone::Plain,
        };
        let why = [by, proof, reason].into_iter().flatten().next();
        let name = Cell::text(format!("#{number}"));
        vec![name, Cell::text(part), Cell::toned(outcome, tone), Cell::text(change), Cell::number(why)]
    });
    Table::prose(caption, columns, rows)
}

fn repeat(record: &RtlMutation) -> Option<Section> {
    let told = format!("With yosys {} and the sources of this SHA-256, in a clone of abench:", record.yosys);
    Section::of("repeat", "How to repeat it", vec![Block::Paragraph(told), Block::Command("rtl/mutate".to_owned())])
}
