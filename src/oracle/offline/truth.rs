//! Whether every register is its start plus every increment in the ledger.
//!
//! An edit that only a lost device had may be missing, but it counts at most once: what a register has too much or too
//! little must be the sum of some of those edits. Where amounts are small, an edit that counts twice can look like such a
//! sum: worlds in which devices are lost need large amounts, of which none is a sum of others by chance. Where a register
//! has so many of those edits that their sums cannot all be made, it is right if what is there of each lost store is what
//! came first; if that does not make its difference, nothing can be told.

use crate::domain::count::counted;
use crate::domain::history::History;
use crate::domain::verdict::Verdict;
use crate::oracle::offline::Judgement;
use crate::oracle::offline::missing::{Fit, Missing};

/// A register that is wrong at a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Which.
    pub register: u32,
    /// What it should be, without the edits that may be lost.
    pub expected: i64,
    /// What it is.
    pub got: i64,
}

/// What the registers of a replica are to the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Those that are wrong.
    pub wrong: Vec<Wrong>,
    /// How many may be wrong or not: too many edits may be missing.
    pub undecided: u32,
}

/// Compares every replica with the ledger.
pub fn judge(history: &History) -> Judgement {
    let edits = history.ledger.len();
    let excused = history.ledger.edits().filter(|edit| edit.excused).count();
    let without = match excused {
        0 => String::new(),
        _ => format!(
            ", of which {excused} may be missing: the only stores that had them were lost, or a crash came before their \
             users saw them accepted"
        ),
    };
    let compared = compared(history);
    let most = compared.iter().map(|at| at.wrong.len()).max().unwrap_or(0);
    let undecided = compared.iter().map(|at| at.undecided).max().unwrap_or(0);
    let come = if edits == 1 { "comes" } else { "come" };
    let all = format!("what {} {come} to{without}", counted(edits, "edit"));
    match first_of(history, &compared) {
        None if undecided > 0 => Judgement {
            verdict: Verdict::Inconclusive,
            sentence: format!(
                "it cannot be told whether every register is {all}; in {} those have too many sums",
                counted(undecided, "register")
            ),
        },
        None => Judgement::of(true, format!("every register is {all}")),
        Some((name, Wrong { register, expected, got })) => Judgement::of(
            false,
            format!(
                "{} wrong; at {name} register {register} is {got} and should be {expected}{without}",
                if most == 1 { "1 register is".to_owned() } else { format!("{most} registers are") }
            ),
        ),
    }
}

/// Replica by replica, the registers that are wrong there.
pub fn compared(history: &History) -> Vec<Compared> {
    let (truth, mut missing) = (history.ledger.truth(), Missing::of(&history.ledger));
    let mut at = |registers: &[i64]| {
        let mut compared = Compared::default();
        for (register, (&got, &expected)) in (0..).zip(registers.iter().zip(&truth)) {
            match missing.fits(register, got.wrapping_sub(expected)) {
                Fit::Sum => {}
                Fit::No => compared.wrong.push(Wrong { register, expected, got }),
                Fit::Unknown => compared.undecided += 1,
            }
        }
        compared
    };
    history.ends.iter().map(|end| at(&end.registers)).collect()
}

/// How many registers are wrong at the replica that has most of them.
pub fn wrong_registers(history: &History) -> u32 {
    compared(history).iter().map(|at| at.wrong.len()).max().unwrap_or(0) as u32
}

/// The first wrong register, and where.
pub fn first_wrong(history: &History) -> Option<(&str, Wrong)> {
    first_of(history, &compared(history))
}

fn first_of<'a>(history: &'a History, compared: &[Compared]) -> Option<(&'a str, Wrong)> {
    history.ends.iter().zip(compared).find_map(|(end, at)| Some((end.name.as_str(), *at.wrong.first()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::history::{Ledger, NodeEnd, UserEdit};

    fn history(got: i64, excused: bool) -> History {
        let edit = |amount, excused| UserEdit { at: 0, register: 0, amount, excused };
        let ledger = Ledger { start: 5, registers: 1, by_device: vec![vec![edit(1, false), edit(10, excused)]] };
        History { ledger, ends: vec![NodeEnd { name: "hub".to_owned(), registers: vec![got] }], ..History::default() }
    }

    #[test]
    fn an_excused_edit_may_count_once_or_not_at_all_and_others_must() {
        let wrong = |got, excused| wrong_registers(&history(got, excused));
        assert_eq!([wrong(16, false), wrong(6, false), wrong(26, false)], [0, 1, 1]);
        assert_eq!([wrong(16, true), wrong(6, true), wrong(26, true), wrong(15, true)], [0, 0, 1, 1]);
    }

    /// Whether an edit that counts twice is found, among three that may be missing.
    fn is_found(kept: i64, lost: [i64; 3]) -> bool {
        let edit = |amount, excused| UserEdit { at: 0, register: 0, amount, excused };
        let edits = [kept].map(|amount| edit(amount, false)).into_iter().chain(lost.map(|amount| edit(amount, true)));
        let ledger = Ledger { start: 5, registers: 1, by_device: vec![edits.collect()] };
        let ends = vec![NodeEnd { name: "hub".to_owned(), registers: vec![5 + 2 * kept] }];
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
        let lost = (0..edits).map(|edit| UserEdit { at: 0, register: 0, amount: amount(edit), excused: true });
        let got = (0..edits).filter(|&edit| there(edit)).map(amount).sum();
        let ledger = Ledger { start: 0, registers: 1, by_device: vec![lost.collect()] };
        judge(&History {
            ledger,
            ends: vec![NodeEnd { name: "hub".to_owned(), registers: vec![got] }],
            ..History::default()
        })
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
            "it cannot be told whether every register is what 91 edits come to, of which 91 may be missing: the only stores \
             that had them were lost, or a crash came before their users saw them accepted; in 1 register those have too \
             many sums"
        );
    }
}
