//! What the hub has to bear in its busiest second, and how long devices wait that are refused.
//!
//! A second is any second: it ends with each attempt or message. Messages count when they arrive at the hub, and when it
//! sends them. A refused device waits before it tries again: its nominal backoff is the time before a first retry, doubled
//! with every further refusal in a row, up to the longest time between retries. When a connection comes up, its ends begin
//! anew: that it was down was the doing of a user, of the network or of a crash.
//!
//! A message that its receiver sends back is an attempt that was refused. One such message for each message that came from the
//! receiver is no attempt: who is spoken to may answer at once. Messages that were on their way before the device
//! could know of a refusal belong to the same attempt. Where a link or a step delays or repeats messages, or a step changes a
//! link, nobody can tell those apart, and gaps are not judged.

use std::collections::{BTreeMap, VecDeque};

use crate::domain::offline::{Link, OfflineTrial};
use crate::domain::over_time::{self, Peak};
use crate::domain::script::{Action, MessageFate};
use crate::engine::host::{NodeId, Time};
use crate::lab::events::{Event, Observer};
use crate::lab::settings;
use crate::scenario::offline::SECOND;

/// What happened in the last second.
#[derive(Debug, Default)]
struct Second {
    recent: VecDeque<(Time, u64)>,
    amount: u64,
}

impl Second {
    /// This much happens now: gives how often something happened in this second, and how much in all.
    fn adds(&mut self, now: Time, amount: u64) -> [u64; 2] {
        while let Some(&(at, gone)) = self.recent.front().filter(|(at, _)| at + SECOND <= now) {
            debug_assert!(at <= now);
            self.recent.pop_front();
            self.amount -= gone;
        }
        self.recent.push_back((now, amount));
        self.amount += amount;
        [self.recent.len() as u64, self.amount]
    }
}

/// A device that is refused, over a connection that was up ever since.
#[derive(Clone, Copy, Debug)]
struct Refused {
    /// How often in a row; never yet where it has connected, and nobody has answered.
    times: u32,
    /// When it was refused last, or connected.
    last: Time,
    /// Whether its receiver refuses changes alone: what else it sends, and is taken, changes nothing then.
    changes_alone: bool,
    /// Messages that came from its receiver since it was refused last, and may be answered.
    to_answer: u32,
}

/// The hub's load.
#[derive(Debug)]
pub struct Load {
    hub: Option<NodeId>,
    retry_after: Time,
    retry_at_most: Time,
    /// The time there and back, within which refusals belong to one attempt; nothing where messages come at random times.
    round_trip: Option<Time>,
    attempts: Second,
    messages: Second,
    refused: BTreeMap<(NodeId, NodeId), Refused>,
    seen: over_time::Load,
    hasty: Option<(NodeId, Time, Time)>,
}

fn peak(peak: &mut Peak, now: Time, much: u64) {
    if much > peak.most {
        (peak.most, peak.at) = (much, now);
    }
}

impl Load {
    /// None yet.
    pub fn of(trial: &OfflineTrial) -> Self {
        let told = settings(trial, None)(0);
        let by_chance = |link: &Link| link.jitter_ms > 0 || link.repeated_per_mille + link.reordered_per_mille > 0;
        // A step may do that to one message, or make another link that does.
        let of_steps = trial.steps.iter().any(|step| match &step.action {
            Action::Message { fate, .. } => matches!(fate, MessageFate::Repeat(_) | MessageFate::Delay(_)),
            Action::Link { link, .. } => *link != trial.link,
            _ => false,
        });
        let mut seen = over_time::Load::default();
        (seen.attempts.bound, seen.messages.bound) = (trial.load.attempts, trial.load.messages);
        seen.bytes.bound = trial.load.bytes;
        Load {
            hub: trial.hub.then_some(trial.clients),
            retry_after: told.retry_after,
            retry_at_most: told.retry_at_most,
            round_trip: (!by_chance(&trial.link) && !of_steps).then_some(2 * trial.link.latency_ms * 1000),
            attempts: Second::default(),
            messages: Second::default(),
            refused: BTreeMap::new(),
            seen,
            hasty: None,
        }
    }

    /// What was seen; nothing without a hub and without anybody who was refused.
    pub fn seen(&self, name: impl Fn(NodeId) -> String) -> Option<over_time::Load> {
        let first_hasty = self.hasty.map(|(node, waited, nominal)| (name(node), waited, nominal));
        let seen = self.hub.is_some() || self.seen.gaps > 0;
        seen.then(|| over_time::Load { first_hasty, ..self.seen.clone() })
    }

    fn message(&mut self, now: Time, bytes: usize) {
        let [messages, bytes] = self.messages.adds(now, bytes as u64);
        peak(&mut self.seen.messages, now, messages);
        peak(&mut self.seen.bytes, now, bytes);
    }

    /// A device tries.
    fn attempt(&mut self, to: NodeId, now: Time) {
        if Some(to) == self.hub {
            let [attempts, _] = self.attempts.adds(now, 1);
            peak(&mut self.seen.attempts, now, attempts);
        }
    }

    /// A connection comes up: both ends begin anew.
    fn connected(&mut self, from: NodeId, to: NodeId, now: Time) {
        self.attempt(to, now);
        self.refused.remove(&(to, from));
        self.refused.insert((from, to), Refused { times: 0, last: now, changes_alone: false, to_answer: 0 });
    }

    /// An attempt is refused.
    fn refused(&mut self, from: NodeId, to: NodeId, changes_alone: bool, now: Time) {
        let times = match self.refused.get(&(from, to)).copied() {
            // What a device says first when it connects is the attempt that was counted when it did.
            Some(Refused { times: 0, last, .. }) if now - last <= self.retry_after => 0,
            Some(Refused { times, last, .. }) if times > 0 => {
                self.attempt(to, now);
                self.waited(from, now - last, times);
                times
            }
            _ => {
                self.attempt(to, now);
                0
            }
        };
        self.refused.insert((from, to), Refused { times: times + 1, last: now, changes_alone, to_answer: 0 });
    }

    /// A device that was refused so many times in a row has waited before it tried again.
    fn waited(&mut self, from: NodeId, waited: Time, times: u32) {
        let doubled = 1u64.checked_shl(times - 1).map_or(Time::MAX, |times| self.retry_after.saturating_mul(times));
        let nominal = doubled.min(self.retry_at_most);
        self.seen.gaps += 1;
        if waited < nominal / 2 {
            self.seen.hasty += 1;
            self.hasty.get_or_insert((from, waited, nominal));
        }
    }

    /// A message is sent back.
    fn sent_back(&mut self, from: NodeId, to: NodeId, changes_alone: bool, now: Time) {
        let Some(round_trip) = self.round_trip else { return };
        if let Some(before) =
            self.refused.get_mut(&(from, to)).filter(|before| before.times > 0 && before.to_answer > 0)
        {
            before.to_answer -= 1;
            return;
        }
        let before = self.refused.get(&(from, to));
        if before.is_none_or(|before| before.times == 0 || now > before.last + round_trip) {
            self.refused(from, to, changes_alone, now);
        }
    }

    /// A message is taken: its sender is refused no more.
    fn taken(&mut self, from: NodeId, to: NodeId, has_edits: bool) {
        if self.refused.get(&(from, to)).is_some_and(|refused| has_edits || !refused.changes_alone) {
            self.refused.remove(&(from, to));
        }
        if let Some(refused) = self.refused.get_mut(&(to, from)) {
            refused.to_answer += 1;
        }
    }
}

impl Observer for Load {
    fn sees(&mut self, now: Time, event: &Event<'_>) {
        if let Event::Arrived { from, to, has_edits, .. } = *event {
            self.taken(from, to, has_edits);
        }
        match *event {
            Event::Sent { from: end, bytes, .. } | Event::Arrived { to: end, bytes, .. } if Some(end) == self.hub => {
                self.message(now, bytes);
            }
            Event::ConnectionUp { from, to, .. } => self.connected(from, to, now),
            Event::Refused { from, to, changes_alone } => self.sent_back(from, to, changes_alone, now),
            Event::FaultsOver => self.refused.clear(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::tests::trial;

    fn of_a_hub() -> (Load, NodeId) {
        let link = Link { jitter_ms: 0, repeated_per_mille: 0, reordered_per_mille: 0, ..trial(1).link };
        let load = Load::of(&OfflineTrial { hub: true, link, ..trial(1) });
        let hub = load.hub.expect("a hub");
        (load, hub)
    }

    fn told(load: &Load) -> over_time::Load {
        load.seen(|node| format!("client {node}")).expect("there is a hub")
    }

    /// Client 0 is refused by a node that does not listen.
    fn refusal(to: NodeId) -> Event<'static> {
        Event::Refused { from: 0, to, changes_alone: false }
    }

    #[test]
    fn the_busiest_second_is_any_second() {
        let (mut load, to) = of_a_hub();
        let at = [0, 900_000, 1_000_000, 1_800_000, 1_950_000];
        at.into_iter().for_each(|at| load.sees(at, &Event::ConnectionUp { link: 0, from: 0, to }));
        assert_eq!((told(&load).attempts.most, told(&load).attempts.at), (3, 1_800_000));
    }

    #[test]
    fn who_connects_and_is_refused_has_tried_once() {
        let (mut load, to) = of_a_hub();
        load.sees(0, &Event::ConnectionUp { link: 0, from: 0, to });
        load.sees(10, &refusal(to));
        assert_eq!((told(&load).attempts.most, told(&load).gaps), (1, 0));
        load.sees(900_000, &refusal(to));
        assert_eq!((told(&load).attempts.most, told(&load).gaps), (2, 1));
        // Who says nothing for an hour and is refused then tries once more.
        let (mut load, to) = of_a_hub();
        load.sees(0, &Event::ConnectionUp { link: 0, from: 0, to });
        (0..3).for_each(|_| load.sees(3600 * SECOND, &refusal(to)));
        assert_eq!((told(&load).attempts.most, told(&load).attempts.at), (1, 0));
        load.sees(3600 * SECOND, &Event::ConnectionUp { link: 0, from: 1, to });
        assert_eq!((told(&load).attempts.most, told(&load).attempts.at), (2, 3600 * SECOND));
    }

    #[test]
    fn where_changes_alone_are_refused_another_message_that_is_taken_does_not_begin_the_backoff_anew() {
        let of = |changes_alone, has_edits| {
            let (mut load, to) = of_a_hub();
            let after = load.retry_after;
            for at in [0, after / 4, after / 2] {
                load.sees(at, &Event::Refused { from: 0, to, changes_alone });
                load.sees(at + 1, &Event::Arrived { from: 0, to, bytes: 9, has_edits });
            }
            (told(&load).gaps, told(&load).hasty)
        };
        assert_eq!(of(true, false), (2, 2));
        assert_eq!([of(true, true), of(false, false)], [(0, 0); 2]);
    }

    #[test]
    fn who_is_refused_waits_for_half_of_its_backoff_at_least_and_for_longer_each_time() {
        let after = of_a_hub().0.retry_after;
        let tries = |gaps: &[Time]| {
            let (mut load, to) = of_a_hub();
            let mut at = 0;
            load.sees(at, &refusal(to));
            gaps.iter().for_each(|gap| {
                at += gap;
                load.sees(at, &refusal(to));
            });
            (told(&load).gaps, told(&load).hasty)
        };
        assert_eq!(tries(&[after / 2, after, 2 * after]), (3, 0));
        assert_eq!(tries(&[after / 2, after - 1, 2 * after]), (3, 1));
        assert_eq!(tries(&[after; 5]), (5, 3), "it does not wait for longer");
        // Far beyond the longest time, nothing doubles any more.
        assert_eq!(tries(&[400 * SECOND; 200]), (200, 0));
    }

    #[test]
    fn who_is_spoken_to_by_a_device_that_refuses_messages_may_answer_each_of_its_messages_once() {
        let ((mut load, to), after) = (of_a_hub(), of_a_hub().0.retry_after);
        load.sees(0, &refusal(to));
        load.sees(10, &Event::Arrived { from: to, to: 0, bytes: 9, has_edits: true });
        load.sees(after / 4, &refusal(to));
        assert_eq!((told(&load).gaps, told(&load).hasty), (0, 0));
        load.sees(after / 3, &refusal(to));
        assert_eq!((told(&load).gaps, told(&load).hasty), (1, 1));
        // The backoff goes on from the attempt, and not from the answer.
        let (mut load, _) = of_a_hub();
        load.sees(0, &refusal(to));
        load.sees(10, &Event::Arrived { from: to, to: 0, bytes: 9, has_edits: true });
        load.sees(after / 4, &refusal(to));
        load.sees(after / 2, &refusal(to));
        assert_eq!((told(&load).gaps, told(&load).hasty), (1, 0));
    }

    #[test]
    fn a_connection_that_comes_up_begins_a_new_backoff_of_both_its_ends() {
        for (from, to) in [(0, 1), (1, 0)] {
            let (mut load, after) = (of_a_hub().0, of_a_hub().0.retry_after);
            let mut refused = |at| load.sees(at, &refusal(1));
            [0, after, 3 * after].into_iter().for_each(&mut refused);
            load.sees(4 * after, &Event::ConnectionUp { link: 0, from, to });
            let mut refused = |at| load.sees(at, &refusal(1));
            [4 * after, 5 * after].into_iter().for_each(&mut refused);
            // Between the first three attempts, and between the last two.
            assert_eq!((told(&load).gaps, told(&load).hasty), (3, 0));
        }
    }
}
