//! 64-bit words as text: `0x` and sixteen lower-case digits wherever one is shown or recorded.
//!
//! JSON numbers lose precision above 2^53 in most readers, so a record holds every 64-bit word as such a text.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

/// A 64-bit word that reads and writes as `0x0123456789abcdef`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct Hex64(pub u64);

/// Why a text is not a 64-bit hexadecimal word.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HexError {
    /// No digit at all.
    #[error("there is no hexadecimal digit in it; allowed are 1 to 16 of them, with or without 0x before them")]
    Empty,
    /// A character that is no hexadecimal digit.
    #[error("'{0}' is not a hexadecimal digit; allowed are 1 to 16 of 0-9, a-f, A-F, with or without 0x before them")]
    Digit(char),
    /// The value needs more than 64 bits.
    #[error("it is wider than 64 bits; the largest is 0xffffffffffffffff")]
    TooWide,
}

impl FromStr for Hex64 {
    type Err = HexError;

    /// Reads hexadecimal digits with or without `0x` before them; leading zeros do not count as width.
    fn from_str(text: &str) -> Result<Self, HexError> {
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        if digits.is_empty() {
            return Err(HexError::Empty);
        }
        if let Some(stranger) = digits.chars().find(|c| !c.is_ascii_hexdigit()) {
            return Err(HexError::Digit(stranger));
        }
        let significant = digits.trim_start_matches('0');
        if significant.len() > 16 {
            return Err(HexError::TooWide);
        }
        let value = if significant.is_empty() { Ok(0) } else { u64::from_str_radix(significant, 16) };
        value.map(Hex64).map_err(|_| HexError::TooWide)
    }
}

impl fmt::Display for Hex64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#018x}", self.0)
    }
}

impl From<Hex64> for String {
    fn from(word: Hex64) -> String {
        word.to_string()
    }
}

impl<'de> Deserialize<'de> for Hex64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Hex64;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text of 1 to 16 hexadecimal digits, such as \"0xDEADBEEF0BADF00D\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Hex64, E> {
                text.parse().map_err(|error| E::custom(format!("'{text}' is not a 64-bit word: {error}")))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_reads_with_and_without_its_prefix_in_either_case() {
        for text in ["0xDEADBEEF0BADF00D", "deadbeef0badf00d", "0XdeadBEEF0badf00d", "000000deadbeef0badf00d"] {
            assert_eq!(text.parse(), Ok(Hex64(0xDEAD_BEEF_0BAD_F00D)), "{text}");
        }
        assert_eq!("0".parse(), Ok(Hex64(0)));
    }

    #[test]
    fn what_is_not_a_word_says_why() {
        assert_eq!("".parse::<Hex64>(), Err(HexError::Empty));
        assert_eq!("0x".parse::<Hex64>(), Err(HexError::Empty));
        assert_eq!("-1".parse::<Hex64>(), Err(HexError::Digit('-')));
        assert_eq!("0xg".parse::<Hex64>(), Err(HexError::Digit('g')));
        assert_eq!("0x10000000000000000".parse::<Hex64>(), Err(HexError::TooWide));
    }

    proptest::proptest! {
        #[test]
        fn every_word_survives_its_text(value: u64) {
            proptest::prop_assert_eq!(Hex64(value).to_string().parse(), Ok(Hex64(value)));
        }
    }
}
