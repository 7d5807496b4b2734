//! Scripts: the steps of a world that is written down, done one after the other in virtual time.
//!
//! A step does what a drawn world does, by the same functions. After the last step, and once what the steps began is over,
//! faults are over as in a drawn world. A step that cannot be done, or that waits in vain, is kept as unmet, and the script
//! goes on.

pub mod recorder;
#[cfg(test)]
mod tests;
pub mod unique;
mod words;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::domain::data::Intent;
use crate::domain::fault_count::FaultCount;
use crate::domain::history::{Fate, UserEdit};
use crate::domain::offline::{Link, NodeFault, OfflineTrial};
use crate::domain::script::{Action, Condition, MessageFate, Progress, StepError};
use crate::domain::seed::Stream;
use crate::domain::watch::Watch;
use crate::engine::Registration;
use crate::engine::host::{NodeId, Time};
use crate::lab::events::Event;
use crate::lab::faults::Fault;
use crate::lab::faults::effects::Drawn;
use crate::lab::link::Arrival;
use crate::lab::{Device, Planned, World, WorldError, settings};
use crate::scenario::offline::{SECOND, Users};
use unique::{heaviest, unique_amount};
use words::Typed;

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
    typed: Typed,
    /// How many things steps asked to go wrong, beside faults of nodes; and by step and what it asks for, those that did not
    /// yet, each with the reason if it never does.
    asked: u64,
    idle: BTreeMap<Asked, &'static str>,
    /// By node, steps that have it crash in the middle of what it does; and by link, steps that cut it.
    fuses: BTreeMap<NodeId, Vec<Asked>>,
    cuts: BTreeMap<usize, Vec<Asked>>,
    /// By link, the step whose rates of faults it has; and what is asked of them.
    rates: BTreeMap<usize, usize>,
    asked_of_rates: BTreeMap<Rate, Vec<Asked>>,
    /// When the last message comes that a step has come late.
    late_until: Time,
}

/// A fault that a link has at a rate: the link, the step that says so, and which fault.
pub(super) type Rate = (usize, usize, Drawn);

/// What a step asks to go wrong: the step, and what, in words.
type Asked = (usize, String);

const IDLE_MESSAGE: &str = "no message of that number was sent";
const IDLE_CUT: &str = "the two were not connected, and were not going to be, while it lasted";
const IDLE_RATE: &str =
    "it hit no message whose connection was still up when it came, or too few were sent for so small a rate";
const IDLE_CRASH: &str = "the node had fewer effects than that until it stopped, or until the end";

/// Messages from one device to another.
#[derive(Default)]
struct Line {
    /// How many of them were sent, arrived and were taken.
    counts: BTreeMap<Progress, u64>,
    /// How many are on their way.
    under_way: u64,
    /// What happens to which of them.
    fates: BTreeMap<u64, Vec<(Asked, MessageFate)>>,
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
    fn intent(&mut self, client: NodeId, register: u32, written: Intent) -> Intent {
        match (written, self.amounts.get_mut(client as usize)) {
            (Intent::Increase(amount), Some(stream)) => {
                Intent::Increase(unique_amount(stream, self.heaviest, amount < 0))
            }
            _ => self.typed.intent(register, written),
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
        let fates = line.fates.remove(sent).unwrap_or_default();
        fates.iter().for_each(|(asked, _)| _ = self.idle.remove(asked));
        fates.into_iter().map(|(_, fate)| fate).collect()
    }

    /// A step asks for something to go wrong; if it never does, this is why.
    fn asks(&mut self, step: usize, what: String, why: &'static str) -> Asked {
        self.asked += 1;
        self.idle.insert((step, what.clone()), why);
        (step, what)
    }

    /// The power of a node fails in the middle of what it does.
    pub(super) fn power_failed(&mut self, node: NodeId) {
        let asked = self.fuses.remove(&node).unwrap_or_default();
        asked.iter().for_each(|asked| _ = self.idle.remove(asked));
    }

    /// A link is cut that was up, or was going to be.
    pub(super) fn is_cut(&mut self, link: usize) {
        let asked = self.cuts.remove(&link).unwrap_or_default();
        asked.iter().for_each(|asked| _ = self.idle.remove(asked));
    }

    /// A link is whole again: what no cut of it has blocked until now, none will.
    pub(super) fn is_whole(&mut self, link: usize) {
        self.cuts.remove(&link);
    }

    /// The step whose rates of faults a link has.
    pub(super) fn rates_of(&self, link: usize) -> Option<usize> {
        self.rates.get(&link).copied()
    }

    /// A fault that a step has a link have at a rate took effect.
    pub(super) fn message_is_struck(&mut self, rate: Rate) {
        let asked = self.asked_of_rates.remove(&rate).unwrap_or_default();
        asked.iter().for_each(|asked| _ = self.idle.remove(asked));
    }

    /// These links of a node are like this from now on.
    fn links_become(&mut self, step: usize, name: &str, links: &[usize], link: &Link) {
        links.iter().for_each(|&number| _ = self.rates.insert(number, step));
        for fault in Drawn::OF_MESSAGES.into_iter().filter(|fault| fault.of_link(link) > 0) {
            let key = fault.key().trim_start_matches("link.");
            let asked = self.asks(step, format!("{key} of {name}"), IDLE_RATE);
            for &number in links {
                self.asked_of_rates.entry((number, step, fault)).or_default().push(asked.clone());
            }
        }
    }

    /// When the last message comes that a step has come late.
    pub(super) fn late_until(&self) -> Time {
        self.late_until
    }

    /// What steps asked for beside faults of nodes, and which of that never went wrong; nothing where no step does.
    pub(super) fn count(&self) -> Option<FaultCount> {
        let idle = self.idle.iter().map(|((step, what), why)| (format!("steps[{step}] ({what})"), (*why).to_owned()));
        let effective = self.asked - self.idle.len() as u64;
        (self.asked > 0).then(|| FaultCount { injected: self.asked, effective, idle: idle.collect() })
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
                    if self.is_off(number, node, "edit") {
                        continue;
                    }
                    let intent = self.script.as_mut().map_or(*intent, |script| script.intent(node, *register, *intent));
                    let edit = UserEdit { at: self.now, register: *register, intent, fate: Fate::Binding };
                    self.foresee(node, vec![edit]);
                    self.act(node, |_, _| Ok(()))?;
                }
                Ok(())
            }
            Action::Words { node, register, words } => {
                for node in trial.nodes_named(node) {
                    if !self.is_off(number, node, "edit") {
                        let edits = self.keystrokes(node, *register, words);
                        self.foresee(node, edits);
                        self.act(node, |_, _| Ok(()))?;
                    }
                }
                Ok(())
            }
            Action::Work { node, lasts, workload } => {
                let users = Users::of_step(trial, workload, *lasts, number);
                for node in trial.nodes_named(node) {
                    let mut edits = users.edits(node);
                    for edit in &mut edits {
                        edit.at += self.now;
                        let UserEdit { register, intent, .. } = *edit;
                        edit.intent =
                            self.script.as_mut().map_or(intent, |script| script.intent(node, register, intent));
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
            Action::Message { from, to, number: nth, fate } => {
                if let Some((script, ends)) = self.script.as_mut().zip(trial.node(from).zip(trial.node(to))) {
                    let asked = script.asks(number, format!("{} of {from} to {to}", action.verb()), IDLE_MESSAGE);
                    let line = script.lines.entry(ends).or_default();
                    let nth = line.count(Progress::Sent) + u64::from(*nth);
                    line.fates.entry(nth).or_default().push((asked, *fate));
                }
                Ok(())
            }
            Action::Cut { node, with, lasts } => {
                let (node, with) = (trial.node(node), trial.node(with));
                let links = node.map(|node| &self.devices[node as usize].connections);
                let link = links.and_then(|links| links.iter().find(|(peer, _)| Some(*peer) == with));
                let Some(&(_, link)) = link else { return Ok(()) };
                if let Some(script) = &mut self.script {
                    let asked = script.asks(number, action.verb().into_owned(), IDLE_CUT);
                    script.cuts.entry(link).or_default().push(asked);
                }
                self.plan(self.now + lasts, Planned::Outage(link, false));
                self.happen(Planned::Outage(link, true))
            }
            Action::Fault(_) => {
                let faults = self.script.as_ref().map_or(0..0, |script| script.faults[number].clone());
                faults.into_iter().try_for_each(|fault| self.strike(Fault::Begins(fault)))
            }
            Action::CrashDuring { node, effects } => {
                let verb = action.verb();
                for node in trial.nodes_named(node) {
                    if self.is_off(number, node, "crash") {
                        continue;
                    }
                    if let Some(script) = &mut self.script {
                        let asked = script.asks(number, format!("{verb} of {}", trial.name(node)), IDLE_CRASH);
                        script.fuses.entry(node).or_default().push(asked);
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
                    let links: Vec<usize> =
                        self.devices[node as usize].connections.iter().map(|&(_, link)| link).collect();
                    for &number in &links {
                        self.connections[number].wire.becomes(*link);
                        self.emit(&Event::RateChanged { link: number, bits_per_s: link.bits_per_s });
                    }
                    if let Some(script) = &mut self.script {
                        script.links_become(number, &trial.name(node), &links, link);
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

    /// Whether a device has no power, so that a step cannot be done.
    fn is_off(&mut self, step: usize, node: NodeId, key: &str) -> bool {
        let Device { up, retired, .. } = self.devices[node as usize];
        if !up {
            let why = if retired { "has left for good" } else { "is off: it starts again later" };
            self.unmet(step, key, format!("{} {why}", self.trial.name(node)));
        }
        !up
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

impl World<'_> {
    /// A step has this happen to a message of which these would arrive.
    pub(super) fn suffers_of_step(&mut self, fate: MessageFate, arrivals: &mut [Option<Arrival>; 2]) {
        suffer(fate, arrivals);
        if let (Some(script), MessageFate::Repeat(_) | MessageFate::Delay(_)) = (&mut self.script, fate) {
            let last = arrivals.iter().flatten().map(|arrival| arrival.at).max();
            script.late_until = script.late_until.max(last.unwrap_or(0));
        }
    }
}

/// This happens to a message of which these would arrive.
fn suffer(fate: MessageFate, arrivals: &mut [Option<Arrival>; 2]) {
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
