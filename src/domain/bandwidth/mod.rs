//! Bandwidth trials: a customer's own numbers, of which worlds are made that engines are measured in.

pub mod command;
pub mod impossible;
pub mod units;

use serde::{Deserialize, Serialize};

use crate::domain::bandwidth::units::{Duration, Price, Rate, Share};
use crate::domain::offline::Link;
use crate::domain::seed::Seed;
use crate::domain::trial::{Budget, MemoryMib};

/// Seconds of a day.
pub const DAY_S: u64 = 86_400;

/// Days of a month.
pub const MONTH_DAYS: u64 = 30;

/// How many times the time that was run is told from it at most.
pub const MOST_TIMES_THE_DAYS: u64 = 10;

/// The largest share of the time online, in thousandths, that a sync may keep the link busy for. Of a sync that takes more no
/// number is told: the connection may end before the sync does, and what was sent until then is no sync's price.
pub const MOST_BUSY_PER_MILLE: u64 = 900;

/// The largest share of empty syncs, in thousandths: syncs in which nothing arrived of what the client had to tell. If there are
/// more, the link does not carry syncs, and the report gives no number.
pub const MOST_EMPTY_PER_MILLE: u64 = 100;

/// Bytes of a megabyte. All units are decimal.
pub const MEGABYTE: u64 = 1_000_000;

/// Elements that a record of tags can have.
pub const ELEMENTS: u32 = 16;

/// What a record holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "kebab-case")]
pub enum Values {
    /// A number that users add to and subtract from.
    #[default]
    Counters,
    /// A set of tags that users add and remove.
    Tags,
}

/// A customer's numbers, and how far they are run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BandwidthTrial {
    /// What all that is random is drawn from: a text of 1 to 16 hexadecimal digits, with or without 0x. The same seed gives
    /// the same run.
    #[serde(default = "default_seed")]
    pub seed: Seed,
    /// How many records every client has.
    #[cfg_attr(test, schemars(range(min = 1, max = impossible::MOST_RECORDS)))]
    pub records: u32,
    /// The share of the records that a client changes in a tick.
    pub changed: Share,
    /// How many clients there are. With tags, 64 are the most.
    #[cfg_attr(test, schemars(range(min = 1, max = crate::domain::offline::MOST_CLIENTS)))]
    pub clients: u32,
    /// How often a client syncs in a day.
    pub syncs_per_day: Rate,
    /// How often a client changes records in a day. Without this key, it does as often as it syncs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticks_per_day: Option<Rate>,
    /// What a record holds.
    #[serde(default)]
    pub values: Values,
    /// How many bytes a counter takes, as its users store it.
    #[serde(default = "default_value_bytes")]
    #[cfg_attr(test, schemars(range(min = 2, max = 8)))]
    pub value_bytes: u32,
    /// The largest change of a counter, either way. It must fit value_bytes.
    #[serde(default = "default_amount")]
    #[cfg_attr(test, schemars(range(min = 1, max = 1_000_000)))]
    pub amount: u32,
    /// The longest that a client is away. Without this key, it is a quarter longer than the average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<Duration>,
    /// How long a client stays connected.
    #[serde(default = "default_online")]
    pub online: Duration,
    /// The links of clients.
    #[serde(default)]
    pub link: Link,
    /// What a megabyte costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_per_mb: Option<Price>,
    /// How many days are run.
    #[serde(default = "default_days")]
    #[cfg_attr(test, schemars(range(min = 1, max = 3660)))]
    pub days: u32,
    /// The engines, by name, or "all"; `abench list engines` names them. The report is about the first.
    #[serde(default = "all", skip_serializing_if = "is_all")]
    #[cfg_attr(test, schemars(length(min = 1), extend("default" = ["all"])))]
    pub engines: Vec<String>,
    /// How many edits may be delivered to clients in each world. What takes more is scaled down.
    #[serde(default = "default_budget")]
    pub budget: Budget,
    /// The most memory that a world may take.
    #[serde(default = "default_memory")]
    pub memory_mib: MemoryMib,
}

/// The seed of a report that names none.
pub fn default_seed() -> Seed {
    Seed::new(0xB17E_5000)
}

/// 8: those of the counters of the published board.
pub fn default_value_bytes() -> u32 {
    8
}

/// 100.
pub fn default_amount() -> u32 {
    100
}

/// Two minutes.
pub fn default_online() -> Duration {
    Duration::seconds(120)
}

/// A month.
pub fn default_days() -> u32 {
    MONTH_DAYS as u32
}

/// All engines.
pub fn all() -> Vec<String> {
    vec!["all".to_owned()]
}

fn is_all(engines: &Vec<String>) -> bool {
    *engines == all()
}

/// Four million edits.
pub fn default_budget() -> Budget {
    Budget::deliveries(4_000_000)
}

/// 1 GiB.
pub fn default_memory() -> MemoryMib {
    MemoryMib::mib(1024)
}

impl BandwidthTrial {
    /// Records that a client changes in a tick.
    pub fn changed_records(&self) -> u32 {
        self.changed.of(self.records)
    }

    /// How often a client changes records in a day.
    pub fn ticks_per_day(&self) -> Rate {
        self.ticks_per_day.unwrap_or(self.syncs_per_day)
    }

    /// Seconds from one sync of a client to its next, on average.
    pub fn cycle_s(&self) -> u64 {
        self.syncs_per_day.every(DAY_S)
    }

    /// The shortest and the longest time that a client is away, in seconds. Their mean keeps the syncs a day.
    pub fn away_s(&self) -> (u64, u64) {
        let mean = self.mean_away_s();
        let longest = self.away.map_or(mean + mean / 4, Duration::as_seconds);
        (2 * mean - longest.min(2 * mean), longest)
    }

    /// How long a client is away on average, in seconds.
    pub fn mean_away_s(&self) -> u64 {
        self.cycle_s().saturating_sub(self.online.as_seconds())
    }

    /// Bytes of a record as its users store it.
    pub fn record_bytes(&self) -> u64 {
        match self.values {
            Values::Counters => self.value_bytes.into(),
            Values::Tags => u64::from(ELEMENTS.div_ceil(8)),
        }
    }

    /// What every counter starts at: a number of which twice as much takes the bytes of a value.
    pub fn start(&self) -> i64 {
        match self.values {
            Values::Counters => 1 << (8 * self.value_bytes - 3),
            Values::Tags => 0,
        }
    }
}
