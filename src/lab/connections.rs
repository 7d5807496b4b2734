//! Connections come and go, and messages are handed to their lines.

use crate::domain::offline::FaultKind;
use crate::engine::host::NodeId;
use crate::lab::events::Event;
use crate::lab::faults::effects::{Drawn, LeftOut};
use crate::lab::faults::lasting::Waiting;
use crate::lab::faults::marks::{AsSent, Marks};
use crate::lab::link::Arrival;
use crate::lab::{Connection, Planned, World, WorldError};

impl World<'_> {
    /// Hands what a node sent to its links.
    pub(super) fn post(&mut self, from: NodeId) {
        let mut sent = std::mem::take(&mut self.devices[from as usize].host.sent);
        let made = self.devices[from as usize].made;
        for mut message in sent.drain(..) {
            let to = message.to;
            let links = &self.devices[from as usize].connections;
            let link = links.binary_search_by_key(&to, |&(peer, _)| peer).map(|place| links[place].1);
            let Some(link) = link.ok().filter(|&link| self.connections[link].open) else { continue };
            self.measures.bytes.for_the_first_time(from, to, &mut message.traffic);
            let (bytes, traffic) = (message.frame.bytes.len(), &message.traffic);
            self.emit(&Event::Sent { from, to, link, bytes, traffic });
            let carries = self.measures.staleness.holdings.carried(from, to, message.round);
            let reaches = self.measures.reach.sent(from);
            self.promise(from, &message.frame.bytes);
            let direction = usize::from(self.connections[link].ends[0] != from);
            let connection = &mut self.connections[link];
            connection.sent[direction] += 1;
            let number = connection.sent[direction];
            let fates = self.script.as_mut().map_or_else(Vec::new, |script| script.fates(from, to));
            let (struck, is_asked) = (!self.settling && !connection.wire.is_sound(), !fates.is_empty());
            let as_sent = (struck && !is_asked).then(|| AsSent::of(&message.frame));
            let step = self.script.as_ref().and_then(|script| script.rates_of(link));
            let has_edits = message.frame.has_edits;
            // A message without edits is part of no round that it does not end.
            let carries = carries.filter(|round| round.ends() || has_edits);
            let dropped = self.drops(from, to, &message.traffic);
            let connection = &mut self.connections[link];
            let sound = self
                .recorder
                .as_ref()
                .filter(|_| struck || is_asked || dropped)
                .map(|_| connection.wire.sound_arrival(self.now, message.frame.clone(), direction));
            let mut arrivals = connection.wire.send(self.now, message.frame, message.traffic, direction, self.settling);
            fates.into_iter().for_each(|fate| self.suffers_of_step(fate, &mut arrivals));
            if dropped {
                arrivals = [None, None];
            }
            if let Some(recorder) = &mut self.recorder {
                let names = [from, to].map(|end| self.trial.name(end));
                recorder.sent(((from, to), names), sound.as_ref(), &arrivals);
            }
            self.scripted_post(from, to, &arrivals);
            match &arrivals {
                [None, _] if dropped => self.emit(&Event::MessageLost { from, to }),
                [None, _] => {
                    if !is_asked {
                        self.message_is_struck(link, step, Drawn::Loss);
                    }
                    self.emit(&Event::MessageLost { from, to });
                }
                [_, Some(_)] => self.emit(&Event::MessageDuplicated { from, to }),
                _ => {}
            }
            for (copy, arrival) in arrivals.into_iter().enumerate() {
                let Some(arrival) = arrival else { continue };
                let marks = Marks::of(number, copy == 1, has_edits, step, as_sent, &arrival);
                let Arrival { at, frame, line, .. } = arrival;
                let (carries, reaches) = (carries.clone(), reaches.clone());
                self.plan(at, Planned::Arrival { link, from, to, frame, line, carries, reaches, marks, made });
            }
        }
        self.devices[from as usize].host.sent = sent;
    }

    /// Keeps what a message on its way acknowledges, where its sender may start again.
    pub(super) fn promise(&mut self, from: NodeId, frame: &[u8]) {
        let device = &mut self.devices[from as usize];
        if let Some(node) = device.node.as_ref().filter(|_| self.restarts) {
            node.acknowledges(frame, &mut device.acknowledged);
        }
    }

    pub(super) fn refresh_all(&mut self, node: NodeId) -> Result<(), WorldError> {
        let links = self.devices[node as usize].connections.clone();
        links.into_iter().try_for_each(|(_, link)| self.refresh(link))
    }

    /// Opens or closes a connection as its ends and itself allow.
    pub(super) fn refresh(&mut self, link: usize) -> Result<(), WorldError> {
        let Connection { ends, relations, outages, open, .. } = self.connections[link];
        let device = |end: NodeId| &self.devices[end as usize];
        let ready = ends.iter().all(|&end| device(end).up && device(end).here && device(end).node.is_some());
        let out = outages > 0 || ends.iter().any(|&end| self.suffers(end, FaultKind::Outage));
        if ready && out {
            self.outages_block(link);
        }
        let opens = ready && !out;
        if opens == open {
            return Ok(());
        }
        self.connections[link].open = opens;
        if open {
            self.cut(link);
            self.emit(&Event::ConnectionDown { link });
        } else {
            self.emit(&Event::ConnectionUp { link, from: ends[0], to: ends[1] });
        }
        for side in [1, 0] {
            let (end, peer) = (ends[side], ends[1 - side]);
            if !self.hears_of(end, peer) {
                self.takes_effect(end, FaultKind::Refuse);
                self.takes_effect(peer, FaultKind::SignedOut);
            } else {
                let what = if opens { Waiting::Up(peer, relations[side]) } else { Waiting::Down(peer) };
                self.tell(end, what)?;
            }
        }
        Ok(())
    }

    /// An outage of a link begins, or is over.
    pub(super) fn outage(&mut self, link: usize, begins: bool) -> Result<(), WorldError> {
        let connection = &mut self.connections[link];
        if !begins {
            connection.outages = connection.outages.saturating_sub(1);
            // All last equally long, so that the first to begin is the first to end.
            connection.idle_outages = connection.idle_outages.min(connection.outages);
            if connection.outages == 0 {
                self.script.iter_mut().for_each(|script| script.is_whole(link));
            }
        } else if !self.settling {
            self.effects.inject(Drawn::Outage, 1);
            if self.effects.does(LeftOut::Drawn(Drawn::Outage)) {
                (connection.outages, connection.idle_outages) = (connection.outages + 1, connection.idle_outages + 1);
            }
        }
        self.refresh(link)
    }

    /// What waits for the line of a connection when it ends is never sent, and does not count.
    pub(super) fn cut(&mut self, link: usize) {
        let ends = self.connections[link].ends;
        let never = self.connections[link].wire.end(self.now);
        for (direction, never) in never.into_iter().enumerate() {
            let (from, to) = (ends[direction], ends[1 - direction]);
            never.iter().for_each(|never| self.emit(&Event::CutOff { from, to, never }));
        }
    }
}
