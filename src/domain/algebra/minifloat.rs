//! An 8-bit floating point number with the rules of IEEE 754: E5M2 of the "OCP 8-bit Floating Point Specification
//! (OFP8)", revision 1.0, Open Compute Project, 2023.
//!
//! One sign bit, five exponent bits with bias 15, two mantissa bits; subnormal numbers; 0x7c is infinity, 0x7d to 0x7f
//! are NaNs; the largest finite number is 57344. Sums are rounded to nearest, ties to even, and overflow to infinity.

/// The one NaN that stands for all.
pub const NAN: u8 = 0x7E;

const INFINITY: u8 = 0x7C;

/// The number that this byte is; exact, since binary64 has all of them.
pub fn decode(byte: u8) -> f64 {
    let magnitude = byte & 0x7F;
    let (exponent, mantissa) = (i32::from(magnitude >> 2), f64::from(magnitude & 3));
    let value = match exponent {
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        0 => mantissa * power_of_two(-16),
        _ => (4.0 + mantissa) * power_of_two(exponent - 17),
    };
    if byte & 0x80 == 0 { value } else { -value }
}

/// The nearest byte to this number, of two as near the one with an even mantissa.
pub fn encode(number: f64) -> u8 {
    if number.is_nan() {
        return NAN;
    }
    let sign = if number.is_sign_negative() { 0x80 } else { 0 };
    let magnitude = number.abs();
    // 61440 is half way between 57344 and the 65536 that would follow it, whose mantissa would be even.
    if magnitude >= 61_440.0 {
        return sign | INFINITY;
    }
    // Below 2^-14 the spacing stays that of the smallest normal numbers.
    let exponent = (((magnitude.to_bits() >> 52) as i32) - 1023).max(-14);
    let steps = (magnitude * power_of_two(2 - exponent)).round_ties_even() as u8;
    // `steps` counts quarters of 2^exponent: 4 to 8 for normal numbers, and 8 carries into the exponent by itself.
    sign | ((((exponent + 14) as u8) << 2) + steps)
}

/// The byte itself, but for NaNs, which become [`NAN`], and -0.0, which becomes 0.0.
pub fn canonical(byte: u8) -> u8 {
    match byte {
        0x80 => 0,
        _ if byte & 0x7F > INFINITY => NAN,
        _ => byte,
    }
}

/// The sum, rounded once: the sum of two E5M2 numbers spans at most 34 bits, so that binary64 has it exactly.
pub fn add(state: u8, delta: u8) -> u8 {
    canonical(encode(decode(state) + decode(delta)))
}

/// 2 to this power, for powers that binary64 has as normal numbers.
fn power_of_two(power: i32) -> f64 {
    f64::from_bits(((1023 + power) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Nearest by looking at every byte, with the number that would follow the largest in infinity's place.
    fn nearest(number: f64) -> u8 {
        let magnitude = |byte: u8| if byte == INFINITY { 65_536.0 } else { decode(byte) };
        let near = (0..=INFINITY).min_by(|&one, &other| {
            let distance = |byte| (magnitude(byte) - number.abs()).abs();
            distance(one).total_cmp(&distance(other)).then((one & 1).cmp(&(other & 1)))
        });
        near.expect("there are bytes") | if number.is_sign_negative() { 0x80 } else { 0 }
    }

    #[test]
    fn the_numbers_are_those_of_the_specification() {
        // As the specification tabulates them: the largest, the smallest normal, the largest and smallest subnormal number.
        let shown = [0x7B, 0x04, 0x03, 0x01].map(decode);
        assert_eq!(shown, [57_344.0, 2f64.powi(-14), 0.75 * 2f64.powi(-14), 2f64.powi(-16)]);
        assert_eq!((decode(0x7C), decode(0xFC), decode(0x3C)), (f64::INFINITY, f64::NEG_INFINITY, 1.0));
        assert!((0x7D..=0x7F).all(|byte| decode(byte).is_nan() && decode(byte | 0x80).is_nan()));
    }

    #[test]
    fn every_number_is_nearest_to_itself() {
        for byte in (0..=u8::MAX).filter(|&byte| !decode(byte).is_nan()) {
            assert_eq!(encode(decode(byte)), byte);
        }
    }

    #[test]
    fn every_sum_of_two_finite_numbers_is_the_nearest_to_the_exact_one() {
        for (a, b) in (0..=u8::MAX).flat_map(|a| (0..=u8::MAX).map(move |b| (a, b))) {
            if decode(a).is_finite() && decode(b).is_finite() {
                assert_eq!(add(a, b), canonical(nearest(decode(a) + decode(b))), "{a:#04x} {b:#04x}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_number_becomes_the_nearest(number in -70_000.0..70_000.0f64, shrunk in 0..20i32) {
            let number = number * 2f64.powi(-shrunk);
            prop_assert_eq!(encode(number), nearest(number));
        }
    }
}
