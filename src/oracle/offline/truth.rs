//! Whether every register is its start plus every increment in the ledger.
//!
//! An edit that only a lost device had may be missing, but it counts at most once: what a register has too much or too
//! little must be the sum of some of those edits. Where amounts are small, an edit that counts twice can look like such a
//! sum: worlds in which devices are lost need large amounts, of which none is a sum of others by chance.

use std::collections::BTreeSet;

use crate::domain::count::counted;
use crate::domain::history::History;
use crate::oracle::offline::Judgement;

/// Compares every replica with the ledger.
pub fn judge(history: &History) -> Judgement {
    let wrong = wrong_registers(history);
    let edits = history.ledger.len();
    let excused = history.ledger.edits().filter(|edit| edit.excused).count();
    let without = match excused {
        0 => String::new(),
        _ => format!(
            ", of which {excused} may be missing: they were lost with their devices before any other had them, or a crash \
             came before their users saw them accepted"
        ),
    };
    match first_wrong(history) {
        None => {
            let come = if edits == 1 { "comes" } else { "come" };
            Judgement::of(true, format!("every register is what {} {come} to{without}", counted(edits, "edit")))
        }
        Some((name, register, expected, got)) => Judgement::of(
            false,
            format!(
                "{} wrong; at {name} register {register} is {got} and should be {expected}{without}",
                if wrong == 1 { "1 register is".to_owned() } else { format!("{wrong} registers are") }
            ),
        ),
    }
}

/// How many registers are wrong at the replica that has most of them.
pub fn wrong_registers(history: &History) -> u32 {
    let truth = history.ledger.truth();
    let wrong = history.ends.iter().map(|end| {
        let compared = end.registers.iter().zip(&truth).enumerate();
        compared.filter(|&(register, (got, expected))| !fits(history, register, *expected, *got)).count()
    });
    wrong.max().unwrap_or(0) as u32
}

/// The first wrong register: where, which, what it should be, what it is.
pub fn first_wrong(history: &History) -> Option<(&str, u32, i64, i64)> {
    let truth = history.ledger.truth();
    history.ends.iter().find_map(|end| {
        let mut compared = end.registers.iter().zip(&truth).enumerate();
        let wrong = compared.find(|&(register, (got, expected))| !fits(history, register, *expected, *got));
        wrong.map(|(register, (&got, &expected))| (end.name.as_str(), register as u32, expected, got))
    })
}

/// Sums of excused edits that are told apart, in one register.
const SUMS: usize = 1 << 16;

fn fits(history: &History, register: usize, expected: i64, got: i64) -> bool {
    if got == expected {
        return true;
    }
    let surplus = got.wrapping_sub(expected);
    let excused = history.ledger.edits().filter(|edit| edit.excused && edit.register as usize == register);
    let mut sums = BTreeSet::from([0i64]);
    for edit in excused {
        let more: Vec<i64> = sums.iter().map(|sum| sum.wrapping_add(edit.amount)).collect();
        sums.extend(more);
        if sums.len() > SUMS {
            return false;
        }
    }
    sums.contains(&surplus)
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
