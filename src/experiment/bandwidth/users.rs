//! What the users of a report's worlds do: the edits that any world's users would make, at an even rate. In each slot of the
//! time between two ticks a client makes one, at a random time: how many ticks a span has is then no matter of luck, and two
//! sizes can be compared with few syncs.

use crate::domain::history::UserEdit;
use crate::domain::offline::OfflineTrial;
use crate::experiment::bandwidth::size::Size;
use crate::scenario::offline::{SECOND, Users};

/// By client, the edits of a world of this size, in order.
pub fn edits(world: &OfflineTrial, size: &Size) -> Vec<Vec<UserEdit>> {
    let users = Users::of(world);
    let times = world.seed.stream("even ticks");
    let lasts = world.presence.lasts_s * SECOND;
    let of_client = |client: u32| {
        let mut times = times.member(client.into());
        let mut edits = users.edits(client);
        let of_tick = size.changed as usize;
        let slot = lasts / (edits.len().div_ceil(of_tick) as u64).max(1);
        for (number, tick) in (0..).zip(edits.chunks_mut(of_tick)) {
            // A tick's edits are a microsecond apart, and come before the next slot.
            let room = slot.saturating_sub(of_tick as u64).max(1);
            let at = number * slot + times.below(room);
            (0..).zip(tick).for_each(|(place, edit)| edit.at = at + place);
        }
        edits
    };
    (0..world.clients).map(of_client).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::bandwidth::BandwidthTrial;
    use crate::experiment::bandwidth::size::{Sizes, world};

    #[test]
    fn every_slot_has_one_tick_of_each_client_and_ticks_change_as_many_records_as_asked() {
        for values in ["counters", "tags"] {
            let keys =
                format!("records = 300\nchanged = '2%'\nclients = 3\nsyncs_per_day = 6\nvalues = {values:?}\ndays = 4");
            let trial: BandwidthTrial = toml::from_str(&keys).expect("it is sound");
            let sizes = Sizes::of(&trial).expect("it fits");
            let world = world(&trial, &sizes.run, sizes.before_s);
            let all = edits(&world, &sizes.run);
            let slot = world.presence.lasts_s * SECOND / trial.ticks_per_day().within(world.presence.lasts_s);
            assert_eq!(all.len(), 3);
            for edits in &all {
                assert!(edits.is_sorted_by_key(|edit| edit.at) && edits.len() % 6 == 0, "{values}");
                for (number, tick) in (0..).zip(edits.chunks(6)) {
                    let slots: Vec<u64> = tick.iter().map(|edit| edit.at / slot).collect();
                    assert_eq!(slots, [number; 6], "{values}");
                }
            }
            assert_ne!(all[0], all[1], "{values}");
        }
    }
}
