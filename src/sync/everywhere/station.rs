//! One node of the small world: what is in its memory and on its disk, what its user saw, and what it promised. What it does
//! depends on nothing else but the message that it receives, so that it is worked out once.

use crate::domain::flaw::Flaw;
use crate::domain::offline::CrashEverywhereTrial;
use crate::sync::acknowledged::Acknowledged;
use crate::sync::host::{Entropy, Host, NodeId, OpId};
use crate::sync::replica::acknowledgements::acknowledgements;
use crate::sync::replica::session::Relation;
use crate::sync::replica::state::Run;
use crate::sync::replica::{Replica, Settings};
use crate::sync::store::disk::Disk;
use crate::sync::store::{Owner, StoreError};
use crate::sync::vector::Overlap;

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Station {
    pub(super) replica: Option<Replica>,
    pub(super) disk: Disk,
    drawn: u64,
    /// Edits that its user made, and of these, a bit each, those that it never saw accepted.
    pub(super) edits: u32,
    pub(super) excused: u32,
    /// Of a client: whether it is connected with the hub.
    pub(super) connected: bool,
    /// Edits that its user saw accepted.
    shown: Vec<OpId>,
    /// What it acknowledged.
    acknowledged: Acknowledged,
    /// How many of those edits it did not have any more after a restart, and whether it lacked what it had acknowledged.
    pub(super) forgotten: u32,
    pub(super) broken: bool,
    /// Whether its store refused to be opened again.
    pub(super) refused: bool,
}

/// What a node does, with all that it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Deed {
    Edit(i64),
    /// The message of this number.
    Receive(u32),
    Retry,
    Restart,
    Connect(NodeId, Relation),
    Disconnect(NodeId),
}

/// A message on its way: sender, receiver, bytes.
pub(super) type Letter = (NodeId, NodeId, Vec<u8>);

/// What a deed led to.
pub(super) struct Done {
    pub(super) station: Station,
    pub(super) sent: Vec<Letter>,
    /// Actions on its surroundings.
    pub(super) actions: u32,
}

/// What such a node is told about itself.
pub(super) fn settings(trial: &CrashEverywhereTrial, node: NodeId, flaw: Option<Flaw>) -> Settings {
    Settings {
        node,
        client: node,
        registers: 1,
        serves: node == trial.clients,
        serves_relays: false,
        // There is no time here: what may happen later may happen now.
        retry_after: 0,
        retry_at_most: 0,
        retries: u32::MAX,
        greetings: 1,
        linger: 0,
        piece: 4096,
        retain: 0,
        // Soon enough that compaction is among the steps.
        compact_after: 6,
        flaw,
    }
}

impl Station {
    /// A node that was never switched on.
    pub(super) fn new(client: u32, flaw: Option<Flaw>) -> Self {
        Station {
            replica: None,
            disk: Disk::new(Owner { scenario: 0, client }).flawed(flaw),
            drawn: 100 * u64::from(client),
            edits: 0,
            excused: 0,
            connected: false,
            shown: Vec::new(),
            acknowledged: Acknowledged::default(),
            forgotten: 0,
            broken: false,
            refused: false,
        }
    }

    /// Does it; with `crash_after`, up to a crash after so many actions, of which the disk is not told yet.
    pub(super) fn after(
        &self,
        settings: &Settings,
        deed: Deed,
        letter: Option<&Letter>,
        crash_after: Option<u32>,
    ) -> Done {
        let mut after = self.clone();
        let mut host = Host::new(after.disk, Entropy::Counted(after.drawn));
        if let Some(actions) = crash_after {
            host.crash_after(actions);
        }
        let done = do_deed(&mut after.replica, &mut host, settings, deed, letter);
        if done.is_err() {
            (after.replica, after.refused) = (None, true);
        }
        match deed {
            Deed::Edit(_) => {
                after.excused |= u32::from(host.shown.is_empty()) << after.edits;
                after.edits += 1;
            }
            Deed::Connect(..) => after.connected = true,
            Deed::Disconnect(_) => after.connected = false,
            Deed::Receive(_) | Deed::Retry | Deed::Restart => {}
        }
        after.drawn = host.drawn();
        after.shown.append(&mut host.shown);
        let sent: Vec<Letter> = host.sent.into_iter().map(|sent| (settings.node, sent.to, sent.frame.bytes)).collect();
        sent.iter().for_each(|(_, _, frame)| acknowledgements(frame, 1, &mut after.acknowledged));
        after.disk = host.store;
        if crash_after.is_some() {
            (after.replica, after.connected) = (None, false);
        } else if deed == Deed::Restart {
            after.look_back();
        }
        Done { station: after, sent, actions: host.steps }
    }

    /// Counts what was shown, and what was acknowledged, that it does not have after a restart.
    fn look_back(&mut self) {
        let state = self.replica.as_ref().map(Replica::state);
        let lacks = |&(actor, first, last): &Run| {
            !state.is_some_and(|state| state.seen.overlap(actor, first, last) == Overlap::Seen)
        };
        let shown = self.shown.iter().map(|id| (id.actor, id.sequence, id.sequence));
        self.forgotten = self.forgotten.max(shown.filter(lacks).count() as u32);
        self.broken |= !state.is_some_and(|state| self.acknowledged.is_kept_by(state.ids()));
    }
}

fn do_deed(
    slot: &mut Option<Replica>,
    host: &mut Host<Disk>,
    settings: &Settings,
    deed: Deed,
    letter: Option<&Letter>,
) -> Result<(), StoreError> {
    match (deed, slot, letter) {
        (Deed::Restart, slot, _) => *slot = Some(Replica::open(settings.clone(), host)?),
        (Deed::Edit(amount), Some(replica), _) => {
            replica.edit(host, 0, amount)?;
            replica.tell_news(host)?;
        }
        (Deed::Receive(_), Some(replica), Some((from, _, bytes))) => {
            replica.receive(host, *from, bytes)?;
            if replica.has_news() {
                replica.tell_news(host)?;
            }
        }
        (Deed::Retry, Some(replica), _) => replica.retry_due(host)?,
        (Deed::Connect(peer, relation), Some(replica), _) => replica.connected(host, peer, relation)?,
        (Deed::Disconnect(peer), Some(replica), _) => replica.disconnected(peer),
        // A message to a node that is down is gone.
        _ => {}
    }
    Ok(())
}
