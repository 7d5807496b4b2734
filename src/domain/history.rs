//! What happened in a world, as the judges see it: the ledger of the users, and what the replicas came to. What a replica
//! says of itself is in three numbers alone: edits and acknowledgements of which it does not hold the ids any more, and
//! what it has left to send.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::data::{Carries, Fields, Intent, View};
use crate::domain::fault_count::FaultCounts;
use crate::domain::over_time::OverTime;
use crate::domain::traffic::Traffic;

/// One edit of a user: one that it is going to make, or, in the ledger, one that it saw accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserEdit {
    /// When, in microseconds of virtual time.
    pub at: u64,
    /// Which register.
    pub register: u32,
    /// What it is to do; never an increase by 0.
    pub intent: Intent,
    /// Whether it must count.
    pub fate: Fate,
}

impl UserEdit {
    /// By how much a counter or a stock becomes larger; 0 for another data type.
    pub fn amount(&self) -> i64 {
        self.intent.amount().unwrap_or(0)
    }
}

/// Edits of a device that were made after its store was lost, set back or replaced: whoever has one of them need not have
/// those that went with the store, which others may still have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Whose.
    pub device: usize,
    /// The number of the first. The stretch ends where the next one of the device begins.
    pub first: u32,
}

/// Which edits a replica had: of each stretch of a device's edits, all up to some one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Had {
    /// The stretches that do not begin with their device's first edit.
    later: Arc<[Stretch]>,
    /// Up to which edit, that one excluded: of the first stretch of each device, and then of each later stretch.
    upto: Arc<[u32]>,
}

impl Had {
    /// Up to these edits: of the first stretch of each device, and then of as many later ones as there are.
    pub fn upto(upto: &[u32], later: Arc<[Stretch]>) -> Self {
        Had { later, upto: upto.into() }
    }

    /// Whether this edit of a device is among them.
    pub fn has(&self, device: usize, number: u32) -> bool {
        let devices = self.upto.len() - self.later.len();
        let (of_first, of_later) = self.upto.split_at(devices);
        let mut later = self.later.iter().zip(of_later);
        of_first.get(device).is_some_and(|&upto| number < upto)
            || later.any(|(stretch, &upto)| stretch.device == device && (stretch.first..upto).contains(&number))
    }
}

/// What a user's replica showed when the user made an edit that means what is shown: without it nobody can say what a remove
/// takes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// What the register showed.
    pub shown: View,
    /// Which edits had reached the replica for certain, as far as messages tell.
    pub had: Had,
    /// By device, no more edits can have reached the replica: no message could have brought them.
    pub may_have: Arc<[u32]>,
    /// What the user's clock showed, in microseconds.
    pub wall: i64,
}

/// Whether an edit must be in what replicas show in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// It must count, once.
    #[default]
    Binding,
    /// It may be missing. A crash came before its user saw it accepted, or no replica but its author's ever showed it and
    /// that store was lost: no engine can keep such an edit.
    Unshared,
    /// Others had shown it, and then every store was lost that its engine declares to keep it in. Whether it is still there
    /// is the engine's luck: a replica that lacks it is neither right nor wrong.
    Undeclared {
        /// How many replicas had shown it, its author's included.
        shown_by: u32,
    },
}

impl Fate {
    /// Whether no engine can be asked to have it.
    pub fn is_unshared(self) -> bool {
        self == Fate::Unshared
    }

    /// Whether its engine does not promise to have it, though others had shown it.
    pub fn is_undeclared(self) -> bool {
        matches!(self, Fate::Undeclared { .. })
    }
}

/// The independent list of what users did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The registers, and what they were at the start.
    pub fields: Fields,
    /// Every edit, by device, in the order of each.
    pub by_device: Vec<Vec<UserEdit>>,
    /// By device and number of the edit, what users had seen: of every edit that means what is shown.
    pub sightings: BTreeMap<(usize, u32), Sighting>,
}

impl Ledger {
    /// Of counters alone.
    pub fn of_counters(counters: u32, start: i64, by_device: Vec<Vec<UserEdit>>) -> Self {
        Ledger { fields: Fields::counters(counters, start), by_device, sightings: BTreeMap::new() }
    }

    /// Every edit, device by device.
    pub fn edits(&self) -> impl Iterator<Item = &UserEdit> {
        self.by_device.iter().flatten()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_device.iter().map(Vec::len).sum()
    }

    /// Whether no user did anything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What every register that shows a sum should come to, without the edits that no engine can be asked to have.
    pub fn truth(&self) -> Vec<i64> {
        let start = |register| self.fields.start_of(register).number().unwrap_or(0);
        let mut truth: Vec<i64> = (0..self.fields.sums()).map(start).collect();
        for edit in self.edits().filter(|edit| !edit.fate.is_unshared()) {
            if let Some(sum) = truth.get_mut(edit.register as usize) {
                *sum = sum.wrapping_add(edit.amount());
            }
        }
        truth
    }
}

/// What a node came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeEnd {
    /// Its name.
    pub name: String,
    /// What it shows of every register.
    pub registers: Vec<View>,
}

impl NodeEnd {
    /// Of a node that shows counters alone.
    pub fn of_counters(name: impl Into<String>, counters: impl IntoIterator<Item = i64>) -> Self {
        NodeEnd { name: name.into(), registers: counters.into_iter().map(View::Counter).collect() }
    }
}

/// What became of edits, at the replica that has most wrong registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Registers that are wrong there.
    pub wrong: u32,
    /// Edits that do not count.
    pub lost: u32,
    /// Edits that count twice.
    pub repeated: u32,
    /// Registers that no two edits explain.
    pub unexplained: u32,
    /// Registers of which it cannot be told whether they are wrong, where that is most: too many edits may be missing.
    pub undecided: u32,
    /// Registers that lack edits which the engine does not declare to keep, where that is most.
    pub beyond: u32,
}

/// What the same world came to with unique amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniqueAmounts {
    /// It came to rest, and this became of its edits.
    Counts(Counts),
    /// It did not, and of an edit that does not count nobody can say that it is lost.
    Unfinished {
        /// Whether everything was quiescent in the end.
        quiescent: bool,
        /// Deltas that were left unsent, or given up.
        backlog: u64,
    },
}

/// Why nobody can be judged by the end of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutOff {
    /// Faults were not over after more messages than any world needs.
    BeforeFaultsEnded(u64),
    /// All was quiescent when the time was over, and a replica was going to send on, or a message to come.
    WhileWaiting {
        /// When, in microseconds since faults were over.
        next: u64,
        /// How many messages were on their way.
        under_way: u64,
    },
    /// The engine failed by itself.
    EngineFailed,
}

/// Everything that judges need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// What users did.
    pub ledger: Ledger,
    /// What each replica shows in the end.
    pub ends: Vec<NodeEnd>,
    /// What the same world came to with unique amounts, if it was run.
    pub unique_amounts: Option<UniqueAmounts>,
    /// Edits that a user saw accepted and that a device did not have any more after a restart.
    pub forgotten: u64,
    /// Nodes that did not have any more, after a restart, what they had acknowledged.
    pub broken: u64,
    /// Clients of which, in the end, nobody has what was acknowledged to them: the parent, or, between peers, any other.
    pub unkept: u64,
    /// How often nodes started again that can be asked which edits they hold; nothing if they cannot.
    pub restarts: Option<u64>,
    /// Why the world was cut off before its replicas had a chance to agree, if it was.
    pub cut_off: Option<CutOff>,
    /// Steps of the script that could not be done, or that waited in vain.
    pub unmet: Vec<String>,
    /// Whether everything was quiescent in the end.
    pub quiescent: bool,
    /// How long the world lasted, in microseconds.
    pub lasted: u64,
    /// When the last message arrived after faults were over, in microseconds since then.
    pub settled_after: u64,
    /// How long it may take, in microseconds.
    pub settle_bound: u64,
    /// Deltas that were left unsent, or given up, in the end.
    pub backlog: u64,
    /// Bytes of one and the same tick, early and late in a long history, where an engine claims that they do not grow.
    pub ticks: Vec<u64>,
    /// The same where each tick is told in a visit of its own, so that handshakes count.
    pub visits: Vec<u64>,
    /// Which losses of stores the engine declares that an edit survives, in words.
    pub survives: &'static str,
    /// How often each fault that the scenario asks for was injected, and took effect.
    pub faults: FaultCounts,
    /// The data types that the engine carries, and its policies.
    pub carries: Carries,
    /// Whether the world has a node that all others sync through, which can decide what only one may.
    pub has_authority: bool,
    /// What was seen while the world ran.
    pub over_time: OverTime,
    /// Edits that were refused: their users were told, and they must not count.
    pub refused_edits: u64,
    /// Whether the engine has timers of its own, which nothing stops: it need not fall silent.
    pub own_timers: bool,
    /// All traffic: what clients sent, and what was sent to them by others than clients.
    pub traffic: (Traffic, Traffic),
}
