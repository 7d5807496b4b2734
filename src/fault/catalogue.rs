//! Every fault that can be planted: what it does, and why it may do nothing.

use crate::domain::fault::Fault;
use crate::domain::seed::Seed;

/// A kind of fault, for `abench list faults`.
pub struct Entry {
    /// As `--plant` takes it.
    pub form: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
}

/// All kinds, in the order in which they are listed.
pub const CATALOGUE: &[Entry] = &[
    Entry { form: "dead-bank:K", about: "bank K of the engine accumulates nothing" },
    Entry { form: "drop:I", about: "the engine leaves out the delta of index I" },
    Entry { form: "duplicate:I", about: "the engine applies the delta of index I twice: under XOR the same as drop:I" },
    Entry { form: "flip-bit:B", about: "bit B of the engine's merged result is inverted" },
    Entry { form: "stale-read", about: "a READ of the adapter answers with the state before the last ACCUM" },
    Entry { form: "lost-high-word", about: "the adapter does not take the high half of an ACCUM" },
];

/// What a run asked of a device, as far as it decides which faults could show.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    /// Banks of the engine.
    pub banks: u32,
    /// Deltas of the longest engine run; 0 if the engine was not run.
    pub longest_run: u32,
    /// The seed of the engine's runs.
    pub seed: Seed,
}

/// Why a run did not use the part that a fault is planted in.
pub fn why_not_activated(fault: Fault, used: Option<Use>) -> String {
    let Some(Use { banks, longest_run, .. }) = used else {
        return "no model is among the backends, and faults are planted in the model".to_owned();
    };
    match fault {
        Fault::DeadBank(bank) if bank >= banks => {
            format!("the engine has no bank {bank}: its banks are 0 to {}", banks - 1)
        }
        Fault::DeadBank(_) | Fault::FlipBit(_) if longest_run == 0 => "the run does not use the engine".to_owned(),
        Fault::Drop(_) | Fault::Duplicate(_) if longest_run == 0 => "the run does not use the engine".to_owned(),
        Fault::Drop(index) | Fault::Duplicate(index) if index >= longest_run => {
            format!("no run reaches index {index}: the longest has indices 0 to {}", longest_run - 1)
        }
        Fault::Drop(index) | Fault::Duplicate(index) => format!("index {index} falls to a dead bank in every run"),
        Fault::DeadBank(_) | Fault::FlipBit(_) => "the run ended before the engine was used".to_owned(),
        Fault::StaleRead | Fault::LostHighWord => "the run does not use the adapter".to_owned(),
    }
}

/// Why a fault that was used came to the same as a sound part.
pub fn why_equivalent(fault: Fault, used: Use) -> String {
    let Use { seed, .. } = used;
    match fault {
        Fault::Drop(index) | Fault::Duplicate(index) => {
            format!("its effect is nil: index {index} equals SEED {seed}, so its delta is 0")
        }
        Fault::DeadBank(bank) => format!("its effect is nil: all that bank {bank} accumulates is 0 in every run"),
        Fault::StaleRead => "its effect is nil: no ACCUM changed the state before a READ".to_owned(),
        Fault::LostHighWord => "its effect is nil: the high half of every delta is 0".to_owned(),
        Fault::FlipBit(_) => "its effect is nil".to_owned(),
    }
}
