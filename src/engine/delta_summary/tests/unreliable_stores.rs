//! Replicas on stores that fail: whatever a store refuses never counts, whatever it took counts once, and where nobody
//! knows, the replica says so until it is opened again.

use super::super::*;
use crate::domain::data::Fields;
use crate::domain::seed::Seed;
use crate::engine::delta_summary::log::Delta;
use crate::engine::delta_summary::sums::{Changes, Edit};
use crate::engine::host::Entropy;
use crate::engine::port::Relation::{Child, Parent};
use crate::engine::store::disk::{Disk, Loss};
use crate::engine::store::{Kept, Owner};

const LEAF: NodeId = 0;
const HUB: NodeId = 1;
const OTHER: NodeId = 2;
const REGISTERS: u32 = 32;

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Failure {
    /// Nothing was written, and the store says so.
    Refused,
    /// Nothing was written, and nobody can tell.
    Lost,
    /// All was written, and nobody can tell.
    Written,
}

/// A disk of which one call fails.
struct Unreliable {
    disk: Disk,
    /// Calls until that one.
    left: Option<u32>,
    failure: Failure,
    /// Entries since the last sync.
    appended: u64,
}

impl Unreliable {
    fn fails(&mut self) -> bool {
        self.left = self.left.and_then(|left| left.checked_sub(1));
        self.left == Some(0)
    }

    /// What a failed write comes to: it happens first where it is written all the same.
    fn failed(&mut self, write: impl FnOnce(&mut Disk) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let entries = std::mem::take(&mut self.appended);
        match self.failure {
            Failure::Written => write(&mut self.disk)?,
            Failure::Refused | Failure::Lost => self.disk.crash(Loss::All),
        }
        Err(match self.failure {
            Failure::Refused => StoreError::Refused { entries, why: "it is locked".to_owned() },
            Failure::Lost | Failure::Written => StoreError::Unusable("it is gone".to_owned()),
        })
    }
}

impl Store for Unreliable {
    fn load(&mut self) -> Result<Kept, StoreError> {
        self.disk.load()
    }

    fn append(&mut self, entry: &[u8]) -> Result<(), StoreError> {
        self.appended += 1;
        if self.fails() { self.failed(|disk| disk.append(entry)) } else { self.disk.append(entry) }
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        if self.fails() {
            return self.failed(Disk::sync);
        }
        self.appended = 0;
        self.disk.sync()
    }

    fn replace(&mut self, image: &[u8]) -> Result<(), StoreError> {
        if self.fails() {
            return match self.failure {
                // What was appended is still to be written.
                Failure::Refused => Err(StoreError::Refused { entries: 0, why: "it is locked".to_owned() }),
                Failure::Lost | Failure::Written => self.failed(|disk| disk.replace(image)),
            };
        }
        self.appended = 0;
        self.disk.replace(image)
    }

    fn bytes(&self) -> u64 {
        self.disk.bytes()
    }
}

fn settings(node: NodeId) -> Settings {
    Settings {
        node,
        client: node,
        fields: Fields::counters(REGISTERS, 0),
        serves: node == HUB,
        is_root: false,
        serves_relays: false,
        retry_after: 1000,
        retry_at_most: 10_000,
        retries: 50,
        handshakes: 4,
        linger: 10,
        fragment: 64,
        retain: 1,
        compact_after: 6,
        mutant: None,
    }
}

fn host<S: Store>(store: S, seed: u64) -> Host<S> {
    Host::new(store, Entropy::Drawn(Box::new(Seed::new(seed).stream("entropy"))))
}

/// A leaf on a store that fails, and its hub on one that does not.
struct Pair {
    leaf: Replica,
    leaf_host: Host<Unreliable>,
    hub: Replica,
    hub_host: Host<Disk>,
    /// What users saw accepted, at either of them.
    ledger: Vec<i64>,
    /// An edit of which nobody could tell whether it was written.
    open: Option<Edit>,
}

impl Pair {
    fn new(left: Option<u32>, failure: Failure) -> Self {
        let disk = |client| Disk::new(Owner { scenario: 1, client });
        let mut leaf_host = host(Unreliable { disk: disk(LEAF), left: None, failure, appended: 0 }, 1);
        let mut hub_host = host(disk(HUB), 2);
        let leaf = Replica::open(settings(LEAF), &mut leaf_host).expect("nothing fails yet");
        let hub = Replica::open(settings(HUB), &mut hub_host).expect("a disk");
        leaf_host.store.left = left;
        Pair { leaf, leaf_host, hub, hub_host, ledger: vec![0; REGISTERS as usize], open: None }
    }

    fn count(&mut self, Edit { register, amount }: Edit) {
        self.ledger[register as usize] += amount;
    }

    /// The leaf's user edits: what is shown counts, and nothing else.
    fn edit(&mut self, edit: Edit) {
        let edited = self.leaf.edits(&mut self.leaf_host, &[edit]);
        let shown = std::mem::take(&mut self.leaf_host.shown).len();
        assert_eq!(shown, usize::from(edited.is_ok()), "{edited:?}");
        match edited {
            Ok(()) => self.count(edit),
            Err(StoreError::Refused { .. }) => {}
            Err(_) => self.open = Some(edit),
        }
        self.judge();
    }

    /// Another client's edits, of every register, reach the hub.
    fn others_edit(&mut self, round: u32) {
        let author = Actor { client: OTHER, incarnation: 1 };
        let number = u64::from(round) + 1;
        let amount = 1_000_000i64 << round;
        let edit = |register| Edit { register, amount: amount + i64::from(register) };
        let edits: Vec<Edit> = (0..REGISTERS).map(edit).collect();
        edits.iter().for_each(|&edit| self.count(edit));
        let changes = Changes::of(&edits);
        let (frame, _) = Message::Deltas(vec![Delta { author, first: number, last: number, changes }]).body().framed(0);
        self.hub.connected(&mut self.hub_host, OTHER, Child).expect("a disk");
        self.hub.receive(&mut self.hub_host, OTHER, &frame.bytes).expect("a disk");
        self.hub.disconnected(OTHER);
        self.hub_host.sent.retain(|sent| sent.to == LEAF);
    }

    /// A replica that does not know what its journal has says so, whatever it is asked to do, and is opened again.
    fn judge(&mut self) {
        if !self.leaf.unknown {
            return;
        }
        let before = self.leaf.clone();
        let leaf = &mut self.leaf;
        let said = [
            leaf.edit(&mut self.leaf_host, 0, 1),
            leaf.connected(&mut self.leaf_host, HUB, Parent),
            leaf.receive(&mut self.leaf_host, HUB, &[]).map(drop),
            leaf.wake(&mut self.leaf_host),
        ];
        assert!(said.iter().all(|said| *said == Err(StoreError::Unknown)), "{said:?}");
        assert_eq!(*leaf, before);
        assert_eq!((self.leaf_host.sent.len(), self.leaf_host.shown.len()), (0, 0));
        let restarted = Replica::open(settings(LEAF), &mut self.leaf_host);
        self.leaf = restarted.expect("only one call fails");
        self.hub.disconnected(LEAF);
    }

    fn connect(&mut self) {
        loop {
            self.hub.connected(&mut self.hub_host, LEAF, Child).expect("a disk");
            if self.leaf.connected(&mut self.leaf_host, HUB, Parent).is_ok() {
                return;
            }
            self.leaf_host.sent.clear();
            self.judge();
        }
    }

    /// Messages go to and fro until nobody has anything to say; what fails is told again after a reconnection.
    fn talk(&mut self) {
        for _ in 0..500 {
            for sent in std::mem::take(&mut self.leaf_host.sent) {
                self.hub.receive(&mut self.hub_host, LEAF, &sent.frame.bytes).expect("a disk");
            }
            let mut failed = false;
            for sent in std::mem::take(&mut self.hub_host.sent) {
                failed |= self.leaf.receive(&mut self.leaf_host, HUB, &sent.frame.bytes).is_err();
            }
            if !failed && self.leaf_host.sent.is_empty() && self.hub_host.sent.is_empty() {
                let next = self.leaf.wakes_at().into_iter().chain(self.hub.wakes_at()).min();
                let Some(at) = next else { return };
                (self.leaf_host.now, self.hub_host.now) = (at, at);
                failed = self.leaf.wake(&mut self.leaf_host).is_err();
                self.hub.wake(&mut self.hub_host).expect("a disk");
            }
            if failed {
                self.leaf_host.sent.clear();
                self.judge();
                self.connect();
            }
        }
        panic!("they never fall silent");
    }

    /// Everything that the leaf does with its store; gives whether the call that fails was reached.
    fn run(mut self) -> bool {
        self.edit(Edit { register: 3, amount: 100 });
        self.edit(Edit { register: 3, amount: 1 });
        self.connect();
        for round in 0..4 {
            self.others_edit(round);
            self.talk();
            self.edit(Edit { register: round, amount: 10_000 << round });
            self.edit(Edit { register: round + 1, amount: -(7 << round) });
        }
        self.connect();
        self.talk();
        // An edit that may have been written counts at both, or at none.
        if let Some(edit) = self.open.take()
            && self.leaf.sums() != self.ledger
        {
            self.count(edit);
        }
        assert_eq!(self.leaf.sums(), self.ledger);
        assert_eq!(self.hub.sums(), self.ledger);
        let reached = self.leaf_host.store.left.take().is_none_or(|left| left == 0);
        assert_eq!(self.leaf.replays(&mut self.leaf_host.store), Ok(true));
        reached
    }
}

#[test]
fn whichever_call_of_a_store_fails_what_users_saw_counts_once_and_nothing_else_does() {
    for failure in [Failure::Refused, Failure::Lost, Failure::Written] {
        let reached = |call: &u32| Pair::new(Some(*call), failure).run();
        let calls = (1..).take_while(reached).count();
        assert!(calls > 40, "the run has {calls} calls of the store");
    }
}

#[test]
fn who_noted_what_is_gone_with_a_refused_edit_no_longer_knows_its_journal() {
    let mut pair = Pair::new(None, Failure::Refused);
    let me = pair.leaf.state.me;
    pair.leaf.edit(&mut pair.leaf_host, 0, 1).expect("nothing fails yet");
    // It is written with what is written next.
    pair.leaf.note(&mut pair.leaf_host, Entry::Given(1, 1, me)).expect("nothing fails yet");
    pair.leaf_host.store.left = Some(2);
    let refused = pair.leaf.edit(&mut pair.leaf_host, 0, 100);
    assert!(matches!(refused, Err(StoreError::Refused { entries: 2, .. })), "{refused:?}");
    assert_eq!(pair.leaf.replays(&mut pair.leaf_host.store), Ok(false), "it has noted what its journal lacks");
    assert_eq!(pair.leaf.edit(&mut pair.leaf_host, 0, 1), Err(StoreError::Unknown));
    let again = Replica::open(settings(LEAF), &mut pair.leaf_host).expect("a store");
    assert_eq!(again.sums()[0], 1);
}

#[test]
fn an_edit_that_was_refused_does_not_count_with_the_next() {
    let mut pair = Pair::new(Some(1), Failure::Refused);
    let refused = pair.leaf.edit(&mut pair.leaf_host, 0, 100);
    assert!(matches!(refused, Err(StoreError::Refused { entries: 1, .. })), "{refused:?}");
    pair.leaf.edit(&mut pair.leaf_host, 0, 1).expect("only the first call fails");
    let again = Replica::open(settings(LEAF), &mut pair.leaf_host).expect("a store");
    assert_eq!((pair.leaf.sums()[0], again.sums()[0]), (1, 1));
}
