//! From what was measured to the customer's numbers, and whether the rules that lead there hold.
//!
//! | rule | fit | says |
//! |---|---|---|
//! | `records` | `line` | bytes of a sync are a fixed part, and a part for each record |
//! | `records` | `power` | bytes of a sync grow by the same factor with each doubling of the records |
//! | `days` | `even` | bytes of a sync are the same on every day |
//!
//! Records are scaled from three sizes: a quarter, a half and all of the records that are run. Both fits are drawn through the
//! quarter and the half and tell what the whole should take; of each sender, the fit that comes closer is used, and how far it
//! is off is its error. Days are scaled from two halves of the time, to at most ten times as many; how far the halves are apart
//! is the error. The error of one doubling is taken as that of every further one.

use crate::domain::bandwidth::{BandwidthTrial, MEGABYTE, MONTH_DAYS, MOST_BUSY_PER_MILLE, MOST_TIMES_THE_DAYS};
use crate::experiment::bandwidth::size::Sizes;
use crate::report::bandwidth_record::{Estimate, Fit, Rule, RuleError};

/// How wrong scaled numbers may be, in thousandths of them.
pub const TOLERANCE_PER_MILLE: u64 = 100;

/// Millionths of one.
const MILLION: u128 = 1_000_000;

/// Bytes that so many syncs took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfSyncs {
    /// All bytes, both ways.
    pub bytes: u64,
    /// Syncs.
    pub syncs: u64,
}

/// What was measured of one who sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// In the world that was run.
    pub whole: OfSyncs,
    /// Of that, in the first and in the second half of its time.
    pub halves_of_time: [OfSyncs; 2],
    /// In the worlds with a half and with a quarter of the records, where there are any.
    pub fewer_records: Option<[OfSyncs; 2]>,
}

impl OfSyncs {
    fn of_each(self) -> f64 {
        if self.syncs == 0 { 0.0 } else { self.bytes as f64 / self.syncs as f64 }
    }
}

impl Fit {
    /// What so many times the second size takes, of which the first is the half.
    fn beyond(self, first: f64, second: f64, times: f64) -> f64 {
        match self {
            Fit::Even => second,
            Fit::Line => second + 2.0 * (second - first) * (times - 1.0),
            Fit::Power => second * libm::pow(second / first, libm::log2(times)),
        }
    }
}

/// How far a prediction is from what was measured, as a share of the latter.
fn error(predicted: f64, measured: f64) -> f64 {
    if measured == predicted { 0.0 } else { (predicted - measured).abs() / measured.abs() }
}

/// What an error of one doubling comes to over so many times the size.
fn over(error: f64, times: f64) -> f64 {
    libm::pow(1.0 + error, libm::log2(times).max(1.0)) - 1.0
}

/// A share in thousandths, rounded up: no error is reported as less than it is.
fn per_mille(share: f64) -> u64 {
    if share.is_finite() { (share * 1000.0).ceil().min(1e12) as u64 } else { 1_000_000_000_000 }
}

fn times(asked: u64, run: u64) -> f64 {
    asked as f64 / run as f64
}

/// The rules that are used, with their errors.
pub fn errors(sizes: &Sizes, measured: &Measured) -> Vec<RuleError> {
    let whole = measured.whole.of_each();
    let said = |rule, fit, predicted: f64, actual: f64, of_doubling: f64, times: f64| RuleError {
        rule,
        fit,
        predicted_tenths: (predicted * 10.0).round() as u64,
        measured_tenths: (actual * 10.0).round() as u64,
        of_doubling_per_mille: per_mille(of_doubling),
        times_hundredths: (times * 100.0).round() as u64,
        in_all_per_mille: per_mille(over(of_doubling, times)),
    };
    let of_records = measured.fewer_records.map(|fewer| {
        let [half, quarter] = fewer.map(OfSyncs::of_each);
        let fit = |fit: Fit| {
            let predicted = fit.beyond(quarter, half, 2.0);
            (fit, predicted, error(predicted, whole))
        };
        let (line, power) = (fit(Fit::Line), fit(Fit::Power));
        let (fit, predicted, error) = if power.2 < line.2 { power } else { line };
        let times = times(sizes.asked.records.into(), sizes.run.records.into());
        said(Rule::Records, fit, predicted, whole, error, times)
    });
    let of_days = (sizes.run.measured_s < sizes.asked.measured_s).then(|| {
        let [first, second] = measured.halves_of_time.map(OfSyncs::of_each);
        let times = times(sizes.asked.measured_s, sizes.run.measured_s);
        said(Rule::Days, Fit::Even, first, second, error(first, second), times)
    });
    of_records.into_iter().chain(of_days).collect()
}

/// Whether scaled numbers are within the tolerance: the errors of all rules together. Two halves that are the same say nothing
/// of a time that is many times as long.
pub fn holds(errors: &[RuleError]) -> bool {
    let is_too_long = |of: &RuleError| of.rule == Rule::Days && of.times_hundredths > 100 * MOST_TIMES_THE_DAYS;
    if errors.iter().any(is_too_long) {
        return false;
    }
    errors.iter().map(|error| error.in_all_per_mille).fold(0, u64::saturating_add) <= TOLERANCE_PER_MILLE
}

/// The customer's numbers by these rules, from what was measured; nothing where nobody synced.
pub fn estimate(trial: &BandwidthTrial, sizes: &Sizes, measured: &Measured, rules: &[RuleError]) -> Option<Estimate> {
    let OfSyncs { bytes, syncs } = measured.whole;
    let fit = rules.iter().find(|rule| rule.rule == Rule::Records).map(|rule| rule.fit);
    let Some((fit, [half, _])) = fit.zip(measured.fewer_records) else {
        return (syncs > 0).then(|| scaled(trial, bytes.into(), syncs.into()));
    };
    let times = times(sizes.asked.records.into(), sizes.run.records.into());
    let of_each = fit.beyond(half.of_each(), measured.whole.of_each(), times);
    let is_number = of_each.is_finite() && of_each >= 0.0;
    (syncs > 0 && is_number).then(|| scaled(trial, (of_each * MILLION as f64) as u128, MILLION))
}

/// How long a sync keeps the link of a client busy, in milliseconds, if that takes too much of the time that the client is
/// online.
pub fn too_long_ms(trial: &BandwidthTrial, estimate: &Estimate) -> Option<u64> {
    // Thousandths of so many seconds are as many milliseconds.
    let most = trial.online.as_seconds().saturating_mul(MOST_BUSY_PER_MILLE);
    Some(estimate.link_ms_per_sync).filter(|&ms| ms > most)
}

/// The numbers of one whose syncs take `bytes / syncs` each.
pub fn scaled(trial: &BandwidthTrial, bytes: u128, syncs: u128) -> Estimate {
    let rounded = |number: u128, by: u128| u64::try_from(number.saturating_add(by / 2) / by).unwrap_or(u64::MAX);
    let syncs_a_day = u128::from(trial.syncs_per_day.millionths());
    let a_day = bytes.saturating_mul(u128::from(trial.clients) * syncs_a_day);
    let bytes_per_month = rounded(a_day.saturating_mul(MONTH_DAYS.into()), syncs * MILLION);
    let cost = |price: u64| rounded(u128::from(bytes_per_month) * u128::from(price), MEGABYTE.into());
    let bits = bytes.saturating_mul(8);
    let rate = syncs * u128::from(trial.link.bits_per_s.max(1));
    Estimate {
        bytes_per_sync_tenths: rounded(bytes.saturating_mul(10), syncs),
        bytes_per_day: rounded(a_day, syncs * MILLION),
        bytes_per_month,
        link_ms_per_sync: rounded(bits.saturating_mul(1000), rate),
        link_s_per_client_day: rounded(bits.saturating_mul(syncs_a_day), rate.saturating_mul(MILLION)),
        cost_per_month_millionths: trial.price_per_mb.map(|price| cost(price.millionths())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::bandwidth::size::Size;
    use proptest::prelude::*;

    fn trial(clients: u32) -> BandwidthTrial {
        let keys = format!(
            "records = 5000\nchanged = '2%'\nclients = {clients}\nsyncs_per_day = 6\nprice_per_mb = '0.05'\n\
             link = {{ bits_per_s = 64000 }}"
        );
        toml::from_str(&keys).expect("it is sound")
    }

    fn sizes(times_days: u64, times_records: u32) -> Sizes {
        let run = Size { records: 1000, changed: 20, measured_s: 86_400 };
        let asked =
            Size { records: 1000 * times_records, changed: 20 * times_records, measured_s: 86_400 * times_days };
        let fewer = (times_records > 1)
            .then_some([Size { records: 500, changed: 10, ..run }, Size { records: 250, changed: 5, ..run }]);
        Sizes { asked, run, fewer, before_s: 0 }
    }

    fn of(bytes: u64) -> OfSyncs {
        OfSyncs { bytes, syncs: 10 }
    }

    /// One that takes this at all sizes of a row: the whole, its halves of time, and fewer records.
    fn measured(whole: u64, halves: [u64; 2], fewer: Option<[u64; 2]>) -> Measured {
        Measured { whole: of(whole), halves_of_time: halves.map(of), fewer_records: fewer.map(|fewer| fewer.map(of)) }
    }

    #[test]
    fn a_thousand_bytes_a_sync_are_what_they_are_by_hand() {
        let even = measured(10_000, [10_000; 2], None);
        // 40 clients that sync six times a day: 240 000 bytes, 7.2 MB a month, at 0.05 a megabyte. 8 000 bits take 125 ms at
        // 64 kbit/s, and six times that a day.
        let expected = Estimate {
            bytes_per_sync_tenths: 10_000,
            bytes_per_day: 240_000,
            bytes_per_month: 7_200_000,
            link_ms_per_sync: 125,
            link_s_per_client_day: 1,
            cost_per_month_millionths: Some(360_000),
        };
        assert_eq!(estimate(&trial(40), &sizes(1, 1), &even, &[]), Some(expected));
        assert_eq!(estimate(&trial(40), &sizes(1, 1), &Measured::default(), &[]), None);
    }

    #[test]
    fn a_sync_may_keep_the_link_busy_for_nine_tenths_of_the_time_online() {
        // 120 s online; 64 kbit/s are 8 000 bytes a second.
        let of = |seconds_tenths: u128| {
            let estimate = scaled(&trial(1), 800 * seconds_tenths, 1);
            too_long_ms(&trial(1), &estimate)
        };
        assert_eq!([of(0), of(1080), of(1081)], [None, None, Some(108_100)]);
    }

    fn said(sizes: &Sizes, measured: &Measured) -> (Vec<(Rule, Fit, u64)>, Option<u64>) {
        let rules = errors(sizes, measured);
        let tenths = estimate(&trial(1), sizes, measured, &rules).map(|of| of.bytes_per_sync_tenths);
        (rules.iter().map(|of| (of.rule, of.fit, of.in_all_per_mille)).collect(), tenths)
    }

    #[test]
    fn what_has_a_fixed_part_follows_a_line_and_what_grows_by_a_factor_a_power() {
        // 60 bytes, and one for each ten records.
        let line = measured(1600, [1600; 2], Some([1100, 850]));
        assert_eq!(said(&sizes(1, 8), &line), (vec![(Rule::Records, Fit::Line, 0)], Some(8600)));
        // Three times as much for twice the records.
        let power = measured(900, [900; 2], Some([300, 100]));
        assert_eq!(said(&sizes(1, 8), &power), (vec![(Rule::Records, Fit::Power, 0)], Some(24_300)));
        // 2 % off in a doubling: three doublings more.
        let (rules, _) = said(&sizes(1, 8), &measured(1632, [1632; 2], Some([1100, 850])));
        assert_eq!(rules, [(Rule::Records, Fit::Line, 60)]);
    }

    #[test]
    fn days_are_scaled_where_both_halves_take_the_same_and_errors_add_up() {
        assert_eq!(said(&sizes(1, 1), &measured(1000, [900, 1100], None)).0, []);
        assert_eq!(said(&sizes(8, 1), &measured(1005, [1000, 1010], None)).0, [(Rule::Days, Fit::Even, 30)]);
        let even = measured(1000, [1000, 1000], None);
        assert!(holds(&errors(&sizes(10, 1), &even)) && !holds(&errors(&sizes(11, 1), &even)));
        let all = errors(&sizes(8, 8), &measured(1000, [980, 1020], Some([500, 250])));
        assert!(!holds(&all), "what grows by a twenty-fifth in every doubling is unknown in the end: {all:?}");
        let nothing =
            errors(&sizes(8, 8), &Measured { fewer_records: Some([OfSyncs::default(); 2]), ..Measured::default() });
        assert!(!holds(&nothing) || nothing.iter().all(|rule| rule.measured_tenths == 0), "{nothing:?}");
    }

    proptest! {
        #[test]
        fn numbers_grow_with_the_clients_and_never_panic(
            bytes in proptest::array::uniform5(0..u64::MAX),
            syncs in 1..u64::MAX,
            times in 1..100_000u32,
        ) {
            let of = |bytes| OfSyncs { bytes, syncs };
            let [whole, first, second, half, quarter] = bytes.map(of);
            let measured = Measured { whole, halves_of_time: [first, second], fewer_records: Some([half, quarter]) };
            let sizes = sizes(3, times);
            let rules = errors(&sizes, &measured);
            let of = |clients| estimate(&trial(clients), &sizes, &measured, &rules);
            if let Some((one, forty)) = of(1).zip(of(40)) {
                prop_assert_eq!(one.bytes_per_sync_tenths, forty.bytes_per_sync_tenths);
                prop_assert!(forty.bytes_per_month >= one.bytes_per_month);
            }
        }

        #[test]
        fn what_follows_a_rule_has_no_error_and_what_breaks_it_by_a_tenth_is_found(
            fixed in 0..10_000u64,
            each in 1000..1_000_000u64,
            times in 2..1000u32,
        ) {
            let [whole, half, quarter] = [4, 2, 1].map(|parts| fixed + parts * each);
            let sound = measured(whole, [whole; 2], Some([half, quarter]));
            let all = errors(&sizes(8, times), &sound);
            prop_assert!(holds(&all) && all.iter().all(|error| error.in_all_per_mille <= 1), "{all:?}");
            for wrong in [
                measured(whole, [whole * 88 / 100, whole * 112 / 100], Some([half, quarter])),
                measured(whole * 113 / 100, [whole; 2], Some([half, quarter])),
                measured(whole * 88 / 100, [whole; 2], Some([half, quarter])),
            ] {
                // A power may be right where a line is not.
                let is_power = |rule: &RuleError| rule.fit == Fit::Power;
                let all = errors(&sizes(8, times), &wrong);
                prop_assert!(!holds(&all) || all.iter().any(is_power), "{all:?}");
            }
        }
    }
}
