use super::*;
use crate::domain::algebra::{Algebra, REGISTRY, minifloat};
use crate::domain::watch::Unwatched;
use proptest::prelude::*;

const SEED: Seed = Seed::new(0xDEAD_BEEF_0BAD_F00D);

fn tried(entry: &Entry, law: Law, seed: Seed, tries: u64) -> LawTrial {
    try_law(entry, law, seed, tries, &mut Unwatched).expect("nothing stops it")
}

fn entry(name: &str) -> Entry {
    *REGISTRY.iter().find(|entry| entry.name == name).expect("it is registered")
}

/// The laws at 8 bits, written out without a table, an order or a witness: how many cases contradict.
fn brute_force(entry: &Entry, law: Law) -> Option<u64> {
    let m = entry.at_8.merge;
    let words: Vec<u8> = match entry.at_8.reading {
        Reading::Float => (0..=255u8).filter(|&w| w == 0x7E || (w != 0x80 && !minifloat::decode(w).is_nan())).collect(),
        _ => (0..=255).collect(),
    };
    let count = |wrong: &dyn Fn(u8) -> u64| words.iter().map(|&a| wrong(a)).sum::<u64>();
    Some(match law {
        Law::Commutative => count(&|a| words.iter().filter(|&&b| m(a, b) != m(b, a)).count() as u64),
        Law::Associative => count(&|a| {
            let of_pair = |b: u8| words.iter().filter(|&&c| m(m(a, b), c) != m(a, m(b, c))).count() as u64;
            words.iter().map(|&b| of_pair(b)).sum()
        }),
        Law::Idempotent => count(&|a| u64::from(m(a, a) != a)),
        Law::Identity => match entry.at_8.identity {
            Some(e) => count(&|a| u64::from(m(a, e) != a || m(e, a) != a)),
            None => count(&|e| u64::from(words.iter().any(|&a| m(a, e) != a || m(e, a) != a))),
        },
        Law::Inverse => {
            let e = entry.at_8.identity?;
            match entry.at_8.inverse {
                Some(inverse) => count(&|a| u64::from(m(a, (inverse.of)(a)) != e || m((inverse.of)(a), a) != e)),
                None => count(&|a| u64::from(!words.iter().any(|&b| m(a, b) == e && m(b, a) == e))),
            }
        }
    })
}

#[test]
fn exhaustive_at_8_bits_counts_as_many_contradictions_as_brute_force() {
    for entry in REGISTRY {
        for law in Law::ALL {
            let found = exhaustive(&entry.at_8, law, entry.sign);
            match (found.extent, brute_force(entry, law)) {
                (Extent::Exhaustive { contradictions, .. }, Some(expected)) => {
                    assert_eq!(contradictions, expected, "{} {law}", entry.name);
                }
                (_, expected) => assert_eq!(expected, None, "{} {law}", entry.name),
            }
        }
    }
}

#[test]
fn a_wrong_claim_of_each_law_is_falsified_at_both_widths() {
    let xor = entry("xor");
    let last = entry("last-arrival-wins");
    let signed = entry("signed-saturating-add");
    let max = entry("max");
    let wrong_identity = Entry {
        at_8: Carrier { identity: Some(1), ..xor.at_8 },
        at_64: Carrier { identity: Some(1), ..xor.at_64 },
        ..xor
    };
    let wrong_inverse = Entry {
        at_8: Carrier { inverse: xor.at_8.inverse, ..max.at_8 },
        at_64: Carrier { inverse: xor.at_64.inverse, ..max.at_64 },
        ..max
    };
    for (mistaken, law) in [
        (last, Law::Commutative),
        (signed, Law::Associative),
        (xor, Law::Idempotent),
        (wrong_identity, Law::Identity),
        (wrong_inverse, Law::Inverse),
    ] {
        let planted = Entry { claims: &Law::ALL, ..mistaken };
        let found = tried(&planted, law, SEED, 1000);
        assert!(found.claimed);
        for width in [&found.at_8_bits, &found.at_64_bits] {
            assert_eq!(width.verdict, Verdict::Falsified, "{}", found.name());
            assert!(width.witness.is_some(), "{}", found.name());
        }
    }
}

#[test]
fn an_identity_and_an_inverse_must_do_on_both_sides() {
    let xor = entry("xor");
    let merging = |at_8: fn(u8, u8) -> u8, at_64: fn(u64, u64) -> u64| Entry {
        claims: &Law::ALL,
        at_8: Carrier { merge: at_8, ..xor.at_8 },
        at_64: Carrier { merge: at_64, ..xor.at_64 },
        ..xor
    };
    // 0 changes nothing on one side, and everything on the other.
    let (left, right) = (merging(|state, _| state, |state, _| state), merging(|_, delta| delta, |_, delta| delta));
    // What follows a word undoes it from one side alone.
    let follows = |one: u64, other: u64| u64::from(other != one.wrapping_add(1));
    let undone = merging(|one, other| u8::from(other != one.wrapping_add(1)), follows);
    let undone_after = Entry {
        at_8: Carrier { inverse: Some(Inverse { form: "a + 1", of: |a: u8| a.wrapping_add(1) }), ..undone.at_8 },
        at_64: Carrier { inverse: Some(Inverse { form: "a + 1", of: |a: u64| a.wrapping_add(1) }), ..undone.at_64 },
        ..undone
    };
    let undone_before = Entry {
        at_8: Carrier { inverse: Some(Inverse { form: "a - 1", of: |a: u8| a.wrapping_sub(1) }), ..undone.at_8 },
        at_64: Carrier { inverse: Some(Inverse { form: "a - 1", of: |a: u64| a.wrapping_sub(1) }), ..undone.at_64 },
        ..undone
    };
    for (entry, law) in
        [(left, Law::Identity), (right, Law::Identity), (undone_after, Law::Inverse), (undone_before, Law::Inverse)]
    {
        let found = tried(&entry, law, SEED, 1000);
        for width in [&found.at_8_bits, &found.at_64_bits] {
            assert_eq!(width.verdict, Verdict::Falsified, "{} {law}", entry.name);
        }
    }
}

/// Exclusive or that is wrong in one pair at 8 bits, and for few states at 64.
#[derive(Clone, Copy, Debug, Default)]
struct BentXor;

impl Algebra for BentXor {
    const NAME: &'static str = "bent-xor";
    const ABOUT: &'static str = "exclusive or that is wrong where its state is of a certain kind";
    const SIGN: &'static str = "^";
    const CLAIMS: &'static [Law] = &Law::ALL;
    const AT_8: Carrier<u8> = Carrier {
        merge: |state, delta| if state == 77 && delta == 200 { 0 } else { state ^ delta },
        identity: Some(0),
        inverse: Some(Inverse { form: "a", of: |a| a }),
        reading: Reading::Unsigned,
    };
    const AT_64: Carrier<u64> = Carrier {
        merge: Self::merge,
        identity: Some(0),
        inverse: Some(Inverse { form: "a", of: |a| a }),
        reading: Reading::Unsigned,
    };

    fn merge(state: u64, delta: u64) -> u64 {
        if (1001..5000).contains(&state) && state % 8 == 5 { (state ^ delta) | 1 } else { state ^ delta }
    }
}

#[test]
fn a_wrong_merge_is_caught_by_every_law_that_it_breaks() {
    let bent = Entry::of::<BentXor>();
    for (law, at_8, at_64) in [
        (Law::Commutative, Verdict::Falsified, Verdict::Falsified),
        (Law::Associative, Verdict::Falsified, Verdict::Falsified),
        (Law::Idempotent, Verdict::Falsified, Verdict::Falsified),
        (Law::Identity, Verdict::Holds, Verdict::Holds),
        (Law::Inverse, Verdict::Holds, Verdict::Falsified),
    ] {
        let found = tried(&bent, law, SEED, 100_000);
        assert_eq!((found.at_8_bits.verdict, found.at_64_bits.verdict), (at_8, at_64), "{law}");
        assert_eq!(found.verdict, at_8.max(at_64));
    }
}

#[test]
fn one_wrong_pair_among_65536_is_found_and_shown() {
    let found = tried(&Entry::of::<BentXor>(), Law::Commutative, SEED, 0);
    let witness = found.at_8_bits.witness.expect("a witness");
    assert_eq!(witness.sentence, "77 ^ 200 = 0, but 200 ^ 77 = 133");
    assert_eq!(found.at_8_bits.extent, Extent::Exhaustive { cases: 65_536, contradictions: 2 });
}

#[test]
fn a_contradiction_beyond_the_chosen_words_is_made_smaller() {
    let found = tried(&Entry::of::<BentXor>(), Law::Inverse, SEED, 100_000);
    // 1005 is the smallest word above 1000 that leaves 5 when it is divided by 8.
    let witness = found.at_64_bits.witness.expect("a witness");
    assert_eq!(witness.operands[0].decimal, "1005", "{witness:?}");
    assert!(witness.size.contains("not proved minimal"), "{}", witness.size);
}

#[test]
fn what_is_not_declared_cannot_be_tried_at_64_bits_and_is_searched_at_8() {
    let undeclared = |entry: Entry| Entry {
        at_8: Carrier { identity: None, inverse: None, ..entry.at_8 },
        at_64: Carrier { identity: None, inverse: None, ..entry.at_64 },
        ..entry
    };
    let found = tried(&undeclared(entry("xor")), Law::Identity, SEED, 10);
    assert_eq!((found.at_8_bits.verdict, found.verdict), (Verdict::Holds, Verdict::Inconclusive));
    let found = tried(&entry("last-arrival-wins"), Law::Identity, SEED, 10);
    assert_eq!((found.at_64_bits.extent, found.verdict), (Extent::Nothing, Verdict::Falsified));
}

#[test]
fn the_f64_sum_is_falsified_by_three_numbers_that_can_be_checked_by_hand() {
    let found = tried(&entry("f64-sum"), Law::Associative, SEED, 1000);
    insta::assert_debug_snapshot!([found.at_8_bits.witness, found.at_64_bits.witness]);
}

#[test]
fn every_witness_reads_as_an_equation() {
    let mut sentences = Vec::new();
    for entry in REGISTRY {
        for law in Law::ALL {
            let found = tried(entry, law, SEED, 1000);
            for (bits, width) in [(8, found.at_8_bits), (64, found.at_64_bits)] {
                sentences.extend(width.witness.map(|w| format!("{} {law} at {bits}: {}", entry.name, w.sentence)));
            }
        }
    }
    insta::assert_snapshot!(sentences.join("\n"));
}

/// Asks to stop at once.
struct Stopping;

impl Watch for Stopping {
    fn begin(&mut self, _stage: &str, _total: u64) {}
    fn advance(&mut self, _units: u64) {}
    fn end(&mut self) {}
    fn stop_requested(&self) -> bool {
        true
    }
}

#[test]
fn a_long_search_can_be_stopped() {
    let stopped = try_law(&entry("xor"), Law::Commutative, SEED, u64::MAX, &mut Stopping);
    assert_eq!(stopped, Err(SubjectError::Interrupted));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_verdicts_at_64_bits_are_the_same_under_every_seed(seed: u64) {
        for entry in REGISTRY {
            for law in Law::ALL {
                let of = |seed| sampled(&entry.at_64, law, entry.sign, Seed::new(seed), 2000, &mut Unwatched);
                let (one, other) = (of(seed).expect("a trial"), of(SEED.value()).expect("a trial"));
                prop_assert_eq!(one.verdict, other.verdict);
                prop_assert_eq!(of(seed).expect("a trial"), one);
            }
        }
    }

    #[test]
    fn a_random_search_finds_every_contradiction_without_the_chosen_combinations(seed: u64) {
        for entry in REGISTRY {
            for law in Law::ALL {
                let found = sampled(&entry.at_64, law, entry.sign, Seed::new(seed), 2000, &mut Unwatched);
                let found = found.expect("a trial");
                let missed = found.witness.is_some_and(|witness| witness.size.starts_with("missed"));
                prop_assert!(!missed, "{} {}", entry.name, law);
            }
        }
    }
}
