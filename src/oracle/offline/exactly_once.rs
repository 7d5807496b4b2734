//! Whether every edit counts once: how many are lost, and how many count twice, where truth tells how many registers are
//! wrong.
//!
//! Small amounts hide that: an edit that counts twice and one that is lost can cancel. So a world is run once more with
//! amounts of which none is a sum of others by chance, and its edits are counted there; only where there is no such world
//! are they counted in the world itself. The fewest edits that explain a difference are taken for its cause.

use std::collections::BTreeMap;

use crate::domain::count::counted;
use crate::domain::history::{Counts, History};
use crate::oracle::offline::Judgement;
use crate::oracle::offline::truth::{self, Wrong};

/// Tells what became of the edits of the worst replica's registers.
pub fn judge(history: &History) -> Judgement {
    let counts = history.counts.unwrap_or_else(|| counts(history));
    let Counts { wrong, lost, repeated, unexplained } = counts;
    if wrong == 0 {
        return Judgement::of(true, format!("every edit counts once{}", with(history)));
    }
    let mut told = Vec::new();
    if lost > 0 {
        told.push(format!("{lost} lost"));
    }
    if repeated > 0 {
        told.push(format!("{repeated} counted twice"));
    }
    if unexplained > 0 {
        let registers = counted(unexplained, "register");
        told.push(format!("{registers} off by more than two edits, or by something else"));
    }
    Judgement::of(false, format!("edits do not count once{}: {}", with(history), told.join(", ")))
}

/// Where they were counted.
fn with(history: &History) -> &'static str {
    if history.counts.is_some() { ", with telling amounts" } else { "" }
}

/// What became of the edits, at the replica that has most wrong registers.
pub fn counts(history: &History) -> Counts {
    let wrong = truth::wrong(history);
    let Some(wrong) = wrong.into_iter().rev().max_by_key(Vec::len) else { return Counts::default() };
    let mut edits: BTreeMap<u32, Vec<(i64, bool)>> = wrong.iter().map(|wrong| (wrong.register, Vec::new())).collect();
    for edit in history.ledger.edits() {
        if let Some(edits) = edits.get_mut(&edit.register) {
            edits.push((edit.amount, edit.excused));
        }
    }
    let mut counts = Counts { wrong: wrong.len() as u32, ..Counts::default() };
    for Wrong { register, expected, got } in wrong {
        match explain(&edits[&register], got.wrapping_sub(expected)) {
            Some(Cause { lost, repeated }) => {
                counts.lost += lost;
                counts.repeated += repeated;
            }
            None => counts.unexplained += 1,
        }
    }
    counts
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cause {
    lost: u32,
    repeated: u32,
}

/// How many edits that are lost, and how many that count twice, make this surplus: at most two in all. An edit that may be
/// lost is not in what is expected.
fn explain(edits: &[(i64, bool)], surplus: i64) -> Option<Cause> {
    let none = Cause { lost: 0, repeated: 0 };
    // What each edit may have added, which edit it is, and what that is to be called.
    let mut causes: Vec<(i64, usize, Cause)> = Vec::with_capacity(2 * edits.len());
    for (place, &(amount, excused)) in edits.iter().enumerate() {
        let (one, other) = match excused {
            false => ((amount.wrapping_neg(), Cause { lost: 1, ..none }), (amount, Cause { repeated: 1, ..none })),
            true => ((amount, none), (amount.wrapping_mul(2), Cause { repeated: 1, ..none })),
        };
        causes.extend([(one.0, place, one.1), (other.0, place, other.1)]);
    }
    if let Some(&(_, _, cause)) = causes.iter().find(|(by, ..)| *by == surplus) {
        return Some(cause);
    }
    let mut sorted: Vec<(i64, usize, Cause)> = causes.clone();
    sorted.sort_by_key(|&(by, place, _)| (by, place));
    causes.iter().find_map(|&(by, place, one)| {
        let rest = surplus.wrapping_sub(by);
        let from = sorted.partition_point(|&(other, ..)| other < rest);
        // The two causes of one edit do not go together.
        let mut fitting = sorted[from..].iter().take_while(|&&(other, ..)| other == rest);
        let &(_, _, other) = fitting.find(|&&(_, other, _)| other != place)?;
        Some(Cause { lost: one.lost + other.lost, repeated: one.repeated + other.repeated })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::history::{Ledger, NodeEnd, UserEdit};
    use crate::domain::verdict::Verdict;

    #[test]
    fn a_difference_is_explained_by_the_fewest_edits() {
        let explained = |amounts: &[i64], surplus| {
            let edits: Vec<(i64, bool)> = amounts.iter().map(|&amount| (amount, false)).collect();
            explain(&edits, surplus).map(|Cause { lost, repeated }| (lost, repeated))
        };
        assert_eq!(explained(&[1, 4, 16], -4), Some((1, 0)));
        assert_eq!(explained(&[1, 4, 16], 16), Some((0, 1)));
        assert_eq!(explained(&[1, 4, 16], 12), Some((1, 1)));
        assert_eq!(explained(&[1, 4, 16], 2), None);
        assert_eq!(explained(&[5], 10), None);
        assert_eq!(explained(&[5, 5], 10), Some((0, 2)));
    }

    #[test]
    fn an_edit_that_may_be_lost_counts_at_most_once() {
        assert_eq!(explain(&[(1, false), (16, true)], 32), Some(Cause { lost: 0, repeated: 1 }));
        // The one that may be lost is there, and the other is not.
        assert_eq!(explain(&[(1, false), (16, true)], 15), Some(Cause { lost: 1, repeated: 0 }));
    }

    fn history(got: &[&[i64]]) -> History {
        let edit = |register, amount| UserEdit { at: 0, register, amount, excused: false };
        let by_device = vec![vec![edit(0, 1), edit(0, 10)], vec![edit(1, 100)]];
        let end = |registers: &&[i64]| NodeEnd { name: "a".to_owned(), registers: registers.to_vec() };
        History {
            ledger: Ledger { start: 5, registers: 2, by_device },
            ends: got.iter().map(end).collect(),
            ..History::default()
        }
    }

    #[test]
    fn the_replica_that_has_most_wrong_registers_is_told_of() {
        let sentence = |got: &[&[i64]]| judge(&history(got)).sentence;
        assert_eq!(sentence(&[&[16, 105]]), "every edit counts once");
        assert_eq!(sentence(&[&[15, 105], &[6, 205]]), "edits do not count once: 1 lost, 1 counted twice");
        let told = sentence(&[&[-1000, 105]]);
        assert_eq!(told, "edits do not count once: 1 register off by more than two edits, or by something else");
    }

    #[test]
    fn edits_are_counted_in_the_world_of_telling_amounts_where_there_is_one() {
        let sound = history(&[&[16, 105]]);
        let counts = Counts { wrong: 1, repeated: 1, ..Counts::default() };
        assert_eq!(judge(&History { counts: Some(counts), ..sound.clone() }).verdict, Verdict::Falsified);
        let unsound = history(&[&[15, 105]]);
        assert_eq!(judge(&History { counts: Some(Counts::default()), ..unsound }).verdict, Verdict::Holds);
    }
}
