//! Changes as one entropy-coded payload: which registers, and numbers that belong to them.
//!
//! Registers are coded within a fraction of a bit of their number of subsets: each is a choice with the exact share that
//! the registers and changes left give it. Where registers are many, they are coded in cells of 2^k, and the place in the
//! cell after that, so that the time goes with the changes. Numbers are coded by one of two models, whichever is shorter:
//! all up to the largest equally likely, or by their lengths in bits, whose frequencies are learned on the way
//! (Krichevsky and Trofimov, 1981). Signed ones are first made numbers without a sign: by their magnitude where all have
//! one sign, and zigzag where they do not.

use crate::codec::Refused;
use crate::codec::range_coder::{Decoder, Encoder};
use crate::codec::varint::{unzigzag, zigzag};

/// Cells that there are for each change at most, before two are made one.
const CELLS_A_CHANGE: u64 = 16;

/// Leading bits of the largest number that are told.
const TOLD: u32 = 4;

/// Bits of a cell's number of registers, where so many of so many change.
fn cell_bits(registers: u32, changed: u32) -> u32 {
    let most = CELLS_A_CHANGE * u64::from(changed.max(1));
    (0..32).find(|&bits| u64::from(registers) >> bits <= most).unwrap_or(32)
}

/// Registers of the cell of this number.
fn cell_size(registers: u32, bits: u32, cell: u64) -> u64 {
    (u64::from(registers) - (cell << bits)).min(1 << bits)
}

/// Writes which of so many registers change: ascending, none twice. Their number is told elsewhere.
pub fn write_registers(encoder: &mut Encoder, registers: u32, changed: &[u32]) {
    let bits = cell_bits(registers, changed.len() as u32);
    let cells = u64::from(registers).div_ceil(1 << bits);
    let (mut cell, mut next) = (0, 0);
    for (place, &register) in changed.iter().enumerate() {
        let left = (changed.len() - place) as u64;
        let at = u64::from(register >> bits);
        while cell < at {
            let total = total(bits, left, cells - cell);
            encoder.part(left, total - left, total);
            cell += 1;
            next = 0;
        }
        let total = total(bits, left, cells - cell);
        if left < total {
            encoder.part(0, left, total);
        }
        let within = u64::from(register) - (at << bits);
        let most = cell_size(registers, bits, cell) - 1;
        if next < most {
            encoder.number(within - next, most - next);
        }
        next = within + 1;
        if bits == 0 {
            (cell, next) = (cell + 1, 0);
        }
    }
}

/// Reads what [`write_registers`] wrote.
///
/// # Errors
/// If a cell has more changes than registers.
pub fn read_registers(decoder: &mut Decoder, registers: u32, changed: u32) -> Result<Vec<u32>, Refused> {
    let bits = cell_bits(registers, changed);
    let cells = u64::from(registers).div_ceil(1 << bits);
    let (mut cell, mut next) = (0, 0);
    let mut read = Vec::with_capacity(changed as usize);
    for place in 0..changed {
        let left = u64::from(changed - place);
        loop {
            let total = total(bits, left, cells - cell);
            if left >= total {
                break;
            }
            if decoder.place(total) < left {
                decoder.take(0, left, total);
                break;
            }
            decoder.take(left, total - left, total);
            cell += 1;
            next = 0;
        }
        let most = cell_size(registers, bits, cell) - 1;
        if next > most {
            return Err(Refused::Range("a register"));
        }
        let within = if next < most { next + decoder.number(most - next) } else { next };
        read.push(((cell << bits) + within) as u32);
        next = within + 1;
        if bits == 0 {
            (cell, next) = (cell + 1, 0);
        }
    }
    Ok(read)
}

/// Of so many, the changes that are left are the share of the cell in question: of cells of one register, one change
/// fits into each; of larger ones, any number.
fn total(bits: u32, left: u64, cells: u64) -> u64 {
    if bits == 0 { cells } else { left + cells - 1 }
}

/// How numbers are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Model {
    /// All up to the largest are equally likely.
    Flat,
    /// By their lengths, of which those that came before are likelier.
    Lengths,
}

fn length(number: u64) -> u32 {
    64 - number.leading_zeros()
}

/// The least number of this length that is told apart from others, and what is added to it.
fn floor_of(length: u32) -> u64 {
    if length == 0 { 0 } else { 1 << (length - 1) }
}

/// Frequencies of lengths.
struct Lengths {
    counts: Vec<u64>,
    total: u64,
}

impl Lengths {
    fn up_to(longest: u32) -> Self {
        Lengths { counts: vec![1; longest as usize + 1], total: u64::from(longest) + 1 }
    }

    fn start(&self, length: u32) -> u64 {
        self.counts[..length as usize].iter().sum()
    }

    fn came(&mut self, length: u32) {
        self.counts[length as usize] += 2;
        self.total += 2;
    }
}

/// The largest number of the flat model: as large as this one, with its leading bits alone told.
fn bound_of(leading: u64, length: u32) -> u64 {
    let untold = length.saturating_sub(TOLD);
    (leading << untold) | ((1 << untold) - 1)
}

fn write_by(encoder: &mut Encoder, model: Model, longest: u32, numbers: &[u64]) {
    match model {
        Model::Flat => {
            let largest = numbers.iter().copied().max().unwrap_or(0);
            let untold = longest.saturating_sub(TOLD);
            let (leading, floor) = (largest >> untold, floor_of(longest.min(TOLD)));
            encoder.number(leading - floor, floor - 1);
            let bound = bound_of(leading, longest);
            numbers.iter().for_each(|&number| encoder.number(number, bound));
        }
        Model::Lengths => {
            let mut lengths = Lengths::up_to(longest);
            for &number in numbers {
                let length = length(number);
                encoder.part(lengths.start(length), lengths.counts[length as usize], lengths.total);
                lengths.came(length);
                let floor = floor_of(length);
                if floor > 1 {
                    encoder.number(number - floor, floor - 1);
                }
            }
        }
    }
}

/// Writes numbers; how many is told elsewhere.
pub fn write_numbers(encoder: &mut Encoder, numbers: &[u64]) {
    if numbers.is_empty() {
        return;
    }
    let longest = numbers.iter().map(|&number| length(number)).max().unwrap_or(0);
    encoder.number(longest.into(), 64);
    if longest == 0 {
        return;
    }
    let bits = |model| {
        let mut tried = Encoder::default();
        write_by(&mut tried, model, longest, numbers);
        tried.bits()
    };
    let model = if bits(Model::Lengths) < bits(Model::Flat) { Model::Lengths } else { Model::Flat };
    encoder.number(model as u64, 1);
    write_by(encoder, model, longest, numbers);
}

/// Reads what [`write_numbers`] wrote.
pub fn read_numbers(decoder: &mut Decoder, count: u32) -> Vec<u64> {
    if count == 0 {
        return Vec::new();
    }
    let longest = decoder.number(64) as u32;
    if longest == 0 {
        return vec![0; count as usize];
    }
    if decoder.number(1) == Model::Flat as u64 {
        let floor = floor_of(longest.min(TOLD));
        let bound = bound_of(floor + decoder.number(floor - 1), longest);
        return (0..count).map(|_| decoder.number(bound)).collect();
    }
    let mut lengths = Lengths::up_to(longest);
    let mut one = || {
        let place = decoder.place(lengths.total);
        let (mut length, mut start) = (0, 0);
        while start + lengths.counts[length as usize] <= place {
            start += lengths.counts[length as usize];
            length += 1;
        }
        decoder.take(start, lengths.counts[length as usize], lengths.total);
        lengths.came(length);
        let floor = floor_of(length);
        floor + if floor > 1 { decoder.number(floor - 1) } else { 0 }
    };
    (0..count).map(|_| one()).collect()
}

/// How signs travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signs {
    Mixed,
    Positive,
    Negative,
}

impl Signs {
    const ALL: [Signs; 3] = [Signs::Mixed, Signs::Positive, Signs::Negative];

    fn of(amounts: &[i64]) -> Self {
        if amounts.iter().all(|&amount| amount > 0) {
            Signs::Positive
        } else if amounts.iter().all(|&amount| amount < 0) {
            Signs::Negative
        } else {
            Signs::Mixed
        }
    }

    fn without(self, amount: i64) -> u64 {
        match self {
            Signs::Mixed => zigzag(amount),
            Signs::Positive => amount as u64 - 1,
            Signs::Negative => !amount as u64,
        }
    }

    fn with(self, number: u64) -> Option<i64> {
        let magnitude = || i64::try_from(number).ok();
        match self {
            Signs::Mixed => Some(unzigzag(number)),
            Signs::Positive => magnitude()?.checked_add(1),
            Signs::Negative => magnitude().map(|number| !number),
        }
    }
}

/// Writes signed amounts; how many is told elsewhere.
pub fn write_amounts(encoder: &mut Encoder, amounts: &[i64]) {
    if amounts.is_empty() {
        return;
    }
    let signs = Signs::of(amounts);
    encoder.number(signs as u64, 2);
    write_numbers(encoder, &amounts.iter().map(|&amount| signs.without(amount)).collect::<Vec<u64>>());
}

/// Reads what [`write_amounts`] wrote.
///
/// # Errors
/// If an amount has more than 64 bits.
pub fn read_amounts(decoder: &mut Decoder, count: u32) -> Result<Vec<i64>, Refused> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let signs = Signs::ALL[decoder.number(2) as usize];
    let numbers = read_numbers(decoder, count);
    numbers.into_iter().map(|number| signs.with(number).ok_or(Refused::Range("an amount"))).collect()
}
