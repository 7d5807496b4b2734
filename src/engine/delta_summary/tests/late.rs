//! What comes late, twice, in parts or not at all: a replica is not misled by it, and does not wait for it for ever.

use crate::domain::data::Fields;
use crate::engine::delta_summary::Replica;
use crate::engine::delta_summary::log::Delta;
use crate::engine::delta_summary::message::{Message, unframed};
use crate::engine::delta_summary::repair::Status;
use crate::engine::delta_summary::sums::{Changes, Edit};
use crate::engine::host::{Entropy, Host, NodeId};
use crate::engine::port::Relation;
use crate::engine::port::Settings;
use crate::engine::store::Owner;
use crate::engine::store::disk::Disk;
use crate::engine::vector::{Actor, VersionVector};

const LEAF: NodeId = 0;
const HUB: NodeId = 9;
const STRANGER: NodeId = 7;
const HANDSHAKES: u32 = 3;
const RETRY_AT_MOST: u64 = 40;

/// A replica with its surroundings.
struct Node {
    replica: Replica,
    host: Host<Disk>,
}

impl Node {
    /// A leaf, a hub, or, where it serves others that serve, a peer.
    fn opened(node: NodeId, serves: bool, serves_relays: bool, draws: u64) -> Node {
        let settings = Settings {
            node,
            client: node,
            fields: Fields::counters(4, 0),
            serves,
            is_root: false,
            serves_relays,
            retry_after: 10,
            retry_at_most: RETRY_AT_MOST,
            retries: 1000,
            handshakes: HANDSHAKES,
            linger: 0,
            fragment: 4096,
            retain: 4,
            compact_after: 500,
            mutant: None,
        };
        let mut host = Host::new(Disk::new(Owner { scenario: 1, client: node }), Entropy::Counted(draws));
        Node { replica: Replica::open(settings, &mut host).expect("memory"), host }
    }

    fn leaf() -> Node {
        Node::opened(LEAF, false, false, 1)
    }

    fn hub(draws: u64) -> Node {
        Node::opened(HUB, true, false, draws)
    }

    fn peer(node: NodeId) -> Node {
        Node::opened(node, true, true, u64::from(node) << 16)
    }

    fn edit(&mut self, amount: i64) {
        self.replica.edit(&mut self.host, 0, amount).expect("memory");
    }

    fn connect(&mut self, peer: NodeId, relation: Relation) {
        self.replica.connected(&mut self.host, peer, relation).expect("memory");
    }

    /// Takes frames and gives what it says to them.
    fn hears(&mut self, from: NodeId, frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
        for frame in frames {
            self.replica.receive(&mut self.host, from, frame).expect("memory");
        }
        self.says()
    }

    fn says(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.host.sent).into_iter().map(|sent| sent.frame.bytes).collect()
    }

    /// Its pending changes, and what it sends again by now.
    fn tells(&mut self) -> Vec<Vec<u8>> {
        self.replica.send_changes(&mut self.host).expect("memory");
        self.replica.retry_due(&mut self.host).expect("memory");
        self.says()
    }

    fn shows(&self) -> i64 {
        self.replica.sums()[0]
    }

    /// A message of its session with a neighbour, as the neighbour would send it.
    fn framed(&self, from: NodeId, message: &Message) -> Vec<u8> {
        message.body().framed(self.replica.sessions[&from].id).0.bytes
    }
}

fn adding(amount: i64) -> Changes {
    Changes::of(&[Edit { register: 0, amount }])
}

fn connect(leaf: &mut Node, hub: &mut Node) -> Vec<Vec<u8>> {
    hub.connect(LEAF, Relation::Child);
    leaf.connect(HUB, Relation::Parent);
    leaf.says()
}

/// A leaf and a hub that have completed a handshake.
fn met() -> (Node, Node) {
    let (mut leaf, mut hub) = (Node::leaf(), Node::hub(100));
    let handshake = connect(&mut leaf, &mut hub);
    let welcome = hub.hears(LEAF, &handshake);
    leaf.hears(HUB, &welcome);
    (leaf, hub)
}

/// Time passes, and everything arrives.
fn settle(one: (NodeId, &mut Node), other: (NodeId, &mut Node)) {
    let ((one_is, one), (other_is, other)) = (one, other);
    for _ in 0..40 {
        one.host.now += 10;
        other.host.now += 10;
        let said = other.hears(one_is, &one.tells());
        let more = [said, other.tells()].concat();
        let answers = one.hears(other_is, &more);
        let more = other.hears(one_is, &answers);
        one.hears(other_is, &more);
    }
}

#[test]
fn a_lost_delta_is_sent_again_while_newer_ones_are_sent_and_acknowledged() {
    let (mut leaf, mut hub) = met();
    leaf.edit(1);
    assert_eq!(leaf.tells().len(), 1, "which is lost");
    // One edit a tick; a retry is due after 10 of them, 15 with its jitter.
    for _ in 0..20 {
        leaf.host.now += 1;
        leaf.edit(1000);
        let answers = hub.hears(LEAF, &leaf.tells());
        leaf.hears(HUB, &answers);
    }
    assert_eq!(hub.shows(), 20_001);
}

/// A leaf that knows a hub which then loses all, and the two answers of the hub that has begun anew: that the leaf's
/// position means nothing, and to the handshake without one.
struct Anew {
    leaf: Node,
    hub: Node,
    /// That the position means nothing.
    unknown: Vec<Vec<u8>>,
    /// The leaf's handshake without one.
    handshake: Vec<Vec<u8>>,
}

impl Anew {
    fn begun() -> Anew {
        let (mut leaf, mut hub) = (Node::leaf(), Node::hub(100));
        hub.edit(4);
        let handshake = connect(&mut leaf, &mut hub);
        let answer = hub.hears(LEAF, &handshake);
        leaf.hears(HUB, &answer);
        settle((LEAF, &mut leaf), (HUB, &mut hub));
        assert!(leaf.replica.state().cursor.is_some() && leaf.shows() == 4);
        let mut hub = Node::hub(200);
        hub.edit(6);
        let handshake = connect(&mut leaf, &mut hub);
        let unknown = hub.hears(LEAF, &handshake);
        let handshake = leaf.hears(HUB, &unknown);
        assert!(leaf.replica.state().cursor.is_none());
        Anew { leaf, hub, unknown, handshake }
    }
}

#[test]
fn an_answer_from_before_a_snapshot_does_not_undo_it() {
    let Anew { mut leaf, mut hub, unknown, handshake } = Anew::begun();
    let answers = hub.hears(LEAF, &handshake);
    // The welcome is lost, the snapshot comes, and then the first answer for a second time.
    leaf.hears(HUB, &answers[1..]);
    let cursor = leaf.replica.state().cursor.clone();
    assert!(cursor.is_some() && leaf.shows() == 6, "{answers:?}");
    leaf.hears(HUB, &unknown);
    assert_eq!(leaf.replica.state().cursor, cursor);
    hub.edit(1);
    settle((LEAF, &mut leaf), (HUB, &mut hub));
    assert_eq!(leaf.shows(), 7);
}

#[test]
fn an_answer_that_comes_twice_is_no_answer_to_the_next_handshake() {
    let Anew { mut leaf, mut hub, unknown, .. } = Anew::begun();
    // The second handshake is lost, and the answer to the first comes again.
    leaf.hears(HUB, &unknown);
    settle((LEAF, &mut leaf), (HUB, &mut hub));
    assert_eq!(leaf.shows(), 6);
}

#[test]
fn a_summary_that_does_not_fit_has_a_leaf_open_a_new_handshake_so_often_at_once_and_again_after_a_while() {
    let (mut leaf, mut hub) = met();
    let log = hub.replica.state().me;
    let mut hears_handshake = || {
        let unfit = Message::Summary { log, first: 3, last: 4, without: vec![], with: vec![], changes: adding(5) };
        let handshake = leaf.hears(HUB, &[leaf.framed(HUB, &unfit)]);
        let welcome = hub.hears(LEAF, &handshake);
        leaf.hears(HUB, &welcome);
        leaf.host.now += 1;
        (!handshake.is_empty(), leaf.host.now)
    };
    for _ in 0..HANDSHAKES {
        assert!(hears_handshake().0);
    }
    let (again, now) = hears_handshake();
    assert!(!again, "it would never end");
    let later = (now..=now + RETRY_AT_MOST + 1).filter(|_| hears_handshake().0).count();
    assert_eq!(later, HANDSHAKES as usize);
    assert_eq!(leaf.shows(), 0);
}

/// Operation `n` of one device's adds 2 to the power of `n`.
fn delta(first: u64, last: u64) -> Delta {
    let author = Actor { client: 3, incarnation: 77 };
    Delta { author, first, last, changes: adding((first..=last).map(|number| 1 << number).sum()) }
}

#[test]
fn peers_that_have_other_parts_of_a_device_s_edits_tell_them_apart() {
    // As a device and its copy sealed them; each peer met one of the two, before they met each other or since.
    let cases = [
        (vec![(1, 3), (4, 8)], vec![(1, 5)]),
        (vec![(1, 8)], vec![(1, 5)]),
        (vec![(1, 5), (6, 6)], vec![(1, 2), (3, 4), (5, 8)]),
    ];
    for ((one_has, other_has), connected_before) in cases.iter().flat_map(|case| [(case, false), (case, true)]) {
        let (mut one, mut other) = (Node::peer(1), Node::peer(2));
        let meet = |one: &mut Node, other: &mut Node| {
            one.connect(2, Relation::Peer);
            other.connect(1, Relation::Peer);
            settle((1, one), (2, other));
        };
        if connected_before {
            meet(&mut one, &mut other);
        }
        for (peer, has) in [(&mut one, one_has), (&mut other, other_has)] {
            peer.connect(STRANGER, Relation::Peer);
            let deltas = Message::Deltas(has.iter().map(|&(first, last)| delta(first, last)).collect());
            let frame = peer.framed(STRANGER, &deltas);
            peer.hears(STRANGER, &[frame]);
            peer.replica.disconnected(STRANGER);
            peer.says();
        }
        if connected_before {
            settle((1, &mut one), (2, &mut other));
        } else {
            meet(&mut one, &mut other);
        }
        let case = format!("{one_has:?} {other_has:?} {connected_before}");
        assert_eq!((one.shows(), other.shows()), (510, 510), "{case}");
        assert_eq!((one.replica.backlog().messages, other.replica.backlog().messages), (0, 0), "{case}");
    }
}

/// The runs of the deltas in these frames.
fn told(frames: &[Vec<u8>]) -> Vec<(u64, u64)> {
    let message = |frame: &Vec<u8>| Message::read(unframed(frame).expect("a frame").1, 4).expect("a message");
    let deltas = frames.iter().map(message).filter_map(|message| match message {
        Message::Deltas(deltas) => Some(deltas),
        _ => None,
    });
    deltas.flatten().map(|delta| (delta.first, delta.last)).collect()
}

#[test]
fn what_a_snapshot_has_no_part_of_is_sent_though_the_delta_that_was_on_its_way_is_split() {
    let (mut leaf, hub) = met();
    (0..3).for_each(|_| leaf.edit(1));
    assert_eq!(told(&leaf.tells()), [(1, 3)], "which is lost");
    // A copy of the device has given the parent the first two of them.
    let (log, within) = (hub.replica.state().me, vec![(leaf.replica.state().me, 1, 2)]);
    let snapshot = Message::Snapshot { log, position: 5, within, changes: adding(42) };
    assert_eq!(told(&leaf.hears(HUB, &[leaf.framed(HUB, &snapshot)])), [(3, 3)]);
    assert_eq!(leaf.shows(), 43);
    // And again, if that is lost, too.
    leaf.host.now += RETRY_AT_MOST;
    assert_eq!(told(&leaf.tells()), [(3, 3)]);
}

#[test]
fn peers_remember_that_others_have_their_edits_when_nobody_is_connected_any_more() {
    let (mut one, mut other) = (Node::peer(1), Node::peer(2));
    let apart = |one: &mut Node, other: &mut Node| {
        one.replica.disconnected(2);
        other.replica.disconnected(1);
        [one, other].map(|node| (node.replica.backlog().edits, node.replica.statuses()[0]))
    };
    one.edit(5);
    other.edit(7);
    assert_eq!(apart(&mut one, &mut other), [(1, Some(Status::Local)); 2]);
    one.connect(2, Relation::Peer);
    other.connect(1, Relation::Peer);
    settle((1, &mut one), (2, &mut other));
    assert_eq!(apart(&mut one, &mut other), [(0, Some(Status::Synced)); 2]);
    // What another says when they meet tells it, too, where its acknowledgement was lost.
    let holding = |author| {
        let mut holds = VersionVector::default();
        holds.insert(author, 1, 1);
        holds
    };
    let mut handshake = Node::peer(1);
    handshake.edit(5);
    handshake.connect(2, Relation::Peer);
    let log = Actor { client: 2, incarnation: 9 };
    let welcome = Message::Welcome { log, reached: None, holds: holding(handshake.replica.state().me) };
    handshake.hears(2, &[handshake.framed(2, &welcome)]);
    assert_eq!(handshake.replica.backlog().edits, 0);
    let mut hears_handshake = Node::peer(3);
    hears_handshake.edit(5);
    hears_handshake.connect(1, Relation::Peer);
    let hello =
        Message::Hello { leaf: false, client: 1, cursor: None, holds: holding(hears_handshake.replica.state().me) };
    hears_handshake.hears(1, &[hello.body().framed(4).0.bytes]);
    assert_eq!(hears_handshake.replica.backlog().edits, 0);
}

#[test]
fn many_neighbours_that_greet_in_fragments_at_once_are_all_heard() {
    let mut peer = Node::peer(1);
    let mut holds = VersionVector::default();
    (1..50).for_each(|incarnation| holds.insert(Actor { client: 3, incarnation }, 1, 9));
    let neighbours = 10..20;
    let mut parts: [Vec<(NodeId, Vec<u8>)>; 2] = Default::default();
    for from in neighbours.clone() {
        peer.connect(from, Relation::Peer);
        let holds = holds.clone();
        let body = Message::Hello { leaf: false, client: from, cursor: None, holds }.body().bytes;
        let (id, half) = (crc32fast::hash(&body), body.len() / 2);
        for (place, bytes) in [&body[..half], &body[half..]].into_iter().enumerate() {
            let fragment = Message::Fragment { id, count: 2, place: place as u32, bytes: bytes.to_vec() };
            parts[place].push((from, fragment.body().framed(from as u16).0.bytes));
        }
    }
    peer.says();
    for (from, frame) in parts.concat() {
        peer.hears(from, &[frame]);
    }
    for from in neighbours {
        let session = &peer.replica.sessions[&from];
        assert!(session.open && session.holds == holds, "{from}");
    }
}

#[test]
fn a_handshake_that_is_late_and_means_nothing_any_more_ends_no_session_that_is_open() {
    let (mut leaf, mut hub) = met();
    let position = Some((Actor { client: HUB, incarnation: 77 }, 5));
    let late = Message::Hello { leaf: true, client: LEAF, cursor: position, holds: VersionVector::default() };
    let session = leaf.replica.sessions[&HUB].id;
    let answers = hub.hears(LEAF, &[late.body().framed(session ^ 1).0.bytes]);
    let answer = Message::read(unframed(&answers[0]).expect("a frame").1, 4);
    assert!(matches!(answer, Ok(Message::Welcome { reached: None, .. })), "it is answered");
    assert_eq!(leaf.hears(HUB, &answers), [[0u8; 0]; 0], "by who does not ask any more");
    hub.edit(7);
    leaf.hears(HUB, &hub.tells());
    assert_eq!(leaf.shows(), 7, "and what is changes is told");
}
