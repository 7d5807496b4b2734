//! The table of claims and verdicts, what the verdicts rest on, and the witnesses.

use std::collections::BTreeMap;

use crate::domain::law::{Extent, Law, LawTrial, Term, Witness};
use crate::domain::verdict::Verdict;
use crate::report::columns::{Column, wrapped};
use crate::report::record::{DeliveryRecord, LawsRecord};
use crate::report::text::{Text, styled};

impl Text {
    /// Everything about the laws.
    pub(super) fn laws(&mut self, laws: &LawsRecord) {
        self.table_of_laws(laws);
        self.delivery(&laws.delivery);
        for trial in laws.trials.iter().filter(|trial| trial.claimed && trial.verdict == Verdict::Falsified) {
            self.heading(&format!("claim falsified: {}{}", trial.name(), by(trial)));
            for (bits, width) in [("8 bits", &trial.at_8_bits), ("64 bits", &trial.at_64_bits)] {
                match &width.witness {
                    Some(witness) => self.witness(bits, witness),
                    None => self.paragraph("", 2, &format!("at {bits}: {}, no contradiction", extent(&width.extent))),
                }
            }
        }
        self.warrants(laws);
        self.unclaimed(laws);
    }

    fn table_of_laws(&mut self, laws: &LawsRecord) {
        self.heading(&format!("laws claimed, and their verdicts (evidence {})", laws.evidence));
        let column = |head, left| Column { head, rank: 0, left };
        let laws_of = Law::ALL.map(|law| column(law.name(), true));
        let columns: Vec<Column> = [column("algebra", true)].into_iter().chain(laws_of).collect();
        let rows = laws.delivery.iter().map(|algebra| {
            let of = |law| laws.trials.iter().find(|trial| trial.algebra == algebra.algebra && trial.law == law);
            let cells = Law::ALL.map(|law| of(law).map_or(String::new(), cell));
            [algebra.algebra.clone()].into_iter().chain(cells).collect()
        });
        let rows: Vec<Vec<String>> = rows.collect();
        let verdicts = [Verdict::Holds, Verdict::Inconclusive, Verdict::Falsified];
        let style = |place: usize, cell: &str| {
            let verdict = verdicts.iter().find(|verdict| place > 0 && verdict.to_string() == cell);
            verdict.map_or(cell.to_owned(), |&verdict| styled(verdict))
        };
        wrapped(&columns, &rows, self.width(), style).iter().for_each(|line| self.line(line));
        self.paragraph("", 2, "In brackets: tried, and not claimed. A verdict is that of 8 and of 64 bits together.");
    }

    fn delivery(&mut self, delivery: &[DeliveryRecord]) {
        self.heading("what that means for delivery, computed from the verdicts");
        type Row = (&'static str, fn(&DeliveryRecord) -> Verdict);
        let rows: [Row; 3] = [
            ("any order comes to the same (commutative, associative)", |algebra| algebra.any_order),
            ("a copy right after the first is harmless (associative, idempotent)", |algebra| algebra.repeated_at_once),
            ("a copy at any time is harmless (all three)", |algebra| algebra.repeated_at_any_time),
        ];
        for (what, verdict) in rows {
            self.paragraph("  - ", 4, &format!("{what}:"));
            for wanted in [Verdict::Holds, Verdict::Inconclusive, Verdict::Falsified] {
                let of = delivery.iter().filter(|algebra| verdict(algebra) == wanted);
                let names: Vec<&str> = of.map(|algebra| algebra.algebra.as_str()).collect();
                if !names.is_empty() {
                    self.paragraph("    ", 6, &format!("{wanted} of {}", names.join(", ")));
                }
            }
        }
    }

    fn witness(&mut self, bits: &str, witness: &Witness) {
        self.paragraph("", 2, &format!("at {bits}: {}", witness.size));
        // A side that is one of the operands has been shown.
        let sides = || witness.sides.iter().filter(|side| !witness.operands.contains(side));
        let terms = || witness.operands.iter().chain(sides());
        let width = |of: &dyn Fn(&Term) -> usize| terms().map(of).max().unwrap_or(0);
        let (forms, words) = (width(&|term| term.form.chars().count()), width(&|term| term.word.len()));
        for term in terms() {
            self.line(&format!("    {:<forms$} = {:<words$}  ({})", term.form, term.word, term.decimal));
        }
        self.paragraph("    ", 6, &witness.sentence);
    }

    /// What the claims that hold rest on, those with the same ground together.
    fn warrants(&mut self, laws: &LawsRecord) {
        let mut grounds: BTreeMap<(Law, String), Vec<String>> = BTreeMap::new();
        for trial in laws.trials.iter().filter(|trial| trial.claimed && trial.verdict == Verdict::Holds) {
            let ground = format!(
                "at 8 bits {}; at 64 bits {}",
                extent(&trial.at_8_bits.extent),
                extent(&trial.at_64_bits.extent)
            );
            grounds.entry((trial.law, ground)).or_default().push(format!("{}{}", trial.algebra, by(trial)));
        }
        if grounds.is_empty() {
            return;
        }
        self.heading("what the claims that hold rest on");
        for ((law, ground), algebras) in grounds {
            self.paragraph("  - ", 4, &format!("{law}: {}", algebras.join(", ")));
            self.paragraph("", 4, &ground);
        }
    }

    fn unclaimed(&mut self, laws: &LawsRecord) {
        let unclaimed: Vec<&LawTrial> = laws.trials.iter().filter(|trial| !trial.claimed).collect();
        if unclaimed.is_empty() {
            return;
        }
        self.heading("tried and not claimed");
        for trial in unclaimed {
            let said = match (&trial.at_64_bits.witness, &trial.at_8_bits.witness) {
                (Some(witness), _) => witness.sentence.clone(),
                (None, Some(witness)) => format!("at 8 bits, {}", witness.sentence),
                (None, None) => "no contradiction".to_owned(),
            };
            self.paragraph("  - ", 4, &format!("{}: {said}", trial.name()));
        }
    }
}

/// A verdict's word in the table.
fn cell(trial: &LawTrial) -> String {
    if trial.claimed { trial.verdict.to_string() } else { format!("({})", trial.verdict) }
}

/// " (0)", " (-a)": the identity or the inverse that was tried.
pub(super) fn by(trial: &LawTrial) -> String {
    match (&trial.by, trial.law) {
        (Some(by), Law::Inverse) => format!(" (of a: {by})"),
        (Some(by), _) => format!(" ({by})"),
        (None, _) => String::new(),
    }
}

/// What was tried, in words; the bound is the rule of three, on the distribution that the cases were drawn from.
pub(super) fn extent(extent: &Extent) -> String {
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
