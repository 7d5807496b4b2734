//! One writer's edits of a counter: one net sum, with the number of edits in it; the newer of two replaces the older.
//!
//! A pair of increments and decrements ([`crate::engine::baseline::pn_counter`]) grows without an end; a net sum does not, and wraps as
//! a register does.
//!
//! Knows: sums. Must not: know connections, or stores.

use serde::{Deserialize, Serialize};

use crate::domain::traffic::Kind;
use crate::engine::wire::{Malformed, Reader, Writer, length, signed_length};

/// What one writer's edits of one register come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NetSum {
    edits: u64,
    sum: i64,
}

/// Whether a share is of one edit: then its number does not travel.
const ONE: u64 = 0;
const SEVERAL: u64 = 1;

impl NetSum {
    /// The writer adds an amount.
    pub fn edit(&mut self, amount: i64) {
        (self.edits, self.sum) = (self.edits + 1, self.sum.wrapping_add(amount));
    }

    /// The newer of both.
    pub fn merged(self, other: Self) -> Self {
        if other.edits > self.edits { other } else { self }
    }

    /// By how much the counter is larger.
    pub fn amount(self) -> i64 {
        self.sum
    }

    /// Bytes on the line.
    pub fn length(self) -> usize {
        signed_length(self.sum) + if self.edits == 1 { 0 } else { length(self.edits) }
    }

    /// How it is written.
    pub fn form(self) -> u64 {
        if self.edits == 1 { ONE } else { SEVERAL }
    }

    /// Writes it.
    pub fn write(self, writer: &mut Writer) {
        if self.edits != 1 {
            writer.of(Kind::Ids).number(self.edits);
        }
        writer.of(Kind::Payload).signed(self.sum);
    }

    /// Reads what was written in this form.
    pub fn read(form: u64, reader: &mut Reader) -> Result<Self, Malformed> {
        let edits = match form {
            ONE => 1,
            SEVERAL => reader.number()?,
            _ => return Err(Malformed::Range("the form of a share")),
        };
        Ok(NetSum { edits, sum: reader.signed()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::by_writer::written;
    use crate::engine::delta_state::OfRegister::Sum;
    use proptest::prelude::*;

    fn after(amounts: &[i64]) -> NetSum {
        let mut share = NetSum::default();
        amounts.iter().for_each(|&amount| share.edit(amount));
        share
    }

    proptest! {
        #[test]
        fn the_newer_of_two_shares_of_a_writer_stays_whichever_comes_first(
            amounts: Vec<i64>,
            first: prop::sample::Index,
            second: prop::sample::Index,
        ) {
            let of = |index: prop::sample::Index| after(&amounts[..index.index(amounts.len() + 1)]);
            let newer = after(&amounts[..first.index(amounts.len() + 1).max(second.index(amounts.len() + 1))]);
            prop_assert_eq!(of(first).merged(of(second)), newer);
            prop_assert_eq!(of(second).merged(of(first)), newer);
        }

        #[test]
        fn every_share_is_read_back(amounts in proptest::collection::vec(any::<i64>(), 0..4), register in 0..64u32) {
            written(&[(register, Sum(after(&amounts)))]);
        }
    }

    #[test]
    fn a_share_of_one_edit_travels_without_a_number_and_a_sum_wraps_as_a_register_does() {
        assert_eq!(written(&[(3, Sum(after(&[7])))]), (1, 1));
        assert_eq!(written(&[(3, Sum(after(&[7, -7]))), (18, Sum(after(&[-1, 1, 1])))]), (2, 2));
        assert_eq!(after(&[i64::MAX, i64::MAX]).amount(), -2);
    }
}
