//! Gossip: every edit to everyone who lacks it, replayed in one order everywhere. It knows the port of engines alone.

use std::collections::BTreeMap;

use abench::data;
use abench::domain::data::{Carries, Concurrent, Intent, View};
use abench::engine::host::{Host, NodeId, OpId, Round, Time};
use abench::engine::port::{Engine, EngineError, Position, Reception, Relation, Settings};
use abench::engine::store::{Store, StoreError, disk::Disk};
use abench::engine::vector::Actor;
use abench::engine::wire::{Reader, Writer};
use abench::engine::{Keeps, Registration, Survives};

/// Lamport's time, the author's number of this start, and what was edited.
type Edit = (u64, u64, u32, Intent);
/// How many edits of whom.
type Have = BTreeMap<u64, u64>;

/// A replica; by neighbour, what that has, once it was heard, and when to tell it again what is here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Gossip {
    settings: Settings,
    me: u64,
    edits: BTreeMap<u64, Vec<Edit>>,
    known: Have,
    lines: BTreeMap<NodeId, (Option<Have>, Option<Time>)>,
}

pub const GOSSIP: Registration = Registration {
    peers: true,
    keeps: Keeps::Edits,
    survives: Survives::WhileShown,
    carries: Carries::with_tags(Concurrent::Either),
    tells_edits: false,
    own_timers: false,
    ..Registration::of("gossip", "every edit to everyone who lacks it", open)
};

pub fn open(settings: &Settings, host: &mut Host<Disk>) -> Result<Box<dyn Engine>, EngineError> {
    let me = u64::from(settings.node) << 40 | host.unlike_before(1 << 40);
    let (edits, known, lines) = (BTreeMap::new(), Have::new(), BTreeMap::new());
    let mut gossip = Gossip { settings: settings.clone(), me, edits, known, lines };
    for entry in host.store.load()?.entries {
        let edit: Edit = postcard::from_bytes(&entry).map_err(|why| StoreError::Damaged(why.to_string()))?;
        gossip.edits.entry(edit.1).or_default().push(edit);
    }
    Ok(Box::new(gossip))
}

impl Gossip {
    fn keep(&mut self, host: &mut Host<Disk>, edit: Edit) -> Result<(), EngineError> {
        host.append(&postcard::to_allocvec(&edit).expect("it is plain data"))?;
        host.sync()?;
        self.edits.entry(edit.1).or_default().push(edit);
        self.lines.values_mut().for_each(|(_, due)| _ = due.get_or_insert(host.now + self.settings.linger));
        Ok(())
    }

    fn have(&self) -> Have {
        self.edits.iter().map(|(&author, edits)| (author, edits.len() as u64)).collect()
    }

    /// Tells a neighbour what is here, and some of what it lacks; again, as long as both have not the same.
    fn tell(&mut self, host: &mut Host<Disk>, to: NodeId) {
        let heard = self.lines[&to].0.clone();
        let level = heard.as_ref() == Some(&self.have());
        let of = |author: &u64| heard.as_ref().map_or(usize::MAX, |has| has.get(author).map_or(0, |&has| has as usize));
        let lacks = self.edits.iter().flat_map(|(author, edits)| (0u64..).zip(edits).skip(of(author)));
        let lacks: Vec<(u64, &Edit)> = lacks.take(self.settings.fragment / 16).collect();
        let is_all = heard.is_some() && lacks.len() < self.settings.fragment / 16;
        let mut writer = Writer::tagged(1);
        writer.raw(&postcard::to_allocvec(&(level, self.have(), lacks)).expect("it is plain data"));
        let (frame, traffic) = writer.seal();
        host.tell(to, frame, traffic, Round { begins: true, ends: is_all });
        let again = host.now + self.settings.retry_after + host.random(self.settings.retry_after);
        self.lines.get_mut(&to).expect("it is connected").1 = (!level).then_some(again);
    }
}

impl Engine for Gossip {
    fn edit(&mut self, host: &mut Host<Disk>, register: u32, intent: Intent) -> Result<(), EngineError> {
        let last = self.edits.values().filter_map(|edits| edits.last()).map(|edit| edit.0).max().unwrap_or(0);
        // What means nothing to its user means nothing anywhere.
        if data::is_meant(&self.shows()[register as usize], intent) {
            self.keep(host, (last + 1, self.me, register, intent))?;
        }
        host.show(OpId { actor: Actor { client: self.settings.client, incarnation: 0 }, sequence: 1 });
        Ok(())
    }

    fn connected(&mut self, host: &mut Host<Disk>, peer: NodeId, _: Relation) -> Result<(), EngineError> {
        self.lines.insert(peer, (None, Some(host.now)));
        Ok(())
    }

    fn disconnected(&mut self, peer: NodeId) {
        self.lines.remove(&peer);
    }

    fn receive(&mut self, host: &mut Host<Disk>, from: NodeId, frame: &[u8]) -> Result<Reception, EngineError> {
        let Ok((_, mut reader)) = Reader::open(frame) else { return Ok(Reception::Damaged) };
        type Told = (bool, Have, Vec<(u64, Edit)>);
        let Ok((knows, heard, edits)) = postcard::from_bytes::<Told>(reader.rest()) else {
            return Ok(Reception::Damaged);
        };
        if !self.lines.contains_key(&from) {
            return Ok(Reception::Stale);
        }
        for (author, has) in &heard {
            let known = self.known.entry(*author).or_default();
            *known = (*known).max(*has);
        }
        // An author's edits come in their order. What came late may have been meant for a store that is lost.
        for (number, edit) in edits {
            if self.edits.get(&edit.1).map_or(0, Vec::len) as u64 == number {
                self.keep(host, edit)?;
            }
        }
        let level = heard == self.have();
        self.lines.insert(from, (Some(heard), (!level).then_some(host.now + 1)));
        if level && !knows {
            self.tell(host, from);
        }
        Ok(Reception::Taken)
    }

    fn wakes_at(&self) -> Option<Time> {
        self.lines.values().filter_map(|&(_, due)| due).min()
    }

    fn wake(&mut self, host: &mut Host<Disk>) -> Result<(), EngineError> {
        let due = |(&peer, &(_, due)): (&NodeId, &(_, Option<Time>))| due.filter(|&at| at <= host.now).map(|_| peer);
        let due: Vec<NodeId> = self.lines.iter().filter_map(due).collect();
        due.into_iter().for_each(|peer| self.tell(host, peer));
        Ok(())
    }

    fn shows(&self) -> Vec<View> {
        let mut all: Vec<&Edit> = self.edits.values().flatten().collect();
        all.sort_unstable();
        let fields = self.settings.fields;
        let mut shown = fields.starts();
        all.iter().for_each(|edit| _ = data::apply(&fields, &mut shown[edit.2 as usize], edit.3));
        shown
    }

    fn position(&self) -> Option<Position> {
        Some((self.edits.values().map(|edits| edits.len() as u64).sum(), 0, None))
    }

    fn backlog(&self) -> Option<u64> {
        let known = |author| self.known.get(author).copied().unwrap_or(0);
        Some(self.edits.iter().map(|(author, edits)| (edits.len() as u64).saturating_sub(known(author))).sum())
    }
}
