//! An order on its way to a subject, and the states that the subject shows.

use std::ops::Range;

use crate::domain::delta::Deltas;
use crate::domain::order::Order;
use crate::domain::seed::Seed;
use crate::domain::subject::{Subject, SubjectError};
use crate::domain::watch::Watch;
use crate::explore::permutation::Permutation;

/// Arrivals that are delivered at a time; enough for `threads` to share them out.
const BATCH: usize = 1 << 16;

/// A state that a subject shows, beside what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) expected: u64,
    pub(super) got: u64,
}

impl Shown {
    pub(super) fn is_wrong(self) -> bool {
        self.expected != self.got
    }
}

/// What a subject shows of one order. The state before the last delivery is judged too: where the right end is 0, a
/// subject that does nothing would otherwise pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct States {
    pub(super) before_last: Shown,
    pub(super) last: Shown,
}

impl States {
    pub(super) fn are_wrong(self) -> bool {
        self.telling().is_wrong()
    }

    /// The first state that is wrong, or the last one.
    pub(super) fn telling(self) -> Shown {
        if self.before_last.is_wrong() { self.before_last } else { self.last }
    }
}

/// An order on its way, a batch of arrivals at a time, and the plain sum of what has arrived.
pub(super) struct Delivery {
    pub(super) permutation: Permutation,
    deltas: Deltas,
    batch: Vec<u64>,
    pub(super) expected: u64,
}

impl Delivery {
    pub(super) fn of(order: &Order, count: u32, seed: Seed) -> Self {
        let permutation = Permutation::prepare(order, count.into(), seed);
        let batch = vec![0; BATCH.min(permutation.len() as usize)];
        Delivery { permutation, deltas: Deltas::of_engine(seed), batch, expected: 0 }
    }

    /// Sends the arrivals at these positions.
    pub(super) fn send<E>(
        &mut self,
        positions: Range<u64>,
        mut arrive: impl FnMut(&[u64]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut first = positions.start;
        while first < positions.end {
            let arrivals = &mut self.batch[..BATCH.min((positions.end - first) as usize)];
            self.permutation.fill(first, arrivals);
            for index in arrivals.iter_mut() {
                *index = self.deltas.at(*index);
            }
            self.expected = arrivals.iter().fold(self.expected, |state, delta| state ^ delta);
            arrive(arrivals)?;
            first += arrivals.len() as u64;
        }
        Ok(())
    }
}

/// Delivers one order to one subject; gives the state that it should show and the one that it does, before the last
/// delivery if that is where they differ.
pub fn deliver(
    subject: &mut dyn Subject,
    order: &Order,
    count: u32,
    seed: Seed,
    watch: &mut dyn Watch,
) -> Result<(u64, u64), SubjectError> {
    let Shown { expected, got } = states_of(subject, order, count, seed, watch)?.telling();
    Ok((expected, got))
}

pub(super) fn states_of(
    subject: &mut dyn Subject,
    order: &Order,
    count: u32,
    seed: Seed,
    watch: &mut dyn Watch,
) -> Result<States, SubjectError> {
    let mut delivery = Delivery::of(order, count, seed);
    let len = delivery.permutation.len();
    let mut arrive = |subject: &mut dyn Subject, arrivals: &[u64]| {
        if watch.stop_requested() {
            return Err(SubjectError::Interrupted);
        }
        watch.advance(arrivals.len() as u64);
        subject.deliver(arrivals)
    };
    subject.restart()?;
    subject.reset()?;
    delivery.send(0..len - 1, |arrivals| arrive(subject, arrivals))?;
    let before_last = Shown { expected: delivery.expected, got: subject.observe()? };
    delivery.send(len - 1..len, |arrivals| arrive(subject, arrivals))?;
    let last = Shown { expected: delivery.expected, got: subject.observe()? };
    Ok(States { before_last, last })
}

/// What every position of an order delivers.
pub(super) fn indices_of(order: &Order, count: u64, seed: Seed) -> Vec<u32> {
    let permutation = Permutation::prepare(order, count, seed);
    let mut indices = vec![0; permutation.len() as usize];
    permutation.fill(0, &mut indices);
    indices.into_iter().map(|index| index as u32).collect()
}
