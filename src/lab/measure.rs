//! What is measured in a world: every measure is an observer of its events.

use std::cell::OnceCell;

use crate::domain::offline::OfflineTrial;
use crate::domain::over_time::{self, OverTime};
use crate::domain::traffic::Traffic;
use crate::engine::host::{NodeId, Time};
use crate::engine::port::Reception;
use crate::lab::convergence::OfWorld;
use crate::lab::events::bytes::Bytes;
use crate::lab::events::holders::{FirstFrozen, FirstHolders};
use crate::lab::events::line::Line;
use crate::lab::events::load::Load;
use crate::lab::events::metadata::Metadata;
use crate::lab::events::named::Named;
use crate::lab::events::service::Service;
use crate::lab::events::spending::Spending;
use crate::lab::events::together::Together;
use crate::lab::events::views::Views;
use crate::lab::events::{Event, Observer};
use crate::lab::outbox::Outbox;
use crate::lab::reach::Reach;
use crate::lab::staleness::Staleness;

/// The measures of a world.
pub struct Measures {
    /// Messages that arrived.
    pub deliveries: u64,
    /// Of these, damaged.
    pub damaged: u64,
    /// Bytes that all nodes keep durably in the end.
    pub stored: u64,
    /// Bytes by what they are for.
    pub bytes: Bytes,
    /// The same bytes, as the lines carried them.
    pub line: Line,
    /// What was carried when, in a world in which that is asked for.
    pub service: Service,
    /// How long edits took to come to other clients, and which never did.
    pub staleness: Staleness,
    /// By node, what may have reached it; in worlds where edits mean what is shown.
    pub(super) reach: Reach,
    /// The world's time to convergence.
    pub(super) convergence: OfWorld,
    /// What devices told of what waits to be sent.
    pub(super) outbox: Outbox,
    metadata: Metadata,
    load: Load,
    spending: Spending,
    holders: FirstHolders,
    frozen: FirstFrozen,
    named: Named,
    together: Together,
    /// What replicas show, in a world whose amounts are made for that.
    views: Option<Views>,
}

impl Measures {
    /// Nothing yet.
    pub fn of(trial: &OfflineTrial, reports: bool) -> Self {
        Measures {
            deliveries: 0,
            damaged: 0,
            stored: 0,
            bytes: Bytes::of(trial.clients),
            line: Line::of(trial.clients),
            service: Service::default(),
            staleness: Staleness::of(trial, reports),
            reach: Reach::of(trial),
            convergence: OfWorld::default(),
            outbox: Outbox::of(trial),
            metadata: Metadata::of(trial),
            load: Load::of(trial),
            spending: Spending::of(trial),
            holders: FirstHolders::of(trial),
            frozen: FirstFrozen::of(trial),
            named: Named::of(trial),
            together: Together::of(trial),
            views: None,
        }
    }

    pub(super) fn watch(&mut self, client: NodeId) {
        self.bytes.watch(client);
    }

    /// Keeps what is carried between these times.
    pub(super) fn serve(&mut self, clients: u32, marks: &[Time]) {
        self.service = Service::of(clients, marks);
    }

    /// Follows what replicas show.
    pub(super) fn follow(&mut self, views: Views) {
        self.views = Some(views);
    }

    /// What was seen over time, once the world is at its end.
    pub(super) fn over_time(&self, name: impl Fn(NodeId) -> String) -> OverTime {
        OverTime {
            running: None,
            unshown: self.views.as_ref().map(|views| views.unshown().clone()),
            lateness: self.together.lateness(&self.staleness, &name),
            load: self.load.seen(&name),
            outbox: self.outbox.seen(&name),
            spending: self.spending.seen(&name),
            holders: self.holders.in_world(&name),
            frozen: self.frozen.in_world(&name),
            named: self.named.seen(),
            metadata: self.metadata.parts(),
        }
    }

    /// Bytes and edits in equal parts of the world's time until faults are over.
    pub fn parts(&self) -> Vec<over_time::Metadata> {
        self.metadata.parts()
    }

    /// Bytes that clients sent, and that were sent to them by others than clients: no byte is in both.
    pub fn client_traffic(&self) -> (Traffic, Traffic) {
        (self.bytes.up, self.bytes.down)
    }

    /// The world's time to convergence, in milliseconds, once the world is at its end; nothing if its replicas do not agree.
    pub fn converged_ms(&self) -> Option<u64> {
        self.convergence.after_faults().map(|after| after / 1000)
    }
}

impl Observer for Measures {
    fn sees(&mut self, now: Time, event: &Event<'_>) {
        let views = OnceCell::new();
        let event = &event.sharing(&views);
        match event {
            Event::Arrived { .. } => self.deliveries += 1,
            Event::Received { reception: Reception::Damaged, .. } => self.damaged += 1,
            _ => {}
        }
        self.bytes.sees(now, event);
        self.line.sees(now, event);
        self.service.sees(now, event);
        self.staleness.sees(now, event);
        self.reach.sees(now, event);
        self.convergence.sees(now, event);
        self.outbox.sees(now, event);
        self.metadata.sees(now, event);
        self.load.sees(now, event);
        self.spending.sees(now, event, &self.staleness.holdings);
        self.holders.sees(now, event);
        self.frozen.sees(now, event);
        self.named.sees(now, event);
        self.together.sees(now, event);
        if let Some(views) = &mut self.views {
            views.sees(now, event, (&self.staleness.holdings, &self.reach));
        }
    }
}
