//! One engine at one point of a curve: a small net is built, gets a history, and is measured sync by sync.

use std::collections::BTreeSet;

use crate::domain::curves::Point;
use crate::domain::data::{Fields, Intent, View};
use crate::domain::seed::Stream;
use crate::engine::Registration;
use crate::engine::host::NodeId;
use crate::engine::port::EngineError;
use crate::lab::net::{Delivery, Net};
use crate::report::curves_record::CurveRow;

/// Ticks that a store is set back by.
const BACK: u32 = 10;

/// What one writer changes in a sync: its registers before and after.
pub(super) struct Message {
    pub(super) old: Vec<i64>,
    pub(super) new: Vec<i64>,
}

/// The edits of a point, and the state that they come to. It is drawn without any engine.
pub(super) struct Edits {
    point: Point,
    random: Stream,
    /// What every register comes to.
    pub(super) truth: Vec<i64>,
    /// What each writer knows: the truth as of its last sync, with its own edits since.
    known: Vec<Vec<i64>>,
}

impl Edits {
    pub(super) fn of(point: Point, seed: &Stream) -> Self {
        let truth = vec![0; point.registers as usize];
        let known = vec![truth.clone(); point.writers as usize];
        Edits { point, random: seed.member(point.x.into()), truth, known }
    }

    /// The registers that each writer changes in one tick. Those that all change are drawn first.
    fn registers(&mut self) -> Vec<Vec<u32>> {
        let Point { registers, changed, writers, overlap, .. } = self.point;
        let mut all: Vec<u32> = (0..registers).collect();
        self.random.shuffle(&mut all);
        let shared = if writers == 1 { changed } else { changed * overlap / 100 };
        let (of_all, rest) = all.split_at(shared as usize);
        let own = (changed - shared) as usize;
        (0..writers as usize)
            .map(|writer| {
                // Where there are too few registers for all, writers share those that there are.
                let theirs = rest.iter().cycle().skip(writer * own).take(own.min(rest.len()));
                of_all.iter().chain(theirs).copied().collect()
            })
            .collect()
    }

    /// A tick of every writer: who adds how much to what.
    pub(super) fn tick(&mut self) -> Vec<Vec<(u32, i64)>> {
        let registers = self.registers();
        let most = self.point.most;
        let mut ticks = Vec::new();
        for (writer, registers) in registers.into_iter().enumerate() {
            let mut tick = Vec::new();
            for register in registers {
                let drawn = self.random.below(2 * most as u64) as i64 - most;
                let amount = drawn + i64::from(drawn >= 0);
                let place = register as usize;
                self.truth[place] = self.truth[place].wrapping_add(amount);
                self.known[writer][place] = self.known[writer][place].wrapping_add(amount);
                tick.push((register, amount));
            }
            ticks.push(tick);
        }
        ticks
    }

    /// All writers sync: the messages that this needs, from each writer to the hub, and, with more than one, to each. Before it
    /// all knew `before`.
    pub(super) fn synced(&mut self, before: &[i64]) -> Vec<Message> {
        let up = self.known.iter().map(|known| Message { old: before.to_vec(), new: known.clone() });
        let mut messages: Vec<Message> = up.collect();
        if self.known.len() > 1 {
            messages.extend(self.known.iter().map(|known| Message { old: known.clone(), new: self.truth.clone() }));
        }
        self.known = vec![self.truth.clone(); self.known.len()];
        messages
    }
}

/// A net with a history.
struct Measured {
    net: Net,
    edits: Edits,
}

impl Measured {
    fn of(engine: &'static Registration, point: Point, clients: u32, seed: &Stream) -> Result<Self, EngineError> {
        let fields = Fields::counters(point.registers, 0);
        let mut net = Net::of(engine, fields, clients, &seed.member(u64::MAX))?;
        (0..point.writers).try_for_each(|client| net.connection(client, Delivery::Exact).map(drop))?;
        let mut measured = Measured { net, edits: Edits::of(point, seed) };
        for _ in 0..point.history {
            measured.sync(1)?;
        }
        Ok(measured)
    }

    /// Every writer makes ticks, then all sync, so that all know all. Gives bytes up and down.
    fn sync(&mut self, ticks: u32) -> Result<(u64, u64), EngineError> {
        let before = self.edits.truth.clone();
        for _ in 0..ticks {
            for (writer, tick) in (0..).zip(self.edits.tick()) {
                for (register, amount) in tick {
                    self.net.edit(writer, register, Intent::Increase(amount))?;
                }
            }
        }
        let writers = self.edits.point.writers;
        self.edits.synced(&before);
        // The first round brings all to the hub, the second what others said to each.
        let rounds = if writers == 1 { 1 } else { 2 };
        let (mut up, mut down) = (0, 0);
        for writer in (0..rounds).flat_map(|_| 0..writers) {
            let moved = self.net.connection(writer, Delivery::Exact)?;
            (up, down) = (up + moved.up, down + moved.down);
        }
        Ok((up, down))
    }

    /// Registers that are wrong at the worst of these nodes.
    fn wrong(&self, nodes: impl IntoIterator<Item = NodeId>) -> u32 {
        let is_wrong = |(shown, due): (&View, &i64)| *shown != View::Counter(*due);
        let of = |node| self.net.shows(node).iter().zip(&self.edits.truth).filter(|both| is_wrong(*both)).count();
        nodes.into_iter().map(|node| of(node) as u32).max().unwrap_or(0)
    }

    fn everyone(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.edits.point.writers).chain([self.net.hub()])
    }
}

/// The row of an engine at a point: the median of so many syncs.
pub(super) fn row(
    engine: &'static Registration,
    point: Point,
    samples: u32,
    seed: &Stream,
) -> Result<CurveRow, EngineError> {
    let mut of = Measured::of(engine, point, point.writers, seed)?;
    let (mut syncs, mut wrong) = (Vec::new(), of.wrong(of.everyone()));
    for _ in 0..samples {
        syncs.push(of.sync(point.away)?);
        wrong = wrong.max(of.wrong(of.everyone()));
    }
    syncs.sort_by_key(|(up, down)| up + down);
    let (up, down) = syncs[(syncs.len() - 1) / 2];
    let hub = of.net.hub();
    let (hub_stores, client_stores) = (of.net.stored(hub)?, of.net.stored(0)?);
    Ok(CurveRow { engine: engine.name.to_owned(), up, down, wrong, hub_stores, client_stores })
}

/// Bytes that a client pays which comes without what it had, and wrong registers after that.
pub(super) struct Arrivals {
    pub(super) new: u64,
    pub(super) wiped: u64,
    pub(super) set_back: Option<u64>,
    pub(super) idle: u64,
    pub(super) wrong: u32,
}

/// After `point.history` ticks of two writers, in a net of its own for each kind of arrival.
pub(super) fn arrivals(engine: &'static Registration, point: Point, seed: &Stream) -> Result<Arrivals, EngineError> {
    let newcomer = point.writers;
    let mut wrong = 0;
    let mut of = Measured::of(engine, point, point.writers + 1, seed)?;
    let idle = of.net.connection(0, Delivery::Exact)?.total();
    let new = of.net.connection(newcomer, Delivery::Exact)?.total();
    wrong = wrong.max(of.wrong(of.everyone().chain([newcomer])));
    // Nothing of the client that is wiped waits to be sent.
    of.net.wipe(0)?;
    let wiped = of.net.connection(0, Delivery::Exact)?.total();
    wrong = wrong.max(of.wrong([0]));
    let mut of = Measured::of(engine, point, point.writers, seed)?;
    let backup = of.net.back_up(0)?;
    for _ in 0..BACK {
        of.sync(1)?;
    }
    let went_on = of.net.set_back(0, backup).and_then(|()| of.net.connection(0, Delivery::Exact));
    let set_back = match went_on {
        Ok(moved) => Some(moved.total()),
        Err(EngineError::Store(_)) => None,
        Err(error) => return Err(error),
    };
    if set_back.is_some() {
        wrong = wrong.max(of.wrong([0]));
    }
    Ok(Arrivals { new, wiped, set_back, idle, wrong })
}

/// The registers that a message changes.
pub(super) fn changed(message: &Message) -> u32 {
    let places: BTreeSet<usize> = message
        .old
        .iter()
        .zip(&message.new)
        .enumerate()
        .filter(|(_, (old, new))| old != new)
        .map(|(at, _)| at)
        .collect();
    places.len() as u32
}
