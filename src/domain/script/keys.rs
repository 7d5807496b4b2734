//! A step as a flat table of keys, read and written: one form for scenario files, records and cases.

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::domain::data::Intent;
use crate::domain::json;
use crate::domain::letter::Letter;
use crate::domain::nearest::{meant, meant_key};
use crate::domain::offline::{FaultKind, NodeFault};
use crate::domain::script::{Action, Condition, MessageFate, Progress, Step, WITHIN, Words};

/// The key that says how long after the step before it a step happens.
pub const AFTER: &str = "after_s";

/// The longest time of a step: a hundred years, in microseconds.
pub const MOST: u64 = 100 * 366 * 86_400 * 1_000_000;

/// Every verb but those of faults, with its other keys and what happens; keys in brackets may be left out.
pub const VERBS: &[(&str, &str, &str)] = &[
    (
        "edit",
        "register; by, supply, take, transfer and to, insert, remove, write, create, delete, set and field, tag, untag, type and \
         [after], erase, claim, do, or close",
        "a user edits a register: a counter, a stock, an element of tags, a label, a record, a text, a claim, or a case",
    ),
    (
        "connect",
        "[over_s]",
        "a client connects with every node that it has a link to; over_s: at a random moment in that many seconds",
    ),
    ("disconnect", "", "a client disconnects"),
    ("lose", "from, to", "the n-th message that is sent from now on is lost"),
    ("repeat", "from, to, late_s", "the n-th message comes again, so much later"),
    ("delay", "from, to, by_s", "the n-th message comes so much later"),
    ("truncate", "from, to, bytes", "the n-th message loses its end: so many bytes are left"),
    ("corrupt", "from, to, bit", "a bit of the n-th message is flipped"),
    ("cut", "with, for_s", "the link between two devices is down"),
    ("back_up", "", "a backup is taken of a device's store"),
    ("set_back", "[for_s]", "a device's store is set back to its backup"),
    ("clock", "[by_s, drift_ppm]", "a device's clock is set forward, or back, or goes faster"),
    ("link", "keys of [offline.link] but outages", "a device's links are like this from now on"),
    ("work", "for_s, keys of [offline.workload]", "a user's edits are drawn from the seed for a time"),
    ("until", "node, with or from, to, messages; [within_s]", "the next step waits for something"),
];

/// What a step can wait for, with its keys.
const CONDITIONS: [&str; 5] = ["quiescent", "in sync", "sent", "received", "taken"];

/// The keys of what a user intends, beside `by`.
const INTENTS: [&str; 16] = [
    "insert", "remove", "write", "supply", "take", "transfer", "create", "delete", "set", "tag", "untag", "type",
    "erase", "claim", "do", "close",
];

/// The number of the client that receives something.
fn client(name: &str) -> Result<u32, KeyError> {
    let number = name.strip_prefix("client ").and_then(|number| number.parse().ok());
    number.ok_or_else(|| wrong("to", format!("'{}' receives no rights; \"client 0\" is a client", name.escape_debug())))
}

/// The key of what a user intends.
pub fn of_intent(intent: Intent) -> &'static str {
    match intent {
        Intent::Increase(_) => "by",
        Intent::Supply(_) => "supply",
        Intent::Take(_) => "take",
        Intent::Transfer { .. } => "transfer",
        Intent::Insert(_) => "insert",
        Intent::Remove(_) => "remove",
        Intent::Write(_) => "write",
        Intent::Create(_) => "create",
        Intent::Delete => "delete",
        Intent::Set { .. } => "set",
        Intent::Tag(_) => "tag",
        Intent::Untag(_) => "untag",
        Intent::Type { .. } => "type",
        Intent::Erase(_) => "erase",
        Intent::Claim(_) => "claim",
        Intent::Do(_) => "do",
        Intent::Close => "close",
    }
}

/// The verb of a fault.
pub fn verb_of(kind: FaultKind) -> String {
    match kind {
        FaultKind::Restore => "set_back".to_owned(),
        _ => match json::to_value(&kind) {
            Ok(Value::String(name)) => name.replace('-', "_"),
            _ => unreachable!("a kind is written as its name"),
        },
    }
}

/// The fault of a verb.
fn fault_of(verb: &str) -> Option<FaultKind> {
    match verb {
        "set_back" => Some(FaultKind::Restore),
        "restore" => None,
        _ => json::from_value(Value::String(verb.replace('_', "-"))).ok(),
    }
}

/// The verbs of all steps, for people.
pub fn verbs() -> String {
    let mut verbs: Vec<String> = VERBS.iter().map(|(verb, ..)| (*verb).to_owned()).collect();
    verbs.extend(FaultKind::ALL.iter().map(|&kind| verb_of(kind)).filter(|verb| verb != "set_back"));
    verbs.join(", ")
}

/// Why keys are no step: which key, and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct KeyError {
    key: String,
    reason: String,
}

fn wrong(key: &str, reason: impl Into<String>) -> KeyError {
    KeyError { key: key.to_owned(), reason: reason.into() }
}

/// Keys that are not read yet.
struct Keys(Map<String, Value>);

impl Keys {
    fn need(&mut self, key: &str) -> Result<Value, KeyError> {
        self.0.remove(key).ok_or_else(|| wrong(key, "this key is missing in the step"))
    }

    fn text(&mut self, key: &str) -> Result<String, KeyError> {
        match self.need(key)? {
            Value::String(text) => Ok(text),
            other => Err(wrong(key, format!("{other} is not allowed; a name in quotes is"))),
        }
    }

    /// A piece of a text.
    fn piece(&mut self, key: &str) -> Result<String, KeyError> {
        match self.need(key)? {
            Value::String(piece) => Ok(piece),
            other => Err(wrong(key, format!("{other} is not allowed; a text in quotes is"))),
        }
    }

    /// A key that says what is done by being there.
    fn yes(&mut self, key: &str) -> Result<(), KeyError> {
        match self.need(key)? {
            Value::Bool(true) => Ok(()),
            other => Err(wrong(key, format!("{other} is not allowed; true is"))),
        }
    }

    fn number<T: TryFrom<i64>>(&mut self, key: &str) -> Result<T, KeyError> {
        let value = self.need(key)?;
        let number = value.as_i64().and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| wrong(key, format!("{value} is not allowed; a whole number within its bounds is")))
    }

    /// A time in microseconds, given in seconds.
    fn seconds(&mut self, key: &str) -> Result<u64, KeyError> {
        let micros = self.signed_seconds(key)?;
        u64::try_from(micros).map_err(|_| wrong(key, "a time before now is not allowed; 0 and more seconds are"))
    }

    fn signed_seconds(&mut self, key: &str) -> Result<i64, KeyError> {
        let value = self.need(key)?;
        let refused = || wrong(key, format!("{value} is not allowed; a number of seconds up to a hundred years is"));
        let micros = match value.as_i64() {
            Some(whole) => whole.checked_mul(1_000_000).ok_or_else(refused)?,
            None => (value.as_f64().ok_or_else(refused)? * 1e6).round() as i64,
        };
        if micros.unsigned_abs() <= MOST { Ok(micros) } else { Err(refused()) }
    }

    fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// All keys that are left, as the keys of something else.
    fn rest<T: DeserializeOwned>(&mut self, verb: &str) -> Result<T, KeyError> {
        let rest = std::mem::take(&mut self.0);
        let told = |error: serde_json::Error| format!("{error}{}", meant_key(&error.to_string()));
        json::from_value(Value::Object(rest)).map_err(|error| wrong(verb, told(error)))
    }
}

fn read(map: Map<String, Value>) -> Result<Step, KeyError> {
    let mut keys = Keys(map);
    let passes = keys.has(AFTER);
    let after = if passes { keys.seconds(AFTER)? } else { 0 };
    let is_verb = |key: &&String| VERBS.iter().any(|(verb, ..)| verb == key) || fault_of(key).is_some();
    let named: Vec<String> = keys.0.keys().filter(is_verb).cloned().collect();
    let action = match &named[..] {
        [] if keys.0.is_empty() && passes => Action::Pass,
        [] if keys.0.is_empty() => {
            return Err(wrong(AFTER, "this key is missing in a step without a verb, which lets time pass"));
        }
        [] => {
            let key = keys.0.keys().next().cloned().unwrap_or_default();
            let (verbs, meant) = (verbs(), meant(&key, verbs().split(", ")));
            return Err(wrong(
                &key,
                format!("no step has this name{meant}; a step has exactly one of the keys {verbs}"),
            ));
        }
        [verb] => action(verb, &mut keys)?,
        [verb, other, ..] => return Err(wrong(other, format!("it stands beside {verb}; make them two steps"))),
    };
    match keys.0.keys().next() {
        Some(key) => Err(wrong(key, format!("this key does not belong to a step with {}", action.verb()))),
        None => Ok(Step { after, action }),
    }
}

fn action(verb: &str, keys: &mut Keys) -> Result<Action, KeyError> {
    Ok(match verb {
        "edit" => {
            let (node, register) = (keys.text(verb)?, keys.number("register")?);
            let intent = match INTENTS.into_iter().find(|key| keys.has(key)) {
                Some(key @ "insert") => Intent::Insert(keys.number(key)?),
                Some(key @ "remove") => Intent::Remove(keys.number(key)?),
                Some(key @ "write") => Intent::Write(keys.number(key)?),
                Some(key @ "claim") => Intent::Claim(keys.number(key)?),
                Some(key @ "do") => Intent::Do(keys.number(key)?),
                Some(key @ "close") => keys.yes(key).map(|()| Intent::Close)?,
                Some(key @ "supply") => Intent::Supply(keys.number(key)?),
                Some(key @ "take") => Intent::Take(keys.number(key)?),
                Some(key @ "create") => Intent::Create(keys.number(key)?),
                Some(key @ "delete") => keys.yes(key).map(|()| Intent::Delete)?,
                Some(key @ "set") => Intent::Set { value: keys.number(key)?, field: keys.number("field")? },
                Some(key @ "tag") => Intent::Tag(keys.number(key)?),
                Some(key @ "untag") => Intent::Untag(keys.number(key)?),
                Some("type") => {
                    let text = keys.piece("type")?;
                    let after = if keys.has("after") { Some(keys.piece("after")?) } else { None };
                    return Ok(of_words(node, register, Words::Type { text, after }));
                }
                Some("erase") => return Ok(of_words(node, register, Words::Erase(keys.piece("erase")?))),
                Some(key) => Intent::Transfer { units: keys.number(key)?, to: client(&keys.text("to")?)? },
                None => Intent::Increase(keys.number("by")?),
            };
            Action::Edit { node, register, intent }
        }
        "connect" => {
            let node = keys.text(verb)?;
            Action::Connect { node, over: if keys.has("over_s") { keys.seconds("over_s")? } else { 0 } }
        }
        "disconnect" => Action::Disconnect(keys.text(verb)?),
        "lose" | "repeat" | "delay" | "truncate" | "corrupt" => {
            let number = keys.number(verb)?;
            let fate = match verb {
                "lose" => MessageFate::Lose,
                "repeat" => MessageFate::Repeat(keys.seconds("late_s")?),
                "delay" => MessageFate::Delay(keys.seconds("by_s")?),
                "truncate" => MessageFate::Truncate(keys.number("bytes")?),
                _ => MessageFate::Corrupt(keys.number("bit")?),
            };
            Action::Message { from: keys.text("from")?, to: keys.text("to")?, number, fate }
        }
        "cut" => Action::Cut { node: keys.text(verb)?, with: keys.text("with")?, lasts: keys.seconds("for_s")? },
        "crash" if keys.has("after_effects") => {
            Action::CrashDuring { node: keys.text(verb)?, effects: keys.number("after_effects")? }
        }
        "back_up" => Action::BackUp(keys.text(verb)?),
        "clock" => {
            let node = keys.text(verb)?;
            let by = if keys.has("by_s") { keys.signed_seconds("by_s")? } else { 0 };
            let drift_ppm = if keys.has("drift_ppm") { keys.number("drift_ppm")? } else { 0 };
            Action::Clock { node, by, drift_ppm }
        }
        "link" => Action::Link { node: keys.text(verb)?, link: keys.rest(verb)? },
        "work" => Action::Work { node: keys.text(verb)?, lasts: keys.seconds("for_s")?, workload: keys.rest(verb)? },
        "until" => until(keys)?,
        _ => {
            let kind = fault_of(verb).expect("it is a verb, and no other is left");
            let node = keys.text(verb)?;
            // A fault of a step begins now, and its step says the rest.
            if let Some(key) = ["kind", "node", "at_s", "age_s"].into_iter().find(|key| keys.has(key)) {
                return Err(wrong(key, format!("this key does not belong to a step with {verb}")));
            }
            let kind = json::to_value(&kind).expect("a kind is written as its name");
            keys.0.extend([("kind".to_owned(), kind), ("node".to_owned(), Value::String(node))]);
            keys.0.insert("at_s".to_owned(), 0.into());
            Action::Fault(keys.rest(verb)?)
        }
    })
}

/// What a user does to a text. One keystroke whose place is known is an intent of its own.
fn of_words(node: String, register: u32, words: Words) -> Action {
    let intent = match (&words, &words.letters()[..]) {
        (Words::Type { after: Some(after), .. }, &[letter]) => match Letter::all_of(after)[..] {
            [] => Some(Intent::Type { after: None, letter }),
            [after] => Some(Intent::Type { after: Some(after), letter }),
            _ => None,
        },
        (Words::Erase(_), &[letter]) => Some(Intent::Erase(letter)),
        _ => None,
    };
    match intent {
        Some(intent) => Action::Edit { node, register, intent },
        None => Action::Words { node, register, words },
    }
}

fn until(keys: &mut Keys) -> Result<Action, KeyError> {
    let named = keys.text("until")?;
    let messages = |keys: &mut Keys, how| -> Result<Condition, KeyError> {
        let number = if keys.has("messages") { keys.number("messages")? } else { 1 };
        Ok(Condition::Messages { from: keys.text("from")?, to: keys.text("to")?, number, how })
    };
    let condition = match named.as_str() {
        "quiescent" => Condition::Quiescent,
        "in sync" => Condition::InSync { node: keys.text("node")?, with: keys.text("with")? },
        "sent" => messages(keys, Progress::Sent)?,
        "received" => messages(keys, Progress::Received)?,
        "taken" => messages(keys, Progress::Taken)?,
        other => {
            let (other, allowed) = (other.escape_debug(), CONDITIONS.join(", "));
            return Err(wrong(
                "until",
                format!("'{other}' is nothing that a step can wait for; allowed are {allowed}"),
            ));
        }
    };
    let within = if keys.has("within_s") { keys.seconds("within_s")? } else { WITHIN };
    Ok(Action::Until { condition, within })
}

/// A step's keys and their values: its verb first, how long after the step before it last.
pub fn written(step: &Step) -> Vec<(String, Value)> {
    let text = |text: &String| Value::String(text.clone());
    let mut keys: Vec<(&str, Value)> = Vec::new();
    let verb = step.action.verb();
    let mut more = Map::new();
    match &step.action {
        Action::Pass => {}
        Action::Edit { node, register, intent } => {
            let value: Value = match *intent {
                Intent::Increase(by) => by.into(),
                Intent::Insert(element) | Intent::Remove(element) => element.into(),
                Intent::Tag(element) | Intent::Untag(element) => element.into(),
                Intent::Write(value) | Intent::Create(value) | Intent::Set { value, .. } => value.into(),
                Intent::Claim(value) => value.into(),
                Intent::Delete | Intent::Close => true.into(),
                Intent::Do(item) => item.into(),
                Intent::Supply(units) | Intent::Take(units) | Intent::Transfer { units, .. } => units.into(),
                Intent::Type { letter, .. } | Intent::Erase(letter) => Letter::text(&[letter]).into(),
            };
            keys.extend([("edit", text(node)), ("register", (*register).into()), (of_intent(*intent), value)]);
            match intent {
                Intent::Transfer { to, .. } => keys.push(("to", Value::String(format!("client {to}")))),
                Intent::Set { field, .. } => keys.push(("field", (*field).into())),
                Intent::Type { after, .. } => {
                    let after: Vec<Letter> = after.iter().copied().collect();
                    keys.push(("after", Letter::text(&after).into()));
                }
                _ => {}
            }
        }
        Action::Words { node, register, words } => {
            keys.extend([("edit", text(node)), ("register", (*register).into())]);
            match words {
                Words::Type { text: typed, after } => {
                    keys.push(("type", text(typed)));
                    keys.extend(after.as_ref().map(|after| ("after", text(after))));
                }
                Words::Erase(erased) => keys.push(("erase", text(erased))),
            }
        }
        Action::Connect { node, over } => {
            keys.push((&verb, text(node)));
            keys.extend((*over > 0).then(|| ("over_s", seconds(*over as i64))));
        }
        Action::Disconnect(node) | Action::BackUp(node) => keys.push((&verb, text(node))),
        Action::Message { from, to, number, fate } => {
            keys.extend([(&*verb, (*number).into()), ("from", text(from)), ("to", text(to))]);
            match *fate {
                MessageFate::Lose => {}
                MessageFate::Repeat(late) => keys.push(("late_s", seconds(late as i64))),
                MessageFate::Delay(by) => keys.push(("by_s", seconds(by as i64))),
                MessageFate::Truncate(bytes) => keys.push(("bytes", bytes.into())),
                MessageFate::Corrupt(bit) => keys.push(("bit", bit.into())),
            }
        }
        Action::Cut { node, with, lasts } => {
            keys.extend([("cut", text(node)), ("with", text(with)), ("for_s", seconds(*lasts as i64))]);
        }
        Action::CrashDuring { node, effects } => {
            keys.extend([("crash", text(node)), ("after_effects", (*effects).into())]);
        }
        Action::Fault(fault) => {
            keys.push((&verb, text(&fault.node)));
            more = beyond(fault, &NodeFault::plain(fault.kind, &fault.node));
        }
        Action::Clock { node, by, drift_ppm } => {
            keys.push(("clock", text(node)));
            keys.extend((*by != 0).then(|| ("by_s", seconds(*by))));
            keys.extend((*drift_ppm != 0).then(|| ("drift_ppm", (*drift_ppm).into())));
        }
        Action::Link { node, link } => {
            keys.push(("link", text(node)));
            more = beyond(link, &Default::default());
        }
        Action::Work { node, lasts, workload } => {
            keys.extend([("work", text(node)), ("for_s", seconds(*lasts as i64))]);
            more = object(workload);
        }
        Action::Until { condition, within } => {
            let mut of = |name: &str| keys.push(("until", Value::String(name.to_owned())));
            match condition {
                Condition::Quiescent => of("quiescent"),
                Condition::InSync { node, with } => {
                    of("in sync");
                    keys.extend([("node", text(node)), ("with", text(with))]);
                }
                Condition::Messages { from, to, number, how } => {
                    of(how.name());
                    keys.extend([("from", text(from)), ("to", text(to)), ("messages", (*number).into())]);
                }
            }
            keys.push(("within_s", seconds(*within as i64)));
        }
    }
    let after = (step.after > 0 || step.action == Action::Pass).then(|| (AFTER, seconds(step.after as i64)));
    let keys = keys.into_iter().map(|(key, value)| (key.to_owned(), value));
    keys.chain(more).chain(after.map(|(key, value)| (key.to_owned(), value))).collect()
}

impl Progress {
    /// What a step that waits for it names.
    pub fn name(self) -> &'static str {
        match self {
            Progress::Sent => "sent",
            Progress::Received => "received",
            Progress::Taken => "taken",
        }
    }
}

/// Microseconds as a number of seconds, whole where it is.
fn seconds(micros: i64) -> Value {
    if micros % 1_000_000 == 0 { (micros / 1_000_000).into() } else { (micros as f64 / 1e6).into() }
}

fn object(value: &impl Serialize) -> Map<String, Value> {
    match json::to_value(value) {
        Ok(Value::Object(map)) => map,
        _ => unreachable!("it is a table of plain keys"),
    }
}

/// Keys whose values are not those of `plain`.
fn beyond<T: Serialize>(value: &T, plain: &T) -> Map<String, Value> {
    let plain = object(plain);
    object(value).into_iter().filter(|(key, value)| plain.get(key) != Some(value)).collect()
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(written(self))
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Step::of(Map::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Step {
    /// The step of these keys.
    pub fn of(keys: Map<String, Value>) -> Result<Self, KeyError> {
        read(keys)
    }
}

impl NodeFault {
    /// A fault of this kind that begins now, with nothing else said of it.
    pub fn plain(kind: FaultKind, node: &str) -> Self {
        let keys = serde_json::json!({ "kind": kind, "node": node, "at_s": 0 });
        json::from_value(keys).expect("nothing else of a fault need be given")
    }
}
