//! What happened in a world. Every step is an [`Event`], and whatever is measured or judged over time is a fold over the
//! events: an [`Observer`].
//!
//! Events are handed over by reference, and cost nothing where nobody looks. No observer asks an engine, but for what an
//! engine may tell with an event: the ids and the positions of what it has.
//!
//! Knows: what a step is. Must not: change a world, or judge.

pub mod bytes;
pub mod holders;
pub mod line;
pub mod load;
pub mod metadata;
pub mod named;
pub mod service;
pub mod spending;
pub mod together;
pub mod views;

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::domain::data::View;
use crate::domain::history::{Fate, Sighting, UserEdit};
use crate::domain::traffic::Traffic;
use crate::engine::host::{NodeId, OpId, Time};
use crate::engine::port::{Engine, Position, Reached, Reception};
use crate::lab::holdings::Knowledge;

/// One step of a world.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A link joins two nodes. Links have numbers, from 0, in this order.
    Linked {
        /// The two nodes.
        ends: [NodeId; 2],
        /// What it carries, in bits a second.
        bits_per_s: u64,
    },
    /// A link carries more or less from now on.
    RateChanged {
        /// The link's number.
        link: usize,
        /// What it carries, in bits a second.
        bits_per_s: u64,
    },
    /// A link's connection is up.
    ConnectionUp {
        /// The link's number.
        link: usize,
        /// Who connects.
        from: NodeId,
        /// To whom.
        to: NodeId,
    },
    /// A link's connection is down.
    ConnectionDown {
        /// The link's number.
        link: usize,
    },
    /// A user connects its device, or disconnects it.
    Presence {
        /// Whose device.
        client: NodeId,
        /// Whether it is connected now, as far as its user is concerned.
        here: bool,
    },
    /// A node is kept from all others, by an outage of its own or since its user is not signed in; or it is no longer.
    Reachable {
        /// The node.
        node: NodeId,
        /// Whether it can be reached.
        reachable: bool,
    },
    /// A process is frozen, or goes on.
    Frozen {
        /// The node.
        node: NodeId,
        /// Whether it is frozen.
        frozen: bool,
    },
    /// A user edits.
    Edited {
        /// Whose device.
        client: NodeId,
        /// Its number among the edits of this client.
        number: usize,
        /// The edit, with its time.
        edit: &'a UserEdit,
        /// When it was made, in true time: later than its user wanted where its process was frozen, or its engine took time.
        made_at: Time,
        /// The edit's id, if the user saw it accepted; nothing if a crash came before.
        accepted: Option<OpId>,
        /// What its user had seen; of an edit that means what is shown.
        sighting: Option<&'a Sighting>,
        /// The replica as its user sees the edit accepted, where a crash may come before the device has done what it is doing.
        shows: Option<Replica<'a>>,
    },
    /// A user's edit is refused, and the user is told: it is not in the ledger, and must not count.
    EditRefused {
        /// Whose device.
        client: NodeId,
        /// What the user wanted.
        edit: &'a UserEdit,
        /// When, in true time.
        at: Time,
        /// What the replica showed of a stock then, where the engine's own rule refuses it; nothing where its store or its
        /// role does.
        by_rule: Option<i64>,
    },
    /// A message comes back to its sender: its receiver does not listen, takes no changes now, or takes
    /// nothing of a device whose user is not signed in.
    Refused {
        /// Its sender.
        from: NodeId,
        /// The receiver that it did not come to.
        to: NodeId,
        /// Whether the receiver takes other messages, and refuses changes alone.
        changes_alone: bool,
    },
    /// A device leaves for good.
    Retired {
        /// The node.
        node: NodeId,
    },
    /// An edit may be missing from now on: the stores that held it are lost.
    EditLost {
        /// Its author.
        client: NodeId,
        /// Its number among those of its author.
        number: usize,
        /// What may be asked of it.
        fate: Fate,
    },
    /// A node did something: what it shows may be another.
    Acted {
        /// The node.
        node: NodeId,
        /// What it tells.
        replica: Replica<'a>,
    },
    /// A node's power fails.
    Stopped {
        /// The node.
        node: NodeId,
    },
    /// A node is on again.
    Started {
        /// The node.
        node: NodeId,
        /// What it tells.
        replica: Replica<'a>,
    },
    /// A backup is taken of a node's store.
    BackedUp {
        /// The node.
        node: NodeId,
    },
    /// A node's store is lost.
    StoreLost {
        /// The node.
        node: NodeId,
    },
    /// A node's store is damaged: whether anything of it is lost, its next start tells.
    StoreDamaged {
        /// The node.
        node: NodeId,
    },
    /// A node's store is set back to its backup.
    StoreSetBack {
        /// The node.
        node: NodeId,
    },
    /// A node's store is replaced by a copy of another's.
    StoreCopied {
        /// Whose store is copied.
        from: NodeId,
        /// Whose store is replaced.
        to: NodeId,
    },
    /// A message is handed to a link.
    Sent {
        /// Its sender.
        from: NodeId,
        /// Its receiver.
        to: NodeId,
        /// The link's number.
        link: usize,
        /// Its length in bytes.
        bytes: usize,
        /// Its bytes by what they are for.
        traffic: &'a Traffic,
    },
    /// A connection ended before all of a message was on the line.
    CutOff {
        /// Its sender.
        from: NodeId,
        /// Its receiver.
        to: NodeId,
        /// The bytes that never were.
        never: &'a Traffic,
    },
    /// A message is lost by its link.
    MessageLost {
        /// Its sender.
        from: NodeId,
        /// Its receiver.
        to: NodeId,
    },
    /// A message is going to come twice.
    MessageDuplicated {
        /// Its sender.
        from: NodeId,
        /// Its receiver.
        to: NodeId,
    },
    /// A message is damaged by its link.
    MessageDamaged {
        /// Its sender.
        from: NodeId,
        /// Its receiver.
        to: NodeId,
    },
    /// A message arrives.
    Arrived {
        /// Its sender.
        from: NodeId,
        /// Its receiver.
        to: NodeId,
        /// Its length in bytes.
        bytes: usize,
        /// Whether it carries changes.
        has_edits: bool,
    },
    /// A node has made what it makes of a message.
    Received {
        /// The sender of the message.
        from: NodeId,
        /// The node.
        to: NodeId,
        /// How many edits the sender's user had made when the message was sent.
        made: usize,
        /// What became of the message.
        reception: Reception,
        /// What went into the message, where that is followed.
        carries: Option<&'a Knowledge>,
        /// What the receiver tells; nothing if its power failed over it.
        replica: Option<Replica<'a>>,
    },
    /// Faults are over: everybody is connected, and links are sound. Each node has made the edits of its user until now.
    FaultsOver,
    /// The world is at its end.
    Ended {
        /// Whether nothing was left to happen.
        quiescent: bool,
        /// Whether all replicas show the same.
        agree: bool,
    },
}

impl Event<'_> {
    /// The same event, whose observers share what the replica shows: it is worked out once, and only if one of them asks.
    pub fn sharing<'b>(&'b self, views: &'b OnceCell<Vec<View>>) -> Event<'b> {
        let mut event: Event<'b> = *self;
        match &mut event {
            Event::Edited { shows: Some(replica), .. }
            | Event::Acted { replica, .. }
            | Event::Started { replica, .. }
            | Event::Received { replica: Some(replica), .. } => replica.views = Some(views),
            _ => {}
        }
        event
    }
}

/// What a replica tells when it is asked. An engine may tell more than what it shows.
#[derive(Clone, Copy, Debug)]
pub struct Replica<'a> {
    engine: &'a dyn Engine,
    /// What it shows, once somebody has asked.
    views: Option<&'a OnceCell<Vec<View>>>,
}

impl<'a> Replica<'a> {
    /// The replica of an engine.
    pub fn of(engine: &'a dyn Engine) -> Self {
        Replica { engine, views: None }
    }

    /// What every register shows.
    pub fn shows(&self) -> Cow<'a, [View]> {
        match self.views {
            Some(views) => Cow::Borrowed(views.get_or_init(|| self.engine.shows())),
            None => Cow::Owned(self.engine.shows()),
        }
    }

    /// How far it is: between two starts, what it shows is the same as long as this is.
    pub fn position(&self) -> Option<Position> {
        self.engine.position()
    }

    /// How far it is in the edits of others, where it tells.
    pub fn reached(&self) -> Option<Reached> {
        self.engine.reached()
    }

    /// How many of its user's edits wait to be sent, where it tells that.
    pub fn backlog(&self) -> Option<u64> {
        self.engine.backlog()
    }

    /// Whether it has an edit, where it tells ids.
    pub fn has(&self, id: OpId) -> bool {
        self.engine.ids().is_some_and(|ids| ids.contains(id))
    }
}

/// Whoever folds over what happens.
pub trait Observer {
    /// This happens now.
    fn sees(&mut self, now: Time, event: &Event<'_>);
}
