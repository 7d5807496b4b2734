//! How much slower, and how sure that is: the ratio of two medians with its 95 % interval, by a bootstrap.
//!
//! The samples of a record were taken one after the other in one process: what disturbs one, another program or a hot
//! processor, often disturbs the next. A bootstrap that draws single samples takes them for independent, and its interval
//! is too narrow. So blocks of neighbours are drawn as well: the circular block bootstrap (Politis and Romano, "A circular
//! block-resampling procedure for stationary data", 1992), with blocks of n^(1/3) samples (Hall, Horowitz and Jing,
//! Biometrika 82(3), 1995). Of few samples, blocks alone are too narrow in turn; the interval is the wider of both. It is
//! then stretched, on the scale of ratios, by the factor by which percentile intervals of few samples are too narrow:
//! `sqrt(n / (n - 1)) * t / z` (Hesterberg, "What teachers should know about the bootstrap", The American Statistician
//! 69(4), 2015).
//!
//! So it contains the truth in more than 95 % of the cases where samples are independent, and in about 95 % where each
//! goes for three tenths of the next. Stronger ties make it too sure, which no arithmetic on five samples can mend:
//! [`times`](super::times) asks for more than this interval.
//!
//! Random numbers are ChaCha20 in named streams under a fixed seed: the same samples give the same interval. The interval
//! of NEW against BASE is the reciprocal of that of BASE against NEW.

use crate::domain::seed::{Seed, Stream};

/// The fewest samples that have an interval.
pub const FEWEST: usize = 5;

/// Resamples for either assignment of the two streams.
const RESAMPLES: usize = 1000;

/// A ratio, and where it is with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Interval {
    /// The value by the samples as they are.
    pub value: f64,
    /// 97.5 % of the resamples have more.
    pub lower: f64,
    /// 97.5 % of the resamples have less.
    pub upper: f64,
}

/// Half of the values are at most so large. Of no value, 0.
pub fn median(values: &[f64]) -> f64 {
    median_of(values.to_vec())
}

fn median_of(mut sorted: Vec<f64>) -> f64 {
    sorted.sort_unstable_by(f64::total_cmp);
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => 0.0,
        (length, middle) if length % 2 == 1 => sorted[middle],
        (_, middle) => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// The median of NEW by that of BASE; nothing with too few samples, or with a time of 0.
pub fn ratio_of_medians(base: &[f64], new: &[f64]) -> Option<Interval> {
    let usable = |samples: &[f64]| samples.len() >= FEWEST && samples.iter().all(|&sample| sample > 0.0);
    if !usable(base) || !usable(new) {
        return None;
    }
    let ratios = |is_of_blocks: bool| {
        let length = |samples: &[f64]| if is_of_blocks { block(samples.len()) } else { 1 };
        let mut ratios = Vec::with_capacity(2 * RESAMPLES);
        // Each stream serves each side, so that the random numbers do not distinguish the sides.
        for [of_base, of_new] in [["one", "other"], ["other", "one"]] {
            let (mut of_base, mut of_new) = (stream(of_base), stream(of_new));
            for _ in 0..RESAMPLES {
                let new = median_of(resample(new, length(new), &mut of_new));
                ratios.push(new / median_of(resample(base, length(base), &mut of_base)));
            }
        }
        middle(ratios)
    };
    let value = median(new) / median(base);
    Some(stretched(value, [ratios(false), ratios(true)], base.len().min(new.len())))
}

/// The median of one record's samples with its interval; nothing with too few samples, or with a time of 0.
pub fn of_median(samples: &[f64]) -> Option<Interval> {
    if samples.len() < FEWEST || samples.iter().any(|&sample| sample <= 0.0) {
        return None;
    }
    let medians = |length: usize| {
        let mut stream = stream("one");
        middle((0..2 * RESAMPLES).map(|_| median_of(resample(samples, length, &mut stream))).collect())
    };
    Some(stretched(median(samples), [medians(1), medians(block(samples.len()))], samples.len()))
}

fn stream(name: &str) -> Stream {
    Seed::new(0).stream(&format!("bootstrap {name}"))
}

/// How many neighbours are drawn together, of so many samples.
fn block(samples: usize) -> usize {
    (samples as f64).cbrt().ceil() as usize
}

/// The bounds of the middle 95 %.
fn middle(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    // 2.5 % of 2,000 values are below the first bound, and as many above the second.
    let outside = values.len() / 40;
    (values[outside], values[values.len() - 1 - outside])
}

/// The wider of two pairs of bounds, stretched away from the value for so few samples.
fn stretched(value: f64, [one, other]: [(f64, f64); 2], samples: usize) -> Interval {
    let free = samples as f64 - 1.0;
    let factor = (samples as f64 / free).sqrt() * student(free) / Z;
    let away = |bound: f64| value * (bound / value).powf(factor);
    Interval { value, lower: away(one.0.min(other.0)).min(value), upper: away(one.1.max(other.1)).max(value) }
}

/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.96;

/// That of Student's distribution, by the Cornish-Fisher expansion (Abramowitz and Stegun, 26.7.5).
fn student(free: f64) -> f64 {
    let first = (Z.powi(3) + Z) / (4.0 * free);
    let second = (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / (96.0 * free * free);
    Z + first + second
}

/// As many samples, in blocks of so many neighbours that begin anywhere; the first follows the last.
fn resample(samples: &[f64], length: usize, stream: &mut Stream) -> Vec<f64> {
    let mut drawn = Vec::with_capacity(samples.len() + length);
    while drawn.len() < samples.len() {
        let start = stream.below(samples.len() as u64) as usize;
        drawn.extend((start..start + length).map(|place| samples[place % samples.len()]));
    }
    drawn.truncate(samples.len());
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Times as a busy machine gives them: never below what the work takes, some far above; each like the one before.
    fn times(seed: u64, count: usize, memory: f64) -> Vec<f64> {
        let mut stream = Seed::new(seed).stream("times");
        let mut unit = || (stream.word() >> 11) as f64 / (1u64 << 53) as f64;
        let mut load = 0.0;
        let sample = |_| {
            load = memory * load + (1.0 - memory) * -unit().max(1e-12).ln();
            1000.0 * (1.0 + 0.5 * load)
        };
        (0..count).map(sample).collect()
    }

    /// In how many of 200 pairs from one distribution the interval contains 1.
    fn covered(count: usize, memory: f64) -> u32 {
        let contains = |pair: u64| {
            let (base, new) = (times(2 * pair, count, memory), times(2 * pair + 1, count, memory));
            let interval = ratio_of_medians(&base, &new).expect("there are enough");
            interval.lower <= 1.0 && interval.upper >= 1.0
        };
        (0..200).filter(|&pair| contains(pair)).count() as u32
    }

    #[test]
    fn of_equal_distributions_the_interval_contains_1_in_about_95_of_100_pairs_or_more() {
        for (count, memory) in [(5, 0.0), (5, 0.3), (10, 0.0), (10, 0.3)] {
            let covered = covered(count, memory);
            let least = if memory == 0.0 { 190 } else { 184 };
            assert!(covered >= least, "{count} samples that go for {memory} of the next: {covered} of 200");
        }
    }

    #[test]
    fn on_a_busy_machine_10_samples_see_a_slow_down_of_2_in_at_least_42_of_50_pairs() {
        let seen = |memory: f64| {
            let pairs = (0..50).filter(|pair| {
                let base = times(2 * pair, 10, memory);
                let new: Vec<f64> = times(2 * pair + 1, 10, memory).iter().map(|time| 2.0 * time).collect();
                ratio_of_medians(&base, &new).expect("there are enough").lower > 1.25
            });
            pairs.count()
        };
        // What is missed is the price of a gate that is quiet: the samples of a busy machine spread by half of themselves.
        assert_eq!([0.1, 0.2, 0.3].map(seen), [42, 43, 47]);
    }

    #[test]
    fn the_quantile_is_students() {
        // Tables: 2.776 with 4 degrees of freedom, 2.262 with 9, 2.045 with 29.
        for (free, quantile) in [(4.0, 2.776), (9.0, 2.262), (29.0, 2.045)] {
            assert!((student(free) - quantile).abs() < 0.06, "{free}: {}", student(free));
        }
    }

    #[test]
    fn too_few_samples_have_no_interval() {
        assert_eq!(ratio_of_medians(&[1.0; 4], &[1.0; 5]), None);
        assert_eq!(ratio_of_medians(&[0.0; 5], &[1.0; 5]), None);
        assert_eq!(of_median(&[1.0; 4]), None);
        let still = ratio_of_medians(&[2.0; 5], &[4.0; 5]).expect("there are enough");
        assert_eq!((still.value, still.lower, still.upper), (2.0, 2.0, 2.0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn swapping_base_and_new_gives_the_reciprocal_and_the_value_is_inside(
            base in prop::collection::vec(1.0f64..1e9, 5..30),
            new in prop::collection::vec(1.0f64..1e9, 5..30),
        ) {
            let (there, back) = (ratio_of_medians(&base, &new), ratio_of_medians(&new, &base));
            let (there, back) = (there.expect("enough"), back.expect("enough"));
            let near = |one: f64, other: f64| (one * other - 1.0).abs() < 1e-9;
            prop_assert!(near(there.value, back.value), "{there:?} {back:?}");
            prop_assert!(near(there.lower, back.upper) && near(there.upper, back.lower), "{there:?} {back:?}");
            prop_assert!(there.lower <= there.value && there.value <= there.upper, "{there:?}");
        }
    }
}
