//! The reference: what each writer made of each register, as a share of which the newer replaces the older. A delta-state
//! CRDT: only shares that changed travel.
//!
//! Almeida, Shoker and Baquero, "Delta state replicated data types", Journal of Parallel and Distributed Computing 111,
//! 2018. Of a counter a share is one net sum ([`net_sum`]), of tags the writer's inserts that are still there ([`tags`]).
//!
//! Survives any loss as long as one running replica shows an edit, and pays for that with a share for each writer and
//! register in every replica ([`super::delta_summary`] keeps one number a register in a leaf, and survives less).
//!
//! Knows: shares. Must not: know connections, or stores.

mod net_sum;
mod tags;

use serde::{Deserialize, Serialize};

use crate::data;
use crate::domain::data::{DataType, Fields, Intent, View};
use crate::domain::traffic::Kind;
use crate::engine::by_writer::{ByWriter, Share, read_each, write_each};
use crate::engine::wire::{Malformed, Reader, Writer};
use net_sum::NetSum;
use tags::Inserts;

/// The engine.
pub type DeltaState = ByWriter<OfRegister>;

/// What one writer made of one register.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OfRegister {
    /// Of a counter.
    Sum(NetSum),
    /// Of tags.
    Inserts(Box<Inserts>),
}

impl Share for OfRegister {
    fn new(data: DataType) -> Self {
        match data {
            DataType::Counter => OfRegister::Sum(NetSum::default()),
            DataType::Tags => OfRegister::Inserts(Box::default()),
        }
    }

    fn edit(&mut self, intent: Intent) {
        match (self, intent) {
            (OfRegister::Sum(sum), Intent::Increase(amount)) => sum.edit(amount),
            (OfRegister::Inserts(inserts), Intent::Insert(element)) => inserts.insert(element),
            _ => {}
        }
    }

    fn taken_away(&mut self, intent: Intent) -> bool {
        match (self, intent) {
            (OfRegister::Inserts(inserts), Intent::Remove(element)) => inserts.remove(element),
            _ => false,
        }
    }

    fn merge(&mut self, other: &Self) -> bool {
        match (self, other) {
            (OfRegister::Sum(mine), OfRegister::Sum(other)) => {
                let merged = mine.merged(*other);
                let is_new = merged != *mine;
                *mine = merged;
                is_new
            }
            (OfRegister::Inserts(mine), OfRegister::Inserts(other)) => {
                let merged = mine.merged(other);
                let is_new = merged != **mine;
                **mine = merged;
                is_new
            }
            _ => false,
        }
    }

    fn amount(&self) -> i64 {
        match self {
            OfRegister::Sum(sum) => sum.amount(),
            OfRegister::Inserts(_) => 0,
        }
    }

    fn show(&self, view: &mut View) {
        match self {
            OfRegister::Sum(sum) => _ = data::apply(view, Intent::Increase(sum.amount())),
            OfRegister::Inserts(inserts) => {
                inserts.elements().for_each(|element| _ = data::apply(view, Intent::Insert(element)));
            }
        }
    }

    fn length(&self) -> usize {
        match self {
            OfRegister::Sum(sum) => sum.length(),
            OfRegister::Inserts(inserts) => inserts.length(),
        }
    }

    fn write(fields: &Fields, shares: &[(u32, &Self)], writer: &mut Writer) {
        let sum = |&(register, share): &(u32, &Self)| match share {
            OfRegister::Sum(sum) => Some((register, *sum)),
            OfRegister::Inserts(_) => None,
        };
        let sums: Vec<(u32, NetSum)> = shares.iter().filter_map(sum).collect();
        let inserts = shares.iter().filter_map(|&(register, share)| match share {
            OfRegister::Inserts(inserts) => Some((register, &**inserts)),
            OfRegister::Sum(_) => None,
        });
        let inserts: Vec<(u32, &Inserts)> = inserts.collect();
        net_sum::write(fields, &sums, !inserts.is_empty(), writer);
        if !inserts.is_empty() {
            writer.of(Kind::Addressing).number(inserts.len() as u64);
            write_each(&inserts, writer);
        }
    }

    fn read(fields: &Fields, reader: &mut Reader) -> Result<Vec<(u32, Self)>, Malformed> {
        let (sums, is_followed) = net_sum::read(fields, reader)?;
        let sums = sums.into_iter();
        let inserts = if is_followed {
            let count = reader.count("a number of registers")?;
            read_each::<Inserts>(fields, count, reader)?
        } else {
            Vec::new()
        };
        let inserts = inserts.into_iter().map(|(register, inserts)| (register, OfRegister::Inserts(Box::new(inserts))));
        Ok(sums.map(|(register, sum)| (register, OfRegister::Sum(sum))).chain(inserts).collect())
    }
}
