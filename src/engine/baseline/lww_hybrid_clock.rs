//! The last write by a hybrid logical clock wins: never behind what was heard, and never far from the wall clock.
//!
//! Kulkarni, Demirbas, Madappa, Avva and Leone, "Logical Physical Clocks", OPODIS 2014, figure 5.

use serde::{Deserialize, Serialize};

use crate::engine::baseline::register_map::{Policy, RegisterMap, Stamp};
use crate::engine::reliable_channel::content::About;

/// Registers of which the last by the hybrid clock stays.
pub type HybridClock = RegisterMap<Hybrid>;

/// The clock: the largest time seen, and a count of events at it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct Hybrid {
    time: i64,
    count: u32,
}

impl Policy for Hybrid {
    const STAMPED: bool = true;
    const COUNTED: bool = true;

    fn stamp(&mut self, about: &About) -> Stamp {
        if about.millis() > self.time {
            (self.time, self.count) = (about.millis(), 0);
        } else {
            self.count = self.count.saturating_add(1);
        }
        Stamp { time: self.time, count: self.count, client: about.actor.client }
    }

    fn heard(&mut self, about: &About, stamp: Stamp) {
        let latest = self.time.max(stamp.time).max(about.millis());
        self.count = match (latest == self.time, latest == stamp.time) {
            (true, true) => self.count.max(stamp.count).saturating_add(1),
            (true, false) => self.count.saturating_add(1),
            (false, true) => stamp.count.saturating_add(1),
            (false, false) => 0,
        };
        self.time = latest;
    }

    fn wins(new: Stamp, old: Option<Stamp>) -> bool {
        old.is_none_or(|old| new >= old)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Fields;
    use crate::engine::vector::Actor;

    fn at(wall: i64) -> About {
        About {
            actor: Actor { client: 1, incarnation: 1 },
            store: 1,
            fields: Fields::counters(1, 0),
            wall,
            fragment: 4096,
            serves: false,
            is_root: false,
            mutant: None,
        }
    }

    #[test]
    fn what_is_written_after_hearing_of_a_write_is_later_though_the_clock_is_behind() {
        let mut clock = Hybrid::default();
        let heard = Stamp { time: 900, count: 4, client: 2 };
        clock.heard(&at(100_000), heard);
        let written = clock.stamp(&at(101_000));
        assert!(Hybrid::wins(written, Some(heard)), "{written:?}");
        assert_eq!(clock.stamp(&at(1_000_999)), Stamp { time: 1000, count: 0, client: 1 });
    }
}
