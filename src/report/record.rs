//! The record: everything that a run found, as JSON.
//!
//! Two runs of the same trial by the same version give the same record, byte for byte, apart from `timing` and `host`.
//! 64-bit words are texts such as `"0x0123456789abcdef"`.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::domain::evidence::Evidence;
use crate::domain::explorer::{Audit, Claim, IdentifiedBy};
use crate::domain::fault::FaultClass;
use crate::domain::finding::Finding;
use crate::domain::hex::Hex64;
use crate::domain::judge::Judge;
use crate::domain::law::LawTrial;
use crate::domain::seed::Seed;
use crate::domain::subject::SubjectError;
use crate::domain::trial::{Expectation, Trial};
use crate::domain::verdict::{Outcome, Verdict, Warrant, exit};
use crate::report::bandwidth_record::BandwidthRecord;
use crate::report::codecs_record::CodecsRecord;
use crate::report::curves_record::CurvesRecord;
use crate::report::offline_record::{DeliveriesRecord, EverywhereRecord, OfflineRecord};
use crate::report::samples::Sample;
use crate::report::seal::Sealed;

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

/// Answers that were planted for a judge before the run: a right one, and wrong ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlRecord {
    /// The judge.
    pub judge: Judge,
    /// The wrong answers, in words.
    pub planted: String,
    /// Whether the judge accepted the right one.
    pub accepts_right: bool,
    /// How many wrong ones there were.
    pub wrong: u64,
    /// How many of them it refused.
    pub refused: u64,
}

impl ControlRecord {
    /// Whether the judge distinguished right from wrong every time.
    pub fn works(&self) -> bool {
        self.accepts_right && self.wrong > 0 && self.refused == self.wrong
    }

    /// What is wrong with the judge, if anything is.
    pub fn fault(&self) -> Option<String> {
        let ControlRecord { judge, planted, wrong, refused, .. } = self;
        (!self.works()).then(|| match self.accepts_right {
            true => format!("the judge '{judge}' refused {refused} of {wrong} planted wrong answers ({planted})"),
            false => format!("the judge '{judge}' did not accept a right answer ({planted})"),
        })
    }
}

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

/// What a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Accumulators, or whatever takes deltas in an order.
    Orders,
    /// A message between replicas.
    Message,
    /// A device's bench engine.
    Engine,
    /// A device's adapter.
    Adapter,
    /// What lies between a device and whoever asks it.
    Link,
    /// The laws of an algebra.
    Laws,
    /// Replicas that sync.
    Replicas,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub part: Part,
    /// Who judged it.
    pub judge: Judge,
    /// Who was checked, and how their answers are got.
    pub subjects: BTreeMap<String, Evidence>,
    /// Its judgement.
    pub verdict: Verdict,
    /// What was compared with what, or why it could not tell: a sentence without its full stop. That of a check which failed
    /// begins with how many of how many are wrong, where they were counted: "2 of 4 runs are wrong: …".
    pub summary: String,
    /// The judgement of each oracle by itself, by its name.
    pub oracles: BTreeMap<String, Verdict>,
    /// What a `holds` about arrival orders rests on.
    pub warrant: Option<Warrant>,
    /// The arrival orders that were tried.
    pub orders: Option<Orders>,
    /// The kinds of fault that it would have noticed in this run, computed from what it did.
    pub tries: Vec<FaultClass>,
    /// Contradictions, the smallest of each kind.
    pub findings: Vec<Finding>,
}

/// The arrival orders that a check tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Orders {
    /// Deltas in each.
    pub deltas: u64,
    /// What deltas and orders are drawn from.
    pub seed: Seed,
    /// The document, and its version, that describes how the orders are made and counted: enough to check a warrant
    /// without abench.
    pub described_in: String,
    /// What was delivered, by explorer, in the order in which they were asked.
    pub delivered: Vec<DeliveredRecord>,
    /// How much of all that could be tried that is.
    pub coverage: Coverage,
    /// What the drawn orders look like, where some were drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<Audit>,
    /// Deliveries that were made to each subject.
    pub deliveries: u64,
    /// Deliveries that could have been made.
    pub budget: u64,
    /// What a second of budget is worth, in deliveries.
    pub nominal_deliveries_per_second: u64,
    /// The sequences behind the check's findings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counterexamples: Vec<Counterexample>,
}

/// The orders of one explorer that were delivered whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveredRecord {
    /// The explorer.
    pub explorer: String,
    /// What it says of its orders.
    pub claim: Claim,
    /// How many were delivered.
    pub orders: u64,
    /// SipHash-2-4 with 128 bits of the ranks or hashes of the delivered orders, one after the other.
    pub digest: String,
    /// The orders by their texts, where they were chosen by hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<String>,
    /// The delivered indices of each order, joined by points: of a family always, else where they are 4096 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listed: Vec<String>,
}

/// Two sequences of the same deliveries, of which one goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counterexample {
    /// The case of the finding that it belongs to.
    pub case: String,
    /// The whole order that first went wrong, as `--orders replay:` takes it.
    pub schedule: String,
    /// An order of the same deltas that goes right, where one was found.
    pub right: Option<Sequence>,
    /// The order that goes wrong.
    pub wrong: Sequence,
    /// The bytes of the state that are wrong; 0 is the lowest.
    pub differing_bytes: Vec<u32>,
    /// How often the subject was asked while it was made smaller.
    pub replays: u32,
    /// Whether leaving out any one delta was tried and shows something else.
    pub minimal: bool,
}

/// Deliveries from a start of 0, and the state that they lead to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    /// Index and value of each delta, in the order of delivery.
    pub deltas: Vec<(u32, Hex64)>,
    /// After how many deliveries the state was read.
    pub after: u64,
    /// The state.
    pub state: Hex64,
}

/// How much was tried, exactly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Orders that were tried.
    pub tried: u64,
    /// How many of them differ.
    pub distinct: u64,
    /// How they were distinguished.
    pub identified_by: IdentifiedBy,
    /// All orders that there are: a full integer for up to 100 deltas, else the formula.
    pub all: String,
    /// The ordered tuples that were seen, where they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuples: Option<TuplesRecord>,
}

/// Ordered tuples of distinct deliveries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TuplesRecord {
    /// T: their length.
    pub strength: u32,
    /// Those that were counted.
    pub counted: u64,
    /// All that there are.
    pub all: u64,
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

/// A kind of fault that the run claims to test for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimRecord {
    /// The kind.
    pub class: FaultClass,
    /// The device or the software that it is claimed of.
    pub of: String,
    /// Checks that hold and would have noticed it.
    pub tried_by: Vec<String>,
    /// How much of what could be wrong was tried, where that is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extent: Option<String>,
}

/// One sync tick, in bytes (evidence: software, by encoding and decoding the message).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TickRecord {
    /// What decides which contexts change.
    pub seed: Hex64,
    /// How the bytes were got.
    pub evidence: Evidence,
    /// Whether it is the published one.
    pub published: bool,
    /// The contexts that change.
    pub changed: Vec<u32>,
    /// The values alone, which no receiver could decode.
    pub value_bytes: u64,
    /// What tells which contexts they belong to.
    pub addressing_bytes: u64,
    /// What tells where the message ends.
    pub framing_bytes: u64,
    /// What tells a repeated message from a new one.
    pub id_bytes: u64,
    /// What tells a damaged message.
    pub checksum_bytes: u64,
    /// The whole message.
    pub message_bytes: u64,
    /// The information bound for arbitrary values, in tenths of a byte, rounded; the receiver knows how many changed.
    pub bound_tenths: u64,
    /// The same for values whose lowest bit is always 1, as these are.
    pub odd_bound_tenths: u64,
    /// The full state.
    pub full_state_bytes: u64,
    /// Messages of ticks that change fewer and more contexts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_density: Vec<DensityRecord>,
}

/// The message of a tick that changes so many contexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DensityRecord {
    /// How many contexts change.
    pub changed: u32,
    /// The whole message; a receiver decoded it.
    pub message_bytes: u64,
    /// The information bound for arbitrary values, in tenths of a byte, rounded.
    pub bound_tenths: u64,
}

/// A walk over every order, or a search of every delivered set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalkRecord {
    /// The check that it belongs to.
    pub check: String,
    /// How the states were got.
    pub evidence: Evidence,
    /// The schedules, in words.
    pub schedules: String,
    /// How many of them are proved to agree, as a full integer: all or none.
    pub proved: String,
    /// How many there are, as a full integer.
    pub of: String,
    /// Deliveries that the judgement rests on.
    pub merges: u64,
    /// Delivered sets whose every way was tried.
    pub sets: u64,
    /// Different snapshots of these sets.
    pub snapshots: u64,
    /// All ways to deliver up to so many deltas agree.
    pub settled: u32,
    /// What the judgement takes for granted, a sentence each.
    pub assumptions: Vec<String>,
    /// Two ways that disagree, if any do.
    pub ways: Vec<WayRecord>,
}

/// Deliveries, and the state that they lead to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WayRecord {
    /// Index and value of each delta, in the order of delivery.
    pub deltas: Vec<(u32, Hex64)>,
    /// The state after all of them.
    pub state: Hex64,
}

/// The laws of algebras (evidence: software).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LawsRecord {
    /// How the verdicts were got.
    pub evidence: Evidence,
    /// Every law of every algebra that was tried, claimed or not.
    pub trials: Vec<LawTrial>,
    /// What each algebra bears of its network, computed from the verdicts.
    pub delivery: Vec<DeliveryRecord>,
}

/// What an algebra bears of its network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryRecord {
    /// The algebra's name.
    pub algebra: String,
    /// Whether every order comes to the same: commutative and associative.
    pub any_order: Verdict,
    /// Whether a second copy right after the first changes nothing: associative and idempotent.
    pub repeated_at_once: Verdict,
    /// Whether a second copy changes nothing whenever it arrives: all three.
    pub repeated_at_any_time: Verdict,
}

/// What a run cannot see.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unseen {
    /// Of the bank sweep alone, a sentence each.
    pub by_bank_sweep: Vec<String>,
    /// Of the whole run, a sentence each.
    pub by_run: Vec<String>,
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

/// How long things took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// The whole run, in microseconds.
    pub total_us: u64,
    /// Every check, in microseconds, in the order in which they were made.
    pub checks_us: Vec<(String, u64)>,
    /// Register round trips, in nanoseconds, by device.
    pub round_trips_ns: BTreeMap<String, Latencies>,
    /// Whole arrival orders, in nanoseconds, by subject: from reset to the observed state.
    pub orders_ns: BTreeMap<String, Latencies>,
    /// Deliveries in worlds of clients.
    #[serde(default)]
    pub deliveries: Deliveries,
    /// What simulated devices simulated while their engines ran, by device.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub simulated: BTreeMap<String, Simulated>,
    /// Every one of the repeated runs that `--samples` asks for, in the order in which they were made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Sample>,
    /// The digest of this section and of `host`, computed when the record is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// Clock cycles that were simulated, and the time that it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Simulated {
    /// How many.
    pub cycles: u64,
    /// In microseconds of the host's clock.
    pub us: u64,
}

/// Deliveries, and the time of the threads that ran them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deliveries {
    /// How many.
    pub count: u64,
    /// The worlds in which they were made, in microseconds, added up.
    pub us: u64,
}

/// A distribution of durations; the percentiles have three significant digits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latencies {
    /// How many.
    pub count: u64,
    /// The shortest.
    pub min: u64,
    /// Half are at most so long.
    pub p50: u64,
    /// 90 % are at most so long.
    pub p90: u64,
    /// 99 % are at most so long.
    pub p99: u64,
    /// The longest.
    pub max: u64,
}

impl From<&Histogram<u64>> for Latencies {
    fn from(histogram: &Histogram<u64>) -> Self {
        Latencies {
            count: histogram.len(),
            min: histogram.min(),
            p50: histogram.value_at_quantile(0.5),
            p90: histogram.value_at_quantile(0.9),
            p99: histogram.value_at_quantile(0.99),
            max: histogram.max(),
        }
    }
}

/// What a run was made on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Operating system.
    pub os: String,
    /// Processor architecture.
    pub arch: String,
    /// The vector units that `simd` and `threads` use.
    pub simd: String,
    /// Threads of the backend `threads`.
    pub threads: usize,
    /// The processor, as the operating system names it; empty where it does not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub processor: String,
    /// How abench was built: `release`, or `debug`, which is many times slower.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub build: String,
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
