//! Links: bandwidth, latency, and what becomes of a message on its way.
//!
//! A direction's line carries one message after the other. What waits for it belongs to the connection in which it was sent:
//! when that ends, what is not on the line yet never is, and what is half on it is cut off. What was all on the line is on
//! its way, and may still come, late, in the next connection.

use std::collections::VecDeque;

use crate::domain::offline::Link;
use crate::domain::seed::Stream;
use crate::domain::traffic::Traffic;
use crate::engine::host::Time;
use crate::engine::wire::Frame;
use crate::lab::faults::effects::{Drawn, LeftOut};

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
    /// By direction, what may not be all on the line yet.
    waiting: [VecDeque<Waiting>; 2],
    /// Connections that ended, and when the last of them did.
    ended: u32,
    ended_at: Time,
    /// How often each fault was injected, and the one that a test leaves out.
    injected: [u64; Drawn::ALL.len()],
    left_out: Option<LeftOut>,
}

/// A message on the line, or waiting for it.
#[derive(Clone)]
struct Waiting {
    begins: Time,
    out: Time,
    traffic: Traffic,
}

/// A message that will arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When.
    pub at: Time,
    /// What is left of it.
    pub frame: Frame,
    /// When it was all on the line, and how many connections had ended when it was sent.
    pub line: (Time, u32),
    /// Whether it was held back.
    pub held: bool,
}

impl Wire {
    /// A link whose faults come from this stream.
    pub fn new(link: Link, stream: Stream) -> Self {
        let waiting = [VecDeque::new(), VecDeque::new()];
        let injected = [0; Drawn::ALL.len()];
        Wire { link, stream, busy_until: [0; 2], waiting, ended: 0, ended_at: 0, injected, left_out: None }
    }

    /// The link is like this from now on.
    pub fn becomes(&mut self, link: Link) {
        self.link = link;
    }

    /// Sends a message in one of the two directions: none, one or two copies arrive. With `sound`, nothing happens to it.
    pub fn send(
        &mut self,
        now: Time,
        frame: Frame,
        traffic: Traffic,
        direction: usize,
        sound: bool,
    ) -> [Option<Arrival>; 2] {
        let Link { latency_ms, jitter_ms, .. } = self.link;
        let (begins, out) = self.out(now, &frame, direction);
        self.busy_until[direction] = out;
        let waiting = &mut self.waiting[direction];
        while waiting.front().is_some_and(|first| first.out <= now) {
            waiting.pop_front();
        }
        waiting.push_back(Waiting { begins, out, traffic });
        let (at, line) = (out + latency_ms * MILLISECOND, (out, self.ended));
        if sound || self.is_sound() {
            return [Some(Arrival { at, frame, line, held: false }), None];
        }
        let at = at + self.stream.below(jitter_ms * MILLISECOND + 1);
        if self.strikes(Drawn::Loss, self.link.lost_per_mille) {
            return [None, None];
        }
        let second = self.strikes(Drawn::Repetition, self.link.repeated_per_mille).then(|| {
            let later = at + self.stream.below(self.link.repeated_within_ms() * MILLISECOND);
            Arrival { at: later, frame: frame.clone(), line, held: false }
        });
        // What is held back lets the messages of some seconds overtake it.
        let held = self.strikes(Drawn::Reordering, self.link.reordered_per_mille);
        let longer = if held { self.stream.below(Link::HELD_BACK_MS * MILLISECOND) } else { 0 };
        let frame = self.damaged(frame);
        [Some(Arrival { at: at + longer, frame, line, held }), second]
    }

    /// How a message would arrive that is sent next, should nothing happen to it.
    pub(super) fn sound_arrival(&self, now: Time, frame: Frame, direction: usize) -> Arrival {
        let out = self.out(now, &frame, direction).1;
        Arrival { at: out + self.link.latency_ms * MILLISECOND, frame, line: (out, self.ended), held: false }
    }

    /// When a message that is sent now is on the line: from when, and until when.
    fn out(&self, now: Time, frame: &Frame, direction: usize) -> (Time, Time) {
        // A line that is busy for longer than any world lasts is busy for ever, and so is one that carries nothing.
        let bits = frame.bytes.len() as u64 * 8_000_000;
        let takes = if self.link.bits_per_s == 0 { FOREVER } else { bits.div_ceil(self.link.bits_per_s) };
        let begins = now.max(self.busy_until[direction]);
        (begins, begins.saturating_add(takes).min(FOREVER))
    }

    /// The connection ends: by direction, what of each message that was sent is never on the line.
    pub fn end(&mut self, now: Time) -> [Vec<Traffic>; 2] {
        (self.ended, self.ended_at, self.busy_until) = (self.ended + 1, now, [0; 2]);
        let never = |Waiting { begins, mut traffic, .. }: Waiting| {
            let bits = u128::from(now.saturating_sub(begins)) * u128::from(self.link.bits_per_s);
            traffic.draw((bits / 8_000_000) as u64);
            traffic
        };
        let waiting = std::mem::take(&mut self.waiting);
        waiting.map(|waiting| waiting.into_iter().filter(|waiting| waiting.out > now).map(never).collect())
    }

    /// Whether what was on the line then comes: nothing comes two connections later.
    pub fn carried(&self, (out, ended): (Time, u32)) -> bool {
        match self.ended - ended {
            0 => true,
            1 => out <= self.ended_at,
            _ => false,
        }
    }

    /// The time that the first bit takes, in microseconds.
    pub(super) fn latency(&self) -> Time {
        self.link.latency_ms * MILLISECOND
    }

    /// Whether nothing happens to messages.
    pub(super) fn is_sound(&self) -> bool {
        let Link { jitter_ms, lost_per_mille: lost, repeated_per_mille: repeated, .. } = self.link;
        let Link { reordered_per_mille: reordered, truncated_per_mille: truncated, .. } = self.link;
        jitter_ms == 0 && lost + repeated + reordered + truncated + self.link.corrupted_per_mille == 0
    }

    /// Whether a fault of this rate strikes now.
    fn strikes(&mut self, fault: Drawn, per_mille: u32) -> bool {
        let drawn = per_mille > 0 && self.stream.below(1000) < per_mille.into();
        self.injected[fault as usize] += u64::from(drawn);
        drawn && self.left_out != Some(LeftOut::Drawn(fault))
    }

    /// How often a fault was injected.
    pub(super) fn injected(&self, fault: Drawn) -> u64 {
        self.injected[fault as usize]
    }

    /// Leaves a fault out.
    #[cfg(test)]
    pub(super) fn leave_out(&mut self, fault: LeftOut) {
        self.left_out = Some(fault);
    }

    fn damaged(&mut self, mut frame: Frame) -> Frame {
        if self.strikes(Drawn::Truncation, self.link.truncated_per_mille) {
            let left = self.stream.below(frame.bytes.len() as u64) as usize;
            frame.bytes.truncate(left);
        }
        if self.strikes(Drawn::Corruption, self.link.corrupted_per_mille) && !frame.bytes.is_empty() {
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
        Frame { bytes: vec![7; bytes], has_edits: true }
    }

    fn sends(wire: &mut Wire, now: Time, bytes: usize, direction: usize, sound: bool) -> [Option<Arrival>; 2] {
        let traffic = Traffic { payload: bytes as u64, ..Traffic::default() };
        wire.send(now, frame(bytes), traffic, direction, sound)
    }

    #[test]
    fn messages_wait_for_the_ones_before_them_and_each_direction_has_its_own_line() {
        let mut wire = wire(Link { bits_per_s: 8_000, latency_ms: 100, ..Link::default() });
        let at = |arrivals: [Option<Arrival>; 2]| arrivals[0].as_ref().map(|arrival| arrival.at);
        assert_eq!(at(sends(&mut wire, 0, 1000, 0, false)), Some(1_100_000));
        assert_eq!(at(sends(&mut wire, 0, 1000, 0, false)), Some(2_100_000));
        assert_eq!(at(sends(&mut wire, 0, 1000, 1, false)), Some(1_100_000));
    }

    #[test]
    fn a_connections_queue_ends_with_it_and_what_was_not_on_the_line_by_then_never_counts_nor_comes() {
        let mut wire = wire(Link { bits_per_s: 8_000, latency_ms: 100, ..Link::default() });
        let lines: Vec<_> =
            (0..3).map(|_| sends(&mut wire, 0, 1000, 0, false)[0].as_ref().expect("sent").line).collect();
        assert!(lines.iter().all(|&line| wire.carried(line)));
        let mut ends = |at| wire.end(at).map(|never| never.iter().map(Traffic::total).collect::<Vec<_>>());
        // One is out, a quarter of the second is, and nothing of the third.
        assert_eq!(ends(1_250_000), [vec![750, 1000], vec![]]);
        assert_eq!(lines.iter().map(|&line| wire.carried(line)).collect::<Vec<_>>(), [true, false, false]);
        // The next connection has a free line.
        let next = sends(&mut wire, 1_300_000, 1000, 0, false)[0].clone().expect("it is sent");
        assert_eq!((next.at, wire.carried(next.line)), (2_400_000, true));
        assert_eq!(wire.end(9_000_000), [Vec::new(), Vec::new()]);
        assert!(wire.carried(next.line) && !wire.carried(lines[0]));
    }

    #[test]
    fn messages_come_late_by_jitter_out_of_order_by_seconds_and_cut_anywhere() {
        let sent = |link: Link| -> Vec<Arrival> {
            let mut wire = wire(Link { latency_ms: 100, ..link });
            // Each is sent when the one before is off the line.
            (0..2000).filter_map(|number| sends(&mut wire, number * 1_000_000, 10, 0, false)[0].take()).collect()
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
    fn faults_come_as_often_as_they_should_and_not_on_a_sound_link() {
        let bad = Link { lost_per_mille: 100, repeated_per_mille: 200, corrupted_per_mille: 50, ..Link::default() };
        let count = |sound| {
            let mut wire = wire(bad);
            let sent: Vec<[Option<Arrival>; 2]> = (0..10_000).map(|_| sends(&mut wire, 0, 10, 0, sound)).collect();
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
