//! What a record holds of a bandwidth report: what was measured, and the customer's numbers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::bandwidth::units::{Price, Rate, Share};
use crate::domain::bandwidth::{DAY_S, MOST_BUSY_PER_MILLE, MOST_EMPTY_PER_MILLE, MOST_TIMES_THE_DAYS, Values};
use crate::domain::evidence::Evidence;
use crate::domain::offline::Link;
use crate::domain::shown::{percent, tenths};
use crate::domain::verdict::Verdict;

/// A bandwidth report. Megabytes have 1,000,000 bytes, and months 30 days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandwidthRecord {
    /// How the numbers were got.
    pub evidence: Evidence,
    /// Clients.
    pub clients: u32,
    /// What a record holds.
    pub values: Values,
    /// The share of the records that a client changes in a tick.
    pub changed: Share,
    /// How often a client syncs in a day.
    pub syncs_per_day: Rate,
    /// How long a client is online for each sync, in seconds; nothing in records of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online_s: Option<u64>,
    /// A client's link.
    pub link: Link,
    /// What a megabyte costs; nothing if no price was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_per_mb: Option<Price>,
    /// Days that were asked for.
    pub days: u32,
    /// The command that makes the same report; nothing if no flags can say what was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<String>,
    /// Bytes of a record as its users store it.
    pub record_bytes: u64,
    /// The world as the customer has it.
    pub asked: SizeRecord,
    /// The world that was run.
    pub run: SizeRecord,
    /// The worlds with a half and with a quarter of the records, where those are scaled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fewer: Option<[SizeRecord; 2]>,
    /// How long a world goes on before it is measured, in seconds.
    pub before_s: u64,
    /// Whether anything was scaled.
    pub scaled: bool,
    /// The budget that a tenth of the days needs, where the one of this report is too small for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_budget: Option<u64>,
    /// The MiB that a tenth of the days needs, where those of this report are too few for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_memory_mib: Option<u64>,
    /// How wrong scaled numbers may be, in thousandths.
    pub tolerance_per_mille: u64,
    /// The engine that the report is about.
    pub about: String,
    /// One row for each engine and each form of the whole state.
    pub rows: Vec<BandwidthRow>,
    /// The information bound.
    pub bound: Estimate,
    /// Engines that carry no such values, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<String, String>,
}

/// The size of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeRecord {
    /// Records.
    pub records: u32,
    /// Records that a client changes in a tick.
    pub changed: u32,
    /// How long it is measured for, in seconds.
    pub measured_s: u64,
}

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sender {
    /// An engine.
    Engine,
    /// The whole state, as its users store it.
    WholeState,
    /// The same, compressed.
    Compressed,
}

/// What one of them sends, and what comes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandwidthRow {
    /// Its name.
    pub name: String,
    /// What it is.
    pub sender: Sender,
    /// The verdict on what its replicas show: whether bytes were saved by losing edits.
    pub verdict: Verdict,
    /// Why, where it does not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub against: Vec<String>,
    /// Records that are wrong at the replica that has most of them, of those of the world that was run.
    pub wrong_records: u32,
    /// Syncs that were measured, the empty ones among them.
    pub syncs: u64,
    /// Of these, those in which a client had changes to tell and none of them arrived before it left. Their bytes count, and
    /// they do not: bytes of a sync are those of one that brings something.
    #[serde(default, skip_serializing_if = "is_none")]
    pub empty_syncs: u64,
    /// What clients sent in the time that was measured.
    pub up: MessageBytes,
    /// What was sent to clients.
    pub down: MessageBytes,
    /// How far the rules of scaling are wrong for it, where they were used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleError>,
    /// How long a sync keeps the link of a client busy, in milliseconds, where this takes too much of the time online. There
    /// is no estimate then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub too_long_ms: Option<u64>,
    /// The customer's numbers; nothing where the rules do not hold, or where a sync takes too long.
    pub estimate: Option<Estimate>,
    /// Its bytes in thousandths of those of the whole state; nothing where one of the two is unknown.
    pub of_whole_state_per_mille: Option<u64>,
}

/// Bytes by what their message is for. What a connection's end cut off is taken back at that time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageBytes {
    /// Of messages that carry changes.
    pub data: i64,
    /// Of acknowledgements.
    pub acknowledgements: i64,
    /// Of handshakes, and of all other messages.
    pub handshakes: i64,
    /// Of messages that were sent again.
    pub retransmissions: i64,
}

impl MessageBytes {
    /// All bytes.
    pub fn total(&self) -> i64 {
        self.data + self.acknowledgements + self.handshakes + self.retransmissions
    }
}

/// What is scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Records, from three sizes.
    Records,
    /// Days, from two halves of the time.
    Days,
}

/// How it is scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// A sync takes the same at every size.
    Even,
    /// A fixed part, and as much again for every record.
    Line,
    /// The same factor for every doubling.
    Power,
}

/// A rule of scaling, and how far it is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleError {
    /// What is scaled.
    pub rule: Rule,
    /// How.
    pub fit: Fit,
    /// What the smaller sizes predict for a sync at the larger one, in tenths of a byte.
    pub predicted_tenths: u64,
    /// What a sync took there, in tenths of a byte.
    pub measured_tenths: u64,
    /// The error of this doubling, in thousandths.
    pub of_doubling_per_mille: u64,
    /// How many times larger the customer's size is than the largest that was run, in hundredths.
    pub times_hundredths: u64,
    /// The error of the customer's numbers, in thousandths, as far as it can be told from what was measured of this sender.
    pub in_all_per_mille: u64,
}

/// The customer's numbers. A sync is one of one client; a day and a month are those of all clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// Bytes of a sync, both ways, in tenths.
    pub bytes_per_sync_tenths: u64,
    /// Bytes of a day.
    pub bytes_per_day: u64,
    /// Bytes of a month.
    pub bytes_per_month: u64,
    /// How long the link of a client carries the bytes of a sync, in milliseconds. Latency is not in it.
    pub link_ms_per_sync: u64,
    /// How long it carries those of a day, in seconds.
    pub link_s_per_client_day: u64,
    /// What a month costs, in millionths; nothing if no price was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_per_month_millionths: Option<u64>,
}

fn is_none(number: &u64) -> bool {
    *number == 0
}

impl BandwidthRow {
    /// Whether so many syncs are empty that no number is given.
    pub fn is_too_empty(&self) -> bool {
        self.empty_syncs.saturating_mul(1000) > self.syncs.saturating_mul(MOST_EMPTY_PER_MILLE)
    }

    /// Whether the link is why it has no number.
    pub fn is_beyond_its_link(&self) -> bool {
        self.too_long_ms.is_some() || self.is_too_empty()
    }

    /// Whether the link lost messages, was busy for most of the time online, or needs most of that time for its answers. If
    /// not, the sender is why its syncs bring nothing.
    fn may_fail_by_its_link(&self, record: &BandwidthRecord) -> bool {
        let Link {
            bits_per_s,
            latency_ms,
            jitter_ms,
            lost_per_mille,
            truncated_per_mille,
            corrupted_per_mille,
            outages,
            ..
        } = record.link;
        let loses = [lost_per_mille, truncated_per_mille, corrupted_per_mille, outages].iter().any(|&often| often > 0);
        let bytes = u128::try_from(self.up.total() + self.down.total()).unwrap_or(0);
        let link_ms = bytes * 8000 / (u128::from(bits_per_s.max(1)) * u128::from(self.syncs.max(1)));
        let is_slow = record.online_s.is_some_and(|online_s| {
            // Seconds times thousandths are milliseconds. A connection begins with an answer, and a change needs another.
            let answers_ms = 4 * (u128::from(latency_ms) + u128::from(jitter_ms));
            link_ms + answers_ms > u128::from(online_s) * u128::from(MOST_BUSY_PER_MILLE)
        });
        loses || is_slow
    }

    /// What it is called.
    pub fn label(&self) -> String {
        match self.sender {
            Sender::Engine => self.name.clone(),
            Sender::WholeState => "full state".to_owned(),
            Sender::Compressed => self.name.replace("whole-state", "full state").replace('-', " "),
        }
    }

    /// How wrong its numbers may be by what was measured of it alone, in thousandths: the errors of all rules together.
    fn own_error_per_mille(&self) -> u64 {
        self.rules.iter().map(|rule| rule.in_all_per_mille).fold(0, u64::saturating_add)
    }

    /// Why it has no number, where it has none: a sentence without its full stop.
    pub fn why_unknown(&self, record: &BandwidthRecord) -> Option<String> {
        if self.estimate.is_some() {
            return None;
        }
        if let Some(ms) = self.too_long_ms {
            let online = record.online_s.map_or("time".to_owned(), |seconds| format!("{seconds} s"));
            return Some(format!(
                "a sync keeps the link busy for {} s, which is more than {} of the {online} that a client is online, so that \
                 syncs may not finish",
                tenths(ms.saturating_add(50) / 100),
                percent(MOST_BUSY_PER_MILLE)
            ));
        }
        if self.is_too_empty() {
            let why = match self.may_fail_by_its_link(record) {
                true => ": on this link, syncs do not get through in the time that a client is online",
                false => "",
            };
            return Some(format!(
                "in {} of {} syncs nothing arrived of what the client had to tell, which is more than {}{why}",
                self.empty_syncs,
                self.syncs,
                percent(MOST_EMPTY_PER_MILLE)
            ));
        }
        let Some(rule) = self.rules.iter().max_by_key(|rule| rule.in_all_per_mille).filter(|_| self.syncs > 0) else {
            return Some("nobody synced in the time that was measured".to_owned());
        };
        let (first, second) = (tenths(rule.predicted_tenths), tenths(rule.measured_tenths));
        let days = |size: &SizeRecord| tenths(size.measured_s * 10 / DAY_S);
        let is_too_long =
            |rule: &RuleError| rule.rule == Rule::Days && rule.times_hundredths > 100 * MOST_TIMES_THE_DAYS;
        if self.rules.iter().any(is_too_long) {
            let run = days(&record.run);
            return Some(format!(
                "{run} days were run, and {} days are more than {MOST_TIMES_THE_DAYS} times as many",
                record.days
            ));
        }
        Some(match rule.rule {
            Rule::Days => format!(
                "a sync took {first} B in the first half of {} days and {second} B in the second, which is too far apart to \
                 tell {} days from them",
                days(&record.run),
                record.days
            ),
            Rule::Records => format!(
                "with {} records a sync took {second} B where fewer records predict {first} B, which is too far apart to tell \
                 {} records from them",
                record.run.records, record.asked.records
            ),
        })
    }
}

impl BandwidthRecord {
    /// The options that run a tenth of the days, where this report's are too small for that: a sentence.
    pub fn remedy(&self) -> Option<String> {
        let budget = self.least_budget.map(|budget| format!("--budget {budget}"));
        let memory = self.least_memory_mib.map(|mib| format!("--memory {mib}"));
        let options: Vec<String> = budget.into_iter().chain(memory).collect();
        (!options.is_empty()).then(|| format!("Give {}: a tenth of the days is run then.", options.join(" ")))
    }

    /// The row of the engine that the report is about.
    pub fn about(&self) -> Option<&BandwidthRow> {
        self.rows.iter().find(|row| row.name == self.about)
    }

    /// How wrong the numbers of this row may be, in thousandths: an estimate, and no bound. It is the largest error of all rows
    /// that have a number, as two sizes of one sender can agree by chance.
    pub fn error_per_mille(&self, row: &BandwidthRow) -> u64 {
        let known = self.rows.iter().filter(|row| row.estimate.is_some());
        known.chain([row]).map(BandwidthRow::own_error_per_mille).max().unwrap_or(0)
    }

    /// The row of the whole state, as its users store it.
    pub fn whole_state(&self) -> Option<&BandwidthRow> {
        self.rows.iter().find(|row| row.sender == Sender::WholeState)
    }
}
