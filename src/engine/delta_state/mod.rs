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
use crate::engine::by_writer::{ByWriter, Share};
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

/// The form of a share of tags: no sum has it.
const INSERTS: u64 = 2;

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

    fn removed(&mut self, intent: Intent) -> bool {
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

    fn form(&self) -> u64 {
        match self {
            OfRegister::Sum(sum) => sum.form(),
            OfRegister::Inserts(_) => INSERTS,
        }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            OfRegister::Sum(sum) => sum.write(writer),
            OfRegister::Inserts(inserts) => inserts.write(writer),
        }
    }

    fn read(fields: &Fields, register: u32, form: u64, reader: &mut Reader) -> Result<Self, Malformed> {
        match (fields.of(register), form) {
            (DataType::Counter, form) => NetSum::read(form, reader).map(OfRegister::Sum),
            (DataType::Tags, INSERTS) => Ok(OfRegister::Inserts(Box::new(Inserts::read(fields, reader)?))),
            (DataType::Tags, _) => Err(Malformed::Range("the form of a share")),
        }
    }
}
