//! Bytes of ids and acknowledgements per edit, over the whole time until faults are over: restarts, visits and devices that
//! came and went included.

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
}

impl Metadata {
    /// Nothing yet.
    pub fn of(trial: &OfflineTrial) -> Self {
        Metadata { width: trial.lasts().div_ceil(PARTS), parts: Default::default() }
    }

    /// What was seen, part by part.
    pub fn parts(&self) -> Vec<over_time::Metadata> {
        self.parts.to_vec()
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
            Event::Edited { edit, accepted: Some(_), .. } => {
                if let Some(part) = self.part(edit.at) {
                    part.edits += 1;
                }
            }
            _ => {}
        }
    }
}
