//! Whether a command is an engine that can stand trial: what its author needs to know, step by step.
//!
//! Each step says what was tried, and, where it fails, why and what to do. Two replicas of it talk over a line that loses and
//! repeats what it is told to. Knows: the port, and what the engine says of itself. Must not: judge how good it is; that is
//! for the worlds.

use std::collections::VecDeque;

use crate::domain::data::{Concurrent, DataType, Deleted, Fields, Intent, Overwrites, Record, Spending, View};
use crate::engine::host::{Entropy, Host, Later, NodeId, Sent};
use crate::engine::port::{Engine, EngineError, Reception, Relation, Settings};
use crate::engine::process::protocol::{Capabilities, Storage};
use crate::engine::process::{self};
use crate::engine::store::Owner;
use crate::engine::store::disk::{Disk, Loss};
use crate::engine::{Open, Registration};

/// A step of the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was tried.
    pub name: &'static str,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is as it must be; what was seen, where that is worth reading.
    Passed(String),
    /// It is not.
    Failed {
        /// What was seen.
        why: String,
        /// What to do.
        advice: &'static str,
    },
    /// The engine failed as it did at an earlier step.
    FailedAgain,
    /// The engine does not say that it can do this.
    NotAsked(&'static str),
}

/// The hub's number; a client has number 0.
const HUB: NodeId = 1;

/// Messages after which two replicas should have fallen silent.
const MOST_MESSAGES: usize = 2000;

/// Starts the command, and tries all that a world asks of an engine; tells each step when it is done. A step that fails does
/// not end the check: each has new replicas.
pub fn check(command: &str, mut tell: impl FnMut(Step)) {
    let text = format!("checked=cmd:{command}");
    let starts = "it starts, and says what it is";
    let engine = match process::start(&text) {
        Ok(engine) => engine,
        Err(error) => {
            let advice = "run the command by hand: it must read lines of JSON from standard input, answer each with one line on \
                          standard output, flush it, and write nothing else there";
            return tell(Step { name: starts, outcome: Outcome::Failed { why: error.to_string(), advice } });
        }
    };
    tell(Step { name: starts, outcome: Outcome::Passed(engine.about.to_owned()) });
    let mut failures: Vec<String> = Vec::new();
    for &(name, advice, does) in STEPS {
        let mut pair = match Pair::of(engine) {
            Ok(pair) => pair,
            Err(error) => {
                let advice = "answer 'start' with {\"n\": …}; the transcript in docs/engine-protocol.md shows one";
                let outcome = Outcome::Failed { why: error.to_string(), advice };
                return tell(Step { name: "it starts as a replica", outcome });
            }
        };
        let outcome = match does(&mut pair) {
            Ok(Done::Yes(seen)) => Outcome::Passed(seen),
            Ok(Done::NotAsked(why)) => Outcome::NotAsked(why),
            Ok(Done::No(why)) => Outcome::Failed { why, advice },
            Err(error) => failed(error.to_string(), &mut failures),
        };
        tell(Step { name, outcome });
    }
}

/// The engine could not go on. What the step is about was not seen.
fn failed(why: String, before: &mut Vec<String>) -> Outcome {
    // Numbers of requests differ from step to step.
    let kind: String = why.chars().filter(|c| !c.is_ascii_digit()).collect();
    if before.contains(&kind) {
        return Outcome::FailedAgain;
    }
    before.push(kind);
    Outcome::Failed { why, advice: "correct this error first; other steps may fail for it, too" }
}

enum Done {
    Yes(String),
    No(String),
    NotAsked(&'static str),
}

type Does = fn(&mut Pair) -> Result<Done, EngineError>;

/// What is tried: a name, what to do where it fails, and the trial itself. Each has two new replicas.
const STEPS: &[(&str, &str, Does)] = &[
    (
        "a new replica shows the registers' start",
        "answer 'views' with one entry a register: counters as decimal text, then stocks as objects with \"left\", tags as arrays of numbers, labels as objects with \"values\", records as objects with \"record\"",
        |pair| {
            let start = fields(pair.engine).starts();
            let shown = pair.nodes[0].shows();
            pair.check()?;
            Ok(if shown == start { Done::Yes(String::new()) } else { Done::No(unequal(&shown, &start)) })
        },
    ),
    (
        "an edit is accepted and shown",
        "answer 'edit' with the effect {\"accept\": true} once the edit would survive a crash, and show it in 'views'",
        |pair| {
            pair.edit(0, 1, Intent::Increase(7))?;
            let accepted = pair.accepted;
            let shown = pair.counter(0, 1)?;
            let backlog = pair.nodes[0].backlog();
            Ok(match (accepted, shown, backlog) {
                (0, ..) => Done::No("the edit was not accepted".to_owned()),
                (_, 12, 1) => Done::Yes(String::new()),
                (_, 12, _) => Done::No(format!(
                    "'backlog' is {backlog} after one edit that no other replica has; answer with the number of such edits"
                )),
                (_, other, _) => Done::No(format!("the register started at 5, 7 was added, and it shows {other}")),
            })
        },
    ),
    (
        "an edit comes to the other replica, and both fall silent",
        "answer 'connected' with messages to the peer, or ask to be woken by 'wake_at'; stop once the peer has everything",
        |pair| {
            pair.edit(0, 1, Intent::Increase(7))?;
            pair.connect()?;
            let messages = pair.talk(&[])?;
            pair.both(1, 12, messages)
        },
    ),
    (
        "what was sent has been acknowledged",
        "lower 'backlog' to 0 once another replica has said that it has the edits",
        |pair| {
            pair.edit(0, 1, Intent::Increase(7))?;
            pair.connect()?;
            pair.talk(&[])?;
            let backlog = pair.nodes[0].backlog();
            let why = format!("'backlog' is still {backlog} after both fell silent");
            Ok(if backlog == 0 { Done::Yes(String::new()) } else { Done::No(why) })
        },
    ),
    (
        "edits of both replicas are added up",
        "a counter that the last writer overwrites loses edits: keep each replica's share, or the edits",
        |pair| {
            pair.edit(0, 1, Intent::Increase(7))?;
            pair.edit(HUB, 1, Intent::Increase(-3))?;
            pair.connect()?;
            let messages = pair.talk(&[])?;
            pair.both(1, 9, messages)
        },
    ),
    (
        "a message that comes twice counts once",
        "recognise what was taken before, by an id or a version; the worlds repeat messages",
        |pair| {
            pair.edit(0, 1, Intent::Increase(7))?;
            pair.connect()?;
            pair.times = 2;
            let messages = pair.talk(&[])?;
            pair.both(1, 12, messages)
        },
    ),
    (
        "a message that is lost is sent again",
        "ask to be woken by 'wake_at' while an answer is missing, and send again; the worlds lose messages",
        |pair| {
            pair.edit(0, 1, Intent::Increase(7))?;
            pair.connect()?;
            let messages = pair.talk(&[0, 1, 3])?;
            pair.both(1, 12, messages)
        },
    ),
    (
        "a connection that ends in the middle is no loss",
        "forget what is on its way when 'disconnected' comes, and begin anew when 'connected' comes",
        |pair| {
            pair.edit(0, 1, Intent::Increase(7))?;
            for messages in 0..4 {
                pair.connect()?;
                pair.deliver(messages)?;
                pair.disconnect()?;
            }
            pair.connect()?;
            let messages = pair.talk(&[])?;
            pair.both(1, 12, messages)
        },
    ),
    (
        "an accepted edit survives a power failure, and so does what came from others",
        "write before you accept: {\"append\": …}, {\"sync\": true}, then {\"accept\": true}; or sync your own files",
        |pair| {
            pair.edit(0, 1, Intent::Increase(7))?;
            pair.connect()?;
            pair.talk(&[])?;
            pair.disconnect()?;
            pair.edit(0, 0, Intent::Increase(1))?;
            for node in [0, HUB] {
                pair.power_fails(node)?;
            }
            let shown = [pair.counter(0, 1)?, pair.counter(HUB, 1)?, pair.counter(0, 0)?];
            let why =
                format!("of 12, 12 and 6 it shows {}, {} and {} after it started again", shown[0], shown[1], shown[2]);
            if shown != [12, 12, 6] {
                return Ok(Done::No(why));
            }
            pair.connect()?;
            let messages = pair.talk(&[])?;
            pair.both(0, 6, messages)
        },
    ),
    (
        "bytes that are no message do no harm",
        "check what you decode, and answer {\"message\": \"damaged\"}; a message of an earlier connection is \"stale\"",
        |pair| {
            pair.edit(0, 1, Intent::Increase(7))?;
            pair.connect()?;
            for junk in [&b""[..], b"\0", b"{\"a\":1}", &[0xff; 64]] {
                pair.junk(junk)?;
            }
            let messages = pair.talk(&[])?;
            pair.both(1, 12, messages)
        },
    ),
    (
        "numbers at the ends of its range are kept exactly",
        "declare in 'counters' the numbers that are kept exactly: languages with 64-bit floats lose whole numbers from 2^53 on",
        |pair| {
            let range = capabilities(pair.engine).counters;
            let to_most = range.max.0.saturating_sub(5);
            pair.edit(0, 0, Intent::Increase(to_most))?;
            pair.edit(0, 0, Intent::Increase(-1))?;
            pair.edit(0, 1, Intent::Increase(range.min.0.saturating_add(5)))?;
            pair.connect()?;
            let messages = pair.talk(&[])?;
            match pair.both(0, 5i64.wrapping_add(to_most) - 1, messages)? {
                Done::Yes(_) => pair.both(1, 5i64.wrapping_add(range.min.0.saturating_add(5)), messages),
                no => Ok(no),
            }
        },
    ),
    (
        "tags are added and removed, and a remove takes only what was seen",
        "'insert' and 'remove' name an element of a tags register; show the elements in ascending order",
        |pair| {
            if !pair.engine.carries.has(DataType::Tags) {
                return Ok(Done::NotAsked("it carries no tags: 'tags' is not in its answer to 'hello'"));
            }
            let tags = fields(pair.engine).first(DataType::Tags);
            pair.edit(0, tags, Intent::Insert(1))?;
            pair.edit(0, tags, Intent::Insert(2))?;
            pair.connect()?;
            pair.talk(&[])?;
            pair.disconnect()?;
            pair.edit(0, tags, Intent::Remove(1))?;
            pair.edit(HUB, tags, Intent::Insert(1))?;
            pair.connect()?;
            pair.talk(&[])?;
            let shown = [pair.view(0, tags)?, pair.view(HUB, tags)?];
            let stays = View::Tags([1, 2].into());
            let goes = View::Tags([2].into());
            Ok(match pair.engine.carries.tags.unwrap_or_default() {
                _ if shown[0] != shown[1] => Done::No(unequal(&shown[..1], &shown[1..])),
                Concurrent::InsertWins if shown[0] != stays => {
                    Done::No(format!("it declares that an insert wins, and shows {}", shown[0]))
                }
                _ if shown[0] != stays && shown[0] != goes => Done::No(format!("it shows {}", shown[0])),
                _ => Done::Yes(format!("an insert and a remove at the same time: {}", shown[0])),
            })
        },
    ),
    (
        "a remove takes nothing that its user did not see",
        "accept a 'remove' of an element that this replica does not show, and keep and send nothing: an insert may be on its way",
        |pair| {
            if !pair.engine.carries.has(DataType::Tags) {
                return Ok(Done::NotAsked("it carries no tags: 'tags' is not in its answer to 'hello'"));
            }
            let tags = fields(pair.engine).first(DataType::Tags);
            // Whoever's id is greater: each of the two is once the one that removes.
            for (inserts, removes, element) in [(0, HUB, 1), (HUB, 0, 2)] {
                pair.edit(inserts, tags, Intent::Insert(element))?;
                pair.edit(removes, tags, Intent::Remove(element))?;
            }
            pair.connect()?;
            pair.talk(&[])?;
            let shown = [pair.view(0, tags)?, pair.view(HUB, tags)?];
            let both = View::Tags([1, 2].into());
            let why = || {
                format!(
                    "elements 1 and 2 were inserted, and nobody who saw them removed them: it shows {}, {}",
                    shown[0], shown[1]
                )
            };
            Ok(if shown.iter().all(|view| *view == both) { Done::Yes(String::new()) } else { Done::No(why()) })
        },
    ),
    (
        "units that are not there are refused",
        "answer a 'take' or a 'transfer' that your rule does not allow with the effect 'refuse'; show a stock as { \"left\": \"5\" }",
        |pair| {
            if !pair.engine.carries.has(DataType::Stock) {
                return Ok(Done::NotAsked("it carries no stocks: 'stocks' is not in its answer to 'hello'"));
            }
            let stock = fields(pair.engine).first(DataType::Stock);
            pair.edit(0, stock, Intent::Supply(10))?;
            pair.edit(0, stock, Intent::Take(3))?;
            if !pair.is_refused(0, stock, Intent::Take(8))? {
                return Ok(Done::No("10 units were supplied and 3 taken, and it lets its user take 8".to_owned()));
            }
            pair.connect()?;
            pair.talk(&[])?;
            pair.edit(HUB, stock, Intent::Supply(1))?;
            pair.talk(&[])?;
            let by_rights = pair.engine.carries.stocks == Some(Spending::Rights);
            if by_rights {
                // The hub holds rights to the one unit that it supplied, and to those that it receives.
                if !pair.is_refused(HUB, stock, Intent::Take(2))? {
                    return Ok(Done::No("a replica that holds rights to 1 unit lets its user take 2".to_owned()));
                }
                pair.edit(0, stock, Intent::Transfer { to: HUB, units: 5 })?;
                if !pair.is_refused(0, stock, Intent::Take(3))? {
                    return Ok(Done::No(
                        "rights to 5 of 7 units were transferred, and it lets its user take 3".to_owned(),
                    ));
                }
                pair.talk(&[])?;
            }
            pair.edit(HUB, stock, Intent::Take(6))?;
            pair.talk(&[])?;
            let (shown, left) = ([pair.view(0, stock)?, pair.view(HUB, stock)?], View::Stock(2));
            Ok(if shown.iter().all(|view| *view == left) {
                Done::Yes(format!(
                    "units are taken {}",
                    if by_rights { Spending::Rights } else { Spending::Shown }.told()
                ))
            } else {
                Done::No(unequal(&shown, &[left]))
            })
        },
    ),
    (
        "a write supersedes what was seen, and nothing else",
        "'write' names a value as decimal text; show a label as { \"values\": [...] }",
        |pair| {
            if !pair.engine.carries.has(DataType::Label) {
                return Ok(Done::NotAsked("it carries no labels: 'labels' is not in its answer to 'hello'"));
            }
            let label = fields(pair.engine).first(DataType::Label);
            pair.edit(0, label, Intent::Write(1))?;
            pair.connect()?;
            pair.talk(&[])?;
            pair.edit(HUB, label, Intent::Write(2))?;
            pair.talk(&[])?;
            let after = [pair.view(0, label)?, pair.view(HUB, label)?];
            pair.disconnect()?;
            pair.edit(0, label, Intent::Write(3))?;
            pair.edit(HUB, label, Intent::Write(4))?;
            pair.connect()?;
            pair.talk(&[])?;
            let shown = [pair.view(0, label)?, pair.view(HUB, label)?];
            let [both, one, other] =
                [&[3, 4][..], &[3], &[4]].map(|values| View::Label(values.iter().copied().collect()));
            let overwrites = pair.engine.carries.labels.unwrap_or_default();
            let is_declared = match overwrites {
                Overwrites::Multi => shown[0] == both,
                Overwrites::Last(_) | Overwrites::One => shown[0] == one || shown[0] == other,
            };
            // Whoever writes now has seen what is shown: that is superseded, a conflict as well.
            pair.edit(0, label, Intent::Write(5))?;
            pair.talk(&[])?;
            let resolved = [pair.view(0, label)?, pair.view(HUB, label)?];
            let alone = |value| [(); 2].map(|()| View::Label([value].into()));
            Ok(match () {
                () if after != alone(2) => Done::No(unequal(&after, &alone(2)[..1])),
                () if resolved != alone(5) => Done::No(unequal(&resolved, &alone(5)[..1])),
                () if shown[0] != shown[1] => Done::No(unequal(&shown[..1], &shown[1..])),
                () if !is_declared => {
                    Done::No(format!("it declares to show {}, and shows {}", overwrites.told(), shown[0]))
                }
                () => Done::Yes(format!("two writes at the same time: {}", shown[0])),
            })
        },
    ),
    (
        "a record is there as a whole, or not at all",
        "'create' gives a record's labels a value and those that follow it; show a record as { \"record\": { \"labels\": [[...]], \"tags\": [...] } }, and { \"record\": null } where there is none",
        |pair| {
            if !pair.engine.carries.has(DataType::Record) {
                return Ok(Done::NotAsked("it carries no records: 'records' is not in its answer to 'hello'"));
            }
            let at = fields(pair.engine).first(DataType::Record);
            let record = |labels: [&[u64]; 2], tags: &[u32]| {
                let labels = labels.map(|values| values.iter().copied().collect()).to_vec();
                View::Record(Some(Box::new(Record { labels, tags: tags.iter().copied().collect() })))
            };
            let both_show = |pair: &mut Pair, expected: View| {
                pair.talk(&[])?;
                let shown = [pair.view(0, at)?, pair.view(HUB, at)?];
                let is_shown = shown.iter().all(|view| *view == expected);
                Ok::<_, EngineError>(if is_shown { None } else { Some(unequal(&shown, &[expected])) })
            };
            pair.edit(0, at, Intent::Create(10))?;
            pair.connect()?;
            if let Some(why) = both_show(pair, record([&[10], &[11]], &[]))? {
                return Ok(Done::No(why));
            }
            // Each field merges by its own type.
            pair.disconnect()?;
            pair.edit(0, at, Intent::Set { field: 0, value: 20 })?;
            pair.edit(0, at, Intent::Tag(1))?;
            pair.edit(HUB, at, Intent::Set { field: 1, value: 30 })?;
            pair.edit(HUB, at, Intent::Tag(2))?;
            pair.connect()?;
            if let Some(why) = both_show(pair, record([&[20], &[30]], &[1, 2]))? {
                return Ok(Done::No(format!("two fields were changed at the same time: {why}")));
            }
            pair.edit(0, at, Intent::Untag(2))?;
            if let Some(why) = both_show(pair, record([&[20], &[30]], &[1]))? {
                return Ok(Done::No(format!("a tag was removed: {why}")));
            }
            // Deleted, and created anew under the same key. The first message is lost.
            pair.edit(HUB, at, Intent::Delete)?;
            if pair.nodes[HUB as usize].backlog() == 0 {
                return Ok(Done::No("a delete that no other replica has is not in its backlog".to_owned()));
            }
            pair.talk(&[0])?;
            if let Some(why) = both_show(pair, View::Record(None))? {
                return Ok(Done::No(why));
            }
            pair.edit(0, at, Intent::Create(40))?;
            if let Some(why) = both_show(pair, record([&[40], &[41]], &[]))? {
                return Ok(Done::No(format!("it was deleted and created again: {why}")));
            }
            pair.disconnect()?;
            pair.edit(0, at, Intent::Delete)?;
            pair.edit(HUB, at, Intent::Set { field: 0, value: 50 })?;
            pair.connect()?;
            pair.talk(&[])?;
            let shown = [pair.view(0, at)?, pair.view(HUB, at)?];
            let (stays, goes) = (record([&[50], &[41]], &[]), View::Record(None));
            let deleted = pair.engine.carries.records.unwrap_or_default();
            let is_declared = match deleted {
                Deleted::EditWins => shown[0] == stays,
                Deleted::DeleteWins => shown[0] == goes,
                Deleted::Either => shown[0] == stays || shown[0] == goes,
            };
            Ok(match () {
                () if shown[0] != shown[1] => Done::No(unequal(&shown[..1], &shown[1..])),
                () if !is_declared => Done::No(format!(
                    "it declares that a record that is deleted and changed at the same time {}, and shows {}",
                    deleted.told(),
                    shown[0]
                )),
                () => Done::Yes(format!("deleted and changed at the same time: {}", shown[0])),
            })
        },
    ),
    (
        "the same talk gives the same bytes again",
        "take time and random choices from requests alone ('now', 'seed', 'fresh'), or declare \"repeats\": false",
        |pair| {
            if !capabilities(pair.engine).repeats {
                return Ok(Done::NotAsked("it declares that it does not repeat itself"));
            }
            let said = |pair: &mut Pair| {
                pair.edit(0, 1, Intent::Increase(7))?;
                pair.connect()?;
                pair.talk(&[])?;
                Ok::<_, EngineError>(std::mem::take(&mut pair.said))
            };
            let first = said(pair)?;
            let again = said(&mut Pair::of(pair.engine)?)?;
            let place = first.iter().zip(&again).position(|(one, other)| one != other);
            Ok(match place {
                None if first.len() == again.len() => {
                    let bytes: usize = first.iter().map(Vec::len).sum();
                    Done::Yes(format!("{} messages, {bytes} B", first.len()))
                }
                place => Done::No(format!("message {} differs", place.unwrap_or(first.len().min(again.len())))),
            })
        },
    ),
    (
        "its files are in its folder",
        "write what must survive into 'folder' of 'start', which is also the current folder",
        |pair| {
            if capabilities(pair.engine).store != Storage::Files {
                return Ok(Done::NotAsked("it stores by effects, and not in files"));
            }
            pair.edit(0, 1, Intent::Increase(7))?;
            let files = pair.nodes[0].files()?.unwrap_or_default();
            let bytes: usize = files.values().map(Vec::len).sum();
            Ok(match bytes {
                0 => Done::No("after an accepted edit its folder holds nothing".to_owned()),
                _ => Done::Yes(format!("{} files, {bytes} B", files.len())),
            })
        },
    ),
];

/// Two replicas, a client and a hub, and the line between them.
struct Pair {
    engine: &'static Registration,
    nodes: Vec<Box<dyn Engine>>,
    hosts: Vec<Host<Disk>>,
    underway: VecDeque<(NodeId, Sent)>,
    /// How often each message comes.
    times: usize,
    accepted: usize,
    said: Vec<Vec<u8>>,
}

impl Pair {
    fn of(engine: &'static Registration) -> Result<Pair, EngineError> {
        let (underway, said) = (VecDeque::new(), Vec::new());
        let mut pair = Pair { engine, nodes: Vec::new(), hosts: Vec::new(), underway, times: 1, accepted: 0, said };
        for node in [0, HUB] {
            let owner = Owner { scenario: 1, client: node };
            let mut host = Host::new(Disk::new(owner), Entropy::Counted(u64::from(node) << 16));
            pair.nodes.push(engine.open.node(&settings(node, engine), &mut host)?);
            pair.hosts.push(host);
        }
        Ok(pair)
    }

    /// Whether asking what it shows went wrong.
    fn check(&mut self) -> Result<(), EngineError> {
        self.nodes.iter_mut().try_for_each(|node| node.files().map(drop))
    }

    fn view(&mut self, node: NodeId, register: u32) -> Result<View, EngineError> {
        let shown = self.nodes[node as usize].shows();
        self.check()?;
        Ok(shown[register as usize].clone())
    }

    fn counter(&mut self, node: NodeId, register: u32) -> Result<i64, EngineError> {
        Ok(self.view(node, register)?.number().expect("it is a counter"))
    }

    /// Whether both show this.
    fn both(&mut self, register: u32, number: i64, messages: usize) -> Result<Done, EngineError> {
        let shown = [self.counter(0, register)?, self.counter(HUB, register)?];
        Ok(match shown {
            _ if messages >= MOST_MESSAGES => Done::No(format!("the two still talk after {messages} messages")),
            [client, hub] if [client, hub] == [number; 2] => Done::Yes(format!("{messages} messages")),
            [client, hub] => Done::No(format!(
                "after {messages} messages the client shows {client} and the hub {hub}; both should show {number}"
            )),
        })
    }

    fn collect(&mut self) {
        for node in [0, HUB] {
            let host = &mut self.hosts[node as usize];
            self.accepted += host.shown.drain(..).count();
            for sent in host.sent.drain(..) {
                self.said.push(sent.frame.bytes.clone());
                self.underway.push_back((node, sent));
            }
        }
    }

    fn edit(&mut self, node: NodeId, register: u32, intent: Intent) -> Result<(), EngineError> {
        let place = node as usize;
        self.nodes[place].edit(&mut self.hosts[place], register, intent)?;
        self.collect();
        Ok(())
    }

    /// Whether an edit is refused. One that is accepted shows.
    fn is_refused(&mut self, node: NodeId, register: u32, intent: Intent) -> Result<bool, EngineError> {
        let before = self.accepted;
        self.edit(node, register, intent)?;
        let is_refused = self.hosts[node as usize].later.take() == Some(Later::Refused);
        Ok(is_refused && self.accepted == before)
    }

    fn connect(&mut self) -> Result<(), EngineError> {
        for (node, peer, relation) in [(0, HUB, Relation::Parent), (HUB, 0, Relation::Child)] {
            let place = node as usize;
            self.nodes[place].connected(&mut self.hosts[place], peer, relation)?;
        }
        self.collect();
        Ok(())
    }

    fn disconnect(&mut self) -> Result<(), EngineError> {
        self.underway.clear();
        self.nodes[0].disconnected(HUB);
        self.nodes[HUB as usize].disconnected(0);
        self.check()
    }

    fn receive(&mut self, from: NodeId, to: NodeId, bytes: &[u8]) -> Result<Reception, EngineError> {
        let place = to as usize;
        let reception = self.nodes[place].receive(&mut self.hosts[place], from, bytes)?;
        self.collect();
        Ok(reception)
    }

    /// Lets at most so many messages arrive, and nobody wake.
    fn deliver(&mut self, most: usize) -> Result<(), EngineError> {
        for _ in 0..most {
            let Some((from, sent)) = self.underway.pop_front() else { break };
            self.receive(from, sent.to, &sent.frame.bytes)?;
        }
        Ok(())
    }

    /// Bytes that no replica wrote come to the hub, in a frame that is whole.
    fn junk(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
        let frame = process::frame::of_body(bytes);
        self.receive(0, HUB, &frame).map(drop)
    }

    /// Lets messages arrive until both are silent for an hour; those of these numbers are lost. Gives how many were sent.
    fn talk(&mut self, lost: &[usize]) -> Result<usize, EngineError> {
        let end = self.hosts[0].now + 3_600_000_000;
        let mut messages = 0;
        while messages < MOST_MESSAGES {
            if let Some((from, sent)) = self.underway.pop_front() {
                messages += 1;
                let is_lost = lost.contains(&(messages - 1));
                for _ in 0..if is_lost { 0 } else { self.times } {
                    self.receive(from, sent.to, &sent.frame.bytes)?;
                }
                continue;
            }
            let Some(at) = self.nodes.iter().filter_map(|node| node.wakes_at()).min().filter(|&at| at <= end) else {
                break;
            };
            for place in [0, HUB as usize] {
                let host = &mut self.hosts[place];
                (host.now, host.wall) = (host.now.max(at), (host.now.max(at)) as i64);
                self.nodes[place].wake(host)?;
            }
            self.collect();
        }
        Ok(messages)
    }

    /// The power of a node fails, and it starts again from its store.
    fn power_fails(&mut self, node: NodeId) -> Result<(), EngineError> {
        let place = node as usize;
        let (now, wall) = (self.hosts[place].now, self.hosts[place].wall);
        self.nodes[place].halt();
        if let Some(files) = self.nodes[place].files()? {
            self.hosts[place].store.set_files(files);
        }
        self.hosts[place].store.crash(Loss::All);
        let store = self.hosts[place].store.clone();
        let mut host = Host::new(store, Entropy::Counted((u64::from(node) << 16) + 77));
        (host.now, host.wall, host.started) = (now + 1_000_000, wall + 1_000_000, wall + 1_000_000);
        self.nodes[place] = self.engine.open.node(&settings(node, self.engine), &mut host)?;
        self.hosts[place] = host;
        Ok(())
    }
}

fn fields(engine: &Registration) -> Fields {
    let tags = if engine.carries.has(DataType::Tags) { 1 } else { 0 };
    let labels = if engine.carries.has(DataType::Label) { 1 } else { 0 };
    let stocks = if engine.carries.has(DataType::Stock) { 1 } else { 0 };
    let records = if engine.carries.has(DataType::Record) { 1 } else { 0 };
    let of_records =
        Fields { records, record_labels: 2 * records, record_elements: 4 * records, ..Fields::counters(2, 5) };
    Fields { stocks, tags, elements: 4 * tags, labels, ..of_records }
}

fn settings(node: NodeId, engine: &Registration) -> Settings {
    Settings {
        node,
        client: node,
        fields: fields(engine),
        serves: node == HUB,
        is_root: false,
        serves_relays: false,
        retry_after: 2_000_000,
        retry_at_most: 300_000_000,
        retries: 1000,
        handshakes: 4,
        linger: 1_000_000,
        fragment: 4096,
        retain: 1024,
        compact_after: 4096,
        mutant: None,
    }
}

fn capabilities(engine: &Registration) -> &'static Capabilities {
    match engine.open {
        Open::Started(started) => started.capabilities().expect("it speaks the engine protocol"),
        Open::Function(_) => unreachable!("it was started by its command"),
    }
}

fn unequal(shown: &[View], expected: &[View]) -> String {
    let told = |views: &[View]| views.iter().map(View::to_string).collect::<Vec<_>>().join(", ");
    format!("it shows {}, and {} was expected", told(shown), told(expected))
}
