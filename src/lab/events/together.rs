//! When devices were present, and whether edits were late at devices that were present together with their authors'.
//!
//! A device is present while its user has it connected, its power is on, its process is not frozen, its user is signed in, and
//! it is in no outage of its own. What is down between two devices does not count: that is what a bound on staleness is about. The time of an edit
//! at another device begins when the edit was made and both are present, and begins anew each time that one of the two comes
//! back.

use crate::domain::offline::OfflineTrial;
use crate::domain::over_time::{LateEdit, Lateness};
use crate::engine::host::{NodeId, Time};
use crate::lab::events::{Event, Observer};
use crate::lab::staleness::Staleness;
use crate::scenario::offline::SECOND;

/// After the end of every world.
const NEVER: Time = Time::MAX;

/// Whether a device is present, and when it was.
#[derive(Clone, Debug, Default)]
struct Presence {
    here: bool,
    off: bool,
    unreachable: bool,
    frozen: bool,
    since: Option<Time>,
    /// From when to when.
    spans: Vec<(Time, Time)>,
}

impl Presence {
    fn changed(&mut self, now: Time) {
        let present = self.here && !self.off && !self.unreachable && !self.frozen;
        match (present, self.since) {
            (true, None) => self.since = Some(now),
            (false, Some(since)) => {
                self.spans.push((since, now));
                self.since = None;
            }
            _ => {}
        }
    }
}

/// The presence of all clients.
#[derive(Debug)]
pub struct Together {
    bound: Option<Time>,
    clients: Vec<Presence>,
}

impl Together {
    /// Nobody is present yet.
    pub fn of(trial: &OfflineTrial) -> Self {
        let bound = trial.staleness_s.map(|seconds| seconds * SECOND);
        let clients = if bound.is_some() { trial.clients as usize } else { 0 };
        Together { bound, clients: vec![Presence::default(); clients] }
    }

    fn change(&mut self, node: NodeId, now: Time, change: impl FnOnce(&mut Presence)) {
        if let Some(client) = self.clients.get_mut(node as usize) {
            change(client);
            client.changed(now);
        }
    }

    /// How late edits were, once the world is at its end; nothing where there is no bound, or where nobody knows who had
    /// which edit.
    pub fn lateness(&self, staleness: &Staleness, name: impl Fn(NodeId) -> String) -> Option<Lateness> {
        let bound = self.bound?;
        let mut lateness = Lateness { bound, unreported: !staleness.holdings.are_known(), ..Lateness::default() };
        if lateness.unreported {
            return Some(lateness);
        }
        let mut worst: Option<(Time, LateEdit)> = None;
        for author in 0..self.clients.len() {
            for device in (0..self.clients.len()).filter(|&device| device != author) {
                let both = overlaps(&self.clients[author].spans, &self.clients[device].spans);
                for (made, arrived) in staleness.times(author as NodeId, device as NodeId)? {
                    let spans = both.iter().filter(|&&(from, until)| from < arrived && until > made);
                    let waits = spans.map(|&(from, until)| (from.max(made), until));
                    let longest = waits.clone().map(|(from, until)| until.saturating_sub(from)).max().unwrap_or(0);
                    lateness.judged += u64::from(longest > bound);
                    let lacked = |(from, until): (Time, Time)| (until.min(arrived).saturating_sub(from), from);
                    let Some((waited, since)) = waits.map(lacked).max().filter(|&(waited, _)| waited > bound) else {
                        continue;
                    };
                    lateness.late += 1;
                    if worst.as_ref().is_none_or(|(most, _)| waited > *most) {
                        let for_ever = since.saturating_add(waited) == NEVER;
                        let [author, device] = [author, device].map(|node| name(node as NodeId));
                        let late = LateEdit { author, device, since, waited: (!for_ever).then_some(waited) };
                        worst = Some((waited, late));
                    }
                }
            }
        }
        lateness.worst = worst.map(|(_, late)| late);
        Some(lateness)
    }
}

/// When both were present.
fn overlaps(one: &[(Time, Time)], other: &[(Time, Time)]) -> Vec<(Time, Time)> {
    let (mut overlaps, mut places) = (Vec::new(), (0, 0));
    while let (Some(one_span), Some(other_span)) = (one.get(places.0), other.get(places.1)) {
        let (from, until) = (one_span.0.max(other_span.0), one_span.1.min(other_span.1));
        if from < until {
            overlaps.push((from, until));
        }
        if one_span.1 <= other_span.1 { places.0 += 1 } else { places.1 += 1 }
    }
    overlaps
}

impl Observer for Together {
    fn sees(&mut self, now: Time, event: &Event<'_>) {
        match *event {
            Event::Presence { client, here } => self.change(client, now, |client| client.here = here),
            Event::Reachable { node, reachable } => self.change(node, now, |client| client.unreachable = !reachable),
            Event::Frozen { node, frozen } => self.change(node, now, |client| client.frozen = frozen),
            Event::Stopped { node } => self.change(node, now, |client| client.off = true),
            Event::Started { node, .. } => self.change(node, now, |client| client.off = false),
            Event::FaultsOver => {
                (0..self.clients.len() as NodeId)
                    .for_each(|client| self.change(client, now, |client| client.here = true));
            }
            Event::Ended { quiescent, .. } => {
                // Nothing happens any more: whoever is present stays so for ever.
                let end = if quiescent { NEVER } else { now };
                for client in &mut self.clients {
                    client.spans.extend(client.since.take().map(|since| (since, end)));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_are_together_where_their_times_overlap() {
        let (one, other) = ([(0, 10), (20, 30), (40, 50)], [(5, 25), (26, 27), (50, 60)]);
        assert_eq!(overlaps(&one, &other), [(5, 10), (20, 25), (26, 27)]);
        assert_eq!(overlaps(&other, &one), [(5, 10), (20, 25), (26, 27)]);
    }
}
