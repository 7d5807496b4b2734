//! Stored records from any bytes: entries of the journal, images, logs, and stores that are made of them.

use proptest::prelude::*;

use crate::domain::data::Fields;
use crate::engine::any_bytes::{NODES, REGISTERS, STEPS, Talk};
use crate::engine::delta_summary::log::{Delta, Log};
use crate::engine::delta_summary::state::{Entry, MessageId, Run, State};
use crate::engine::delta_summary::sums::{Edit, tests::changes};
use crate::engine::delta_summary::{Replica, Settings, recovered};
use crate::engine::find;
use crate::engine::host::{Entropy, Host};
use crate::engine::port::Relation;
use crate::engine::store::disk::Disk;
use crate::engine::store::{Owner, Store, StoreError};
use crate::engine::vector::Actor;
use crate::engine::wire::{Reader, Writer};

const OWNER: Owner = Owner { scenario: 1, client: 0 };

fn settings(serves: bool) -> Settings {
    Settings {
        node: 0,
        client: 0,
        fields: Fields::counters(REGISTERS, 0),
        serves,
        is_root: false,
        serves_relays: false,
        retry_after: 10,
        retry_at_most: 100,
        retries: 2,
        handshakes: 2,
        linger: 1,
        fragment: 64,
        retain: 1,
        compact_after: 9,
        mutant: None,
    }
}

fn actor() -> impl Strategy<Value = Actor> {
    // Small numbers, so that entries are about the same actors: the replica itself among them.
    (0..3u32, 0..3u32).prop_map(|(client, incarnation)| Actor { client, incarnation })
}

fn run() -> impl Strategy<Value = Run> {
    let first = prop_oneof![1..9u64, 1..u64::MAX >> 2];
    (actor(), first, 0..9u64).prop_map(|(actor, first, more)| (actor, first, first + more))
}

fn entry() -> impl Strategy<Value = Entry> {
    let through = || (0..NODES, any::<u32>()).prop_map(|(from, checksum)| MessageId { from, checksum });
    let runs = || proptest::collection::vec(run(), 0..3);
    let delta = (run(), changes(REGISTERS, 3)).prop_map(|((author, first, last), changes)| Delta {
        author,
        first,
        last,
        changes,
    });
    let position = || prop_oneof![0..9u64, 0..u64::MAX >> 2];
    let bytes = proptest::collection::vec(any::<u8>(), 0..9);
    prop_oneof![
        (0..3u32).prop_map(Entry::Started),
        (0..REGISTERS, any::<i64>()).prop_map(|(register, amount)| Entry::Edit(Edit { register, amount })),
        Just(Entry::Sealed),
        (through(), delta).prop_map(|(through, delta)| Entry::Took(through, delta)),
        (through(), run(), runs(), changes(REGISTERS, 3)).prop_map(
            |(through, (log, first, last), without, changes)| {
                Entry::Summed { through, log, first, last, without, changes }
            }
        ),
        (through(), actor(), position(), runs(), changes(REGISTERS, 3)).prop_map(
            |(through, log, position, within, changes)| { Entry::Adopted { through, log, position, within, changes } }
        ),
        proptest::option::of((actor(), position())).prop_map(Entry::Renamed),
        run().prop_map(|(actor, first, last)| Entry::Given(first, last, actor)),
        (actor(), position()).prop_map(|(actor, last)| Entry::Split(actor, last)),
        (0..NODES, 0..3u32, any::<u32>(), any::<u32>(), bytes)
            .prop_map(|(from, id, count, place, bytes)| { Entry::Fragment { from, id, count, place, bytes } }),
    ]
}

/// The image of a node in the middle of a talk.
fn image(node: u32, steps: usize) -> Vec<u8> {
    let talk = Talk::after(find("delta-summary").expect("it is registered"), false, steps).expect("a sound talk");
    let settings = Settings { client: node, ..settings(node == 2) };
    recovered(&settings, &mut talk.moment(node).disk()).expect("it is sound").image()
}

/// A store of these is opened, and either refused, or what it holds is a replica that goes on and comes back as it was.
fn opened(image: Option<&[u8]>, entries: &[Vec<u8>], serves: bool) -> Result<(), TestCaseError> {
    let mut host = Host::new(Disk::new(OWNER), Entropy::Counted(7));
    image.into_iter().try_for_each(|image| host.replace(image)).expect("memory");
    entries.iter().try_for_each(|entry| host.append(entry)).expect("memory");
    let mut replica = match Replica::open(settings(serves), &mut host) {
        Err(StoreError::Damaged(_)) => return Ok(()),
        other => other.expect("memory"),
    };
    let goes_on = (|| {
        replica.edits(&mut host, &[Edit { register: 0, amount: 1 }, Edit { register: 1, amount: -1 }])?;
        let relation = if serves { Relation::Child } else { Relation::Parent };
        replica.connected(&mut host, 9, relation)?;
        host.now = 1000;
        replica.wake(&mut host)?;
        replica.statuses();
        replica.backlog();
        replica.audit(&mut host.store, 0).map(drop)
    })();
    prop_assert_eq!(goes_on, Ok(()));
    prop_assert_eq!(replica.replays(&mut host.store), Ok(true));
    Ok(())
}

#[test]
fn a_split_is_an_entry_of_a_leaf_and_damage_in_the_store_of_who_serves_others() {
    let entries = |client| {
        let me = Actor { client, incarnation: 1 };
        let edit = |register| Entry::Edit(Edit { register, amount: 1 });
        [Entry::Started(1), edit(0), edit(1), Entry::Sealed, Entry::Split(me, 1)].map(|entry| entry.bytes())
    };
    let open = |serves| {
        let mut host = Host::new(Disk::new(OWNER), Entropy::Counted(7));
        let settings = settings(serves);
        entries(settings.client).iter().try_for_each(|entry| host.append(entry)).expect("memory");
        Replica::open(settings, &mut host).map(|replica| replica.state().log.len())
    };
    assert_eq!(open(false), Ok(2));
    assert!(matches!(open(true), Err(StoreError::Damaged(why)) if why.starts_with("entry 4: ")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn every_entry_comes_back_from_its_bytes(entry in entry()) {
        prop_assert_eq!(Entry::read(&entry.bytes(), REGISTERS), Ok(entry));
    }

    #[test]
    fn any_bytes_give_an_entry_or_an_error(
        entry in entry(), at: prop::sample::Index, byte: u8, cut: prop::sample::Index, any: Vec<u8>, tag in 0..14u8,
    ) {
        let mut bytes = entry.bytes();
        let place = at.index(bytes.len());
        bytes[place] = byte;
        let _ = Entry::read(&bytes, REGISTERS);
        bytes.truncate(cut.index(bytes.len() + 1));
        let _ = Entry::read(&bytes, REGISTERS);
        let _ = Entry::read(&[&[tag], &any[..]].concat(), REGISTERS);
    }

    #[test]
    fn any_bytes_give_an_image_or_an_error_and_an_image_that_is_read_is_the_same_again(
        node in 0..NODES, steps in 0..STEPS, at: prop::sample::Index, byte: u8, cut in proptest::option::of(any::<prop::sample::Index>()),
        any: Vec<u8>,
    ) {
        let whole = image(node, steps);
        let serves = node == 2;
        prop_assert!(State::read(&whole, REGISTERS, serves).is_ok_and(|state| state.image() == whole));
        let mut bytes = whole;
        let place = at.index(bytes.len());
        bytes[place] = byte;
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        for bytes in [&bytes, &any] {
            if let Ok(state) = State::read(bytes, REGISTERS, serves) {
                prop_assert_eq!(State::read(&state.image(), REGISTERS, serves), Ok(state));
            }
        }
        opened(Some(&bytes), &[], serves)?;
    }

    #[test]
    fn any_bytes_give_a_log_or_an_error(serves: bool, mut bytes: Vec<u8>, count in any::<u64>()) {
        let _ = Log::read(&mut Reader::bare(&bytes), REGISTERS, serves);
        let mut promise = Writer::bare();
        promise.number(0).number(count);
        bytes.splice(0..0, promise.into_bytes());
        let _ = Log::read(&mut Reader::bare(&bytes), REGISTERS, serves);
    }

    #[test]
    fn a_store_of_any_entries_is_refused_or_opens_to_a_replica_that_goes_on(
        node in 0..NODES, steps in 0..STEPS, with_image: bool, serves: bool,
        entries in proptest::collection::vec(entry(), 0..12), any in proptest::option::of(any::<Vec<u8>>()),
    ) {
        let entries: Vec<Vec<u8>> = entries.iter().map(Entry::bytes).chain(any).collect();
        let serves = if with_image { node == 2 } else { serves };
        let image = with_image.then(|| image(node, steps));
        opened(image.as_deref(), &entries, serves)?;
    }

    #[test]
    fn a_disk_of_any_bytes_is_loaded_or_refused(bytes: Vec<u8>, at: prop::sample::Index, byte: u8, entries in proptest::collection::vec(entry(), 1..6)) {
        let mut disk = Disk::new(OWNER);
        entries.iter().try_for_each(|entry| disk.append(&entry.bytes())).expect("memory");
        disk.sync().expect("memory");
        let mut foreign = disk.clone();
        *foreign.journal_mut() = bytes;
        let _ = foreign.load();
        let journal = disk.journal_mut();
        let place = at.index(journal.len());
        let same = journal[place] == byte;
        journal[place] = byte;
        prop_assert_eq!(disk.load().is_ok(), same, "a byte that is another is seen");
    }
}
