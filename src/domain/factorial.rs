//! How many orders there are.

use num_bigint::BigUint;

/// Up to so many deltas the number of their orders is written out: 158 digits at the most.
pub const WRITTEN_UP_TO: u64 = 100;

/// `n!`, where it is short enough to be written out.
pub fn factorial(n: u64) -> Option<BigUint> {
    (n <= WRITTEN_UP_TO).then(|| (2..=n).fold(BigUint::from(1u32), |product, factor| product * factor))
}

/// `n!` as a full integer, or as the formula where it is too long.
pub fn text(n: u64) -> String {
    factorial(n).map_or_else(|| format!("{n}!"), |number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_orders_is_a_full_integer_or_the_formula() {
        assert_eq!([0, 1, 4].map(text), ["1", "1", "24"]);
        assert_eq!(text(30), "265252859812191058636308480000000");
        assert_eq!(text(100).len(), 158);
        assert_eq!(text(65_537), "65537!");
    }
}
