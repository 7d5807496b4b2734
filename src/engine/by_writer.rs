//! What each writer made of each register. Whoever has a writer's newest share of a register has all that the writer ever did
//! to it, so that any replica can give everything back, whatever stores were lost.
//!
//! What is sent to a neighbour is shares that it does not have as they are; how two of the same writer are merged, the share
//! knows. A device that starts again may be a copy of another, or set back: its shares are those of a new incarnation.
//!
//! Knows: shares. Must not: know connections, or whether anything arrives.

pub mod mutant;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::{Hash, Hasher};

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};

use crate::data::record;
use crate::domain::data::{DataType, Element, Fields, Intent, Record, Spending, Value, View};
use crate::domain::traffic::Kind;
use crate::engine::host::{Merge, NodeId, Round};
use crate::engine::reliable_channel::by_actor::{self, OfActor};
use crate::engine::reliable_channel::content::{About, Content, Peers, is_shown};
use crate::engine::reliable_channel::pending::PendingChanges;
use crate::engine::vector::Actor;
use crate::engine::wire::{Malformed, Reader, Writer, placed};
use mutant::Mutant;

/// Bits of the gap between two registers in which a share says how it is written.
const FORM: u32 = 2;

/// The rights of a store to a stock, in units. What others sent may say any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// What it supplied, less what it took.
    pub own: i128,
    /// What it transferred to others.
    pub given: i128,
    /// What others transferred to it.
    pub received: i128,
}

impl Held {
    fn and(self, other: Held) -> Held {
        Held { own: self.own + other.own, given: self.given + other.given, received: self.received + other.received }
    }
}

/// What an edit needs to know beside its writer's share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Of a stock: the store here.
    pub here: u32,
    /// The store that receives rights; 0 where none does.
    pub to: u32,
    /// Of a record: the life that the edit belongs to.
    pub life: u64,
    /// Up to which life it is buried.
    pub buried: u64,
    /// How many labels it has.
    pub labels: u32,
}

/// What shares tell of a record as such.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lived {
    /// The last life that was changed. Each create under a used key begins another.
    pub life: u64,
    /// Whether it is there.
    pub is_there: bool,
    /// When the node that buries records heard that it is deleted, in milliseconds of that node's clock.
    pub deleted: Option<i64>,
    /// Up to which life it is buried: nothing of that comes back.
    pub buried: u64,
}

impl Lived {
    fn and(self, other: Lived) -> Lived {
        Lived {
            life: self.life.max(other.life),
            is_there: self.is_there || other.is_there,
            deleted: self.deleted.max(other.deleted),
            buried: self.buried.max(other.buried),
        }
    }
}

/// What one writer made of one register. A writer's shares of a register are ordered: a later one has all of those before.
pub trait Share: Clone + Debug + Eq + Hash + Send + Sync + Serialize + DeserializeOwned {
    /// Nothing yet.
    fn new(data: DataType) -> Self;

    /// When a user may take units out of a stock.
    const SPENDING: Spending = Spending::Shown;

    /// The writer edits.
    fn edit(&mut self, intent: Intent, beside: &Beside);

    /// The share in which a store announces itself when it begins, at a time in milliseconds of its clock.
    fn announced(_data: DataType, _store: u32, _since: i64) -> Option<Self> {
        None
    }

    /// The store that a share announces, and since when.
    fn announces(&self) -> Option<(i64, u32)> {
        None
    }

    /// The rights of a store to a stock, as far as they are in this share.
    fn rights_of(&self, _store: u32) -> Held {
        Held::default()
    }

    /// Anyone takes away what this writer made; gives whether something was.
    fn taken_away(&mut self, _intent: Intent) -> bool {
        false
    }

    /// How long after a delete was heard of the record is buried, in milliseconds; nothing where none is.
    const HORIZON: Option<i64> = None;

    /// What it tells of a record as such; nothing of another data type.
    fn lived(&self) -> Lived {
        Lived::default()
    }

    /// A record is deleted, as this node hears now.
    fn note_deleted(&mut self, _millis: i64) {}

    /// The writer buries a record, up to a life.
    fn bury(&mut self, _life: u64) {}

    /// A record is buried up to a life: drops what belongs to that. Gives whether anything is left.
    fn outlives(&mut self, _buried: u64) -> bool {
        true
    }

    /// In whose name the writer asked first for what can be had once, by value.
    fn first_asked(&self) -> Option<Value> {
        None
    }

    /// To whom the writer gave what can be had once.
    fn granted(&self) -> Option<Value> {
        None
    }

    /// The writer decides who gets what can be had once.
    fn grant(&mut self, _value: Value) {}

    /// Which items of a case the writer did, and whether it asked to close that.
    fn work(&self) -> Option<(&BTreeSet<Element>, bool)> {
        None
    }

    /// With which items the writer closed a case.
    fn closed(&self) -> Option<&BTreeSet<Element>> {
        None
    }

    /// The writer closes a case with these items.
    fn close(&mut self, _items: BTreeSet<Element>) {}

    /// All shares of a register are in its view: sees to what only all of them tell.
    fn settle(_view: &mut View) {}

    /// Has a record be there, whatever became of that: the mistake of a mutant.
    fn assert_record(&mut self) {}

    /// Takes away what every field of a record shows; gives whether anything was: the mistake of a mutant.
    fn clear_record(&mut self) -> bool {
        false
    }

    /// Whether what the writer made is still shown, of a data type in which one edit takes the place of others; nothing where
    /// each edit counts by itself.
    fn is_in_place(&self) -> Option<bool> {
        None
    }

    /// Takes what is newer in the other; gives whether something was.
    fn merge(&mut self, other: &Self) -> bool;

    /// By how much a counter or a stock is larger for it; 0 of another data type.
    fn amount(&self) -> i64;

    /// Adds it to what the register shows.
    fn show(&self, view: &mut View);

    /// About how many bytes the share takes on the line, and hardly ever more.
    fn length(&self) -> usize;

    /// Writes shares of one writer, ascending by register.
    fn write(fields: &Fields, shares: &[(u32, &Self)], writer: &mut Writer);

    /// Reads shares of one writer.
    fn read(fields: &Fields, reader: &mut Reader) -> Result<Vec<(u32, Self)>, Malformed>;
}

/// What is written one after the other, each with the gap to the register before.
pub trait OneByOne: Sized {
    /// How it is written: a number below 4, which travels with the register.
    fn form(&self) -> u64;

    /// Writes it.
    fn write(&self, writer: &mut Writer);

    /// Reads what was written in this form.
    fn read(fields: &Fields, register: u32, form: u64, reader: &mut Reader) -> Result<Self, Malformed>;
}

/// Writes these, ascending by register; how many is told elsewhere.
pub fn write_each<S: OneByOne>(shares: &[(u32, &S)], writer: &mut Writer) {
    let mut next = 0;
    for (register, share) in shares {
        writer.of(Kind::Addressing).number(u64::from(*register - next) << FORM | share.form());
        share.write(writer);
        next = register + 1;
    }
}

/// Reads what [`write_each`] wrote.
pub fn read_each<S: OneByOne>(fields: &Fields, count: usize, reader: &mut Reader) -> Result<Vec<(u32, S)>, Malformed> {
    let mut next = 0u64;
    let mut read = || {
        let told = reader.number()?;
        let register = placed(told >> FORM, &mut next, fields.len())?;
        Ok((register, S::read(fields, register, told & ((1 << FORM) - 1), reader)?))
    };
    (0..count).map(|_| read()).collect()
}

/// Whether the node that all others sync through decides what becomes of such a register.
fn is_decided(data: DataType) -> bool {
    matches!(data, DataType::Claim | DataType::Case)
}

/// Neighbours for which slots are pending, whatever else is kept about them.
pub trait Neighbours {
    /// Each neighbour, with what is pending for it.
    fn pending(&mut self) -> impl Iterator<Item = (NodeId, &mut PendingChanges<Slot>)>;
}

impl Neighbours for Peers<PendingChanges<Slot>> {
    fn pending(&mut self) -> impl Iterator<Item = (NodeId, &mut PendingChanges<Slot>)> {
        self.iter_mut().map(|(&peer, changes)| (peer, changes))
    }
}

/// Whose share, of which register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Slot(pub Actor, pub u32);

impl Slot {
    /// A number in whose order slots are: one comparison in place of three.
    fn order(self) -> u128 {
        let Slot(Actor { client, incarnation }, register) = self;
        u128::from(client) << 64 | u128::from(u64::from(incarnation) << 32 | u64::from(register))
    }
}

impl Ord for Slot {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for Slot {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Shares by slot, in any order. Each is looked up for every message that it is in: a table finds it in memory with fewer
/// steps than a tree. The order never shows: two of the same shares are equal, and what is stored or sent is sorted.
type Shares<S> = IndexMap<Slot, S, FxBuildHasher>;

/// All shares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct ByWriter<S: Share> {
    #[serde(serialize_with = "write_stored", deserialize_with = "by_actor::deserialize")]
    shares: Shares<S>,
}

impl<S: Share> Default for ByWriter<S> {
    fn default() -> Self {
        ByWriter { shares: Shares::default() }
    }
}

impl<S: Share> Hash for ByWriter<S> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        sorted(&self.shares).hash(hasher);
    }
}

/// The shares, ascending by slot.
fn sorted<S: Share>(shares: &Shares<S>) -> Vec<(Slot, S)> {
    let mut sorted: Vec<(Slot, S)> = shares.iter().map(|(&slot, share)| (slot, share.clone())).collect();
    // Where they are in order but for a few at the end, this costs next to nothing.
    sorted.sort_by_key(|&(slot, _)| slot);
    sorted
}

impl<S: Share> OfActor for (Slot, S) {
    type Rest = (u32, S);

    fn parted(&self) -> (Actor, Self::Rest) {
        let (Slot(actor, register), share) = self.clone();
        (actor, (register, share))
    }

    fn joined(actor: Actor, (register, share): Self::Rest) -> Self {
        (Slot(actor, register), share)
    }
}

fn write_stored<S: Share, W: Serializer>(shares: &Shares<S>, serializer: W) -> Result<W::Ok, W::Error> {
    by_actor::serialize(&sorted(shares), serializer)
}

/// Writes shares, ascending by slot.
fn write_shares<S: Share>(fields: &Fields, shares: &[(Slot, &S)], writer: &mut Writer) {
    let groups = shares.chunk_by(|(one, _), (next, _)| one.0 == next.0);
    writer.of(Kind::Framing).number(groups.clone().count() as u64);
    for group in groups {
        group[0].0.0.write(writer.of(Kind::Ids));
        S::write(
            fields,
            &group.iter().map(|&(Slot(_, register), share)| (register, share)).collect::<Vec<_>>(),
            writer,
        );
    }
}

/// Reads what [`write_shares`] wrote.
fn read_shares<S: Share>(reader: &mut Reader, fields: &Fields) -> Result<Vec<(Slot, S)>, Malformed> {
    let mut shares = Vec::new();
    for _ in 0..reader.count("a number of actors")? {
        let actor = Actor::read(reader)?;
        let of_actor = S::read(fields, reader)?;
        shares.extend(of_actor.into_iter().map(|(register, share)| (Slot(actor, register), share)));
    }
    Ok(shares)
}

impl<S: Share> Content for ByWriter<S> {
    /// Shares that a neighbour does not have as they are.
    type Peer = PendingChanges<Slot>;

    fn begin(&mut self, _about: &About) {}

    fn begun(&mut self, about: &About) {
        let Fields { stocks, .. } = about.fields;
        let first = about.fields.first(DataType::Stock);
        for register in first..first + stocks {
            if let Some(share) = S::announced(DataType::Stock, about.store, about.millis()) {
                self.shares.insert(Slot(Actor { incarnation: about.store, ..about.actor }, register), share);
            }
        }
    }

    fn allows(&self, about: &About, register: u32, intent: Intent) -> bool {
        if S::SPENDING == Spending::Shown || Mutant::SpendWhatIsShown.is_in(about) {
            return is_shown(self, about, register, intent);
        }
        let of_register = self.shares.iter().filter(|(slot, _)| slot.1 == register);
        let held = of_register.map(|(_, share)| share.rights_of(about.store)).fold(Held::default(), Held::and);
        let given = if Mutant::KeepTransferredRights.is_in(about) { 0 } else { held.given };
        let received = if Mutant::LoseTransferredRights.is_in(about) { 0 } else { held.received };
        let rights = held.own - given + received;
        let is_known = match intent {
            Intent::Transfer { to, .. } => self.store_of(register, to).is_some(),
            _ => true,
        };
        is_known && rights + i128::from(Mutant::OverspendByOne.is_in(about)) >= i128::from(intent.spends())
    }

    fn meet(&self, _about: &About, _before: Option<PendingChanges<Slot>>, _blank: bool) -> PendingChanges<Slot> {
        PendingChanges::of(self.shares.keys().copied())
    }

    fn edit(&mut self, about: &About, peers: &mut Peers<PendingChanges<Slot>>, register: u32, intent: Intent) {
        self.edit_among(about, peers, register, intent);
    }

    fn offer(&mut self, about: &About, changes: &mut PendingChanges<Slot>, writer: &mut Writer) -> Option<Round> {
        let mut shares: Vec<(Slot, &S)> = Vec::new();
        let round = changes.take_off(about.fragment, |&slot| {
            // What was buried meanwhile is there no more.
            let Some(share) = self.shares.get(&slot) else { return 0 };
            shares.push((slot, share));
            1 + share.length()
        })?;
        let round = self.add_rest_of_records(about, changes, round, &mut shares);
        self.add_what_took_their_place(&mut shares);
        write_shares(&about.fields, &shares, writer);
        Some(round)
    }

    fn arrived(&mut self, changes: &mut PendingChanges<Slot>) {
        changes.arrived();
    }

    fn take(
        &mut self,
        about: &About,
        peers: &mut Peers<PendingChanges<Slot>>,
        from: NodeId,
        reader: &mut Reader,
    ) -> Result<bool, Malformed> {
        self.take_among(about, peers, from, reader)
    }

    fn check(
        &self,
        about: &About,
        _peers: &Peers<PendingChanges<Slot>>,
        _from: NodeId,
        reader: &mut Reader,
    ) -> Result<(), Malformed> {
        read_shares::<S>(reader, &about.fields)?;
        reader.end()
    }

    fn tidy(&mut self) {
        if !self.shares.keys().is_sorted() {
            self.shares.sort_unstable_keys();
        }
    }

    fn merges(&self, about: &About, reader: &mut Reader) -> Result<Vec<(u32, Merge)>, Malformed> {
        let gained = |(slot, share): (Slot, S)| {
            let mut mine = self.shares.get(&slot).cloned().unwrap_or_else(|| S::new(about.fields.of(slot.1)));
            let before = mine.amount();
            mine.merge(&share);
            (slot.1, Merge::Add(mine.amount().wrapping_sub(before)))
        };
        let shares = read_shares(reader, &about.fields)?;
        let of_counters = shares.into_iter().filter(|(slot, _)| about.fields.of(slot.1) == DataType::Counter);
        Ok(of_counters.map(gained).filter(|(_, merge)| *merge != Merge::Add(0)).collect())
    }

    fn shows(&self, about: &About) -> Vec<View> {
        let mut views = about.fields.starts();
        if about.fields.records > 0 {
            for (&Slot(_, register), share) in &self.shares {
                if share.lived().is_there && views[register as usize].record().is_none() {
                    views[register as usize] = View::Record(Some(Box::new(Record::of(about.fields.record_labels))));
                }
            }
        }
        for (&Slot(_, register), share) in &self.shares {
            share.show(&mut views[register as usize]);
        }
        for data in DataType::ALL.into_iter().filter(|&data| is_decided(data)) {
            let of_data = about.fields.first(data) as usize..;
            views[of_data].iter_mut().take(about.fields.count(data) as usize).for_each(S::settle);
        }
        views
    }

    fn waiting(&self, changes: &PendingChanges<Slot>) -> u64 {
        changes.len() as u64
    }
}

impl<S: Share> ByWriter<S> {
    /// The store that a client announced last, by its clock.
    fn store_of(&self, register: u32, client: u32) -> Option<u32> {
        let of_client = self.shares.iter().filter(|(slot, _)| slot.1 == register && slot.0.client == client);
        of_client.filter_map(|(_, share)| share.announces()).max().map(|(_, store)| store)
    }

    /// What all shares tell of a record as such.
    fn lived(&self, register: u32) -> Lived {
        let of_register = self.shares.iter().filter(|(slot, _)| slot.1 == register);
        of_register.map(|(_, share)| share.lived()).fold(Lived::default(), Lived::and)
    }

    /// Whether a register holds what is left of a record.
    fn is_deleted(&self, register: u32) -> bool {
        self.shares.keys().any(|slot| slot.1 == register) && !self.lived(register).is_there
    }

    /// The record that a register shows.
    fn record_of(&self, register: u32, fields: &Fields) -> Option<Box<Record>> {
        let of_register = || self.shares.iter().filter(|(slot, _)| slot.1 == register).map(|(_, share)| share);
        let is_there = of_register().any(|share| share.lived().is_there);
        let mut view = View::Record(is_there.then(|| Box::new(Record::of(fields.record_labels))));
        of_register().for_each(|share| share.show(&mut view));
        match view {
            View::Record(record) => record,
            _ => None,
        }
    }

    /// The user edits; what is new is pending for all neighbours.
    pub fn edit_among(&mut self, about: &About, peers: &mut impl Neighbours, register: u32, intent: Intent) {
        let is_of_record = intent.of() == DataType::Record;
        let lived = if is_of_record { self.lived(register) } else { Lived::default() };
        if intent.of() == DataType::Claim && self.granted(register).is_some() {
            return;
        }
        if intent.of() == DataType::Case && self.of_register(register).any(|share| share.closed().is_some()) {
            return;
        }
        if is_of_record && !record::is_meant(self.record_of(register, &about.fields).as_deref(), intent) {
            return;
        }
        if intent.takes_away() && !(matches!(intent, Intent::Create(_)) && Mutant::KeepOldFields.is_in(about)) {
            // Who takes away means what is shown here, whoever made it.
            for (&slot, share) in self.shares.iter_mut().filter(|(slot, _)| slot.1 == register) {
                let mut is_changed = share.taken_away(intent);
                if intent == Intent::Delete && Mutant::ClearFieldsAtDelete.is_in(about) {
                    is_changed |= share.clear_record();
                }
                if is_changed {
                    peers.pending().for_each(|(_, changes)| changes.insert(slot));
                }
            }
        }
        if !intent.makes() {
            return;
        }
        let slot = Slot(about.actor, register);
        let to = match intent {
            Intent::Transfer { to, .. } => self.store_of(register, to).unwrap_or(0),
            _ => 0,
        };
        let life = if matches!(intent, Intent::Create(_)) { lived.life.max(lived.buried) + 1 } else { lived.life };
        let beside = Beside { here: about.store, to, life, buried: lived.buried, labels: about.fields.record_labels };
        self.shares.entry(slot).or_insert_with(|| S::new(about.fields.of(register))).edit(intent, &beside);
        peers.pending().for_each(|(_, changes)| changes.insert(slot));
        self.decide(about, peers, &[register].into());
    }

    /// Takes what a neighbour offered; what is new is pending for the others.
    pub fn take_among(
        &mut self,
        about: &About,
        peers: &mut impl Neighbours,
        from: NodeId,
        reader: &mut Reader,
    ) -> Result<bool, Malformed> {
        let shares = read_shares::<S>(reader, &about.fields)?;
        reader.end()?;
        let mut changed: BTreeSet<u32> = BTreeSet::new();
        for (slot, share) in shares {
            let has = |mutant: Mutant| about.fields.of(slot.1) == DataType::Label && mutant.is_in(about);
            let of_record = |mutant: Mutant| about.fields.of(slot.1) == DataType::Record && mutant.is_in(about);
            let is_deleted_here =
                about.mutant.is_some() && self.is_deleted(slot.1) && of_record(Mutant::DeleteUnseenChange);
            let is_written_here = slot.0 != about.actor && self.shares.contains_key(&Slot(about.actor, slot.1));
            let mine = self.shares.entry(slot).or_insert_with(|| S::new(about.fields.of(slot.1)));
            let was_there = about.mutant.is_some() && mine.lived().is_there;
            let is_new = match about.mutant.is_some() && has(Mutant::OldWriteWins) {
                true => std::mem::replace(mine, share.clone()) != share,
                false => mine.merge(&share),
            };
            if was_there && of_record(Mutant::ResurrectRecord) {
                mine.assert_record();
            }
            if is_deleted_here {
                mine.taken_away(Intent::Delete);
            }
            let resolves = about.mutant.is_some() && is_written_here && has(Mutant::ResolveUnseenValue);
            let is_resolved = resolves && mine.taken_away(Intent::Write(0));
            let of = about.fields.of(slot.1);
            changed.extend((is_new && (of == DataType::Record || is_decided(of))).then_some(slot.1));
            // Where a store was set back between two decisions, both sides have what the other lacks.
            let is_more = is_decided(of) && *mine != share;
            if is_new || is_resolved || is_more {
                for (_, changes) in peers.pending().filter(|&(peer, _)| peer != from || is_resolved || is_more) {
                    changes.insert(slot);
                }
            }
        }
        self.decide(about, peers, &changed);
        for &register in changed.iter().filter(|_| !Mutant::TakeBuriedChange.is_in(about)) {
            match self.lived(register).buried {
                0 => {}
                buried => self.drop_buried(register, buried),
            }
        }
        self.bury_records(about, peers, &changed);
        Ok(true)
    }

    /// What all writers made of a register.
    fn of_register(&self, register: u32) -> impl Iterator<Item = &S> {
        self.shares.iter().filter(move |(slot, _)| slot.1 == register).map(|(_, share)| share)
    }

    /// To whom something that can be had once was granted.
    fn granted(&self, register: u32) -> Option<Value> {
        self.of_register(register).filter_map(S::granted).min()
    }

    /// Decides what changed of that which only one node decides.
    fn decide(&mut self, about: &About, peers: &mut impl Neighbours, changed: &BTreeSet<u32>) {
        self.decide_claims(about, peers, changed);
        self.close_cases(about, peers, changed);
    }

    /// Where this is the node that all others sync through: grants each of these to the first who asked, where nobody has it yet.
    fn decide_claims(&mut self, about: &About, peers: &mut impl Neighbours, changed: &BTreeSet<u32>) {
        let decides = about.is_root || Mutant::GrantWithoutAuthority.is_in(about);
        if about.fields.claims == 0 || !decides {
            return;
        }
        for &register in changed.iter().filter(|&&register| about.fields.of(register) == DataType::Claim) {
            let granted = self.granted(register);
            let of_register = self.shares.iter().filter(|(slot, _)| slot.1 == register);
            let asked = of_register.filter_map(|(_, share)| share.first_asked());
            let chosen = match granted {
                // Of two grants the smaller stands, so that a larger one would be sent to and fro without an end.
                Some(_) if Mutant::GrantTwice.is_in(about) => asked.filter(|&other| Some(other) < granted).min(),
                Some(_) => None,
                None => asked.min(),
            };
            let Some(value) = chosen else { continue };
            let slot = Slot(about.actor, register);
            self.shares.entry(slot).or_insert_with(|| S::new(DataType::Claim)).grant(value);
            peers.pending().for_each(|(_, changes)| changes.insert(slot));
        }
    }

    /// Where this is the node that all others sync through: closes each of these that it is asked to, with the items that are here
    /// now.
    fn close_cases(&mut self, about: &About, peers: &mut impl Neighbours, changed: &BTreeSet<u32>) {
        let closes = about.is_root || Mutant::CloseWithoutAuthority.is_in(about);
        if about.fields.cases == 0 || !closes {
            return;
        }
        for &register in changed.iter().filter(|&&register| about.fields.of(register) == DataType::Case) {
            let is_closed = self.of_register(register).any(|share| share.closed().is_some());
            let work = || self.of_register(register).filter_map(S::work);
            if is_closed || !work().any(|(_, asks)| asks) {
                continue;
            }
            let items = work().flat_map(|(items, _)| items).copied().collect();
            let slot = Slot(about.actor, register);
            self.shares.entry(slot).or_insert_with(|| S::new(DataType::Case)).close(items);
            peers.pending().for_each(|(_, changes)| changes.insert(slot));
        }
    }

    /// Where this is the node that all others sync through: notes which of the records that changed are deleted now, and buries
    /// those that have been deleted for as long as the horizon.
    fn bury_records(&mut self, about: &About, peers: &mut impl Neighbours, changed: &BTreeSet<u32>) {
        let Some(horizon) = S::HORIZON.filter(|_| about.is_root && about.fields.records > 0) else { return };
        let first = about.fields.first(DataType::Record);
        for register in first..first + about.fields.records {
            let Lived { life, is_there, deleted, buried } = self.lived(register);
            if is_there || life <= buried {
                continue;
            }
            let slot = Slot(about.actor, register);
            let is_over = deleted.is_some_and(|at| about.millis().saturating_sub(at) >= horizon);
            if deleted.is_none() || changed.contains(&register) {
                // No others need to know.
                self.shares.entry(slot).or_insert_with(|| S::new(DataType::Record)).note_deleted(about.millis());
            } else if is_over {
                self.shares.entry(slot).or_insert_with(|| S::new(DataType::Record)).bury(life);
                peers.pending().for_each(|(_, changes)| changes.insert(slot));
                self.drop_buried(register, life);
            }
        }
    }

    /// Drops what belongs to buried lives of a record.
    fn drop_buried(&mut self, register: u32, buried: u64) {
        self.shares.retain(|slot, share| slot.1 != register || share.outlives(buried));
    }

    /// Whoever hears of a record hears in the same message all of it that is pending: of two parts, one alone may show half a
    /// record. Gives what the message is of its round then.
    fn add_rest_of_records<'a>(
        &'a self,
        about: &About,
        changes: &mut PendingChanges<Slot>,
        round: Round,
        shares: &mut Vec<(Slot, &'a S)>,
    ) -> Round {
        let first = about.fields.first(DataType::Record);
        let mut registers: Vec<u32> = match about.fields.records {
            0 => Vec::new(),
            _ => shares.iter().map(|(slot, _)| slot.1).filter(|&of| of >= first).collect(),
        };
        if registers.is_empty() {
            return round;
        }
        registers.sort_unstable();
        let round = changes.take_along(round, |slot| registers.binary_search(&slot.1).is_ok());
        *shares = changes.flying().iter().filter_map(|&slot| Some((slot, self.shares.get(&slot)?))).collect();
        round
    }

    /// Whoever hears that a value was overwritten hears in the same message what took its place: a connection may end after
    /// any message, and the one who has the other may be lost.
    fn add_what_took_their_place<'a>(&'a self, shares: &mut Vec<(Slot, &'a S)>) {
        let is_gone = |(_, share): &&(Slot, &S)| share.is_in_place() == Some(false);
        let mut registers: Vec<u32> = shares.iter().filter(is_gone).map(|(slot, _)| slot.1).collect();
        if registers.is_empty() {
            return;
        }
        registers.sort_unstable();
        let took = self
            .shares
            .iter()
            .filter(|(slot, share)| share.is_in_place() == Some(true) && registers.binary_search(&slot.1).is_ok());
        shares.extend(took.map(|(&slot, share)| (slot, share)));
        shares.sort_unstable_by_key(|&(slot, _)| slot);
        shares.dedup_by_key(|(slot, _)| *slot);
    }
}

/// What shares of these registers take on the line: bytes of addresses, without the number of them, and of payload; they are
/// read back first.
#[cfg(test)]
pub fn written<S: Share>(shares: &[(u32, S)]) -> (u64, u64) {
    let slot = |register| Slot(Actor { client: 3, incarnation: 1 }, register);
    let shares: Vec<(Slot, S)> = shares.iter().map(|(register, share)| (slot(*register), share.clone())).collect();
    let (fields, mut writer) = (Fields::counters(64, 0), Writer::bare());
    write_shares(&fields, &shares.iter().map(|(slot, share)| (*slot, share)).collect::<Vec<_>>(), &mut writer);
    let (bytes, traffic) = writer.unsealed();
    let mut reader = Reader::bare(&bytes);
    assert_eq!(read_shares(&mut reader, &fields), Ok(shares));
    assert_eq!(reader.end(), Ok(()));
    (traffic.addressing - 1, traffic.payload)
}
