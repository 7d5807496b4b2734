//! The laws of algebras: which are claimed, which hold, what that means for delivery, and the terms that contradict.

use crate::domain::law::{Extent, Law, LawTrial, Term, Witness};
use crate::domain::trial::LawsTrial;
use crate::domain::verdict::Verdict;
use crate::report::document::{Block, Cell, Column, Section, Table};
use crate::report::first_screen::Screen;
use crate::report::first_screen::screen::worst;
use crate::report::record::{DeliveryRecord, LawsRecord, Record};
use crate::report::view::View;

impl View for LawsTrial {
    fn screen(&self, record: &Record, screen: &mut Screen<'_>) {
        record.laws.iter().for_each(|laws| algebras(laws, screen));
    }

    fn rates(&self, record: &Record) -> Vec<String> {
        let trials = record.laws.iter().flat_map(|laws| &laws.trials);
        let widths = trials.flat_map(|trial| [&trial.at_8_bits.extent, &trial.at_64_bits.extent]);
        let cases = widths.map(|extent| match *extent {
            Extent::Exhaustive { cases, .. } => cases,
            Extent::Sampled { tries, chosen, .. } => tries + chosen,
            Extent::Nothing => 0,
        });
        let rate = record.timing.rate(cases.sum(), |name| name.starts_with("laws of "));
        rate.map(|rate| format!("{rate} cases of laws/s on one thread")).into_iter().collect()
    }

    fn sections(&self, record: &Record) -> Vec<Section> {
        section(record).into_iter().collect()
    }
}

fn algebras(laws: &LawsRecord, screen: &mut Screen<'_>) {
    let names: Vec<&str> = laws.delivery.iter().map(|of| of.algebra.as_str()).collect();
    let claims = |name: &str| -> Vec<Verdict> {
        let claimed = laws.trials.iter().filter(|trial| trial.claimed && trial.algebra == name);
        claimed.map(|trial| trial.verdict).collect()
    };
    let verdict = |name: &&str| claims(name).into_iter().max().unwrap_or(Verdict::Holds);
    let row = |name: &&str| {
        let claims = claims(name);
        let holds = claims.iter().filter(|verdict| **verdict == Verdict::Holds).count();
        let holds = Cell::text(format!("{holds} of {}", claims.len()));
        vec![Cell::text(name), Cell::verdict(verdict(name)), holds, Cell::text(rests_on(laws, name))]
    };
    let columns = [
        Column::words("algebra"),
        Column::words("verdict"),
        Column::number("claims hold"),
        Column::words("at 8 bits; at 64 bits").ranked(1),
    ];
    screen.text().fitted(&Table::numbers("", columns, worst(&names, verdict).into_iter().map(row)));
    screen.more(names.len(), "algebra");
}

/// What the laws that an algebra claims, and that hold, rest on at the least.
fn rests_on(laws: &LawsRecord, algebra: &str) -> String {
    let holds = |trial: &&LawTrial| trial.claimed && trial.verdict == Verdict::Holds && trial.algebra == algebra;
    let least = |of: fn(&LawTrial) -> &Extent| {
        let sampled = laws.trials.iter().filter(holds).filter_map(|trial| match of(trial) {
            Extent::Exhaustive { .. } => None,
            Extent::Sampled { tries, .. } => Some(*tries),
            Extent::Nothing => Some(0),
        });
        sampled.min().map_or("proved".to_owned(), |tries| format!("sampled, k = {tries}"))
    };
    match laws.trials.iter().any(|trial| holds(&trial)) {
        true => {
            let [narrow, wide] = [least(|trial| &trial.at_8_bits.extent), least(|trial| &trial.at_64_bits.extent)];
            format!("{narrow}; {wide}")
        }
        false => "-".to_owned(),
    }
}

/// The table of claims, and each claim that is falsified.
fn section(record: &Record) -> Option<Section> {
    let laws = record.laws.as_ref()?;
    let mut blocks = vec![Block::Table(table(laws)), Block::Table(delivery(laws)), Block::Table(grounds(laws))];
    blocks.insert(1, Block::Note("In brackets: tried, and not claimed. A verdict is of 8 and of 64 bits.".to_owned()));
    for trial in laws.trials.iter().filter(|trial| trial.claimed && trial.verdict == Verdict::Falsified) {
        blocks.push(Block::Heading(format!("Claim falsified: {}{}", trial.name(), by(trial))));
        let widths = [("8 bits", &trial.at_8_bits), ("64 bits", &trial.at_64_bits)];
        for (bits, width) in widths {
            let Some(witness) = &width.witness else {
                blocks.push(Block::Paragraph(format!("At {bits}: {}, no contradiction.", extent(&width.extent))));
                continue;
            };
            blocks.push(steps(bits, witness));
            blocks.push(Block::Paragraph(witness.sentence.clone()));
        }
    }
    let unclaimed: Vec<String> = laws.trials.iter().filter(|trial| !trial.claimed).map(unclaimed).collect();
    if !unclaimed.is_empty() {
        blocks.push(Block::Heading("Tried and not claimed".to_owned()));
        blocks.push(Block::List(unclaimed));
    }
    Section::of("laws", "Laws of algebras", blocks)
}

/// A law that nobody claims, and what contradicts it.
fn unclaimed(trial: &LawTrial) -> String {
    let told = match (&trial.at_64_bits.witness, &trial.at_8_bits.witness) {
        (Some(witness), _) => witness.sentence.clone(),
        (None, Some(witness)) => format!("at 8 bits, {}", witness.sentence),
        (None, None) => "no contradiction".to_owned(),
    };
    format!("{}: {told}", trial.name())
}

fn table(laws: &LawsRecord) -> Table {
    let columns = [Column::words("algebra")].into_iter().chain(Law::ALL.map(|law| Column::words(law.to_string())));
    let rows = laws.delivery.iter().map(|algebra| {
        let cells = Law::ALL.map(|law| {
            let trial = laws.trials.iter().find(|trial| trial.algebra == algebra.algebra && trial.law == law);
            match trial {
                Some(trial) if trial.claimed => Cell::verdict(trial.verdict),
                Some(trial) => Cell::text(format!("({})", trial.verdict)),
                None => Cell::text("-"),
            }
        });
        [Cell::text(&algebra.algebra)].into_iter().chain(cells).collect()
    });
    Table::numbers(format!("Laws claimed, and their verdicts (evidence {})", laws.evidence), columns, rows)
}

fn delivery(laws: &LawsRecord) -> Table {
    let columns =
        ["algebra", "any order comes to the same", "a copy right after is harmless", "a copy at any time is harmless"]
            .map(Column::words);
    let rows = laws.delivery.iter().map(|of| {
        let DeliveryRecord { algebra, any_order, repeated_at_once, repeated_at_any_time } = of;
        // What an algebra does not bear is no fault of it.
        let verdicts = [any_order, repeated_at_once, repeated_at_any_time].map(Cell::text);
        [Cell::text(algebra)].into_iter().chain(verdicts).collect()
    });
    Table::numbers("What that means for delivery, computed from the verdicts", columns, rows)
}

/// What each claim rests on.
fn grounds(laws: &LawsRecord) -> Table {
    let columns = ["claim", "verdict", "at 8 bits", "at 64 bits"].map(Column::words);
    let row = |trial: &LawTrial| {
        let widths = [&trial.at_8_bits, &trial.at_64_bits].map(|width| Cell::text(extent(&width.extent)));
        let name = format!("{}{}", trial.name(), by(trial));
        [Cell::text(name), Cell::verdict(trial.verdict)].into_iter().chain(widths).collect()
    };
    let claimed = laws.trials.iter().filter(|trial| trial.claimed);
    Table::prose("What the claims rest on", columns, claimed.map(row))
}

fn steps(bits: &str, witness: &Witness) -> Block {
    // A side that is one of the operands has been shown.
    let sides = witness.sides.iter().filter(|side| !witness.operands.contains(side));
    let terms: Vec<&Term> = witness.operands.iter().chain(sides).collect();
    let widest = |of: fn(&Term) -> &str| terms.iter().map(|term| of(term).chars().count()).max().unwrap_or(0);
    let (forms, words) = (widest(|term| &term.form), widest(|term| &term.word));
    let line = |term: &&Term| format!("{:<forms$} = {:<words$}  ({})", term.form, term.word, term.decimal);
    Block::Steps { caption: format!("At {bits}: {}", witness.size), lines: terms.iter().map(line).collect() }
}

/// " (0)", " (-a)": the identity or the inverse that was tried.
fn by(trial: &LawTrial) -> String {
    match (&trial.by, trial.law) {
        (Some(by), Law::Inverse) => format!(" (of a: {by})"),
        (Some(by), _) => format!(" ({by})"),
        (None, _) => String::new(),
    }
}

/// What was tried, in words; the bound is the rule of three, on the distribution that the cases were drawn from.
fn extent(extent: &Extent) -> String {
    match *extent {
        Extent::Exhaustive { cases, .. } => format!("proved: all {cases} cases"),
        Extent::Sampled { tries, chosen, .. } => {
            let bound = match tries {
                0..=3 => "too few to bound the share of cases that contradict".to_owned(),
                _ => format!("p < 3/{tries} = {:.1e} at 95 %", 3.0 / tries as f64),
            };
            format!("sampled: k = {tries}, {bound}, and {chosen} chosen cases")
        }
        Extent::Nothing => "not tried".to_owned(),
    }
}
