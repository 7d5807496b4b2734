//! How much may be said in a world before nobody believes any more that it comes to rest.
//!
//! Knows: counts. Must not: know what is said, or by whom.

use crate::domain::offline::OfflineTrial;

/// Deliveries that every world may have.
const DELIVERIES: u64 = 100_000;

/// Bytes that every world may carry between clients and others.
const BYTES: u64 = 16 << 20;

/// Deliveries that one edit may explain for each node: it may be told to everyone, by itself, and again.
const OF_AN_EDIT: u64 = 100;

/// Deliveries that a visit may explain: its client connects, and all that is new is told.
const OF_A_VISIT: u64 = 100;

/// Bytes of the shortest messages, and of what comes with them.
const OF_A_DELIVERY: u64 = 64;

/// What is allowed until now. Before faults are over it grows with every visit: there may be a month of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct LivelockBudget {
    registers: u64,
    /// Deliveries from the beginning, or from when faults are over, without visits.
    lasting: u64,
    deliveries: u64,
    bytes: u64,
}

impl LivelockBudget {
    /// Of a world with so many edits.
    pub(super) fn of(trial: &OfflineTrial, edits: u64) -> Self {
        let lasting = DELIVERIES + OF_AN_EDIT * edits.saturating_mul(trial.nodes().into());
        let mut livelock_budget =
            LivelockBudget { registers: trial.fields().len().into(), lasting, deliveries: 0, bytes: 0 };
        livelock_budget.begin_anew(0, 0);
        livelock_budget
    }

    /// A client comes.
    pub(super) fn visit(&mut self) {
        self.deliveries = self.deliveries.saturating_add(OF_A_VISIT);
        self.bytes = self.bytes.saturating_add(OF_A_VISIT * (OF_A_DELIVERY + self.registers));
    }

    /// Faults are over: what was said before does not count against what is said now.
    pub(super) fn begin_anew(&mut self, deliveries: u64, bytes: u64) {
        self.deliveries = deliveries.saturating_add(self.lasting);
        self.bytes = bytes.saturating_add(BYTES).saturating_add(self.lasting.saturating_mul(self.registers));
    }

    /// Whether so many deliveries, or bytes, are too many.
    pub(super) fn is_over(&self, deliveries: u64, bytes: u64) -> bool {
        deliveries > self.deliveries || bytes > self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::tests::trial;

    #[test]
    fn a_visit_explains_deliveries_and_what_was_said_before_faults_were_over_does_not_count_afterwards() {
        let world = trial(1);
        let mut livelock_budget = LivelockBudget::of(&world, 10);
        let at_first = DELIVERIES + 100 * 10 * u64::from(world.nodes());
        assert_eq!([at_first, at_first + 1].map(|deliveries| livelock_budget.is_over(deliveries, 0)), [false, true]);
        livelock_budget.visit();
        assert_eq!(
            [at_first + 100, at_first + 101].map(|deliveries| livelock_budget.is_over(deliveries, 0)),
            [false, true]
        );
        livelock_budget.begin_anew(7_000_000, 0);
        let then = 7_000_000 + at_first;
        assert_eq!([then, then + 1].map(|deliveries| livelock_budget.is_over(deliveries, 0)), [false, true]);
    }

    #[test]
    fn bytes_are_bounded_by_what_deliveries_of_every_register_may_take() {
        let world = trial(1);
        let mut livelock_budget = LivelockBudget::of(&world, 0);
        let most = BYTES + DELIVERIES * u64::from(world.registers);
        assert_eq!([most, most + 1].map(|bytes| livelock_budget.is_over(0, bytes)), [false, true]);
        livelock_budget.visit();
        assert!(!livelock_budget.is_over(0, most + 100 * u64::from(world.registers)));
    }
}
