//! From what was measured to the customer's numbers, and whether the rule that leads there holds.
//!
//! Two rules: bytes of a sync are the same on every day, and they are proportional to the records. Each that is used is tried
//! on two sizes, of which one is twice the other: what the smaller one predicts for the larger is compared with what was
//! measured there. The error of one doubling is taken as that of every further one.

use crate::domain::bandwidth::{BandwidthTrial, MEGABYTE, MONTH_DAYS};
use crate::experiment::bandwidth::size::Sizes;
use crate::report::bandwidth_record::{Estimate, RuleError};

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
    /// Of that, in the first half of its time.
    pub first_half: OfSyncs,
    /// In the world with half the records, where there is one.
    pub half_records: Option<OfSyncs>,
}

impl OfSyncs {
    fn of_each(self) -> f64 {
        if self.syncs == 0 { 0.0 } else { self.bytes as f64 / self.syncs as f64 }
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

/// The errors of the rules that are used.
pub fn errors(sizes: &Sizes, measured: &Measured) -> Vec<RuleError> {
    let whole = measured.whole.of_each();
    let times = |asked: u64, run: u64| asked as f64 / run as f64;
    let of_days = (sizes.run.measured_s < sizes.asked.measured_s)
        .then(|| ("days", measured.first_half.of_each(), times(sizes.asked.measured_s, sizes.run.measured_s)));
    let of_records = measured
        .half_records
        .map(|half| ("records", 2.0 * half.of_each(), times(sizes.asked.records.into(), sizes.run.records.into())));
    let said = |(rule, predicted, times): (&str, f64, f64)| {
        let of_doubling = error(predicted, whole);
        RuleError {
            rule: rule.to_owned(),
            predicted_tenths: (predicted * 10.0).round() as u64,
            measured_tenths: (whole * 10.0).round() as u64,
            of_doubling_per_mille: per_mille(of_doubling),
            times_hundredths: (times * 100.0).round() as u64,
            in_all_per_mille: per_mille(over(of_doubling, times)),
        }
    };
    of_days.into_iter().chain(of_records).map(said).collect()
}

/// Whether scaled numbers are within the tolerance: the errors of all rules together.
pub fn holds(errors: &[RuleError]) -> bool {
    errors.iter().map(|error| error.in_all_per_mille).fold(0, u64::saturating_add) <= TOLERANCE_PER_MILLE
}

/// The customer's numbers, from what was measured; nothing where nobody synced.
pub fn estimate(trial: &BandwidthTrial, sizes: &Sizes, measured: &Measured) -> Option<Estimate> {
    let OfSyncs { bytes, syncs } = measured.whole;
    (syncs > 0).then(|| {
        let all = u128::from(bytes) * u128::from(sizes.asked.records);
        scaled(trial, all, u128::from(syncs) * u128::from(sizes.run.records))
    })
}

/// The numbers of one whose syncs take `bytes / syncs` each.
pub fn scaled(trial: &BandwidthTrial, bytes: u128, syncs: u128) -> Estimate {
    let rounded = |number: u128, by: u128| u64::try_from(number.saturating_add(by / 2) / by).unwrap_or(u64::MAX);
    let a_day = u128::from(trial.clients) * u128::from(trial.syncs_per_day.millionths());
    let all = bytes.saturating_mul(a_day);
    let bytes_per_month = rounded(all.saturating_mul(MONTH_DAYS.into()), syncs * MILLION);
    let cost = |price: u64| rounded(u128::from(bytes_per_month) * u128::from(price), MEGABYTE.into());
    Estimate {
        bytes_per_sync_tenths: rounded(bytes.saturating_mul(10), syncs),
        bytes_per_day: rounded(all, syncs * MILLION),
        bytes_per_month,
        cost_per_month_millionths: trial.price_per_mb.map(|price| cost(price.millionths())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::bandwidth::size::Size;
    use proptest::prelude::*;

    fn trial(clients: u32) -> BandwidthTrial {
        let keys =
            format!("records = 5000\nchanged = '2%'\nclients = {clients}\nsyncs_per_day = 6\nprice_per_mb = '0.05'");
        toml::from_str(&keys).expect("it is sound")
    }

    fn sizes(times_days: u64, times_records: u32) -> Sizes {
        let run = Size { records: 1000, changed: 20, measured_s: 86_400 };
        let asked =
            Size { records: 1000 * times_records, changed: 20 * times_records, measured_s: 86_400 * times_days };
        let half = (times_records > 1).then_some(Size { records: 500, changed: 10, ..run });
        Sizes { asked, run, half, before_s: 0 }
    }

    #[test]
    fn a_thousand_bytes_a_sync_are_what_they_are_by_hand() {
        let whole = OfSyncs { bytes: 24_000, syncs: 24 };
        let measured = Measured { whole, first_half: whole, half_records: None };
        // 40 clients that sync six times a day: 240 000 bytes, 7.2 MB a month, at 0.05 a megabyte.
        let expected = Estimate {
            bytes_per_sync_tenths: 10_000,
            bytes_per_day: 240_000,
            bytes_per_month: 7_200_000,
            cost_per_month_millionths: Some(360_000),
        };
        assert_eq!(estimate(&trial(40), &sizes(1, 1), &measured), Some(expected));
        let ten_times = estimate(&trial(40), &sizes(1, 10), &measured).expect("somebody synced");
        assert_eq!((ten_times.bytes_per_sync_tenths, ten_times.bytes_per_month), (100_000, 72_000_000));
        assert_eq!(estimate(&trial(40), &sizes(1, 1), &Measured::default()), None);
    }

    #[test]
    fn a_rule_is_tried_where_it_is_used_and_its_error_grows_with_every_doubling() {
        let of = |bytes| OfSyncs { bytes, syncs: 10 };
        let measured = Measured { whole: of(1000), first_half: of(990), half_records: Some(of(510)) };
        assert_eq!(errors(&sizes(1, 1), &Measured { half_records: None, ..measured }), []);
        let all = errors(&sizes(8, 4), &measured);
        let said: Vec<_> = all.iter().map(|e| (e.rule.as_str(), e.of_doubling_per_mille, e.in_all_per_mille)).collect();
        // 1.01^3 and 1.02^2.
        assert_eq!(said, [("days", 10, 31), ("records", 20, 41)]);
        assert!(holds(&all));
        let late = Measured { first_half: of(900), ..measured };
        assert!(!holds(&errors(&sizes(8, 4), &late)), "what grows by a tenth in every doubling is unknown in the end");
    }

    proptest! {
        #[test]
        fn numbers_scale_with_the_records_and_the_clients_and_never_panic(
            bytes in 0..u64::MAX,
            syncs in 1..u64::MAX,
            times in 1..100_000u32,
        ) {
            let whole = OfSyncs { bytes, syncs };
            let measured = Measured { whole, first_half: whole, half_records: Some(whole) };
            let one = estimate(&trial(1), &sizes(1, times), &measured).expect("somebody synced");
            let forty = estimate(&trial(40), &sizes(1, times), &measured).expect("somebody synced");
            prop_assert_eq!(one.bytes_per_sync_tenths, forty.bytes_per_sync_tenths);
            prop_assert!(forty.bytes_per_month >= one.bytes_per_month);
            let _ = holds(&errors(&sizes(3, times), &measured));
        }

        #[test]
        fn what_follows_a_rule_has_no_error_and_what_breaks_it_by_a_tenth_is_found(
            bytes in 1000..1_000_000u64,
            times in 2..1000u32,
        ) {
            let of = |bytes| OfSyncs { bytes, syncs: 10 };
            let sound = Measured { whole: of(2 * bytes), first_half: OfSyncs { bytes, syncs: 5 }, half_records: Some(of(bytes)) };
            let all = errors(&sizes(30, times), &sound);
            prop_assert!(holds(&all) && all.iter().all(|error| error.in_all_per_mille == 0), "{all:?}");
            for wrong in [
                Measured { first_half: OfSyncs { bytes: bytes * 88 / 100, syncs: 5 }, ..sound },
                Measured { half_records: Some(of(bytes * 112 / 100)), ..sound },
            ] {
                prop_assert!(!holds(&errors(&sizes(30, times), &wrong)));
            }
        }
    }
}
