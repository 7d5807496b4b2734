//! What was seen in a world while it ran, besides what it came to in the end.

use std::collections::BTreeSet;

use crate::domain::data::{Intent, Part};

/// All that was seen over time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverTime {
    /// What replicas stopped showing; nothing where that was not followed.
    pub unshown: Option<Unshown>,
    /// Whether the engine kept running; nothing where abench itself made the engine.
    pub running: Option<Running>,
    /// How late edits were; nothing where the scenario sets no bound, or where it was not measured.
    pub lateness: Option<Lateness>,
    /// What the hub had to bear; nothing without a hub.
    pub load: Option<Load>,
    /// Whether devices told the truth of what waits to be sent; nothing where the engine does not tell.
    pub outbox: Option<Outbox>,
    /// What was taken out of stocks, and what was refused; nothing in a world without any.
    pub spending: Option<Spending>,
    /// Who was shown as the holder of claims; nothing in a world without any, or where that was not followed.
    pub holders: Option<Holders>,
    /// With which items closed cases were shown; nothing in a world without any, or where that was not followed.
    pub frozen: Option<Frozen>,
    /// What was seen of each register with a name, in their order; nothing in a world without names.
    pub named: Vec<OfName>,
    /// Bytes of ids and acknowledgements, and edits, in equal parts of the world's time until faults are over; nothing where
    /// the engine claims nothing of them.
    pub metadata: Vec<Metadata>,
}

/// Whether an engine that others made kept running.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// How it failed, if it did: the world ends with that.
    pub failed: Option<Failed>,
}

/// How an engine failed by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The replica's name.
    pub node: String,
    /// When, in microseconds.
    pub at: u64,
    /// What it did, in a sentence without its full stop.
    pub why: String,
}

/// What was seen of a register with a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfName {
    /// Edits that were refused as soon as their users made them.
    pub refused: Vec<RefusedAtOnce>,
    /// Edits that their own users saw waiting.
    pub waited: u64,
    /// What the first of those users was shown meanwhile.
    pub first_wait: Option<Wait>,
    /// The longest time from an edit until its user saw it decided, in microseconds; 0 where none was decided.
    pub longest_wait: u64,
    /// Of those that waited, edits that were not decided in the end, as far as their users were told.
    pub still_waiting: u64,
    /// Registers that merge, and that showed edits of others to a user while that user waited.
    pub came_in_meanwhile: BTreeSet<u32>,
    /// The most values that were ever shown of a label at once, at any replica, where those were more than one.
    pub conflict: BTreeSet<u64>,
    /// Everybody who was ever shown as the holder of a claim, at any replica.
    pub holders: BTreeSet<u64>,
    /// Each set of items with which a case was ever shown as closed, at any replica.
    pub closed_with: BTreeSet<BTreeSet<u32>>,
}

/// An edit that waits for a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Whose user waits.
    pub client: String,
    /// What that user's replica shows of the register.
    pub shown: String,
}

/// An edit that was refused as soon as its user made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedAtOnce {
    /// Whose.
    pub client: String,
    /// What the user wanted.
    pub intent: Intent,
    /// When, in microseconds.
    pub at: u64,
    /// What the replica showed of a stock then, where the engine's own rule refused it.
    pub shown: Option<i64>,
}

/// What replicas stopped showing though their stores were not lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unshown {
    /// How often a register was compared with what it showed before.
    pub compared: u64,
    /// How often it showed less. Every part of a view counts that was gone though nobody had taken it away.
    pub less: u64,
    /// Where that was first.
    pub first: Option<FirstUnshown>,
    /// Whether records were shown whole; nothing in a world without any.
    pub halves: Option<Halves>,
    /// What replicas showed when they started again, their stores not lost.
    pub restarts: Restarts,
}

/// What replicas showed when they started again, compared with what they showed before their power failed. A restart is left
/// out where nothing was shown before, and where the power failed over a message: what the message brought may take the
/// place of what was shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restarts {
    /// How many were compared.
    pub compared: u64,
    /// How many registers showed less; every part of a view counts that was gone though nobody had taken it away.
    pub less: u64,
    /// Where that was first.
    pub first: Option<FirstUnshown>,
}

/// Records that were shown without one of their labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Halves {
    /// How often a record was looked at that was there.
    pub looked: u64,
    /// How often half of one was shown.
    pub half: u64,
    /// Where that was first.
    pub first: Option<FirstHalf>,
}

/// What was shown of what must stay as it is once any replica showed it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lasting<T> {
    /// How often it was looked at.
    pub looked: u64,
    /// How many registers had it.
    pub held: u64,
    /// How often another was shown than the first.
    pub second: u64,
    /// Where that was first; before those that the loss of a store may explain, one that none explains.
    pub first: Option<Second<T>>,
    /// Whether every such look came after the store of the node that decides was lost, damaged, set back or replaced: what it
    /// had decided may have been lost.
    pub all_after_loss: bool,
    /// How often a register had it at another replica before the node that decides ever showed the same; 0 where no node decides.
    pub early: u64,
    /// The register and what was shown, where that was first.
    pub first_early: Option<(u32, Seen<T>)>,
}

/// What was shown, the replica's name, and when, in microseconds.
pub type Seen<T> = (T, String, u64);

/// Something else was shown than first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Second<T> {
    /// The register.
    pub register: u32,
    /// What was shown first.
    pub one: Seen<T>,
    /// What was shown then.
    pub other: Seen<T>,
}

/// Who was shown as the holder of what can be had once, by value.
pub type Holders = Lasting<u64>;

/// A second holder of what can be had once.
pub type SecondHolder = Second<u64>;

/// With which items closed cases were shown.
pub type Frozen = Lasting<BTreeSet<u32>>;

/// A closed case that was shown with other items.
pub type ChangedCase = Second<BTreeSet<u32>>;

/// The first time that a replica showed half a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstHalf {
    /// The replica's name.
    pub node: String,
    /// The register.
    pub register: u32,
    /// The label without a value.
    pub label: u32,
    /// When, in microseconds.
    pub at: u64,
}

/// The first time that a replica showed less than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstUnshown {
    /// The replica's name.
    pub node: String,
    /// The register.
    pub register: u32,
    /// The part that is gone; nothing of a counter.
    pub part: Option<Part>,
    /// When, in microseconds.
    pub at: u64,
}

/// What devices told their users of what waits to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    /// How often a device told that nothing waits any more, after its user had edited.
    pub told: u64,
    /// Of these, how often no other replica could have all of that.
    pub early: u64,
    /// The first of those.
    pub first: Option<ToldEarly>,
}

/// A device told that nothing waits, and no other replica could have an edit of its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldEarly {
    /// The device's name.
    pub node: String,
    /// The number of the edit among those of this user, from 1.
    pub edit: u64,
    /// The register.
    pub register: u32,
    /// When the device told so, in microseconds.
    pub at: u64,
}

/// How late edits were at devices that were present together with their authors'.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lateness {
    /// The bound, in microseconds.
    pub bound: u64,
    /// Whether the engine declares that it does not report what its nodes take.
    pub unreported: bool,
    /// Edits times other devices, where the two devices were present together for longer than the bound after the edit.
    pub judged: u64,
    /// Of these, those that took longer than the bound.
    pub late: u64,
    /// The latest.
    pub worst: Option<LateEdit>,
}

/// An edit that was late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateEdit {
    /// Its author's name.
    pub author: String,
    /// The device that lacked it.
    pub device: String,
    /// When both were present and the edit was made, in microseconds.
    pub since: u64,
    /// For how long the device lacked it then, in microseconds; nothing if it lacks it for ever.
    pub waited: Option<u64>,
}

/// The most of something in one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peak {
    /// How much.
    pub most: u64,
    /// When that second ends, in microseconds.
    pub at: u64,
    /// What the scenario allows, where it sets a bound.
    pub bound: Option<u64>,
}

/// What the hub had to bear in its busiest seconds, and how long refused devices waited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Attempts to connect to it.
    pub attempts: Peak,
    /// Messages that arrived at it and that it sent.
    pub messages: Peak,
    /// Their bytes.
    pub bytes: Peak,
    /// How often a refused device tried again.
    pub gaps: u64,
    /// Of these, how often it waited for less than half of its nominal backoff.
    pub hasty: u64,
    /// The first of those: the device's name, how long it waited, and the nominal backoff, in microseconds.
    pub first_hasty: Option<(String, u64, u64)>,
}

/// What users took out of stocks, and which takes and transfers the engine's rule refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spending {
    /// Units that were supplied.
    pub supplied: u64,
    /// Takes that users saw accepted.
    pub takes: u64,
    /// Their units.
    pub taken: u64,
    /// Refusals by the engine's rule, of which the user was told.
    pub refused: u64,
    /// Refusals though enough units were left somewhere at that instant.
    pub left_when_refused: u64,
    /// Units to which stores held rights when they were lost, at least: nobody sells those.
    pub frozen: u64,
    /// Units that were taken though they were not there.
    pub overspent: u64,
    /// The first take of such units; before those that a set-back may explain, one that none explains.
    pub first: Option<Overspent>,
    /// Refusals of units to which their device held rights for certain; and the first.
    pub refused_held: (u64, Option<RefusedUnits<String>>),
    /// Refusals of units that the replica showed; and the first.
    pub refused_shown: (u64, Option<RefusedUnits<String>>),
    /// Whether every such take came after a store of a device that had changed the same stock was set back or damaged: the
    /// device may have held rights again that it had spent.
    pub all_after_set_back: bool,
}

/// A take of more units than were left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overspent {
    /// The device's name.
    pub node: String,
    /// The register.
    pub register: u32,
    /// When, in microseconds.
    pub at: u64,
    /// How many units.
    pub units: u32,
    /// How many were left; below 0 where too many were taken before.
    pub left: i64,
}

/// Units that a device could have had, and that were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedUnits<N> {
    /// The device.
    pub node: N,
    /// The register.
    pub register: u32,
    /// When, in microseconds.
    pub at: u64,
    /// How many units.
    pub units: u32,
    /// How many it could have had.
    pub had: i64,
}

/// Bytes of ids and acknowledgements, and the edits made meanwhile that meant something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Bytes.
    pub bytes: u64,
    /// All bytes, whatever they are for.
    pub all: u64,
    /// Edits.
    pub edits: u64,
    /// How long connections were up meanwhile, in milliseconds, each counted once for every one that was up at the same time, itself
    /// included.
    pub together_ms: u64,
}
