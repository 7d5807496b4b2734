//! Whether every edit counts once: how many are lost, and how many count twice, where truth tells how many registers are
//! wrong.
//!
//! Small amounts hide that: an edit that counts twice and one that is lost can cancel. So a world is run once more with
//! amounts of which none is a sum of others by chance, and its edits are counted there, if it came to rest; only where there
//! is no such world are they counted in the world itself. The fewest edits that explain a difference are taken for its cause.

use std::collections::BTreeMap;

use crate::domain::count::counted;
use crate::domain::history::{Counts, Fate, History, UniqueAmounts};
use crate::domain::verdict::Verdict;
use crate::oracle::offline::Judgement;
use crate::oracle::offline::truth::{self, Compared, Wrong};

/// Tells what became of the edits of the worst replica's registers.
pub fn judge(history: &History) -> Judgement {
    let counts = match history.unique_amounts {
        None => counts(history),
        Some(UniqueAmounts::Counts(counts)) => counts,
        Some(UniqueAmounts::Unfinished { quiescent, backlog }) => return unfinished(quiescent, backlog),
    };
    let Counts { wrong, lost, repeated, unexplained, undecided, beyond } = counts;
    if wrong == 0 && beyond > 0 {
        let registers = counted(beyond, "register");
        let sentence = format!("{registers} without edits that this engine does not declare to keep{}", with(history));
        return Judgement { verdict: Verdict::Inconclusive, sentence };
    }
    if wrong == 0 && undecided > 0 {
        let sentence = "it cannot be told how often edits count".to_owned() + with(history);
        let why = format!("in {} too many may be missing", counted(undecided, "register"));
        return Judgement { verdict: Verdict::Inconclusive, sentence: format!("{sentence}: {why}") };
    }
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
    let are_wrong = match unexplained {
        1 => "1 register is wrong".to_owned(),
        several => format!("{several} registers are wrong"),
    };
    let nothing_explains = "no lost or repeated edit explains the difference";
    if told.is_empty() && unexplained > 0 {
        let with = if history.unique_amounts.is_some() { "with unique amounts, " } else { "" };
        return Judgement::of(false, format!("{with}{are_wrong}, and {nothing_explains}"));
    }
    if unexplained > 0 {
        told.push(format!("and {are_wrong} where {nothing_explains}"));
    }
    Judgement::of(false, format!("edits do not count once{}: {}", with(history), told.join(", ")))
}

/// Where they were counted.
fn with(history: &History) -> &'static str {
    if history.unique_amounts.is_some() { ", with unique amounts" } else { "" }
}

/// What is said where the world of unique amounts came to no rest.
fn unfinished(quiescent: bool, backlog: u64) -> Judgement {
    let why = match quiescent {
        true => format!("{} given up or never sent", counted(backlog, "edit")),
        false => "messages went on and on".to_owned(),
    };
    let sentence = format!("with unique amounts this world came to no rest, and its edits cannot be counted: {why}");
    Judgement { verdict: Verdict::Inconclusive, sentence }
}

/// What became of the edits, at the replica that has most wrong registers.
pub fn counts(history: &History) -> Counts {
    let compared = truth::compared(history);
    let undecided = compared.iter().map(|at| at.undecided).max().unwrap_or(0);
    let beyond = compared.iter().map(|at| at.lacking.len()).max().unwrap_or(0) as u32;
    let worst = compared.into_iter().rev().max_by_key(|at| at.wrong.len());
    let Compared { wrong, .. } = worst.unwrap_or_default();
    let mut edits: BTreeMap<u32, Vec<(i64, Fate)>> = wrong.iter().map(|wrong| (wrong.register, Vec::new())).collect();
    for edit in history.ledger.edits() {
        if let Some(edits) = edits.get_mut(&edit.register) {
            edits.push((edit.amount(), edit.fate));
        }
    }
    let mut counts = Counts { wrong: wrong.len() as u32, undecided, beyond, ..Counts::default() };
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

/// How many edits that are lost, and how many that count twice, make this surplus: at most two in all. An edit that no
/// engine can be asked to have is not in what is expected; one that its engine does not declare to keep may be missing.
fn explain(edits: &[(i64, Fate)], surplus: i64) -> Option<Cause> {
    let none = Cause { lost: 0, repeated: 0 };
    // What each edit may have added, which edit it is, and what that is to be called.
    let mut causes: Vec<(i64, usize, Cause)> = Vec::with_capacity(2 * edits.len());
    for (place, &(amount, fate)) in edits.iter().enumerate() {
        let twice = Cause { repeated: 1, ..none };
        let (one, other) = match fate {
            Fate::Binding => ((amount.wrapping_neg(), Cause { lost: 1, ..none }), (amount, twice)),
            Fate::Undeclared { .. } => ((amount.wrapping_neg(), none), (amount, twice)),
            Fate::Unshared => ((amount, none), (amount.wrapping_mul(2), twice)),
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
    use crate::domain::data::Intent;
    use crate::domain::history::{Ledger, NodeEnd, UserEdit};

    #[test]
    fn a_difference_is_explained_by_the_fewest_edits() {
        let explained = |amounts: &[i64], surplus| {
            let edits: Vec<(i64, Fate)> = amounts.iter().map(|&amount| (amount, Fate::Binding)).collect();
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
        let edits = [(1, Fate::Binding), (16, Fate::Unshared)];
        assert_eq!(explain(&edits, 32), Some(Cause { lost: 0, repeated: 1 }));
        // The one that may be lost is there, and the other is not.
        assert_eq!(explain(&edits, 15), Some(Cause { lost: 1, repeated: 0 }));
    }

    #[test]
    fn of_a_world_that_came_to_no_rest_nothing_is_said() {
        let said = |quiescent, backlog| {
            let unique_amounts = Some(UniqueAmounts::Unfinished { quiescent, backlog });
            // Its own amounts would accuse it.
            judge(&History { unique_amounts, ..history(&[&[15, 105]]) })
        };
        let begins = "with unique amounts this world came to no rest, and its edits cannot be counted: ";
        for (told, why) in
            [(said(true, 1), "1 edit given up or never sent"), (said(false, 7), "messages went on and on")]
        {
            assert_eq!((told.verdict, told.sentence), (Verdict::Inconclusive, format!("{begins}{why}")));
        }
    }

    #[test]
    fn where_too_many_edits_may_be_missing_to_tell_no_register_is_accused_and_no_sentence_is_empty() {
        let lost = |edit: i64| UserEdit {
            at: 0,
            register: 0,
            intent: Intent::Increase((1 << 44) + (edit + 7).pow(6) % 999_999_937),
            fate: Fate::Unshared,
        };
        let lost: Vec<UserEdit> = (0..91).map(lost).collect();
        // The last two alone are there: no first part of them.
        let got = lost[89..].iter().map(UserEdit::amount).sum();
        let ledger = Ledger::of_counters(1, 0, vec![lost]);
        let ends = vec![NodeEnd::of_counters("a", [got])];
        let of = History { ledger, ends, ..History::default() };
        assert_eq!(counts(&of), Counts { undecided: 1, ..Counts::default() });
        let told = judge(&of);
        assert_eq!(told.verdict, Verdict::Inconclusive);
        assert_eq!(told.sentence, "it cannot be told how often edits count: in 1 register too many may be missing");
    }

    fn history(got: &[&[i64]]) -> History {
        let edit =
            |register, amount| UserEdit { at: 0, register, intent: Intent::Increase(amount), fate: Fate::Binding };
        let by_device = vec![vec![edit(0, 1), edit(0, 10)], vec![edit(1, 100)]];
        let end = |registers: &&[i64]| NodeEnd::of_counters("a", registers.to_vec());
        History {
            ledger: Ledger::of_counters(2, 5, by_device),
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
        assert_eq!(told, "1 register is wrong, and no lost or repeated edit explains the difference");
        let told = sentence(&[&[-1000, 205]]);
        let both = "1 counted twice, and 1 register is wrong where no lost or repeated edit explains the difference";
        assert_eq!(told, format!("edits do not count once: {both}"));
    }

    #[test]
    fn edits_are_counted_in_the_world_of_unique_amounts_where_there_is_one() {
        let sound = history(&[&[16, 105]]);
        let counts = Counts { wrong: 1, repeated: 1, ..Counts::default() };
        assert_eq!(
            judge(&History { unique_amounts: Some(UniqueAmounts::Counts(counts)), ..sound.clone() }).verdict,
            Verdict::Falsified
        );
        let unsound = history(&[&[15, 105]]);
        assert_eq!(
            judge(&History { unique_amounts: Some(UniqueAmounts::Counts(Counts::default())), ..unsound }).verdict,
            Verdict::Holds
        );
    }
}
