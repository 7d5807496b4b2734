//! A receiver: its registers, and which ticks of which replica it took.

use std::collections::BTreeMap;

use crate::codec::{Refused, Replica};

/// What a receiver keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receiver {
    /// Its registers.
    pub registers: Vec<i64>,
    /// By replica, runs of sequence numbers that were taken: ascending, and apart from each other.
    taken: BTreeMap<Replica, Vec<(u64, u64)>>,
}

impl Receiver {
    /// A receiver with these registers that took nothing yet.
    pub fn with(registers: &[i64]) -> Self {
        Receiver { registers: registers.to_vec(), taken: BTreeMap::new() }
    }

    /// Notes that these sequence numbers of a replica are taken; gives whether they are new.
    ///
    /// # Errors
    /// If some are, and some are not: then nothing is noted.
    pub fn takes(&mut self, from: Replica, first: u64, last: u64) -> Result<bool, Refused> {
        let runs = self.taken.entry(from).or_default();
        let place = runs.partition_point(|&(_, end)| end < first);
        match runs.get(place) {
            Some(&(start, end)) if start <= first && last <= end => return Ok(false),
            Some(&(start, _)) if start <= last => return Err(Refused::Overlap),
            _ => {}
        }
        runs.insert(place, (first, last));
        if runs.get(place + 1).is_some_and(|next| last.checked_add(1) == Some(next.0)) {
            runs[place].1 = runs.remove(place + 1).1;
        }
        if place > 0 && runs[place - 1].1.checked_add(1) == Some(first) {
            runs[place - 1].1 = runs.remove(place).1;
        }
        Ok(true)
    }

    /// Whether a sequence number is missing before the last one that was taken of a replica.
    pub fn has_gaps(&self) -> bool {
        self.taken.values().any(|runs| runs.len() > 1 || runs.first().is_some_and(|run| run.0 > 1))
    }

    /// Adds to a register; it wraps.
    pub fn add(&mut self, register: u32, amount: i64) {
        let register = &mut self.registers[register as usize];
        *register = register.wrapping_add(amount);
    }

    /// Whether a register of this number is there.
    pub fn has(&self, register: u32) -> Result<(), Refused> {
        if (register as usize) < self.registers.len() { Ok(()) } else { Err(Refused::Range("a register")) }
    }
}
