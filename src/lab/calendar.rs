//! What is going to happen, in the order of time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::engine::host::Time;

/// When, which in the order of planning, and where the event is.
type Due = (Time, u64, u32);

/// Events by the time at which they happen; of two at the same time, the one that was planned first comes first.
#[derive(Debug)]
pub struct Calendar<E> {
    /// Events are large, and a heap moves what is in it.
    due: BinaryHeap<Reverse<Due>>,
    /// What was planned before anything happened, last first: comings and goings of thousands of clients, which would
    /// make the heap deep for every message.
    foreseen: Vec<Due>,
    begun: bool,
    events: Vec<Option<E>>,
    free: Vec<u32>,
    planned: u64,
}

impl<E> Default for Calendar<E> {
    fn default() -> Self {
        Calendar {
            due: BinaryHeap::new(),
            foreseen: Vec::new(),
            begun: false,
            events: Vec::new(),
            free: Vec::new(),
            planned: 0,
        }
    }
}

impl<E> Calendar<E> {
    /// Has an event happen at a time.
    pub fn plan(&mut self, at: Time, event: E) {
        self.planned += 1;
        let place = self.free.pop().unwrap_or_else(|| {
            self.events.push(None);
            u32::try_from(self.events.len() - 1).expect("memory ends before so many events are planned at once")
        });
        self.events[place as usize] = Some(event);
        let due = (at, self.planned, place);
        if self.begun { self.due.push(Reverse(due)) } else { self.foreseen.push(due) }
    }

    /// All events that are planned, in no order.
    pub fn planned(&self) -> impl Iterator<Item = &E> {
        self.events.iter().flatten()
    }

    /// Takes the next event out, with its time.
    pub fn next(&mut self) -> Option<(Time, E)> {
        if !self.begun {
            self.begun = true;
            self.foreseen.sort_unstable_by_key(|&due| Reverse(due));
        }
        let foreseen = match (self.foreseen.last(), self.due.peek()) {
            (Some(first), Some(Reverse(other))) => first < other,
            (first, _) => first.is_some(),
        };
        let (at, _, place) = if foreseen { self.foreseen.pop()? } else { self.due.pop()?.0 };
        self.free.push(place);
        self.events[place as usize].take().map(|event| (at, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn events_come_in_the_order_of_time_and_then_of_planning(
            steps in proptest::collection::vec((0..9u64, 0..3u8), 0..60),
            foreseen in proptest::collection::vec(0..9u64, 0..9),
        ) {
            let (mut calendar, mut plain, mut number) = (Calendar::default(), Vec::new(), 0);
            for at in foreseen {
                number += 1;
                calendar.plan(at, number);
                plain.push((at, number));
            }
            for (at, takes) in steps {
                number += 1;
                calendar.plan(at, number);
                plain.push((at, number));
                plain.sort_unstable();
                for _ in 0..takes {
                    let first = (!plain.is_empty()).then(|| plain.remove(0));
                    prop_assert_eq!(calendar.next(), first);
                }
            }
        }
    }
}
