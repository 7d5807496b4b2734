//! rsync's way: the receiver sends a signature of its blocks, and the sender answers with blocks that it found anywhere in
//! its own state, and with the bytes between them. Tridgell and Mackerras, "The rsync algorithm", 1996.
//!
//! | bytes of the signature, a block | say |
//! |---|---|
//! | 4 | the rolling checksum, which finds a block at any place |
//! | 4 | CRC-32, which tells whether it is the block |
//!
//! | bytes of the message | say |
//! |---|---|
//! | 4 | CRC-32 of the whole state |
//! | varint | a run: its length, doubled, and 1 more if it is of blocks |
//! | varint | of blocks, the number of the first |
//! | as many | else, the bytes |

use std::collections::HashMap;

use crate::codec::{Codec, Needs, Receiver, Refused, Tick, from_words, to_words, varint};

/// Bytes of a block: of 8, 16, 32, 64 and 128, the fewest bytes both ways for 20 of 256 registers.
const BLOCK: usize = 32;

/// The sum of a block's bytes, and the sum of those sums: both follow when the block moves by a byte.
#[derive(Clone, Copy)]
struct Rolling {
    sum: u32,
    weighted: u32,
}

impl Rolling {
    fn of(block: &[u8]) -> Self {
        let (mut sum, mut weighted) = (0u32, 0u32);
        for &byte in block {
            sum = sum.wrapping_add(byte.into());
            weighted = weighted.wrapping_add(sum);
        }
        Rolling { sum, weighted }
    }

    fn moves(&mut self, out: u8, into: u8) {
        self.sum = self.sum.wrapping_sub(out.into()).wrapping_add(into.into());
        self.weighted = self.weighted.wrapping_sub(BLOCK as u32 * u32::from(out)).wrapping_add(self.sum);
    }

    fn value(self) -> u32 {
        self.sum & 0xFFFF | self.weighted << 16
    }
}

/// The codec.
pub struct Rsync;

/// A part of the message.
enum Run<'a> {
    Blocks(usize, usize),
    Bytes(&'a [u8]),
}

fn runs<'a>(state: &'a [u8], blocks: &HashMap<[u8; 8], usize>) -> Vec<Run<'a>> {
    let mut runs: Vec<Run> = Vec::new();
    let (mut at, mut since) = (0, 0);
    let mut rolling = state.get(..BLOCK).map(Rolling::of);
    while let Some(window) = state.get(at..at + BLOCK) {
        let weak = rolling.unwrap_or(Rolling::of(window));
        rolling = Some(weak);
        match blocks.get(&signed(weak, window)) {
            Some(&block) => {
                if since < at {
                    runs.push(Run::Bytes(&state[since..at]));
                }
                match runs.last_mut() {
                    Some(Run::Blocks(first, count)) if *first + *count == block => *count += 1,
                    _ => runs.push(Run::Blocks(block, 1)),
                }
                at += BLOCK;
                (since, rolling) = (at, None);
            }
            None => {
                if let (Some(rolling), Some(&into)) = (&mut rolling, state.get(at + BLOCK)) {
                    rolling.moves(window[0], into);
                }
                at += 1;
            }
        }
    }
    if since < state.len() {
        runs.push(Run::Bytes(&state[since..]));
    }
    runs
}

fn signed(weak: Rolling, block: &[u8]) -> [u8; 8] {
    let (weak, strong) = (weak.value().to_le_bytes(), crc32fast::hash(block).to_le_bytes());
    let mut signature = [0; 8];
    signature[..4].copy_from_slice(&weak);
    signature[4..].copy_from_slice(&strong);
    signature
}

impl Codec for Rsync {
    fn name(&self) -> &'static str {
        "rsync-style"
    }

    fn about(&self) -> &'static str {
        "a signature of the receiver's blocks of 32 bytes, and what it lacks of them"
    }

    fn needs(&self) -> Needs {
        Needs::Registers
    }

    fn asks(&self, registers: &[i64]) -> Vec<u8> {
        to_words(registers).chunks_exact(BLOCK).flat_map(|block| signed(Rolling::of(block), block)).collect()
    }

    fn encode(&self, tick: &Tick, asked: &[u8]) -> Vec<u8> {
        let state = to_words(tick.new);
        let signatures = asked.as_chunks::<8>().0.iter().enumerate();
        // Of equal blocks the first: where a block is looked for, any will do.
        let mut blocks = HashMap::new();
        signatures.for_each(|(number, &signature)| _ = blocks.entry(signature).or_insert(number));
        let mut message = crc32fast::hash(&state).to_le_bytes().to_vec();
        for run in runs(&state, &blocks) {
            match run {
                Run::Blocks(first, count) => {
                    varint::push(&mut message, (count as u64) << 1 | 1);
                    varint::push(&mut message, first as u64);
                }
                Run::Bytes(bytes) => {
                    varint::push(&mut message, (bytes.len() as u64) << 1);
                    message.extend_from_slice(bytes);
                }
            }
        }
        message
    }

    fn receive(&self, receiver: &mut Receiver, message: &[u8]) -> Result<(), Refused> {
        let (checksum, mut rest) = message.split_first_chunk::<4>().ok_or(Refused::Short)?;
        let mine = to_words(&receiver.registers);
        let mut state = Vec::with_capacity(mine.len());
        while !rest.is_empty() {
            let told = varint::take(&mut rest)?;
            let length = usize::try_from(told >> 1).ok().filter(|&length| length > 0);
            let length = length.ok_or(Refused::Range("the length of a run"))?;
            let run = if told & 1 == 1 {
                let first = usize::try_from(varint::take(&mut rest)?).ok();
                let bytes = |blocks: usize| blocks.checked_mul(BLOCK);
                let from = first.and_then(bytes).ok_or(Refused::Range("a block"))?;
                let until = bytes(length).and_then(|length| from.checked_add(length));
                until.and_then(|until| mine.get(from..until)).ok_or(Refused::Range("a block"))?
            } else {
                let (run, after) = rest.split_at_checked(length).ok_or(Refused::Short)?;
                rest = after;
                run
            };
            if state.len() + run.len() > mine.len() {
                return Err(Refused::Long);
            }
            state.extend_from_slice(run);
        }
        if crc32fast::hash(&state) != u32::from_le_bytes(*checksum) {
            return Err(Refused::OldState);
        }
        receiver.registers = from_words(&state, receiver.registers.len())?;
        Ok(())
    }
}
