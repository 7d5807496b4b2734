//! What was checked: the controls of judges, the checks with the arrival orders behind them, claims, and limits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::evidence::Evidence;
use crate::domain::explorer::{Audit, Claim, IdentifiedBy};
use crate::domain::fault::FaultClass;
use crate::domain::finding::Finding;
use crate::domain::hex::Hex64;
use crate::domain::judge::Judge;
use crate::domain::oracle::OracleId;
use crate::domain::seed::Seed;
use crate::domain::verdict::{Verdict, Warrant};

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
    pub oracles: BTreeMap<OracleId, Verdict>,
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

/// What a run cannot see.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unseen {
    /// Of the bank sweep alone, a sentence each.
    pub by_bank_sweep: Vec<String>,
    /// Of the whole run, a sentence each.
    pub by_run: Vec<String>,
}
