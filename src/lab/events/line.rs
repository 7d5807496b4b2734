//! Bytes, counted once more by an observer at the line. It sees how long each message is, when it was handed to the line,
//! and when connections ended; it knows no frame, no engine, and nothing of how bytes are counted elsewhere. Both counts
//! must be the same in every world.

use std::collections::VecDeque;

use crate::domain::traffic::Traffic;
use crate::engine::host::{NodeId, Time};
use crate::lab::events::bytes::Bytes;
use crate::lab::events::{Event, Observer};

/// The three directions in which bytes are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// From clients.
    pub up: u64,
    /// To clients, from others than clients.
    pub down: u64,
    /// From relays to relays.
    pub between: u64,
}

/// One direction of one link.
#[derive(Debug, Default)]
struct Way {
    /// When all that was handed to it is on the line.
    free_at: Time,
    /// What may not be on the line yet: from when to when each message is put on it, and its length.
    queue: VecDeque<(Time, Time, u64)>,
}

/// All lines of a world.
#[derive(Debug, Default)]
pub struct Line {
    clients: u32,
    /// By link: its ends, its rate, and its two ways.
    links: Vec<([NodeId; 2], u64, [Way; 2])>,
    carried: Carried,
}

/// Two counts of the same bytes that differ.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{direction}, the messages count as {counted} bytes and the line carried {carried}: one of the two counts is wrong"
)]
pub struct Miscounted {
    direction: &'static str,
    counted: u64,
    carried: u64,
}

impl Line {
    /// Lines of a world of so many clients.
    pub(in crate::lab) fn of(clients: u32) -> Self {
        Line { clients, ..Line::default() }
    }

    /// What all lines carried.
    pub fn carried(&self) -> Carried {
        self.carried
    }

    /// Compares what was carried with what messages count as.
    pub fn agrees(&self, bytes: &Bytes) -> Result<(), Miscounted> {
        let Carried { up, down, between } = self.carried;
        let of = |direction, counted: &Traffic, carried| Miscounted { direction, counted: counted.total(), carried };
        let directions =
            [of("up", &bytes.up, up), of("down", &bytes.down, down), of("between relays", &bytes.between, between)];
        let differs = directions.into_iter().find(|count| count.counted != count.carried);
        differs.map_or(Ok(()), Err)
    }

    fn count(&mut self, link: usize, direction: usize) -> &mut u64 {
        let ends = self.links[link].0;
        match [ends[direction], ends[1 - direction]].map(|end| end < self.clients) {
            [true, _] => &mut self.carried.up,
            [false, true] => &mut self.carried.down,
            [false, false] => &mut self.carried.between,
        }
    }

    /// Nothing more of what waits for this link is put on it.
    fn cut(&mut self, link: usize, now: Time) {
        for direction in [0, 1] {
            let (_, rate, ways) = &mut self.links[link];
            let (rate, way) = (u128::from(*rate), std::mem::take(&mut ways[direction]));
            for (begins, all_out, length) in way.queue {
                if all_out > now {
                    let on_line = u128::from(now.saturating_sub(begins)) * rate / 8_000_000;
                    *self.count(link, direction) -= length - length.min(on_line as u64);
                }
            }
        }
    }
}

impl Observer for Line {
    fn sees(&mut self, now: Time, event: &Event<'_>) {
        match *event {
            Event::Linked { ends, bits_per_s } => self.links.push((ends, bits_per_s, Default::default())),
            Event::RateChanged { link, bits_per_s } => self.links[link].1 = bits_per_s,
            Event::Sent { from, link, bytes, .. } => {
                let (ends, rate, ways) = &mut self.links[link];
                let direction = usize::from(ends[0] != from);
                let (rate, way, length) = (*rate, &mut ways[direction], bytes as u64);
                while way.queue.front().is_some_and(|&(_, all_out, _)| all_out <= now) {
                    way.queue.pop_front();
                }
                let begins = way.free_at.max(now);
                // A line without a rate never ends with a message.
                let takes = if rate == 0 { u64::MAX } else { (length * 8_000_000).div_ceil(rate) };
                way.free_at = begins.saturating_add(takes);
                way.queue.push_back((begins, way.free_at, length));
                *self.count(link, direction) += length;
            }
            Event::ConnectionDown { link } => self.cut(link, now),
            Event::Ended { .. } => (0..self.links.len()).for_each(|link| self.cut(link, now)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with how bytes are counted.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Mistake {
        None,
        ChecksumsUncounted,
        DownCountedTwice,
        CutOffBytesCounted,
        RetransmissionsUncounted,
        FramingUncounted,
    }

    /// A line of 1000 bytes a second between a client and a hub, whose connection ends after 1.5 s.
    fn counts(mistake: Mistake) -> Result<Carried, Miscounted> {
        let (mut bytes, mut line) = (Bytes::of(1), Line::of(1));
        let mut happens = |now, event: Event<'_>| {
            bytes.sees(now, &event);
            line.sees(now, &event);
        };
        happens(0, Event::Linked { ends: [0, 1], bits_per_s: 8000 });
        let sound = Traffic { payload: 900, framing: 100, ..Traffic::default() };
        let with = |change: fn(&mut Traffic), of: Mistake| {
            let mut traffic = sound;
            if mistake == of {
                change(&mut traffic);
            }
            traffic
        };
        let (up, again) = (with(|up| up.framing -= 4, Mistake::ChecksumsUncounted), sound.again());
        let again = if mistake == Mistake::RetransmissionsUncounted { Traffic::default() } else { again };
        let tick = with(|tick| tick.framing = 0, Mistake::FramingUncounted);
        let down = with(|down| down.payload += 1000, Mistake::DownCountedTwice);
        for (from, to, traffic) in [(0, 1, up), (0, 1, again), (0, 1, sound), (1, 0, down)] {
            happens(0, Event::Sent { from, to, link: 0, bytes: 1000, traffic: &traffic });
        }
        if mistake != Mistake::CutOffBytesCounted {
            // Half of the second message is on the line, and nothing of the third.
            let mut half = again;
            half.draw(500);
            for never in [&half, &sound] {
                happens(1_500_000, Event::CutOff { from: 0, to: 1, never });
            }
        }
        happens(1_500_000, Event::ConnectionDown { link: 0 });
        // The next connection has a free line, and what is all out when it ends is carried.
        happens(2_000_000, Event::Sent { from: 0, to: 1, link: 0, bytes: 1000, traffic: &tick });
        happens(3_000_000, Event::ConnectionDown { link: 0 });
        happens(3_000_000, Event::Ended { quiescent: true, agree: true });
        line.agrees(&bytes).map(|()| line.carried())
    }

    #[test]
    fn the_line_counts_what_it_carried_and_sees_every_way_to_count_wrongly() {
        assert_eq!(counts(Mistake::None), Ok(Carried { up: 2500, down: 1000, between: 0 }));
        let wrong = [
            (Mistake::ChecksumsUncounted, "up"),
            (Mistake::DownCountedTwice, "down"),
            (Mistake::CutOffBytesCounted, "up"),
            (Mistake::RetransmissionsUncounted, "up"),
            (Mistake::FramingUncounted, "up"),
        ];
        for (mistake, direction) in wrong {
            let told = counts(mistake).expect_err("it is wrong").to_string();
            assert!(told.starts_with(&format!("{direction}, the messages count as ")), "{mistake:?}: {told}");
        }
    }
}
