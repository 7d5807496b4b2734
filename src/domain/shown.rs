//! Numbers as people read them: shares, times, bytes, money, rates. Every report takes them from here.

/// Tenths as a decimal number: 5 is "0.5".
pub fn tenths(number: u64) -> String {
    format!("{}.{}", number / 10, number % 10)
}

/// Hundredths as a decimal number: 5 is "0.05".
pub fn hundredths(number: u64) -> String {
    format!("{}.{:02}", number / 100, number % 100)
}

/// Tenths of a per cent: 125 is "12.5 %".
pub fn percent(per_mille: u64) -> String {
    format!("{} %", tenths(per_mille))
}

/// "42 of 110 (38.1 %)", truncated, so that nothing short of all shows as 100 %. Of nothing, it is all.
pub fn part_of(part: u64, whole: u64) -> String {
    let per_mille = (u128::from(part) * 1000).checked_div(whole.into()).unwrap_or(1000);
    format!("{part} of {whole} ({})", percent(per_mille as u64))
}

/// How many times one number is the other, truncated to two decimals; a dash where the other is 0.
pub fn ratio(one: u64, other: u64) -> String {
    match (u128::from(one) * 100).checked_div(other.into()) {
        Some(ratio) => hundredths(ratio.try_into().unwrap_or(u64::MAX)),
        None => "-".to_owned(),
    }
}

/// Virtual time: "7 ms", "1.5 s", "2 h".
pub fn time(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..100_000 => format!("{} s", tenths(ms / 100)),
        100_000..6_000_000 => format!("{} min", ms / 60_000),
        6_000_000..172_800_000 => format!("{} h", ms / 3_600_000),
        _ => format!("{} d", ms / 86_400_000),
    }
}

/// How long something lasts, to a tenth of a unit: "999 ms", "10.4 s", "60.0 min".
pub fn lasting(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..120_000 => format!("{} s", tenths((ms + 50) / 100)),
        _ => format!("{} min", tenths(ms.saturating_add(3000) / 6000)),
    }
}

/// How long the harness took: "12 ms", "3.4 s".
pub fn took(us: u64) -> String {
    match us {
        0..1_000_000 => format!("{} ms", us.div_ceil(1000)),
        _ => format!("{} s", tenths(us / 100_000)),
    }
}

/// Bytes with a decimal unit, to a tenth.
pub fn bytes(bytes: u64) -> String {
    let units = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")];
    match units.into_iter().find(|(worth, _)| bytes >= *worth) {
        None => format!("{bytes} B"),
        Some((worth, unit)) => {
            let rounded = (u128::from(bytes) * 10 + u128::from(worth) / 2) / u128::from(worth);
            format!("{} {unit}", tenths(rounded as u64))
        }
    }
}

/// Money, to a hundredth.
pub fn money(millionths: u64) -> String {
    hundredths(millionths.saturating_add(5000) / 10_000)
}

/// A whole number: one of many digits by its first ones and its magnitude.
pub fn magnitude(number: &str) -> String {
    /// Digits that are read at a glance, more or less.
    const READABLE: usize = 18;
    match number.len() {
        digits if digits > READABLE && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            // Half a unit of the second digit is rounded up, and 9.95 becomes 10.
            let (rounded, exponent) = match (number[..3].parse::<u64>().unwrap_or(0) + 5) / 10 {
                100 => (10, digits),
                rounded => (rounded, digits - 1),
            };
            format!("{} × 10^{exponent}", tenths(rounded))
        }
        _ => number.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_units_that_fit() {
        let told = [7, 1500, 99_999, 100_000, 7_200_000, 200_000_000].map(time);
        assert_eq!(told, ["7 ms", "1.5 s", "99.9 s", "1 min", "2 h", "2 d"]);
        let lasts = [0, 999, 10_449, 119_000, 3_600_000].map(lasting);
        assert_eq!(lasts, ["0 ms", "999 ms", "10.4 s", "119.0 s", "60.0 min"]);
        assert_eq!([1, 999_001, 1_000_000, 3_456_789].map(took), ["1 ms", "1000 ms", "1.0 s", "3.4 s"]);
    }

    #[test]
    fn bytes_and_money_are_told_in_decimal_units() {
        let told = [0, 999, 1000, 1949, 9_950_000, 71_440_000, 1_000_000_000, u64::MAX].map(bytes);
        assert_eq!(told, ["0 B", "999 B", "1.0 kB", "1.9 kB", "10.0 MB", "71.4 MB", "1.0 GB", "18446744.1 TB"]);
        assert_eq!([0, 4999, 5000, 3_570_000, 28_796_000].map(money), ["0.00", "0.00", "0.01", "3.57", "28.80"]);
    }

    #[test]
    fn shares_and_ratios_are_truncated() {
        assert_eq!(part_of(9_999, 10_000), "9999 of 10000 (99.9 %)");
        assert_eq!(part_of(0, 0), "0 of 0 (100.0 %)");
        assert_eq!([ratio(65_537, 32_769), ratio(1, 1), ratio(1, 0)], ["1.99", "1.00", "-"]);
    }

    #[test]
    fn a_number_of_many_digits_is_rounded_and_not_cut_off() {
        let zeros = |digits: &str, zeros: usize| digits.to_owned() + &"0".repeat(zeros);
        assert_eq!(magnitude(&crate::domain::factorial::text(64)), "1.3 × 10^89");
        assert_eq!(magnitude(&zeros("124", 20)), "1.2 × 10^22");
        assert_eq!(magnitude(&zeros("125", 20)), "1.3 × 10^22");
        assert_eq!(magnitude(&zeros("9949", 20)), "9.9 × 10^23");
        assert_eq!(magnitude(&zeros("995", 20)), "1.0 × 10^23");
        assert_eq!(magnitude("479001600"), "479001600");
        assert_eq!(magnitude("65537!"), "65537!");
    }
}
