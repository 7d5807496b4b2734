//! Polynomials over the field: their remainders, common factors and roots.
//!
//! A polynomial is its coefficients, the lowest first, without zeros at the end.

use super::field::{BITS, Multiplier, inverse, multiply, square};

fn trimmed(mut of: Vec<u64>) -> Vec<u64> {
    while of.last() == Some(&0) {
        of.pop();
    }
    of
}

/// With 1 as its highest coefficient.
fn monic(of: Vec<u64>) -> Vec<u64> {
    let Some(&highest) = of.last() else { return of };
    let by = Multiplier::of(inverse(highest));
    of.into_iter().map(|coefficient| by.times(coefficient)).collect()
}

/// The quotient and the remainder by a polynomial with 1 as its highest coefficient.
fn divided(mut of: Vec<u64>, by: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let degree = by.len() - 1;
    if of.len() <= degree {
        return (Vec::new(), trimmed(of));
    }
    let mut quotient = vec![0; of.len() - degree];
    for place in (0..quotient.len()).rev() {
        let factor = of[place + degree];
        quotient[place] = factor;
        if factor != 0 {
            let factor = Multiplier::of(factor);
            for (low, &coefficient) in by.iter().enumerate() {
                of[place + low] ^= factor.times(coefficient);
            }
        }
    }
    of.truncate(degree);
    (quotient, trimmed(of))
}

/// The common factor of two polynomials, with 1 as its highest coefficient.
fn common(mut one: Vec<u64>, mut other: Vec<u64>) -> Vec<u64> {
    while !other.is_empty() {
        let by = monic(other);
        let rest = divided(one, &by).1;
        (one, other) = (by, rest);
    }
    monic(one)
}

/// The square of a polynomial, modulo another.
fn squared(of: &[u64], modulo: &[u64]) -> Vec<u64> {
    let mut square_of = vec![0; (2 * of.len()).saturating_sub(1)];
    for (place, &coefficient) in of.iter().enumerate() {
        square_of[2 * place] = square(coefficient);
    }
    divided(square_of, modulo).1
}

/// The roots, if there are as many as the degree and no two are the same.
///
/// Berlekamp's trace algorithm ("Factoring polynomials over large finite fields", Mathematics of Computation 24, 1970): the
/// trace of a multiple of x is 0 for about half of all elements, so that its common factor with the polynomial splits it.
pub(super) fn roots(of: Vec<u64>) -> Option<Vec<u64>> {
    let of = monic(trimmed(of));
    let degree = of.len().checked_sub(1)?;
    if degree > 0 {
        // All roots are in the field, each once, if and only if the polynomial divides x^(2^48) - x.
        let mut power = divided(vec![0, 1], &of).1;
        for _ in 0..BITS {
            power = squared(&power, &of);
        }
        if power != divided(vec![0, 1], &of).1 {
            return None;
        }
    }
    let mut roots = Vec::with_capacity(degree);
    split(of, 0, &mut roots)?;
    Some(roots)
}

fn split(of: Vec<u64>, from: u32, roots: &mut Vec<u64>) -> Option<()> {
    match of.len() {
        0 | 1 => return Some(()),
        // x + a has the root a.
        2 => {
            roots.push(of[0]);
            return Some(());
        }
        _ => {}
    }
    for bit in from..BITS {
        // The trace of 2^bit x modulo the polynomial.
        let mut term = divided(vec![0, 1 << bit], &of).1;
        let mut trace = term.clone();
        for _ in 1..BITS {
            term = squared(&term, &of);
            if trace.len() < term.len() {
                trace.resize(term.len(), 0);
            }
            trace.iter_mut().zip(&term).for_each(|(sum, &more)| *sum ^= more);
        }
        let factor = common(of.clone(), trimmed(trace));
        if factor.len() > 1 && factor.len() < of.len() {
            let rest = divided(of, &factor).0;
            split(factor, bit + 1, roots)?;
            return split(monic(trimmed(rest)), bit + 1, roots);
        }
    }
    None
}

/// The shortest recurrence of a sequence (Berlekamp and Massey: J. Massey, "Shift-register synthesis and BCH decoding", IEEE
/// Transactions on Information Theory 15, 1969): the coefficients, the first of them 1, and its length.
pub(super) fn recurrence(sequence: &[u64]) -> (Vec<u64>, usize) {
    let (mut current, mut before) = (vec![1], vec![1]);
    let (mut length, mut since, mut last) = (0, 1, 1);
    for place in 0..sequence.len() {
        let terms = (1..=length.min(current.len() - 1)).map(|back| multiply(current[back], sequence[place - back]));
        let discrepancy = terms.fold(sequence[place], |sum, term| sum ^ term);
        if discrepancy == 0 {
            since += 1;
            continue;
        }
        let factor = Multiplier::of(multiply(discrepancy, inverse(last)));
        let mut next = current.clone();
        next.resize(next.len().max(before.len() + since), 0);
        for (low, &coefficient) in before.iter().enumerate() {
            next[low + since] ^= factor.times(coefficient);
        }
        if 2 * length <= place {
            (before, last) = (current, discrepancy);
            (length, since) = (place + 1 - length, 1);
        } else {
            since += 1;
        }
        current = next;
    }
    (trimmed(current), length)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::field::MASK;
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn the_roots_of_a_product_are_those_that_it_was_made_of(wanted in prop::collection::btree_set(1..=MASK, 0..24)) {
            let product = wanted.iter().fold(vec![1], |product: Vec<u64>, &root| {
                let mut next = vec![0; product.len() + 1];
                for (place, &coefficient) in product.iter().enumerate() {
                    next[place + 1] ^= coefficient;
                    next[place] ^= multiply(coefficient, root);
                }
                next
            });
            let found: Option<BTreeSet<u64>> = roots(product).map(|roots| roots.into_iter().collect());
            prop_assert_eq!(found, Some(wanted));
        }
    }

    #[test]
    fn a_double_root_and_a_root_outside_the_field_are_told() {
        // (x + 5)^2 = x^2 + 25, where 25 is 5 times 5 without carries.
        assert_eq!(roots(vec![multiply(5, 5), 0, 1]), None);
        // x^2 + x + c has no root where the trace of c is 1.
        let trace = |of: u64| (0..BITS).fold((0, of), |(sum, power), _| (sum ^ power, square(power))).0;
        // The trace is linear: it is 1 for some power of x, or for nothing.
        let odd = (0..BITS).map(|bit| 1 << bit).find(|&element| trace(element) == 1).expect("half of all are");
        assert_eq!(roots(vec![odd, 1, 1]), None);
    }
}
