//! What the wrong results of engine runs tell about their cause.
//!
//! A residue is a run's result XOR the right one. Each explanation (dead banks, inverted result bits, lost deltas) is a
//! system of linear equations; the simplest one that accounts for every residue, the zeros among them, is the answer.

use crate::domain::delta::Xorshift64;
use crate::domain::execution::EngineRun;
use crate::domain::seed::Seed;
use crate::oracle::equations::Unknown;
use crate::oracle::gf2::Basis;

/// A run and what was wrong with its result: 0 if nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Residue {
    /// The run.
    pub run: EngineRun,
    /// Its result XOR the right one.
    pub residue: u64,
}

/// A cause that accounts for all residues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// Banks that accumulate nothing.
    pub dead_banks: Vec<u32>,
    /// Bits of the merged result that are inverted.
    pub flipped_bits: Vec<u32>,
    /// Indices of deltas that are left out or applied twice.
    pub lost_deltas: Vec<u32>,
    /// The sum of what is lost at indices that the short runs do not reach. It may be one delta's, or that of several.
    pub lost_sum: Option<u64>,
}

/// Up to so many banks, every set of dead ones is tried together with lost deltas, which a dead bank hides.
const ALL_SETS_UP_TO: u32 = 8;

/// The simplest cause that accounts for every residue, or `None` if no combination of the known kinds does.
pub fn explain(residues: &[Residue], banks: u32) -> Option<Cause> {
    let runs: Vec<EngineRun> = residues.iter().map(|r| r.run).collect();
    let target: Vec<u64> = residues.iter().map(|r| r.residue).collect();
    let horizon = 2 * banks;
    let dead: Vec<Unknown> = (0..banks).map(Unknown::DeadBank).collect();
    let flipped: Vec<Unknown> = (0..u64::BITS).map(Unknown::FlippedBit).collect();
    let lost_near = (0..horizon).map(Unknown::LostDelta);
    let lost_far = (0..u64::BITS).map(|bit| Unknown::LostBeyond { horizon, bit });
    let lost: Vec<Unknown> = lost_near.chain(lost_far).collect();
    // From the simplest to the least simple; the first that fits is given.
    let explanations = [
        flipped.clone(),
        dead.clone(),
        lost.clone(),
        [dead.clone(), flipped.clone()].concat(),
        [dead, lost.clone()].concat(),
        [flipped, lost.clone()].concat(),
    ];
    explanations
        .into_iter()
        .find_map(|unknowns| solve(&unknowns, |unknown| unknown.column(&runs), &target).map(Cause::of))
        .or_else(|| with_dead_banks(&runs, &target, &lost, banks))
}

fn solve(unknowns: &[Unknown], column: impl Fn(Unknown) -> Vec<u64>, target: &[u64]) -> Option<Vec<Unknown>> {
    let columns: Vec<Vec<u64>> = unknowns.iter().map(|&unknown| column(unknown)).collect();
    let members = Basis::of(columns.iter().map(Vec::as_slice)).solve(target)?;
    Some(members.into_iter().map(|member| unknowns[member]).collect())
}

/// Dead banks and lost deltas together are not linear: a delta that is lost in a dead bank is not lost once more. So
/// every set of dead banks is tried, the smallest first.
fn with_dead_banks(runs: &[EngineRun], target: &[u64], lost: &[Unknown], banks: u32) -> Option<Cause> {
    if banks > ALL_SETS_UP_TO {
        return None;
    }
    let mut sets: Vec<u32> = (1..1 << banks).collect();
    sets.sort_by_key(|set| (set.count_ones(), *set));
    sets.into_iter().find_map(|set| {
        let is_dead = |bank: u32| set >> bank & 1 == 1;
        let dead: Vec<u32> = (0..banks).filter(|&bank| is_dead(bank)).collect();
        let mut rest = target.to_vec();
        for &bank in &dead {
            let column = Unknown::DeadBank(bank).column(runs);
            rest.iter_mut().zip(column).for_each(|(word, error)| *word ^= error);
        }
        let column = |unknown: Unknown| {
            let mut column = unknown.column(runs);
            if let Unknown::LostDelta(index) = unknown {
                let hidden = runs.iter().map(|run| is_dead(index % run.active));
                column.iter_mut().zip(hidden).filter(|(_, hidden)| *hidden).for_each(|(word, _)| *word = 0);
            }
            column
        };
        solve(lost, column, &rest).map(|lost| Cause { dead_banks: dead, ..Cause::of(lost) })
    })
}

impl Cause {
    fn of(unknowns: Vec<Unknown>) -> Self {
        let mut cause = Cause::default();
        for unknown in unknowns {
            match unknown {
                Unknown::DeadBank(bank) => cause.dead_banks.push(bank),
                Unknown::FlippedBit(bit) => cause.flipped_bits.push(bit),
                Unknown::LostDelta(index) => cause.lost_deltas.push(index),
                Unknown::LostBeyond { bit, .. } => *cause.lost_sum.get_or_insert(0) |= 1 << bit,
            }
        }
        cause
    }

    /// The one index whose delta is the lost sum, if there is one below `count`. Whether it is that delta, or several
    /// that sum up to it, only further runs can tell.
    pub fn suspect(&self, seed: Seed, count: u32) -> Option<u32> {
        let index = seed.value() ^ Xorshift64::invert(self.lost_sum?);
        u32::try_from(index).ok().filter(|&index| index < count)
    }

    /// Takes the suspect for the one that is lost.
    pub fn confirm(&mut self, index: u32) {
        self.lost_sum = None;
        self.lost_deltas.push(index);
    }

    /// The cause in words.
    pub fn sentence(&self) -> String {
        let mut parts = Vec::new();
        if !self.dead_banks.is_empty() {
            parts.push(format!("{} dead", numbered("bank", &self.dead_banks)));
        }
        if !self.flipped_bits.is_empty() {
            parts.push(format!("{} of the merged result inverted", numbered("bit", &self.flipped_bits)));
        }
        if !self.lost_deltas.is_empty() {
            let which = numbered("index", &self.lost_deltas);
            parts.push(format!("the delta of {which} dropped or applied twice (under XOR the same)"));
        }
        if let Some(sum) = self.lost_sum {
            parts.push(format!("as if deltas were dropped or applied twice whose XOR is {sum:#018x}"));
        }
        parts.join("; ")
    }
}

/// "bank 3", "banks 1 and 4", "banks 0, 1 and 2".
pub fn numbered(noun: &str, numbers: &[u32]) -> String {
    let plural = if noun == "index" { "indices".to_owned() } else { format!("{noun}s") };
    let texts: Vec<String> = numbers.iter().map(u32::to_string).collect();
    match &texts[..] {
        [] => format!("no {noun}"),
        [one] => format!("{noun} {one}"),
        [most @ .., last] => format!("{plural} {} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn campaign(count: u32, seed: u64) -> Vec<EngineRun> {
        let seed = Seed::new(seed);
        let sweep = [1, 2, 4, 8].map(|active| EngineRun { count, active, seed });
        let short = (0..=16).flat_map(|count| (1..=8).map(move |active| EngineRun { count, active, seed }));
        sweep.into_iter().chain(short).collect()
    }

    fn residues(runs: &[EngineRun], faults: &[Unknown]) -> Vec<Residue> {
        let columns: Vec<Vec<u64>> = faults.iter().map(|fault| fault.column(runs)).collect();
        let sum = |at: usize| columns.iter().fold(0, |sum, column| sum ^ column[at]);
        runs.iter().enumerate().map(|(at, &run)| Residue { run, residue: sum(at) }).collect()
    }

    #[test]
    fn every_set_of_dead_banks_is_named_for_seeds_with_and_without_a_zero_delta() {
        for seed in [0xDEAD_BEEF_0BAD_F00D, 7, 0x10000, 0] {
            let runs = campaign(65_537, seed);
            for set in 1..256u32 {
                let dead: Vec<u32> = (0..8).filter(|bank| set >> bank & 1 == 1).collect();
                let faults: Vec<Unknown> = dead.iter().map(|&bank| Unknown::DeadBank(bank)).collect();
                let cause = explain(&residues(&runs, &faults), 8);
                assert_eq!(cause, Some(Cause { dead_banks: dead, ..Cause::default() }), "seed {seed:#x}, set {set:#x}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_lost_delta_is_told_from_a_dead_bank_and_from_an_inverted_bit(index in 0..65_537u32, seed in 65_537u64..) {
            let mut cause = explain(&residues(&campaign(65_537, seed), &[Unknown::LostDelta(index)]), 8).expect("a cause");
            if let Some(suspect) = cause.suspect(Seed::new(seed), 65_537) {
                cause.confirm(suspect);
            }
            prop_assert_eq!(cause, Cause { lost_deltas: vec![index], ..Cause::default() });
        }

        #[test]
        fn inverted_bits_are_named(bits in proptest::collection::btree_set(0..64u32, 1..5), seed: u64) {
            let faults: Vec<Unknown> = bits.iter().map(|&bit| Unknown::FlippedBit(bit)).collect();
            let cause = explain(&residues(&campaign(65_537, seed), &faults), 8);
            prop_assert_eq!(cause, Some(Cause { flipped_bits: bits.into_iter().collect(), ..Cause::default() }));
        }

        #[test]
        fn residues_without_a_known_cause_are_not_explained_away(at in 0..140usize, residue in 1u64.., seed: u64) {
            let mut residues = residues(&campaign(65_537, seed), &[]);
            // One run alone goes wrong, and all others at its count are right.
            residues[at].residue = residue;
            prop_assert_eq!(explain(&residues, 8), None);
        }
    }

    #[test]
    fn causes_read_as_sentences() {
        let cause = Cause { dead_banks: vec![1, 4, 6], lost_deltas: vec![9], ..Cause::default() };
        insta::assert_snapshot!(cause.sentence());
    }
}
