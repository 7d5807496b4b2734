//! The walk that follows every state: level by level, and for each set of deliveries all snapshots in which it can be
//! reached, its classes. What is compared is what the classes of a set show.
//!
//! It is the plain walk: it takes any kind of schedule, keeps two levels of states, remembers how each was reached, and
//! stops at the first level that holds a disagreement, which therefore has the fewest deltas.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::OnceLock;

use num_bigint::BigUint;

use super::plan::{Cost, Limits, Plan, Schedules};
use super::share::in_parts;
use super::subsets::{self, members};
use crate::domain::replica::Replica;
use crate::domain::watch::Watch;

/// Cells that are worked on at a time.
const ROUND: usize = 1 << 14;

/// So many classes are searched one by one, more by a hash.
const SEARCHED: usize = 8;

/// How the walk ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// All ways to every set show the same.
    Agree,
    /// These two sequences deliver the same deltas and end in states that show something else.
    Differ([Vec<u32>; 2]),
    /// The classes of the sets of so many deltas do not fit the budget.
    Full(u32),
    /// The watch asked to stop.
    Stopped,
}

/// What the walk did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// How it ended.
    pub end: End,
    /// Deliveries that were made into sets that were finished.
    pub merges: u64,
    /// Sets (vectors of prefixes, multisets) whose every way was tried.
    pub sets: u64,
    /// Different snapshots of these sets.
    pub classes: u64,
    /// All sets of up to so many deltas were finished.
    pub settled: Option<u32>,
}

/// What the walk costs where every set has one class.
pub fn cost<R: Replica>(replica: &R, plan: &Plan) -> Cost {
    let levels = match &plan.schedules {
        Schedules::EveryOrder { deltas } => widths((0..*deltas).map(|_| vec![1, 1])),
        Schedules::Repeated { deltas, times } => widths((0..*deltas).map(|_| vec![1, *times])),
        Schedules::PerSource { queues } if plan.losses => {
            widths((0..queues.iter().map(Vec::len).sum()).map(|_| vec![1, 1]))
        }
        Schedules::PerSource { queues } => widths(queues.iter().map(|queue| vec![1; queue.len() + 1])),
    };
    let two = (0..levels.len()).map(|m| levels[m.saturating_sub(1)..=m].iter().sum::<BigUint>()).max();
    let ways = levels.iter().sum::<BigUint>() * size_of::<Way>();
    Cost {
        merges: plan.merges(),
        recomputed: BigUint::ZERO,
        memory: two.unwrap_or_default() * entry_bytes(replica) + ways,
    }
}

/// The sizes of the levels of a product of chains, of the numbers of states of each chain by level.
fn widths(chains: impl Iterator<Item = Vec<u32>>) -> Vec<BigUint> {
    chains.fold(vec![BigUint::from(1u8)], |levels, chain| {
        let mut next = vec![BigUint::ZERO; levels.len() + chain.len() - 1];
        for (level, width) in levels.iter().enumerate() {
            for (step, states) in chain.iter().enumerate() {
                next[level + step] += width * states;
            }
        }
        next
    })
}

/// What a state in a level takes, its share of the index included.
fn entry_bytes<R: Replica>(replica: &R) -> u64 {
    let beside = size_of::<Entry<R::Snapshot>>() - size_of::<R::Snapshot>() + 2 * size_of::<u64>();
    replica.snapshot_bytes().max(size_of::<R::Snapshot>() as u64) + beside as u64
}

/// One step of a recorded way: the state before it, by number, and the delta.
#[derive(Clone, Copy)]
struct Way {
    before: u32,
    delta: u32,
}

/// One class of a cell.
struct Entry<S> {
    snapshot: S,
    /// How often each delta was delivered beyond once, four bits each; all 0 where there are no repeats.
    repeats: u128,
    before: Before,
    delta: u32,
}

enum Before {
    /// The state with this number.
    Numbered(u32),
    /// This entry of the same cell.
    Here(u32),
}

/// All cells with equally many deltas. A cell is what has been delivered, repeats aside.
struct Level<S> {
    cells: Vec<u64>,
    /// Where each cell's entries begin, and the end.
    starts: Vec<usize>,
    entries: Vec<Entry<S>>,
    /// The number of the first entry.
    number: usize,
}

impl<S> Level<S> {
    fn of(&self, cell: u64) -> std::ops::Range<usize> {
        let place = self.cells.binary_search(&cell).expect("the level holds every cell of its size");
        self.starts[place]..self.starts[place + 1]
    }
}

/// A finished cell.
struct Cell<S> {
    entries: Vec<Entry<S>>,
    deliveries: u64,
    /// Multisets among the entries; one where there are no repeats.
    sets: u64,
    /// An entry that shows something else than the first.
    differs: Option<usize>,
}

/// What cells are, and which deliveries lead from one to another.
enum Shape<'a> {
    /// Bit `i` of a cell: delta `i` was delivered.
    Sets { deltas: u32, times: u32 },
    /// Digits of a cell, in the radices `length + 1`: how many each source has delivered.
    Prefixes { queues: &'a [Vec<u32>], strides: Vec<u64> },
    /// Bit `i` of a cell: position `i` of the queues, one after the other, was delivered. A delivery is the last so far of
    /// its source.
    Gaps { queues: &'a [Vec<u32>], starts: Vec<u32> },
}

impl<'a> Shape<'a> {
    fn of(plan: &'a Plan) -> Self {
        match &plan.schedules {
            Schedules::EveryOrder { deltas } => Shape::Sets { deltas: *deltas, times: 1 },
            Schedules::Repeated { deltas, times } => Shape::Sets { deltas: *deltas, times: *times },
            Schedules::PerSource { queues } if plan.losses => {
                let starts = queues.iter().scan(0, |end, queue| {
                    let start = *end;
                    *end += queue.len() as u32;
                    Some(start)
                });
                Shape::Gaps { queues, starts: starts.collect() }
            }
            Schedules::PerSource { queues } => {
                let strides = queues.iter().scan(1, |next, queue| {
                    let stride = *next;
                    *next *= queue.len() as u64 + 1;
                    Some(stride)
                });
                Shape::Prefixes { queues, strides: strides.collect() }
            }
        }
    }

    /// Tells `each` the cells one delivery before this one, with the delta that leads here.
    fn before(&self, cell: u64, mut each: impl FnMut(u64, u32)) {
        match self {
            Shape::Sets { .. } => members(cell).for_each(|delta| each(cell & !(1 << delta), delta)),
            Shape::Prefixes { queues, strides } => {
                let mut rest = cell;
                for (queue, stride) in queues.iter().zip(strides) {
                    let radix = queue.len() as u64 + 1;
                    let delivered = rest % radix;
                    rest /= radix;
                    if delivered > 0 {
                        each(cell - stride, queue[delivered as usize - 1]);
                    }
                }
            }
            Shape::Gaps { queues, starts } => {
                for (queue, start) in queues.iter().zip(starts) {
                    let own = (cell >> start) & subsets::all(queue.len() as u32);
                    if let Some(last) = own.checked_ilog2() {
                        each(cell & !(1 << (start + last)), queue[last as usize]);
                    }
                }
            }
        }
    }

    /// Each cell but the empty one comes after exactly one other in this sense: what it lacks is its last digit that is
    /// not 0.
    fn after(&self, cell: u64, after: &mut Vec<u64>) {
        let bits = match self {
            Shape::Sets { deltas, .. } => *deltas,
            Shape::Gaps { queues, .. } => queues.iter().map(Vec::len).sum::<usize>() as u32,
            Shape::Prefixes { queues, strides } => {
                for (queue, stride) in queues.iter().zip(strides) {
                    let radix = queue.len() as u64 + 1;
                    if cell / stride < radix && (cell / stride) % radix < radix - 1 {
                        after.push(cell + stride);
                    }
                }
                return;
            }
        };
        let first = cell.checked_ilog2().map_or(0, |last| last + 1);
        after.extend((first..bits).map(|bit| cell | 1 << bit));
    }

    fn times(&self) -> u32 {
        if let Shape::Sets { times, .. } = self { *times } else { 1 }
    }
}

/// Follows all classes, within the limits; the cost of one class a set must have been found to fit.
pub fn follow<R: Replica>(replica: &R, plan: &Plan, limits: &Limits, watch: &mut dyn Watch) -> Followed {
    let shape = Shape::of(plan);
    let cells = match plan.schedules {
        Schedules::Repeated { deltas, .. } => Plan::every_order(deltas).sets(),
        _ => plan.sets(),
    };
    watch.begin("sets of deltas, with their classes", u64::try_from(cells).unwrap_or(u64::MAX));
    watch.unit("sets");
    let followed = Follow { replica, shape, limits }.levels(watch);
    watch.end();
    followed
}

struct Follow<'a, R> {
    replica: &'a R,
    shape: Shape<'a>,
    limits: &'a Limits,
}

impl<R: Replica> Follow<'_, R> {
    fn levels(&self, watch: &mut dyn Watch) -> Followed {
        let start = Entry { snapshot: self.replica.start(), repeats: 0, before: Before::Numbered(0), delta: 0 };
        let mut ways = vec![Way { before: 0, delta: 0 }];
        let mut level = Level { cells: vec![0], starts: vec![0, 1], entries: vec![start], number: 0 };
        let mut did = Followed { end: End::Agree, merges: 0, sets: 1, classes: 1, settled: Some(0) };
        for size in 1.. {
            let mut cells = Vec::new();
            level.cells.iter().for_each(|&cell| self.shape.after(cell, &mut cells));
            if cells.is_empty() {
                break;
            }
            cells.sort_unstable();
            match self.level(&level, cells, size, &mut ways, &mut did, watch) {
                Ok(next) => level = next,
                Err(end) => {
                    did.end = end;
                    break;
                }
            }
            did.settled = Some(size);
        }
        did
    }

    fn level(
        &self,
        last: &Level<R::Snapshot>,
        cells: Vec<u64>,
        size: u32,
        ways: &mut Vec<Way>,
        did: &mut Followed,
        watch: &mut dyn Watch,
    ) -> Result<Level<R::Snapshot>, End> {
        let mut next = Level { starts: vec![0], entries: Vec::new(), number: ways.len(), cells };
        let most = last.starts.windows(2).map(|cell| cell[1] - cell[0]).max().unwrap_or(0);
        while next.starts.len() <= next.cells.len() {
            let room = self.room(last.entries.len() + next.entries.len(), ways.len());
            let round = self.round(last, most, &next.cells[next.starts.len() - 1..], room);
            let finished: Vec<OnceLock<Option<Cell<R::Snapshot>>>> = round.iter().map(|_| OnceLock::new()).collect();
            let done = in_parts(
                round.len() as u64,
                16,
                self.limits.threads,
                watch,
                || (),
                |(), places| {
                    for place in places {
                        let cell = self.cell(last, round[place as usize], room);
                        assert!(finished[place as usize].set(cell).is_ok(), "each cell is worked on once");
                    }
                },
            );
            if done < round.len() as u64 {
                return Err(End::Stopped);
            }
            for cell in finished {
                let cell = cell.into_inner().expect("all were done").ok_or(End::Full(size))?;
                let first = ways.len();
                did.merges += cell.deliveries;
                did.sets += cell.sets;
                did.classes += cell.entries.len() as u64;
                ways.extend(cell.entries.iter().map(|entry| match entry.before {
                    Before::Numbered(number) => Way { before: number, delta: entry.delta },
                    Before::Here(place) => Way { before: first as u32 + place, delta: entry.delta },
                }));
                if let Some(other) = cell.differs {
                    return Err(End::Differ([sequence(ways, first), sequence(ways, first + other)]));
                }
                next.entries.extend(cell.entries);
                next.starts.push(next.entries.len());
                if did.merges > self.limits.deliveries
                    || self.room(last.entries.len() + next.entries.len(), ways.len()) == 0
                {
                    return Err(End::Full(size));
                }
            }
            if watch.stop_requested() {
                return Err(End::Stopped);
            }
        }
        Ok(next)
    }

    /// How many more states fit.
    fn room(&self, entries: usize, ways: usize) -> usize {
        let state = entry_bytes(self.replica);
        let taken = state.saturating_mul(entries as u64) + (ways * size_of::<Way>()) as u64;
        // A last state may still end where the memory does, hence the 1.
        let room = self.limits.memory.checked_sub(taken).map_or(0, |left| left / (state + size_of::<Way>() as u64) + 1);
        room.min((u32::MAX as usize).saturating_sub(ways) as u64) as usize
    }

    /// The cells to work on next: so many as surely fit, one at least. It depends on states alone, not on threads.
    fn round<'c>(&self, last: &Level<R::Snapshot>, most: usize, cells: &'c [u64], room: usize) -> &'c [u64] {
        let times = self.shape.times() as usize;
        // `most` is the most states of a cell of the last level, and no cell has more than 64 before it.
        if most.saturating_mul(64 * times * ROUND) <= room {
            return &cells[..cells.len().min(ROUND)];
        }
        let mut states = 0;
        let fitting = cells.iter().take(ROUND).take_while(|&&cell| {
            self.shape.before(cell, |before, _| states += last.of(before).len() * times);
            states <= room
        });
        let count = fitting.count().max(1);
        &cells[..count]
    }

    /// All classes of a cell; `None` where there are more than `room`.
    fn cell(&self, last: &Level<R::Snapshot>, cell: u64, room: usize) -> Option<Cell<R::Snapshot>> {
        let mut classes = Classes::default();
        let mut deliveries = 0;
        self.shape.before(cell, |before, delta| {
            for place in last.of(before) {
                if classes.entries.len() > room {
                    return;
                }
                let entry = &last.entries[place];
                let snapshot = self.replica.deliver(&entry.snapshot, delta as usize);
                let before = Before::Numbered((last.number + place) as u32);
                deliveries += 1;
                classes.add(Entry { snapshot, repeats: entry.repeats, before, delta });
            }
        });
        if classes.entries.len() > room {
            return None;
        }
        if self.shape.times() > 1 {
            let mut place = 0;
            while place < classes.entries.len() {
                for delta in members(cell) {
                    let entry = &classes.entries[place];
                    if (entry.repeats >> (4 * delta)) & 15 < u128::from(self.shape.times() - 1) {
                        let snapshot = self.replica.deliver(&entry.snapshot, delta as usize);
                        let repeats = entry.repeats + (1 << (4 * delta));
                        deliveries += 1;
                        classes.add(Entry { snapshot, repeats, before: Before::Here(place as u32), delta });
                        if classes.entries.len() > room {
                            return None;
                        }
                    }
                }
                place += 1;
            }
        }
        let entries = classes.entries;
        let differs = (entries.len() > 1).then(|| {
            let shown = self.replica.show(&entries[0].snapshot);
            entries
                .iter()
                .position(|entry| entry.snapshot != entries[0].snapshot && self.replica.show(&entry.snapshot) != shown)
        });
        let sets = if self.shape.times() > 1 {
            let mut repeats: Vec<u128> = entries.iter().map(|entry| entry.repeats).collect();
            repeats.sort_unstable();
            repeats.dedup();
            repeats.len() as u64
        } else {
            u64::from(!entries.is_empty())
        };
        Some(Cell { entries, deliveries, sets, differs: differs.flatten() })
    }
}

/// The deliveries that led to the state with this number.
fn sequence(ways: &[Way], mut number: usize) -> Vec<u32> {
    let mut deliveries = Vec::new();
    while number != 0 {
        deliveries.push(ways[number].delta);
        number = ways[number].before as usize;
    }
    deliveries.reverse();
    deliveries
}

/// Different states of a cell, in the order in which they were found.
struct Classes<S> {
    entries: Vec<Entry<S>>,
    /// The entries by hash, once there are many. It is only asked for what it holds, so its order is in no result.
    places: HashMap<u64, Vec<u32>>,
}

impl<S> Default for Classes<S> {
    fn default() -> Self {
        Classes { entries: Vec::new(), places: HashMap::new() }
    }
}

impl<S: Eq + std::hash::Hash> Classes<S> {
    fn add(&mut self, entry: Entry<S>) {
        let same = |other: &Entry<S>| other.repeats == entry.repeats && other.snapshot == entry.snapshot;
        let hash = |entry: &Entry<S>| {
            BuildHasherDefault::<DefaultHasher>::default().hash_one((entry.repeats, &entry.snapshot))
        };
        if self.entries.len() < SEARCHED {
            if !self.entries.iter().any(same) {
                self.entries.push(entry);
            }
            return;
        }
        if self.places.is_empty() {
            for (place, entry) in self.entries.iter().enumerate() {
                self.places.entry(hash(entry)).or_default().push(place as u32);
            }
        }
        let places = self.places.entry(hash(&entry)).or_default();
        if !places.iter().any(|&place| same(&self.entries[place as usize])) {
            places.push(self.entries.len() as u32);
            self.entries.push(entry);
        }
    }
}
