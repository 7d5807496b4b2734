//! How long things took, and on what host: the parts that differ between runs.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::report::samples::Sample;

/// How long things took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// The whole run as the user waits for it, controls of the judges included, in microseconds.
    pub total_us: u64,
    /// The controls of the judges, then every check, in microseconds, in the order in which they were made.
    pub checks_us: Vec<(String, u64)>,
    /// Register round trips, in nanoseconds, by device.
    pub round_trips_ns: BTreeMap<String, Latencies>,
    /// Whole arrival orders, in nanoseconds, by subject: from reset to the observed state.
    pub orders_ns: BTreeMap<String, Latencies>,
    /// Deliveries in worlds of clients.
    #[serde(default)]
    pub deliveries: Deliveries,
    /// What simulated devices simulated while their engines ran, by device.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub simulated: BTreeMap<String, Simulated>,
    /// Every one of the repeated runs that `--samples` asks for, in the order in which they were made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Sample>,
    /// The digest of this section and of `host`, computed when the record is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

impl Timing {
    /// So many a second, of what checks of these names did in all; nothing where they took too short a time to tell.
    pub fn rate(&self, count: u64, is_of: impl Fn(&str) -> bool) -> Option<u64> {
        let us: u64 = self.checks_us.iter().filter(|(name, _)| is_of(name)).map(|(_, us)| us).sum();
        (us >= 1000).then(|| u64::try_from(u128::from(count) * 1_000_000 / u128::from(us)).unwrap_or(u64::MAX))
    }
}

/// Clock cycles that were simulated, and the time that it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Simulated {
    /// How many.
    pub cycles: u64,
    /// In microseconds of the host's clock.
    pub us: u64,
}

/// Deliveries, and the time of the threads that ran them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deliveries {
    /// How many.
    pub count: u64,
    /// The worlds in which they were made, in microseconds, added up.
    pub us: u64,
}

/// A distribution of durations; the percentiles have three significant digits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latencies {
    /// How many.
    pub count: u64,
    /// The shortest.
    pub min: u64,
    /// Half are at most so long.
    pub p50: u64,
    /// 90 % are at most so long.
    pub p90: u64,
    /// 99 % are at most so long.
    pub p99: u64,
    /// The longest.
    pub max: u64,
}

impl From<&Histogram<u64>> for Latencies {
    fn from(histogram: &Histogram<u64>) -> Self {
        Latencies {
            count: histogram.len(),
            min: histogram.min(),
            p50: histogram.value_at_quantile(0.5),
            p90: histogram.value_at_quantile(0.9),
            p99: histogram.value_at_quantile(0.99),
            max: histogram.max(),
        }
    }
}

/// What a run was made on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Operating system.
    pub os: String,
    /// Processor architecture.
    pub arch: String,
    /// The vector units that `simd` and `threads` use.
    pub simd: String,
    /// Threads of the backend `threads`.
    pub threads: usize,
    /// The processor, as the operating system names it; empty where it does not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub processor: String,
    /// How abench was built: `release`, or `debug`, which is many times slower.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub build: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_over_the_checks_that_it_is_of_and_of_too_short_a_time_there_is_none() {
        let checks_us = [("a", 1_500_000), ("b", 500_000), ("c", 999)].map(|(name, us)| (name.to_owned(), us)).to_vec();
        let timing = Timing { checks_us, ..Timing::default() };
        assert_eq!(timing.rate(4_000_000, |name| name != "c"), Some(2_000_000));
        assert_eq!(timing.rate(3, |name| name == "a"), Some(2));
        assert_eq!(timing.rate(1, |name| name == "c"), None);
        assert_eq!(timing.rate(u64::MAX, |name| name == "b"), Some(u64::MAX));
    }
}
