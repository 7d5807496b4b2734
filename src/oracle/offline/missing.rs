//! What edits that may be missing can add to a register: any of them, once or not at all.
//!
//! Their sums are made in two halves, so that twice as many edits can be told apart as there is room for sums of. Where
//! even the halves are too large, a part is still made: a store that is lost takes what was made last, so that of the edits
//! that a device lost in a row any first part may be there.

use std::collections::BTreeMap;

use crate::domain::history::{Fate, Ledger};

/// Whether some of the edits that may be missing make a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// They do.
    Sum,
    /// No part of them does.
    No,
    /// There are too many of them to tell.
    Unknown,
}

/// The edits that may be missing.
pub struct Missing {
    registers: BTreeMap<u32, OfRegister>,
}

struct OfRegister {
    /// What devices lost or may have lost in a row.
    rows: Vec<Vec<i64>>,
    /// The sums of any of them, and of any first parts of rows; made when they are asked for.
    any: Option<Option<Halves>>,
    first_parts: Option<Option<Halves>>,
}

/// Two ascending lists: every sum is one of the first plus one of the second.
type Halves = [Vec<i64>; 2];

/// Different sums in a half. Sums of small amounts soon are the same; of large ones it is enough for 36 edits.
const SUMS: usize = 1 << 18;

impl Missing {
    /// Those of a ledger whose fate is one of these.
    pub fn of(ledger: &Ledger, may_be_missing: impl Fn(Fate) -> bool) -> Self {
        let mut registers: BTreeMap<u32, Vec<Vec<i64>>> = BTreeMap::new();
        for edits in &ledger.by_device {
            let rows = edits.chunk_by(|one, next| may_be_missing(one.fate) && may_be_missing(next.fate));
            for row in rows.filter(|row| may_be_missing(row[0].fate)) {
                let mut of: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
                let amounts = row.iter().filter_map(|edit| Some((edit.register, edit.intent.amount()?)));
                amounts.for_each(|(register, amount)| of.entry(register).or_default().push(amount));
                of.into_iter().for_each(|(register, row)| registers.entry(register).or_default().push(row));
            }
        }
        let of = |(register, rows)| (register, OfRegister { rows, any: None, first_parts: None });
        Missing { registers: registers.into_iter().map(of).collect() }
    }

    /// Whether what a register has more than the edits that must be there can be explained by these.
    pub fn fits(&mut self, register: u32, surplus: i64) -> Fit {
        if surplus == 0 {
            return Fit::Sum;
        }
        let Some(OfRegister { rows, any, first_parts }) = self.registers.get_mut(&register) else { return Fit::No };
        let all = any.get_or_insert_with(|| halves(rows.iter().flatten().map(|&amount| vec![amount])));
        if let Some(halves) = all {
            return if is_sum(halves, surplus) { Fit::Sum } else { Fit::No };
        }
        let sums_of_row = |row: &Vec<i64>| -> Vec<i64> {
            let add = |sum: &mut i64, amount: &i64| {
                *sum = sum.wrapping_add(*amount);
                Some(*sum)
            };
            row.iter().scan(0, add).collect()
        };
        let some = first_parts.get_or_insert_with(|| halves(rows.iter().map(sums_of_row)));
        match some {
            Some(halves) if is_sum(halves, surplus) => Fit::Sum,
            _ => Fit::Unknown,
        }
    }
}

/// The sums of one or none of each of these; nothing if there are too many.
fn halves(choices: impl Iterator<Item = Vec<i64>>) -> Option<Halves> {
    let mut halves = [vec![0], vec![0]];
    for choice in choices {
        let half = halves.iter_mut().min_by_key(|half| half.len()).expect("there are two");
        if half.len() * choice.len() > 4 * SUMS {
            return None;
        }
        let more = half.iter().flat_map(|sum: &i64| choice.iter().map(|amount| sum.wrapping_add(*amount)));
        let more: Vec<i64> = more.collect();
        half.extend(more);
        half.sort_unstable();
        half.dedup();
        if half.len() > SUMS {
            return None;
        }
    }
    Some(halves)
}

fn is_sum([one, other]: &Halves, surplus: i64) -> bool {
    one.iter().any(|sum| other.binary_search(&surplus.wrapping_sub(*sum)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Intent;
    use crate::domain::history::UserEdit;

    fn missing(by_device: &[&[(i64, bool)]]) -> Missing {
        let fate = |may: bool| if may { Fate::Unshared } else { Fate::Binding };
        let edit = |&(amount, may): &(i64, bool)| UserEdit {
            at: 0,
            register: 0,
            intent: Intent::Increase(amount),
            fate: fate(may),
        };
        let by_device = by_device.iter().map(|edits| edits.iter().map(edit).collect()).collect();
        Missing::of(&Ledger::of_counters(1, 0, by_device), Fate::is_unshared)
    }

    /// The amount of an edit among many: large, and no sum of others.
    fn large(edit: i64) -> i64 {
        (1 << 44) + (edit + 7).pow(6) % 999_999_937
    }

    #[test]
    fn any_of_a_few_edits_may_be_there_and_each_once() {
        let mut few = missing(&[&[(1, true), (100, false), (10, true)], &[(-5, true)]]);
        let sums = [1, 10, -5, 11, -4, 5, 6, 0];
        let fitting: Vec<i64> = (-20..200).filter(|&surplus| few.fits(0, surplus) == Fit::Sum).collect();
        assert_eq!(fitting.len(), sums.len());
        assert!(sums.iter().all(|&sum| few.fits(0, sum) == Fit::Sum));
        assert_eq!((few.fits(1, 0), few.fits(1, 1)), (Fit::Sum, Fit::No));
    }

    #[test]
    fn thirty_six_large_amounts_are_told_apart_and_any_number_of_small_ones() {
        let edits: Vec<(i64, bool)> = (0..36).map(|edit| (large(edit), true)).collect();
        let some: i64 = edits.iter().step_by(3).map(|(amount, _)| amount).sum();
        let mut many = missing(&[&edits]);
        assert_eq!([many.fits(0, some), many.fits(0, some + 1), many.fits(0, -some)], [Fit::Sum, Fit::No, Fit::No]);
        let small: Vec<(i64, bool)> = (0..1000).map(|edit| (2 * (1 + edit % 50), true)).collect();
        let mut small = missing(&[&small]);
        assert_eq!(
            [small.fits(0, 777_778 % 40_000), small.fits(0, 777), small.fits(0, 60_000)],
            [Fit::Sum, Fit::No, Fit::No]
        );
    }

    #[test]
    fn of_many_that_were_lost_in_a_row_a_first_part_fits_and_nothing_else_is_told() {
        let row: Vec<(i64, bool)> = (0..91).map(|edit| (large(edit), true)).collect();
        let first: i64 = row[..40].iter().map(|(amount, _)| amount).sum();
        let mut long = missing(&[&row, &[(3, true)]]);
        assert_eq!(
            [long.fits(0, first), long.fits(0, first + 3), long.fits(0, first + 1)],
            [Fit::Sum, Fit::Sum, Fit::Unknown]
        );
        assert_eq!(long.fits(0, 0), Fit::Sum, "all are missing");
    }
}
