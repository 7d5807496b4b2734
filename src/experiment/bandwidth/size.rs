//! How large the worlds of a report are, and how the customer's numbers are got from smaller ones.
//!
//! The rule: a world has as many clients as the customer, as they are what decides how much comes down to each. Where it would
//! deliver more edits than the budget, or take more memory than it may, it is run with fewer records, of which the same share
//! changes: then each record has the same history as the customer's, and bytes follow the number of records closely. Where
//! the fewest records are still too many, it is run for fewer days. Both are tried: see `scaling.rs`.

use crate::domain::bandwidth::impossible::{FEWEST_SYNCS, Impossible};
use crate::domain::bandwidth::{BandwidthTrial, DAY_S, MOST_TIMES_THE_DAYS, Values};
use crate::domain::offline::{MOST_REGISTERS, MOST_TAGS, OfflineTrial, Presence, Tags, Workload};
use crate::lab::memory;

/// The fewest records that a world is scaled down to.
pub const FEWEST_RECORDS: u32 = 500;

/// A world's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Records.
    pub records: u32,
    /// Of these, those that a client changes in a tick.
    pub changed: u32,
    /// How long it is measured for, in seconds.
    pub measured_s: u64,
}

/// The sizes that a report needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// As the customer has it.
    pub asked: Size,
    /// As it is run.
    pub run: Size,
    /// With a half and with a quarter of the records, where those are scaled.
    pub fewer: Option<[Size; 2]>,
    /// How long a world goes on before it is measured, in seconds: until every client has synced twice.
    pub before_s: u64,
}

impl Sizes {
    /// The sizes for these numbers.
    ///
    /// # Errors
    /// If no world fits the budget and the memory.
    pub fn of(trial: &BandwidthTrial) -> Result<Sizes, Impossible> {
        let before_s = 2 * (trial.away_s().1 + trial.online.as_seconds());
        let asked = Size {
            records: trial.records,
            changed: trial.changed_records(),
            measured_s: u64::from(trial.days) * DAY_S,
        };
        let fits = |size: &Size| fits(trial, size, before_s);
        if fits(&asked) {
            return Ok(Sizes { asked, run: asked, fewer: None, before_s });
        }
        // Four times a whole number of changes, so that a half and a quarter of the records have their share.
        let with_changes = |quarter: u64| {
            let of_quarter = u64::from(asked.records) * quarter + u64::from(asked.changed) / 2;
            let records = 4 * (of_quarter / u64::from(asked.changed)) as u32;
            Size { records, changed: 4 * quarter as u32, ..asked }
        };
        let least = FEWEST_RECORDS.min(asked.records);
        let most = u64::from(asked.changed.saturating_sub(1) / 4);
        let fewest = (1..=most).find(|&quarter| with_changes(quarter).records >= least);
        if let Some(fewest) = fewest
            && fits(&with_changes(fewest))
        {
            let more = largest(most - fewest, |&more| fits(&with_changes(fewest + more)));
            return Ok(Sizes::scaled(asked, with_changes(fewest + more), before_s));
        }
        let shortest = (FEWEST_SYNCS * trial.cycle_s()).max(DAY_S).next_multiple_of(2).min(asked.measured_s);
        let smallest = fewest.map_or(asked, with_changes);
        let for_hours = |hours: u64| Size { measured_s: shortest + 3600 * hours, ..smallest };
        if !fits(&for_hours(0)) {
            return Err(too_much(trial, before_s, shortest));
        }
        let hours = largest((asked.measured_s - shortest) / 3600, |&hours| fits(&for_hours(hours)));
        Ok(Sizes::scaled(asked, for_hours(hours), before_s))
    }

    fn scaled(asked: Size, run: Size, before_s: u64) -> Self {
        let part = |of: u32| Size { records: run.records / of, changed: run.changed / of, ..run };
        Sizes { asked, run, fewer: (run.records < asked.records).then(|| [part(2), part(4)]), before_s }
    }

    /// Whether anything is smaller than the customer has it.
    pub fn is_scaled(&self) -> bool {
        self.run != self.asked
    }
}

/// The largest number up to `most` for which this holds; it holds for 0, and for all below one for which it holds.
fn largest(most: u64, holds: impl Fn(&u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if holds(&middle) { low = middle } else { high = middle - 1 }
    }
    low
}

/// Edits that are delivered to clients in a world of this size, each edit to each client.
fn deliveries(trial: &BandwidthTrial, size: &Size, before_s: u64) -> u64 {
    let clients = u128::from(trial.clients);
    let ticks = u128::from(trial.ticks_per_day().within(before_s + size.measured_s));
    let all = clients * clients * ticks * u128::from(size.changed);
    u64::try_from(all).unwrap_or(u64::MAX)
}

fn fits(trial: &BandwidthTrial, size: &Size, before_s: u64) -> bool {
    let most = if trial.values == Values::Tags { MOST_TAGS } else { MOST_REGISTERS };
    size.records <= most
        && deliveries(trial, size, before_s) <= trial.budget.get()
        && memory_of(trial, size, before_s) <= trial.memory_mib.bytes().into()
}

/// What a report needs to run the shortest time that its days can be told from, where it is allowed less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lacking {
    /// The budget.
    pub budget: Option<u64>,
    /// MiB of memory.
    pub memory_mib: Option<u64>,
}

/// The budget and the memory that the shortest time takes which all days can be told from; nothing where that is run.
pub fn lacking(trial: &BandwidthTrial, sizes: &Sizes) -> Lacking {
    let Sizes { asked, run, before_s, .. } = *sizes;
    let missing_s = asked.measured_s.div_ceil(MOST_TIMES_THE_DAYS).saturating_sub(run.measured_s);
    if missing_s == 0 {
        return Lacking::default();
    }
    // Time is added in hours.
    let enough = Size { measured_s: run.measured_s + missing_s.next_multiple_of(3600), ..run };
    let (budget, bytes) = (deliveries(trial, &enough, before_s), memory_of(trial, &enough, before_s));
    let memory_mib = u64::try_from(bytes.div_ceil(1 << 20)).unwrap_or(u64::MAX);
    Lacking {
        budget: Some(budget).filter(|&budget| budget > trial.budget.get()),
        memory_mib: Some(memory_mib).filter(|_| bytes > trial.memory_mib.bytes().into()),
    }
}

/// About how many bytes a world of this size takes, by whatever takes most in it.
pub fn memory_of(trial: &BandwidthTrial, size: &Size, before_s: u64) -> u128 {
    // Whole states keep four for each neighbour, encoded ones included, and as many again while a store is written.
    let whole_states =
        2 * 4 * 2 * u128::from(trial.clients) * u128::from(size.records) * u128::from(trial.record_bytes());
    memory::needed_at_most(&world(trial, size, before_s)) + whole_states
}

/// What to change, where no world fits.
fn too_much(trial: &BandwidthTrial, before_s: u64, shortest: u64) -> Impossible {
    let records = FEWEST_RECORDS.min(trial.records);
    let changed = (trial.changed.of(records)).max(2);
    let smallest = Size { records, changed, measured_s: shortest };
    Impossible {
        key: "clients",
        value: trial.clients.to_string(),
        reason: format!(
            "need {} deliveries of edits and {} MiB even with {records} records and {} hours, and budget = {} and memory_mib \
             = {} are allowed; lower clients or changed, or allow more",
            deliveries(trial, &smallest, before_s),
            memory_of(trial, &smallest, before_s) >> 20,
            (before_s + shortest) / 3600,
            trial.budget.get(),
            trial.memory_mib.bytes() >> 20
        ),
    }
}

/// The world of this size.
pub fn world(trial: &BandwidthTrial, size: &Size, before_s: u64) -> OfflineTrial {
    let lasts_s = before_s + size.measured_s;
    let ticks = u32::try_from(trial.ticks_per_day().within(lasts_s)).unwrap_or(u32::MAX);
    let online = trial.online.as_seconds();
    let mut world = OfflineTrial {
        registers: size.records,
        start: trial.start(),
        workload: Workload {
            ticks,
            changed: size.changed,
            most: trial.amount,
            decrements: true,
            zipf_hundredths: None,
        },
        presence: Presence { lasts_s, away_s: trial.away_s(), here_s: (online, online) },
        link: trial.link,
        settle_s: 30 * DAY_S,
        engines: trial.engines.clone(),
        memory_mib: trial.memory_mib,
        ..OfflineTrial::of(trial.seed, trial.clients)
    };
    if trial.values == Values::Tags {
        let edits = ticks.saturating_mul(size.changed);
        world.tags = Tags { registers: size.records, elements: trial.elements(), edits, ..Tags::default() };
        world.workload = Workload { ticks: 0, changed: 1, ..world.workload };
        world.registers = 0;
    }
    world
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trial(records: u32, changed: &str, clients: u32, budget: u64) -> BandwidthTrial {
        let keys = format!(
            "records = {records}\nchanged = {changed:?}\nclients = {clients}\nsyncs_per_day = 6\nbudget = {budget}"
        );
        toml::from_str(&keys).expect("it is sound")
    }

    #[test]
    fn a_world_that_fits_is_run_as_it_is_and_one_that_does_not_with_fewer_records_and_then_for_fewer_days() {
        let sizes = |budget| Sizes::of(&trial(5000, "2%", 10, budget)).expect("it fits");
        let whole = sizes(1 << 40);
        assert!(!whole.is_scaled() && whole.fewer.is_none());
        assert_eq!(whole.run, Size { records: 5000, changed: 100, measured_s: 30 * DAY_S });
        let records = sizes(1_000_000);
        let [half, quarter] = records.fewer.expect("records are scaled");
        assert_eq!(records.run.measured_s, 30 * DAY_S);
        assert_eq!((half.records * 2, half.changed * 2), (records.run.records, records.run.changed));
        assert_eq!((quarter.records * 4, quarter.changed * 4), (records.run.records, records.run.changed));
        assert_eq!(records.run.records, records.run.changed * 50);
        assert!((1000..5000).contains(&records.run.records), "{records:?}");
        let days = sizes(50_000);
        assert!(days.fewer.is_some() && (500..700).contains(&days.run.records), "{days:?}");
        assert!((DAY_S..30 * DAY_S).contains(&days.run.measured_s), "{days:?}");
    }

    #[test]
    fn the_budget_that_is_named_runs_a_tenth_of_the_days_and_less_does_not() {
        let of = |budget: u64| {
            let keys = format!(
                "records = 200\nchanged = '2%'\nclients = 5\nsyncs_per_day = 6\ndays = 3660\nbudget = {budget}"
            );
            let trial: BandwidthTrial = toml::from_str(&keys).expect("it is sound");
            let sizes = Sizes::of(&trial).expect("it fits");
            (lacking(&trial, &sizes), sizes)
        };
        let (Lacking { budget, memory_mib }, _) = of(1000);
        let budget = budget.expect("it is too small");
        assert_eq!(memory_mib, None);
        let (lacking, enough) = of(budget);
        assert!(enough.run.measured_s * 10 >= enough.asked.measured_s, "{enough:?}");
        assert_eq!(lacking, Lacking::default());
        let (_, less) = of(budget - 1);
        assert!(less.run.measured_s * 10 < less.asked.measured_s, "{less:?}");
    }

    #[test]
    fn where_no_world_fits_it_is_said_what_one_would_take_and_what_is_allowed() {
        let said = Sizes::of(&trial(5000, "2%", 5000, 1_000_000)).expect_err("it does not fit").to_string();
        assert!(said.starts_with("clients = 5000 need ") && said.contains("budget = 1000000"), "{said}");
    }

    proptest! {
        #[test]
        fn whatever_the_budget_what_is_run_keeps_to_it_and_keeps_the_share_that_changes(
            records in 100..2_000_000u32,
            percent in 1..=100u32,
            clients in 1..200u32,
            budget in 10_000..5_000_000u64,
        ) {
            let trial = trial(records, &format!("{percent}%"), clients, budget);
            prop_assume!(trial.impossible_key().is_none());
            let Ok(sizes) = Sizes::of(&trial) else { return Ok(()) };
            prop_assert!(deliveries(&trial, &sizes.run, sizes.before_s) <= budget);
            prop_assert!(memory_of(&trial, &sizes.run, sizes.before_s) <= trial.memory_mib.bytes().into());
            prop_assert!(sizes.run.records <= records && sizes.run.measured_s <= sizes.asked.measured_s);
            let share = |size: &Size| f64::from(size.changed) / f64::from(size.records);
            prop_assert!((share(&sizes.run) / share(&sizes.asked) - 1.0).abs() < 0.02, "{sizes:?}");
            prop_assert_eq!(sizes.fewer.is_some(), sizes.run.records < records);
            if let Some([half, quarter]) = sizes.fewer {
                prop_assert_eq!((2 * half.records, 2 * half.changed), (sizes.run.records, sizes.run.changed));
                prop_assert_eq!((4 * quarter.records, 4 * quarter.changed), (sizes.run.records, sizes.run.changed));
            }
            // All keys of the world are within their bounds.
            prop_assert_eq!(world(&trial, &sizes.run, sizes.before_s).impossible(), None);
        }
    }
}
