//! What the lab keeps of a message on its way, to see when it arrives what faults did to it.

use crate::engine::host::NodeId;
use crate::engine::wire::Frame;
use crate::lab::World;
use crate::lab::faults::effects::Drawn;
use crate::lab::link::Arrival;

/// A frame as it was sent.
#[derive(Clone, Copy, Debug)]
pub(in crate::lab) struct AsSent {
    length: usize,
    checksum: u32,
}

impl AsSent {
    /// Of this frame.
    pub(in crate::lab) fn of(frame: &Frame) -> Self {
        AsSent { length: frame.bytes.len(), checksum: crc32fast::hash(&frame.bytes) }
    }
}

/// What is known of one copy of a message.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::lab) struct Marks {
    /// Its number among those that were sent in its direction of its link.
    number: u32,
    copy: bool,
    held: bool,
    truncated: bool,
    corrupted: bool,
    /// The step whose rates its link had when it was sent.
    step: Option<usize>,
    /// Whether it carries changes.
    pub(in crate::lab) has_edits: bool,
}

impl Marks {
    /// Of the copy that will arrive, compared with what was sent. Nothing is compared on a sound link, nor where a step asks
    /// for something to happen to this message: that is no fault of the link's rates.
    pub(in crate::lab) fn of(
        number: u32,
        copy: bool,
        has_edits: bool,
        step: Option<usize>,
        sent: Option<AsSent>,
        arrival: &Arrival,
    ) -> Self {
        let Some(sent) = sent else { return Marks { number, has_edits, ..Marks::default() } };
        let now = AsSent::of(&arrival.frame);
        let truncated = now.length < sent.length;
        let corrupted = !truncated && now.checksum != sent.checksum;
        Marks { number, copy, held: arrival.held, truncated, corrupted, step, has_edits }
    }
}

impl World<'_> {
    /// A fault that a link has at a rate took effect in a message that was sent while the link had the rates of this step.
    pub(in crate::lab) fn message_is_struck(&mut self, link: usize, step: Option<usize>, fault: Drawn) {
        self.effects.take_effect(fault, 1);
        if let Some((script, step)) = self.script.as_mut().zip(step) {
            script.message_is_struck((link, step, fault));
        }
    }

    /// A message arrives in a connection that is up.
    pub(in crate::lab) fn arrives_marked(&mut self, link: usize, from: NodeId, marks: Marks) {
        let connection = &mut self.connections[link];
        let newest = &mut connection.arrived[usize::from(connection.ends[0] != from)];
        let overtaken = marks.number < *newest;
        *newest = marks.number.max(*newest);
        for (fault, took_effect) in [
            (Drawn::Repetition, marks.copy),
            (Drawn::Reordering, marks.held && overtaken),
            (Drawn::Truncation, marks.truncated),
            (Drawn::Corruption, marks.corrupted),
        ] {
            if took_effect {
                self.message_is_struck(link, marks.step, fault);
            }
        }
    }
}
