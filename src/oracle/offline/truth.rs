//! Whether every register is its start plus every increment in the ledger.
//!
//! An edit that only a lost device had may be missing, but it counts at most once: what a register has too much or too
//! little must be the sum of some of those edits. Where amounts are small, an edit that counts twice can look like such a
//! sum: worlds in which devices are lost need large amounts, of which none is a sum of others by chance.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::count::counted;
use crate::domain::history::History;
use crate::oracle::offline::Judgement;

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

/// Compares every replica with the ledger.
pub fn judge(history: &History) -> Judgement {
    let edits = history.ledger.len();
    let excused = history.ledger.edits().filter(|edit| edit.excused).count();
    let without = match excused {
        0 => String::new(),
        _ => format!(
            ", of which {excused} may be missing: their devices lost them before everything there was acknowledged, or a \
             crash came before their users saw them accepted"
        ),
    };
    let wrong = wrong(history);
    let most = wrong.iter().map(Vec::len).max().unwrap_or(0);
    match first_of(history, &wrong) {
        None => {
            let come = if edits == 1 { "comes" } else { "come" };
            Judgement::of(true, format!("every register is what {} {come} to{without}", counted(edits, "edit")))
        }
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
pub fn wrong(history: &History) -> Vec<Vec<Wrong>> {
    let truth = history.ledger.truth();
    let mut excused: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    for edit in history.ledger.edits().filter(|edit| edit.excused) {
        excused.entry(edit.register).or_default().push(edit.amount);
    }
    let at = |registers: &[i64]| {
        let compared = (0..).zip(registers.iter().zip(&truth)).filter(|(_, (got, expected))| got != expected);
        let compared = compared.map(|(register, (&got, &expected))| Wrong { register, expected, got });
        let fits = |wrong: &Wrong| excused.get(&wrong.register).is_some_and(|excused| fits(excused, wrong));
        compared.filter(|wrong| !fits(wrong)).collect()
    };
    history.ends.iter().map(|end| at(&end.registers)).collect()
}

/// How many registers are wrong at the replica that has most of them.
pub fn wrong_registers(history: &History) -> u32 {
    wrong(history).iter().map(Vec::len).max().unwrap_or(0) as u32
}

/// The first wrong register, and where.
pub fn first_wrong(history: &History) -> Option<(&str, Wrong)> {
    first_of(history, &wrong(history))
}

fn first_of<'a>(history: &'a History, wrong: &[Vec<Wrong>]) -> Option<(&'a str, Wrong)> {
    history.ends.iter().zip(wrong).find_map(|(end, wrong)| Some((end.name.as_str(), *wrong.first()?)))
}

/// Sums of excused edits that are told apart, in one register.
const SUMS: usize = 1 << 16;

/// Whether some of these edits explain it.
fn fits(excused: &[i64], wrong: &Wrong) -> bool {
    let mut sums = BTreeSet::from([0i64]);
    for amount in excused {
        let more: Vec<i64> = sums.iter().map(|sum| sum.wrapping_add(*amount)).collect();
        sums.extend(more);
        if sums.len() > SUMS {
            return false;
        }
    }
    sums.contains(&wrong.got.wrapping_sub(wrong.expected))
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
}
