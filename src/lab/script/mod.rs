//! Scripts: the steps of a world that is written down, done one after the other in virtual time.
//!
//! A step does what a drawn world does, by the same functions. After the last step, and once what the steps began is over,
//! faults are over as in a drawn world. A step that cannot be done, or that waits in vain, is kept as unmet, and the script
//! goes on.

pub mod recorder;
#[cfg(test)]
mod tests;
pub mod unique;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::domain::data::Intent;
use crate::domain::history::{Fate, UserEdit};
use crate::domain::offline::{NodeFault, OfflineTrial};
use crate::domain::script::{Action, Condition, MessageFate, Progress, StepError};
use crate::domain::seed::Stream;
use crate::domain::watch::Watch;
use crate::engine::Registration;
use crate::engine::host::{NodeId, Time};
use crate::lab::events::Event;
use crate::lab::faults::Fault;
use crate::lab::link::Arrival;
use crate::lab::{Planned, World, WorldError, settings};
use crate::scenario::offline::{SECOND, Users};
use unique::{heaviest, unique_amount};

/// How far a script is.
#[derive(Default)]
pub(super) struct Script {
    /// By step, the numbers of its faults.
    faults: Vec<Range<usize>>,
    /// By sender and receiver.
    lines: BTreeMap<(NodeId, NodeId), Line>,
    waiting: Option<Waiting>,
    /// Devices that are going to connect, and when.
    comings: BTreeMap<NodeId, Time>,
    /// When everything is over that steps began.
    lasts_until: Time,
    /// By client, where unique amounts stand for those of the steps.
    amounts: Vec<Stream>,
    heaviest: u64,
    unmet: Vec<StepError>,
}

/// Messages from one device to another.
#[derive(Default)]
struct Line {
    /// How many of them were sent, arrived and were taken.
    counts: BTreeMap<Progress, u64>,
    /// How many are on their way.
    under_way: u64,
    /// What happens to which of them.
    fates: BTreeMap<u64, Vec<MessageFate>>,
}

/// A step that waits.
struct Waiting {
    step: usize,
    /// How many messages there had been when it began.
    before: u64,
}

impl Line {
    fn count(&self, how: Progress) -> u64 {
        self.counts.get(&how).copied().unwrap_or(0)
    }
}

impl Script {
    /// The script of a world, if it is written down, and all its faults.
    pub(super) fn of(trial: &OfflineTrial) -> (Option<Script>, Vec<NodeFault>) {
        if !trial.is_scripted() {
            return (None, trial.faults.clone());
        }
        let (mut script, mut faults) = (Script::default(), Vec::new());
        for step in &trial.steps {
            let before = faults.len();
            if let Action::Fault(fault) = &step.action {
                let of = trial.nodes_named(&fault.node).into_iter();
                faults.extend(of.map(|node| NodeFault { node: trial.name(node), ..fault.clone() }));
            }
            script.faults.push(before..faults.len());
        }
        (Some(script), faults)
    }

    /// Has unique amounts stand for those of the steps.
    pub(super) fn with_unique_amounts(&mut self, trial: &OfflineTrial) {
        let amounts = trial.seed.stream("telling amounts");
        self.amounts = (0..trial.clients).map(|client| amounts.member(client.into())).collect();
        self.heaviest = heaviest(trial.edits());
    }

    /// What stands for an intent of a client's user.
    fn intent(&mut self, client: NodeId, written: Intent) -> Intent {
        match (written, self.amounts.get_mut(client as usize)) {
            (Intent::Increase(amount), Some(stream)) => {
                Intent::Increase(unique_amount(stream, self.heaviest, amount < 0))
            }
            _ => written,
        }
    }

    /// The step that a fault is of.
    pub(super) fn step_of_fault(&self, fault: usize) -> usize {
        self.faults.iter().position(|faults| faults.contains(&fault)).unwrap_or(0)
    }

    /// What happens to the next message from one device to another, which is counted.
    pub(super) fn fates(&mut self, from: NodeId, to: NodeId) -> Vec<MessageFate> {
        let line = self.lines.entry((from, to)).or_default();
        let sent = line.counts.entry(Progress::Sent).or_default();
        *sent += 1;
        line.fates.remove(sent).unwrap_or_default()
    }

    /// Steps that could not be done, or waited in vain.
    pub(super) fn unmet(&self) -> &[StepError] {
        &self.unmet
    }
}

/// Runs the script of a world with each engine until one comes through it, and gives what the first of them could not do if
/// none does: no run of the script means anything then.
pub fn rehearse<'a>(
    trial: &OfflineTrial,
    engines: impl Iterator<Item = &'a Registration>,
    watch: &mut dyn Watch,
) -> Option<StepError> {
    if !trial.is_scripted() {
        return None;
    }
    let mut first = None;
    for engine in engines {
        let world = World::new(trial, engine, &settings(trial, None));
        // A world that comes to no end is for the run to tell.
        let outcome = world.and_then(|world| world.run(watch)).ok()?;
        match outcome.unmet.into_iter().next() {
            None => return None,
            Some(unmet) => first = first.or(Some(unmet)),
        }
    }
    first
}

impl World<'_> {
    pub(super) fn plan_script(&mut self) {
        if let Some(step) = self.trial.steps.first() {
            self.plan(step.after, Planned::Step(0));
        }
    }

    /// Does this step, and those after it that come at the same time.
    pub(super) fn perform(&mut self, number: usize) -> Result<(), WorldError> {
        let mut number = number;
        loop {
            let trial = self.trial;
            let step = &trial.steps[number];
            self.lasts(if matches!(step.action, Action::Until { .. }) { 0 } else { step.action.lasts() });
            self.act_out(number, &step.action)?;
            if self.waits() && !self.has_come_true() {
                return Ok(());
            }
            self.stop_waiting();
            number += 1;
            match trial.steps.get(number) {
                Some(next) if next.after > 0 => {
                    self.plan(self.now + next.after, Planned::Step(number));
                    return Ok(());
                }
                Some(_) => {}
                None => {
                    let over = self.script.as_ref().map_or(self.now, |script| script.lasts_until.max(self.now));
                    self.plan(over, Planned::Settle);
                    return Ok(());
                }
            }
        }
    }

    fn lasts(&mut self, time: Time) {
        if let Some(script) = &mut self.script {
            script.lasts_until = script.lasts_until.max(self.now + time);
        }
    }

    fn act_out(&mut self, number: usize, action: &Action) -> Result<(), WorldError> {
        let trial = self.trial;
        match action {
            Action::Pass => Ok(()),
            Action::Edit { node, register, intent } => {
                for node in trial.nodes_named(node) {
                    if !self.devices[node as usize].up {
                        let reason = format!("{} is off: it starts again later", trial.name(node));
                        self.unmet(number, "edit", reason);
                        continue;
                    }
                    let intent = self.script.as_mut().map_or(*intent, |script| script.intent(node, *intent));
                    let edit = UserEdit { at: self.now, register: *register, intent, fate: Fate::Binding };
                    self.foresee(node, vec![edit]);
                    self.act(node, |_, _| Ok(()))?;
                }
                Ok(())
            }
            Action::Work { node, lasts, workload } => {
                let users = Users::of_step(trial, workload, *lasts, number);
                for node in trial.nodes_named(node) {
                    let mut edits = users.edits(node);
                    for edit in &mut edits {
                        edit.at += self.now;
                        edit.intent =
                            self.script.as_mut().map_or(edit.intent, |script| script.intent(node, edit.intent));
                    }
                    self.foresee(node, edits);
                    self.plan_wake(node)?;
                }
                Ok(())
            }
            Action::Connect { node, over } => {
                let moments = trial.seed.stream("connections of steps");
                for node in trial.nodes_named(node) {
                    match *over {
                        0 => {
                            self.script.iter_mut().for_each(|script| _ = script.comings.remove(&node));
                            self.happen(Planned::Presence(node, true))?;
                        }
                        over => {
                            let at = self.now + moments.member((number as u64) << 32 | u64::from(node)).below(over);
                            self.script.iter_mut().for_each(|script| _ = script.comings.insert(node, at));
                            self.plan(at, Planned::Coming(node));
                        }
                    }
                }
                Ok(())
            }
            Action::Disconnect(node) => {
                trial.nodes_named(node).into_iter().try_for_each(|node| {
                    // A pending connection is cancelled.
                    self.script.iter_mut().for_each(|script| _ = script.comings.remove(&node));
                    self.happen(Planned::Presence(node, false))
                })
            }
            Action::Message { from, to, number, fate } => {
                if let Some((script, ends)) = self.script.as_mut().zip(trial.node(from).zip(trial.node(to))) {
                    let line = script.lines.entry(ends).or_default();
                    let number = line.count(Progress::Sent) + u64::from(*number);
                    line.fates.entry(number).or_default().push(*fate);
                }
                Ok(())
            }
            Action::Cut { node, with, lasts } => {
                let (node, with) = (trial.node(node), trial.node(with));
                let links = node.map(|node| &self.devices[node as usize].connections);
                let link = links.and_then(|links| links.iter().find(|(peer, _)| Some(*peer) == with));
                let Some(&(_, link)) = link else { return Ok(()) };
                self.plan(self.now + lasts, Planned::Outage(link, false));
                self.happen(Planned::Outage(link, true))
            }
            Action::Fault(_) => {
                let faults = self.script.as_ref().map_or(0..0, |script| script.faults[number].clone());
                faults.into_iter().try_for_each(|fault| self.strike(Fault::Begins(fault)))
            }
            Action::CrashDuring { node, effects } => {
                for node in trial.nodes_named(node) {
                    if !self.devices[node as usize].up {
                        self.unmet(number, "crash", format!("{} is off: it starts again later", trial.name(node)));
                    }
                    self.strike(Fault::Fuse(node, *effects))?;
                }
                Ok(())
            }
            Action::BackUp(node) => {
                trial.nodes_named(node).into_iter().try_for_each(|node| self.strike(Fault::Backup(node)))
            }
            Action::Clock { node, by, drift_ppm } => {
                for node in trial.nodes_named(node) {
                    // What its user did until now had the time that the clock showed then.
                    self.act(node, |_, _| Ok(()))?;
                    self.devices[node as usize].clock.set(self.now, *by, *drift_ppm);
                }
                Ok(())
            }
            Action::Link { node, link } => {
                for node in trial.nodes_named(node) {
                    for (_, number) in self.devices[node as usize].connections.clone() {
                        self.connections[number].wire.becomes(*link);
                        self.emit(&Event::RateChanged { link: number, bits_per_s: link.bits_per_s });
                    }
                }
                Ok(())
            }
            Action::Until { condition, within } => {
                let before = self.messages(condition);
                if let Some(script) = &mut self.script {
                    script.waiting = Some(Waiting { step: number, before });
                }
                self.plan(self.now + within, Planned::Expired(number));
                Ok(())
            }
        }
    }

    /// A device's user is going to make these edits, too.
    fn foresee(&mut self, node: NodeId, edits: Vec<UserEdit>) {
        let device = &mut self.devices[node as usize];
        device.edits.extend(edits);
        device.edits[device.made..].sort_by_key(|edit| edit.at);
    }

    fn unmet(&mut self, step: usize, key: &str, reason: String) {
        if let Some(script) = &mut self.script {
            script.unmet.push(StepError { step, key: key.to_owned(), reason });
        }
    }

    fn waits(&self) -> bool {
        self.script.as_ref().is_some_and(|script| script.waiting.is_some())
    }

    fn stop_waiting(&mut self) {
        if let Some(script) = &mut self.script {
            script.waiting = None;
        }
    }

    /// How many messages there have been that a condition counts.
    fn messages(&self, condition: &Condition) -> u64 {
        let Condition::Messages { from, to, how, .. } = condition else { return 0 };
        let ends = self.trial.node(from).zip(self.trial.node(to));
        let line = self.script.as_ref().zip(ends).and_then(|(script, ends)| script.lines.get(&ends));
        line.map_or(0, |line| line.count(*how))
    }

    /// Whether what the script waits for has come true.
    fn has_come_true(&self) -> bool {
        let Some((script, waiting)) = self.script.as_ref().and_then(|script| Some((script, script.waiting.as_ref()?)))
        else {
            return false;
        };
        let Action::Until { condition, .. } = &self.trial.steps[waiting.step].action else { return false };
        match condition {
            Condition::Quiescent => {
                let is_still = |device: &super::Device| {
                    let node = device.node.as_ref().filter(|_| device.up);
                    let still = node.is_some_and(|node| node.wakes_at().is_none()) && device.edits.len() == device.made;
                    // Who left for good does nothing any more.
                    still || device.retired
                };
                script.comings.keys().all(|&node| self.devices[node as usize].retired)
                    && script.lines.values().all(|line| line.under_way == 0)
                    && self.devices.iter().all(is_still)
            }
            Condition::InSync { node, with } => {
                let Some((one, other)) = self.trial.node(node).zip(self.trial.node(with)) else { return false };
                let under_way = |ends| script.lines.get(&ends).map_or(0, |line| line.under_way);
                let shows = |node: NodeId| {
                    let device = &self.devices[node as usize];
                    device.node.as_ref().filter(|_| device.up).map(|node| node.shows())
                };
                under_way((one, other)) + under_way((other, one)) == 0
                    && shows(one).is_some_and(|shown| Some(shown) == shows(other))
            }
            Condition::Messages { number, .. } => self.messages(condition) >= waiting.before + u64::from(*number),
        }
    }

    /// Something happened: a step that waits may have come true.
    pub(super) fn go_on(&mut self) -> Result<(), WorldError> {
        if !self.waits() || !self.has_come_true() {
            return Ok(());
        }
        self.goes_on()
    }

    /// The step that waits has waited for long enough.
    pub(super) fn expire(&mut self, step: usize) -> Result<(), WorldError> {
        let waiting = self.script.as_ref().and_then(|script| script.waiting.as_ref());
        if waiting.is_none_or(|waiting| waiting.step != step) {
            return Ok(());
        }
        if let Action::Until { within, .. } = &self.trial.steps[step].action {
            let reason = format!("it did not come true within {} s", *within as f64 / SECOND as f64);
            self.unmet(step, "until", reason);
        }
        self.goes_on()
    }

    /// The step that waits is over: the next is planned.
    fn goes_on(&mut self) -> Result<(), WorldError> {
        let Some(waiting) = self.script.as_mut().and_then(|script| script.waiting.take()) else { return Ok(()) };
        let number = waiting.step + 1;
        match self.trial.steps.get(number) {
            Some(next) => self.plan(self.now + next.after, Planned::Step(number)),
            None => {
                let over = self.script.as_ref().map_or(self.now, |script| script.lasts_until.max(self.now));
                self.plan(over, Planned::Settle);
            }
        }
        Ok(())
    }

    /// These copies of a message are on their way.
    pub(super) fn scripted_post(&mut self, from: NodeId, to: NodeId, arrivals: &[Option<Arrival>; 2]) {
        if let Some(script) = &mut self.script {
            script.lines.entry((from, to)).or_default().under_way += arrivals.iter().flatten().count() as u64;
        }
    }

    /// A message came to its end, whether it arrived or not.
    pub(super) fn scripted_end(&mut self, from: NodeId, to: NodeId) {
        if let Some(line) = self.script.as_mut().and_then(|script| script.lines.get_mut(&(from, to))) {
            line.under_way -= 1;
        }
    }

    /// A device connects at the time that was drawn for it, unless a later step has disconnected it.
    pub(super) fn comes(&mut self, node: NodeId) -> Result<(), WorldError> {
        let comings = self.script.as_mut().map(|script| &mut script.comings);
        let comes = comings.is_some_and(|comings| {
            let comes = comings.get(&node) == Some(&self.now);
            if comes {
                comings.remove(&node);
            }
            comes
        });
        if comes { self.happen(Planned::Presence(node, true)) } else { Ok(()) }
    }

    /// A message came so far.
    pub(super) fn scripted_progress(&mut self, from: NodeId, to: NodeId, how: Progress) {
        if let Some(line) = self.script.as_mut().and_then(|script| script.lines.get_mut(&(from, to))) {
            *line.counts.entry(how).or_default() += 1;
        }
    }
}

/// This happens to a message of which these would arrive.
pub(super) fn suffer(fate: MessageFate, arrivals: &mut [Option<Arrival>; 2]) {
    match fate {
        MessageFate::Lose => *arrivals = [None, None],
        MessageFate::Repeat(late) => {
            arrivals[1] = arrivals[0].clone().map(|first| Arrival { at: first.at + late, ..first });
        }
        MessageFate::Delay(by) => arrivals[0].iter_mut().for_each(|arrival| arrival.at += by),
        MessageFate::Truncate(bytes) => {
            let left = usize::try_from(bytes).unwrap_or(usize::MAX);
            arrivals[0].iter_mut().for_each(|arrival| arrival.frame.bytes.truncate(left));
        }
        MessageFate::Corrupt(bit) => {
            for bytes in arrivals[0].iter_mut().map(|arrival| &mut arrival.frame.bytes) {
                let bits = 8 * bytes.len() as u64;
                if let Some(place) = bit.checked_rem(bits) {
                    bytes[(place / 8) as usize] ^= 1 << (place % 8);
                }
            }
        }
    }
}
