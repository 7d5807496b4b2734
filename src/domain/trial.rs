//! What a run is asked to do, and what is expected of it: the plain data of a scenario, and the first part of every
//! record.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use crate::domain::algebra::Named;
use crate::domain::bandwidth::BandwidthTrial;
use crate::domain::codecs::{CodecExpectation, CodecsTrial};
use crate::domain::curves::CurvesTrial;
use crate::domain::every_delivery::EveryDeliveryTrial;
use crate::domain::explorer::ExplorerSpec;
use crate::domain::fault::{FaultClass, MOST_BANKS};
use crate::domain::hex::Hex64;
use crate::domain::offline::{CrashEverywhereTrial, EngineExpectations, OfflineTrial};
use crate::domain::seed::Seed;
use crate::domain::verdict::Verdict;

/// A number of deltas that a workload can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Count(u32);

impl Count {
    /// The published run's.
    pub const PUBLISHED: Count = Count(65_537);

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// A number that is no COUNT.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a COUNT; allowed are whole numbers from 1 to 4294967295")]
pub struct CountError(String);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 1 to 4294967295")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Count, E> {
                number.to_string().parse().map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Count, E> {
                number.to_string().parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_u64(Number)
    }
}

impl FromStr for Count {
    type Err = CountError;

    fn from_str(text: &str) -> Result<Self, CountError> {
        let digits_alone = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse::<u32>().ok().filter(|&number| digits_alone && number > 0);
        number.map(Count).ok_or_else(|| CountError(text.to_owned()))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many deliveries a check of arrival orders may make to each subject.
///
/// Deliveries and not seconds, so that no two machines disagree about what was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Budget(u64);

impl Budget {
    /// What a second of budget is worth, in deliveries: about what the slowest of the machines that this was measured
    /// on delivers to all software subjects.
    pub const DELIVERIES_PER_SECOND: u64 = 20_000_000;

    /// A budget of so many deliveries.
    pub const fn deliveries(deliveries: u64) -> Self {
        Budget(deliveries)
    }

    /// The number of deliveries.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl Default for Budget {
    /// 2^24 deliveries: 16 complete orders of a million deltas.
    fn default() -> Self {
        Budget(1 << 24)
    }
}

/// A text that is no budget.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a budget; allowed is a number of deliveries, such as 16777216, or of nominal seconds, such as 10s \
     (20000000 deliveries each)"
)]
pub struct BudgetError(String);

impl FromStr for Budget {
    type Err = BudgetError;

    fn from_str(text: &str) -> Result<Self, BudgetError> {
        let (digits, worth) = match text.strip_suffix('s') {
            Some(seconds) => (seconds, Budget::DELIVERIES_PER_SECOND),
            None => (text, 1),
        };
        let number = digits.parse::<u64>().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
        number.and_then(|n| n.checked_mul(worth)).map(Budget).ok_or_else(|| BudgetError(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Budget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrText;
        impl Visitor<'_> for NumberOrText {
            type Value = Budget;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of deliveries, such as 16777216, or a text of nominal seconds, such as \"10s\"")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Budget, E> {
                Ok(Budget(number))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Budget, E> {
                number.to_string().parse().map_err(E::custom)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Budget, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(NumberOrText)
    }
}

/// How much memory a check of arrival orders may use, in MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MemoryMib(u64);

impl MemoryMib {
    /// So many MiB.
    pub const fn mib(mib: u64) -> Self {
        MemoryMib(mib)
    }

    /// So many MiB, in bytes; as many as can be counted if they are more.
    pub const fn bytes(self) -> u64 {
        self.0.saturating_mul(1 << 20)
    }
}

impl<'de> Deserialize<'de> for MemoryMib {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer)?.to_string().parse().map_err(de::Error::custom)
    }
}

impl Default for MemoryMib {
    fn default() -> Self {
        MemoryMib(256)
    }
}

/// A text that is no amount of memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an amount of memory; allowed is a whole number of MiB from 1, such as 256")]
pub struct MemoryError(String);

impl FromStr for MemoryMib {
    type Err = MemoryError;

    fn from_str(text: &str) -> Result<Self, MemoryError> {
        let digits_alone = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|&number| digits_alone && number > 0);
        number.map(MemoryMib).ok_or_else(|| MemoryError(text.to_owned()))
    }
}

/// A list that names something, and nothing twice.
fn named_once<'de, D: Deserializer<'de>, T: Deserialize<'de> + PartialEq>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let list = Vec::<T>::deserialize(deserializer)?;
    if list.is_empty() {
        return Err(de::Error::custom("the list is empty; name something, or leave the key out"));
    }
    let twice = list.iter().enumerate().any(|(place, item)| list[..place].contains(item));
    if twice { Err(de::Error::custom("something is in the list twice; name it once")) } else { Ok(list) }
}

/// Kinds of fault that a check of the standard campaign is about.
fn named_claims<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<FaultClass>, D::Error> {
    let claims: Vec<FaultClass> = named_once(deserializer)?;
    let known = |class: &FaultClass| StandardCheck::ALL.iter().any(|check| check.about().contains(class));
    match claims.iter().find(|class| !known(class)) {
        Some(class) => Err(de::Error::custom(format!("no check of a standard campaign is about '{class}'"))),
        None => Ok(claims),
    }
}

/// Every kind of fault that a check of the standard campaign is about.
#[cfg(test)]
fn classes_of_checks() -> std::collections::BTreeSet<FaultClass> {
    StandardCheck::ALL.iter().flat_map(|check| check.about()).copied().collect()
}

/// Kinds of fault that arrival orders are about.
fn claims_of_orders<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<FaultClass>, D::Error> {
    /// Those that there are, so that a message about others lists them.
    #[derive(Deserialize, PartialEq)]
    #[serde(rename_all = "kebab-case")]
    enum OfOrders {
        OrderDependence,
        RepeatedDelivery,
    }
    let claims: Vec<OfOrders> = named_once(deserializer)?;
    let class = |claim| match claim {
        OfOrders::OrderDependence => FaultClass::OrderDependence,
        OfOrders::RepeatedDelivery => FaultClass::RepeatedDelivery,
    };
    Ok(claims.into_iter().map(class).collect())
}

fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let percent = u32::deserialize(deserializer)?;
    if percent > 100 {
        return Err(de::Error::custom(format!("{percent} is not a percentage; allowed are 0 to 100")));
    }
    Ok(Some(percent))
}

/// One of the standard campaign's checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "kebab-case")]
pub enum StandardCheck {
    /// The software accumulators against the reference.
    Accumulation,
    /// The published sweep over the banks.
    BankSweep,
    /// COUNT 1 to twice the banks at every number of active banks.
    ShortSweep,
    /// The same deltas in many orders.
    ArrivalOrders,
    /// Every context of the adapter.
    AdapterRoundTrips,
    /// The published sync tick and that of the seed.
    SyncTick,
    /// The registers, commands and contexts against the device's documents.
    Conformance,
    /// Runs in the register sequence of the published program, one right after the other.
    AsAClient,
}

/// How much the check of conformance asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "kebab-case")]
pub enum Conformance {
    /// A drawn cover of pairs of contexts; COUNTs up to 1048577.
    #[default]
    Quick,
    /// Every pair of contexts, or as many as `budget` says if that is fewer; COUNTs up to 16777217.
    Whole,
    /// The same, and COUNT 4294967295.
    Longest,
}

impl Conformance {
    /// Whether it is what is asked if nothing is said.
    fn is_quick(&self) -> bool {
        *self == Conformance::Quick
    }

    /// The largest COUNT that it runs.
    pub fn longest_run(self) -> u32 {
        match self {
            Conformance::Quick => (1 << 20) + 1,
            Conformance::Whole => (1 << 24) + 1,
            Conformance::Longest => u32::MAX,
        }
    }
}

impl StandardCheck {
    /// All of them.
    pub const ALL: [StandardCheck; 8] = [
        StandardCheck::Accumulation,
        StandardCheck::BankSweep,
        StandardCheck::ShortSweep,
        StandardCheck::ArrivalOrders,
        StandardCheck::AdapterRoundTrips,
        StandardCheck::SyncTick,
        StandardCheck::Conformance,
        StandardCheck::AsAClient,
    ];

    /// The kinds of fault that it is about. Whether it would notice them is another matter, and computed.
    pub fn about(self) -> &'static [FaultClass] {
        use FaultClass::*;
        match self {
            StandardCheck::Accumulation => &[WrongAccumulation],
            StandardCheck::BankSweep | StandardCheck::ShortSweep => {
                &[DeadBanks, LostDelta, FlippedResultBits, WrongCycles]
            }
            StandardCheck::ArrivalOrders => &[OrderDependence],
            StandardCheck::AdapterRoundTrips => &[StaleRead, LostHighWord, WrongOperator, PipelineHazard, WrongContext],
            StandardCheck::SyncTick => &[WrongMessage, StaleRead, LostHighWord],
            StandardCheck::AsAClient => &[LeftFromBefore, DeadBanks, LostDelta, FlippedResultBits, WrongCycles],
            StandardCheck::Conformance => &[WrongCycles, WrongContext, WrongRegister, WrongAnswer],
        }
    }
}

/// The standard campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StandardTrial {
    /// How many deltas each accumulator takes.
    pub count: Count,
    /// What the deltas and all that is random are drawn from: a text of 1 to 16 hexadecimal digits, with or without 0x. The same seed gives the same run.
    pub seed: Seed,
    /// The most deliveries that the check of arrival orders makes to each subject: a number of deliveries, or a text of
    /// nominal seconds of 20000000 deliveries each.
    #[serde(default)]
    pub budget: Budget,
    /// The most memory that the check of arrival orders uses.
    #[serde(default)]
    pub memory_mib: MemoryMib,
    /// The checks that are made. Without this key, all of them are.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "named_once")]
    #[cfg_attr(test, schemars(length(min = 1), extend("uniqueItems" = true)))]
    pub checks: Vec<StandardCheck>,
    /// Kinds of fault that the scenario claims to test for, besides those that its checks are about. A claim that no check
    /// tries makes the run inconclusive.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "named_claims")]
    #[cfg_attr(test, schemars(length(min = 1), extend("uniqueItems" = true, "items" = { "enum": classes_of_checks() })))]
    pub claims: Vec<FaultClass>,
    /// How much the check of conformance tries.
    #[serde(default, skip_serializing_if = "Conformance::is_quick")]
    #[cfg_attr(test, schemars(extend("default" = "quick")))]
    pub conformance: Conformance,
    /// The explorer that chooses the arrival orders, with what may follow it and a colon; `abench list explorers` names
    /// them. It needs the check arrival-orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("default" = "auto")))]
    pub orders: Option<ExplorerSpec>,
}

impl StandardTrial {
    /// The published run: 65537 deltas under seed 0xDEADBEEF0BADF00D.
    pub fn published() -> Self {
        StandardTrial {
            count: Count::PUBLISHED,
            seed: Seed::new(0xDEAD_BEEF_0BAD_F00D),
            budget: Budget::default(),
            memory_mib: MemoryMib::default(),
            conformance: Conformance::Quick,
            orders: None,
            checks: Vec::new(),
            claims: Vec::new(),
        }
    }

    /// Whether this check is made.
    pub fn makes(&self, check: StandardCheck) -> bool {
        self.checks.is_empty() || self.checks.contains(&check)
    }

    /// Whether it claims to test for this kind of fault.
    pub fn claims(&self, class: FaultClass) -> bool {
        let about = |check: &StandardCheck| check.about().contains(&class);
        self.checks.is_empty() || self.claims.contains(&class) || self.checks.iter().any(about)
    }
}

/// One sync tick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TickTrial {
    /// What decides which contexts change, and by what: a text of 1 to 16 hexadecimal digits, with or without 0x. The
    /// same seed gives the same run.
    pub seed: Seed,
}

/// How many random cases a search makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Tries(u64);

impl Tries {
    /// The most that can be asked for; at 64 bits, about a minute for each law of each algebra.
    pub const MOST: u64 = 1_000_000_000;

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl Default for Tries {
    /// Enough for a bound of 0.00003 on the share of cases that contradict.
    fn default() -> Self {
        Tries(100_000)
    }
}

impl<'de> Deserialize<'de> for Tries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Tries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number of tries from 1 to {}", Tries::MOST)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Tries, E> {
                let allowed = (1..=Tries::MOST).contains(&number);
                allowed
                    .then_some(Tries(number))
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(number), &self))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Tries, E> {
                match u64::try_from(number) {
                    Ok(number) => self.visit_u64(number),
                    Err(_) => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
                }
            }
        }
        deserializer.deserialize_u64(Number)
    }
}

/// The laws of every algebra.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LawsTrial {
    /// What the random cases are drawn from: a text of 1 to 16 hexadecimal digits, with or without 0x. The same seed gives the same run.
    pub seed: Seed,
    /// How many random cases of 64 bits are tried of each law of each algebra.
    #[serde(default)]
    pub tries: Tries,
}

/// How many deltas a walk over every order may have: one bit each of a set, with room for the count of merges.
pub const MOST_WALKED: u32 = 32;

/// How often a delta can be delivered in a walk.
pub const MOST_REPEATS: u32 = 15;

/// Every order of a few deltas, proved: a walk over the lattice of delivered sets, for merges as plain functions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EveryOrderTrial {
    /// What the deltas' values are drawn from: a text of 1 to 16 hexadecimal digits, with or without 0x. The same seed gives the same run.
    pub seed: Seed,
    /// How many deltas are delivered in every order.
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_WALKED)))]
    pub deltas: u32,
    /// The algebras that merge them; `abench list algebras` names them. Without this key, all of them do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub algebras: Vec<Named>,
    /// The state before any delivery. Without this key, it is the identity of each algebra, or 0 where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Hex64>,
    /// How many sources deliver the deltas, up to the number of deltas. Deltas are dealt to them in turn, and each source
    /// keeps its own order. Without this key, each delta has a source of its own. It does not go together with repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_WALKED)))]
    pub sources: Option<u32>,
    /// How often each delta may be delivered at most. It does not go together with sources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_REPEATS)))]
    pub repeats: Option<u32>,
    /// Whether any delivery may be lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, schemars(extend("default" = false)))]
    pub losses: bool,
    /// Kinds of fault that the scenario claims to test for, besides those that its schedules try.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "claims_of_orders")]
    #[cfg_attr(test, schemars(length(min = 1), extend("uniqueItems" = true, "items" = { "enum": ["order-dependence", "repeated-delivery"] })))]
    pub claims: Vec<FaultClass>,
    /// The most deliveries of each walk: a number of deliveries, or a text of nominal seconds of 20000000 deliveries each.
    #[serde(default = "EveryOrderTrial::default_budget")]
    pub budget: Budget,
    /// The most memory that each walk uses.
    #[serde(default)]
    pub memory_mib: MemoryMib,
}

impl EveryOrderTrial {
    /// 2^34 deliveries: every order of 28 deltas.
    fn default_budget() -> Budget {
        Budget::deliveries(1 << 34)
    }
}

/// Every kind of trial, a line each: its name here, what its keys are kept in, their type, and the table of a scenario file
/// that holds them. `$then` is a macro that is given all lines.
macro_rules! every_kind {
    ($then:ident) => {
        $then! {
            /// The standard campaign.
            Standard(StandardTrial) of StandardTrial = "standard",
            /// One sync tick alone.
            Tick(TickTrial) of TickTrial = "tick",
            /// The laws that algebras claim.
            Laws(LawsTrial) of LawsTrial = "laws",
            /// Every order of a few deltas.
            EveryOrder(EveryOrderTrial) of EveryOrderTrial = "every-order",
            /// Clients that work offline, and the engines by which they sync.
            Offline(Box<OfflineTrial>) of OfflineTrial = "offline",
            /// Every crash and every order of deliveries in a small world.
            CrashEverywhere(CrashEverywhereTrial) of CrashEverywhereTrial = "crash-everywhere",
            /// Every order of deliveries in a small world, for many engines.
            EveryDelivery(EveryDeliveryTrial) of EveryDeliveryTrial = "every-delivery",
            /// What sync takes with a customer's own numbers.
            Bandwidth(Box<BandwidthTrial>) of BandwidthTrial = "bandwidth",
            /// What one tick takes in every codec.
            Codecs(CodecsTrial) of CodecsTrial = "codecs",
            /// What a sync takes as one thing grows.
            Curves(CurvesTrial) of CurvesTrial = "curves",
        }
    };
}
pub(crate) use every_kind;

/// What the keys of every kind of trial have in common.
pub trait Keys: Any {
    /// The seed that all is drawn from.
    fn seed(&self) -> Seed;

    /// Puts another seed in its place.
    fn set_seed(&mut self, seed: Seed);

    /// What it is called where it has no name.
    fn title(&self) -> String {
        "a scenario without a name".to_owned()
    }

    /// The command that asks for the same trial without a scenario, if there is one.
    fn command(&self) -> Option<String> {
        None
    }

    /// Why there can be no such trial, and which key says so.
    fn impossible(&self) -> Option<String> {
        None
    }

    /// The engines that it names, with the commands of those in processes.
    fn engines(&self) -> Vec<&str> {
        Vec::new()
    }

    /// The world of clients that it puts on trial, if it is one.
    fn world(&self) -> Option<&OfflineTrial> {
        None
    }

    /// Fills in what a scenario file means where it leaves a key out, and the command line something else.
    fn as_in_a_file(&mut self) {}
}

macro_rules! trial {
    ($($(#[$about:meta])* $kind:ident($kept:ty) of $keys:ty = $table:literal,)*) => {
        /// What is put on trial.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Trial {
            $($(#[$about])* #[serde(rename = $table)] $kind($kept),)*
        }

        impl Trial {
            /// The tables of a scenario file that hold a trial.
            pub const TABLES: &[&str] = &[$($table),*];

            /// The table of a scenario file that holds this one.
            pub fn table(&self) -> &'static str {
                match self { $(Trial::$kind(_) => $table,)* }
            }

            /// Its keys.
            pub fn keys(&self) -> &dyn Keys {
                match self { $(Trial::$kind(kept) => { let keys: &$keys = kept; keys })* }
            }

            /// Its keys, to be changed.
            pub fn keys_mut(&mut self) -> &mut dyn Keys {
                match self { $(Trial::$kind(kept) => { let keys: &mut $keys = kept; keys })* }
            }
        }
    };
}
every_kind!(trial);

impl Trial {
    /// The seed that all is drawn from.
    pub fn seed(&self) -> Seed {
        self.keys().seed()
    }
}

/// A number of banks, which as a key is a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct BankCount(u32);

impl BankCount {
    /// The number, 1 to 32.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for BankCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<BankCount> for String {
    fn from(banks: BankCount) -> String {
        banks.0.to_string()
    }
}

impl TryFrom<String> for BankCount {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let banks = text.parse().ok().filter(|banks| (1..=MOST_BANKS).contains(banks));
        banks.map(BankCount).ok_or_else(|| format!("'{text}' is not a number of banks; allowed are 1 to {MOST_BANKS}"))
    }
}

/// What a scenario expects of its run. A run that meets every expectation exits 0, and one that does not exits 1. What is
/// left out is not expected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(extend("minProperties" = 1)))]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The verdict of the whole run. Without this key, it is holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// The result of every row of the bank sweep, and of the reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Hex64>,
    /// The clock cycles of each row of the bank sweep, by the number of banks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cycles: BTreeMap<BankCount, u32>,
    /// How many sets of dead banks the bank sweep alone would miss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank_sweep_misses: Option<u64>,
    /// The verdicts of checks, by the name that the report gives them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checks: BTreeMap<String, Verdict>,
    /// How many of a hundred planted faults `abench qualify` detects at least. Without this key, it is all.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "percent")]
    #[cfg_attr(test, schemars(range(max = 100)))]
    pub coverage_percent: Option<u32>,
    /// How many deltas the smallest counterexample of an algebra has, by the name of the algebra.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fewest_deltas: BTreeMap<String, u64>,
    /// The verdicts of engines, and how many registers are wrong, by the name of the engine.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub engines: EngineExpectations,
    /// The most bytes of messages, by codec or engine.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub codecs: BTreeMap<String, CodecExpectation>,
    /// The judge that catches each planted mutant, by the name of the mutant.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mutants: BTreeMap<String, String>,
    /// How many ways through a small world there are, as a text of decimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ways: Option<String>,
    /// The verdicts of laws, by the names of algebra and law: "f64-sum associative".
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, Verdict>,
    /// The contexts that change in the tick of the scenario's seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<Vec<u32>>,
    /// How many bytes the values of that tick take alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_bytes: Option<u64>,
    /// How many bytes a message of that tick takes which a receiver can decode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_bytes: Option<u64>,
    /// How many bytes the full state takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_state_bytes: Option<u64>,
    /// The information bound of that tick, in tenths of a byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_tenths: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_a_whole_number_from_one_to_the_largest_of_32_bits() {
        assert_eq!("65537".parse(), Ok(Count::PUBLISHED));
        assert_eq!("4294967295".parse::<Count>().map(Count::get), Ok(u32::MAX));
        for text in ["", "0", "-1", "+1", "4294967296", "1e3", "0x10", "65537 "] {
            assert!(text.parse::<Count>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_budget_is_deliveries_or_nominal_seconds() {
        assert_eq!("5".parse(), Ok(Budget::deliveries(5)));
        assert_eq!("10s".parse(), Ok(Budget::deliveries(200_000_000)));
        for text in ["", "s", "-1", "+1", "1.5s", "10m", "99999999999999999999", "9999999999999999s"] {
            assert!(text.parse::<Budget>().is_err(), "{text}");
        }
    }
}
