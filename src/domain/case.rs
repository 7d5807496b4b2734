//! A case: one execution as a versioned text that can be pasted, `case1,SUBJECT,KIND,key=value,…`.
//!
//! It holds no character that a POSIX shell would touch, and everything that the execution depends on: `abench replay`
//! needs nothing else.

use std::fmt;
use std::str::FromStr;

use crate::domain::access::{Access, AccessError};
use crate::domain::count::counted;
use crate::domain::data::{DataType, Element};
use crate::domain::delta::Generator;
use crate::domain::every_delivery::{self, Bounds, MOST_CRASHES, MOST_EDITS, MOST_ODD_MESSAGES, MOST_RETRIES};
use crate::domain::execution::{AdapterOp, EngineRun, Execution, LawCase};
use crate::domain::fault::{Fault, FaultError};
use crate::domain::hex::{Hex64, HexError};
use crate::domain::law::Law;
use crate::domain::order::{Order, OrderError};
use crate::domain::script;
use crate::domain::seed::Seed;
use crate::domain::way::{STEPS, Way, WayStep};

/// What every case text of this version begins with.
pub const VERSION_TAG: &str = "case1";

/// One execution by one subject, with the faults planted in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The subject's name, as `--backend` takes it.
    pub subject: String,
    /// What it does.
    pub execution: Execution,
    /// What is planted in it.
    pub faults: Vec<Fault>,
}

/// Why a text is not a case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// The text is of another version.
    #[error("this is a case of version '{0}'; this abench reads {VERSION_TAG}")]
    Version(String),
    /// The text does not begin as a case does.
    #[error(
        "a case begins with '{VERSION_TAG},SUBJECT,KIND,', where KIND is engine, accumulate, arrivals, delivery, merge, edits, \
         tags, script, walk, law, adapter or registers"
    )]
    Head,
    /// There is no such kind.
    #[error(
        "'{0}' is not a kind of case; allowed are engine, accumulate, arrivals, delivery, merge, edits, tags, script, \
         walk, law, adapter and registers"
    )]
    Kind(String),
    /// A field is no `key=value`, or its key does not belong to the kind.
    #[error("'{field}' does not belong in a case of kind {kind}; allowed are {allowed}")]
    Field {
        /// The field as it stands.
        field: String,
        /// The kind of the case.
        kind: String,
        /// The keys that it takes.
        allowed: &'static str,
    },
    /// A key is needed and is not there, or is there twice.
    #[error("{0}= must stand in the case exactly once")]
    Once(&'static str),
    /// A number is out of its range or no number.
    #[error("{key}={value} is not allowed: {allowed}")]
    Number {
        /// The key.
        key: &'static str,
        /// Its value as it stands.
        value: String,
        /// The range.
        allowed: &'static str,
    },
    /// The seed or another word is not hexadecimal.
    #[error("{key}={value} is not allowed: {error}")]
    Word {
        /// The key.
        key: &'static str,
        /// Its value as it stands.
        value: String,
        /// Why.
        error: HexError,
    },
    /// A script cannot be read.
    #[error("{key}= is not allowed: {reason}")]
    Script {
        /// The key.
        key: &'static str,
        /// What is wrong with its value.
        reason: String,
    },
    /// A step of a way is none.
    #[error("way= is not allowed: step {place} is '{step}'; allowed are {STEPS}")]
    Step {
        /// Which, counted from 1.
        place: usize,
        /// The step as it stands.
        step: String,
    },
    /// The words do not belong to the law.
    #[error("words={value} is not allowed: {allowed}")]
    Words {
        /// The words as they stand.
        value: String,
        /// What is.
        allowed: String,
    },
    /// An adapter operation is none.
    #[error(
        "'{0}' is not an adapter operation; allowed are load:C:0xV, select:C, accum:0xV, swap:C and read, C from 0 to 255"
    )]
    Operation(String),
    /// An access to a register is none.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The order is none.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// An order names a delta that the workload does not have.
    #[error("the order names delta {index}, and the workload has deltas 0 to {last}")]
    Index {
        /// The index.
        index: u32,
        /// The largest index there is.
        last: u32,
    },
    /// The two sequences of a merge are not of the same deltas.
    #[error("first= and second= are two orders of the same deltas, and these are of others")]
    OtherDeltas,
    /// A fault is planted twice.
    #[error("plant={0} is there twice; plant each fault once")]
    Twice(Fault),
    /// A planted fault is none.
    #[error(transparent)]
    Fault(#[from] FaultError),
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION_TAG},{},", self.subject)?;
        match &self.execution {
            Execution::Engine(run) => {
                write!(f, "engine,count={},active={},seed={}", run.count, run.active, run.seed)?;
            }
            Execution::Accumulate { generator, start, count, seed, arrive } => {
                let kind = if *arrive { "arrivals" } else { "accumulate" };
                write!(f, "{kind},generator={generator},")?;
                // All but the tries of single ranges begin with the first delta.
                if *start > 0 {
                    write!(f, "start={start},")?;
                }
                write!(f, "count={count},seed={seed}")?;
            }
            Execution::Delivery { count, seed, order } => {
                write!(f, "delivery,count={count},seed={seed},order={order}")?;
            }
            Execution::Merge { start, first, second } => {
                write!(f, "merge,start={},first={},second={}", Hex64(*start), words(first), words(second))?;
            }
            Execution::Edits { start, clients } => {
                let of_client = |amounts: &Vec<i64>| amounts.iter().map(i64::to_string).collect::<Vec<_>>().join(":");
                let clients: Vec<String> = clients.iter().map(of_client).collect();
                write!(f, "edits,start={},clients={}", Hex64(*start as u64), clients.join("+"))?;
            }
            Execution::Tags { clients } => {
                let of_client = |elements: &Vec<Element>| elements.iter().map(Element::to_string).collect::<Vec<_>>();
                let clients: Vec<String> = clients.iter().map(|elements| of_client(elements).join(":")).collect();
                write!(f, "tags,clients={}", clients.join("+"))?;
            }
            Execution::Script(trial) => {
                let (world, steps) = (script::world::of_keys(trial), script::text::of_steps(&trial.steps));
                write!(f, "script,seed={},world={world},steps={steps}", trial.seed)?;
            }
            Execution::Walk(way) => write_way(f, way)?,
            Execution::Law(LawCase { law, bits, words: tried }) => {
                let tried = if tried.is_empty() { "all".to_owned() } else { words(tried) };
                write!(f, "law,law={law},bits={bits},words={tried}")?;
            }
            Execution::Adapter(ops) => {
                let ops: Vec<String> = ops.iter().map(AdapterOp::to_string).collect();
                write!(f, "adapter,ops={}", ops.join("+"))?;
            }
            Execution::Registers(accesses) => {
                let accesses: Vec<String> = accesses.iter().map(Access::to_string).collect();
                write!(f, "registers,accesses={}", accesses.join("+"))?;
            }
        }
        self.faults.iter().try_for_each(|fault| write!(f, ",plant={fault}"))
    }
}

/// A way through a small world, without what is left out where it is 0.
fn write_way(f: &mut fmt::Formatter<'_>, Way { bounds, mutant, steps }: &Way) -> fmt::Result {
    let Bounds { data, clients, edits, edits_before, retries, crashes, losses, repeats, late } = *bounds;
    write!(f, "walk,")?;
    if !data.is_counter() {
        write!(f, "data={},", data.plural())?;
    }
    write!(f, "clients={clients},edits={edits}")?;
    let further = [
        ("edits_before", edits_before),
        ("retries", retries),
        ("crashes", crashes),
        ("losses", losses),
        ("repeats", repeats),
        ("late", u32::from(late)),
    ];
    further.iter().filter(|(_, number)| *number > 0).try_for_each(|(key, number)| write!(f, ",{key}={number}"))?;
    mutant.iter().try_for_each(|mutant| write!(f, ",mutant={mutant}"))?;
    let steps: Vec<String> = steps.iter().map(WayStep::to_string).collect();
    write!(f, ",way={}", if steps.is_empty() { "none".to_owned() } else { steps.join("+") })
}

impl FromStr for Case {
    type Err = CaseError;

    fn from_str(text: &str) -> Result<Self, CaseError> {
        let mut parts = text.trim().split(',');
        match parts.next() {
            Some(VERSION_TAG) => {}
            Some(tag) if tag.strip_prefix("case").is_some_and(|v| v.parse::<u32>().is_ok()) => {
                return Err(CaseError::Version(tag.to_owned()));
            }
            _ => return Err(CaseError::Head),
        }
        let subject = parts.next().filter(|name| !name.is_empty()).ok_or(CaseError::Head)?.to_owned();
        let kind = parts.next().ok_or(CaseError::Head)?;
        let allowed = match kind {
            "engine" => "count=, active=, seed= and plant=",
            "accumulate" | "arrivals" => "generator=, start=, count=, seed= and plant=",
            "delivery" => "count=, seed=, order= and plant=",
            "merge" => "start=, first= and second=",
            "edits" => "start= and clients=",
            "tags" => "clients=",
            "script" => "seed=, world= and steps=",
            "walk" => {
                "data=, clients=, edits=, edits_before=, retries=, crashes=, losses=, repeats=, late=, mutant= and way="
            }
            "law" => "law=, bits= and words=",
            "adapter" => "ops= and plant=",
            "registers" => "accesses= and plant=",
            other => return Err(CaseError::Kind(other.to_owned())),
        };
        let fields = Fields::read(parts, kind, allowed)?;
        let execution = match kind {
            "engine" => Execution::Engine(EngineRun {
                count: fields.number("count", 0, "a run has 0 to 4294967295 deltas")?,
                active: fields.number("active", 1, "1 to 32 banks")?,
                seed: fields.seed()?,
            }),
            "accumulate" | "arrivals" => {
                let arrive = kind == "arrivals";
                let count = fields.count()?;
                if arrive && count > MOST_ARRIVALS {
                    let allowed = "1 to 16777216 deltas arrive together";
                    return Err(CaseError::Number { key: "count", value: count.to_string(), allowed });
                }
                let start = match fields.all("start").next() {
                    Some(_) => fields.number("start", 0, "the first index is 0 to 4294967295")?,
                    None => 0,
                };
                Execution::Accumulate { generator: fields.generator()?, start, count, seed: fields.seed()?, arrive }
            }
            "delivery" => {
                let count = fields.count()?;
                let order: Order = fields.once("order")?.parse()?;
                if let Order::Exactly(indices) = &order
                    && let Some(&index) = indices.iter().find(|&&index| index >= count)
                {
                    return Err(CaseError::Index { index, last: count - 1 });
                }
                Execution::Delivery { count, seed: fields.seed()?, order }
            }
            "merge" => {
                let (first, second) = (fields.words("first")?, fields.words("second")?);
                let sorted = |words: &[u64]| {
                    let mut words = words.to_vec();
                    words.sort_unstable();
                    words
                };
                if sorted(&first) != sorted(&second) {
                    return Err(CaseError::OtherDeltas);
                }
                Execution::Merge { start: fields.word("start")?, first, second }
            }
            "edits" => {
                let allowed = "amounts that are not 0, those of one client parted by :, up to 16 clients by +";
                let clients = fields.clients(allowed, |amount| amount.parse().ok().filter(|&amount| amount != 0))?;
                Execution::Edits { start: fields.word("start")? as i64, clients }
            }
            "tags" => {
                let allowed = "elements 0 to 63, those of one client parted by :, up to 16 clients by +";
                let element = |text: &str| text.parse().ok().filter(|&element| element < u64::BITS);
                Execution::Tags { clients: fields.clients(allowed, element)? }
            }
            "script" => {
                let (world, steps) = (fields.once("world")?, fields.once("steps")?);
                let read = script::world::world(fields.seed()?, world, steps);
                Execution::Script(Box::new(read.map_err(|(key, reason)| CaseError::Script { key, reason })?))
            }
            "walk" => Execution::Walk(Box::new(fields.way()?)),
            "law" => Execution::Law(fields.law()?),
            "registers" => {
                let accesses: Result<Vec<Access>, AccessError> =
                    fields.once("accesses")?.split('+').map(str::parse).collect();
                Execution::Registers(accesses?)
            }
            _ => {
                let ops: Result<Vec<AdapterOp>, CaseError> = fields.once("ops")?.split('+').map(str::parse).collect();
                Execution::Adapter(ops?)
            }
        };
        if let Execution::Engine(run) = &execution
            && run.active > crate::domain::fault::MOST_BANKS
        {
            let value = run.active.to_string();
            return Err(CaseError::Number { key: "active", value, allowed: "1 to 32 banks" });
        }
        let faults: Result<Vec<Fault>, FaultError> = fields.all("plant").map(str::parse).collect();
        let faults = faults?;
        match faults.iter().enumerate().find(|(place, fault)| faults[..*place].contains(fault)) {
            Some((_, &twice)) => Err(CaseError::Twice(twice)),
            None => Ok(Case { subject, execution, faults }),
        }
    }
}

/// The most deltas that arrive together in a case: they are kept in memory.
const MOST_ARRIVALS: u32 = 1 << 24;

/// The most clients in a case of edits.
const MOST_CLIENTS: usize = 16;

/// The `key=value` fields of a case.
struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    fn read(parts: impl Iterator<Item = &'a str>, kind: &str, allowed: &'static str) -> Result<Self, CaseError> {
        let mut fields = Vec::new();
        let is_allowed = |key: &str| allowed.split([' ', ',']).any(|word| word.strip_suffix('=') == Some(key));
        for part in parts {
            match part.split_once('=') {
                Some((key, value)) if is_allowed(key) => fields.push((key, value)),
                _ => return Err(CaseError::Field { field: part.to_owned(), kind: kind.to_owned(), allowed }),
            }
        }
        Ok(Fields(fields))
    }

    /// What each client does.
    fn clients<T>(&self, allowed: &'static str, read: impl Fn(&str) -> Option<T>) -> Result<Vec<Vec<T>>, CaseError> {
        let clients = self.once("clients")?;
        let of_client = |client: &str| client.split(':').map(&read).collect::<Option<Vec<T>>>();
        let all: Option<Vec<Vec<T>>> = clients.split('+').map(of_client).collect();
        all.filter(|all| all.len() <= MOST_CLIENTS).ok_or_else(|| CaseError::Number {
            key: "clients",
            value: clients.to_owned(),
            allowed,
        })
    }

    fn all(&self, key: &'static str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(k, _)| *k == key).map(|(_, value)| *value)
    }

    fn once(&self, key: &'static str) -> Result<&'a str, CaseError> {
        let mut all = self.all(key);
        match (all.next(), all.next()) {
            (Some(value), None) => Ok(value),
            _ => Err(CaseError::Once(key)),
        }
    }

    fn number(&self, key: &'static str, least: u32, allowed: &'static str) -> Result<u32, CaseError> {
        let value = self.once(key)?;
        match value.parse() {
            Ok(number) if number >= least => Ok(number),
            _ => Err(CaseError::Number { key, value: value.to_owned(), allowed }),
        }
    }

    fn count(&self) -> Result<u32, CaseError> {
        self.number("count", 1, "a workload has 1 to 4294967295 deltas")
    }

    fn generator(&self) -> Result<Generator, CaseError> {
        let value = self.once("generator")?;
        let known = [Generator::Xorshift64, Generator::SplitMix64];
        known.into_iter().find(|generator| generator.to_string() == value).ok_or_else(|| CaseError::Number {
            key: "generator",
            value: value.to_owned(),
            allowed: "xorshift64 or splitmix64",
        })
    }

    fn word(&self, key: &'static str) -> Result<u64, CaseError> {
        word(key, self.once(key)?)
    }

    fn words(&self, key: &'static str) -> Result<Vec<u64>, CaseError> {
        self.once(key)?.split('+').map(|text| word(key, text)).collect()
    }

    /// The value of a key that may be left out.
    fn optional(&self, key: &'static str) -> Result<Option<&'a str>, CaseError> {
        if self.all(key).next().is_none() { Ok(None) } else { self.once(key).map(Some) }
    }

    /// A whole number within these bounds; 0 where the key is left out.
    fn bound(&self, key: &'static str, (least, most): (u32, u32), allowed: &'static str) -> Result<u32, CaseError> {
        let value = self.optional(key)?.unwrap_or("0");
        let number = value.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| CaseError::Number { key, value: value.to_owned(), allowed })
    }

    fn way(&self) -> Result<Way, CaseError> {
        let data = match self.optional("data")? {
            None => DataType::Counter,
            Some(value) => {
                let named = DataType::ALL.into_iter().find(|data| data.plural() == value);
                let allowed = "counters, stocks, tags, labels, records, texts or claims";
                named.ok_or_else(|| CaseError::Number { key: "data", value: value.to_owned(), allowed })?
            }
        };
        let edits = self.bound("edits", (1, MOST_EDITS), "a client makes 1 to 4 edits")?;
        let bounds = Bounds {
            data,
            clients: self.bound("clients", (1, every_delivery::MOST_CLIENTS), "a small world has 1 to 3 clients")?,
            edits,
            edits_before: self.bound("edits_before", (0, edits), "no more than edits=")?,
            retries: self.bound("retries", (0, MOST_RETRIES), "there are 0 to 4 retries")?,
            crashes: self.bound("crashes", (0, MOST_CRASHES), "there are 0 to 3 crashes")?,
            losses: self.bound("losses", (0, MOST_ODD_MESSAGES), "0 to 3 messages are lost")?,
            repeats: self.bound("repeats", (0, MOST_ODD_MESSAGES), "0 to 3 messages are repeated")?,
            late: self.bound("late", (0, 1), "1 if messages outlive their connection, else 0")? == 1,
        };
        let step = |(place, step): (usize, &str)| {
            step.parse::<WayStep>().map_err(|()| CaseError::Step { place: place + 1, step: step.to_owned() })
        };
        let steps = match self.once("way")? {
            "none" => Vec::new(),
            steps => steps.split('+').enumerate().map(step).collect::<Result<_, _>>()?,
        };
        Ok(Way { bounds, mutant: self.optional("mutant")?.map(str::to_owned), steps })
    }

    fn law(&self) -> Result<LawCase, CaseError> {
        let named = |key, value: &str, allowed| CaseError::Number { key, value: value.to_owned(), allowed };
        let (law, bits, value) = (self.once("law")?, self.once("bits")?, self.once("words")?);
        let law = Law::ALL
            .into_iter()
            .find(|known| known.name() == law)
            .ok_or_else(|| named("law", law, "commutative, associative, idempotent, identity or inverse"))?;
        let bits = match bits {
            "8" => 8,
            "64" => 64,
            _ => return Err(named("bits", bits, "8 or 64")),
        };
        let refused = |allowed: String| Err(CaseError::Words { value: value.to_owned(), allowed });
        let words = match value {
            "all" if bits == 8 => Vec::new(),
            "all" => return refused("all words are tried at 8 bits alone".to_owned()),
            _ => self.words("words")?,
        };
        if value != "all" && words.len() != law.operands() {
            return refused(format!("the law {law} has {}", counted(law.operands(), "word")));
        }
        match words.iter().find(|&&word| bits == 8 && word > u64::from(u8::MAX)) {
            Some(_) => refused("words of 8 bits are 0x0 to 0xff".to_owned()),
            None => Ok(LawCase { law, bits, words }),
        }
    }

    fn seed(&self) -> Result<Seed, CaseError> {
        let value = self.once("seed")?;
        value.parse().map_err(|error| CaseError::Word { key: "seed", value: value.to_owned(), error })
    }
}

fn word(key: &'static str, value: &str) -> Result<u64, CaseError> {
    let word = value.parse::<Hex64>();
    word.map(|word| word.0).map_err(|error| CaseError::Word { key, value: value.to_owned(), error })
}

fn words(words: &[u64]) -> String {
    let words: Vec<String> = words.iter().map(|&word| Hex64(word).to_string()).collect();
    words.join("+")
}

impl fmt::Display for AdapterOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AdapterOp::Load { context, reference } => write!(f, "load:{context}:{}", Hex64(*reference)),
            AdapterOp::Select { context } => write!(f, "select:{context}"),
            AdapterOp::Accumulate(delta) => write!(f, "accum:{}", Hex64(*delta)),
            AdapterOp::Swap { context } => write!(f, "swap:{context}"),
            AdapterOp::Read => write!(f, "read"),
        }
    }
}

impl FromStr for AdapterOp {
    type Err = CaseError;

    fn from_str(text: &str) -> Result<Self, CaseError> {
        let refused = || CaseError::Operation(text.to_owned());
        let context = |text: &str| text.parse::<u8>().map_err(|_| refused());
        let word = |text: &str| text.parse::<Hex64>().map(|word| word.0).map_err(|_| refused());
        let parts: Vec<&str> = text.split(':').collect();
        match parts[..] {
            ["load", c, v] => Ok(AdapterOp::Load { context: context(c)?, reference: word(v)? }),
            ["select", c] => Ok(AdapterOp::Select { context: context(c)? }),
            ["accum", v] => Ok(AdapterOp::Accumulate(word(v)?)),
            ["swap", c] => Ok(AdapterOp::Swap { context: context(c)? }),
            ["read"] => Ok(AdapterOp::Read),
            _ => Err(refused()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::{Command, Register};
    use proptest::prelude::*;

    fn any_op() -> impl Strategy<Value = AdapterOp> {
        prop_oneof![
            any::<(u8, u64)>().prop_map(|(context, reference)| AdapterOp::Load { context, reference }),
            any::<u8>().prop_map(|context| AdapterOp::Select { context }),
            any::<u64>().prop_map(AdapterOp::Accumulate),
            any::<u8>().prop_map(|context| AdapterOp::Swap { context }),
            Just(AdapterOp::Read),
        ]
    }

    fn any_access() -> impl Strategy<Value = Access> {
        let register = proptest::sample::select(Register::ALL.to_vec());
        prop_oneof![
            Just(Access::Reset),
            (register.clone(), any::<u32>()).prop_map(|(register, word)| Access::Write(register, word)),
            (register.clone(), 0..16u8, any::<u32>())
                .prop_map(|(register, bytes, word)| Access::WriteBytes(register, bytes, word)),
            register.prop_map(Access::See),
            proptest::sample::select(Command::ALL.to_vec()).prop_map(Access::Do),
            Just(Access::Finish),
            Just(Access::PollDone),
            Just(Access::PollIdle),
        ]
    }

    fn any_execution() -> impl Strategy<Value = Execution> {
        let seed = any::<u64>().prop_map(Seed::new);
        prop_oneof![
            (any::<u32>(), 1..=32u32, seed.clone()).prop_map(|(count, active, seed)| Execution::Engine(EngineRun {
                count,
                active,
                seed
            })),
            (any::<u32>(), 1..MOST_ARRIVALS, seed.clone(), any::<bool>()).prop_map(|(start, count, seed, arrive)| {
                Execution::Accumulate { generator: Generator::SplitMix64, start, count, seed, arrive }
            }),
            (1..u32::MAX, seed).prop_map(|(count, seed)| Execution::Delivery { count, seed, order: Order::Reverse }),
            proptest::collection::vec(any_op(), 1..10).prop_map(Execution::Adapter),
            proptest::collection::vec(any_access(), 1..10).prop_map(Execution::Registers),
            (any::<u64>(), proptest::collection::vec(any::<u64>(), 1..5)).prop_map(|(start, first)| {
                let second = first.iter().rev().copied().collect();
                Execution::Merge { start, first, second }
            }),
            (any::<i64>(), proptest::collection::vec(proptest::collection::vec(1..9i64, 1..4), 1..5))
                .prop_map(|(start, clients)| Execution::Edits { start, clients }),
            proptest::collection::vec(proptest::collection::vec(0..64u32, 1..4), 1..5)
                .prop_map(|clients| Execution::Tags { clients }),
            proptest::collection::vec(crate::domain::script::tests::any_step(), 1..4).prop_map(|steps| {
                let world = script::world::world(Seed::new(3), "clients:4:link.latency_ms:9", "after_s:1");
                let world = world.expect("a world");
                Execution::Script(Box::new(crate::domain::offline::OfflineTrial { steps, ..world }))
            }),
        ]
    }

    proptest! {
        #[test]
        fn every_case_survives_its_text(execution in any_execution(), bank in 0..32u32) {
            let merges = matches!(
                execution,
                Execution::Merge { .. } | Execution::Edits { .. } | Execution::Tags { .. } | Execution::Script(_)
            );
            let faults = if merges { Vec::new() } else { vec![Fault::DeadBank(bank), Fault::StaleRead] };
            let case = Case { subject: "model".to_owned(), execution, faults };
            prop_assert_eq!(case.to_string().parse(), Ok(case));
        }

        #[test]
        fn any_text_gives_a_case_or_an_error(text in "(case1,model,(engine|adapter|delivery),)?.*") {
            let _ = text.parse::<Case>();
        }
    }

    #[test]
    fn a_case_reads_as_a_person_would_write_it() {
        let text = "case1,model,engine,count=9,active=8,seed=7,plant=dead-bank:3";
        let case: Case = text.parse().expect("a case");
        assert_eq!(case.execution, Execution::Engine(EngineRun { count: 9, active: 8, seed: Seed::new(7) }));
        assert_eq!(case.to_string(), "case1,model,engine,count=9,active=8,seed=0x0000000000000007,plant=dead-bank:3");
    }

    #[test]
    fn a_way_and_the_words_of_a_law_are_read_as_they_are_written() {
        for text in [
            "case1,delta-state,walk,clients=2,edits=2,edits_before=1,crashes=1,late=1,mutant=m,way=edit:0:crash:1:0+lose:1",
            "case1,first-writer,walk,data=labels,clients=1,edits=1,way=none",
            "case1,xor,law,law=idempotent,bits=8,words=0x0000000000000001",
            "case1,or,law,law=inverse,bits=8,words=all",
        ] {
            assert_eq!(text.parse::<Case>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_with_a_case_is_named() {
        let refused = |text: &str| text.parse::<Case>().expect_err(text).to_string();
        insta::assert_debug_snapshot!([
            refused(""),
            refused("case2,model,engine,count=1"),
            refused("case1,model,motor,count=1"),
            refused("case1,model,engine,count=1,active=1"),
            refused("case1,model,engine,count=1,count=2,active=1,seed=1"),
            refused("case1,model,engine,count=-1,active=1,seed=1"),
            refused("case1,model,engine,count=1,active=33,seed=1"),
            refused("case1,model,engine,count=1,active=1,seed=xyz"),
            refused("case1,model,engine,order=reverse"),
            refused("case1,simd,delivery,count=0,seed=1,order=reverse"),
            refused("case1,simd,delivery,count=3,seed=1,order=exactly:3"),
            refused("case1,simd,delivery,count=3,seed=1,order=backwards"),
            refused("case1,model,adapter,ops=load:256:0x0"),
            refused("case1,model,registers,accesses=peek:count"),
            refused("case1,model,engine,count=1,active=1,seed=1,plant=gremlin"),
            refused("case1,model,engine,count=1,active=1,seed=1,plant=drop:1,plant=drop:1"),
            refused("case1,simd,accumulate,generator=xorshift32,count=1,seed=1"),
            refused("case1,simd,accumulate,generator=xorshift64,start=-1,count=1,seed=1"),
            refused("case1,simd,arrivals,generator=xorshift64,count=16777217,seed=1"),
            refused("case1,xor,merge,start=0,first=1+2,second=2+3"),
            refused("case1,xor,merge,start=0,first=1+2,second=2+x"),
            refused("case1,delta-state,walk,clients=4,edits=1,way=none"),
            refused("case1,delta-state,walk,clients=1,edits=1,edits_before=2,way=none"),
            refused("case1,delta-state,walk,clients=1,edits=1,es=2,way=none"),
            refused("case1,delta-state,walk,data=pictures,clients=1,edits=1,way=none"),
            refused("case1,delta-state,walk,clients=1,edits=1,way=edit:0+jump:1"),
            refused("case1,delta-state,walk,clients=1,edits=1"),
            refused("case1,xor,law,law=associative,bits=64,words=0x1+0x2"),
            refused("case1,xor,law,law=idempotent,bits=8,words=0x100"),
            refused("case1,xor,law,law=idempotent,bits=64,words=all"),
            refused("case1,xor,law,law=distributive,bits=64,words=0x1"),
            refused("case1,delta-state,script,seed=0x1,world=clients:2,steps=jump:client_0"),
            refused("case1,delta-state,script,seed=0x1,world=clients:2:spare:1,steps=connect:client_0"),
        ]);
    }
}
