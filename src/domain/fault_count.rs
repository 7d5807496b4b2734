//! How often each fault of a world was injected, and how often it took effect.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The counts of one kind of fault that a scenario asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultCount {
    /// How often the world injected it.
    pub injected: u64,
    /// How often it took effect.
    pub effective: u64,
    /// The faults of this kind that never took effect, each with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub idle: BTreeMap<String, String>,
}

/// The counts of every kind of fault that a scenario asks for, by the scenario's key.
pub type FaultCounts = BTreeMap<String, FaultCount>;

/// Adds the counts of another world of the same scenario: a fault is idle if it is idle in both.
pub fn add(counts: &mut FaultCounts, other: &FaultCounts) {
    for (key, count) in counts {
        let Some(other) = other.get(key) else { continue };
        count.injected += other.injected;
        count.effective += other.effective;
        count.idle.retain(|fault, _| other.idle.contains_key(fault));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_that_took_effect_in_one_of_two_worlds_is_not_idle() {
        let count = |effective, idle: &[&str]| FaultCount {
            injected: 2,
            effective,
            idle: idle.iter().map(|fault| ((*fault).to_owned(), "why".to_owned())).collect(),
        };
        let of = |count| FaultCounts::from([("crashes".to_owned(), count)]);
        let mut counts = of(count(0, &["a", "b"]));
        add(&mut counts, &of(count(1, &["b"])));
        assert_eq!(counts["crashes"], FaultCount { injected: 4, ..count(1, &["b"]) });
    }
}
