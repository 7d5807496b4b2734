//! Text: what a keystroke costs in the sequence of the reference, and in the libraries that others ship.
//!
//! One user types the trace, and each keystroke is told to a second replica by a message of its own. Time for each
//! keystroke, in processor time of this thread where the system tells that: to type it and make its message, to take the
//! message, and to open what is stored. Bytes for each keystroke: of its message, with the tag and the checksum of a frame in
//! the reference, and of the whole as it is stored. All in one run, in turn; a ratio is to the best library of that turn. To
//! open is no goal: Loro opens a snapshot without its history. `benches/compare` compares the numbers of two commits.
//!
//! The trace is the public one of a paper in LaTeX, of 259,778 keystrokes, which the package `loro-internal` ships. Where
//! that is not there, or with the argument `seeded`, it is one of that shape that is drawn from a seed. A number as an argument
//! is how many of its keystrokes are typed.

#[path = "shared/clock.rs"]
mod clock;

use std::cell::RefCell;
use std::hint::black_box;
use std::io::Read;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use abench::domain::seed::Seed;
use abench::domain::traffic::Kind;
use abench::engine::fugue::{Fugue, Part};
use abench::engine::vector::Actor;
use abench::engine::wire::{Reader, Writer};
use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, AutoCommit, Change, ROOT, ReadDoc};
use clock::Clock;
use flate2::read::GzDecoder;
use loro::{ExportMode, LoroDoc, LoroText, Subscription};
use serde_json::Value;
use yrs::updates::decoder::Decode;
use yrs::{Doc, GetString, ReadTxn, StateVector, Text, TextRef, Transact, Update};

/// A keystroke: a character that is typed at a position, or the one there that is erased.
#[derive(Clone, Debug, PartialEq)]
enum Keystroke {
    Typed(u32, String),
    Erased(u32),
}

/// Keystrokes, and the text after the last.
struct Trace {
    keystrokes: Vec<Keystroke>,
    end: String,
}

const KEYSTROKES: usize = 259_778;
const ERASED: usize = 77_463;

/// The public trace, if the package that ships it is on this machine.
fn published() -> Option<Trace> {
    let told = Command::new(std::env::var_os("CARGO")?)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--locked",
            "--features",
            "engines",
            "--manifest-path",
        ])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .ok()?;
    let metadata: Value = serde_json::from_slice(&told.stdout).ok()?;
    let package = metadata["packages"].as_array()?.iter().find(|package| package["name"] == "loro-internal")?;
    let trace = PathBuf::from(package["manifest_path"].as_str()?).with_file_name("benches/automerge-paper.json.gz");
    let mut json = String::new();
    GzDecoder::new(std::fs::File::open(trace).ok()?).read_to_string(&mut json).ok()?;
    let trace: Value = serde_json::from_str(&json).ok()?;
    let patches = trace["txns"].as_array()?.iter().flat_map(|edit| edit["patches"].as_array().into_iter().flatten());
    let keystroke = |patch: &Value| {
        let at = u32::try_from(patch[0].as_u64()?).ok()?;
        match (patch[1].as_u64()?, patch[2].as_str()?) {
            (0, typed) => Some(Keystroke::Typed(at, typed.to_owned())),
            (1, "") => Some(Keystroke::Erased(at)),
            _ => None,
        }
    };
    let keystrokes: Vec<Keystroke> = patches.map(keystroke).collect::<Option<_>>()?;
    (keystrokes.len() == KEYSTROKES).then_some(Trace { keystrokes, end: trace["endContent"].as_str()?.to_owned() })
}

/// A trace of that shape: mostly typing on, with corrections right there, and now and then elsewhere.
fn seeded() -> Trace {
    let mut draws = Seed::new(0x7EC7).stream("typing");
    let (mut keystrokes, mut text) = (Vec::with_capacity(KEYSTROKES), Vec::<char>::new());
    let (mut erased, mut cursor) = (0, 0);
    while keystrokes.len() < KEYSTROKES {
        if draws.below(12) == 0 {
            cursor = match draws.below(3) {
                0 => text.len(),
                _ => draws.below(text.len() as u64 + 1) as usize,
            };
        }
        for _ in 0..1 + draws.below(24) {
            let typed = *b"etaoin shrdlu"[draws.below(13) as usize..].first().expect("it is below") as char;
            if keystrokes.len() - erased < KEYSTROKES - ERASED {
                keystrokes.push(Keystroke::Typed(cursor as u32, typed.to_string()));
                text.insert(cursor, typed);
                cursor += 1;
            }
        }
        let due = keystrokes.len() as u64 * ERASED as u64 / KEYSTROKES as u64;
        for _ in 0..draws.below(12) {
            let is_due = (erased as u64) < due || keystrokes.len() - erased == KEYSTROKES - ERASED;
            if is_due && cursor > 0 && keystrokes.len() < KEYSTROKES {
                cursor -= 1;
                keystrokes.push(Keystroke::Erased(cursor as u32));
                text.remove(cursor);
                erased += 1;
            }
        }
    }
    Trace { keystrokes, end: text.into_iter().collect() }
}

/// A replica of a text.
trait Replica {
    /// A user types; gives the message that tells it.
    fn typed(&mut self, keystroke: &Keystroke) -> Vec<u8>;
    /// Takes a message.
    fn take(&mut self, message: &[u8]);
    /// So many messages are taken one by one, and the others at once.
    const ONE_BY_ONE: usize = usize::MAX;
    /// Takes many messages at once.
    fn take_all(&mut self, messages: &[Vec<u8>]) {
        messages.iter().for_each(|message| self.take(message));
    }
    /// All that is stored.
    fn stored(&mut self) -> Vec<u8>;
    /// Another that was opened from what is stored.
    fn opened(stored: &[u8]) -> Self
    where
        Self: Sized;
    fn text(&self) -> String;
}

struct Reference(Fugue, Actor);

impl Reference {
    fn new(client: u32) -> Self {
        // As a device draws it: any number of 32 bits.
        Reference(Fugue::default(), Actor { client, incarnation: 0x9E37_79B9 })
    }
}

impl Replica for Reference {
    fn typed(&mut self, keystroke: &Keystroke) -> Vec<u8> {
        let Reference(fugue, actor) = self;
        let part = match keystroke {
            Keystroke::Typed(at, typed) => {
                let run = fugue.insert(*actor, *at as usize, typed).expect("it is not beyond the end");
                fugue.part(&[run], &[])
            }
            Keystroke::Erased(at) => {
                let runs = fugue.erase(*at as usize, 1);
                fugue.part(&[], &runs)
            }
        };
        let mut writer = Writer::tagged(1);
        part.write(writer.of(Kind::Framing));
        writer.seal().0.bytes
    }

    fn take(&mut self, message: &[u8]) {
        let (_, mut reader) = Reader::open(message).expect("it is whole");
        black_box(self.0.take(&Part::read(&mut reader).expect("its own message")));
    }

    fn stored(&mut self) -> Vec<u8> {
        self.0.bytes()
    }

    fn opened(stored: &[u8]) -> Self {
        let mut opened = Reference::new(2);
        opened.0.take(&Part::read(&mut Reader::bare(stored)).expect("its own bytes"));
        opened
    }

    fn text(&self) -> String {
        self.0.text()
    }
}

struct Yrs(Doc, TextRef);

impl Yrs {
    fn new(client: u64) -> Self {
        let doc = Doc::with_client_id(client);
        let text = doc.get_or_insert_text("text");
        Yrs(doc, text)
    }
}

impl Replica for Yrs {
    fn typed(&mut self, keystroke: &Keystroke) -> Vec<u8> {
        let mut txn = self.0.transact_mut();
        match keystroke {
            Keystroke::Typed(at, typed) => self.1.insert(&mut txn, *at, typed),
            Keystroke::Erased(at) => self.1.remove_range(&mut txn, *at, 1),
        }
        txn.encode_update_v1()
    }

    fn take(&mut self, message: &[u8]) {
        let update = Update::decode_v1(message).expect("its own message");
        self.0.transact_mut().apply_update(update).expect("its own message");
    }

    fn stored(&mut self) -> Vec<u8> {
        self.0.transact().encode_state_as_update_v1(&StateVector::default())
    }

    fn opened(stored: &[u8]) -> Self {
        let mut opened = Yrs::new(0x1234_5678);
        opened.take(stored);
        opened
    }

    fn text(&self) -> String {
        self.1.get_string(&self.0.transact())
    }
}

struct Loro {
    doc: LoroDoc,
    text: LoroText,
    updates: Arc<Mutex<Vec<u8>>>,
    _told: Subscription,
}

impl Loro {
    fn new(peer: u64) -> Self {
        let doc = LoroDoc::new();
        doc.set_peer_id(peer).expect("a new document");
        let updates = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&updates);
        let subscription = doc.subscribe_local_update(Box::new(move |bytes| {
            told.lock().expect("nobody panics").clone_from(bytes);
            true
        }));
        Loro { text: doc.get_text("text"), doc, updates, _told: subscription }
    }
}

impl Replica for Loro {
    fn typed(&mut self, keystroke: &Keystroke) -> Vec<u8> {
        match keystroke {
            Keystroke::Typed(at, typed) => self.text.insert(*at as usize, typed),
            Keystroke::Erased(at) => self.text.delete(*at as usize, 1),
        }
        .expect("it is not beyond the end");
        self.doc.commit();
        std::mem::take(&mut *self.updates.lock().expect("nobody panics"))
    }

    fn take(&mut self, message: &[u8]) {
        black_box(self.doc.import(message).expect("its own message"));
    }

    fn stored(&mut self) -> Vec<u8> {
        self.doc.export(ExportMode::Snapshot).expect("its own document")
    }

    fn opened(stored: &[u8]) -> Self {
        let mut opened = Loro::new(0x9E37_79B9_7F4A_7C15);
        opened.take(stored);
        opened
    }

    fn text(&self) -> String {
        self.text.to_string()
    }
}

struct Automerge(RefCell<AutoCommit>, automerge::ObjId);

impl Automerge {
    fn pair() -> [Self; 2] {
        let mut doc = AutoCommit::new().with_actor(ActorId::from([7; 16]));
        let text = doc.put_object(ROOT, "text", automerge::ObjType::Text).expect("a new document");
        doc.commit_with(CommitOptions::default().with_time(0));
        doc.save_incremental();
        let other = doc.fork().with_actor(ActorId::from([9; 16]));
        [Automerge(RefCell::new(doc), text.clone()), Automerge(RefCell::new(other), text)]
    }
}

impl Replica for Automerge {
    fn typed(&mut self, keystroke: &Keystroke) -> Vec<u8> {
        let Automerge(doc, text) = self;
        let doc = doc.get_mut();
        match keystroke {
            Keystroke::Typed(at, typed) => doc.splice_text(&*text, *at as usize, 0, typed),
            Keystroke::Erased(at) => doc.splice_text(&*text, *at as usize, 1, ""),
        }
        .expect("it is not beyond the end");
        doc.commit_with(CommitOptions::default().with_time(0));
        doc.save_incremental()
    }

    /// Each takes time in proportion to the whole document: all would take hours.
    const ONE_BY_ONE: usize = 1000;

    fn take_all(&mut self, messages: &[Vec<u8>]) {
        let changes = messages.iter().map(|message| Change::from_bytes(message.clone()).expect("its own message"));
        self.0.get_mut().apply_changes(changes.collect::<Vec<_>>()).expect("its own messages");
    }

    fn take(&mut self, message: &[u8]) {
        let change = Change::from_bytes(message.to_vec()).expect("its own message");
        self.0.get_mut().apply_changes([change]).expect("its own message");
    }

    fn stored(&mut self) -> Vec<u8> {
        self.0.get_mut().save()
    }

    fn opened(stored: &[u8]) -> Self {
        let doc = AutoCommit::load(stored).expect("its own bytes");
        let text = doc.get(ROOT, "text").expect("it reads").expect("it is there").1;
        Automerge(RefCell::new(doc), text)
    }

    fn text(&self) -> String {
        self.0.borrow().text(&self.1).expect("it reads")
    }
}

/// What a keystroke cost on average: nanoseconds and bytes.
#[derive(Clone, Copy, Debug)]
struct Cost {
    typed: f64,
    taken: f64,
    opened: f64,
    message: f64,
    stored: f64,
}

/// Types a trace. Without the text after its last keystroke, both replicas only have to agree.
fn cost<R: Replica>([mut one, mut other]: [R; 2], trace: &[Keystroke], end: Option<&str>) -> Cost {
    let nanos = |took: Duration, count: usize| took.as_nanos() as f64 / count as f64;
    let start = Clock::start();
    let messages: Vec<Vec<u8>> = trace.iter().map(|keystroke| one.typed(keystroke)).collect();
    let typed = nanos(start.elapsed(), messages.len());
    let (one_by_one, at_once) = messages.split_at(messages.len().min(R::ONE_BY_ONE));
    let start = Clock::start();
    one_by_one.iter().for_each(|message| other.take(message));
    let taken = nanos(start.elapsed(), one_by_one.len());
    other.take_all(at_once);
    let stored = other.stored();
    let start = Clock::start();
    let again = R::opened(&stored);
    let text = black_box(again.text());
    let opened = nanos(start.elapsed(), trace.len());
    let own = one.text();
    assert!(own == other.text() && own == text, "the texts differ: what was measured is wrong");
    assert!(end.is_none_or(|end| own == end), "the texts differ: what was measured is wrong");
    let keystrokes = trace.len() as f64;
    let message = messages.iter().map(Vec::len).sum::<usize>() as f64 / keystrokes;
    Cost { typed, taken, opened, message, stored: stored.len() as f64 / keystrokes }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn measure(name: &str, trace: &[Keystroke], end: Option<&str>, turns: usize) {
    println!("{name}, {} keystrokes:", trace.len());
    let names = ["reference", "yrs", "loro", "automerge"];
    let told = |place: usize, cost: Cost| {
        eprintln!("{}: {cost:.0?}", names[place]);
        cost
    };
    let turn = |_| {
        [
            told(0, cost([Reference::new(1), Reference::new(2)], trace, end)),
            told(1, cost([Yrs::new(0x9E37_79B9), Yrs::new(0x1234_5678)], trace, end)),
            told(2, cost([Loro::new(0x9E37_79B9_7F4A_7C15), Loro::new(0x1234_5678_9ABC_DEF0)], trace, end)),
            told(3, cost(Automerge::pair(), trace, end)),
        ]
    };
    let turns: Vec<[Cost; 4]> = (0..turns).map(turn).collect();
    for (place, name) in names.iter().enumerate() {
        let of = |part: fn(&Cost) -> f64| median(turns.iter().map(|turn| part(&turn[place])).collect());
        println!(
            "{name}: typed {:.0} ns, taken {:.0} ns, opened {:.0} ns; message {:.1} B, stored {:.2} B",
            of(|cost| cost.typed),
            of(|cost| cost.taken),
            of(|cost| cost.opened),
            of(|cost| cost.message),
            of(|cost| cost.stored)
        );
    }
    type Part = fn(&Cost) -> f64;
    let parts: [(&str, Part); 5] = [
        ("typed", |cost| cost.typed),
        ("taken", |cost| cost.taken),
        ("opened", |cost| cost.opened),
        ("message", |cost| cost.message),
        ("stored", |cost| cost.stored),
    ];
    for (what, part) in parts {
        let best = |turn: &[Cost; 4]| turn[1..].iter().map(part).fold(f64::INFINITY, f64::min);
        let ratios: Vec<f64> = turns.iter().map(|turn| part(&turn[0]) / best(turn)).collect();
        let (least, most) =
            (ratios.iter().copied().fold(f64::INFINITY, f64::min), ratios.iter().copied().fold(0.0, f64::max));
        let wanted = if what == "opened" { "" } else { ", wanted at most 2.00" };
        println!("{what}: {:.2} ({least:.2}-{most:.2}) of the best library{wanted}", median(ratios));
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let full = arguments.iter().any(|argument| argument == "--bench");
    let seeded_alone = arguments.iter().any(|argument| argument == "seeded");
    let published = if seeded_alone { None } else { published() };
    let drawn = seeded();
    assert_eq!((drawn.keystrokes.len(), drawn.end.len()), (KEYSTROKES, KEYSTROKES - 2 * ERASED));
    let is_there = published.is_some();
    let most = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(KEYSTROKES);
    let traces = published.into_iter().map(|trace| ("the public trace", trace)).chain([("a seeded trace", drawn)]);
    for (name, trace) in traces.take(if full { 1 } else { 2 }) {
        if !is_there {
            println!(
                "the public trace is not used: {}",
                if seeded_alone { "seeded" } else { "loro-internal is not here" }
            );
        }
        let (count, turns) = if full { (most, 3) } else { (1000, 1) };
        let keystrokes = &trace.keystrokes[..count.min(KEYSTROKES)];
        let end = (keystrokes.len() == KEYSTROKES).then_some(trace.end.as_str());
        measure(name, keystrokes, end, turns);
    }
}
