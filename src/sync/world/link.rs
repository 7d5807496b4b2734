//! Links: bandwidth, latency, and what becomes of a message on its way.

use crate::domain::offline::Link;
use crate::domain::seed::Stream;
use crate::sync::host::Time;
use crate::sync::wire::Frame;

/// Microseconds in a millisecond.
const MILLISECOND: u64 = 1000;

/// After the end of every world.
const FOREVER: Time = 1 << 62;

/// A link, with its two directions.
#[derive(Clone)]
pub struct Wire {
    link: Link,
    stream: Stream,
    busy_until: [Time; 2],
}

/// A message that will arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When.
    pub at: Time,
    /// What is left of it.
    pub frame: Frame,
}

impl Wire {
    /// A link whose mishaps come from this stream.
    pub fn new(link: Link, stream: Stream) -> Self {
        Wire { link, stream, busy_until: [0; 2] }
    }

    /// Sends a message in one of the two directions: none, one or two copies arrive. With `sound`, nothing happens to it.
    pub fn send(&mut self, now: Time, frame: Frame, direction: usize, sound: bool) -> [Option<Arrival>; 2] {
        let Link { bits_per_s, latency_ms, jitter_ms, .. } = self.link;
        let takes = (frame.bytes.len() as u64 * 8_000_000).div_ceil(bits_per_s.max(1));
        // A line that is busy for longer than any world lasts is busy for ever.
        let out = now.max(self.busy_until[direction]).saturating_add(takes).min(FOREVER);
        self.busy_until[direction] = out;
        let at = out + latency_ms * MILLISECOND;
        if sound || self.is_sound() {
            return [Some(Arrival { at, frame }), None];
        }
        let at = at + self.stream.below(jitter_ms * MILLISECOND + 1);
        if self.happens(self.link.lost_per_mille) {
            return [None, None];
        }
        let second = self.happens(self.link.repeated_per_mille).then(|| {
            let later = at + self.stream.below(10 * latency_ms * MILLISECOND + 1_000_000);
            Arrival { at: later, frame: frame.clone() }
        });
        // What is held back lets the messages of some seconds overtake it.
        let held = if self.happens(self.link.reordered_per_mille) { self.stream.below(8_000_000) } else { 0 };
        let frame = self.damaged(frame);
        [Some(Arrival { at: at + held, frame }), second]
    }

    fn is_sound(&self) -> bool {
        let Link { jitter_ms, lost_per_mille: lost, repeated_per_mille: repeated, .. } = self.link;
        let Link { reordered_per_mille: reordered, truncated_per_mille: truncated, .. } = self.link;
        jitter_ms == 0 && lost + repeated + reordered + truncated + self.link.corrupted_per_mille == 0
    }

    fn happens(&mut self, per_mille: u32) -> bool {
        per_mille > 0 && self.stream.below(1000) < per_mille.into()
    }

    fn damaged(&mut self, mut frame: Frame) -> Frame {
        if self.happens(self.link.truncated_per_mille) {
            let left = self.stream.below(frame.bytes.len() as u64) as usize;
            frame.bytes.truncate(left);
        }
        if self.happens(self.link.corrupted_per_mille) && !frame.bytes.is_empty() {
            let at = self.stream.below(frame.bytes.len() as u64) as usize;
            frame.bytes[at] ^= 1 << self.stream.below(8);
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::seed::Seed;

    fn wire(link: Link) -> Wire {
        Wire::new(link, Seed::new(5).stream("links"))
    }

    fn frame(bytes: usize) -> Frame {
        Frame { bytes: vec![7; bytes] }
    }

    #[test]
    fn messages_wait_for_the_ones_before_them_and_each_direction_has_its_own_line() {
        let mut wire = wire(Link { bits_per_s: 8_000, latency_ms: 100, ..Link::default() });
        let at = |arrivals: [Option<Arrival>; 2]| arrivals[0].as_ref().map(|arrival| arrival.at);
        assert_eq!(at(wire.send(0, frame(1000), 0, false)), Some(1_100_000));
        assert_eq!(at(wire.send(0, frame(1000), 0, false)), Some(2_100_000));
        assert_eq!(at(wire.send(0, frame(1000), 1, false)), Some(1_100_000));
    }

    #[test]
    fn messages_come_late_by_jitter_out_of_order_by_seconds_and_cut_anywhere() {
        let sent = |link: Link| -> Vec<Arrival> {
            let mut wire = wire(Link { latency_ms: 100, ..link });
            // Each is sent when the one before is off the line.
            (0..2000).filter_map(|number| wire.send(number * 1_000_000, frame(10), 0, false)[0].take()).collect()
        };
        let late = |arrivals: &[Arrival]| -> Vec<u64> {
            arrivals.iter().zip(0..).map(|(arrival, number)| arrival.at - number * 1_000_000 - 100_008).collect()
        };
        assert!(late(&sent(Link::default())).iter().all(|&late| late == 0));
        let jitter = late(&sent(Link { jitter_ms: 50, ..Link::default() }));
        assert!(jitter.iter().all(|&late| late <= 50_000) && jitter.iter().any(|&late| late > 45_000));
        assert!(jitter.iter().any(|&late| late < 5_000));
        let held = sent(Link { reordered_per_mille: 250, ..Link::default() });
        let overtaken = held.windows(2).filter(|pair| pair[0].at > pair[1].at).count();
        // A quarter is held back, by up to eight seconds: most of these are overtaken by the next.
        assert!((300..500).contains(&overtaken), "{overtaken}");
        assert!(late(&held).iter().all(|&late| late < 8_000_000));
        let cut = sent(Link { truncated_per_mille: 500, ..Link::default() });
        let lengths: std::collections::BTreeSet<usize> = cut.iter().map(|arrival| arrival.frame.bytes.len()).collect();
        assert_eq!(lengths, (0..=10).collect());
        let whole = cut.iter().filter(|arrival| arrival.frame == frame(10)).count();
        assert!((900..1100).contains(&whole), "{whole}");
    }

    #[test]
    fn mishaps_come_as_often_as_they_should_and_not_on_a_sound_link() {
        let bad = Link { lost_per_mille: 100, repeated_per_mille: 200, corrupted_per_mille: 50, ..Link::default() };
        let count = |sound| {
            let mut wire = wire(bad);
            let sent: Vec<[Option<Arrival>; 2]> = (0..10_000).map(|_| wire.send(0, frame(10), 0, sound)).collect();
            let lost = sent.iter().filter(|arrivals| arrivals[0].is_none()).count();
            let twice = sent.iter().filter(|arrivals| arrivals[1].is_some()).count();
            let damaged = sent.iter().flat_map(|arrivals| &arrivals[0]).filter(|a| a.frame != frame(10)).count();
            (lost, twice, damaged)
        };
        let (lost, twice, damaged) = count(false);
        assert!((850..1150).contains(&lost) && (1600..2000).contains(&twice) && (380..520).contains(&damaged));
        assert_eq!(count(true), (0, 0, 0));
    }
}
