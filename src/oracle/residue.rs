//! What the wrong results of engine runs tell about their cause.
//!
//! A residue is a run's result XOR the right one. Each explanation (dead banks, inverted result bits, lost deltas) is a
//! system of linear equations; the simplest one that accounts for every residue, the zeros among them, is the answer.

use crate::domain::delta::Xorshift64;
use crate::domain::execution::EngineRun;
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
    /// The sum of deltas that are lost beyond those that the runs can tell apart, where it is no single delta's.
    pub lost_sum: Option<u64>,
}

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
        [dead.clone(), lost.clone()].concat(),
        [flipped.clone(), lost.clone()].concat(),
        [dead, flipped, lost].concat(),
    ];
    let longest = runs.iter().map(|run| run.count).max().unwrap_or(0);
    let seed = runs.first()?.seed.value();
    explanations.into_iter().find_map(|unknowns| {
        let columns: Vec<Vec<u64>> = unknowns.iter().map(|unknown| unknown.column(&runs)).collect();
        let members = Basis::of(columns.iter().map(Vec::as_slice)).solve(&target)?;
        Some(Cause::of(members.into_iter().map(|member| unknowns[member]), seed, horizon..longest))
    })
}

impl Cause {
    fn of(unknowns: impl Iterator<Item = Unknown>, seed: u64, beyond: std::ops::Range<u32>) -> Self {
        let mut cause = Cause::default();
        let mut lost_sum = 0;
        for unknown in unknowns {
            match unknown {
                Unknown::DeadBank(bank) => cause.dead_banks.push(bank),
                Unknown::FlippedBit(bit) => cause.flipped_bits.push(bit),
                Unknown::LostDelta(index) => cause.lost_deltas.push(index),
                Unknown::LostBeyond { bit, .. } => lost_sum |= 1 << bit,
            }
        }
        if lost_sum != 0 {
            match u32::try_from(seed ^ Xorshift64::invert(lost_sum)) {
                Ok(index) if beyond.contains(&index) => cause.lost_deltas.push(index),
                _ => cause.lost_sum = Some(lost_sum),
            }
        }
        cause
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
            parts.push(format!("several deltas dropped or applied twice whose XOR is {sum:#018x}"));
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
    use crate::domain::seed::Seed;
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
            let cause = explain(&residues(&campaign(65_537, seed), &[Unknown::LostDelta(index)]), 8);
            prop_assert_eq!(cause, Some(Cause { lost_deltas: vec![index], ..Cause::default() }));
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
