//! How long an edit takes to come to every other client, and which edits never come. When the last replica has one,
//! [`super::convergence`] is told.
//!
//! Knows: what [`super::holdings`] tells of who has which edit. Must not: judge.

use hdrhistogram::Histogram;

use crate::data;
use crate::domain::offline::OfflineTrial;
use crate::engine::host::{NodeId, Time};
use crate::lab::convergence::{self, OfEdits};
use crate::lab::events::{Event, Observer};
use crate::lab::holdings::{Holdings, Shown};

/// When what never came came.
const NEVER: Time = Time::MAX;

/// Staleness in a world.
pub struct Staleness {
    /// For every edit and every other client that came to have it, how long that took; in milliseconds.
    pub histogram: Histogram<u64>,
    /// How long edits took to come to all replicas.
    pub convergence: OfEdits,
    /// Who has which edit.
    pub(super) holdings: Holdings,
    clients: u32,
    /// By client, when each edit was made.
    made_at: Vec<Vec<Time>>,
    /// By client and author, when each edit came, where the scenario sets a bound on that.
    arrivals: Vec<Vec<Vec<Time>>>,
}

impl Staleness {
    /// Nothing yet; nothing ever in a world of too many clients, or of an engine that does not report what its nodes take.
    pub(super) fn of(trial: &OfflineTrial, reports: bool) -> Self {
        let holdings = Holdings::of(trial, reports);
        let clients = if holdings.are_known() { trial.clients as usize } else { 0 };
        let bounded = if trial.staleness_s.is_some() { clients } else { 0 };
        Staleness {
            histogram: convergence::empty(),
            convergence: OfEdits::none(),
            holdings,
            clients: trial.clients,
            made_at: vec![Vec::new(); clients],
            arrivals: vec![vec![Vec::new(); clients]; bounded],
        }
    }

    /// For every edit that its user saw accepted, and every other client: those that never came to have it. Nothing where
    /// it was not measured.
    pub fn undelivered(&self) -> Option<u64> {
        Some(self.shown()? * u64::from(self.clients - 1) - self.histogram.len())
    }

    /// Edits that their users saw accepted, and that some replica never came to have. Nothing where it was not measured.
    pub fn unconverged(&self) -> Option<u64> {
        Some(self.shown()? - self.convergence.histogram.len())
    }

    /// When each edit of an author was made, and when it came to another client: at the end of all time if it never did.
    /// Without those that nobody waits for. Nothing where that was not measured.
    pub(super) fn times(&self, author: NodeId, client: NodeId) -> Option<impl Iterator<Item = (Time, Time)>> {
        let arrivals = &self.arrivals.get(client as usize)?[author as usize];
        let edits = (0..).zip(&self.made_at[author as usize]);
        let waited = edits.filter(move |&(edit, _)| self.holdings.is_waited_for(author, edit));
        Some(waited.map(|(edit, &at)| (at, arrivals.get(edit as usize).copied().unwrap_or(NEVER))))
    }

    fn shown(&self) -> Option<u64> {
        self.holdings.are_known().then(|| self.holdings.accepted())
    }

    /// How old an edit is now, in milliseconds, if it is waited for.
    fn age(&self, client: NodeId, edit: u32, now: Time) -> Option<u64> {
        let at = self.made_at[client as usize][edit as usize];
        self.holdings.is_waited_for(client, edit).then(|| now.saturating_sub(at) / 1000)
    }

    /// A node shows edits that it had not shown before.
    fn shows(&mut self, Shown { node, stretch, edits }: Shown, now: Time) {
        let author = self.holdings.device(stretch);
        if let Some(arrivals) = self.arrivals.get_mut(node as usize) {
            let arrivals = &mut arrivals[author as usize];
            arrivals.resize(arrivals.len().max(edits.end as usize), NEVER);
            arrivals[edits.start as usize..edits.end as usize].fill(now);
        }
        if node < self.clients {
            for edit in edits.clone() {
                if let Some(age) = self.age(author, edit, now) {
                    self.histogram.record(age).expect("it grows as it must");
                }
            }
        }
        if self.convergence.waits_for(stretch, edits.start) {
            let everywhere = self.holdings.shown_everywhere(stretch);
            for edit in self.convergence.reached(stretch, edits.start, everywhere) {
                if let Some(age) = self.age(author, edit, now) {
                    self.convergence.histogram.record(age).expect("it grows as it must");
                }
            }
        }
    }
}

impl Observer for Staleness {
    fn sees(&mut self, now: Time, event: &Event<'_>) {
        let mut accepted = None;
        if let Event::Edited { client, edit, accepted: id, sighting, .. } = *event {
            // What changes nothing need not be told.
            accepted = id.filter(|_| data::was_meant(sighting, edit.intent));
            self.made_at.get_mut(client as usize).into_iter().for_each(|times| times.push(edit.at));
        }
        self.holdings.sees(event, accepted);
        for shown in self.holdings.news() {
            self.shows(shown, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Intent;
    use crate::domain::history::{Fate, UserEdit};
    use crate::domain::offline::Presence;
    use crate::engine;
    use crate::engine::host::OpId;
    use crate::engine::port::Reception;
    use crate::engine::vector::Actor;
    use crate::lab::tests::trial;
    use crate::lab::{World, settings};
    use crate::scenario::offline::SECOND;

    fn edited(staleness: &mut Staleness, client: NodeId, at: Time) {
        let edit = UserEdit { at, register: 0, intent: Intent::Increase(1), fate: Fate::Binding };
        let accepted = Some(OpId { actor: Actor { client, incarnation: 1 }, sequence: 1 });
        let (number, made_at, sighting, shows) = (0, at, None, None);
        staleness.sees(at, &Event::Edited { client, number, edit: &edit, made_at, accepted, sighting, shows });
    }

    /// A node's power fails over a message that tells all these edits by stretch: it counts as shown.
    fn shows(staleness: &mut Staleness, to: NodeId, edits: &[u32], now: Time) {
        let (carries, reception) = (edits.to_vec().into(), Reception::Taken);
        staleness
            .sees(now, &Event::Received { from: 0, to, made: 0, reception, carries: Some(&carries), replica: None });
    }

    #[test]
    fn what_comes_again_after_the_loss_of_a_store_counts_no_second_time_and_what_was_lost_does_not_come_with_it() {
        let mut staleness = Staleness::of(&trial(1), true);
        edited(&mut staleness, 0, 0);
        shows(&mut staleness, 1, &[1], 1_000_000);
        staleness.sees(2_000_000, &Event::StoreLost { node: 1 });
        shows(&mut staleness, 1, &[1], 9_000_000);
        assert_eq!((staleness.histogram.len(), staleness.histogram.max() / 10), (1, 100));
        staleness.sees(10_000_000, &Event::StoreLost { node: 0 });
        edited(&mut staleness, 0, 10_000_000);
        // Stretch 4 begins with client 1's loss, and has nothing yet; stretch 5 with client 0's.
        shows(&mut staleness, 2, &[0, 0, 0, 0, 0, 2], 12_000_000);
        assert_eq!((staleness.histogram.len(), staleness.histogram.max() / 10), (2, 200));
        assert_eq!(staleness.undelivered(), Some(4));
        shows(&mut staleness, 2, &[1], 20_000_000);
        assert_eq!((staleness.histogram.len(), staleness.histogram.max() / 10), (3, 2001), "the first came at last");
    }

    #[test]
    fn an_edit_comes_once_and_one_that_never_came_comes_at_the_end_of_all_time() {
        let mut staleness =
            Staleness::of(&crate::domain::offline::OfflineTrial { staleness_s: Some(1), ..trial(1) }, true);
        edited(&mut staleness, 0, 1);
        staleness.sees(2, &Event::StoreLost { node: 0 });
        edited(&mut staleness, 0, 3);
        edited(&mut staleness, 0, 4);
        shows(&mut staleness, 1, &[0, 0, 0, 0, 2], 5);
        let times = |staleness: &Staleness| staleness.times(0, 1).expect("there is a bound").collect::<Vec<_>>();
        assert_eq!(times(&staleness), [(1, NEVER), (3, 5), (4, NEVER)]);
        shows(&mut staleness, 1, &[1, 0, 0, 0, 3], 6);
        assert_eq!(times(&staleness), [(1, 6), (3, 5), (4, 6)]);
    }

    #[test]
    fn an_edit_converges_once_and_with_the_last_of_all_replicas_be_it_the_hub_that_lost_another() {
        let mut staleness = Staleness::of(&trial(1), true);
        (1..=2).for_each(|sequence| edited(&mut staleness, 0, sequence * 1_000_000));
        let told = |staleness: &Staleness| (staleness.convergence.histogram.len(), staleness.unconverged());
        shows(&mut staleness, 4, &[1], 2_000_000);
        (1..4).for_each(|client| shows(&mut staleness, client, &[2], 5_000_000));
        assert_eq!(told(&staleness), (1, Some(1)), "the hub lacks the second");
        staleness.sees(6_000_000, &Event::StoreLost { node: 4 });
        shows(&mut staleness, 4, &[1], 7_000_000);
        assert_eq!(told(&staleness), (1, Some(1)), "the first came again");
        shows(&mut staleness, 4, &[2], 9_000_000);
        assert_eq!(told(&staleness), (2, Some(0)));
        let histogram = &staleness.convergence.histogram;
        assert_eq!((histogram.min() / 10, histogram.max() / 10), (400, 700));
    }

    #[test]
    fn what_an_author_makes_after_the_loss_of_its_store_converges_though_what_it_lost_never_does() {
        let mut staleness = Staleness::of(&trial(1), true);
        edited(&mut staleness, 0, 0);
        staleness.sees(1, &Event::StoreLost { node: 0 });
        edited(&mut staleness, 0, 1_000_000);
        (1..=4).for_each(|node| shows(&mut staleness, node, &[0, 0, 0, 0, 2], 3_000_000));
        assert_eq!((staleness.convergence.histogram.len(), staleness.unconverged()), (1, Some(1)));
        assert_eq!(staleness.convergence.histogram.max() / 10, 200);
    }

    #[test]
    fn an_edit_that_is_lost_with_its_device_is_undelivered_and_stands_in_no_other_ones_way() {
        let mut staleness = Staleness::of(&trial(1), true);
        (1..=3).for_each(|_| edited(&mut staleness, 0, 0));
        shows(&mut staleness, 4, &[1], 1_000_000);
        // The hub has the first, and nobody the second.
        staleness.sees(1_000_000, &Event::EditLost { client: 0, number: 1, fate: Fate::Unshared });
        (1..4).for_each(|client| shows(&mut staleness, client, &[3], 1_000_000));
        assert_eq!((staleness.histogram.len(), staleness.undelivered()), (6, Some(3)));
        shows(&mut staleness, 4, &[3], 1_000_000);
        assert_eq!((staleness.convergence.histogram.len(), staleness.unconverged()), (2, Some(1)));
    }

    #[test]
    fn an_edit_is_as_old_as_it_is_though_its_device_was_alone_until_long_after_it() {
        let mut apart = trial(1);
        apart.presence = Presence { lasts_s: 1000, away_s: (1 << 30, 1 << 30), here_s: (1, 1) };
        let edit = UserEdit { at: 10 * SECOND, register: 3, intent: Intent::Increase(1), fate: Fate::Binding };
        for name in ["delta-summary", "lww-arrival", "reconciliation"] {
            let found = engine::find(name).expect("an engine");
            let world = World::new(&apart, found, &settings(&apart, None)).expect("a world");
            let users = vec![vec![edit], Vec::new(), Vec::new(), Vec::new()];
            let outcome = world.with_users(users).run(&mut crate::domain::watch::Unwatched).expect("it ends");
            let staleness = outcome.measures.staleness;
            assert_eq!((staleness.histogram.len(), staleness.undelivered()), (3, Some(0)), "{name}");
            // Everyone is connected after 1000 s.
            let (least, most) = (staleness.histogram.min(), staleness.histogram.max());
            assert!((989_000..996_000).contains(&least) && most < 996_000, "{name}: {least} to {most} ms");
        }
    }

    #[test]
    fn in_a_quiescent_world_an_edit_is_as_stale_as_the_ways_to_the_hub_and_on_take() {
        let mut quiescent = trial(1);
        (quiescent.presence, quiescent.workload.ticks) =
            (Presence { lasts_s: 1000, away_s: (0, 0), here_s: (1000, 1000) }, 2);
        for name in ["delta-summary", "lww-arrival", "reconciliation"] {
            let found = engine::find(name).expect("an engine");
            let world = World::new(&quiescent, found, &settings(&quiescent, None)).expect("a world");
            let outcome = world.run(&mut crate::domain::watch::Unwatched).expect("it ends");
            let staleness = &outcome.measures.staleness;
            // 4 clients with 6 edits each, of which 3 others hear; each waits for more for a second here and at the hub,
            // and travels for 20 ms twice.
            assert_eq!((staleness.histogram.len(), staleness.undelivered()), (72, Some(0)), "{name}");
            let (least, most) = (staleness.histogram.min(), staleness.histogram.max());
            assert!((1000..2100).contains(&least) && (2000..2200).contains(&most), "{name}: {least} to {most}");
        }
    }
}
