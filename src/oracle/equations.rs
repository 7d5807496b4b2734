//! What engine runs can and cannot see, as linear equations over GF(2).
//!
//! The engine's generator is linear over GF(2), and so are its faults: a dead bank, an inverted result bit or a lost
//! delta adds a fixed word to the result of each run (its *column*), and several faults together add the sum of their
//! columns. What a set of runs cannot see is exactly what its columns' null space holds. No run is repeated for this:
//! the columns are computed in closed form.

use crate::domain::delta::{Generate, Xorshift64};
use crate::domain::execution::EngineRun;
use crate::oracle::gf2::Basis;

/// Something that may be wrong with an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unknown {
    /// This bank accumulates nothing.
    DeadBank(u32),
    /// This bit of the merged result is inverted.
    FlippedBit(u32),
    /// The delta of this index is left out, or applied twice: under XOR the same.
    LostDelta(u32),
    /// In runs of more than `horizon` deltas, deltas from `horizon` on are lost whose sum has this bit.
    LostBeyond {
        /// The first index that is not an unknown of its own.
        horizon: u32,
        /// The bit of the sum.
        bit: u32,
    },
}

impl Unknown {
    /// What it adds to the results of these runs.
    pub fn column(self, runs: &[EngineRun]) -> Vec<u64> {
        runs.iter().map(|&run| self.error(run)).collect()
    }

    fn error(self, run: EngineRun) -> u64 {
        match self {
            Unknown::DeadBank(bank) => bank_sum(run, bank),
            Unknown::FlippedBit(bit) => 1 << bit,
            Unknown::LostDelta(index) if index < run.count => Xorshift64.generate(run.seed.value() ^ u64::from(index)),
            Unknown::LostBeyond { horizon, bit } if horizon < run.count => 1 << bit,
            Unknown::LostDelta(_) | Unknown::LostBeyond { .. } => 0,
        }
    }
}

/// The right result of a run: the sum of what its banks should accumulate.
pub fn right_result(run: EngineRun) -> u64 {
    bank_sum(EngineRun { active: 1, ..run }, 0)
}

/// Whether the right result of runs of this count is 0 for every seed, so that an engine that does nothing passes:
/// the indices come in fours that cancel.
pub fn always_zero(count: u32) -> bool {
    count.is_multiple_of(4)
}

/// What a bank should accumulate in a run: `f` of the sum of `SEED ^ i` over its indices, because `f` is linear.
pub fn bank_sum(run: EngineRun, bank: u32) -> u64 {
    if bank >= run.active || bank >= run.count {
        return 0;
    }
    let terms = u64::from((run.count - bank).div_ceil(run.active));
    let seeds = if terms.is_multiple_of(2) { 0 } else { run.seed.value() };
    Xorshift64.generate(seeds ^ xor_of_progression(u64::from(bank), u64::from(run.active), terms))
}

/// The XOR of `first + step * t` for `t` below `terms`, bit by bit: bit `j` is the parity of the sum of
/// `floor((first + step * t) / 2^j)`, since the next higher bits count twice.
fn xor_of_progression(first: u64, step: u64, terms: u64) -> u64 {
    let largest = first + step * terms;
    let bits = u64::BITS - largest.leading_zeros();
    (0..bits).fold(0, |xor, bit| {
        let sum = floor_sum(terms.into(), 1 << bit, step.into(), first.into());
        xor | ((sum & 1) as u64) << bit
    })
}

/// The sum of `floor((a * t + b) / m)` for `t` below `n`, by Euclid's algorithm on `a` and `m` (Graham, Knuth and
/// Patashnik, "Concrete Mathematics", section 3.5). The sums here stay below 2^100.
fn floor_sum(mut n: u128, mut m: u128, mut a: u128, mut b: u128) -> u128 {
    let mut sum = 0;
    while n > 0 {
        sum += n * (n - 1) / 2 * (a / m) + n * (b / m);
        (a, b) = (a % m, b % m);
        let top = a * n + b;
        (n, b) = (top / m, top % m);
        (m, a) = (a, m);
        if m == 0 {
            break;
        }
    }
    sum
}

/// Whether every full clock at this number of active banks adds up to 0, whatever the seed: its indices come in aligned
/// fours.
pub fn full_clocks_cancel(active: u32) -> bool {
    active.is_multiple_of(4)
}

/// The sets of dead banks that runs cannot see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnseenBanks {
    /// Banks of the engine.
    pub banks: u32,
    /// Independent sets that go unseen; every sum of them goes unseen too.
    pub generators: Vec<Vec<u32>>,
}

impl UnseenBanks {
    /// What these runs cannot see of an engine with so many banks.
    pub fn of(runs: &[EngineRun], banks: u32) -> Self {
        let columns: Vec<Vec<u64>> = (0..banks).map(|bank| Unknown::DeadBank(bank).column(runs)).collect();
        let basis = Basis::of(columns.iter().map(Vec::as_slice));
        let generators = basis.null_space().iter().map(|set| {
            let mut set: Vec<u32> = set.iter().map(|&bank| bank as u32).collect();
            set.sort_unstable();
            set
        });
        UnseenBanks { banks, generators: generators.collect() }
    }

    /// How many non-empty sets of dead banks go unseen.
    pub fn sets(&self) -> u64 {
        (1 << self.generators.len()) - 1
    }

    /// How many non-empty sets there are.
    pub fn all_sets(&self) -> u64 {
        (1 << self.banks) - 1
    }

    /// The banks of which each alone, and so any of them together, may be dead unseen: `Some` if these are all that
    /// goes unseen.
    pub fn free_banks(&self) -> Option<Vec<u32>> {
        let mut banks: Vec<u32> = Vec::new();
        for set in &self.generators {
            match set[..] {
                [bank] => banks.push(bank),
                _ => return None,
            }
        }
        banks.sort_unstable();
        Some(banks)
    }
}

/// The sets of lost (or repeated) deltas that runs cannot see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnseenDeltas {
    /// Deltas that occur in any run.
    pub deltas: u32,
    /// The base-2 logarithm of the number of sets that go unseen, the empty one among them.
    pub dimension: u64,
    /// The index whose delta is 0, if a run has it: its loss changes nothing.
    pub zero: Option<u32>,
    /// An example of deltas other than that one that cancel, where any do.
    pub example: Option<Vec<u32>>,
}

impl UnseenDeltas {
    /// What these runs, which share one seed, cannot see.
    ///
    /// Runs of the same count see the same. The difference of runs of two counts sees what is lost between them, so
    /// every stretch between one count and the next is judged by itself.
    pub fn of(runs: &[EngineRun]) -> Self {
        let mut counts: Vec<u32> = runs.iter().map(|run| run.count).collect();
        counts.push(0);
        counts.sort_unstable();
        counts.dedup();
        let seed = runs.first().map_or(0, |run| run.seed.value());
        let stretches = counts.windows(2).map(|pair| (pair[0], pair[1]));
        let dimension = stretches.clone().map(|(from, to)| u64::from(to - from) - rank(seed, from, to)).sum();
        let deltas = counts.last().copied().unwrap_or(0);
        let zero = u32::try_from(seed).ok().filter(|&index| index < deltas);
        let example = stretches.clone().find_map(|(from, to)| cancelling(seed, zero, from, to));
        UnseenDeltas { deltas, dimension, zero, example }
    }
}

/// The rank of the words `SEED ^ i` for `i` in `from..to`. They are inserted a power-of-two block at a time: block
/// `b..b + 2^t` spans `SEED ^ b` and the `t` low bits.
fn rank(seed: u64, from: u32, to: u32) -> u64 {
    let mut words = Vec::new();
    let (mut block, end) = (u64::from(from), u64::from(to));
    while block < end {
        let aligned = if block == 0 { 32 } else { block.trailing_zeros().min(32) };
        let fits = 63 - (end - block).leading_zeros();
        let log = aligned.min(fits);
        words.push([seed ^ block]);
        words.extend((0..log).map(|bit| [1 << bit]));
        block += 1 << log;
    }
    Basis::of(words.iter().map(<[u64; 1]>::as_slice)).rank() as u64
}

/// Few deltas in `from..to` that cancel, none of them `zero`: the first four in a row that do, aligned to four, or
/// else any that are dependent among the first ones. `None` if no two or more cancel.
fn cancelling(seed: u64, zero: Option<u32>, from: u32, to: u32) -> Option<Vec<u32>> {
    let is_zero = |index: u32| zero == Some(index);
    let first = from.checked_next_multiple_of(4)?;
    let fours = [Some(first), first.checked_add(4)].into_iter().flatten();
    let four = fours
        .filter(|four| four.checked_add(4).is_some_and(|end| end <= to))
        .map(|four| (four..four + 4).collect::<Vec<u32>>())
        .find(|four| !four.iter().any(|&index| is_zero(index)));
    four.or_else(|| {
        // Words of at most 33 independent bits: SEED's, and those of an index. More of them are dependent.
        let indices: Vec<u32> = (from..to).filter(|&index| !is_zero(index)).take(34).collect();
        let words: Vec<[u64; 1]> = indices.iter().map(|&index| [seed ^ u64::from(index)]).collect();
        let basis = Basis::of(words.iter().map(<[u64; 1]>::as_slice));
        let mut set: Vec<u32> = basis.null_space().first()?.iter().map(|&place| indices[place]).collect();
        set.sort_unstable();
        Some(set)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::seed::Seed;
    use proptest::prelude::*;

    const RECORDED: Seed = Seed::new(0xDEAD_BEEF_0BAD_F00D);

    fn run(count: u32, active: u32, seed: Seed) -> EngineRun {
        EngineRun { count, active, seed }
    }

    fn bank_sweep(count: u32, seed: Seed) -> Vec<EngineRun> {
        [1, 2, 4, 8].map(|active| run(count, active, seed)).to_vec()
    }

    fn unseen_by_bank_sweep(count: u32, seed: Seed) -> u64 {
        UnseenBanks::of(&bank_sweep(count, seed), 8).sets()
    }

    fn short_sweep_at_eight(counts: u32, seed: Seed) -> Vec<EngineRun> {
        (1..=counts).map(|count| run(count, 8, seed)).collect()
    }

    proptest! {
        #[test]
        fn a_bank_sum_is_the_sum_of_its_deltas(count in 0..3000u32, active in 1..=32u32, bank in 0..33u32, seed: u64) {
            let plain = (0..count)
                .filter(|index| index % active == bank)
                .fold(0, |sum, index| sum ^ Xorshift64.generate(seed ^ u64::from(index)));
            prop_assert_eq!(bank_sum(run(count, active, Seed::new(seed)), bank), plain);
        }

        #[test]
        fn banks_add_up_to_the_right_result_for_any_count(count: u32, active in 1..=32u32, seed: u64) {
            let run = run(count, active, Seed::new(seed));
            let sum = (0..active).fold(0, |sum, bank| sum ^ bank_sum(run, bank));
            prop_assert_eq!(sum, right_result(run));
            if always_zero(count) {
                prop_assert_eq!(sum, 0);
            }
        }

        #[test]
        fn the_rank_of_a_stretch_is_that_of_all_its_words(seed in prop_oneof![any::<u64>(), 0..300u64], from in 0..300u32, len in 0..200u32) {
            let words: Vec<[u64; 1]> = (from..from + len).map(|i| [seed ^ u64::from(i)]).collect();
            let plain = Basis::of(words.iter().map(<[u64; 1]>::as_slice)).rank() as u64;
            prop_assert_eq!(rank(seed, from, from + len), plain);
        }

        #[test]
        fn examples_of_unseen_deltas_do_cancel(seed in prop_oneof![any::<u64>(), 0..300u64], from in 0..300u32, len in 0..200u32) {
            let zero = u32::try_from(seed).ok();
            let example = cancelling(seed, zero, from, from + len);
            if let Some(example) = &example {
                let sum = example.iter().fold(0, |sum, &i| sum ^ Xorshift64.generate(seed ^ u64::from(i)));
                prop_assert_eq!(sum, 0);
                prop_assert!(example.iter().all(|i| (from..from + len).contains(i) && Some(*i) != zero));
            }
            let stretch = u64::from(len) - u64::from(zero.is_some_and(|zero| (from..from + len).contains(&zero)));
            prop_assert_eq!(example.is_some(), rank(seed, from, from + len) < stretch);
        }

        #[test]
        fn the_short_sweep_separates_all_sets_of_dead_banks_for_every_seed(seed in prop_oneof![any::<u64>(), 0..32u64]) {
            prop_assert_eq!(UnseenBanks::of(&short_sweep_at_eight(16, Seed::new(seed)), 8).sets(), 0);
        }
    }

    #[test]
    fn full_clocks_cancel_at_multiples_of_four_active_banks_and_at_no_other() {
        for active in 1..=32 {
            let clock = |c: u32| {
                (0..active).fold(0, |sum, k| sum ^ Xorshift64.generate(0xDEAD_BEEF ^ u64::from(c * active + k)))
            };
            assert_eq!((0..8).all(|c| clock(c) == 0), full_clocks_cancel(active), "{active}");
        }
    }

    #[test]
    fn recorded_results_are_right() {
        assert_eq!(right_result(run(65_537, 1, RECORDED)), 0x17e9_fe29_b5dc_0aad);
        assert_eq!(right_result(run(1_000_003, 1, Seed::new(0xA70A_1CBA_1234_5678))), 0x2dd5_70fa_93fb_0cd3);
    }

    #[test]
    fn the_documented_numbers_of_unseen_sets() {
        let counts = [65_537, 65_536, 77_777, 65_544, 65_549];
        assert_eq!(counts.map(|count| unseen_by_bank_sweep(count, RECORDED)), [127, 255, 63, 15, 0]);
        assert_eq!(unseen_by_bank_sweep(65_537, Seed::new(0x10000)), 255);
        // The rows of fewer banks matter: at 8 banks alone, 65549 leaves 15 sets of banks 0 to 4 unseen.
        assert_eq!(UnseenBanks::of(&[run(65_549, 8, RECORDED)], 8).sets(), 15);
    }

    #[test]
    fn the_first_eight_counts_are_not_enough_for_the_seeds_below_eight() {
        for seed in 0..8 {
            assert!(UnseenBanks::of(&short_sweep_at_eight(8, Seed::new(seed)), 8).sets() > 0, "{seed}");
        }
        assert_eq!(UnseenBanks::of(&short_sweep_at_eight(8, RECORDED), 8).sets(), 0);
    }

    #[test]
    fn of_the_published_sweep_banks_one_to_seven_are_free() {
        let unseen = UnseenBanks::of(&bank_sweep(65_537, RECORDED), 8);
        assert_eq!((unseen.sets(), unseen.all_sets()), (127, 255));
        assert_eq!(unseen.free_banks(), Some((1..8).collect()));
    }

    #[test]
    fn lost_deltas_beyond_the_short_sweep_can_cancel() {
        let mut runs = short_sweep_at_eight(16, RECORDED);
        runs.push(run(65_537, 8, RECORDED));
        let unseen = UnseenDeltas::of(&runs);
        // 65521 deltas from 16 on; they span SEED and the 17 bits of their indices.
        assert_eq!((unseen.deltas, unseen.dimension), (65_537, 65_521 - 18));
        assert_eq!(unseen.example, Some(vec![16, 17, 18, 19]));
    }

    #[test]
    fn the_short_sweep_alone_sees_every_lost_delta_but_the_one_that_is_zero() {
        assert_eq!(UnseenDeltas::of(&short_sweep_at_eight(16, RECORDED)).dimension, 0);
        let unseen = UnseenDeltas::of(&short_sweep_at_eight(16, Seed::new(7)));
        assert_eq!((unseen.dimension, unseen.zero, unseen.example), (1, Some(7), None));
    }
}
