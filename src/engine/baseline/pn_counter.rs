//! Each writer's sums of its increments and of its decrements, which only grow, merged by maximum: a PN-counter.
//!
//! Shapiro, Preguiça, Baquero and Zawirski, "A comprehensive study of Convergent and Commutative Replicated Data Types",
//! INRIA RR-7506, 2011, specification 7.
//!
//! A sum of 0 is not sent: the form of a share says which are there.

use serde::{Deserialize, Serialize};

use crate::data;
use crate::domain::data::{DataType, Fields, Intent, View};
use crate::domain::traffic::Kind;
use crate::engine::by_writer::{Beside, ByWriter, OneByOne, Share, read_each, write_each};
use crate::engine::wire::{Malformed, Reader, Writer, length};

/// The engine.
pub type PnCounter = ByWriter<Sums>;

/// What was added, and what was taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sums {
    added: u64,
    taken: u64,
}

const ADDED: u64 = 1;
const TAKEN: u64 = 2;

impl Share for Sums {
    fn new(_data: DataType) -> Self {
        Sums::default()
    }

    fn edit(&mut self, intent: Intent, _beside: &Beside) {
        let amount = intent.amount().unwrap_or(0);
        let sum = if amount < 0 { &mut self.taken } else { &mut self.added };
        // It only grows, whatever a neighbour said that it was.
        *sum = sum.saturating_add(amount.unsigned_abs());
    }

    fn merge(&mut self, other: &Self) -> bool {
        let before = *self;
        *self = Sums { added: self.added.max(other.added), taken: self.taken.max(other.taken) };
        *self != before
    }

    fn show(&self, view: &mut View) {
        data::add(view, self.amount());
    }

    fn amount(&self) -> i64 {
        self.added.wrapping_sub(self.taken) as i64
    }

    fn length(&self) -> usize {
        length(self.added) + length(self.taken)
    }

    fn write(_fields: &Fields, shares: &[(u32, &Self)], writer: &mut Writer) {
        writer.of(Kind::Addressing).number(shares.len() as u64);
        write_each(shares, writer);
    }

    fn read(fields: &Fields, reader: &mut Reader) -> Result<Vec<(u32, Self)>, Malformed> {
        let count = reader.count("a number of registers")?;
        read_each(fields, count, reader)
    }
}

impl OneByOne for Sums {
    fn form(&self) -> u64 {
        u64::from(self.added > 0) * ADDED + u64::from(self.taken > 0) * TAKEN
    }

    fn write(&self, writer: &mut Writer) {
        writer.of(Kind::Payload);
        for sum in [self.added, self.taken].into_iter().filter(|&sum| sum > 0) {
            writer.number(sum);
        }
    }

    fn read(_fields: &Fields, _register: u32, form: u64, reader: &mut Reader) -> Result<Self, Malformed> {
        let mut sum = |which| if form & which > 0 { reader.number() } else { Ok(0) };
        Ok(Sums { added: sum(ADDED)?, taken: sum(TAKEN)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::by_writer::written;

    #[test]
    fn a_sum_of_0_takes_no_byte_and_every_pair_of_sums_is_read_back() {
        let sums = |added, taken| Sums { added, taken };
        assert_eq!(written(&[(3, sums(7, 0))]), (1, 1));
        assert_eq!(written(&[(3, sums(0, 7))]), (1, 1));
        assert_eq!(written(&[(3, sums(7, 7))]), (1, 2));
        assert_eq!(written(&[(3, sums(0, 0))]), (1, 0));
        // Gaps up to 31 take a byte.
        let far = [(0, sums(1, 0)), (32, sums(0, 300)), (63, sums(u64::MAX, u64::MAX))];
        assert_eq!(written(&far), (3, 1 + 2 + 20));
    }
}
