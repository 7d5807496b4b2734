//! Whether every counter is its start plus every increment in the ledger, every stock is what was supplied less what was
//! taken, and every other register is what the specification of its data type allows.
//!
//! An edit that no other replica ever showed may be missing once its store is lost, but it counts at most once: what a
//! register has too much or too little must be the sum of some of those edits. Where amounts are small, an edit that counts
//! twice can look like such a sum: worlds in which devices are lost need large amounts, of which none is a sum of others by
//! chance. A register may have too many of those edits to try all their sums. Then the judge tries one case: of each lost store the
//! oldest edits survived. If that explains the register, the register is right. If not, the judge cannot tell.
//!
//! An edit that others had shown is never excused. If its engine declares to survive what happened, a register without it is
//! wrong. If more stores were lost than the engine declares to survive, the edit is counted as lost, and nothing is proved:
//! neither that the engine is right nor that it is wrong.

use std::collections::BTreeMap;

use crate::domain::bandwidth::units::Duration;
use crate::domain::count::counted;
use crate::domain::data::{Overwrites, View};
use crate::domain::history::{Fate, History};
use crate::domain::verdict::Verdict;
use crate::oracle::offline::Judgement;
use crate::oracle::offline::missing::{Fit, Missing};
use crate::oracle::offline::specified::{OfRegister, Specified};

/// A register that is wrong at a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Which.
    pub register: u32,
    /// What it should be, without the edits that no engine can be asked to have.
    pub expected: i64,
    /// What it is.
    pub got: i64,
}

/// A register that lacks edits which its engine does not declare to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// The register.
    pub at: Wrong,
    /// How many of its edits the engine does not declare to keep.
    pub undeclared: u32,
    /// Whether all of those are missing. If not, it is at least one, and which cannot be told.
    pub all: bool,
    /// How many replicas had shown the edit of these that most had.
    pub shown_by: u32,
}

/// What the registers of a replica are to the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Those that are wrong.
    pub wrong: Vec<Wrong>,
    /// Those that are right but for edits which the engine does not declare to keep.
    pub lacking: Vec<Lacking>,
    /// How many may be wrong or not: too many edits may be missing.
    pub undecided: u32,
    /// Registers that do not show what their specification allows.
    pub specified: Vec<OfRegister>,
}

impl Compared {
    /// How many registers are wrong.
    fn wrong_registers(&self) -> usize {
        self.wrong.len() + self.beyond_specification().count()
    }

    fn beyond_specification(&self) -> impl Iterator<Item = &OfRegister> {
        self.specified.iter().filter(|at| !at.is_undeclared)
    }
}

/// Compares every replica with the ledger.
pub fn judge(history: &History) -> Judgement {
    let edits = history.ledger.len();
    let unshared = history.ledger.edits().filter(|edit| edit.fate.is_unshared()).count();
    let without = match unshared {
        0 => String::new(),
        _ if history.own_timers => {
            format!(", of which {unshared} may be missing: their users got no answer, or one that says nothing")
        }
        _ => format!(
            ", of which {unshared} may be missing: no other replica showed them before their store was lost, or a crash \
             came before their users saw them accepted"
        ),
    };
    let compared = compared(history);
    let most = compared.iter().map(Compared::wrong_registers).max().unwrap_or(0);
    let undecided = compared.iter().map(|at| at.undecided).max().unwrap_or(0);
    let come = if edits == 1 { "comes" } else { "come" };
    let all = format!("what {} {come} to{without}", counted(edits, "edit"));
    let are_wrong = if most == 1 { "1 register is wrong".to_owned() } else { format!("{most} registers are wrong") };
    let counter = first_of(history, &compared).map(|(name, Wrong { register, expected, got })| {
        format!("at {name} register {register} is {got} and should be {expected}")
    });
    let specified = first_specified(history, &compared, Compared::beyond_specification)
        .map(|(name, at)| format!("at {name} register {}: {}", at.register, at.wrong[0]));
    let first: Vec<String> = counter.into_iter().chain(specified).collect();
    if !first.is_empty() {
        return Judgement::of(false, format!("{are_wrong}; {}{without}", first.join("; ")));
    }
    let inconclusive = |sentence| Judgement { verdict: Verdict::Inconclusive, sentence };
    if let Some((name, at)) = first_specified(history, &compared, |at| at.specified.iter()) {
        let (register, why) = (at.register, at.wrong[0]);
        let declared = format!("more stores were lost than this engine declares to survive: {}", history.survives);
        return inconclusive(format!("at {name} register {register}: {why}; {declared}"));
    }
    let lacking = history.ends.iter().zip(&compared).max_by_key(|(_, at)| undeclared_of(&at.lacking));
    if let Some((end, at)) = lacking.filter(|(_, at)| !at.lacking.is_empty()) {
        return inconclusive(beyond(history, &end.name, &at.lacking));
    }
    if undecided > 0 {
        return inconclusive(format!(
            "it cannot be told whether every register is {all}; in {} those have too many sums",
            counted(undecided, "register")
        ));
    }
    Judgement::of(true, format!("every register is {all}{}", covered(history)))
}

/// What the engine's policies cover, and its users are not told; at the replica where that is most.
fn covered(history: &History) -> String {
    let specified = Specified::of(history);
    format!("{}{}", of_labels(history, &specified), of_deletes(history, &specified))
}

fn of_deletes(history: &History, specified: &Specified<'_>) -> String {
    let lost = history.ends.iter().map(|end| specified.lost_with_deletes(&end.registers)).max().unwrap_or(0);
    if lost == 0 {
        return String::new();
    }
    let horizon = history
        .carries
        .horizon
        .map(|horizon| format!(", and that it forgets a delete after {}", Duration::seconds(horizon / 1_000_000)));
    format!(
        "; {} of records {} lost though nobody who deleted the record, or created it anew, had seen all of it: this engine \
         declares that a record that is deleted and changed at the same time {}{}",
        counted(lost, "part"),
        if lost == 1 { "is" } else { "are" },
        history.carries.records.unwrap_or_default().told(),
        horizon.unwrap_or_default()
    )
}

fn of_labels(history: &History, specified: &Specified<'_>) -> String {
    let overwrites = history.carries.labels.unwrap_or_default();
    let lost = history.ends.iter().map(|end| specified.lost_unseen(&end.registers)).max().unwrap_or(0);
    if lost == 0 || overwrites == Overwrites::Multi {
        return String::new();
    }
    let (are, them) = if lost == 1 { ("is", "it") } else { ("are", "them") };
    format!(
        "; {} {are} not shown, and nobody who saw {them} overwrote {them}: this engine declares to show {}",
        counted(lost, "value"),
        overwrites.told()
    )
}

fn undeclared_of(lacking: &[Lacking]) -> u32 {
    lacking.iter().map(|at| at.undeclared).sum()
}

/// What was lost beyond what the engine declares, at the replica that lost most.
fn beyond(history: &History, name: &str, lacking: &[Lacking]) -> String {
    let edits = undeclared_of(lacking);
    let up_to = if lacking.iter().all(|at| at.all) { "" } else { "up to " };
    let shown_by = lacking.iter().map(|at| at.shown_by).max().unwrap_or(0);
    let Wrong { register, expected, got } = lacking[0].at;
    format!(
        "{up_to}{} of {} lost though up to {} had shown {}: at {name} register {register} is {got} and would be \
         {expected}; more stores were lost than this engine declares to survive: {}",
        edits,
        counted(history.ledger.len(), "edit"),
        counted(shown_by, "replica"),
        if edits == 1 { "it" } else { "them" },
        history.survives
    )
}

/// Replica by replica, the registers that are not what the ledger says.
pub fn compared(history: &History) -> Vec<Compared> {
    let ledger = &history.ledger;
    let (truth, mut unshared) = (ledger.truth(), Missing::of(ledger, Fate::is_unshared));
    // By register, what the edits come to that the engine does not declare to keep, how many they are, and by how many shown.
    let mut undeclared: BTreeMap<u32, (i64, u32, u32)> = BTreeMap::new();
    for edit in ledger.edits() {
        if let Fate::Undeclared { shown_by } = edit.fate {
            let (sum, edits, most) = undeclared.entry(edit.register).or_default();
            (*sum, *edits, *most) = (sum.wrapping_add(edit.amount()), *edits + 1, shown_by.max(*most));
        }
    }
    let mut any = Missing::of(ledger, |fate| fate.is_unshared() || fate.is_undeclared());
    let specified = Specified::of(history);
    let mut at = |registers: &[View]| {
        let mut compared = Compared { specified: specified.compared(registers), ..Compared::default() };
        let counters = registers.iter().filter_map(View::number);
        for (register, (got, &expected)) in (0..).zip(counters.zip(&truth)) {
            let (wrong, surplus) = (Wrong { register, expected, got }, got.wrapping_sub(expected));
            let fit = unshared.fits(register, surplus);
            if fit == Fit::Sum {
                continue;
            }
            if let Some(&(sum, edits, shown_by)) = undeclared.get(&register) {
                let without = surplus.wrapping_add(sum);
                if any.fits(register, without) != Fit::No {
                    let all = unshared.fits(register, without) == Fit::Sum;
                    compared.lacking.push(Lacking { at: wrong, undeclared: edits, all, shown_by });
                    continue;
                }
            }
            match fit {
                Fit::Unknown => compared.undecided += 1,
                _ => compared.wrong.push(wrong),
            }
        }
        compared
    };
    history.ends.iter().map(|end| at(&end.registers)).collect()
}

/// How many registers are wrong at the replica that has most of them.
pub fn wrong_registers(history: &History) -> u32 {
    compared(history).iter().map(Compared::wrong_registers).max().unwrap_or(0) as u32
}

/// The first wrong counter, and where.
pub fn first_wrong(history: &History) -> Option<(&str, Wrong)> {
    first_of(history, &compared(history))
}

/// The first of these registers, and where.
fn first_specified<'a, I: Iterator<Item = &'a OfRegister>>(
    history: &'a History,
    compared: &'a [Compared],
    of: impl Fn(&'a Compared) -> I,
) -> Option<(&'a str, &'a OfRegister)> {
    history.ends.iter().zip(compared).find_map(|(end, at)| Some((end.name.as_str(), of(at).next()?)))
}

fn first_of<'a>(history: &'a History, compared: &[Compared]) -> Option<(&'a str, Wrong)> {
    history.ends.iter().zip(compared).find_map(|(end, at)| Some((end.name.as_str(), *at.wrong.first()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Intent;
    use crate::domain::history::{Ledger, NodeEnd, UserEdit};

    /// Two edits, of 1 and of 10, and what became of them.
    fn history(got: i64, fate: Fate) -> History {
        let edit = |amount, fate| UserEdit { at: 0, register: 0, intent: Intent::Increase(amount), fate };
        let ledger = Ledger::of_counters(1, 5, vec![vec![edit(1, Fate::Binding), edit(10, fate)]]);
        History { ledger, ends: vec![NodeEnd::of_counters("hub", [got])], ..History::default() }
    }

    #[test]
    fn an_edit_that_nobody_else_showed_may_count_once_or_not_at_all_and_others_must() {
        let wrong = |got, fate| wrong_registers(&history(got, fate));
        assert_eq!([16, 6, 26].map(|got| wrong(got, Fate::Binding)), [0, 1, 1]);
        assert_eq!([16, 6, 26, 15].map(|got| wrong(got, Fate::Unshared)), [0, 0, 1, 1]);
    }

    #[test]
    fn an_edit_that_was_lost_beyond_what_the_engine_declares_is_counted_and_leaves_truth_inconclusive() {
        let said = |got| {
            let history = history(got, Fate::Undeclared { shown_by: 4 });
            let Judgement { verdict, sentence } = judge(&History { survives: "nothing", ..history });
            (verdict, sentence)
        };
        assert_eq!(said(16).0, Verdict::Holds, "it is there all the same");
        let (verdict, sentence) = said(6);
        assert_eq!(verdict, Verdict::Inconclusive);
        assert_eq!(
            sentence,
            "1 of 2 edits lost though up to 4 replicas had shown it: at hub register 0 is 6 and would be 16; more stores \
             were lost than this engine declares to survive: nothing"
        );
        // What no loss explains is wrong: it counts twice, or another is missing.
        assert_eq!([said(26).0, said(15).0], [Verdict::Falsified; 2]);
    }

    #[test]
    fn where_only_some_of_the_lost_edits_are_missing_no_exact_number_is_said() {
        let edit = |amount| UserEdit {
            at: 0,
            register: 0,
            intent: Intent::Increase(amount),
            fate: Fate::Undeclared { shown_by: 3 },
        };
        let ledger = Ledger::of_counters(1, 0, vec![vec![edit(1), edit(10), edit(100)]]);
        let ends = vec![NodeEnd::of_counters("a", [101])];
        let told = judge(&History { ledger, ends, survives: "nothing", ..History::default() });
        assert_eq!(told.verdict, Verdict::Inconclusive);
        assert!(told.sentence.starts_with("up to 3 of 3 edits lost though up to 3 replicas"), "{}", told.sentence);
    }

    /// Whether an edit that counts twice is found, among three that may be missing.
    fn is_found(kept: i64, lost: [i64; 3]) -> bool {
        let edit = |amount, fate| UserEdit { at: 0, register: 0, intent: Intent::Increase(amount), fate };
        let lost = lost.map(|amount| edit(amount, Fate::Unshared));
        let edits = [kept].map(|amount| edit(amount, Fate::Binding)).into_iter().chain(lost);
        let ledger = Ledger::of_counters(1, 5, vec![edits.collect()]);
        let ends = vec![NodeEnd::of_counters("hub", [5 + 2 * kept])];
        wrong_registers(&History { ledger, ends, ..History::default() }) == 1
    }

    #[test]
    fn what_counts_twice_hides_behind_small_edits_that_may_be_missing_and_not_behind_large_ones() {
        assert!(!is_found(3, [1, 2, -3]));
        assert!(is_found(610_772_345, [-98_234_101, 873_299_230, 455_000_017]));
    }

    /// What is said of a register of a device that lost so many edits, each of another amount, of which these are there.
    fn lost(edits: u32, there: impl Fn(u32) -> bool) -> Judgement {
        let amount = |edit: u32| (1 << 44) + (i64::from(edit) + 7).pow(6) % 999_999_937;
        let lost = (0..edits).map(|edit| UserEdit {
            at: 0,
            register: 0,
            intent: Intent::Increase(amount(edit)),
            fate: Fate::Unshared,
        });
        let got = (0..edits).filter(|&edit| there(edit)).map(amount).sum();
        let ledger = Ledger::of_counters(1, 0, vec![lost.collect()]);
        judge(&History { ledger, ends: vec![NodeEnd::of_counters("hub", [got])], ..History::default() })
    }

    #[test]
    fn a_register_with_many_edits_that_may_be_missing_is_decided_or_it_is_said_that_it_cannot_be() {
        let every_third = |edit: u32| edit.is_multiple_of(3);
        assert_eq!(lost(30, every_third).verdict, Verdict::Holds);
        assert_eq!(lost(91, |edit| edit < 40).verdict, Verdict::Holds, "what came first is there");
        let Judgement { verdict, sentence } = lost(91, every_third);
        assert_eq!(verdict, Verdict::Inconclusive);
        assert_eq!(
            sentence,
            "it cannot be told whether every register is what 91 edits come to, of which 91 may be missing: no other \
             replica showed them before their store was lost, or a crash came before their users saw them accepted; in 1 \
             register those have too many sums"
        );
    }
}
