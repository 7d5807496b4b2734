//! A schedule: one arrival order of one workload, as a versioned text that can be pasted,
//! `schedule1,count=64,seed=0x…,length=64,order=covering:3:7`.
//!
//! It names the workload that it belongs to, so that it is never tried on another one by mistake.

use std::fmt;
use std::str::FromStr;

use crate::domain::hex::HexError;
use crate::domain::order::{Order, OrderError};
use crate::domain::seed::Seed;
use crate::domain::trial::{Count, CountError};

/// What every schedule of this version begins with.
pub const VERSION_TAG: &str = "schedule1";

/// One arrival order, and the workload that it is one of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The scenario that the workload is of, where it has a name.
    pub scenario: Option<String>,
    /// Deltas of the workload.
    pub count: Count,
    /// What they are drawn from.
    pub seed: Seed,
    /// Deliveries of the order.
    pub length: u64,
    /// The order.
    pub order: Order,
}

/// Why a text is not a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// It is of another version.
    #[error("this is a schedule of version '{0}'; this abench reads {VERSION_TAG}")]
    Version(String),
    /// It does not begin as a schedule does.
    #[error("a schedule begins with '{VERSION_TAG},'")]
    Head,
    /// A field is none.
    #[error("'{0}' does not belong in a schedule; allowed are scenario=, count=, seed=, length= and order=")]
    Field(String),
    /// A field is missing, or there twice.
    #[error("{0}= must stand in the schedule exactly once")]
    Once(&'static str),
    /// The name of the scenario is none that a schedule can hold.
    #[error("scenario={0} is not allowed: a name of letters, digits and the signs . _ -")]
    Scenario(String),
    /// The count is none.
    #[error(transparent)]
    Count(#[from] CountError),
    /// The seed is none.
    #[error("seed={value} is not allowed: {error}")]
    Seed {
        /// As it stands.
        value: String,
        /// Why.
        error: HexError,
    },
    /// The length is none.
    #[error("length={0} is not allowed: a whole number of deliveries")]
    Length(String),
    /// The order is none.
    #[error(transparent)]
    Order(#[from] OrderError),
}

/// Whether a scenario's name can stand in a schedule, which holds no character that a shell would touch.
pub fn can_hold(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Schedule { scenario, count, seed, length, order } = self;
        let scenario = scenario.as_ref().map_or(String::new(), |name| format!("scenario={name},"));
        write!(f, "{VERSION_TAG},{scenario}count={count},seed={seed},length={length},order={order}")
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let (tag, rest) = text.trim().split_once(',').ok_or(ScheduleError::Head)?;
        if tag != VERSION_TAG {
            let of_a_version = tag.strip_prefix("schedule").is_some_and(|version| version.parse::<u32>().is_ok());
            return Err(if of_a_version { ScheduleError::Version(tag.to_owned()) } else { ScheduleError::Head });
        }
        let (mut scenario, mut count, mut seed, mut length, mut order) = (None, None, None, None, None);
        for field in rest.split(',') {
            let refused = || ScheduleError::Field(field.to_owned());
            let (key, value) = field.split_once('=').ok_or_else(refused)?;
            let (name, place) = match key {
                "scenario" => ("scenario", &mut scenario),
                "count" => ("count", &mut count),
                "seed" => ("seed", &mut seed),
                "length" => ("length", &mut length),
                "order" => ("order", &mut order),
                _ => return Err(refused()),
            };
            if place.replace(value).is_some() {
                return Err(ScheduleError::Once(name));
            }
        }
        if let Some(name) = scenario.filter(|name| !can_hold(name)) {
            return Err(ScheduleError::Scenario(name.to_owned()));
        }
        let seed = seed.ok_or(ScheduleError::Once("seed"))?;
        let length = length.ok_or(ScheduleError::Once("length"))?;
        Ok(Schedule {
            scenario: scenario.map(str::to_owned),
            count: count.ok_or(ScheduleError::Once("count"))?.parse()?,
            seed: seed.parse().map_err(|error| ScheduleError::Seed { value: seed.to_owned(), error })?,
            length: length.parse().map_err(|_| ScheduleError::Length(length.to_owned()))?,
            order: order.ok_or(ScheduleError::Once("order"))?.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_schedule_survives_its_text(
            scenario in proptest::option::of("[A-Za-z0-9._-]{1,12}"),
            count in 1..u32::MAX,
            seed: u64,
            length: u64,
            order in "(given|reverse|seeded:[0-9]{1,9}|covering:3:[0-9]{1,3}|exactly:[0-9]{1,3}\\.[0-9]{1,3})",
        ) {
            let count = count.to_string().parse().expect("a COUNT");
            let order = order.parse().expect("an order");
            let schedule = Schedule { scenario, count, seed: Seed::new(seed), length, order };
            prop_assert_eq!(schedule.to_string().parse(), Ok(schedule));
        }

        #[test]
        fn any_text_gives_a_schedule_or_an_error(text in "(schedule[0-9],)?([a-z]{0,8}=[a-z0-9:.]{0,8},?){0,6}.*") {
            let _ = text.parse::<Schedule>();
        }
    }

    #[test]
    fn what_is_wrong_with_a_schedule_is_named() {
        let told = [
            "",
            "reverse",
            "case1,count=5",
            "schedule2,count=5,seed=7,length=5,order=reverse",
            "schedule1,count=5,seed=7,length=5",
            "schedule1,count=5,count=5,seed=7,length=5,order=reverse",
            "schedule1,colour=red",
            "schedule1,scenario=a/b,count=5,seed=7,length=5,order=reverse",
            "schedule1,count=0,seed=7,length=5,order=reverse",
            "schedule1,count=5,seed=xyz,length=5,order=reverse",
            "schedule1,count=5,seed=7,length=many,order=reverse",
            "schedule1,count=5,seed=7,length=5,order=sorted",
        ]
        .map(|text| text.parse::<Schedule>().expect_err(text).to_string());
        insta::assert_debug_snapshot!(told);
    }
}
