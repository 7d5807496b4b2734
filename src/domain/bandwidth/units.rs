//! The units of a bandwidth report, as people write them: `2%`, `64kbit`, `4h`, `0.05`.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};

/// Millionths of one.
const MILLION: u64 = 1_000_000;

/// A text that is not what its place needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not {what}; allowed {allowed}")]
pub struct UnitError {
    text: String,
    what: &'static str,
    allowed: &'static str,
}

/// A decimal number without a sign, in millionths; at most six places.
fn millionths(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(part) || part.len() > 6 {
        return None;
    }
    let part: u64 = format!("{part:0<6}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(MILLION)?.checked_add(part)
}

/// Millionths as a decimal number, without zeros at its end.
fn decimal(millionths: u64) -> String {
    let (whole, part) = (millionths / MILLION, millionths % MILLION);
    let text = format!("{whole}.{part:06}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Reads a value from a text, or from a number of TOML or JSON as it would be written.
macro_rules! as_written {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Written;
                impl de::Visitor<'_> for Written {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(<$type>::ALLOWED)
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }

                    fn visit_u64<E: de::Error>(self, number: u64) -> Result<$type, E> {
                        self.visit_str(&number.to_string())
                    }

                    fn visit_i64<E: de::Error>(self, number: i64) -> Result<$type, E> {
                        self.visit_str(&number.to_string())
                    }

                    fn visit_f64<E: de::Error>(self, number: f64) -> Result<$type, E> {
                        self.visit_str(&number.to_string())
                    }
                }
                deserializer.deserialize_any(Written)
            }
        }
    };
}

/// A share of a whole, above 0 and up to 1, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

impl Share {
    const ALLOWED: &str = "are shares above 0 and up to 1, such as 2% or 0.02, to a millionth";

    /// This share of a number, rounded.
    pub fn of(self, number: u32) -> u32 {
        ((u64::from(number) * u64::from(self.0) + MILLION / 2) / MILLION) as u32
    }
}

impl FromStr for Share {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let share = match text.strip_suffix('%') {
            // A hundredth of so many: what is below a millionth is refused, not rounded.
            Some(percent) => {
                millionths(percent.trim_end()).filter(|part| part.is_multiple_of(100)).map(|part| part / 100)
            }
            None => millionths(text),
        };
        let share = share.filter(|share| (1..=MILLION).contains(share));
        let error = || UnitError { text: text.to_owned(), what: "a share", allowed: Share::ALLOWED };
        share.map(|share| Share(share as u32)).ok_or_else(error)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", decimal(u64::from(self.0) * 100))
    }
}

as_written!(Share);

/// How often something happens in a day, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u64);

impl Rate {
    const ALLOWED: &str = "are numbers from 0.01 to 1440, such as 6, or 0.2 for once in five days";

    /// How long each takes, if it happens so often in this time.
    pub fn every(self, time: u64) -> u64 {
        time * MILLION / self.0
    }

    /// How often it happens in so many seconds, rounded.
    pub fn within(self, seconds: u64) -> u64 {
        let times = (u128::from(self.0) * u128::from(seconds) + 43_200_000_000) / 86_400_000_000;
        u64::try_from(times).unwrap_or(u64::MAX)
    }

    /// How often it happens in a day, in millionths.
    pub fn millionths(self) -> u64 {
        self.0
    }
}

impl FromStr for Rate {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let rate = millionths(text).filter(|rate| (MILLION / 100..=1440 * MILLION).contains(rate));
        rate.map(Rate).ok_or_else(|| UnitError {
            text: text.to_owned(),
            what: "a number a day",
            allowed: Rate::ALLOWED,
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal(self.0))
    }
}

as_written!(Rate);

/// A length of time, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(u64);

impl Duration {
    const ALLOWED: &str = "are whole seconds, minutes, hours or days up to 1000 days, such as 90s, 20m, 4h or 3d";

    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Duration(seconds)
    }

    /// The number of seconds.
    pub const fn as_seconds(self) -> u64 {
        self.0
    }
}

impl FromStr for Duration {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
        let unit = units.into_iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
        let seconds = unit.and_then(|(digits, worth)| {
            let number: u64 = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
            number.checked_mul(worth).filter(|seconds| (1..=1000 * 86_400).contains(seconds))
        });
        let error = || UnitError { text: text.to_owned(), what: "a length of time", allowed: Duration::ALLOWED };
        seconds.map(Duration).ok_or_else(error)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];
        let (unit, worth) = units.into_iter().find(|(_, worth)| self.0.is_multiple_of(*worth)).unwrap_or(('s', 1));
        write!(f, "{}{unit}", self.0 / worth)
    }
}

as_written!(Duration);

/// What something costs, in millionths of a unit of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price(u64);

impl Price {
    const ALLOWED: &str = "are numbers from 0 to 1000000 with up to six places, such as 0.05";

    /// In millionths.
    pub fn millionths(self) -> u64 {
        self.0
    }
}

impl FromStr for Price {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let price = millionths(text).filter(|&price| price <= MILLION * MILLION);
        price.map(Price).ok_or_else(|| UnitError { text: text.to_owned(), what: "a price", allowed: Price::ALLOWED })
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal(self.0))
    }
}

as_written!(Price);

/// What a link carries, in bits a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BitRate(u64);

impl BitRate {
    const ALLOWED: &str = "are bits a second from 1 to 1000000000000, such as 9600bit, 64kbit, 1.5Mbit/s or 1Gbit";

    /// So many bits a second.
    pub const fn bits_per_s(bits: u64) -> Self {
        BitRate(bits)
    }

    /// The number of bits a second.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl FromStr for BitRate {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let without_time = text.strip_suffix("/s").unwrap_or(text);
        let units = [("kbit", 1000), ("Mbit", 1_000_000), ("Gbit", 1_000_000_000), ("bit", 1)];
        let unit = units.into_iter().find_map(|(unit, bits)| Some((without_time.strip_suffix(unit)?, bits)));
        let bits = unit.and_then(|(number, worth)| {
            let bits = u128::from(millionths(number)?) * worth;
            bits.is_multiple_of(MILLION.into()).then(|| (bits / u128::from(MILLION)) as u64)
        });
        let bits = bits.filter(|bits| (1..=1_000_000_000_000).contains(bits));
        bits.map(BitRate).ok_or_else(|| UnitError {
            text: text.to_owned(),
            what: "the rate of a link",
            allowed: BitRate::ALLOWED,
        })
    }
}

impl fmt::Display for BitRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("Gbit", 1_000_000_000), ("Mbit", 1_000_000), ("kbit", 1000), ("bit", 1)];
        let (unit, worth) = units.into_iter().find(|(_, worth)| self.0.is_multiple_of(*worth)).unwrap_or(("bit", 1));
        write!(f, "{}{unit}", self.0 / worth)
    }
}

/// A time on a link, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(u64);

impl Millis {
    const ALLOWED: &str = "are whole milliseconds or seconds up to 3600s, such as 150ms or 2s";

    /// The number of milliseconds.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl FromStr for Millis {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let unit = match text.strip_suffix("ms") {
            Some(digits) => Some((digits, 1)),
            None => text.strip_suffix('s').map(|digits| (digits, 1000)),
        };
        let millis = unit.and_then(|(digits, worth)| {
            let number: u64 = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
            number.checked_mul(worth).filter(|&millis| millis <= 3_600_000)
        });
        millis.map(Millis).ok_or_else(|| UnitError {
            text: text.to_owned(),
            what: "a time on a link",
            allowed: Millis::ALLOWED,
        })
    }
}

/// A share of messages, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PerMille(u32);

impl PerMille {
    /// The number of thousandths.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl FromStr for PerMille {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let share = match text.strip_suffix('%') {
            Some(percent) => millionths(percent.trim_end()).map(|part| part / 100),
            None => millionths(text),
        };
        let per_mille = share.filter(|share| share.is_multiple_of(1000) && *share < MILLION).map(|share| share / 1000);
        per_mille.map(|per_mille| PerMille(per_mille as u32)).ok_or_else(|| UnitError {
            text: text.to_owned(),
            what: "a share of messages",
            allowed: "are shares from 0 to 0.999, such as 3% or 0.03, to a thousandth",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused<T: FromStr<Err = UnitError> + fmt::Debug>(texts: &[&str]) {
        for text in texts {
            let told = text.parse::<T>().expect_err(text).to_string();
            assert!(told.starts_with(&format!("'{text}' is not ")) && told.contains("; allowed are "), "{told}");
        }
    }

    #[test]
    fn a_share_is_a_percentage_or_a_part_of_one() {
        assert_eq!("2%".parse::<Share>(), "0.02".parse());
        assert_eq!("2 %".parse::<Share>(), "0.02".parse());
        assert_eq!("0.0001%".parse::<Share>().map(|share| share.0), Ok(1));
        assert_eq!("100%".parse::<Share>().map(|share| share.of(7)), Ok(7));
        assert_eq!("2%".parse::<Share>().map(|share| share.of(5000)), Ok(100));
        assert_eq!("2.5%".parse::<Share>().map(|share| share.to_string()), Ok("2.5%".to_owned()));
        refused::<Share>(&[
            "", "0", "0%", "101%", "1.5", "-2%", "+2%", "2%%", "two", "0.00001%", "1e-2", "NaN", "0,02",
        ]);
    }

    #[test]
    fn the_rate_of_a_link_has_a_unit() {
        let rates = ["64kbit", "64kbit/s", "1.5Mbit/s", "9600bit", "1Gbit"].map(|text| text.parse().map(BitRate::get));
        assert_eq!(rates, [64_000, 64_000, 1_500_000, 9600, 1_000_000_000].map(Ok));
        refused::<BitRate>(&[
            "", "64", "64k", "64kB", "0kbit", "-1kbit", "0.5bit", "9999Gbit", "kbit", "64 kbits", "64KBIT",
        ]);
    }

    #[test]
    fn lengths_of_time_rates_and_prices_are_as_people_write_them() {
        let lengths = ["90s", "20m", "4h", "3d"].map(|text| text.parse().map(Duration::as_seconds));
        assert_eq!(lengths, [90, 1200, 14_400, 259_200].map(Ok));
        refused::<Duration>(&["", "0s", "4", "4.5h", "-4h", "1001d", "4w", "h"]);
        assert_eq!("6".parse::<Rate>().map(|rate| (rate.every(86_400), rate.within(86_400))), Ok((14_400, 6)));
        assert_eq!("0.2".parse::<Rate>().map(|rate| rate.every(86_400)), Ok(432_000));
        refused::<Rate>(&["", "0", "0.001", "1441", "-6", "six", "6/d"]);
        assert_eq!("0.05".parse::<Price>().map(Price::millionths), Ok(50_000));
        refused::<Price>(&["", "-0.05", "0.0000001", "1000001", "0.05EUR", ".05", "5."]);
        assert_eq!(["150ms", "2s", "0ms"].map(|text| text.parse().map(Millis::get)), [150, 2000, 0].map(Ok));
        refused::<Millis>(&["150", "1.5s", "4000s", "-1ms"]);
        assert_eq!(["3%", "0.001", "0"].map(|text| text.parse().map(PerMille::get)), [30, 1, 0].map(Ok));
        refused::<PerMille>(&["100%", "0.05%", "-1%", "x"]);
    }

    proptest! {
        #[test]
        fn every_value_is_read_back_as_it_is_shown(
            share in 1..=1_000_000u32,
            rate in 10_000..=1_440_000_000u64,
            seconds in 1..86_400_000u64,
            bits in 1..=1_000_000_000_000u64,
        ) {
            prop_assert_eq!(Share(share).to_string().parse(), Ok(Share(share)));
            prop_assert_eq!(Rate(rate).to_string().parse(), Ok(Rate(rate)));
            prop_assert_eq!(Duration(seconds).to_string().parse(), Ok(Duration(seconds)));
            prop_assert_eq!(BitRate(bits).to_string().parse(), Ok(BitRate(bits)));
        }

        #[test]
        fn any_text_is_a_value_or_an_error(text: String) {
            let _ = (text.parse::<Share>(), text.parse::<Rate>(), text.parse::<Duration>());
            let _ = (text.parse::<BitRate>(), text.parse::<Price>(), text.parse::<Millis>(), text.parse::<PerMille>());
        }
    }
}
