//! A drawn world, written down as steps while it runs.
//!
//! What is planned from the start is a step when it happens: clients that come and go, faults, crashes, outages, clocks that
//! jump. An edit is a step when it is made. What a link does to a message is a step before the last thing that happened, and
//! counts messages from there: it stays right where steps long before it are left out.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::history::UserEdit;
use crate::domain::offline::{FaultKind, NodeFault};
use crate::domain::script::{Action, MessageFate, Step};
use crate::engine::host::{NodeId, Time};
use crate::lab::faults::Fault;
use crate::lab::link::Arrival;
use crate::lab::{Planned, World};
use crate::scenario::offline::SECOND;

/// What happened, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When, in microseconds.
    pub at: Time,
    /// What.
    pub action: Action,
}

/// What was written down so far.
#[derive(Default)]
pub(in crate::lab) struct Recorder {
    moments: Vec<Moment>,
    edits: Vec<Moment>,
    /// Each with the moment that it comes before.
    fates: Vec<(usize, Action)>,
    lines: BTreeMap<(NodeId, NodeId), Line>,
    /// When each node started again, if it did.
    started: BTreeMap<NodeId, Time>,
    /// Nodes that are going to crash within what they do next.
    crashing: BTreeSet<NodeId>,
}

/// Messages from one device to another: how many there were, and how many of them before the last moment.
#[derive(Default)]
struct Line {
    moments: usize,
    before: u32,
    sent: u32,
}

impl Recorder {
    fn happens(&mut self, at: Time, action: Action) {
        self.moments.push(Moment { at, action });
    }

    /// A node started again.
    pub(in crate::lab) fn started(&mut self, node: NodeId, now: Time) {
        self.started.insert(node, now);
        self.crashing.remove(&node);
    }

    /// A user made an edit, which the lab makes just before the next thing that happens to the device, now. One that was to
    /// be made while the device had no power was made when it started again, and one that a crash may come into was made now.
    pub(in crate::lab) fn edited(&mut self, (client, name): (NodeId, String), edit: &UserEdit, now: Time) {
        let started = self.started.get(&client).map_or(0, |&started| started + 1);
        let started = if self.crashing.contains(&client) { now } else { started };
        let action = Action::Edit { node: name, register: edit.register, intent: edit.intent };
        self.edits.push(Moment { at: edit.at.max(started), action });
    }

    /// A message was sent, and this was to become of it: `sound` if nothing happens to it.
    pub(in crate::lab) fn sent(
        &mut self,
        (ends, names): ((NodeId, NodeId), [String; 2]),
        sound: Option<&Arrival>,
        arrivals: &[Option<Arrival>; 2],
    ) {
        let moments = self.moments.len();
        let line = self.lines.entry(ends).or_default();
        if line.moments != moments {
            (line.moments, line.before) = (moments, line.sent);
        }
        line.sent += 1;
        let number = line.sent - line.before;
        let Some(sound) = sound else { return };
        let [from, to] = names;
        for fate in fates(sound, arrivals) {
            let action = Action::Message { from: from.clone(), to: to.clone(), number, fate };
            self.fates.push((moments.saturating_sub(1), action));
        }
    }

    /// All that happened, in order. At one time, edits come first: a device makes them before anything else happens to it.
    pub(in crate::lab) fn moments(mut self) -> Vec<Moment> {
        let mut fates = self.fates.into_iter().peekable();
        let mut all = Vec::new();
        for (place, moment) in self.moments.into_iter().enumerate() {
            while let Some((_, action)) = fates.next_if(|(before, _)| *before <= place) {
                all.push(Moment { at: moment.at, action });
            }
            all.push(moment);
        }
        self.edits.append(&mut all);
        self.edits.sort_by_key(|moment| moment.at);
        self.edits
    }
}

/// What happened to a message that would have arrived like this, in the order in which a script does it.
fn fates(sound: &Arrival, arrivals: &[Option<Arrival>; 2]) -> Vec<MessageFate> {
    let [Some(first), second] = arrivals else { return vec![MessageFate::Lose] };
    let mut fates = Vec::new();
    fates.extend(second.iter().map(|second| MessageFate::Repeat(second.at.saturating_sub(sound.at))));
    if first.at > sound.at {
        fates.push(MessageFate::Delay(first.at - sound.at));
    }
    let (whole, left) = (&sound.frame.bytes, &first.frame.bytes);
    if left.len() < whole.len() {
        fates.push(MessageFate::Truncate(left.len() as u64));
    }
    let flipped = whole.iter().zip(left).position(|(one, other)| one != other);
    fates.extend(flipped.map(|byte| {
        let bit = (whole[byte] ^ left[byte]).trailing_zeros();
        MessageFate::Corrupt(8 * byte as u64 + u64::from(bit))
    }));
    fates
}

/// The steps of these moments.
pub fn steps(moments: &[Moment]) -> Vec<Step> {
    let mut before = 0;
    let step = |Moment { at, action }: &Moment| {
        let after = at.saturating_sub(before);
        before = before.max(*at);
        Step { after, action: action.clone() }
    };
    moments.iter().map(step).collect()
}

impl World<'_> {
    /// The same world, which is written down while it runs.
    pub fn recorded(mut self) -> Self {
        let mut recorder = Recorder::default();
        // What a link does to the first messages comes before this.
        recorder.happens(0, Action::Pass);
        for client in 0..self.trial.clients {
            let set = self.devices[client as usize].clock.sets();
            for (place, (at, by, drift_ppm)) in set.into_iter().enumerate() {
                let node = self.trial.name(client);
                match (place, by, drift_ppm) {
                    (0, 0, 0) => {}
                    (0, ..) => recorder.happens(at, Action::Clock { node, by, drift_ppm }),
                    _ => self.plan(at, Planned::Clock(client, by, drift_ppm)),
                }
            }
        }
        self.recorder = Some(Box::new(recorder));
        self
    }

    /// Writes down what happens now.
    pub(in crate::lab) fn write_down(&mut self, event: &Planned) {
        let Some(recorder) = &mut self.recorder else { return };
        let (trial, now) = (self.trial, self.now);
        let action = match *event {
            _ if self.settling => return,
            Planned::Presence(node, true) => Action::Connect { node: trial.name(node), over: 0 },
            Planned::Presence(node, false) => Action::Disconnect(trial.name(node)),
            Planned::Clock(client, by, drift_ppm) => Action::Clock { node: trial.name(client), by, drift_ppm },
            Planned::Outage(link, true) => {
                let [node, with] = self.connections[link].ends.map(|end| trial.name(end));
                Action::Cut { node, with, lasts: trial.link.outage_s * SECOND }
            }
            Planned::Fault(Fault::Backup(node)) => Action::BackUp(trial.name(node)),
            Planned::Fault(Fault::Begins(number)) => {
                let fault = &self.faults[number];
                let has_backup = |node: NodeId| self.devices[node as usize].backup.is_some();
                // A backup is used once: without one, nothing happens.
                if fault.kind == FaultKind::Restore && !trial.node(&fault.node).is_some_and(has_backup) {
                    return;
                }
                Action::Fault(NodeFault { at_s: 0, age_s: 0, ..fault.clone() })
            }
            Planned::Fault(Fault::Fuse(node, effects)) if self.devices[node as usize].up => {
                recorder.crashing.insert(node);
                Action::CrashDuring { node: trial.name(node), effects }
            }
            Planned::Settle => Action::Pass,
            _ => return,
        };
        recorder.happens(now, action);
    }
}
