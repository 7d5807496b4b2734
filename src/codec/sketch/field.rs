//! The field of 2^48 elements: polynomials over GF(2) modulo x^48 + x^5 + x^3 + x^2 + 1, which is irreducible (G. Seroussi,
//! "Table of low-weight binary irreducible polynomials", HP Laboratories, HPL-98-135, 1998). A test shows that, too.
//!
//! Knows: arithmetic. Must not: know sets.

/// Bits of an element.
pub(super) const BITS: u32 = 48;

/// The bits of an element.
pub(super) const MASK: u64 = (1 << BITS) - 1;

/// A product of two elements.
pub(super) fn multiply(one: u64, other: u64) -> u64 {
    Multiplier::of(one).times(other)
}

/// A square.
pub(super) fn square(of: u64) -> u64 {
    // A square has the bits of its root with zeros between them.
    let spread = |half: u64| {
        let mut bits = half & 0xFF_FFFF;
        bits = (bits | bits << 16) & 0x0000_FFFF_0000_FFFF;
        bits = (bits | bits << 8) & 0x00FF_00FF_00FF_00FF;
        bits = (bits | bits << 4) & 0x0F0F_0F0F_0F0F_0F0F;
        bits = (bits | bits << 2) & 0x3333_3333_3333_3333;
        (bits | bits << 1) & 0x5555_5555_5555_5555
    };
    reduce(u128::from(spread(of)) | u128::from(spread(of >> 24)) << 48)
}

/// What times an element is 1. Of 0 it is 0.
pub(super) fn inverse(of: u64) -> u64 {
    // By Fermat, an element to the power of 2^48 - 2: all bits but the lowest.
    let (mut power, mut product) = (square(of), 1);
    for _ in 1..BITS {
        product = multiply(product, power);
        power = square(power);
    }
    product
}

/// Up to 95 bits, modulo the field's polynomial.
fn reduce(bits: u128) -> u64 {
    // x^48 is x^5 + x^3 + x^2 + 1.
    let fold = |bits: u128| {
        let high = bits >> BITS;
        (bits & u128::from(MASK)) ^ high ^ high << 2 ^ high << 3 ^ high << 5
    };
    // The first fold leaves five bits above, the second none.
    fold(fold(bits)) as u64
}

/// An element that many others are multiplied by: its multiples by all of four bits.
pub(super) struct Multiplier([u64; 16]);

impl Multiplier {
    pub(super) fn of(element: u64) -> Self {
        let mut table = [0; 16];
        table[1] = element;
        for place in 2..16 {
            table[place] = if place % 2 == 0 { table[place / 2] << 1 } else { table[place - 1] ^ element };
        }
        Multiplier(table)
    }

    pub(super) fn times(&self, other: u64) -> u64 {
        let mut product: u128 = 0;
        for window in (0..BITS).step_by(4).rev() {
            product = product << 4 ^ u128::from(self.0[(other >> window & 15) as usize]);
        }
        reduce(product)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// x^48, reduced.
    const REDUCED: u64 = 0b10_1101;

    /// The plain way: bit by bit.
    fn slow(one: u64, other: u64) -> u64 {
        let (mut product, mut shifted) = (0, one);
        for bit in 0..BITS {
            if other >> bit & 1 == 1 {
                product ^= shifted;
            }
            shifted <<= 1;
            if shifted >> BITS == 1 {
                shifted = (shifted & MASK) ^ REDUCED;
            }
        }
        product
    }

    proptest! {
        #[test]
        fn products_and_squares_are_those_of_the_plain_way(one in 0..=MASK, other in 0..=MASK) {
            prop_assert_eq!(multiply(one, other), slow(one, other));
            prop_assert_eq!(square(one), slow(one, one));
        }

        #[test]
        fn an_element_times_its_inverse_is_one(element in 1..=MASK) {
            prop_assert_eq!(multiply(element, inverse(element)), 1);
        }
    }

    #[test]
    fn the_polynomial_is_irreducible() {
        // Rabin's test: x^(2^48) is x, and x^(2^24) - x, x^(2^16) - x have no common factor with the polynomial. In a field,
        // x is then in no smaller one; that every element but 0 has an inverse says the rest.
        let power = |squares: u32| (0..squares).fold(2, |element, _| square(element));
        assert_eq!(power(48), 2);
        for squares in [24, 16] {
            let difference = power(squares) ^ 2;
            assert_eq!(multiply(difference, inverse(difference)), 1, "{squares}");
        }
    }
}
