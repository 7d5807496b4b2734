//! One engine: the bytes of its ticks, by which a client comes back to a hub that it met before, and what the hub shows.

use std::collections::BTreeSet;

use crate::domain::codecs::{Claims, CodecsTrial};
use crate::domain::data::{DataType, Element, Fields, Intent, View};
use crate::domain::evidence::Evidence;
use crate::domain::seed::Stream;
use crate::domain::subject::SubjectError;
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use crate::engine::host::NodeId;
use crate::engine::port::EngineError;
use crate::engine::process::protocol::Transport;
use crate::engine::{Open, Registration};
use crate::experiment::codecs::HISTORIES;
use crate::experiment::codecs::deliveries::{sizes_of, worse};
use crate::experiment::codecs::ticks::{History, TICKS, Width};
use crate::lab::net::{Delivery, Moved, Net};
use crate::report::codecs_record::{CodecRow, Of, Sizes, Wrong, WrongRegisters};

/// Clients besides the hub.
const CLIENTS: NodeId = 2;

/// Ticks of each kind, and histories, of an engine that is started anew for each: a process takes a tenth of a second.
const OF_PROCESSES: (u32, u32) = (10, 3);

/// Elements of tags, where an engine carries any.
const ELEMENTS: u32 = 16;

/// Elements that a tick inserts or removes.
const TAGGED: usize = 4;

/// What a history comes to.
struct Due {
    counters: Vec<i64>,
    tags: BTreeSet<Element>,
}

/// One engine on trial.
struct On<'a> {
    engine: &'static Registration,
    trial: &'a CodecsTrial,
    random: Stream,
    /// Counters, and one register of tags where the engine carries tags.
    fields: Fields,
}

impl On<'_> {
    /// Two clients and a hub that have met.
    fn net(&self, fields: Fields) -> Result<Net, EngineError> {
        let mut net = Net::of(self.engine, fields, CLIENTS, &self.random)?;
        (0..CLIENTS).try_for_each(|client| net.connection(client, Delivery::Exact).map(drop))?;
        Ok(net)
    }

    fn counters(&self) -> Fields {
        Fields::counters(self.trial.registers, 0)
    }

    /// A client changes its counters.
    fn edit(net: &mut Net, client: NodeId, old: &[i64], new: &[i64]) -> Result<(), EngineError> {
        for (register, (old, new)) in (0..).zip(old.iter().zip(new)) {
            if old != new {
                net.edit(client, register, Intent::Increase(new.wrapping_sub(*old)))?;
            }
        }
        Ok(())
    }

    /// A client inserts elements that are not there, and removes one of each three that are.
    fn tag(&self, net: &mut Net, client: NodeId, random: &mut Stream, due: &mut Due) -> Result<(), EngineError> {
        if self.fields.tags == 0 {
            return Ok(());
        }
        let register = self.fields.counters;
        let shown = net.shows(client)[register as usize].tags().cloned().unwrap_or_default();
        let mut elements: Vec<Element> = (0..ELEMENTS).collect();
        random.shuffle(&mut elements);
        for &element in &elements[..TAGGED] {
            let intent = if shown.contains(&element) { Intent::Remove(element) } else { Intent::Insert(element) };
            net.edit(client, register, intent)?;
            match intent {
                Intent::Remove(_) => due.tags.remove(&element),
                _ => due.tags.insert(element),
            };
        }
        Ok(())
    }

    /// What the hub shows otherwise than is due.
    fn wrong(&self, net: &Net, due: &Due) -> Wrong {
        let mut wrong = Wrong::default();
        for (register, shown) in (0..).zip(net.shows(net.hub())) {
            match (self.fields.of(register), shown) {
                (DataType::Tags, View::Tags(tags)) => {
                    wrong.lost = due.tags.difference(&tags).count() as u32;
                    wrong.resurrected = tags.difference(&due.tags).count() as u32;
                }
                (_, shown) => {
                    let is_wrong = shown != View::Counter(due.counters[register as usize]);
                    wrong.registers += u32::from(is_wrong);
                }
            }
        }
        wrong.silent = wrong.registers;
        wrong
    }

    /// Bytes of first ticks of a kind.
    fn sizes(&self, width: Width, ticks: u32, watch: &mut dyn Watch) -> Result<(Sizes, Wrong), Broken> {
        let (mut messages, mut connections, mut wrong) = (Vec::new(), Vec::new(), Wrong::default());
        for number in 0..ticks {
            if number % 64 == 0 && watch.stop_requested() {
                return Err(Broken::Stopped);
            }
            let history = History::drawn(self.trial, width, number.into());
            let [old, new] = [&history.states[0], &history.states[1]];
            let mut net = self.net(self.counters())?;
            Self::edit(&mut net, 0, old, new)?;
            let moved: Moved = net.connection(0, Delivery::Exact)?;
            messages.push(moved.edits);
            connections.push(moved.total());
            let due = Due { counters: differences(old, new), tags: BTreeSet::new() };
            let shown = On { fields: self.counters(), random: self.random.clone(), ..*self };
            wrong = worse(wrong, shown.wrong(&net, &due));
        }
        Ok((Sizes { connection: Some(sizes_of(connections).median), ..sizes_of(messages) }, wrong))
    }

    /// Three ticks, a connection after each: of the second, this becomes of its messages.
    fn by(&self, history: &History, delivery: Delivery) -> Result<Wrong, EngineError> {
        let mut net = self.net(self.fields)?;
        let mut random = self.random.member(history.sequence);
        let mut due = Due { counters: differences(&history.states[0], &history.states[TICKS]), tags: BTreeSet::new() };
        for tick in 0..TICKS {
            Self::edit(&mut net, 0, &history.states[tick], &history.states[tick + 1])?;
            self.tag(&mut net, 0, &mut random, &mut due)?;
            net.connection(0, if tick == 1 { delivery } else { Delivery::Exact })?;
        }
        Ok(self.wrong(&net, &due))
    }

    /// Three ticks. After the second, the client's store is set back to what it was before it. A client that refuses to go on
    /// has noticed.
    fn set_back(&self, history: &History) -> Result<Wrong, EngineError> {
        let mut net = self.net(self.fields)?;
        let mut random = self.random.member(history.sequence);
        let mut due = Due { counters: differences(&history.states[0], &history.states[2]), tags: BTreeSet::new() };
        let mut backup = None;
        for tick in 0..2 {
            if tick == 1 {
                backup = Some(net.back_up(0)?);
            }
            Self::edit(&mut net, 0, &history.states[tick], &history.states[tick + 1])?;
            self.tag(&mut net, 0, &mut random, &mut due)?;
            net.connection(0, Delivery::Exact)?;
        }
        let last = |net: &mut Net, due: &mut Due| {
            net.set_back(0, backup.expect("it was made"))?;
            Self::edit(net, 0, &history.states[2], &history.states[3])?;
            due.counters = differences(&history.states[0], &history.states[3]);
            self.tag(net, 0, &mut random, due)?;
            // The second connection brings what the hub said in the first.
            (0..2).try_for_each(|_| net.connection(0, Delivery::Exact).map(drop))
        };
        match last(&mut net, &mut due) {
            Err(EngineError::Store(_)) => Ok(Wrong { silent: 0, ..self.wrong(&net, &due) }),
            done => done.map(|()| self.wrong(&net, &due)),
        }
    }

    /// Both clients change registers before either is connected.
    fn by_two(&self, history: &History) -> Result<Wrong, EngineError> {
        let mut net = self.net(self.fields)?;
        let mut random = self.random.member(history.sequence);
        let old = &history.states[0];
        let both = history.states[1].iter().zip(&history.of_other).zip(old);
        let counters = both.map(|((one, other), old)| one.wrapping_sub(*old).wrapping_add(other.wrapping_sub(*old)));
        let mut due = Due { counters: counters.collect(), tags: BTreeSet::new() };
        for (client, new) in [(0, &history.states[1]), (1, &history.of_other)] {
            Self::edit(&mut net, client, old, new)?;
            self.tag(&mut net, client, &mut random, &mut due)?;
        }
        (0..CLIENTS).try_for_each(|client| net.connection(client, Delivery::Exact).map(drop))?;
        // Both inserted alone, as neither saw what the other did: all of it is due.
        Ok(self.wrong(&net, &due))
    }
}

fn differences(old: &[i64], new: &[i64]) -> Vec<i64> {
    old.iter().zip(new).map(|(old, new)| new.wrapping_sub(*old)).collect()
}

/// Why an engine was not measured to the end.
enum Broken {
    Stopped,
    Engine(EngineError),
}

impl From<EngineError> for Broken {
    fn from(error: EngineError) -> Self {
        if error == EngineError::Interrupted { Broken::Stopped } else { Broken::Engine(error) }
    }
}

/// What an engine declares of its transport; one of abench, or a library, has to do with every one.
fn claims_of(engine: &Registration) -> Claims {
    let declared = match engine.open {
        Open::Function(_) => None,
        Open::Started(started) => started.capabilities().map(|is| is.transport),
    };
    match declared {
        None | Some(Transport::AnyOrder) => Claims::AnyOrder,
        Some(Transport::InOrder) => Claims::InOrder,
        Some(Transport::ExactlyOnce) => Claims::ExactlyOnce,
    }
}

/// The row of an engine.
pub fn row(
    engine: &'static Registration,
    trial: &CodecsTrial,
    watch: &mut dyn Watch,
) -> Result<CodecRow, SubjectError> {
    let (ticks, histories) = match engine.open {
        Open::Function(_) => (trial.ticks, HISTORIES.min(trial.ticks)),
        Open::Started(_) => (trial.ticks.min(OF_PROCESSES.0), trial.ticks.min(OF_PROCESSES.1)),
    };
    let mut row = CodecRow {
        name: engine.name.to_owned(),
        of: Of::Engine,
        about: engine.about.to_owned(),
        evidence: Evidence::Software,
        needs: "its store, and a connection".to_owned(),
        decodable: true,
        claims: claims_of(engine),
        ticks,
        histories,
        narrow: Sizes::default(),
        wide: None,
        wrong: None,
        failed: None,
        verdict: Verdict::Inconclusive,
    };
    match measured(engine, trial, &mut row, watch) {
        Ok(()) => Ok(row),
        Err(Broken::Stopped) => Err(SubjectError::Interrupted),
        Err(Broken::Engine(EngineError::Unavailable(why))) => Err(SubjectError::Unavailable(why)),
        Err(Broken::Engine(error)) if engine.foreign => {
            row.failed = Some(error.to_string());
            Ok(row)
        }
        Err(Broken::Engine(error)) => Err(SubjectError::Internal(format!("the ticks of {}: {error}", engine.name))),
    }
}

fn measured(
    engine: &'static Registration,
    trial: &CodecsTrial,
    row: &mut CodecRow,
    watch: &mut dyn Watch,
) -> Result<(), Broken> {
    let tags = u32::from(engine.carries.has(DataType::Tags));
    let elements = if tags == 0 { 0 } else { ELEMENTS };
    let fields = Fields { tags, elements, ..Fields::counters(trial.registers, 0) };
    let on = On { engine, trial, random: trial.seed.stream("codec-engines"), fields };
    let (narrow, mut exact) = on.sizes(Width::Narrow, row.ticks, watch)?;
    row.narrow = narrow;
    // Amounts of 64 bits are none for an engine that says that it does not keep them.
    if engine.keeps_all_numbers() {
        let (wide, wrong) = on.sizes(Width::Wide, row.ticks, watch)?;
        (row.wide, exact) = (Some(wide), worse(exact, wrong));
    }
    let (mut wrong, mut cut_off, mut set_back) =
        (WrongRegisters { exact, ..WrongRegisters::default() }, Wrong::default(), Wrong::default());
    for number in 0..row.histories {
        if watch.stop_requested() {
            return Err(Broken::Stopped);
        }
        let history = History::drawn(trial, Width::Narrow, number.into());
        // An engine may take the first change of a register, and lose the next.
        wrong.exact = worse(wrong.exact, on.by(&history, Delivery::Exact)?);
        wrong.repeated = worse(wrong.repeated, on.by(&history, Delivery::Repeated)?);
        wrong.reordered = worse(wrong.reordered, on.by(&history, Delivery::Reordered)?);
        wrong.lost = worse(wrong.lost, on.by(&history, Delivery::Lost)?);
        wrong.two_writers = worse(wrong.two_writers, on.by_two(&history)?);
        cut_off = worse(cut_off, on.by(&history, Delivery::CutOff)?);
        set_back = worse(set_back, on.set_back(&history)?);
    }
    (wrong.cut_off, wrong.set_back) = (Some(cut_off), Some(set_back));
    row.wrong = Some(wrong);
    Ok(())
}
