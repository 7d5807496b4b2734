//! What was found of devices: what they are, their bank sweeps, causes, planted faults and waveforms.

use serde::{Deserialize, Serialize};

use crate::domain::evidence::Evidence;
use crate::domain::hex::Hex64;

/// A device that was used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceRecord {
    /// Its name, as `--backend` takes it.
    pub name: String,
    /// How its answers are got.
    pub evidence: Evidence,
    /// Version of the design.
    pub version: u32,
    /// Banks of its bench engine.
    pub banks: u32,
    /// How it is reached.
    pub link: String,
    /// What happened on the link that the run survived, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub link_events: Vec<String>,
    /// What went otherwise than expected when it was opened, a sentence without its full stop each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opening: Vec<String>,
}

/// A device's bank sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankSweep {
    /// The device's name.
    pub device: String,
    /// How its answers are got.
    pub evidence: Evidence,
    /// Number of deltas.
    pub count: u32,
    /// What the indices were combined with.
    pub seed: Hex64,
    /// What every row should show, by the software reference.
    pub expected: Hex64,
    /// One row a number of banks.
    pub rows: Vec<BankRow>,
    /// Sets of dead banks that this sweep alone would miss, of [`Self::all_sets`].
    pub missed_sets: u64,
    /// All sets of dead banks but the empty one.
    pub all_sets: u64,
}

/// One run of a bank sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankRow {
    /// Active banks.
    pub banks: u32,
    /// Clock cycles, as the device counted them.
    pub cycles: u32,
    /// Clock cycles, as they should be.
    pub expected_cycles: u32,
    /// The merged result.
    pub result: Hex64,
    /// Whether both are as they should be.
    pub ok: bool,
}

/// What a device's wrong results tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CauseRecord {
    /// The device.
    pub device: String,
    /// Whether it is in the adapter, and not in the engine.
    pub in_adapter: bool,
    /// In words.
    pub sentence: String,
    /// Banks that accumulate nothing.
    pub dead_banks: Vec<u32>,
    /// Bits of the merged result that are inverted.
    pub flipped_bits: Vec<u32>,
    /// Indices of deltas that are left out or applied twice.
    pub lost_deltas: Vec<u32>,
    /// The planted faults that this names, by their texts; a dropped and a repeated delta are the same to it.
    pub names: Vec<String>,
}

/// What became of a planted fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlantedOutcome {
    /// It changed something, and a check found that.
    Detected,
    /// It and others changed something, and a check found that, but not which of them it was.
    FoundTogether,
    /// It was in use and could have shown, and every check passed.
    Escaped,
    /// The run never used the faulty part.
    NotActivated,
    /// It was in use, and no run whatever could tell it from a sound part.
    Equivalent,
}

impl std::fmt::Display for PlantedOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            PlantedOutcome::Detected => "detected",
            PlantedOutcome::FoundTogether => "found together",
            PlantedOutcome::Escaped => "escaped",
            PlantedOutcome::NotActivated => "not activated",
            PlantedOutcome::Equivalent => "equivalent",
        })
    }
}

/// A planted fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlantedRecord {
    /// The device that it was planted in; empty if there was none.
    pub device: String,
    /// Its text.
    pub fault: String,
    /// What became of it.
    pub outcome: PlantedOutcome,
    /// How often the faulty part was in use.
    pub reached: u64,
    /// How many words the device showed that a sound one would not have.
    pub changed: u64,
    /// Why, in a sentence.
    pub reason: String,
}

/// A look into a simulated device while the smallest case of a finding was replayed (evidence: rtl-simulation).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaveformRecord {
    /// The case.
    pub case: String,
    /// The device.
    pub device: String,
    /// The first clock since reset that goes wrong inside, beside a sound model; the first is 1.
    pub clock: Option<u64>,
    /// Its rising edge in the waveform, in nanoseconds.
    pub nanoseconds: Option<u64>,
    /// The bank of the engine that goes wrong in it, if it is one.
    pub bank: Option<u32>,
    /// What is wrong after it, or that nothing is, in words.
    pub what: String,
    /// The VCD file with the clocks around it, where one was written, by its name.
    pub file: Option<String>,
    /// Why none was written, where there was one to write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unwritten: Option<String>,
}
