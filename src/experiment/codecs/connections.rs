//! One engine: the bytes of its ticks, by which a client comes back to a hub that it met before, and what the hub shows.
//!
//! Two clients and a hub, without disks that fail and without a line that takes time: a message arrives, twice, late or
//! never. What worlds with faults make of an engine, other scenarios try.

use std::collections::VecDeque;

use crate::domain::codecs::CodecsTrial;
use crate::domain::data::{Fields, Intent, View};
use crate::domain::evidence::Evidence;
use crate::domain::seed::Stream;
use crate::domain::subject::SubjectError;
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use crate::engine::Registration;
use crate::engine::host::{Entropy, Host, NodeId};
use crate::engine::port::{Engine, EngineError, Relation, Settings};
use crate::engine::store::Owner;
use crate::engine::store::disk::Disk;
use crate::experiment::codecs::HISTORIES;
use crate::experiment::codecs::deliveries::{sizes_of, worse};
use crate::experiment::codecs::ticks::{History, TICKS, Width};
use crate::report::codecs_record::{CodecRow, Of, Sizes, Wrong, WrongRegisters};
use crate::scenario::offline::SECOND;

/// The hub; the two clients are before it.
const HUB: NodeId = 2;

/// Messages and timers in a connection after which an engine has not come to rest.
const MOST_STEPS: u32 = 10_000;

/// What happens to the messages of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivery {
    Exact,
    Repeated,
    /// The last that was sent arrives first.
    Reordered,
    /// The first that carries edits never arrives.
    Lost,
}

struct Sent {
    from: NodeId,
    to: NodeId,
    bytes: Vec<u8>,
}

/// Two clients and a hub.
struct Net {
    nodes: Vec<Box<dyn Engine>>,
    hosts: Vec<Host<Disk>>,
    queue: VecDeque<Sent>,
    delivery: Delivery,
    loses: bool,
    /// Bytes of messages that carry edits from a client, and all bytes both ways.
    of_edits: u64,
    of_all: u64,
}

/// What a node is told: as in a world, but that a state of the largest size travels in one message.
fn settings(trial: &CodecsTrial, node: NodeId) -> Settings {
    Settings {
        node,
        client: node,
        fields: Fields::counters(trial.registers, 0),
        serves: node == HUB,
        serves_relays: false,
        retry_after: 2 * SECOND,
        retry_at_most: 300 * SECOND,
        retries: 1000,
        handshakes: 4,
        linger: SECOND,
        fragment: 1 << 20,
        retain: 256,
        compact_after: 256,
        mutant: None,
    }
}

/// Why an engine has no row: it could not be driven to the end.
fn broken(engine: &Registration, error: &EngineError) -> SubjectError {
    SubjectError::Internal(format!("the ticks of {}: {error}", engine.name))
}

impl Net {
    fn of(engine: &Registration, trial: &CodecsTrial, random: &Stream) -> Result<Net, EngineError> {
        let mut net = Net {
            nodes: Vec::new(),
            hosts: Vec::new(),
            queue: VecDeque::new(),
            delivery: Delivery::Exact,
            loses: false,
            of_edits: 0,
            of_all: 0,
        };
        for node in 0..=HUB {
            let entropy = Entropy::Drawn(Box::new(random.member(node.into())));
            let mut host = Host::new(Disk::new(Owner { scenario: 1, client: node }), entropy);
            net.nodes.push(engine.open.node(&settings(trial, node), &mut host)?);
            net.hosts.push(host);
        }
        // All have met before the first tick.
        (0..HUB).try_for_each(|client| net.connection(client, Delivery::Exact))?;
        Ok(net)
    }

    fn edit(&mut self, client: NodeId, old: &[i64], new: &[i64]) -> Result<(), EngineError> {
        let place = client as usize;
        for (register, (old, new)) in (0..).zip(old.iter().zip(new)) {
            if old != new {
                let amount = Intent::Increase(new.wrapping_sub(*old));
                self.nodes[place].edit(&mut self.hosts[place], register, amount)?;
            }
        }
        Ok(())
    }

    /// A client is connected until all is said.
    fn connection(&mut self, client: NodeId, delivery: Delivery) -> Result<(), EngineError> {
        (self.of_edits, self.of_all, self.delivery, self.loses) = (0, 0, delivery, delivery == Delivery::Lost);
        for (node, peer, relation) in [(HUB, client, Relation::Child), (client, HUB, Relation::Parent)] {
            self.nodes[node as usize].connected(&mut self.hosts[node as usize], peer, relation)?;
        }
        self.post();
        for _ in 0..MOST_STEPS {
            let next = if delivery == Delivery::Reordered { self.queue.pop_back() } else { self.queue.pop_front() };
            match next {
                Some(Sent { from, to, bytes }) => {
                    self.nodes[to as usize].receive(&mut self.hosts[to as usize], from, &bytes)?;
                }
                None => {
                    let both = [client, HUB].into_iter();
                    let due = both.filter_map(|node| Some((self.nodes[node as usize].wakes_at()?, node))).min();
                    let Some((at, node)) = due else { break };
                    self.hosts.iter_mut().for_each(|host| host.now = host.now.max(at));
                    self.nodes[node as usize].wake(&mut self.hosts[node as usize])?;
                }
            }
            self.post();
        }
        self.nodes[HUB as usize].disconnected(client);
        self.nodes[client as usize].disconnected(HUB);
        self.queue.clear();
        Ok(())
    }

    fn post(&mut self) {
        for from in 0..=HUB {
            for sent in std::mem::take(&mut self.hosts[from as usize].sent) {
                let length = sent.frame.bytes.len() as u64;
                self.of_all += length;
                let is_edits = sent.frame.has_edits && from != HUB;
                self.of_edits += if is_edits { length } else { 0 };
                if is_edits && std::mem::take(&mut self.loses) {
                    continue;
                }
                let copies = if self.delivery == Delivery::Repeated { 2 } else { 1 };
                for _ in 0..copies {
                    self.queue.push_back(Sent { from, to: sent.to, bytes: sent.frame.bytes.clone() });
                }
            }
        }
    }

    /// How many registers the hub shows otherwise than by the amounts between these states.
    fn wrong(&self, old: &[i64], new: &[i64]) -> Wrong {
        let shown = self.nodes[HUB as usize].shows();
        let due = old.iter().zip(new).map(|(old, new)| View::Counter(new.wrapping_sub(*old)));
        let registers = shown.iter().zip(due).filter(|(shown, due)| **shown != *due).count() as u32;
        Wrong { registers, silent: registers }
    }
}

/// The row of an engine.
pub fn row(engine: &Registration, trial: &CodecsTrial, watch: &mut dyn Watch) -> Result<CodecRow, SubjectError> {
    let random = trial.seed.stream("codec-engines");
    let mut wrong = WrongRegisters::default();
    let mut sizes = |width| {
        let (mut messages, mut connections) = (Vec::new(), Vec::new());
        for number in 0..trial.ticks {
            if number % 64 == 0 && watch.stop_requested() {
                return Err(SubjectError::Interrupted);
            }
            let history = History::drawn(trial, width, number.into());
            let tick = || -> Result<Net, EngineError> {
                let mut net = Net::of(engine, trial, &random)?;
                net.edit(0, &history.states[0], &history.states[1])?;
                net.connection(0, Delivery::Exact)?;
                Ok(net)
            };
            let net = tick().map_err(|error| broken(engine, &error))?;
            messages.push(net.of_edits);
            connections.push(net.of_all);
            wrong.exact = worse(wrong.exact, net.wrong(&history.states[0], &history.states[1]));
        }
        Ok(Sizes { connection: Some(sizes_of(connections).median), ..sizes_of(messages) })
    };
    let (narrow, wide) = (sizes(Width::Narrow)?, sizes(Width::Wide)?);
    for number in 0..HISTORIES.min(trial.ticks) {
        let history = History::drawn(trial, Width::Narrow, number.into());
        let by = |delivery| by(engine, trial, &history, delivery).map_err(|error| broken(engine, &error));
        // An engine may take the first change of a register, and lose the next.
        wrong.exact = worse(wrong.exact, by(Delivery::Exact)?);
        wrong.repeated = worse(wrong.repeated, by(Delivery::Repeated)?);
        wrong.reordered = worse(wrong.reordered, by(Delivery::Reordered)?);
        wrong.lost = worse(wrong.lost, by(Delivery::Lost)?);
        let two = by_two(engine, trial, &history).map_err(|error| broken(engine, &error))?;
        wrong.two_writers = worse(wrong.two_writers, two);
    }
    Ok(CodecRow {
        name: engine.name.to_owned(),
        of: Of::Engine,
        about: engine.about.to_owned(),
        evidence: Evidence::Software,
        needs: "its store, and a connection".to_owned(),
        decodable: true,
        narrow,
        wide,
        wrong: Some(wrong),
        verdict: Verdict::Inconclusive,
    })
}

/// Three ticks, a connection after each: of the second, this becomes of its messages.
fn by(engine: &Registration, trial: &CodecsTrial, history: &History, delivery: Delivery) -> Result<Wrong, EngineError> {
    let mut net = Net::of(engine, trial, &trial.seed.stream("codec-engines"))?;
    for tick in 0..TICKS {
        net.edit(0, &history.states[tick], &history.states[tick + 1])?;
        net.connection(0, if tick == 1 { delivery } else { Delivery::Exact })?;
    }
    Ok(net.wrong(&history.states[0], &history.states[TICKS]))
}

/// Both clients change registers before either is connected.
fn by_two(engine: &Registration, trial: &CodecsTrial, history: &History) -> Result<Wrong, EngineError> {
    let mut net = Net::of(engine, trial, &trial.seed.stream("codec-engines"))?;
    let old = &history.states[0];
    net.edit(0, old, &history.states[1])?;
    net.edit(1, old, &history.of_other)?;
    (0..HUB).try_for_each(|client| net.connection(client, Delivery::Exact))?;
    let both = history.states[1].iter().zip(&history.of_other).zip(old);
    let due: Vec<i64> = both.map(|((one, other), old)| one.wrapping_add(other.wrapping_sub(*old))).collect();
    Ok(net.wrong(old, &due))
}
