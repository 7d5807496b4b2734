//! Subsets of up to 64 things as bit masks, smaller subsets first.

/// `n` over `k`, exact as long as it fits 64 bits, which every `n` up to 61 does.
pub fn binomial(n: u32, k: u32) -> u64 {
    if k > n {
        return 0;
    }
    let product = (0..u128::from(k.min(n - k))).fold(1u128, |so_far, i| so_far * (u128::from(n) - i) / (i + 1));
    u64::try_from(product).unwrap_or(u64::MAX)
}

/// The mask of all of `n` things.
pub fn all(n: u32) -> u64 {
    if n == 0 { 0 } else { u64::MAX >> (u64::BITS - n) }
}

/// The subsets of `n` things by size and, in a size, as numbers: the one at this place. A size's subsets in numeric order
/// are in colexicographic order, and the place of one is a sum of binomials (Knuth, TAOCP 4A, section 7.2.1.3).
pub fn at(n: u32, mut place: u64) -> u64 {
    let mut size = 0;
    while place >= binomial(n, size) {
        place -= binomial(n, size);
        size += 1;
    }
    let mut subset = 0;
    for left in (1..=size).rev() {
        let mut top = left - 1;
        while binomial(top + 1, left) <= place {
            top += 1;
        }
        place -= binomial(top, left);
        subset |= 1 << top;
    }
    subset
}

/// The subset after this one; nothing sensible after the last.
pub fn next(n: u32, subset: u64) -> u64 {
    let size = subset.count_ones();
    if subset == all(size) << (n - size) {
        return all(size + 1);
    }
    // Gosper's hack (HAKMEM item 175): the next number with as many ones.
    let lowest = subset & subset.wrapping_neg();
    let carried = subset + lowest;
    carried | (((carried ^ subset) >> 2) / lowest)
}

/// What is in a subset, ascending.
pub fn members(mut subset: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let first = (subset != 0).then(|| subset.trailing_zeros())?;
        subset &= subset - 1;
        Some(first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsets_come_once_each_by_size_and_then_as_numbers() {
        for n in 0..12 {
            let mut expected: Vec<u64> = (0..1 << n).collect();
            expected.sort_by_key(|subset: &u64| (subset.count_ones(), *subset));
            for (place, subset) in expected.iter().enumerate() {
                assert_eq!(at(n, place as u64), *subset);
            }
            for pair in expected.windows(2) {
                assert_eq!(next(n, pair[0]), pair[1]);
            }
        }
    }

    #[test]
    fn binomials_are_exact_up_to_their_width() {
        assert_eq!(binomial(61, 30), 232_714_176_627_630_544);
        assert_eq!((binomial(5, 6), binomial(0, 0), binomial(64, 32)), (0, 1, 1_832_624_140_942_590_534));
    }
}
