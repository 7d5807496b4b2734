//! Seeded orders cannot be told from random ones by a differential test that tells a weaker family.
//!
//! For a permutation `p` of `0..n` and a distance `d`, the differences `p(i ^ d) - p(i)` modulo `n` of all pairs are
//! counted. In a random permutation of 16384 deltas two of the 8192 differences are equal about 2048 times. A permutation
//! that carries structure from neighbouring positions to what they deliver has many more equal ones, at some distance.

use abench::domain::order::{Order, Shuffle};
use abench::domain::seed::{Seed, Stream};
use abench::explore::feistel::Feistel;
use abench::explore::permutation::{Permutation, shuffle_of};

const DELTAS: usize = 16_384;
const BITS: u32 = DELTAS.ilog2();

/// Permutations of each family.
const KEYS: u64 = 300;

/// Standard deviations from the mean at which a permutation is told from a random one. The counts of a random permutation
/// are close to Poisson's; at 14 distances and two ways to take a difference, 300 permutations pass this with a
/// probability of about 1 in 2,000.
const TOLD: f64 = 5.7;

fn permutation(order: impl Fn(u64) -> u64) -> Vec<u32> {
    (0..DELTAS as u64).map(|position| order(position) as u32).collect()
}

/// The greatest number of equal pairs among the differences at any power-of-two distance, in standard deviations above
/// what a random permutation has.
fn most_equal_differences(permutation: &[u32]) -> f64 {
    let pairs = DELTAS as f64 / 2.0;
    // By subtraction a difference is one of n - 1 values, and so it is by exclusive or.
    let expected = pairs * (pairs - 1.0) / 2.0 / (DELTAS as f64 - 1.0);
    let equal = |difference: &dyn Fn(u32, u32) -> u32, distance: usize| {
        let mut counts = vec![0u64; DELTAS];
        for position in (0..DELTAS).filter(|position| position & distance == 0) {
            counts[difference(permutation[position | distance], permutation[position]) as usize] += 1;
        }
        counts.iter().map(|count| count * count.saturating_sub(1) / 2).sum::<u64>() as f64
    };
    let minus = |a: u32, b: u32| a.wrapping_sub(b) % DELTAS as u32;
    let xor = |a: u32, b: u32| a ^ b;
    let distances = (0..BITS).map(|bit| 1 << bit);
    let counts = distances.flat_map(|distance| [equal(&minus, distance), equal(&xor, distance)]);
    counts.map(|count| (count - expected) / expected.sqrt()).fold(f64::MIN, f64::max)
}

/// How many permutations of a family are told from random ones.
fn told(family: impl Fn(&mut Stream) -> Vec<u32>) -> usize {
    let stream = Seed::new(0xDEAD_BEEF_0BAD_F00D).stream("differential");
    (0..KEYS).filter(|&key| most_equal_differences(&family(&mut stream.member(key))) > TOLD).count()
}

/// A weaker family, as a control of the test's power: rounds of add, multiply by an odd number, and xor-shift.
fn keyed(stream: &mut Stream, rounds: usize) -> Vec<u32> {
    let keys: Vec<(u64, u64)> = (0..rounds).map(|_| (stream.word(), stream.word() | 1)).collect();
    let mask = DELTAS as u64 - 1;
    permutation(|position| {
        keys.iter().fold(position, |x, (add, multiply)| {
            let mixed = x.wrapping_add(*add).wrapping_mul(*multiply) & mask;
            mixed ^ mixed >> (BITS / 2)
        })
    })
}

#[test]
fn no_seeded_order_is_told_from_a_random_one_by_a_differential_that_tells_a_keyed_mix() {
    let shuffled = told(|stream| {
        let mut indices: Vec<u32> = (0..DELTAS as u32).collect();
        stream.shuffle(&mut indices);
        indices
    });
    let feistel = told(|stream| {
        let feistel = Feistel::draw(DELTAS as u64, stream);
        permutation(|position| feistel.index(position))
    });
    assert_eq!((shuffled, feistel), (0, 0));
    let weak = [1, 2, 4].map(|rounds| told(|stream| keyed(stream, rounds)));
    eprintln!("told: keyed mixes of 1, 2 and 4 rounds {weak:?} of {KEYS}");
    assert!(weak[0] == KEYS as usize && weak[1] == KEYS as usize && weak[2] >= 30, "told: {weak:?} of {KEYS}");
}

#[test]
fn seeded_orders_are_shuffles_up_to_131072_deltas_and_feistel_networks_above() {
    assert_eq!(
        [5, 4097, 16_384, 65_537, 1 << 17, (1 << 17) + 1, u64::from(u32::MAX)].map(shuffle_of),
        [[Shuffle::FisherYates; 5].as_slice(), &[Shuffle::Feistel; 2]].concat().as_slice()
    );
    // What is delivered is what the family says.
    let seed = Seed::new(7);
    let mut shuffled: Vec<u64> = (0..DELTAS as u64).collect();
    seed.stream("orders").member(3).shuffle(&mut shuffled);
    let mut delivered = vec![0; DELTAS];
    Permutation::prepare(&Order::Seeded(3), DELTAS as u64, seed).fill(0, &mut delivered);
    assert_eq!(delivered, shuffled);
    let feistel = Feistel::draw(1 << 20, &mut seed.stream("orders").member(3));
    let mut delivered = vec![0; 1000];
    Permutation::prepare(&Order::Seeded(3), 1 << 20, seed).fill(5000, &mut delivered);
    assert!(delivered.into_iter().eq((5000..6000).map(|position| feistel.index(position))));
}
