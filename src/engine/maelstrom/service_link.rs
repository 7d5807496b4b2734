//! The link between one node and the services: it delays messages and loses some, like the links of the world.
//!
//! In Maelstrom the services are reached over the network that nodes use. So a request can be lost, and its answer too: the node asks
//! again. What separates nodes from each other (outages, absences) separates none from a service, as in Maelstrom. Knows: times and
//! losses. Must not: know what a service answers.

use std::collections::BTreeMap;

use crate::domain::offline::Link;
use crate::domain::seed::Stream;
use crate::engine::host::Time;
use crate::engine::maelstrom::message::Body;

/// The most bytes that may be on their way at once.
const MOST_BYTES: usize = 16 << 20;

/// Microseconds in a millisecond.
const MILLISECOND: Time = 1000;

/// A message on its way.
#[derive(Debug)]
pub(super) enum Passing {
    /// To this service.
    Request(String, Body),
    /// The line of an answer.
    Answer(Vec<u8>),
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It will arrive.
    Comes,
    /// It is lost.
    Lost,
    /// It is refused: too much is on its way.
    TooMuch,
}

/// Both directions of the link.
pub(super) struct ServiceLink {
    link: Link,
    random: Stream,
    /// From when on nothing is lost.
    faults_over: Time,
    /// By time of arrival, and in the order in which they were sent, each with its length.
    passing: BTreeMap<(Time, u64), (Passing, usize)>,
    bytes: usize,
    next: u64,
}

impl std::fmt::Debug for ServiceLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServiceLink")
    }
}

impl ServiceLink {
    /// As the links of its world are. What happens by chance is drawn.
    pub(super) fn new(link: Link, faults_over: Time, random: Stream) -> Self {
        ServiceLink { link, random, faults_over, passing: BTreeMap::new(), bytes: 0, next: 0 }
    }

    /// The longest that a message takes, in microseconds.
    pub(super) fn slowest(link: &Link) -> Time {
        (link.latency_ms + link.jitter_ms) * MILLISECOND
    }

    /// Sends a message of so many bytes.
    pub(super) fn send(&mut self, now: Time, message: Passing, bytes: usize) -> Fate {
        let is_sound = now >= self.faults_over;
        let late = if is_sound { 0 } else { self.random.below(self.link.jitter_ms * MILLISECOND + 1) };
        if !is_sound && self.random.below(1000) < self.link.lost_per_mille.into() {
            return Fate::Lost;
        }
        if self.bytes + bytes > MOST_BYTES {
            return Fate::TooMuch;
        }
        self.passing.insert((now + self.link.latency_ms * MILLISECOND + late, self.next), (message, bytes));
        (self.bytes, self.next) = (self.bytes + bytes, self.next + 1);
        Fate::Comes
    }

    /// When the next message arrives.
    pub(super) fn arrives_at(&self) -> Option<Time> {
        self.passing.keys().next().map(|&(at, _)| at)
    }

    /// The next message that has arrived by now.
    pub(super) fn arrived(&mut self, now: Time) -> Option<Passing> {
        let first = self.passing.first_entry().filter(|first| first.key().0 <= now)?;
        let (message, bytes) = first.remove();
        self.bytes -= bytes;
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::seed::Seed;

    fn link(lost_per_mille: u32) -> ServiceLink {
        let link = Link { latency_ms: 10, jitter_ms: 20, lost_per_mille, ..Link::default() };
        ServiceLink::new(link, 1_000_000, Seed::new(3).stream("a link"))
    }

    fn answer(number: u8) -> Passing {
        Passing::Answer(vec![number])
    }

    #[test]
    fn messages_come_late_by_latency_and_jitter_and_some_are_lost_until_faults_are_over() {
        let mut bad = link(100);
        let lost = (0..1000).filter(|_| bad.send(0, answer(1), 1) == Fate::Lost).count();
        assert!((60..150).contains(&lost), "{lost}");
        let arrivals: Vec<Time> = bad.passing.keys().map(|&(at, _)| at).collect();
        assert!(arrivals.iter().all(|at| (10_000..=30_000).contains(at)));
        assert!(arrivals.iter().any(|&at| at < 12_000) && arrivals.iter().any(|&at| at > 28_000));
        assert!((0..1000).all(|_| bad.send(1_000_000, answer(2), 1) == Fate::Comes), "faults are over");
        assert!(bad.passing.keys().all(|&(at, _)| at <= 30_000 || at == 1_010_000));
    }

    #[test]
    fn what_has_arrived_comes_once_in_the_order_of_its_arrival_and_nothing_comes_early() {
        let mut sound = link(0);
        let fates = [(1_000_003, 2), (1_000_001, 1)].map(|(now, number)| sound.send(now, answer(number), 1));
        assert_eq!(fates, [Fate::Comes; 2]);
        assert_eq!(sound.arrives_at(), Some(1_010_001));
        assert!(sound.arrived(1_010_000).is_none());
        let arrived: Vec<Passing> = std::iter::from_fn(|| sound.arrived(1_010_003)).collect();
        assert!(
            matches!(&arrived[..], [Passing::Answer(first), Passing::Answer(then)] if first[0] == 1 && then[0] == 2)
        );
        assert_eq!((sound.arrives_at(), sound.bytes), (None, 0));
    }

    #[test]
    fn too_much_on_its_way_is_refused() {
        let mut sound = link(0);
        assert_eq!(sound.send(1_000_000, answer(1), MOST_BYTES), Fate::Comes);
        assert_eq!(sound.send(1_000_000, answer(1), 1), Fate::TooMuch);
        assert!(sound.arrived(2_000_000).is_some());
        assert_eq!(sound.send(2_000_000, answer(1), 1), Fate::Comes);
    }
}
