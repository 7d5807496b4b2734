//! Walks from context to context that go over many pairs, or over all of them.

use crate::domain::seed::Stream;

/// Contexts that there are.
const CONTEXTS: usize = 256;

/// A walk from context to context; each step is a pair: the context before and the one after it.
pub struct Circuit(Vec<u8>);

impl Circuit {
    /// A walk over all pairs, each once, that of a context with itself too; of so many pairs if they are fewer, and then
    /// drawn.
    pub fn of_all(stream: &mut Stream, most_pairs: usize) -> Circuit {
        if most_pairs < CONTEXTS * CONTEXTS {
            return Circuit((0..=most_pairs).map(|_| stream.word() as u8).collect());
        }
        // Names of the contexts are drawn, so that the walk is another one under another seed.
        let mut names: Vec<u8> = (0..=u8::MAX).collect();
        stream.shuffle(&mut names);
        let mut contexts: Vec<u8> = de_bruijn(CONTEXTS, 2).into_iter().map(|place| names[place]).collect();
        contexts.push(contexts[0]);
        Circuit(contexts)
    }

    /// Where it starts.
    pub fn start(&self) -> u8 {
        self.0[0]
    }

    /// The contexts that it steps to.
    pub fn steps(&self) -> impl Iterator<Item = u8> {
        self.0[1..].iter().copied()
    }

    /// All contexts that it comes to, each once.
    pub fn visited(&self) -> Vec<u8> {
        let mut contexts = self.0.clone();
        contexts.sort_unstable();
        contexts.dedup();
        contexts
    }

    /// Its pairs.
    #[cfg(test)]
    fn pairs(&self) -> impl Iterator<Item = (u8, u8)> {
        self.0.windows(2).map(|pair| (pair[0], pair[1]))
    }
}

/// Combinations of values that three bits of 16 can have.
const THREES: usize = 560 * 8;

/// The most steps of a drawn walk: many more than are needed, so that it always ends.
const MOST_DRAWN: usize = 1_000;

/// A drawn walk, as long as it takes until every three bits of the numbers of the two contexts of a pair, 16 bits
/// together, have had every combination of values: whatever goes wrong by at most three of these bits is met.
pub fn cover(stream: &mut Stream) -> Circuit {
    let mut met = vec![false; 16 * 16 * 16 * 8];
    let mut left = THREES;
    let mut contexts = vec![stream.word() as u8];
    while left > 0 && contexts.len() <= MOST_DRAWN {
        let (from, to) = (contexts[contexts.len() - 1], stream.word() as u8);
        contexts.push(to);
        let bits = usize::from(from) << 8 | usize::from(to);
        for (first, second, third) in threes() {
            let values = bits >> first & 1 | (bits >> second & 1) << 1 | (bits >> third & 1) << 2;
            let place = ((first * 16 + second) * 16 + third) * 8 + values;
            left -= usize::from(!met[place]);
            met[place] = true;
        }
    }
    Circuit(contexts)
}

fn threes() -> impl Iterator<Item = (usize, usize, usize)> {
    (0..16).flat_map(|first| {
        (first + 1..16).flat_map(move |second| (second + 1..16).map(move |third| (first, second, third)))
    })
}

/// A cyclic sequence over `0..letters` in which every word of `length` letters, two or more, comes exactly once: the Lyndon
/// words whose length divides it, in their order (Fredricksen and Maiorana, 1978).
pub fn de_bruijn(letters: usize, length: usize) -> Vec<usize> {
    let mut sequence = Vec::with_capacity(letters.pow(length as u32));
    let mut word = vec![0];
    while !word.is_empty() {
        if length.is_multiple_of(word.len()) {
            sequence.extend(&word);
        }
        // The next Lyndon word of at most this length: repeated to the full length, without its last letters that are the
        // highest, and with the one before them raised.
        word = word.iter().copied().cycle().take(length).collect();
        while word.last() == Some(&(letters - 1)) {
            word.pop();
        }
        if let Some(last) = word.last_mut() {
            *last += 1;
        }
    }
    sequence
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::seed::Seed;
    use std::collections::BTreeSet;

    #[test]
    fn every_word_comes_once_in_a_de_bruijn_sequence() {
        for (letters, length) in [(2, 3), (8, 2), (8, 3), (256, 2)] {
            let mut sequence = de_bruijn(letters, length);
            assert_eq!(sequence.len(), letters.pow(length as u32));
            sequence.extend_from_within(..length - 1);
            let words: BTreeSet<&[usize]> = sequence.windows(length).collect();
            assert_eq!(words.len(), letters.pow(length as u32));
        }
    }

    #[test]
    fn the_whole_walk_goes_over_every_pair_once() {
        let circuit = Circuit::of_all(&mut Seed::new(3).stream("x"), usize::MAX);
        let pairs: BTreeSet<(u8, u8)> = circuit.pairs().collect();
        assert_eq!((pairs.len(), circuit.pairs().count()), (65_536, 65_536));
        assert_eq!(Circuit::of_all(&mut Seed::new(3).stream("x"), 100).pairs().count(), 100);
    }

    #[test]
    fn a_drawn_walk_meets_every_combination_of_three_bits() {
        for seed in 0..50 {
            let circuit = cover(&mut Seed::new(seed).stream("x"));
            let mut met = BTreeSet::new();
            for (from, to) in circuit.pairs() {
                let bits = usize::from(from) << 8 | usize::from(to);
                met.extend(threes().map(|(a, b, c)| (a, b, c, bits >> a & 1, bits >> b & 1, bits >> c & 1)));
            }
            assert_eq!(met.len(), THREES, "seed {seed}");
            assert!(circuit.pairs().count() < 200, "seed {seed}: {}", circuit.pairs().count());
        }
    }
}
