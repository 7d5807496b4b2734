//! Numbers of a customer that cannot be: each key has its bounds, and some do not go together.

use crate::domain::bandwidth::units::Duration;
use crate::domain::bandwidth::{BandwidthTrial, DAY_S, ELEMENTS, Values};
use crate::domain::offline::{MOST_CLIENTS, MOST_WATCHED, OfflineTrial};
use crate::domain::seed::Seed;
use crate::domain::trial::Keys;

/// The most records that can be asked for. Worlds have fewer: they are scaled.
pub const MOST_RECORDS: u32 = 100_000_000;

/// The fewest syncs of a client that are measured.
pub const FEWEST_SYNCS: u64 = 4;

/// A key whose value is not allowed, here or together with others.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} = {value} {reason}")]
pub struct Impossible {
    /// The key. The flag has the same name, with dashes.
    pub key: &'static str,
    /// Its value.
    pub value: String,
    /// What is wrong, and what is allowed.
    pub reason: String,
}

impl BandwidthTrial {
    /// The first key that does not go.
    pub fn impossible_key(&self) -> Option<Impossible> {
        self.out_of_bounds().or_else(|| self.unfit_times()).or_else(|| self.unfit_link())
    }

    fn out_of_bounds(&self) -> Option<Impossible> {
        let BandwidthTrial { records, clients, value_bytes, amount, days, .. } = *self;
        let is_tags = self.values == Values::Tags;
        let most_clients = if is_tags { MOST_WATCHED } else { MOST_CLIENTS };
        let bounds = [
            ("records", records, 1, MOST_RECORDS),
            ("clients", clients, 1, most_clients),
            ("value_bytes", value_bytes, 2, 8),
            ("amount", amount, 1, 1_000_000),
            ("days", days, 1, 3660),
        ];
        let beyond = bounds.into_iter().find(|(_, value, least, most)| !(least..=most).contains(&value));
        if let Some((key, value, least, most)) = beyond {
            let why = if key == "clients" && is_tags { ", in worlds of tags" } else { "" };
            let reason = format!("is not allowed; {least} to {most} are{why}");
            return Some(Impossible { key, value: value.to_string(), reason });
        }
        if self.changed_records() == 0 {
            let (value, least) = (self.changed.to_string(), 100.0 / f64::from(records));
            let reason = format!("of {records} records is less than one record; at least {least:.6}% is needed");
            return Some(Impossible { key: "changed", value, reason });
        }
        let most_amount = (self.start().unsigned_abs() / 64).clamp(1, 1_000_000);
        if !is_tags && u64::from(amount) > most_amount {
            let reason = format!("does not fit values of {value_bytes} bytes; 1 to {most_amount} do");
            return Some(Impossible { key: "amount", value: amount.to_string(), reason });
        }
        let twice = self.engines.iter().enumerate().find(|(place, name)| self.engines[..*place].contains(name));
        if let Some((_, name)) = twice {
            return Some(Impossible {
                key: "engines",
                value: name.clone(),
                reason: "is there twice; name it once".to_owned(),
            });
        }
        self.engines.is_empty().then(|| Impossible {
            key: "engines",
            value: "[]".to_owned(),
            reason: "names nobody; name an engine, or leave the key out for all".to_owned(),
        })
    }

    /// Times that do not go together.
    fn unfit_times(&self) -> Option<Impossible> {
        let (cycle, online) = (self.cycle_s(), self.online.as_seconds());
        let syncs = self.syncs_per_day;
        if online >= cycle {
            let reason =
                format!("is longer than the {} from one sync to the next at syncs_per_day = {syncs}", told(cycle));
            return Some(Impossible { key: "online", value: self.online.to_string(), reason });
        }
        let mean = self.mean_away_s();
        if let Some(away) = self.away.filter(|away| !(mean..=2 * mean).contains(&away.as_seconds())) {
            let reason = format!(
                "does not go together with syncs_per_day = {syncs}, at which a client is away for {} on average; {} to {} do",
                told(mean),
                told(mean),
                told(2 * mean)
            );
            return Some(Impossible { key: "away", value: away.to_string(), reason });
        }
        let least = (FEWEST_SYNCS * cycle).div_ceil(DAY_S);
        (u64::from(self.days) < least).then(|| Impossible {
            key: "days",
            value: self.days.to_string(),
            reason: format!(
                "is less than {FEWEST_SYNCS} syncs of a client at syncs_per_day = {syncs}; at least {least} days are"
            ),
        })
    }

    /// The bounds of a link are those of any world's.
    fn unfit_link(&self) -> Option<Impossible> {
        let mut world = OfflineTrial::of(self.seed, 1);
        (world.workload.ticks, world.workload.changed, world.workload.most) = (1, 1, 1);
        (world.presence.lasts_s, world.presence.away_s, world.presence.here_s) = (2, (1, 1), (1, 1));
        world.link = self.link;
        let reason = world.impossible()?;
        let (value, reason) = reason.split_once(' ').map_or((String::new(), reason.clone()), |(_, rest)| {
            let rest = rest.trim_start_matches("= ");
            rest.split_once(' ')
                .map_or((rest.to_owned(), String::new()), |(value, why)| (value.to_owned(), why.to_owned()))
        });
        Some(Impossible { key: "link", value, reason })
    }

    /// Records' tags, as a world has them.
    pub fn elements(&self) -> u32 {
        ELEMENTS
    }
}

impl Keys for BandwidthTrial {
    fn seed(&self) -> Seed {
        self.seed
    }

    fn set_seed(&mut self, seed: Seed) {
        self.seed = seed;
    }

    fn title(&self) -> String {
        "bandwidth".to_owned()
    }

    fn command(&self) -> Option<String> {
        BandwidthTrial::command(self)
    }

    fn engines(&self) -> Vec<&str> {
        self.engines.iter().map(String::as_str).collect()
    }

    fn impossible(&self) -> Option<String> {
        self.impossible_key().map(|impossible| impossible.to_string())
    }
}

/// A length of time in its largest whole unit.
fn told(seconds: u64) -> String {
    Duration::seconds(seconds).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial() -> BandwidthTrial {
        toml::from_str("records = 5000\nchanged = '2%'\nclients = 40\nsyncs_per_day = 6").expect("it is sound")
    }

    fn refused(change: fn(&mut BandwidthTrial)) -> String {
        let mut trial = trial();
        change(&mut trial);
        trial.impossible_key().expect("it cannot be").to_string()
    }

    #[test]
    fn a_customer_tells_four_numbers_and_the_others_have_defaults() {
        let trial = trial();
        assert_eq!(trial.impossible_key(), None);
        assert_eq!((trial.changed_records(), trial.cycle_s(), trial.away_s()), (100, 14_400, (10_710, 17_850)));
        let written = toml::from_str("records = 5000\nchanged = 0.02\nclients = 40\nsyncs_per_day = '6'\ndays = 30");
        assert_eq!(written, Ok(trial));
    }

    #[test]
    fn what_cannot_be_is_named_with_its_key_its_value_and_what_is_allowed() {
        let told = [
            refused(|trial| trial.records = 0),
            refused(|trial| trial.clients = 100_001),
            refused(|trial| (trial.values, trial.clients) = (Values::Tags, 65)),
            refused(|trial| trial.records = 10),
            refused(|trial| trial.value_bytes = 9),
            refused(|trial| (trial.value_bytes, trial.amount) = (2, 129)),
            refused(|trial| trial.online = "4h".parse().expect("hours")),
            refused(|trial| trial.away = "9h".parse().ok()),
            refused(|trial| trial.away = "1h".parse().ok()),
            refused(|trial| trial.syncs_per_day = "0.1".parse().expect("a rate")),
            refused(|trial| trial.link.lost_per_mille = 1000),
            refused(|trial| trial.link.bits_per_s = 0),
            refused(|trial| trial.engines = Vec::new()),
        ];
        insta::assert_snapshot!(told.join("\n"));
    }
}
