//! The command that asks for a report again.

use crate::domain::bandwidth::units::BitRate;
use crate::domain::bandwidth::{self, BandwidthTrial, Values};
use crate::domain::offline::Link;

impl BandwidthTrial {
    /// The command that makes the same report: every flag that is not as it would be anyway, and the seed. Nothing where a key
    /// has no flag: such a report is asked for by a file.
    pub fn command(&self) -> Option<String> {
        let Link { bits_per_s, latency_ms, lost_per_mille, .. } = self.link;
        let sound = Link::default();
        if self.link != (Link { bits_per_s, latency_ms, lost_per_mille, ..sound }) {
            return None;
        }
        let given = |is_given: bool, flag: String| is_given.then_some(flag);
        let flags = [
            given(true, format!("--records {} --changed {}", self.records, self.changed)),
            given(true, format!("--clients {} --syncs-per-day {}", self.clients, self.syncs_per_day)),
            self.ticks_per_day.map(|ticks| format!("--ticks-per-day {ticks}")),
            given(self.values == Values::Tags, "--values tags".to_owned()),
            given(self.value_bytes != bandwidth::default_value_bytes(), format!("--value-bytes {}", self.value_bytes)),
            given(self.amount != bandwidth::default_amount(), format!("--amount {}", self.amount)),
            self.away.map(|away| format!("--away {away}")),
            given(self.online != bandwidth::default_online(), format!("--online {}", self.online)),
            given(bits_per_s != sound.bits_per_s, format!("--link {}", BitRate::bits_per_s(bits_per_s))),
            given(latency_ms != sound.latency_ms, format!("--latency {latency_ms}ms")),
            given(lost_per_mille > 0, format!("--loss {}.{}%", lost_per_mille / 10, lost_per_mille % 10)),
            self.price_per_mb.map(|price| format!("--price-per-mb {price}")),
            given(self.days != bandwidth::default_days(), format!("--days {}", self.days)),
            given(self.engines != bandwidth::all(), format!("--engines {}", self.engines.join(","))),
            given(self.budget != bandwidth::default_budget(), format!("--budget {}", self.budget.get())),
            given(
                self.memory_mib != bandwidth::default_memory(),
                format!("--memory {}", self.memory_mib.bytes() >> 20),
            ),
            given(true, format!("--seed {}", self.seed)),
        ];
        Some(format!("abench bandwidth {}", flags.into_iter().flatten().collect::<Vec<_>>().join(" ")))
    }
}
