//! Whether registers show what the specification of their data type allows ([`crate::data`]). Counters and stocks are judged by
//! sums elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::seen::{Edited, Terms};
use crate::data::{self, Wrong, label, record};
use crate::domain::data::{DataType, View};
use crate::domain::history::{Fate, History};

/// What is wrong with a register at a replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfRegister {
    /// Which register.
    pub register: u32,
    /// What is wrong with it, part by part; never empty.
    pub wrong: Vec<Wrong>,
    /// Whether only edits explain it that the engine does not declare to keep.
    pub is_undeclared: bool,
}

/// The edits of registers that have a specification, by register.
pub struct Specified<'a> {
    history: &'a History,
    by_register: BTreeMap<u32, Vec<Edited<'a>>>,
}

impl<'a> Specified<'a> {
    /// Of a ledger. An edit without a sighting is not judged.
    pub fn of(history: &'a History) -> Self {
        let mut by_register: BTreeMap<u32, Vec<Edited<'a>>> = BTreeMap::new();
        let ledger = &history.ledger;
        for (&(device, number), sighting) in &ledger.sightings {
            let edit = ledger.by_device.get(device).and_then(|edits| edits.get(number as usize));
            if let Some(&edit) = edit {
                by_register.entry(edit.register).or_default().push(Edited { device, number, edit, sighting });
            }
        }
        Specified { history, by_register }
    }

    /// How many values of labels a replica does not show though nobody to whom they were shown wrote again. Where an engine
    /// shows one value, its policy covers that; where it shows all, the specification accuses it.
    pub fn lost_unseen(&self, views: &[View]) -> usize {
        let nothing = BTreeSet::new();
        let lost = |(&register, edits): (&u32, &Vec<Edited<'a>>)| match self.history.ledger.fields.of(register) {
            DataType::Label => {
                let shown = views.get(register as usize).and_then(View::values).unwrap_or(&nothing);
                label::lost_unseen(shown, edits)
            }
            DataType::Record => record::lost_unseen(views.get(register as usize).and_then(View::record), edits),
            DataType::Counter | DataType::Stock | DataType::Tags | DataType::Text => 0,
            DataType::Claim | DataType::Case => 0,
        };
        self.by_register.iter().map(lost).sum()
    }

    /// How many records, or parts of one, a replica does not show though nobody who deleted the record had seen all of that.
    pub fn lost_with_deletes(&self, views: &[View]) -> usize {
        let of_record = |(&register, edits): (&u32, &Vec<Edited<'a>>)| match self.history.ledger.fields.of(register) {
            DataType::Record => {
                record::lost_with_deletes(views.get(register as usize).and_then(View::record), edits, self.terms())
            }
            _ => 0,
        };
        self.by_register.iter().map(of_record).sum()
    }

    fn terms(&self) -> Terms {
        Terms { carries: self.history.carries, now: self.history.lasted, has_authority: self.history.has_authority }
    }

    /// Compares what a replica shows with the specifications.
    pub fn compared(&self, views: &[View]) -> Vec<OfRegister> {
        let fields = self.history.ledger.fields;
        let terms = self.terms();
        let registers = (0..fields.len()).filter(|&register| fields.of(register).means_what_is_shown());
        let of_register = |register: u32| {
            let edits = self.by_register.get(&register).map_or(&[][..], Vec::as_slice);
            let nothing = fields.start_of(register);
            let shown = views.get(register as usize).unwrap_or(&nothing);
            let wrong = |may_be_missing: fn(Fate) -> bool| data::wrong(shown, edits, terms, may_be_missing);
            let (strictly, leniently) =
                (wrong(Fate::is_unshared), wrong(|fate| fate.is_unshared() || fate.is_undeclared()));
            match (strictly.is_empty(), leniently.is_empty()) {
                (true, _) => None,
                (false, true) => Some(OfRegister { register, wrong: strictly, is_undeclared: true }),
                (false, false) => Some(OfRegister { register, wrong: leniently, is_undeclared: false }),
            }
        };
        registers.filter_map(of_register).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::{Element, Fields, Intent};
    use crate::domain::history::{Had, Ledger, NodeEnd, Sighting, UserEdit};
    use crate::domain::verdict::Verdict;
    use crate::oracle::offline::truth;

    /// One insert of element 2, and what a replica shows in the end.
    fn history(fate: Fate, shown: &[Element]) -> History {
        let edit = UserEdit { at: 0, register: 1, intent: Intent::Insert(2), fate };
        let sighting = Sighting {
            shown: View::Tags(BTreeSet::new()),
            had: Had::upto(&[0], [].into()),
            may_have: [0].into(),
            wall: 0,
        };
        let fields = Fields { tags: 1, elements: 4, ..Fields::counters(1, 5) };
        let ledger = Ledger { fields, by_device: vec![vec![edit]], sightings: [((0, 0), sighting)].into() };
        let views = vec![View::Counter(5), View::Tags(shown.iter().copied().collect())];
        let ends = vec![NodeEnd { name: "hub".to_owned(), registers: views }];
        History { ledger, ends, survives: "nothing", ..History::default() }
    }

    #[test]
    fn an_element_that_is_gone_is_wrong_and_one_that_the_engine_does_not_declare_to_keep_leaves_truth_inconclusive() {
        let said = |fate, shown: &[Element]| {
            let told = truth::judge(&history(fate, shown));
            (told.verdict, told.sentence)
        };
        assert_eq!(said(Fate::Binding, &[2]).0, Verdict::Holds);
        let (verdict, sentence) = said(Fate::Binding, &[]);
        assert_eq!(verdict, Verdict::Falsified);
        assert_eq!(sentence, "1 register is wrong; at hub register 1: element 2 is gone, and nobody removed it");
        assert_eq!(said(Fate::Unshared, &[]).0, Verdict::Holds);
        let undeclared = Fate::Undeclared { shown_by: 3 };
        let (verdict, sentence) = said(undeclared, &[]);
        assert_eq!(verdict, Verdict::Inconclusive);
        assert_eq!(
            sentence,
            "at hub register 1: element 2 is gone, and nobody removed it; more stores were lost than this engine declares \
             to survive: nothing"
        );
        assert_eq!(said(undeclared, &[3]).0, Verdict::Falsified, "no loss explains a strange element");
    }
}
