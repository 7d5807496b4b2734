//! What a user and an operator may ask: status, backlog, audit, and repair by replay, requeue and rebuild.

use proptest::prelude::*;

use crate::domain::data::Fields;
use crate::engine::delta_summary::Replica;
use crate::engine::delta_summary::message::unframed;
use crate::engine::delta_summary::repair::{Backlog, Change, Status, Whose};
use crate::engine::delta_summary::state::MessageId;
use crate::engine::delta_summary::sums::Edit;
use crate::engine::host::{Entropy, Host};
use crate::engine::port::Relation;
use crate::engine::port::Settings;
use crate::engine::store::disk::Disk;
use crate::engine::store::{Owner, StoreError};
use crate::engine::wire::Frame;

const LEAF: u32 = 0;
const HUB: u32 = 9;
const RETRIES: u32 = 3;

/// A leaf and its hub, and the line between them.
struct Two {
    leaf: Replica,
    leaf_host: Host<Disk>,
    hub: Replica,
    hub_host: Host<Disk>,
}

fn opened(node: u32, serves: bool, compact_after: u64) -> (Replica, Host<Disk>) {
    let settings = Settings {
        node,
        client: node,
        fields: Fields::counters(8, 0),
        serves,
        is_root: false,
        serves_relays: false,
        retry_after: 10,
        retry_at_most: 40,
        retries: RETRIES,
        handshakes: 4,
        linger: 0,
        fragment: 4096,
        retain: 4,
        compact_after,
        mutant: None,
    };
    let mut host = Host::new(Disk::new(Owner { scenario: 1, client: node }), Entropy::Counted(u64::from(node) << 16));
    (Replica::open(settings, &mut host).expect("memory"), host)
}

impl Two {
    fn apart() -> Two {
        Two::compacting(500)
    }

    /// Whose journals are compacted after so many entries.
    fn compacting(after: u64) -> Two {
        let ((leaf, leaf_host), (hub, hub_host)) = (opened(LEAF, false, after), opened(HUB, true, after));
        Two { leaf, leaf_host, hub, hub_host }
    }

    fn connected() -> Two {
        let mut two = Two::apart();
        two.connect();
        two.settle();
        two
    }

    fn connect(&mut self) {
        self.hub.connected(&mut self.hub_host, LEAF, Relation::Child).expect("memory");
        self.leaf.connected(&mut self.leaf_host, HUB, Relation::Parent).expect("memory");
    }

    fn edit(&mut self, register: u32, amount: i64) {
        self.leaf.edit(&mut self.leaf_host, register, amount).expect("memory");
    }

    /// The leaf tells its pending changes; what it sends is on its way.
    fn told(&mut self) -> Vec<Frame> {
        self.leaf.send_changes(&mut self.leaf_host).expect("memory");
        self.sent()
    }

    fn sent(&mut self) -> Vec<Frame> {
        std::mem::take(&mut self.leaf_host.sent).into_iter().map(|sent| sent.frame).collect()
    }

    fn up(&mut self, frames: &[Frame]) -> Vec<Frame> {
        for frame in frames {
            self.hub.receive(&mut self.hub_host, LEAF, &frame.bytes).expect("memory");
        }
        std::mem::take(&mut self.hub_host.sent).into_iter().map(|sent| sent.frame).collect()
    }

    fn down(&mut self, frames: &[Frame]) {
        for frame in frames {
            self.leaf.receive(&mut self.leaf_host, HUB, &frame.bytes).expect("memory");
        }
    }

    /// Everything arrives until nothing more is said.
    fn settle(&mut self) {
        for _ in 0..20 {
            self.hub.send_changes(&mut self.hub_host).expect("memory");
            let frames = self.told();
            let answers = self.up(&frames);
            self.down(&answers);
        }
        assert_eq!((self.leaf_host.sent.len(), self.hub_host.sent.len()), (0, 0), "all is quiescent");
    }

    /// Nothing of the leaf's arrives for so long that it gives up; what it sent in the meantime.
    fn given_up(&mut self) -> Vec<Frame> {
        let mut lost = self.told();
        while let Some(at) = self.leaf.wakes_at() {
            self.leaf_host.now = at;
            self.leaf.wake(&mut self.leaf_host).expect("memory");
            lost.extend(self.sent());
        }
        lost
    }

    fn status(&self, register: usize) -> Option<Status> {
        self.leaf.statuses()[register]
    }

    fn backlog(&self) -> (u64, u64, u64) {
        let Backlog { edits, deltas, messages } = self.leaf.backlog();
        (edits, deltas, messages)
    }
}

#[test]
fn a_record_is_local_then_syncing_then_synced_and_modified_when_it_is_edited_again() {
    let mut two = Two::apart();
    assert_eq!(two.status(3), None);
    two.edit(3, 5);
    assert_eq!(two.status(3), Some(Status::Local));
    two.connect();
    two.settle_handshake();
    let frames = two.told();
    assert_eq!(two.status(3), Some(Status::Syncing), "{} frames are on their way", frames.len());
    let frames = two.underway(frames);
    let answers = two.up(&frames);
    two.down(&answers);
    assert_eq!(two.status(3), Some(Status::Synced));
    two.edit(3, 1);
    two.edit(4, 1);
    assert_eq!((two.status(3), two.status(4)), (Some(Status::Modified), Some(Status::Local)));
    two.settle();
    assert_eq!((two.status(3), two.status(4), two.status(5)), (Some(Status::Synced), Some(Status::Synced), None));
}

impl Two {
    /// The handshake is said and answered, and what follows is not.
    fn settle_handshake(&mut self) {
        let hello = self.sent();
        let welcome = self.up(&hello);
        self.down(&welcome);
    }

    /// What is on its way: these frames, or, where the answer to the handshake had them sent at once, those.
    fn underway(&mut self, frames: Vec<Frame>) -> Vec<Frame> {
        frames.into_iter().chain(self.sent()).collect()
    }
}

#[test]
fn the_backlog_counts_edits_the_deltas_that_they_became_and_messages_until_they_are_acknowledged() {
    let mut two = Two::connected();
    assert_eq!(two.backlog(), (0, 0, 0));
    two.edit(1, 2);
    two.edit(1, 3);
    assert_eq!(two.backlog(), (2, 0, 0));
    let frames = two.told();
    assert_eq!((two.backlog(), frames.len()), ((2, 1, 1), 1), "two edits of one register travel as one delta");
    let answers = two.up(&frames);
    assert_eq!(two.backlog(), (2, 1, 1), "the answer is on its way");
    two.down(&answers);
    assert_eq!(two.backlog(), (0, 0, 0));
}

#[test]
fn when_retries_are_used_up_a_record_has_failed_nothing_more_is_sent_and_the_edit_is_still_there() {
    let mut two = Two::connected();
    two.edit(2, 7);
    let lost = two.given_up();
    assert_eq!(lost.len() as u32, 1 + RETRIES, "once, and each retry");
    assert!(lost.iter().all(|frame| *frame == lost[0]), "a retry is the same bytes");
    assert_eq!((two.status(2), two.backlog()), (Some(Status::Failed), (1, 1, 1)));
    assert_eq!(two.leaf.wakes_at(), None, "it does not try by itself any more");
    assert_eq!((two.leaf.sums()[2], two.hub.sums()[2]), (7, 0));
    // Another edit is told, and gives up sooner: nobody has answered since.
    two.edit(5, 1);
    assert_eq!(two.status(5), Some(Status::Local));
    assert_eq!(two.given_up().len(), 1);
    assert_eq!((two.status(2), two.status(5)), (Some(Status::Failed), Some(Status::Failed)));
}

/// What is done about messages that were given up, which are told.
type Way = fn(&mut Two, Vec<Frame>);

#[test]
fn what_was_given_up_goes_on_by_a_requeue_by_a_new_connection_or_by_an_answer_that_is_late() {
    let ways: [(&str, Way); 3] = [
        ("requeue", |two, _| two.leaf.requeue(&mut two.leaf_host).expect("memory")),
        ("connection", |two, _| two.connect()),
        ("late answer", |two, lost| {
            let answers = two.up(&lost);
            two.down(&answers);
        }),
    ];
    for (way, goes_on) in ways {
        let mut two = Two::connected();
        two.edit(2, 7);
        let lost = two.given_up();
        goes_on(&mut two, lost);
        assert_ne!(two.status(2), Some(Status::Failed), "{way}");
        two.settle();
        assert_eq!((two.status(2), two.backlog()), (Some(Status::Synced), (0, 0, 0)), "{way}");
        two.edit(2, 1);
        two.told();
        assert_eq!(two.status(2), Some(Status::Syncing), "{way}: what failed once is not failed for ever");
        assert_eq!(two.hub.sums()[2], 7, "{way}: it counts once");
    }
}

#[test]
fn a_requeue_at_the_hub_sends_a_leaf_again_what_it_was_given_up_with() {
    let mut two = Two::connected();
    two.hub.edit(&mut two.hub_host, 6, 4).expect("memory");
    two.hub.send_changes(&mut two.hub_host).expect("memory");
    while let Some(at) = two.hub.wakes_at() {
        two.hub_host.now = at;
        two.hub.wake(&mut two.hub_host).expect("memory");
    }
    two.hub_host.sent.clear();
    two.settle();
    assert_eq!((two.leaf.sums()[6], two.hub.statuses()[6]), (0, Some(Status::Failed)));
    two.hub.requeue(&mut two.hub_host).expect("memory");
    assert_eq!(two.hub_host.sent.len(), 1);
    two.settle();
    assert_eq!(two.leaf.sums()[6], 4);
}

#[test]
fn a_journal_played_again_leads_to_what_is_shown_and_tells_when_it_does_not() {
    let mut two = Two::connected();
    two.edit(1, 5);
    two.settle();
    assert_eq!(two.leaf.replays(&mut two.leaf_host.store), Ok(true));
    assert_eq!(two.hub.replays(&mut two.hub_host.store), Ok(true));
    two.leaf.state.sums.edit(Edit { register: 1, amount: 1 });
    assert_eq!(two.leaf.replays(&mut two.leaf_host.store), Ok(false));
}

#[test]
fn a_rebuild_takes_the_state_from_the_journal_again_and_goes_on_with_every_neighbour() {
    let mut two = Two::connected();
    two.edit(1, 5);
    two.settle();
    two.edit(2, 3);
    // Memory goes wrong at both, and what is on its way is lost.
    two.leaf.state.sums.edit(Edit { register: 1, amount: 999 });
    two.hub.state.sums.edit(Edit { register: 1, amount: -1 });
    two.leaf.rebuild(&mut two.leaf_host).expect("the store is sound");
    two.hub.rebuild(&mut two.hub_host).expect("the store is sound");
    assert_eq!((two.leaf.sums()[1], two.hub.sums()[1]), (5, 5));
    assert_eq!(two.leaf.replays(&mut two.leaf_host.store), Ok(true));
    two.settle();
    assert_eq!((two.leaf.sums(), two.backlog()), (two.hub.sums(), (0, 0, 0)));
    // The hub alone: the leaf hears of nothing, and still gets what is new.
    two.hub.rebuild(&mut two.hub_host).expect("the store is sound");
    two.hub.edit(&mut two.hub_host, 7, 1).expect("memory");
    two.settle();
    assert_eq!(two.leaf.sums(), [0, 5, 3, 0, 0, 0, 0, 1]);
    assert_eq!(two.hub.sums(), two.leaf.sums());
}

#[test]
fn a_rebuild_from_a_damaged_store_is_refused_and_leaves_what_is_in_memory() {
    let mut two = Two::connected();
    two.edit(1, 5);
    let journal = two.leaf_host.store.journal_mut();
    *journal.last_mut().expect("an entry") ^= 1;
    assert!(matches!(two.leaf.rebuild(&mut two.leaf_host), Err(StoreError::Damaged(_))));
    assert_eq!((two.leaf.sums()[1], two.backlog().0), (5, 1));
}

#[test]
fn an_audit_tells_what_changed_whose_it_was_and_through_which_message() {
    let mut two = Two::connected();
    two.edit(1, 2);
    two.edit(0, 9);
    two.edit(1, 3);
    let me = two.leaf.state().me;
    let here = |sequence, amount| Change { whose: Whose::Author((me, sequence, sequence)), amount, through: None };
    assert_eq!(two.leaf.audit(&mut two.leaf_host.store, 1), Ok(vec![here(1, 2), here(3, 3)]));
    let frames = two.told();
    let id = |frame: &Frame, from| {
        let (_, body) = unframed(&frame.bytes).expect("it is whole");
        Some(MessageId { from, checksum: crc32fast::hash(body) })
    };
    let answers = two.up(&frames);
    two.down(&answers);
    // At the hub, the three edits came as one delta, in this message.
    let came = Change { whose: Whose::Author((me, 1, 3)), amount: 5, through: id(&frames[0], LEAF) };
    assert_eq!(two.hub.audit(&mut two.hub_host.store, 1), Ok(vec![came]));
    // At the leaf, the hub's own edit comes as a sum of the hub's log.
    two.hub.edit(&mut two.hub_host, 1, -4).expect("memory");
    two.hub.send_changes(&mut two.hub_host).expect("memory");
    let frames: Vec<Frame> = std::mem::take(&mut two.hub_host.sent).into_iter().map(|sent| sent.frame).collect();
    two.down(&frames);
    let audit = two.leaf.audit(&mut two.leaf_host.store, 1).expect("the store is sound");
    let last = audit.last().expect("a change");
    assert_eq!(last.whose, Whose::Log((two.hub.state().me, 1, 2)), "the first of them is its own");
    assert_eq!(last.through, id(&frames[0], HUB));
    assert_eq!(two.leaf.sums()[1], 1);
    assert_eq!(two.leaf.audit(&mut two.leaf_host.store, 5), Ok(Vec::new()));
}

/// What may happen between two audits.
#[derive(Clone, Copy, Debug)]
enum Step {
    EditAtLeaf(u32, i64),
    EditAtHub(u32, i64),
    Settle,
    RestartLeaf,
    RestartHub,
    LoseHub,
}

impl Two {
    fn step(&mut self, step: Step) {
        let again = |held: &Replica, host: &mut Host<Disk>| {
            host.sent.clear();
            Replica::open(held.settings.clone(), host).expect("memory")
        };
        match step {
            Step::EditAtLeaf(register, amount) => self.edit(register, amount),
            Step::EditAtHub(register, amount) => {
                self.hub.edit(&mut self.hub_host, register, amount).expect("memory");
            }
            Step::Settle => {
                self.connect();
                self.settle();
            }
            Step::RestartLeaf => self.leaf = again(&self.leaf, &mut self.leaf_host),
            Step::RestartHub => self.hub = again(&self.hub, &mut self.hub_host),
            Step::LoseHub => {
                self.hub_host.store = self.hub_host.store.wiped();
                self.hub = again(&self.hub, &mut self.hub_host);
            }
        }
    }

    /// What the changes of each register come to, at the leaf and at the hub.
    fn audited(&mut self) -> [Vec<i64>; 2] {
        let sum = |audit: Vec<Change>| audit.iter().fold(0i64, |sum, change| sum.wrapping_add(change.amount));
        let of = |held: &Replica, host: &mut Host<Disk>| {
            (0..8).map(|register| sum(held.audit(&mut host.store, register).expect("it is sound"))).collect()
        };
        [of(&self.leaf, &mut self.leaf_host), of(&self.hub, &mut self.hub_host)]
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let amount =
        || prop_oneof![-9..=9i64, any::<i64>()].prop_filter("an edit changes something", |amount| *amount != 0);
    let step = prop_oneof![
        6 => (0..8u32, amount()).prop_map(|(register, amount)| Step::EditAtLeaf(register, amount)),
        4 => (0..8u32, amount()).prop_map(|(register, amount)| Step::EditAtHub(register, amount)),
        3 => Just(Step::Settle),
        1 => Just(Step::RestartLeaf),
        1 => Just(Step::RestartHub),
        1 => Just(Step::LoseHub),
    ];
    proptest::collection::vec(step, 1..40)
}

proptest! {
    #[test]
    fn what_an_audit_lists_comes_to_what_every_register_shows_at_leaf_and_hub(steps in steps(), after in 3..40u64) {
        let mut two = Two::compacting(after);
        for step in steps {
            two.step(step);
            let shown = [two.leaf.sums().to_vec(), two.hub.sums().to_vec()];
            prop_assert_eq!(two.audited(), shown, "after {:?}", step);
        }
    }
}

#[test]
fn what_an_image_stands_for_is_the_first_line_of_an_audit_and_says_whom_to_ask() {
    let mut two = Two::compacting(6);
    for number in 1..=6 {
        two.step(Step::EditAtHub(1, 10 * number));
        two.step(Step::EditAtLeaf(1, number));
        two.step(Step::Settle);
    }
    let first = |held: &Replica, host: &mut Host<Disk>| held.audit(&mut host.store, 1).expect("it is sound")[0];
    let of_hub = first(&two.hub, &mut two.hub_host);
    let of_leaf = first(&two.leaf, &mut two.leaf_host);
    assert!(matches!(of_hub.whose, Whose::Image { authors: 2, followed: None }), "{of_hub:?}");
    let hub = two.hub.state().me;
    assert!(
        matches!(of_leaf.whose, Whose::Image { authors: 1, followed: Some((log, position)) } if log == hub && position > 1),
        "{of_leaf:?}"
    );
    assert!(of_leaf.whose.to_string().contains(&format!("the log of {hub} up to position ")), "{}", of_leaf.whose);
    let hub_lost = {
        two.step(Step::EditAtHub(1, 1000));
        two.step(Step::Settle);
        two.step(Step::LoseHub);
        two.step(Step::Settle);
        two.leaf.audit(&mut two.leaf_host.store, 1).expect("it is sound")
    };
    let last = hub_lost.last().expect("a change");
    assert!(last.amount < 0 && matches!(last.whose, Whose::Log((_, 1, _))), "what the hub lost is gone: {last:?}");
}
