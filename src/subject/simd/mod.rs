//! The vector accumulator: the widest units that the processor has, chosen when it is made.
//!
//! One kernel in safe Rust (`portable.rs`) is compiled once for each unit; this module knows which units there are and
//! asks the processor, so that an ordinary build runs at full speed everywhere. It knows nothing of threads.
//!
//! # How far from the limit
//!
//! An estimate for AVX-512 on Zen 4, which executes a 512-bit operation as two halves on four 256-bit pipes: at best two
//! such operations a cycle, of which at most one is a shift and one a multiplication. For a vector of eight deltas,
//!
//! * xorshift64 takes 7 operations: one for the inputs, three shifts, two XORs, and one ternary logic operation that is
//!   the third XOR and the accumulation: 3.5 cycles, 2.29 deltas a cycle.
//! * splitmix64 takes 9: one addition for the inputs and the gamma, three shifts, two XORs, two multiplications, and the
//!   ternary logic operation: 4.5 cycles, 1.78 deltas a cycle.
//!
//! It assumes that loop control, the one broadcast a block and the loads of lane offsets are hidden, and that no pipe
//! ever waits; the throughputs were measured, one kind of instruction at a time. At 3.6 GHz the limits are 8.2 and 6.4 G
//! deltas/s; 7.9 and 5.8 were measured on one core of such a processor: 96 % and 90 %. The clock was measured too, by a
//! chain of additions; that vector code runs at the same clock is assumed. Faster needs fewer operations, and those that
//! are left are the generator's own.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use std::fmt;
use std::ops::Range;

use crate::domain::delta::{Deltas, Generate, Generator, SplitMix64, Xorshift64};
use crate::domain::subject::{Accumulator, WordState};
use crate::subject::word::Word;

/// The vector units that there are kernels for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// AVX-512 F and DQ on x86-64: 512 bits.
    Avx512,
    /// AVX2 on x86-64: 256 bits.
    Avx2,
    /// What every processor of the target has.
    Portable,
}

impl Unit {
    /// All of them, the widest first.
    pub const ALL: [Unit; 3] = [Unit::Avx512, Unit::Avx2, Unit::Portable];
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Unit::Avx512 => "avx512",
            Unit::Avx2 => "avx2",
            Unit::Portable => "portable",
        })
    }
}

/// The kernels of a unit, which exist only if the processor has it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kernels {
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Avx512),
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    Portable,
}

impl Kernels {
    fn of(unit: Unit) -> Option<Self> {
        match unit {
            #[cfg(target_arch = "x86_64")]
            Unit::Avx512 => avx512::Avx512::detect().map(Kernels::Avx512),
            #[cfg(target_arch = "x86_64")]
            Unit::Avx2 => avx2::Avx2::detect().map(Kernels::Avx2),
            #[cfg(not(target_arch = "x86_64"))]
            Unit::Avx512 | Unit::Avx2 => None,
            Unit::Portable => Some(Kernels::Portable),
        }
    }

    fn unit(self) -> Unit {
        match self {
            #[cfg(target_arch = "x86_64")]
            Kernels::Avx512(_) => Unit::Avx512,
            #[cfg(target_arch = "x86_64")]
            Kernels::Avx2(_) => Unit::Avx2,
            Kernels::Portable => Unit::Portable,
        }
    }

    /// The widest kernels that this processor can run.
    pub(super) fn best() -> Self {
        Unit::ALL.into_iter().find_map(Kernels::of).unwrap_or(Kernels::Portable)
    }

    /// XOR of the deltas with these indices.
    pub(super) fn accumulate(self, deltas: Deltas, indices: Range<u64>) -> u64 {
        let seed = deltas.seed.value();
        match deltas.generator {
            Generator::Xorshift64 => self.generate(Xorshift64, seed, indices),
            Generator::SplitMix64 => self.generate(SplitMix64, seed, indices),
        }
    }

    fn generate<G: Generate>(self, generator: G, seed: u64, indices: Range<u64>) -> u64 {
        match self {
            #[cfg(target_arch = "x86_64")]
            Kernels::Avx512(unit) => unit.accumulate(generator, seed, indices),
            #[cfg(target_arch = "x86_64")]
            Kernels::Avx2(unit) => unit.accumulate(generator, seed, indices),
            Kernels::Portable => portable::accumulate(generator, seed, indices),
        }
    }

    /// XOR of these deltas. Calling into a unit takes longer than a few of them are worth.
    #[inline]
    pub(super) fn fold(self, arrivals: &[u64]) -> u64 {
        if arrivals.len() < SHORTEST_FOLD {
            return portable::stored(arrivals);
        }
        match self {
            #[cfg(target_arch = "x86_64")]
            Kernels::Avx512(unit) => unit.fold(arrivals),
            #[cfg(target_arch = "x86_64")]
            Kernels::Avx2(unit) => unit.fold(arrivals),
            Kernels::Portable => portable::fold(arrivals),
        }
    }
}

/// Deltas in the longest block of any unit. The blocks of the others divide it.
pub const LONGEST_BLOCK: u64 = 128;

/// Arrivals from which on a unit takes them, and not the caller.
const SHORTEST_FOLD: usize = 8;

/// A 64-bit state into which deltas are XORed a block at a time, on the calling thread.
#[derive(Clone, Debug)]
pub struct Simd {
    kernels: Kernels,
    state: u64,
}

impl Simd {
    /// One with state 0 on the widest unit of this processor.
    pub fn best() -> Self {
        Simd { kernels: Kernels::best(), state: 0 }
    }

    /// One with state 0 on this unit; none if the processor lacks it.
    pub fn with(unit: Unit) -> Option<Self> {
        Kernels::of(unit).map(|kernels| Simd { kernels, state: 0 })
    }

    /// The unit that it computes on. It depends on the machine, so it belongs into a record's `host` section alone.
    pub fn unit(&self) -> Unit {
        self.kernels.unit()
    }
}

impl Word for Simd {
    const NAME: &'static str = "simd";

    fn word(&mut self) -> &mut u64 {
        &mut self.state
    }
}

impl WordState for Simd {
    fn after(&self, state: u64, arrivals: &[u64]) -> u64 {
        state ^ self.kernels.fold(arrivals)
    }
}

impl Accumulator for Simd {
    fn accumulate(&mut self, deltas: Deltas, indices: Range<u64>) {
        self.state ^= self.kernels.accumulate(deltas, indices);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::seed::Seed;
    use crate::domain::subject::Subject;
    use crate::subject::scalar::agreement::{arrivals, assert_same_delivery, assert_same_sum, ranges, workloads};
    use proptest::prelude::*;

    fn on_every_unit(check: impl Fn(&mut Simd)) {
        for unit in Unit::ALL {
            match Simd::with(unit) {
                Some(mut simd) => {
                    assert_eq!(simd.unit(), unit);
                    check(&mut simd);
                }
                None => eprintln!("not tested: this processor has no {unit}"),
            }
        }
    }

    #[test]
    fn the_best_unit_is_the_widest_that_the_processor_has() {
        #[cfg(target_arch = "x86_64")]
        let widest = if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
            Unit::Avx512
        } else if is_x86_feature_detected!("avx2") {
            Unit::Avx2
        } else {
            Unit::Portable
        };
        #[cfg(not(target_arch = "x86_64"))]
        let widest = Unit::Portable;
        assert_eq!(Simd::best().unit(), widest);
    }

    #[test]
    fn every_length_and_alignment_around_a_block_is_covered() {
        on_every_unit(|simd| {
            for generator in [Generator::Xorshift64, Generator::SplitMix64] {
                let deltas = Deltas { generator, seed: Seed::new(0xDEAD_BEEF_0BAD_F00D) };
                for start in [0, 1, 15, 16, 63, 64, 127, 128, 129, (1 << 32) - 100] {
                    for length in 0..300 {
                        assert_same_sum(simd, deltas, start..start + length);
                    }
                }
                assert_same_sum(simd, deltas, u64::MAX - 300..u64::MAX);
            }
        });
    }

    #[test]
    fn every_unit_gives_the_recorded_result() {
        on_every_unit(|simd| {
            simd.accumulate(Deltas::of_engine(Seed::new(0xA70A_1CBA_1234_5678)), 0..1_000_003);
            assert_eq!(simd.observe(), Ok(0x2dd5_70fa_93fb_0cd3));
        });
    }

    proptest! {
        #[test]
        fn every_unit_accumulates_what_the_reference_does(deltas in workloads(), indices in ranges(2000)) {
            on_every_unit(|simd| assert_same_sum(simd, deltas, indices.clone()));
        }

        #[test]
        fn every_unit_takes_the_arrivals_that_the_reference_does(
            length in 0..2000usize, skipped in 0..9usize, seed: u64, cut in 0..2000usize
        ) {
            let all = arrivals(length + skipped, seed);
            on_every_unit(|simd| assert_same_delivery(simd, &all[skipped..], cut));
        }
    }
}
