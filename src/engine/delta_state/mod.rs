//! The reference: what each writer made of each register, as a share of which the newer replaces the older. A delta-state
//! CRDT: only shares that changed travel.
//!
//! Almeida, Shoker and Baquero, "Delta state replicated data types", Journal of Parallel and Distributed Computing 111,
//! 2018. Of a counter a share is one net sum ([`net_sum`]), of a stock what the writer supplied, took and gave away
//! ([`rights`]), of tags the writer's inserts that are still there ([`tags`]), of a label the writer's last value, unless it was
//! overwritten ([`writes`]), of a record all of that for its fields, and whether it is there ([`record`]), of a claim who asked, and of the
//! hub who gets it ([`claims`]), of a case what the writer did, and of the hub with which items it is closed ([`cases`]). A text is one sequence of
//! all writers, of which what is new travels ([`with_texts`]).
//!
//! Survives any loss as long as one running replica shows an edit, and pays for that with a share for each writer and
//! register in every replica ([`super::delta_summary`] keeps one number a register in a leaf, and survives less).
//!
//! Knows: shares. Must not: know connections, or stores.

mod cases;
mod claims;
mod net_sum;
mod record;
mod rights;
mod tags;
mod with_texts;
mod writes;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::data;
use crate::domain::data::{DataType, Element, Fields, Intent, Spending, Value, View};
use crate::domain::traffic::Kind;
use crate::engine::by_writer::{self, Beside, Held, Lived, OneByOne, Share, read_each, write_each};
use crate::engine::mutant::Mutant;
use crate::engine::reliable_channel;
use crate::engine::wire::{Malformed, Reader, Writer};
use cases::Work;
use claims::Claims;
use net_sum::NetSum;
pub use record::HORIZON;
use record::OfRecord;
use rights::Rights;
use tags::Inserts;
use with_texts::WithTexts;
use writes::Writes;

/// The engine.
pub type DeltaState = WithTexts;

/// The mutants of the engine, those of what carries it included.
pub fn mutants() -> Vec<Mutant> {
    reliable_channel::mutant::all().chain(by_writer::mutant::all()).collect()
}

/// What one writer made of one register.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OfRegister {
    /// Of a counter.
    Sum(NetSum),
    /// Of a stock.
    Rights(Box<Rights>),
    /// Of tags.
    Inserts(Box<Inserts>),
    /// Of a label. In a box, as few shares are of labels and all have room for the largest.
    Writes(Box<Writes>),
    /// Of a record.
    Record(Box<OfRecord>),
    /// Of a claim.
    Claims(Box<Claims>),
    /// Of a case.
    Work(Box<Work>),
}

impl Share for OfRegister {
    fn new(data: DataType) -> Self {
        match data {
            DataType::Counter => OfRegister::Sum(NetSum::default()),
            DataType::Stock => OfRegister::Rights(Box::default()),
            DataType::Tags => OfRegister::Inserts(Box::default()),
            DataType::Label => OfRegister::Writes(Box::default()),
            DataType::Record => OfRegister::Record(Box::default()),
            DataType::Claim => OfRegister::Claims(Box::default()),
            DataType::Case => OfRegister::Work(Box::default()),
            DataType::Text => unreachable!("texts are kept beside the shares"),
        }
    }

    const SPENDING: Spending = Spending::Rights;

    fn announced(data: DataType, store: u32, since: i64) -> Option<Self> {
        (data == DataType::Stock).then(|| OfRegister::Rights(Box::new(Rights::announced(store, since))))
    }

    fn announces(&self) -> Option<(i64, u32)> {
        match self {
            OfRegister::Rights(rights) => rights.announces(),
            _ => None,
        }
    }

    fn rights_of(&self, store: u32) -> Held {
        match self {
            OfRegister::Rights(rights) => rights.of(store),
            _ => Held::default(),
        }
    }

    fn edit(&mut self, intent: Intent, beside: &Beside) {
        match (self, intent) {
            (OfRegister::Record(record), intent) => record.edit(intent, beside),
            (OfRegister::Rights(rights), intent) => rights.edit(intent, beside),
            (OfRegister::Sum(sum), Intent::Increase(amount)) => sum.edit(amount),
            (OfRegister::Inserts(inserts), Intent::Insert(element)) => inserts.insert(element),
            (OfRegister::Writes(writes), Intent::Write(value)) => writes.made(value),
            (OfRegister::Claims(claims), Intent::Claim(value)) => claims.ask(value),
            (OfRegister::Work(work), Intent::Do(item)) => work.make(item),
            (OfRegister::Work(work), Intent::Close) => work.ask_to_close(),
            _ => {}
        }
    }

    fn first_asked(&self) -> Option<Value> {
        match self {
            OfRegister::Claims(claims) => claims.first_asked(),
            _ => None,
        }
    }

    fn granted(&self) -> Option<Value> {
        match self {
            OfRegister::Claims(claims) => claims.granted(),
            _ => None,
        }
    }

    fn grant(&mut self, value: Value) {
        if let OfRegister::Claims(claims) = self {
            claims.grant(value);
        }
    }

    fn work(&self) -> Option<(&BTreeSet<Element>, bool)> {
        match self {
            OfRegister::Work(work) => Some((work.done(), work.asks())),
            _ => None,
        }
    }

    fn closed(&self) -> Option<&BTreeSet<Element>> {
        match self {
            OfRegister::Work(work) => work.closed(),
            _ => None,
        }
    }

    fn close(&mut self, items: BTreeSet<Element>) {
        if let OfRegister::Work(work) = self {
            work.close(items);
        }
    }

    fn settle(view: &mut View) {
        match view {
            View::Claim(claimed) => claims::settled(claimed),
            View::Case(case) => cases::settled(case),
            _ => {}
        }
    }

    fn taken_away(&mut self, intent: Intent) -> bool {
        match (self, intent) {
            (OfRegister::Inserts(inserts), Intent::Remove(element)) => inserts.remove(element),
            (OfRegister::Writes(writes), Intent::Write(_)) => writes.overwritten(),
            (OfRegister::Record(record), intent) => record.taken_away(intent),
            _ => false,
        }
    }

    const HORIZON: Option<i64> = Some(record::HORIZON);

    fn lived(&self) -> Lived {
        match self {
            OfRegister::Record(record) => record.lived(),
            _ => Lived::default(),
        }
    }

    fn note_deleted(&mut self, millis: i64) {
        if let OfRegister::Record(record) = self {
            record.note_deleted(millis);
        }
    }

    fn bury(&mut self, life: u64) {
        if let OfRegister::Record(record) = self {
            record.bury(life);
        }
    }

    fn outlives(&mut self, buried: u64) -> bool {
        match self {
            OfRegister::Record(record) => record.outlives(buried),
            _ => true,
        }
    }

    fn assert_record(&mut self) {
        if let OfRegister::Record(record) = self {
            record.assert_there();
        }
    }

    fn clear_record(&mut self) -> bool {
        match self {
            OfRegister::Record(record) => record.cleared(),
            _ => false,
        }
    }

    fn is_in_place(&self) -> Option<bool> {
        match self {
            OfRegister::Sum(_) | OfRegister::Rights(_) | OfRegister::Inserts(_) => None,
            OfRegister::Record(_) | OfRegister::Claims(_) | OfRegister::Work(_) => None,
            OfRegister::Writes(writes) => Some(writes.value().is_some()),
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
            (OfRegister::Rights(mine), OfRegister::Rights(other)) => {
                let merged = mine.merged(other);
                let is_new = merged != **mine;
                **mine = merged;
                is_new
            }
            (OfRegister::Inserts(mine), OfRegister::Inserts(other)) => {
                let merged = mine.merged(other);
                let is_new = merged != **mine;
                **mine = merged;
                is_new
            }
            (OfRegister::Writes(mine), OfRegister::Writes(other)) => {
                let merged = mine.merged(**other);
                let is_new = merged != **mine;
                **mine = merged;
                is_new
            }
            (OfRegister::Claims(mine), OfRegister::Claims(other)) => {
                let merged = mine.merged(other);
                let is_new = merged != **mine;
                **mine = merged;
                is_new
            }
            (OfRegister::Work(mine), OfRegister::Work(other)) => {
                let merged = mine.merged(other);
                let is_new = merged != **mine;
                **mine = merged;
                is_new
            }
            (OfRegister::Record(mine), OfRegister::Record(other)) => {
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
            OfRegister::Rights(rights) => rights.amount(),
            OfRegister::Inserts(_) | OfRegister::Writes(_) => 0,
            OfRegister::Record(_) | OfRegister::Claims(_) | OfRegister::Work(_) => 0,
        }
    }

    fn show(&self, view: &mut View) {
        match self {
            OfRegister::Sum(_) | OfRegister::Rights(_) => data::add(view, self.amount()),
            OfRegister::Inserts(inserts) => {
                if let View::Tags(elements) = view {
                    elements.extend(inserts.elements());
                }
            }
            // Beside what others wrote at the same time.
            OfRegister::Writes(writes) => {
                if let View::Label(values) = view {
                    values.extend(writes.value());
                }
            }
            OfRegister::Claims(claims) => {
                if let View::Claim(claimed) = view {
                    claims.show(claimed);
                }
            }
            OfRegister::Work(work) => {
                if let View::Case(case) = view {
                    work.show(case);
                }
            }
            OfRegister::Record(of_record) => {
                if let View::Record(Some(record)) = view {
                    of_record.show(record);
                }
            }
        }
    }

    fn length(&self) -> usize {
        match self {
            OfRegister::Sum(sum) => sum.length(),
            OfRegister::Rights(rights) => rights.length(),
            OfRegister::Inserts(inserts) => inserts.length(),
            OfRegister::Writes(writes) => writes.length(),
            OfRegister::Record(record) => record.length(),
            OfRegister::Claims(claims) => claims.length(),
            OfRegister::Work(work) => work.length(),
        }
    }

    fn write(fields: &Fields, shares: &[(u32, &Self)], writer: &mut Writer) {
        let sum = |&(register, share): &(u32, &Self)| match share {
            OfRegister::Sum(sum) => Some((register, *sum)),
            _ => None,
        };
        let sums: Vec<(u32, NetSum)> = shares.iter().filter_map(sum).collect();
        // Registers of counters come first.
        let others = &shares[sums.len()..];
        net_sum::write(fields, &sums, !others.is_empty(), writer);
        if !others.is_empty() {
            writer.of(Kind::Addressing).number(others.len() as u64);
            write_each(others, writer);
        }
    }

    fn read(fields: &Fields, reader: &mut Reader) -> Result<Vec<(u32, Self)>, Malformed> {
        let (sums, is_followed) = net_sum::read(fields, reader)?;
        let others = if is_followed {
            let count = reader.count("a number of registers")?;
            read_each::<Self>(fields, count, reader)?
        } else {
            Vec::new()
        };
        Ok(sums.into_iter().map(|(register, sum)| (register, OfRegister::Sum(sum))).chain(others).collect())
    }
}

/// What follows the sums.
impl OneByOne for OfRegister {
    fn form(&self) -> u64 {
        match self {
            OfRegister::Sum(sum) => sum.form(),
            OfRegister::Rights(rights) => rights.form(),
            OfRegister::Inserts(inserts) => inserts.form(),
            OfRegister::Writes(writes) => writes.form(),
            OfRegister::Record(record) => record.form(),
            OfRegister::Claims(claims) => claims.form(),
            OfRegister::Work(work) => work.form(),
        }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            OfRegister::Sum(sum) => sum.write(writer),
            OfRegister::Rights(rights) => rights.write(writer),
            OfRegister::Inserts(inserts) => inserts.write(writer),
            OfRegister::Writes(writes) => writes.write(writer),
            OfRegister::Record(record) => record.write(writer),
            OfRegister::Claims(claims) => claims.write(writer),
            OfRegister::Work(work) => work.write(writer),
        }
    }

    fn read(fields: &Fields, register: u32, form: u64, reader: &mut Reader) -> Result<Self, Malformed> {
        match fields.of(register) {
            DataType::Counter | DataType::Text => Err(Malformed::Range("the register of a share")),
            DataType::Stock => {
                Rights::read(fields, register, form, reader).map(|rights| OfRegister::Rights(Box::new(rights)))
            }
            DataType::Tags => {
                Inserts::read(fields, register, form, reader).map(|inserts| OfRegister::Inserts(Box::new(inserts)))
            }
            DataType::Label => {
                Writes::read(fields, register, form, reader).map(|writes| OfRegister::Writes(Box::new(writes)))
            }
            DataType::Claim => {
                Claims::read(fields, register, form, reader).map(|claims| OfRegister::Claims(Box::new(claims)))
            }
            DataType::Case => Work::read(fields, register, form, reader).map(|work| OfRegister::Work(Box::new(work))),
            DataType::Record => OfRecord::read(fields, form, reader).map(|record| OfRegister::Record(Box::new(record))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::reliable_channel::content::{About, Content, Peers};
    use crate::engine::vector::Actor;

    fn about(client: u32, fragment: usize) -> About {
        let fields = Fields { labels: 40, ..Fields::default() };
        About {
            actor: Actor { client, incarnation: 1 },
            store: 1,
            fields,
            wall: 0,
            fragment,
            serves: false,
            is_root: false,
            mutant: None,
        }
    }

    /// Takes what one tells the other, in as many messages; gives what the other shows after each.
    fn told(from: &mut DeltaState, fragment: usize, to: &mut DeltaState) -> Vec<Vec<View>> {
        let mut changes = from.meet(&about(1, fragment), None, true);
        let mut shown = Vec::new();
        loop {
            let mut writer = Writer::bare();
            if from.offer(&about(1, fragment), &mut changes, &mut writer).is_none() {
                return shown;
            }
            let bytes = writer.into_bytes();
            to.take(&about(2, fragment), &mut Peers::new(), 1, &mut Reader::bare(&bytes)).expect("it is sound");
            from.arrived(&mut changes);
            shown.push(to.shows(&about(2, fragment)));
        }
    }

    #[test]
    fn no_message_tells_that_a_value_was_overwritten_without_what_took_its_place() {
        let [mut first, mut second, mut third] = [DeltaState::default(), DeltaState::default(), DeltaState::default()];
        let write = |at: &mut DeltaState, client: u32, value| {
            (0..40).for_each(|label| at.edit(&about(client, 64), &mut Peers::new(), label, Intent::Write(value)));
        };
        write(&mut first, 0, 3);
        told(&mut first, 4096, &mut second);
        told(&mut first, 4096, &mut third);
        write(&mut second, 1, 4);
        let shown = told(&mut second, 64, &mut third);
        assert!(shown.len() > 2, "{} messages", shown.len());
        for (message, views) in shown.iter().enumerate() {
            for view in views {
                let values = view.values().expect("a label");
                assert!(!values.is_empty(), "after message {message} a label that was written twice shows nothing");
            }
        }
        assert!(shown.last().is_some_and(|views| views.iter().all(|view| *view == View::Label([4].into()))));
    }
}
