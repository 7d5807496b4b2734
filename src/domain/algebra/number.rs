//! Words and what they mean: for the order of simplicity in which witnesses are compared, and to show them.

use crate::domain::algebra::minifloat;

/// What the words of an algebra mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Unsigned numbers, or sets of bits.
    Unsigned,
    /// Signed numbers in two's complement.
    Signed,
    /// Floating point numbers: binary64, or E5M2 at 8 bits.
    Float,
}

/// A word's meaning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// An unsigned number.
    Unsigned(u64),
    /// A signed number.
    Signed(i64),
    /// A floating point number.
    Float(f64),
}

impl Number {
    /// The smaller, the simpler: whole numbers by their size, floating point numbers by the bits that their significand
    /// needs and then by how far their exponent is from 0, whole numbers before fractions; positive before negative,
    /// infinities and NaN last.
    pub fn simplicity(self) -> (u8, u64, u64, bool) {
        match self {
            Number::Unsigned(value) => (0, value, 0, false),
            Number::Signed(value) => (0, value.unsigned_abs(), 0, value < 0),
            Number::Float(value) if value.is_nan() => (2, 0, 0, false),
            Number::Float(value) if value.is_infinite() => (1, 0, 0, value < 0.0),
            Number::Float(0.0) => (0, 0, 0, false),
            Number::Float(value) => {
                let (exponent_bits, fraction) = ((value.to_bits() >> 52) & 0x7FF, value.to_bits() & ((1 << 52) - 1));
                let (significand, exponent) = match exponent_bits {
                    0 => (fraction, -1022 - 52),
                    bits => (fraction | 1 << 52, bits as i64 - 1023 - 52),
                };
                let (top, bottom) = (63 - significand.leading_zeros(), significand.trailing_zeros());
                let exponent = exponent + i64::from(top);
                (0, u64::from(top - bottom + 1), 2 * exponent.unsigned_abs() + u64::from(exponent < 0), value < 0.0)
            }
        }
    }

    /// The number in decimal digits: the fewest that give it back, for a floating point number.
    pub fn decimal(self) -> String {
        match self {
            Number::Unsigned(value) => value.to_string(),
            Number::Signed(value) => value.to_string(),
            Number::Float(value) => format!("{value:?}"),
        }
    }
}

/// A machine word that an algebra merges.
pub trait Word: Copy + Eq + std::fmt::Debug + 'static {
    /// Its width.
    const BITS: u32;

    /// What it means.
    fn number(self, reading: Reading) -> Number;

    /// The one word for what it means.
    fn canonical(self, reading: Reading) -> Self;

    /// `0x` and all of its digits.
    fn hex(self) -> String;
}

impl Word for u8 {
    const BITS: u32 = 8;

    fn number(self, reading: Reading) -> Number {
        match reading {
            Reading::Unsigned => Number::Unsigned(self.into()),
            Reading::Signed => Number::Signed((self as i8).into()),
            Reading::Float => Number::Float(minifloat::decode(self)),
        }
    }

    fn canonical(self, reading: Reading) -> Self {
        if reading == Reading::Float { minifloat::canonical(self) } else { self }
    }

    fn hex(self) -> String {
        format!("{self:#04x}")
    }
}

impl Word for u64 {
    const BITS: u32 = 64;

    fn number(self, reading: Reading) -> Number {
        match reading {
            Reading::Unsigned => Number::Unsigned(self),
            Reading::Signed => Number::Signed(self as i64),
            Reading::Float => Number::Float(f64::from_bits(self)),
        }
    }

    fn canonical(self, reading: Reading) -> Self {
        if reading == Reading::Float { canonical_f64(self) } else { self }
    }

    fn hex(self) -> String {
        format!("{self:#018x}")
    }
}

/// The bits of a binary64 number themselves, but for NaNs, which become 0x7ff8000000000000, and -0.0, which becomes
/// 0.0.
#[inline]
pub fn canonical_f64(bits: u64) -> u64 {
    const INFINITY: u64 = 0x7FF0_0000_0000_0000;
    match bits {
        0x8000_0000_0000_0000 => 0,
        _ if bits & (u64::MAX >> 1) > INFINITY => 0x7FF8_0000_0000_0000,
        _ => bits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simple_numbers_come_before_others() {
        let mut floats = [
            f64::NAN,
            f64::INFINITY,
            f64::MAX,
            0.1,
            3.0,
            -2.0,
            2.0,
            0.5,
            5e-324,
            9_007_199_254_740_992.0,
            -1.0,
            1.0,
            0.0,
        ]
        .map(Number::Float);
        floats.sort_by_key(|number| number.simplicity());
        insta::assert_compact_debug_snapshot!(floats.map(Number::decimal));
    }

    #[test]
    fn equal_numbers_are_equal_words() {
        assert_eq!((-0.0f64).to_bits().canonical(Reading::Float), 0);
        assert_eq!(0xFFF0_0000_0000_0001u64.canonical(Reading::Float), 0x7FF8_0000_0000_0000);
        assert_eq!(f64::NEG_INFINITY.to_bits().canonical(Reading::Float), f64::NEG_INFINITY.to_bits());
        assert_eq!((1u64 << 63).canonical(Reading::Signed), 1 << 63);
        assert_eq!((0x80u8.canonical(Reading::Float), 0xFFu8.canonical(Reading::Float)), (0, minifloat::NAN));
    }
}
