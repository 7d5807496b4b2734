//! An engine that abench does not know: written here, against the port alone, it runs in every shipped world and is judged
//! by every judge; with a mistake in it, it is falsified.

use std::any::Any;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use abench::data;
use abench::domain::count::counted;
use abench::domain::data::{Fields, Intent, View};
use abench::domain::trial::Trial;
use abench::domain::verdict::Verdict;
use abench::domain::watch::Unwatched;
use abench::engine::host::{Host, NodeId, OpId, Time};
use abench::engine::port::{Engine, Reception, Relation, Settings};
use abench::engine::store::disk::Disk;
use abench::engine::store::{Store, StoreError};
use abench::engine::vector::Actor;
use abench::engine::wire::{Malformed, Reader, Writer};
use abench::engine::{Carries, Keeps, Registration, Survives};
use abench::lab::{World, settings};
use abench::oracle::offline::{JUDGES, judgements};
use abench::scenario::shipped::{self, SHIPPED};

/// How many edits of whom.
type Have = BTreeMap<u64, u64>;

/// What each judge says, and why.
type Said = Vec<(&'static str, Verdict, String)>;

/// Every edit of everyone, by its author's number of this start: replicas tell each other what they have, and send the rest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Gossip {
    settings: Settings,
    me: u64,
    edits: BTreeMap<u64, Vec<(u32, i64)>>,
    /// How many edits of whom some other replica was heard to have.
    known: BTreeMap<u64, u64>,
    /// By neighbour, how many edits of whom it has, once that was heard, and when to tell it again what is here.
    lines: BTreeMap<NodeId, (Option<Have>, Option<Time>)>,
}

const HAVE: u8 = 1;
const EDITS: u8 = 2;

fn open(settings: &Settings, host: &mut Host<Disk>) -> Result<Box<dyn Engine>, StoreError> {
    let mut edits: BTreeMap<u64, Vec<(u32, i64)>> = BTreeMap::new();
    for entry in host.store.load()?.entries {
        let mut reader = Reader::bare(&entry);
        let read = |reader: &mut Reader| Ok((reader.number()?, (reader.number()? as u32, reader.signed()?)));
        let (author, edit) = read(&mut reader).map_err(|why: Malformed| StoreError::Damaged(why.to_string()))?;
        edits.entry(author).or_default().push(edit);
    }
    let me = u64::from(settings.node) << 40 | host.random(1 << 40);
    Ok(Box::new(Gossip { settings: settings.clone(), me, edits, known: BTreeMap::new(), lines: BTreeMap::new() }))
}

impl Gossip {
    fn keep(&mut self, host: &mut Host<Disk>, author: u64, edit: (u32, i64)) -> Result<(), StoreError> {
        let mut writer = Writer::bare();
        writer.number(author).number(edit.0.into()).signed(edit.1);
        self.edits.entry(author).or_default().push(edit);
        host.append(&writer.into_bytes())
    }

    /// Tells a neighbour what is here, and some of what it lacks.
    fn tell(&self, host: &mut Host<Disk>, to: NodeId) {
        let heard = self.lines.get(&to).and_then(|(heard, _)| heard.as_ref());
        let mut have = Writer::tagged(HAVE);
        have.number(heard.is_some_and(|heard| self.is_level(heard)).into());
        self.edits.iter().for_each(|(&author, edits)| _ = have.number(author).number(edits.len() as u64));
        let (frame, traffic) = have.seal();
        host.send(to, frame, traffic);
        let Some(heard) = heard else { return };
        let mut lacks = Writer::tagged(EDITS);
        for (&author, edits) in &self.edits {
            let from = heard.get(&author).copied().unwrap_or(0);
            for (place, &(register, amount)) in edits.iter().enumerate().skip(from as usize) {
                if lacks.len() < self.settings.piece {
                    lacks.number(author).number(place as u64).number(register.into()).signed(amount);
                }
            }
        }
        if lacks.len() > 1 {
            let (frame, traffic) = lacks.seal();
            host.send(to, frame, traffic);
        }
    }

    fn is_level(&self, heard: &BTreeMap<u64, u64>) -> bool {
        let mine: BTreeMap<u64, u64> = self.edits.iter().map(|(&author, edits)| (author, edits.len() as u64)).collect();
        *heard == mine
    }

    fn take(&mut self, host: &mut Host<Disk>, from: NodeId, tag: u8, mut reader: Reader) -> Result<bool, Malformed> {
        let mut heard = BTreeMap::new();
        let mut is_new = false;
        let knows = if tag == HAVE { reader.number()? } else { 0 };
        while !reader.is_done() {
            let (author, number) = (reader.number()?, reader.number()?);
            if tag == HAVE {
                heard.insert(author, number);
                let known = self.known.entry(author).or_default();
                *known = number.max(*known);
                continue;
            }
            let edit = (reader.number()? as u32, reader.signed()?);
            let mine = self.edits.get(&author).map_or(0, Vec::len) as u64;
            if mine == number && edit.0 < self.settings.fields.counters {
                self.keep(host, author, edit).and_then(|()| host.sync()).expect("these disks take everything");
                is_new = true;
            }
        }
        if tag == HAVE {
            let level = self.is_level(&heard);
            let due = (!level).then_some(host.now + 1);
            self.lines.insert(from, (Some(heard), due));
            // Who does not know that both have the same is told.
            if level && knows == 0 {
                self.tell(host, from);
            }
        }
        Ok(is_new)
    }
}

impl Engine for Gossip {
    fn edit(&mut self, host: &mut Host<Disk>, register: u32, intent: Intent) -> Result<(), StoreError> {
        self.keep(host, self.me, (register, intent.amount().expect("it carries counters alone")))?;
        host.sync()?;
        host.show(OpId { actor: Actor { client: self.settings.client, incarnation: 0 }, sequence: 1 });
        self.lines.values_mut().for_each(|(_, due)| _ = due.get_or_insert(host.now + self.settings.linger));
        Ok(())
    }

    fn connected(&mut self, host: &mut Host<Disk>, peer: NodeId, _: Relation) -> Result<(), StoreError> {
        self.lines.insert(peer, (None, Some(host.now)));
        Ok(())
    }

    fn disconnected(&mut self, peer: NodeId) {
        self.lines.remove(&peer);
    }

    fn receive(&mut self, host: &mut Host<Disk>, from: NodeId, frame: &[u8]) -> Result<Reception, StoreError> {
        let Ok((tag, reader)) = Reader::open(frame) else { return Ok(Reception::Damaged) };
        if !self.lines.contains_key(&from) {
            return Ok(Reception::Stale);
        }
        let Ok(is_new) = self.take(host, from, tag, reader) else { return Ok(Reception::Damaged) };
        if is_new {
            self.lines.values_mut().for_each(|(_, due)| _ = due.get_or_insert(host.now + 1));
        }
        Ok(Reception::Taken)
    }

    fn wakes_at(&self) -> Option<Time> {
        self.lines.values().filter_map(|&(_, due)| due).min()
    }

    fn wake(&mut self, host: &mut Host<Disk>) -> Result<(), StoreError> {
        let due: Vec<NodeId> = self
            .lines
            .iter()
            .filter(|(_, (_, due))| due.is_some_and(|at| at <= host.now))
            .map(|(&peer, _)| peer)
            .collect();
        for peer in due {
            self.tell(host, peer);
            let level = self.lines[&peer].0.as_ref().is_some_and(|heard| self.is_level(heard));
            let again = host.now + self.settings.retry_after + host.random(self.settings.retry_after);
            self.lines.get_mut(&peer).expect("it is connected").1 = (!level).then_some(again);
        }
        Ok(())
    }

    fn shows(&self) -> Vec<View> {
        let mut shown = self.settings.fields.starts();
        for &(register, amount) in self.edits.values().flatten() {
            data::apply(&mut shown[register as usize], Intent::Increase(amount));
        }
        shown
    }

    fn backlog(&self) -> u64 {
        let known = |author| self.known.get(author).copied().unwrap_or(0);
        self.edits.iter().map(|(author, edits)| (edits.len() as u64).saturating_sub(known(author))).sum()
    }

    fn copy(&self) -> Box<dyn Engine> {
        Box::new(self.clone())
    }

    fn is_same(&self, other: &dyn Engine) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn hash_into(&self, mut hasher: &mut dyn Hasher) {
        self.hash(&mut hasher);
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

const GOSSIP: Registration = Registration {
    name: "gossip",
    about: "every edit to everyone who lacks it",
    constant: false,
    peers: true,
    keeps: Keeps::Edits,
    survives: Survives::WhileShown,
    carries: Carries::Counters,
    full_state: false,
    tells_merges: false,
    describe: |_| None,
    mutants: Vec::new,
    open,
};

/// The verdicts of every judge on an engine in every shipped world of moderate size, by world.
fn verdicts(engine: &Registration) -> Vec<(&'static str, Said)> {
    let mut all = Vec::new();
    for (name, _) in SHIPPED {
        let Trial::Offline(trial) = shipped::find(name).expect("it is shipped").expect("it is sound").trial else {
            continue;
        };
        if !engine.suits(&trial) {
            continue;
        }
        let world = World::new(&trial, engine, &settings(&trial, None)).expect("a world");
        let history = world.run(&mut Unwatched).expect("it ends").history;
        assert!(!history.ledger.is_empty(), "{name}");
        all.push((*name, judgements(&history).map(|(judge, said)| (judge, said.verdict, said.sentence)).collect()));
    }
    all
}

fn verdict_of(said: &[(&str, Verdict, String)], judge: &str) -> Option<Verdict> {
    said.iter().find(|(name, ..)| *name == judge).map(|(_, verdict, _)| *verdict)
}

#[test]
fn an_engine_that_abench_does_not_know_runs_in_every_world_and_every_judge_judges_it() {
    let all = verdicts(&GOSSIP);
    assert!(all.len() >= 20, "{}", counted(all.len(), "world"));
    for (world, said) in &all {
        assert!(said.len() >= JUDGES.len());
        for (judge, verdict, sentence) in said {
            // A relay that is gone for hours makes every engine late that waits for it.
            let late = (*world, *judge) == ("cut-off-for-ten-hours", "staleness bound");
            assert_eq!(*verdict == Verdict::Falsified, late, "{world}: {judge}: {sentence}");
        }
    }
    let holds =
        all.iter().filter(|(_, said)| said.iter().any(|(judge, v, _)| (*judge, *v) == ("truth", Verdict::Holds)));
    assert!(holds.count() * 10 >= all.len() * 9, "{all:#?}");
}

/// The same, and one replica starts from another number.
fn open_wrongly(settings: &Settings, host: &mut Host<Disk>) -> Result<Box<dyn Engine>, StoreError> {
    let start = settings.fields.start ^ i64::from(settings.node == 0);
    open(&Settings { fields: Fields { start, ..settings.fields }, ..settings.clone() }, host)
}

#[test]
fn where_one_replica_of_it_is_off_by_one_every_world_says_so() {
    let mut cut_off = 0;
    for (world, said) in verdicts(&Registration { open: open_wrongly, ..GOSSIP }) {
        // A world that is cut off judges nobody.
        let of = verdict_of(&said, "convergence");
        cut_off += usize::from(of == Some(Verdict::Inconclusive));
        assert!(of == Some(Verdict::Falsified) || of == Some(Verdict::Inconclusive), "{world}: {said:?}");
    }
    assert!(cut_off <= 4, "{cut_off}");
}
