//! A batch of operations: what an outbox sends, in whichever notation. A receiver takes each batch once, by its replica and
//! sequence number.

use serde::{Deserialize, Serialize};

use crate::codec::{Receiver, Refused, Replica, Tick};

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// The register.
    pub register: u32,
    /// What is added to it.
    pub add: i64,
}

/// A batch of one tick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The client.
    pub client: u32,
    /// Which of its starts.
    pub incarnation: u32,
    /// Which of its ticks.
    pub sequence: u64,
    /// What it did.
    pub operations: Vec<Operation>,
}

impl Batch {
    /// The batch of a tick.
    pub fn of(tick: &Tick) -> Self {
        let Replica { client, incarnation } = tick.from;
        let operations = tick.changes().map(|change| Operation { register: change.register, add: change.amount() });
        Batch { client, incarnation, sequence: tick.sequence, operations: operations.collect() }
    }

    /// Has a receiver take it, once.
    ///
    /// # Errors
    /// If it has not all of its registers.
    pub fn into(self, receiver: &mut Receiver) -> Result<(), Refused> {
        self.operations.iter().try_for_each(|operation| receiver.has(operation.register))?;
        let from = Replica { client: self.client, incarnation: self.incarnation };
        if receiver.takes(from, self.sequence, self.sequence)? {
            self.operations.iter().for_each(|operation| receiver.add(operation.register, operation.add));
        }
        Ok(())
    }
}
