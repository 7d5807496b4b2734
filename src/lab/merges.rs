//! What comes in at one node, as words that an accumulator merges: the XOR of a register before and after each of them.
//!
//! Knows: what its host was told came in, and a register file of its own, to which it does the same. Must not: look at
//! what the node made of it, but after a start, when only the node can tell what survived.

use crate::domain::data::View;
use crate::engine::host::{Merge, NodeId};

/// The merges of one node, in the order in which they came.
#[derive(Clone, Debug)]
pub struct MergeTrace {
    /// Whose they are.
    pub node: NodeId,
    registers: Vec<i64>,
    /// Register, and the XOR of before and after.
    pub words: Vec<(u32, u64)>,
    /// Changes that only a start explains.
    pub by_starts: u64,
}

impl MergeTrace {
    /// Of a node whose registers start like this.
    pub fn new(node: NodeId, registers: Vec<i64>) -> MergeTrace {
        MergeTrace { node, registers, words: Vec::new(), by_starts: 0 }
    }

    fn change(&mut self, register: u32, to: i64) {
        let before = std::mem::replace(&mut self.registers[register as usize], to);
        self.words.push((register, (before ^ to) as u64));
    }

    /// These came in.
    pub fn came(&mut self, merges: impl IntoIterator<Item = (u32, Merge)>) {
        for (register, merge) in merges {
            self.change(register, merge.into(self.registers[register as usize]));
        }
    }

    /// The node has started again and shows this: what it lost, or found to be there after all, is a change, too.
    pub fn started(&mut self, shows: &[View]) {
        let counters = shows.iter().map_while(|view| match view {
            View::Counter(number) => Some(*number),
            _ => None,
        });
        for (register, shown) in counters.enumerate() {
            if self.registers[register] != shown {
                self.change(register as u32, shown);
                self.by_starts += 1;
            }
        }
    }
}
