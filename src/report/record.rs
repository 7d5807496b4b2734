//! The record: everything that a run found, as JSON.
//!
//! Two runs of the same trial by the same version give the same record, byte for byte, apart from `timing` and `host`.
//! 64-bit words are texts such as `"0x0123456789abcdef"`.

mod check;
mod device;
mod laws;
mod tick;
mod timing;
mod walk;

use serde::{Deserialize, Serialize};

use crate::domain::evidence::Evidence;
use crate::domain::hex::Hex64;
use crate::domain::subject::SubjectError;
use crate::domain::trial::{Expectation, Trial};
use crate::domain::verdict::{Outcome, Verdict, exit};
use crate::report::bandwidth_record::BandwidthRecord;
use crate::report::codecs_record::CodecsRecord;
use crate::report::curves_record::CurvesRecord;
use crate::report::offline_record::{DeliveriesRecord, EverywhereRecord, OfflineRecord};
use crate::report::seal::Sealed;
pub use check::{
    Check, ClaimRecord, ControlRecord, Counterexample, Coverage, DeliveredRecord, Orders, Part, Sequence, TuplesRecord,
    Unseen,
};
pub use device::{BankRow, BankSweep, CauseRecord, DeviceRecord, PlantedOutcome, PlantedRecord, WaveformRecord};
pub use laws::{DeliveryRecord, LawsRecord};
pub use tick::{DensityRecord, TickRecord};
pub use timing::{Deliveries, Host, Latencies, Simulated, Timing};
pub use walk::{WalkRecord, WayRecord};

/// What every record says it is.
pub const FORMAT: &str = "abench-record";

/// The version of the format that this abench writes and reads.
pub const VERSION: u32 = 2;

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The version of abench that made it.
    pub abench: String,
    /// What was asked for.
    pub asked: Asked,
    /// The judgement of the whole run.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub reason: String,
    /// The exit code.
    pub exit: u8,
    /// What ended the run before its end, while the record is made.
    #[serde(skip)]
    pub ended: Option<SubjectError>,
    /// Whether the user stopped the run; what is missing was not done.
    pub interrupted: bool,
    /// Why a backend could not go on, where one could not; what is missing was not done.
    pub unavailable: Option<String>,
    /// What the harness found to contradict itself, if anything: then nothing of the run is worth anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contradiction: Option<String>,
    /// Whether the scenario's expectations were met, where it has any.
    pub expectation: Option<Met>,
    /// What was planted for the judges before the run, and whether they refused it.
    pub controls: Vec<ControlRecord>,
    /// The devices that were used.
    pub devices: Vec<DeviceRecord>,
    /// The software reference's result.
    pub reference: Option<Hex64>,
    /// Its result for as many splitmix64 deltas under the same seed.
    pub splitmix64_reference: Option<Hex64>,
    /// The bank sweep of every device.
    pub bank_sweeps: Vec<BankSweep>,
    /// Every check, in the order in which they were made.
    pub checks: Vec<Check>,
    /// What wrong results tell about their cause.
    pub causes: Vec<CauseRecord>,
    /// Every kind of fault that the run claims to test for, and the checks that tried it.
    pub claims: Vec<ClaimRecord>,
    /// Bytes of the sync ticks.
    pub ticks: Vec<TickRecord>,
    /// Walks over every order, where there were any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub walks: Vec<WalkRecord>,
    /// The laws of algebras, where they were on trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub laws: Option<LawsRecord>,
    /// A world of clients, where one was on trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offline: Option<OfflineRecord>,
    /// Every crash in a small world, where that was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub everywhere: Option<EverywhereRecord>,
    /// Every order of deliveries in a small world, an engine each, where that was tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliveries: Vec<DeliveriesRecord>,
    /// What sync takes with a customer's own numbers, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<BandwidthRecord>,
    /// What one tick takes in every codec, where that was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codecs: Option<CodecsRecord>,
    /// What a sync takes along curves, where that was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curves: Option<CurvesRecord>,
    /// What the run cannot see.
    pub unseen: Unseen,
    /// What became of the planted faults.
    pub planted: Vec<PlantedRecord>,
    /// Looks into simulated devices that went wrong, one for each smallest case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waveforms: Vec<WaveformRecord>,
    /// The digest of all that the record claims, computed when it is written: see [`seal`](crate::report::seal).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// How long things took; differs between runs.
    pub timing: Timing,
    /// What the run was made on; differs between machines.
    pub host: Host,
}

/// What was asked for: enough to run it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The scenario's name, where it has one.
    pub scenario: Option<String>,
    /// What was put on trial.
    pub trial: Trial,
    /// The backends, by name.
    pub backends: Vec<String>,
    /// The planted faults, as texts.
    pub faults: Vec<String>,
    /// What was expected.
    pub expect: Option<Expectation>,
}

impl Asked {
    /// A trial without a name, of which nothing is expected.
    pub fn of(trial: Trial) -> Self {
        Asked { scenario: None, trial, backends: Vec::new(), faults: Vec::new(), expect: None }
    }
}

/// Whether expectations were met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Met {
    /// All of them.
    pub met: bool,
    /// What was not as expected, a sentence each.
    pub unmet: Vec<String>,
}

impl Sealed for Record {
    fn digest(&mut self) -> &mut Option<String> {
        &mut self.digest
    }

    fn timing_digest(&mut self) -> Option<&mut Option<String>> {
        Some(&mut self.timing.digest)
    }
}

impl Record {
    /// The record of a trial in which nothing was found yet.
    pub fn begun(trial: Trial) -> Self {
        Record {
            format: FORMAT.to_owned(),
            version: VERSION,
            abench: env!("CARGO_PKG_VERSION").to_owned(),
            asked: Asked::of(trial),
            verdict: Verdict::Inconclusive,
            reason: String::new(),
            exit: exit::INCONCLUSIVE,
            ended: None,
            interrupted: false,
            unavailable: None,
            contradiction: None,
            expectation: None,
            controls: Vec::new(),
            devices: Vec::new(),
            reference: None,
            splitmix64_reference: None,
            bank_sweeps: Vec::new(),
            checks: Vec::new(),
            causes: Vec::new(),
            claims: Vec::new(),
            ticks: Vec::new(),
            walks: Vec::new(),
            laws: None,
            offline: None,
            everywhere: None,
            deliveries: Vec::new(),
            bandwidth: None,
            codecs: None,
            curves: None,
            unseen: Unseen::default(),
            planted: Vec::new(),
            waveforms: Vec::new(),
            digest: None,
            timing: Timing::default(),
            host: Host::default(),
        }
    }

    /// How answers of this subject were got, where a check was of it.
    pub fn evidence_of(&self, subject: &str) -> Option<Evidence> {
        self.checks.iter().find_map(|check| check.subjects.get(subject)).copied()
    }

    /// Whether a subject is a model or a simulation. The time of one on the host is no time of a device.
    pub fn is_simulated(&self, subject: &str) -> bool {
        matches!(self.evidence_of(subject), Some(Evidence::Model | Evidence::RtlSimulation))
    }

    /// What was simulated clock by clock. A model computes how many cycles a device takes, and simulates none of them.
    pub fn clock_by_clock(&self) -> impl Iterator<Item = (&String, &Simulated)> {
        let simulated = self.timing.simulated.iter();
        simulated.filter(|(device, _)| self.evidence_of(device) == Some(Evidence::RtlSimulation))
    }

    /// Whether the run came to its end.
    pub fn is_whole(&self) -> bool {
        self.ended.is_none() && !self.interrupted && self.unavailable.is_none() && self.contradiction.is_none()
    }

    /// Mutants that were planted, and that no judge has anything against.
    pub fn escaped_mutants(&self) -> impl Iterator<Item = &str> {
        let of_worlds = self.offline.iter().flat_map(|offline| &offline.mutants);
        let mutants = of_worlds.chain(self.everywhere.iter().flat_map(|everywhere| &everywhere.mutants));
        mutants.filter(|mutant| mutant.caught_by.is_empty()).map(|mutant| mutant.mutant.as_str())
    }

    /// All that decides the exit code.
    pub fn outcome(&self) -> Outcome {
        Outcome {
            interrupted: self.interrupted,
            broken: self.internal_error().is_some(),
            unavailable: self.unavailable.is_some(),
            verdict: self.verdict,
            expectation_met: self.expectation.as_ref().map(|expectation| expectation.met),
        }
    }

    /// What is wrong with the harness in this run, if anything is: a judge that does not tell planted wrong answers from right
    /// ones, a judge that judged a check and was never tried, two counts of the same bytes that differ.
    pub fn internal_error(&self) -> Option<String> {
        let untried = |check: &&Check| !self.controls.iter().any(|control| control.judge == check.judge);
        let untried = self.checks.iter().filter(untried).map(|check| {
            format!("the judge '{}' of the check {} was given no planted wrong answer", check.judge, check.name)
        });
        let faults: Vec<String> = self
            .controls
            .iter()
            .filter_map(ControlRecord::fault)
            .chain(untried)
            .chain(self.contradiction.clone())
            .collect();
        (!faults.is_empty()).then(|| faults.join("; "))
    }

    /// Whether the link of this device was found to damage words.
    pub fn has_doubtful_link(&self, device: &str) -> bool {
        let doubtful = |check: &&Check| check.part == Part::Link && check.verdict == Verdict::Inconclusive;
        self.checks.iter().filter(doubtful).any(|check| check.subjects.contains_key(device))
    }

    /// The record without what may differ between two runs of the same trial; whether waveforms were written is a matter
    /// of where they should go.
    pub fn without_timing_and_host(&self) -> Record {
        let unwritten = |waveform: &WaveformRecord| WaveformRecord { file: None, unwritten: None, ..waveform.clone() };
        let waveforms = self.waveforms.iter().map(unwritten).collect();
        Record { timing: Timing::default(), host: Host::default(), waveforms, digest: None, ..self.clone() }
    }
}
