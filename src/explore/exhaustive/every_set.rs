//! The state of every set of deltas, along one way each.
//!
//! Where a walk has shown that all ways to a set agree, this tells what they agree on: a truth can be held against it.
//!
//! Knows: the replica. Must not: know the truth.

use crate::domain::replica::Replica;
use crate::domain::watch::Watch;

/// Sets between two looks at the watch.
const BATCH: u64 = 1 << 16;

/// Two replicas that get the same deliveries.
pub struct Beside<'a, A, B>(pub &'a A, pub &'a B);

impl<A: Replica, B: Replica> Replica for Beside<'_, A, B> {
    type Snapshot = (A::Snapshot, B::Snapshot);

    fn start(&self) -> Self::Snapshot {
        (self.0.start(), self.1.start())
    }

    #[inline]
    fn deliver(&self, (one, other): &Self::Snapshot, delta: usize) -> Self::Snapshot {
        (self.0.deliver(one, delta), self.1.deliver(other, delta))
    }

    fn show(&self, (one, other): &Self::Snapshot) -> Vec<u8> {
        [self.0.show(one), self.1.show(other)].concat()
    }
}

/// Gives `visit` every set of the deltas `0..n`, the empty one too, with the state after its deltas by index; `n` is 63
/// at most. Whether it came to the end: it stops where the watch asks for it. A delivery for each set, and no more states
/// at a time than there are deltas.
pub fn every_set<R: Replica>(replica: &R, n: u32, watch: &mut dyn Watch, visit: impl FnMut(u64, &R::Snapshot)) -> bool {
    watch.begin("sets of deltas, against the truth", 1 << n);
    watch.unit("sets");
    let mut descent = Descent { replica, n, watch, visit, pending: 0, going_on: true };
    descent.from(0, 0, &replica.start());
    descent.watch.advance(descent.pending);
    descent.watch.end();
    descent.going_on
}

struct Descent<'a, R, V> {
    replica: &'a R,
    n: u32,
    watch: &'a mut dyn Watch,
    visit: V,
    pending: u64,
    going_on: bool,
}

impl<R: Replica, V: FnMut(u64, &R::Snapshot)> Descent<'_, R, V> {
    /// Visits this set, and every one that adds deltas from `next` on to it.
    fn from(&mut self, set: u64, next: u32, state: &R::Snapshot) {
        (self.visit)(set, state);
        self.pending += 1;
        if self.pending == BATCH {
            self.watch.advance(BATCH);
            self.pending = 0;
            self.going_on = !self.watch.stop_requested();
        }
        for delta in next..self.n {
            if !self.going_on {
                return;
            }
            let after = self.replica.deliver(state, delta as usize);
            self.from(set | 1 << delta, delta + 1, &after);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::replica::Merging;
    use crate::domain::watch::Unwatched;

    #[test]
    fn every_set_is_visited_once_with_the_state_after_its_deltas_by_index() {
        let deltas: Vec<u64> = (1..=9).collect();
        let last = Merging { deltas: &deltas, start: 0, merge: |_, delta| delta };
        let sum = Merging { deltas: &deltas, start: 5, merge: |state: u64, delta| state + delta };
        let mut seen = vec![false; 1 << 9];
        let visit = |set: u64, &(last, sum): &(u64, u64)| {
            assert!(!std::mem::replace(&mut seen[set as usize], true));
            assert_eq!(last, u64::from(u64::BITS - set.leading_zeros()));
            assert_eq!(sum, 5 + (0..9).filter(|bit| set >> bit & 1 == 1).map(|bit| bit + 1).sum::<u64>());
        };
        assert!(every_set(&Beside(&last, &sum), 9, &mut Unwatched, visit));
        assert!(seen.into_iter().all(|seen| seen));
    }

    #[test]
    fn it_stops_where_the_watch_asks_for_it() {
        struct Stopping;
        impl Watch for Stopping {
            fn begin(&mut self, _: &str, _: u64) {}
            fn advance(&mut self, _: u64) {}
            fn end(&mut self) {}
            fn stop_requested(&self) -> bool {
                true
            }
        }
        let deltas = [1; 20];
        let sum = Merging { deltas: &deltas, start: 0, merge: |state: u64, delta| state + delta };
        let mut visited = 0;
        assert!(!every_set(&sum, 20, &mut Stopping, |_, _| visited += 1));
        assert_eq!(visited, BATCH);
    }
}
