//! One writer's edits of a counter: one net sum, with the number of edits in it; the newer of two replaces the older.
//!
//! A pair of increments and decrements ([`crate::engine::baseline::pn_counter`]) grows without an end; a net sum does not, and wraps as
//! a register does.
//!
//! Knows: sums. Must not: know connections, or stores.

use serde::{Deserialize, Serialize};

use crate::codec::Refused;
use crate::codec::payload::{
    read_amounts, read_numbers, read_registers, write_amounts, write_numbers, write_registers,
};
use crate::codec::range_coder::{Decoder, Encoder};
use crate::domain::data::{DataType, Fields};
use crate::domain::traffic::Kind;
use crate::engine::by_writer::{OneByOne, read_each, write_each};
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

    /// About how many bytes it takes on the line, and hardly ever more.
    pub fn length(self) -> usize {
        signed_length(self.sum) + if self.edits == 1 { 0 } else { length(self.edits) }
    }
}

impl OneByOne for NetSum {
    fn form(&self) -> u64 {
        if self.edits == 1 { ONE } else { SEVERAL }
    }

    fn write(&self, writer: &mut Writer) {
        if self.edits != 1 {
            writer.of(Kind::Ids).number(self.edits);
        }
        writer.of(Kind::Payload).signed(self.sum);
    }

    fn read(fields: &Fields, register: u32, form: u64, reader: &mut Reader) -> Result<Self, Malformed> {
        let edits = match (fields.of(register), form) {
            (DataType::Counter, ONE) => 1,
            (DataType::Counter, SEVERAL) => reader.number()?,
            _ => return Err(Malformed::Range("the form of a share")),
        };
        Ok(NetSum { edits, sum: reader.signed()? })
    }
}

/// Writes net sums of one writer, ascending by register, and whether something follows them: one after the other, or as one
/// entropy-coded payload of registers, numbers of edits and sums, whichever is shorter.
pub fn write(fields: &Fields, sums: &[(u32, NetSum)], is_followed: bool, writer: &mut Writer) {
    let each: Vec<(u32, &NetSum)> = sums.iter().map(|(register, sum)| (*register, sum)).collect();
    let mut plain = Writer::bare();
    write_each(&each, &mut plain);
    let (code, parts) = coded(fields, sums);
    let is_coded = !code.is_empty() && length(code.len() as u64) + code.len() < plain.len();
    let told = (sums.len() as u64) << 2 | u64::from(is_coded) << 1 | u64::from(is_followed);
    writer.of(Kind::Addressing).number(told);
    if is_coded {
        // The last byte is payload: a message that carries edits has some.
        let [addressed, identified] = parts.map(|part| part.min(code.len() - 1));
        writer.of(Kind::Framing).number(code.len() as u64);
        writer.of(Kind::Addressing).raw(&code[..addressed]);
        writer.of(Kind::Ids).raw(&code[addressed..identified]);
        writer.of(Kind::Payload).raw(&code[identified..]);
    } else {
        write_each(&each, writer);
    }
}

/// The code of these sums, and where in it the registers end, and the numbers of edits.
fn coded(fields: &Fields, sums: &[(u32, NetSum)]) -> (Vec<u8>, [usize; 2]) {
    let registers: Vec<u32> = sums.iter().map(|&(register, _)| register).collect();
    // Most are of one edit, which is the 0 of what travels.
    let edits: Vec<u64> = sums.iter().map(|(_, sum)| sum.edits.wrapping_sub(1)).collect();
    let amounts: Vec<i64> = sums.iter().map(|(_, sum)| sum.sum).collect();
    let mut encoder = Encoder::default();
    write_registers(&mut encoder, fields.counters, &registers);
    let addressed = encoder.written();
    write_numbers(&mut encoder, &edits);
    let identified = encoder.written();
    write_amounts(&mut encoder, &amounts);
    (encoder.finish(), [addressed, identified])
}

/// Reads net sums that [`write`] wrote, and whether something follows them.
pub fn read(fields: &Fields, reader: &mut Reader) -> Result<(Vec<(u32, NetSum)>, bool), Malformed> {
    let told = reader.number()?;
    let count = u32::try_from(told >> 2).ok().filter(|&count| count <= fields.counters);
    let count = count.ok_or(Malformed::Range("a number of registers"))?;
    let is_followed = told & 1 == 1;
    if told & 2 == 0 {
        return Ok((read_each(fields, count as usize, reader)?, is_followed));
    }
    let length = reader.count("the length of sums")?;
    let mut decoder = Decoder::of(reader.raw(length)?);
    let bad = |_: Refused| Malformed::Range("a code of sums");
    let registers = read_registers(&mut decoder, fields.counters, count).map_err(bad)?;
    let edits = read_numbers(&mut decoder, count);
    let amounts = read_amounts(&mut decoder, count).map_err(bad)?;
    decoder.end().map_err(bad)?;
    let sums = edits.into_iter().zip(amounts).map(|(edits, sum)| NetSum { edits: edits.wrapping_add(1), sum });
    Ok((registers.into_iter().zip(sums).collect(), is_followed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::by_writer::written;
    use crate::engine::delta_state::OfRegister::{self, Sum};
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
    fn few_shares_travel_one_by_one_and_many_as_a_code_and_a_sum_wraps_as_a_register_does() {
        assert_eq!(written(&[(3, Sum(after(&[7])))]), (1, 1));
        assert_eq!(written(&[(3, Sum(after(&[7, -7]))), (18, Sum(after(&[-1, 1, 1])))]), (2, 2));
        let many: Vec<(u32, OfRegister)> =
            (0..20).map(|place| (3 * place, Sum(after(&[200 - 7 * i64::from(place)])))).collect();
        let (addressing, payload) = written(&many);
        // One by one they take 20 B and 39 B.
        assert!(addressing < 9 && payload < 24, "{addressing} and {payload}");
        assert_eq!(after(&[i64::MAX, i64::MAX]).amount(), -2);
    }
}
