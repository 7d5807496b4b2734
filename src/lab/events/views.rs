//! Whether replicas go on showing what they have shown. It looks at what they show, and at nothing else.
//!
//! It works in a world whose edits have unique amounts of a certain form: the lowest [`WEIGHT_BITS`] bits of an amount are
//! its weight, a positive number, whichever sign the amount has, and all weights of a register together are below
//! 2^[`WEIGHT_BITS`]. What a register shows tells the sum of the weights of the edits that it shows. As long as a replica
//! only adds edits, that sum never becomes less: if it does, an edit that was shown is not shown any more, or one that was
//! shown twice is shown once. An edit that vanishes in the very step in which heavier edits come is not seen; weights are
//! random, so that few of many hide.
//!
//! Counters alone are followed. A replica whose own store is lost, damaged, set back or replaced starts anew. One whose power failed does not.

use crate::domain::data::View;
use crate::domain::offline::OfflineTrial;
use crate::domain::over_time::{FirstUnshown, Unshown};
use crate::engine::host::{NodeId, Time};
use crate::engine::port::Position;
use crate::lab::events::{Event, Observer, Replica};

/// Bits of a weight.
pub const WEIGHT_BITS: u32 = 44;

/// What a replica showed when it was looked at last.
#[derive(Debug)]
struct Shown {
    position: Option<Position>,
    weights: Vec<u64>,
}

/// What all replicas of a world showed.
#[derive(Debug)]
pub struct Views {
    start: i64,
    names: Vec<String>,
    shown: Vec<Option<Shown>>,
    unshown: Unshown,
}

impl Views {
    /// Nothing was shown yet.
    pub fn of(trial: &OfflineTrial) -> Self {
        let names: Vec<String> = (0..trial.nodes()).map(|node| trial.name(node)).collect();
        Views { start: trial.start, shown: names.iter().map(|_| None).collect(), names, unshown: Unshown::default() }
    }

    /// What was not shown any more.
    pub fn unshown(&self) -> &Unshown {
        &self.unshown
    }

    fn looks(&mut self, node: NodeId, replica: &Replica<'_>, now: Time) {
        let position = replica.position();
        let before = &mut self.shown[node as usize];
        if position.is_some() && before.as_ref().is_some_and(|before| before.position == position) {
            return;
        }
        // What is no counter has no weight.
        let weight = |shown: &View| {
            let shown = shown.number().unwrap_or(self.start);
            shown.wrapping_sub(self.start) as u64 & ((1 << WEIGHT_BITS) - 1)
        };
        let weights: Vec<u64> = replica.shows().iter().map(weight).collect();
        if let Some(Shown { weights: before, .. }) = before {
            self.unshown.compared += weights.len() as u64;
            for (register, (now_shown, shown_before)) in (0..).zip(weights.iter().zip(before.iter())) {
                if now_shown < shown_before {
                    self.unshown.less += 1;
                    let name = &self.names[node as usize];
                    let first = || FirstUnshown { node: name.clone(), register, at: now };
                    self.unshown.first.get_or_insert_with(first);
                }
            }
        }
        *before = Some(Shown { position, weights });
    }
}

impl Observer for Views {
    fn sees(&mut self, now: Time, event: &Event<'_>) {
        match event {
            Event::Acted { node, replica } => self.looks(*node, replica, now),
            Event::Started { node, replica } => {
                // Positions of two starts cannot be compared.
                if let Some(shown) = &mut self.shown[*node as usize] {
                    shown.position = None;
                }
                self.looks(*node, replica, now);
            }
            Event::StoreLost { node }
            | Event::StoreDamaged { node }
            | Event::StoreSetBack { node }
            | Event::StoreCopied { to: node, .. } => self.shown[*node as usize] = None,
            _ => {}
        }
    }
}
