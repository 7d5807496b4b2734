//! crdts: a counter and an observed-remove set. It has no sync protocol: whole states are exchanged, and merged.

use std::collections::BTreeSet;

use crdts::{CmRDT, CvRDT, Orswot, PNCounter};
use serde::{Deserialize, Serialize};

use crate::domain::data::{Carries, Concurrent, Fields, Intent, Spending, View};
use crate::domain::traffic::Kind;
use crate::engine::library::document::{Document, Heard, Refused, Said, counter};
use crate::engine::library::node::{ADVISED, LibraryNode};
use crate::engine::{Keeps, Registration, Survives};

pub(super) const PN_COUNTER: Registration = Registration {
    peers: true,
    keeps: Keeps::ClientSums,
    survives: Survives::WhileShown,
    carries: Carries::with_tags(Concurrent::InsertWins).and_stocks(Spending::Shown),
    copies: false,
    foreign: true,
    ..Registration::of(
        "crdts-pncounter",
        "crdts 7.3: its PNCounter for each register, its Orswot for tags; the whole state at each sync",
        |settings, host| LibraryNode::<Replica>::open(settings, host, ADVISED),
    )
};

/// Replicas have 64 bits.
type Actor = u64;

/// All registers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    counters: Vec<PNCounter<Actor>>,
    tags: Vec<Orswot<u32, Actor>>,
}

struct Replica {
    state: State,
    fields: Fields,
    actor: Actor,
    /// How often the state became another, and whether that is in the store.
    version: u64,
    is_kept: bool,
}

/// What is known of a neighbour: the version of the state that it was sent, or has.
#[derive(Debug, Default)]
struct Session {
    sent: Option<u64>,
}

impl Replica {
    /// Merges a state into this one; gives whether this one is another now, and whether the two are the same.
    fn merge(&mut self, state: &[u8]) -> Result<(Heard, bool), Refused> {
        let other: State = postcard::from_bytes(state).map_err(|error| error.to_string())?;
        if (other.counters.len(), other.tags.len()) != (self.state.counters.len(), self.state.tags.len()) {
            return Err("it is a state of other registers".to_owned());
        }
        for (ours, theirs) in self.state.tags.iter().zip(&other.tags) {
            ours.validate_merge(theirs).map_err(|error| error.to_string())?;
        }
        let counters = self.state.counters.iter_mut().zip(other.counters).map(|(ours, theirs)| merge(ours, theirs));
        let tags = self.state.tags.iter_mut().zip(other.tags).map(|(ours, theirs)| merge(ours, theirs));
        let (changed, are_same) = counters.chain(tags).fold((false, true), |all, one| (all.0 | one.0, all.1 & one.1));
        let heard = if changed { Heard::Changes } else { Heard::Nothing };
        if heard == Heard::Changes {
            (self.version, self.is_kept) = (self.version + 1, false);
        }
        Ok((heard, are_same))
    }
}

/// Merges one register; gives whether ours is another now, and whether it is the same as theirs. Most are the same before.
fn merge<T: CvRDT + Clone + PartialEq>(ours: &mut T, theirs: T) -> (bool, bool) {
    if *ours == theirs {
        return (false, true);
    }
    let (before, told) = (ours.clone(), theirs.clone());
    ours.merge(theirs);
    (*ours != before, *ours == told)
}

/// The lower 64 bits of a number of any size.
fn wrapped(number: &[u8]) -> i64 {
    let sign = if number.last().is_some_and(|last| last & 0x80 != 0) { 0xFF } else { 0 };
    let byte = |place: usize| number.get(place).copied().unwrap_or(sign);
    i64::from_le_bytes(std::array::from_fn(byte))
}

impl Document for Replica {
    type Session = Session;

    fn begin(fields: &Fields, id: u128) -> Self {
        let counters = vec![PNCounter::new(); fields.counters as usize];
        let tags = vec![Orswot::new(); fields.tags as usize];
        Replica { state: State { counters, tags }, fields: *fields, actor: id as u64, version: 0, is_kept: true }
    }

    fn load(&mut self, saved: &[u8]) -> Result<(), Refused> {
        self.merge(saved)?;
        self.is_kept = true;
        Ok(())
    }

    fn save(&mut self) -> Vec<u8> {
        postcard::to_allocvec(&self.state).expect("a state is written")
    }

    fn changes(&mut self) -> Vec<u8> {
        if std::mem::replace(&mut self.is_kept, true) { Vec::new() } else { self.save() }
    }

    fn edit(&mut self, register: u32, intent: Intent) -> Result<(), Refused> {
        let (place, actor) = (register as usize, self.actor);
        let set = place.wrapping_sub(self.state.counters.len());
        match intent {
            Intent::Increase(amount) => {
                let counter = &mut self.state.counters[place];
                let by = amount.unsigned_abs();
                let op = if amount < 0 { counter.dec_many(actor, by) } else { counter.inc_many(actor, by) };
                counter.apply(op);
            }
            Intent::Insert(element) => {
                let set = &mut self.state.tags[set];
                let op = set.add(element, set.read_ctx().derive_add_ctx(actor));
                set.apply(op);
            }
            Intent::Remove(element) => {
                let set = &mut self.state.tags[set];
                let op = set.rm(element, set.contains(&element).derive_rm_ctx());
                set.apply(op);
            }
            intent => return Err(format!("it carries no {}", intent.of().plural())),
        }
        (self.version, self.is_kept) = (self.version + 1, false);
        Ok(())
    }

    fn show(&self, register: u32) -> View {
        let place = register as usize;
        match self.state.counters.get(place) {
            Some(number) => counter(&self.fields, wrapped(&number.read().to_signed_bytes_le())),
            None => {
                let set = &self.state.tags[place - self.state.counters.len()];
                View::Tags(set.read().val.into_iter().collect::<BTreeSet<u32>>())
            }
        }
    }

    fn say(&mut self, session: &mut Session) -> Option<Said> {
        if session.sent == Some(self.version) {
            return None;
        }
        session.sent = Some(self.version);
        Some(Said { bytes: self.save(), kind: Kind::Payload, brings_all: true })
    }

    fn hear(&mut self, session: &mut Session, said: &[u8]) -> Result<Heard, Refused> {
        let (heard, are_same) = self.merge(said)?;
        if are_same {
            session.sent = Some(self.version);
        }
        Ok(heard)
    }

    fn has_all(&mut self, session: &mut Session) -> bool {
        session.sent == Some(self.version)
    }
}
