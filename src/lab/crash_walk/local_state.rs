//! One node of the small world: what is in its memory and on its disk, what its user saw, and what it promised. What it does
//! depends on nothing else but the message that it receives, so that it is worked out once.

use std::collections::BTreeSet;

use super::users;
use crate::domain::data::{Element, Intent, Value, View};
use crate::domain::every_delivery::Bounds;
use crate::engine::Registration;
use crate::engine::acknowledged::Acknowledged;
use crate::engine::host::{Entropy, Host, Later, NodeId, OpId, Time};
use crate::engine::port::{EngineError, Node, Relation, Settings};
use crate::engine::replayed::Replayed;
use crate::engine::store::Owner;
use crate::engine::store::disk::Disk;
use crate::lab::events::holders::Lasts;

/// The local state of a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct LocalState {
    pub(super) node: Option<Node>,
    pub(super) disk: Disk,
    drawn: u64,
    /// Edits that its user made, and of these, a bit each, those that it never saw accepted.
    pub(super) edits: u32,
    pub(super) excused: u32,
    /// Those that its engine refused, a bit each; and what the register showed before each edit that means that.
    pub(super) declined: u32,
    pub(super) seen: Vec<View>,
    /// Of a claim, the first holder that the register showed, and the first other one: its user remembers.
    pub(super) holders: [Option<Value>; 2],
    /// Of a case, the items with which it was first shown as closed, and the first others.
    pub(super) frozen: [Option<BTreeSet<Element>>; 2],
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
    /// How it ended by itself, if it did: nothing happens in its world after that.
    pub(super) ended: Option<Box<Ended>>,
}

/// How a node ended by itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Ended {
    /// The engine failed: a finding about it.
    Failed(String),
    /// It cannot be run here.
    Unavailable(String),
    /// It does not do the same again.
    Unrepeatable(String),
}

/// What a node does, with all that it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Action {
    Edit(Intent),
    /// The message of this number.
    Receive(u32),
    Retry,
    Restart,
    Connect(NodeId, Relation),
    Disconnect(NodeId),
}

/// A message on its way: sender, receiver, bytes.
pub(super) type Envelope = (NodeId, NodeId, Vec<u8>);

/// What an action led to.
pub(super) struct Done {
    pub(super) state: LocalState,
    pub(super) sent: Vec<Envelope>,
    /// Steps that it took on its surroundings.
    pub(super) steps: u32,
}

/// What such a node is told about itself.
pub(super) fn settings(bounds: &Bounds, node: NodeId, mutant: Option<&'static str>) -> Settings {
    Settings {
        node,
        client: node,
        fields: users::fields(bounds),
        serves: node == bounds.clients,
        is_root: node == bounds.clients,
        serves_relays: false,
        // The clock stands still but for a retry: what may happen later may happen now, and what is told at once is told
        // before anything is sent again.
        retry_after: 1,
        retry_at_most: 1,
        retries: u32::MAX,
        handshakes: 1,
        linger: 0,
        fragment: 4096,
        retain: 0,
        // Soon enough that compaction is among the steps.
        compact_after: 6,
        mutant,
    }
}

/// Keeps what was shown first, and the first other.
fn remember<T: PartialEq>(kept: &mut [Option<T>; 2], shown: Option<T>) {
    let Some(shown) = shown else { return };
    match kept {
        [first @ None, _] => *first = Some(shown),
        [Some(first), second @ None] if *first != shown => *second = Some(shown),
        _ => {}
    }
}

impl LocalState {
    /// A node that was never switched on.
    pub(super) fn new(client: u32, mutant: Option<&'static str>) -> Self {
        LocalState {
            node: None,
            disk: Disk::new(Owner { scenario: 0, client }).with_mutant(mutant),
            drawn: 100 * u64::from(client),
            edits: 0,
            excused: 0,
            declined: 0,
            seen: Vec::new(),
            holders: [None; 2],
            frozen: [None, None],
            connected: false,
            shown: Vec::new(),
            acknowledged: Acknowledged::default(),
            forgotten: 0,
            broken: false,
            refused: false,
            ended: None,
        }
    }

    /// Does it; with `crash_after`, up to a crash after so many steps, of which the disk is not told yet.
    pub(super) fn after(
        &self,
        engine: &'static Registration,
        settings: &Settings,
        action: Action,
        envelope: Option<&Envelope>,
        crash_after: Option<u32>,
    ) -> Done {
        let mut after = self.clone();
        let mut host = Host::new(after.disk, Entropy::Counted(after.drawn));
        if let Some(steps) = crash_after {
            host.crash_after(steps);
        }
        if let (Action::Edit(intent), Some(node)) = (action, &after.node)
            && intent.of().means_what_is_shown()
        {
            after.seen.extend(node.0.shows().into_iter().next());
        }
        let done = act(&mut after.node, &mut host, engine, settings, action, envelope);
        let is_refused = |intent: Intent| host.later == Some(Later::Refused) && intent.spends() > 0;
        let is_declined = matches!(action, Action::Edit(intent) if is_refused(intent)) && host.shown.is_empty();
        let unanswered =
            matches!(action, Action::Edit(_)) && host.shown.is_empty() && crash_after.is_none() && !is_declined;
        let ended = match done {
            Ok(()) if unanswered && after.node.is_some() => {
                Some(Ended::Failed("it neither accepted an edit nor refused it".to_owned()))
            }
            Ok(()) | Err(EngineError::Store(_)) => None,
            Err(EngineError::Failed(ref why)) => Some(Ended::Failed(why.clone())),
            Err(ref error @ (EngineError::Unavailable(_) | EngineError::Interrupted)) => {
                Some(Ended::Unavailable(error.to_string()))
            }
            Err(ref error @ EngineError::Unrepeatable(_)) => Some(Ended::Unrepeatable(error.to_string())),
        };
        if done.is_err() || ended.is_some() {
            (after.node, after.refused, after.ended) = (None, true, ended.map(Box::new));
        }
        match action {
            Action::Edit(_) => {
                after.excused |= u32::from(host.shown.is_empty() && !is_declined) << after.edits;
                after.declined |= u32::from(is_declined) << after.edits;
                after.edits += 1;
            }
            Action::Connect(..) => after.connected = true,
            Action::Disconnect(_) => after.connected = false,
            Action::Receive(_) | Action::Retry | Action::Restart => {}
        }
        after.drawn = host.drawn();
        after.shown.append(&mut host.shown);
        let sent: Vec<Envelope> =
            host.sent.into_iter().map(|sent| (settings.node, sent.to, sent.frame.bytes)).collect();
        if let Some(node) = &after.node {
            sent.iter().for_each(|(_, _, frame)| node.0.acknowledges(frame, &mut after.acknowledged));
        }
        after.disk = host.store;
        if crash_after.is_some() {
            (after.node, after.connected) = (None, false);
        } else if action == Action::Restart {
            after.look_back();
        }
        if settings.fields.claims + settings.fields.cases > 0 {
            after.look_at_decision();
        }
        Done { state: after, sent, steps: host.steps }
    }

    /// Remembers who is shown as the holder of a claim, and the items of a closed case.
    fn look_at_decision(&mut self) {
        let Some(view) = self.node.as_ref().and_then(|node| node.0.shows().into_iter().next()) else { return };
        remember(&mut self.holders, Value::shown(&view));
        remember(&mut self.frozen, BTreeSet::shown(&view));
    }

    /// Counts what was shown, and what was acknowledged, that it does not have after a restart. An engine that tells no ids
    /// is asked nothing, unless its store refused to be opened: then it has nothing.
    fn look_back(&mut self) {
        let (forgotten, broken) = match &self.node {
            None => (self.shown.len(), !self.acknowledged.is_empty()),
            Some(node) => match node.0.ids() {
                None => return,
                Some(ids) => {
                    let lacks = |id: &&OpId| !ids.contains(**id);
                    (self.shown.iter().filter(lacks).count(), !self.acknowledged.is_kept_by(ids))
                }
            },
        };
        self.forgotten = self.forgotten.max(forgotten as u32);
        self.broken |= broken;
    }
}

fn act(
    slot: &mut Option<Node>,
    host: &mut Host<Disk>,
    engine: &'static Registration,
    settings: &Settings,
    action: Action,
    envelope: Option<&Envelope>,
) -> Result<(), EngineError> {
    if action == Action::Restart {
        *slot = Some(Node(match engine.copies {
            true => engine.open.node(settings, host)?,
            false => Box::new(Replayed::open(engine, settings, host)?),
        }));
        return Ok(());
    }
    // A message to a node that is down is gone.
    let Some(Node(node)) = slot else { return Ok(()) };
    match (action, envelope) {
        (Action::Edit(intent), _) => node.edit(host, 0, intent)?,
        (Action::Receive(_), Some((from, _, bytes))) => {
            node.receive(host, *from, bytes)?;
        }
        (Action::Retry, _) => host.now = node.wakes_at().unwrap_or(0),
        (Action::Connect(peer, relation), _) => node.connected(host, peer, relation)?,
        (Action::Disconnect(peer), _) => node.disconnected(peer),
        (Action::Receive(_) | Action::Restart, _) => {}
    }
    // Changes that are pending are sent in the same action.
    let due = |at: Option<Time>| at.is_some_and(|at| at <= host.now);
    if due(node.wakes_at()) { node.wake(host) } else { Ok(()) }
}
