//! The replica behind the port.

use crate::domain::data::{Intent, View};
use crate::engine::acknowledged::{Acknowledged, Ids};
use crate::engine::delta_summary::Replica;
use crate::engine::delta_summary::acknowledgements::acknowledgements;
use crate::engine::delta_summary::message::{Message, unframed};
#[cfg(test)]
use crate::engine::delta_summary::state::State;
use crate::engine::host::{Host, NodeId, Time};
use crate::engine::port::{Engine, EngineError, Position, Reached, Reception, Relation, Report, Settings};
use crate::engine::store::StoreError;
use crate::engine::store::disk::Disk;

/// A replica whose registers start somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplicaNode {
    replica: Replica,
    settings: Settings,
}

impl ReplicaNode {
    /// Opens it.
    pub fn open(settings: Settings, host: &mut Host<Disk>) -> Result<Self, StoreError> {
        Ok(ReplicaNode { replica: Replica::open(settings.clone(), host)?, settings })
    }

    /// Has it try again later what its store refused to write.
    fn tried<T>(&mut self, host: &Host<Disk>, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if done.as_ref().is_err_and(StoreError::is_refusal) {
            self.replica.try_again_later(host);
        }
        done
    }

    /// Its state.
    #[cfg(test)]
    pub fn state(&self) -> &State {
        self.replica.state()
    }
}

impl Engine for ReplicaNode {
    fn edit(&mut self, host: &mut Host<Disk>, register: u32, intent: Intent) -> Result<(), EngineError> {
        Ok(self.replica.edit(host, register, intent.amount().expect("it carries counters alone"))?)
    }

    fn connected(&mut self, host: &mut Host<Disk>, peer: NodeId, relation: Relation) -> Result<(), EngineError> {
        let connected = self.replica.connected(host, peer, relation);
        Ok(self.tried(host, connected)?)
    }

    fn disconnected(&mut self, peer: NodeId) {
        self.replica.disconnected(peer);
    }

    fn receive(&mut self, host: &mut Host<Disk>, from: NodeId, frame: &[u8]) -> Result<Reception, EngineError> {
        let received = self.replica.receive(host, from, frame);
        Ok(self.tried(host, received)?)
    }

    fn refused(&mut self, host: &mut Host<Disk>, peer: NodeId) -> Result<(), EngineError> {
        self.replica.refused(host, peer);
        Ok(())
    }

    fn wakes_at(&self) -> Option<Time> {
        self.replica.wakes_at()
    }

    fn wake(&mut self, host: &mut Host<Disk>) -> Result<(), EngineError> {
        let woken = self.replica.wake(host);
        Ok(self.tried(host, woken)?)
    }

    fn shows(&self) -> Vec<View> {
        self.replica.shows()
    }

    fn position(&self) -> Option<Position> {
        let state = self.replica.state();
        Some((state.made, state.log.len(), state.cursor.clone()))
    }

    fn reached(&self) -> Option<Reached> {
        let state = self.replica.state();
        Some(match &state.cursor {
            _ if self.settings.serves => Reached::Own(state.log.len()),
            Some((log, ranges)) => Reached::Of(log.client, ranges.prefix()),
            None => Reached::Nothing,
        })
    }

    fn backlog(&self) -> Option<u64> {
        Some(self.replica.backlog().edits)
    }

    fn ids(&self) -> Option<Ids<'_>> {
        Some(self.replica.state().ids())
    }

    fn acknowledges(&self, frame: &[u8], acknowledged: &mut Acknowledged) {
        acknowledgements(frame, self.settings.fields.counters, acknowledged);
    }

    fn report(&self, disk: Disk) -> Option<Report> {
        Some(self.replica.report(disk))
    }
}

/// What a frame says, in words.
pub fn described(frame: &[u8]) -> Option<String> {
    let (_, body) = unframed(frame).ok()?;
    Some(format!("{:?}", Message::read(body, 1).ok()?))
}
