//! A subject whose whole state can be kept and put back.

use std::hash::Hash;

/// A system on trial as a function: what it holds, and what it holds after one more delivery.
///
/// An explorer that merges equal snapshots proves something only if a snapshot holds *all* state: two deliveries to
/// equal snapshots must give equal snapshots, whatever came before. A subject of which that is not known (a board) must
/// not be given as a replica to anything that speaks of proof.
pub trait Replica: Sync {
    /// All state. A large one costs [`Replica::snapshot_bytes`] for each that is kept.
    type Snapshot: Clone + Eq + Hash + Send + Sync;

    /// The state before any delivery.
    fn start(&self) -> Self::Snapshot;

    /// The state after the delta with this index in the workload has been delivered to `snapshot`.
    fn deliver(&self, snapshot: &Self::Snapshot, delta: usize) -> Self::Snapshot;

    /// What can be observed of a state, byte for byte. Equal snapshots show the same; different ones may, too.
    fn show(&self, snapshot: &Self::Snapshot) -> Vec<u8>;

    /// The most memory that one snapshot takes, in bytes, what it owns elsewhere included.
    fn snapshot_bytes(&self) -> u64 {
        size_of::<Self::Snapshot>() as u64
    }
}

/// A 64-bit accumulator: its state is all that it shows, and a merge takes the state and a delta's value.
#[derive(Clone, Copy, Debug)]
pub struct Merging<'a, F> {
    /// The values of the deltas, by index.
    pub deltas: &'a [u64],
    /// The state before any delivery.
    pub start: u64,
    /// The state after a delta, of the state before and the delta's value.
    pub merge: F,
}

impl<F: Fn(u64, u64) -> u64 + Sync> Replica for Merging<'_, F> {
    type Snapshot = u64;

    fn start(&self) -> u64 {
        self.start
    }

    #[inline]
    fn deliver(&self, snapshot: &u64, delta: usize) -> u64 {
        (self.merge)(*snapshot, self.deltas[delta])
    }

    /// Most significant byte first, so that the bytes in hexadecimal read as the number.
    fn show(&self, snapshot: &u64) -> Vec<u8> {
        snapshot.to_be_bytes().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accumulator_shows_the_number_that_it_holds() {
        let replica = Merging { deltas: &[5, 7], start: 1, merge: |state: u64, delta| state.wrapping_add(delta) };
        let state = replica.deliver(&replica.deliver(&replica.start(), 1), 0);
        assert_eq!(replica.show(&state), [0, 0, 0, 0, 0, 0, 0, 13]);
        assert_eq!(replica.snapshot_bytes(), 8);
    }
}
