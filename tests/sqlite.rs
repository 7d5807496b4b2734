//! Replicas on SQLite: a store that is damaged or not one's own is refused or recovered, and a process that is killed at any
//! instant loses nothing that it acknowledged.
#![cfg(feature = "sqlite")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use abench::domain::data::Fields;
use abench::domain::seed::Seed;
use abench::engine::delta_summary::Replica;
use abench::engine::delta_summary::message::{Message, unframed};
use abench::engine::delta_summary::sums::Edit;
use abench::engine::host::{Entropy, Host};
use abench::engine::port::Relation;
use abench::engine::port::Settings;
use abench::engine::store::disk::Disk;
use abench::engine::store::sqlite::Sqlite;
use abench::engine::store::{Owner, Store, StoreError, VERSION};

const CLIENT: u32 = 7;
const HUB: u32 = 9;
const OTHER: u32 = 8;
const OWNER: Owner = Owner { scenario: 0xF1E1D, client: CLIENT };
const REGISTERS: u32 = 64;

fn settings(node: u32, serves: bool) -> Settings {
    Settings {
        node,
        client: node,
        fields: Fields::counters(REGISTERS, 0),
        serves,
        is_root: false,
        serves_relays: false,
        retry_after: 1000,
        retry_at_most: 100_000,
        retries: 1000,
        handshakes: 4,
        linger: 0,
        fragment: 4096,
        retain: 4,
        compact_after: 100,
        mutant: None,
    }
}

fn host(path: &Path, owner: Owner, seed: u64) -> Result<Host<Sqlite>, StoreError> {
    Ok(Host::new(Sqlite::open(path, owner)?, Entropy::Drawn(Box::new(Seed::new(seed).stream("entropy")))))
}

fn entries(path: &Path) -> Result<usize, StoreError> {
    Ok(Sqlite::open(path, OWNER)?.load()?.entries.len())
}

fn written(path: &Path, count: usize) {
    let mut store = Sqlite::open(path, OWNER).expect("a store");
    for number in 0..count {
        store.append(&[number as u8; 40]).expect("an entry");
        store.sync().expect("a disk");
    }
    // A process that is killed leaves its write-ahead log behind.
    std::mem::forget(store);
}

#[test]
fn what_was_synced_is_there_again_and_what_was_only_appended_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    written(&path, 3);
    let mut store = Sqlite::open(&path, OWNER).expect("a store");
    store.append(b"never synced").expect("an entry");
    drop(store);
    let mut store = Sqlite::open(&path, OWNER).expect("a store");
    assert_eq!(store.load().expect("entries").entries.len(), 3);
    store.replace(b"an image").expect("a disk");
    let kept = Sqlite::open(&path, OWNER).expect("a store").load().expect("an image");
    assert_eq!((kept.image.as_deref(), kept.entries.len()), (Some(&b"an image"[..]), 0));
}

#[test]
fn a_store_of_another_owner_or_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    written(&path, 1);
    let other = Owner { scenario: 1, ..OWNER };
    assert!(matches!(Sqlite::open(&path, other), Err(StoreError::Owner { .. })));
    let connection = rusqlite::Connection::open(&path).expect("a database");
    connection.execute("UPDATE about SET version = ?", [VERSION + 1]).expect("a table");
    drop(connection);
    assert_eq!(entries(&path), Err(StoreError::Version { found: VERSION + 1 }));
}

const ENTRIES: usize = 30;

/// The files of a store, by what follows its name.
type Files = Vec<(&'static str, Vec<u8>)>;

/// A store of an image and entries after it: as a killed process leaves it, with its log, or closed, in one file.
fn files(closed: bool) -> Files {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let mut store = Sqlite::open(&path, OWNER).expect("a store");
    for number in 0..ENTRIES {
        if number == 5 {
            store.replace(&[9; 5000]).expect("a disk");
        }
        store.append(&[number as u8; 40]).expect("an entry");
        store.sync().expect("a disk");
    }
    if closed {
        drop(store);
    } else {
        std::mem::forget(store);
    }
    let read = |end: &'static str| Some((end, std::fs::read(folder.path().join(format!("store.{end}"))).ok()?));
    ["db", "db-wal", "mark"].into_iter().filter_map(read).collect()
}

/// Opens a store of these files. It has all that was acknowledged, and the answer is true; or it is refused with a word of
/// what to do, and nothing in its files has changed.
fn recovered(files: &[(&'static str, Vec<u8>)], of: &str) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |end: &str| folder.path().join(format!("store.{end}"));
    files.iter().for_each(|(end, bytes)| std::fs::write(path(end), bytes).expect("a file"));
    match Sqlite::open(&path("db"), OWNER).and_then(|mut store| store.load()) {
        Ok(kept) => {
            let expected: Vec<Vec<u8>> = (5..ENTRIES).map(|number| vec![number as u8; 40]).collect();
            assert_eq!((kept.image, kept.entries), (Some(vec![9; 5000]), expected), "{of}: what opens has everything");
            true
        }
        Err(error) => {
            let said = error.to_string();
            assert!(["restore it", "open it", "name its own"].iter().any(|todo| said.contains(todo)), "{of}: {said}");
            for (end, bytes) in files {
                let left = std::fs::read(path(end)).ok();
                assert!(left.as_ref() == Some(bytes), "{of}: {end} is as it was: {said}");
            }
            false
        }
    }
}

/// Bytes of a page, and of the headers of a log and of each of its frames.
const PAGE: usize = 4096;
const LOG_HEAD: usize = 32;
const FRAME_HEAD: usize = 24;

/// Places in a file: every byte of its head and of each page's or frame's, and some of all others.
fn places(end: &str, length: usize) -> Vec<usize> {
    let within_head = |at: usize| match end {
        "db" => at < 100 || at % PAGE < 12,
        "db-wal" => at < LOG_HEAD || (at - LOG_HEAD) % (FRAME_HEAD + PAGE) < FRAME_HEAD,
        _ => true,
    };
    // A log has many frames: the heads of every fifth.
    let thinned = |at: usize| end != "db-wal" || at < 10_000 || (at / (FRAME_HEAD + PAGE)).is_multiple_of(5);
    (0..length).filter(|&at| (within_head(at) && thinned(at)) || at % 149 == 0).collect()
}

#[test]
fn a_flipped_byte_anywhere_is_refused_or_recovered_and_never_silently_wrong() {
    for closed in [true, false] {
        let files = files(closed);
        assert!(recovered(&files, "untouched"));
        let (mut refused, mut good) = (0, 0);
        for (which, (end, bytes)) in files.iter().enumerate() {
            for at in places(end, bytes.len()) {
                let mut damaged = files.clone();
                damaged[which].1[at] ^= 1 << (at % 8);
                let opened = recovered(&damaged, &format!("byte {at} of {end}, closed {closed}"));
                *(if opened { &mut good } else { &mut refused }) += 1;
            }
        }
        assert!(refused > 50 && good > 20, "{refused} refused, {good} recovered");
    }
}

#[test]
fn a_store_that_lost_the_end_of_a_file_is_refused_or_recovered_and_never_silently_wrong() {
    for closed in [true, false] {
        let files = files(closed);
        let mut refused = 0;
        for (which, (end, bytes)) in files.iter().enumerate() {
            // At the ends of pages and frames, beside them, and in their midst.
            let step = if *end == "mark" { 1 } else { 1030 };
            let edges = (0..bytes.len()).step_by(step).flat_map(|at| [at.saturating_sub(1), at, at + 1, at + 7]);
            let frames = (0..bytes.len() / (FRAME_HEAD + PAGE)).map(|frame| LOG_HEAD + frame * (FRAME_HEAD + PAGE));
            for length in edges.chain(frames).filter(|&length| length < bytes.len()) {
                let mut cut = files.clone();
                cut[which].1.truncate(length);
                refused += usize::from(!recovered(&cut, &format!("{length} bytes of {end}, closed {closed}")));
            }
        }
        assert!(refused > 20, "{refused} refused");
    }
}

#[test]
fn a_store_without_one_of_its_files_is_refused_where_that_held_what_was_acknowledged() {
    for closed in [true, false] {
        let files = files(closed);
        for lost in ["db", "db-wal"] {
            let left: Files = files.iter().filter(|(end, _)| *end != lost).cloned().collect();
            // Closed, a store has no log; an open one has written back nothing yet.
            assert_eq!(recovered(&left, lost), left.len() == files.len(), "{lost}, closed {closed}");
        }
    }
}

/// What is not told, and is said so at the head of the store: no mark, and an end that is lost.
#[test]
fn a_log_that_lost_its_end_together_with_its_mark_opens_as_an_older_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |end: &str| folder.path().join(format!("store.{end}"));
    for (end, bytes) in files(false).iter().filter(|(end, _)| *end != "mark") {
        let length = if *end == "db-wal" { bytes.len() - 2 * (FRAME_HEAD + PAGE) } else { bytes.len() };
        std::fs::write(path(end), &bytes[..length]).expect("a file");
    }
    let kept = Sqlite::open(&path("db"), OWNER).and_then(|mut store| store.load()).expect("an older store");
    assert!(kept.entries.len() < ENTRIES - 5, "{} entries", kept.entries.len());
}

/// The client's process: it edits for as long as it lives, tells what it is about to do and what it has shown, and syncs
/// with a hub at the other end of its pipes. Its arguments come by the environment; without them this is no test.
#[test]
fn a_client_that_is_told_where_its_store_is() {
    let Ok(path) = std::env::var("ABENCH_TEST_STORE") else { return };
    let start: u64 = std::env::var("ABENCH_TEST_START").expect("a number").parse().expect("a number");
    let mut host = host(Path::new(&path), OWNER, start).expect("a store");
    let mut replica = Replica::open(settings(CLIENT, false), &mut host).expect("a replica");
    let (arrivals, arrived) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let lines = std::io::stdin().lines().map_while(Result::ok);
        lines.map_while(|line| arrivals.send(unhex(&line)).ok()).for_each(drop);
    });
    let mut stream = Seed::new(start).stream("edits");
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nsums {}", listed(replica.sums())).expect("a pipe");
    replica.connected(&mut host, HUB, Relation::Parent).expect("a connection");
    loop {
        host.now += 1;
        let (register, amount) = (stream.below(REGISTERS.into()) as u32, 1 + stream.below(9) as i64);
        let batch = [(register, amount), ((register + 1) % REGISTERS, -2 * amount)];
        let batch = &batch[..1 + stream.below(2) as usize];
        let told: Vec<String> = batch.iter().map(|(register, amount)| format!("{register}:{amount}")).collect();
        writeln!(out, "trying {}", told.join(",")).and_then(|()| out.flush()).expect("a pipe");
        let edits: Vec<Edit> = batch.iter().map(|&(register, amount)| Edit { register, amount }).collect();
        replica.edits(&mut host, &edits).expect("a disk");
        let shown = std::mem::take(&mut host.shown);
        assert_eq!(shown.len(), batch.len());
        writeln!(out, "shown {} {}", shown[0].actor, shown[0].sequence).and_then(|()| out.flush()).expect("a pipe");
        let mut heard = false;
        for frame in arrived.try_iter() {
            replica.receive(&mut host, HUB, &frame).expect("a disk");
            heard = true;
        }
        if heard {
            // What a user reads off the screen must be there after any crash.
            writeln!(out, "shows {}", listed(replica.sums())).and_then(|()| out.flush()).expect("a pipe");
        }
        replica.wake(&mut host).expect("a disk");
        for sent in std::mem::take(&mut host.sent) {
            writeln!(out, "send {}", hex(&sent.frame.bytes)).and_then(|()| out.flush()).expect("a pipe");
        }
    }
}

/// What the users of the client saw, edit by edit.
#[derive(Default)]
struct Seen {
    sums: Vec<i64>,
    ids: BTreeSet<String>,
    /// The batch that was tried last and never shown: it may count as a whole, or not at all.
    open: Option<Vec<(u32, i64)>>,
    /// What the user of another client did, edit by edit: the client has some number of them, from the first.
    others: Vec<(u32, i64)>,
    /// How many of them the client showed when it last told.
    reached: usize,
}

impl Seen {
    fn add(&mut self, batch: &[(u32, i64)]) {
        batch.iter().for_each(|&(register, amount)| self.sums[register as usize] += amount);
    }

    /// After a start, everything that was shown counts, once: the client's own edits, the open batch or nothing of it, and
    /// edits of the other up to one that is not before the last that was told of.
    fn compare(&mut self, sums: &[i64], start: u64) {
        let open = self.open.take();
        if self.reaches(sums) {
            return;
        }
        self.add(&open.unwrap_or_default());
        assert!(self.reaches(sums), "at start {start}: {sums:?}, and {:?} were shown", self.sums);
    }

    /// Whether these are the sums of one's own edits and of some of the other's; all of those that were reached before.
    fn reaches(&mut self, sums: &[i64]) -> bool {
        let mut all = self.sums.clone();
        for reached in 0..=self.others.len() {
            if reached >= self.reached && all == sums {
                self.reached = reached;
                return true;
            }
            if let Some(&(register, amount)) = self.others.get(reached) {
                all[register as usize] += amount;
            }
        }
        false
    }
}

/// Kills the client process at random instants under load; each time the next one goes on from its store.
#[test]
fn a_process_that_is_killed_at_200_random_instants_loses_no_acknowledged_edit_and_doubles_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("client.db");
    let (mut stream, mut elsewhere) = (Seed::new(200).stream("kills"), Seed::new(200).stream("edits at the hub"));
    let (mut kinds, mut resumed) = ([0u32; 2], 0);
    let mut seen = Seen { sums: vec![0; REGISTERS as usize], ..Seen::default() };
    let mut hub_host = host(&folder.path().join("hub.db"), Owner { client: HUB, ..OWNER }, 5).expect("a store");
    let mut hub = Replica::open(settings(HUB, true), &mut hub_host).expect("a hub");
    let entropy = Entropy::Drawn(Box::new(Seed::new(6).stream("entropy")));
    let mut other_host = Host::new(Disk::new(Owner { client: OTHER, ..OWNER }), entropy);
    let mut other = Replica::open(settings(OTHER, false), &mut other_host).expect("memory");
    hub.connected(&mut hub_host, OTHER, Relation::Child).expect("a connection");
    other.connected(&mut other_host, HUB, Relation::Parent).expect("a connection");
    for start in 0..200u64 {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["a_client_that_is_told_where_its_store_is", "--exact", "--nocapture", "--test-threads=1"])
            .env("ABENCH_TEST_STORE", &path)
            .env("ABENCH_TEST_START", start.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut input = child.stdin.take().expect("a pipe");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        hub.disconnected(CLIENT);
        hub.connected(&mut hub_host, CLIENT, Relation::Child).expect("a connection");
        // The instant is so many words after the start, and then wherever the process is.
        let (wanted, mut heard) = (1 + stream.below(60), 0);
        let mut line = String::new();
        while {
            line.clear();
            output.read_line(&mut line).is_ok_and(|length| length > 0)
        } {
            // What the kill has cut off was not told.
            let Some(told) = line.strip_suffix('\n') else { break };
            match told.split_once(' ') {
                Some(("sums", sums)) => {
                    let before = seen.reached;
                    seen.compare(&unlisted(sums), start);
                    resumed += usize::from(before > 0 && seen.reached >= before);
                }
                Some(("shows", sums)) => {
                    assert!(seen.reaches(&unlisted(sums)), "start {start} shows what nobody did: {sums}");
                }
                Some(("trying", batch)) => seen.open = Some(batch.split(',').map(edit).collect()),
                Some(("shown", id)) => {
                    let batch = seen.open.take().expect("it is tried before it is shown");
                    seen.add(&batch);
                    assert!(seen.ids.insert(id.to_owned()), "{id} is given once");
                }
                Some(("send", frame)) => {
                    hub_host.now += 1;
                    // Another client edits all the time, so that this one gets sums all the time.
                    let edit = (elsewhere.below(REGISTERS.into()) as u32, 1000 + elsewhere.below(9) as i64);
                    other.edit(&mut other_host, edit.0, edit.1).expect("memory");
                    other.send_changes(&mut other_host).expect("memory");
                    seen.others.push(edit);
                    for sent in std::mem::take(&mut other_host.sent) {
                        hub.receive(&mut hub_host, OTHER, &sent.frame.bytes).expect("a disk");
                    }
                    hub.receive(&mut hub_host, CLIENT, &unhex(frame)).expect("a disk");
                    hub.send_changes(&mut hub_host).expect("a disk");
                    for sent in std::mem::take(&mut hub_host.sent) {
                        if sent.to == OTHER {
                            other.receive(&mut other_host, HUB, &sent.frame.bytes).expect("memory");
                            continue;
                        }
                        count(&mut kinds, &sent.frame.bytes);
                        // Nobody hears it if the client is gone.
                        let _ = writeln!(input, "{}", hex(&sent.frame.bytes));
                    }
                }
                _ => continue,
            }
            heard += 1;
            if heard == wanted {
                child.kill().expect("it can be killed");
            }
        }
        child.wait().expect("it ends");
        assert!(heard >= wanted, "start {start} ended by itself after {heard} words");
    }
    // The last start has all that survived; the hub takes the rest and comes to the same.
    let mut client = host(&path, OWNER, 999).expect("the store is sound");
    let mut replica = Replica::open(settings(CLIENT, false), &mut client).expect("a replica");
    seen.compare(replica.sums(), 200);
    hub.disconnected(CLIENT);
    hub.connected(&mut hub_host, CLIENT, Relation::Child).expect("a connection");
    replica.connected(&mut client, HUB, Relation::Parent).expect("a connection");
    for _ in 0..1000 {
        for sent in std::mem::take(&mut client.sent) {
            hub.receive(&mut hub_host, CLIENT, &sent.frame.bytes).expect("a disk");
        }
        for sent in std::mem::take(&mut other_host.sent) {
            hub.receive(&mut hub_host, OTHER, &sent.frame.bytes).expect("a disk");
        }
        hub.send_changes(&mut hub_host).expect("a disk");
        for sent in std::mem::take(&mut hub_host.sent) {
            match sent.to {
                OTHER => other.receive(&mut other_host, HUB, &sent.frame.bytes).expect("memory"),
                _ => replica.receive(&mut client, HUB, &sent.frame.bytes).expect("a disk"),
            };
        }
    }
    assert_eq!(replica.backlog().edits, 0, "everything was acknowledged");
    let mut all = seen.sums.clone();
    seen.others.iter().for_each(|&(register, amount)| all[register as usize] += amount);
    assert_eq!((hub.sums(), replica.sums(), other.sums()), (&all[..], &all[..], &all[..]));
    // It was no test of summaries, snapshots and what a cursor covers if there were none.
    let [summaries, snapshots] = kinds;
    assert!(summaries > 100 && snapshots > 0, "{summaries} summaries, {snapshots} snapshots");
    assert!(resumed > 100, "{resumed} starts went on from what the hub had told");
    assert!(!replica.state().settled.is_empty() && replica.state().log.base() > 0, "settled deltas are compacted");
    assert!(replica.replays(&mut client.store).expect("the store is sound"));
}

/// Counts summaries and snapshots.
fn count(kinds: &mut [u32; 2], frame: &[u8]) {
    let message = unframed(frame).and_then(|(_, body)| Message::read(body, REGISTERS));
    kinds[0] += u32::from(matches!(message, Ok(Message::Summary { .. })));
    kinds[1] += u32::from(matches!(message, Ok(Message::Snapshot { .. })));
}

fn edit(text: &str) -> (u32, i64) {
    let (register, amount) = text.split_once(':').expect("a register and an amount");
    (register.parse().expect("a register"), amount.parse().expect("an amount"))
}

fn listed(sums: &[i64]) -> String {
    sums.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}

fn unlisted(text: &str) -> Vec<i64> {
    text.split(',').map(|sum| sum.parse().expect("a sum")).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks_exact(2);
    digits.filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
