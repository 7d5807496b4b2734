//! Bytes of ids and acknowledgements, edits, and for how long how many connections are up, over the whole time until faults are over:
//! restarts, visits and devices that came and went included.

use std::collections::BTreeSet;

use crate::data;
use crate::domain::offline::OfflineTrial;
use crate::domain::over_time;
use crate::engine::host::Time;
use crate::lab::events::{Event, Observer};

/// Into so many parts the time of a world is divided.
pub const PARTS: u64 = 8;

/// Bytes and edits of each part.
#[derive(Debug)]
pub struct Metadata {
    /// How long a part is.
    width: Time,
    parts: [over_time::Metadata; PARTS as usize],
    /// Links that are up, and until when their time is counted.
    up: BTreeSet<usize>,
    counted: Time,
}

impl Metadata {
    /// Nothing yet.
    pub fn of(trial: &OfflineTrial) -> Self {
        Metadata { width: trial.lasts().div_ceil(PARTS), parts: Default::default(), up: BTreeSet::new(), counted: 0 }
    }

    /// What was seen, part by part.
    pub fn parts(&self) -> Vec<over_time::Metadata> {
        let mut parts = self.parts;
        self.count(&mut parts, PARTS * self.width);
        parts.to_vec()
    }

    /// Adds the time of connections up to this time.
    fn count(&self, parts: &mut [over_time::Metadata], now: Time) {
        for (number, part) in (0..).zip(parts) {
            let (begins, ends) = (number * self.width, (number + 1) * self.width);
            let time = now.min(ends).saturating_sub(self.counted.max(begins));
            part.together_ms += time / 1000 * (self.up.len() as u64).pow(2);
        }
    }

    fn counts_until(&mut self, now: Time) {
        let mut parts = self.parts;
        self.count(&mut parts, now);
        (self.parts, self.counted) = (parts, now);
    }

    fn part(&mut self, at: Time) -> Option<&mut over_time::Metadata> {
        self.parts.get_mut((at / self.width) as usize)
    }
}

impl Observer for Metadata {
    fn sees(&mut self, now: Time, event: &Event<'_>) {
        match *event {
            Event::Sent { traffic, .. } => {
                if let Some(part) = self.part(now) {
                    part.bytes += traffic.ids + traffic.acks;
                    part.all += traffic.total();
                }
            }
            Event::CutOff { never, .. } => {
                if let Some(part) = self.part(now) {
                    part.bytes = part.bytes.saturating_sub(never.ids + never.acks);
                    part.all = part.all.saturating_sub(never.total());
                }
            }
            // What means nothing need not be told, and costs nothing: where many such edits are early, costs would seem to grow.
            Event::Edited { edit, accepted: Some(_), sighting, .. } if data::was_meant(sighting, edit.intent) => {
                if let Some(part) = self.part(edit.at) {
                    part.edits += 1;
                }
            }
            Event::ConnectionUp { link, .. } => {
                self.counts_until(now);
                self.up.insert(link);
            }
            Event::ConnectionDown { link } => {
                self.counts_until(now);
                self.up.remove(&link);
            }
            _ => {}
        }
    }
}
