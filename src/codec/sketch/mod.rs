//! Set reconciliation: two replicas that do not know what the other has find out in which elements their sets differ, in bytes
//! that grow with the difference and not with the sets.
//!
//! A set's sketch is the sums of odd powers of its elements' hashes, in the field of 2^48 elements (Y. Dodis, L. Reyzin and
//! A. Smith, "Fuzzy extractors", Eurocrypt 2004: PinSketch). The sum of two sketches is that of the difference of the sets. As
//! many sums as there are differences give the differing hashes; nobody needs to know how many that are, since more sums can
//! follow: they are sent in parts until the other side can tell. So many sums more than needed, and a checksum of the set, say
//! that the answer is right.
//!
//! Knows: sets of ids. Must not: know what an id names.

mod field;
mod polynomial;

use std::collections::HashMap;
use std::hash::Hasher;

use siphasher::sip::SipHasher24;

use field::{BITS, MASK, Multiplier, square};

/// Bytes of a sum.
const BYTES: usize = BITS as usize / 8;

/// Sums in the first part; each further part has half as many as were sent before, rounded up, so that never more than half of
/// what is needed is sent in vain.
const FIRST: usize = 4;

/// Sums beyond the differences that must agree before an answer is believed: a wrong one does with one in 2^48.
const SPARE: usize = 1;

/// The most differences that are looked for; whoever differs in more sends everything.
pub const MOST: usize = 1024;

/// A set of ids, each below 2^64, as one side of a reconciliation sees it.
pub struct Sketch<'a> {
    ids: &'a [u64],
    salt: u64,
    /// The powers of each element that come next, and the sums so far.
    powers: Vec<(u64, u64)>,
    sums: Vec<u64>,
    checksum: u64,
}

/// The hash of an id, which is not 0.
fn hashed(id: u64, salt: u64) -> u64 {
    let mut hasher = SipHasher24::new_with_keys(salt, 0);
    hasher.write_u64(id);
    1 + hasher.finish() % MASK
}

impl<'a> Sketch<'a> {
    /// The sketch of a set. Both sides must use the same salt; another salt is another chance where two ids have one hash.
    pub fn of(ids: &'a [u64], salt: u64) -> Self {
        let hashes: Vec<u64> = ids.iter().map(|&id| hashed(id, salt)).collect();
        let checksum = ids.iter().fold(0, |sum, &id| sum ^ hashed(id, !salt));
        let powers = hashes.into_iter().map(|hash| (hash, square(hash))).collect();
        Sketch { ids, salt, powers, sums: Vec::new(), checksum }
    }

    /// The first `most` sums.
    fn sums(&mut self, most: usize) -> &[u64] {
        let missing = most.saturating_sub(self.sums.len());
        if missing > 0 {
            let mut sums = vec![0; missing];
            for (power, by) in &mut self.powers {
                let by = Multiplier::of(*by);
                for sum in &mut sums {
                    *sum ^= *power;
                    *power = by.times(*power);
                }
            }
            self.sums.extend(sums);
        }
        &self.sums[..most]
    }

    /// The part that follows the first `sent` sums. The first part begins with the checksum.
    pub fn part(&mut self, sent: usize) -> Vec<u8> {
        let until = sent + if sent == 0 { FIRST } else { sent.div_ceil(2) };
        let mut bytes = Vec::new();
        if sent == 0 {
            bytes.extend_from_slice(&self.checksum.to_le_bytes()[..BYTES]);
        }
        for sum in &self.sums(until)[sent..] {
            bytes.extend_from_slice(&sum.to_le_bytes()[..BYTES]);
        }
        bytes
    }

    /// What the parts of the other side tell so far.
    pub fn compare(&mut self, parts: &[u8]) -> Compared {
        if !parts.len().is_multiple_of(BYTES) || parts.len() < 2 * BYTES {
            return Compared::NoSketch;
        }
        let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        let mut words = parts.chunks_exact(BYTES).map(word);
        let checksum = words.next().unwrap_or_default() ^ self.checksum;
        let theirs: Vec<u64> = words.collect();
        let count = theirs.len();
        let sums: Vec<u64> = self.sums(count).iter().zip(&theirs).map(|(ours, theirs)| ours ^ theirs).collect();
        if sums.iter().all(|&sum| sum == 0) && checksum & MASK == 0 {
            return Compared::Differ(Vec::new());
        }
        // Even powers are squares: all powers from 1 on.
        let mut sequence = vec![0; 2 * count];
        for place in 0..sequence.len() {
            sequence[place] = if place % 2 == 0 { sums[place / 2] } else { square(sequence[place / 2]) };
        }
        let (locator, differences) = polynomial::recurrence(&sequence);
        if differences + SPARE > count || locator.len() != differences + 1 {
            return Compared::More(count);
        }
        // The roots of the reversed locator are the hashes.
        let reversed: Vec<u64> = locator.into_iter().rev().collect();
        match polynomial::roots(reversed) {
            Some(hashes) if hashes.len() == differences => Compared::Differ(self.side(hashes)),
            _ => Compared::More(count),
        }
    }

    /// Which of these hashes are of own ids, and which are not.
    fn side(&self, hashes: Vec<u64>) -> Vec<Difference> {
        let own: HashMap<u64, u64> = self.ids.iter().map(|&id| (hashed(id, self.salt), id)).collect();
        let mut differences: Vec<Difference> = hashes
            .into_iter()
            .map(|hash| own.get(&hash).map_or(Difference::Theirs(hash), |&id| Difference::Ours(id)))
            .collect();
        differences.sort_unstable();
        differences
    }

    /// The ids of these hashes that are in the set.
    pub fn named(&self, hashes: &[u64]) -> Vec<u64> {
        let own: HashMap<u64, u64> = self.ids.iter().map(|&id| (hashed(id, self.salt), id)).collect();
        hashes.iter().filter_map(|hash| own.get(hash).copied()).collect()
    }
}

/// An element that one side has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// An id that this side has.
    Ours(u64),
    /// The hash of an id that the other side has.
    Theirs(u64),
}

/// What two sketches tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// The sets differ in these.
    Differ(Vec<Difference>),
    /// They differ in more than this many sums can tell.
    More(usize),
    /// These bytes are no sketch.
    NoSketch,
}

/// What a reconciliation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Bytes of both sides: sums, a byte for each request for more, and the hashes that the asking side lacks.
    pub bytes: u64,
    /// Parts that were sent.
    pub parts: u32,
}

/// Two sides find their differences: one sends parts, the other asks for more until it can tell, and then for what it lacks. What
/// is to be sent in the end, the ids with their content, is not counted. Nothing where they differ in more than [`MOST`].
pub fn reconcile(sender: &mut Sketch<'_>, receiver: &mut Sketch<'_>) -> Option<(Taken, Vec<Difference>)> {
    let (mut taken, mut received, mut sent) = (Taken { bytes: 0, parts: 0 }, Vec::new(), 0);
    loop {
        let part = sender.part(sent);
        (taken.bytes, taken.parts) = (taken.bytes + part.len() as u64, taken.parts + 1);
        received.extend(part);
        match receiver.compare(&received) {
            Compared::Differ(differences) => {
                let lacking = differences.iter().filter(|one| matches!(one, Difference::Theirs(_))).count();
                taken.bytes += 1 + (BYTES * lacking) as u64;
                return Some((taken, differences));
            }
            Compared::More(count) if count <= MOST + SPARE => {
                sent = count;
                taken.bytes += 1;
            }
            Compared::More(_) | Compared::NoSketch => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn found(one: &[u64], other: &[u64], salt: u64) -> (Taken, BTreeSet<u64>, BTreeSet<u64>) {
        let (mut sender, mut receiver) = (Sketch::of(one, salt), Sketch::of(other, salt));
        let (taken, differences) = reconcile(&mut sender, &mut receiver).expect("few differ");
        let ours = differences.iter().filter_map(|of| if let Difference::Ours(id) = of { Some(*id) } else { None });
        let theirs =
            differences.iter().filter_map(|of| if let Difference::Theirs(hash) = of { Some(*hash) } else { None });
        let theirs = sender.named(&theirs.collect::<Vec<_>>()).into_iter().collect();
        (taken, ours.collect(), theirs)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn two_sets_find_all_that_one_of_them_has_alone(
            both in prop::collection::btree_set(any::<u64>(), 0..200),
            one in prop::collection::btree_set(any::<u64>(), 0..30),
            other in prop::collection::btree_set(any::<u64>(), 0..30),
            salt in any::<u64>(),
        ) {
            let sender: Vec<u64> = both.union(&one).copied().collect();
            let receiver: Vec<u64> = both.union(&other).copied().collect();
            let (_, ours, theirs) = found(&sender, &receiver, salt);
            let expected = |of: &[u64], without: &[u64]| -> BTreeSet<u64> {
                of.iter().filter(|id| !without.contains(id)).copied().collect()
            };
            prop_assert_eq!(ours, expected(&receiver, &sender));
            prop_assert_eq!(theirs, expected(&sender, &receiver));
        }

        #[test]
        fn any_bytes_are_compared_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            let ids: Vec<u64> = (0..50).collect();
            let _ = Sketch::of(&ids, 7).compare(&bytes);
        }
    }

    #[test]
    fn twenty_differences_of_many_take_at_most_300_bytes_whatever_the_sets_size() {
        let drawn = |from: u64, count: u64| (from..from + count).map(|id| id.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        for (number, seed) in (0..20).map(|seed| (20_000, seed)) {
            let both: Vec<u64> = drawn(seed << 32, number).collect();
            let sender: Vec<u64> = both.iter().copied().chain(drawn(1 << 60 | seed << 8, 10)).collect();
            let receiver: Vec<u64> = both.iter().copied().chain(drawn(1 << 61 | seed << 8, 10)).collect();
            let (taken, ours, theirs) = found(&sender, &receiver, seed);
            assert_eq!((ours.len(), theirs.len()), (10, 10));
            assert!(taken.bytes <= 300, "{seed}: {taken:?}");
        }
    }

    #[test]
    fn sets_that_differ_in_more_than_a_sketch_is_for_are_told() {
        let (one, other): (Vec<u64>, Vec<u64>) = ((0..1500).collect(), (2000..2001).collect());
        assert_eq!(reconcile(&mut Sketch::of(&one, 1), &mut Sketch::of(&other, 1)), None);
    }
}
