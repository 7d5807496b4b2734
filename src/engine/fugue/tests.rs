//! The sequence beside the tree of the paper, character by character.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::domain::traffic::Kind;
use crate::engine::wire::Malformed;

/// Algorithm 1 of the paper, as plainly as it can be written: one node a character.
#[derive(Clone, Default, Debug, PartialEq)]
struct PlainTree {
    nodes: BTreeMap<Id, (Option<Id>, Side, char)>,
    erased: BTreeSet<Id>,
}

impl PlainTree {
    fn add_in_order(&self, node: Option<Id>, order: &mut Vec<Id>) {
        let children = |on: Side| {
            let nodes = self.nodes.iter();
            nodes.filter(move |(_, (parent, side, _))| (*parent, *side) == (node, on)).map(|(&id, _)| id)
        };
        children(Side::Left).for_each(|child| self.add_in_order(Some(child), order));
        order.extend(node);
        children(Side::Right).for_each(|child| self.add_in_order(Some(child), order));
    }

    fn order(&self) -> Vec<Id> {
        let mut order = Vec::new();
        self.add_in_order(None, &mut order);
        order
    }

    fn shown(&self) -> Vec<Id> {
        self.order().into_iter().filter(|id| !self.erased.contains(id)).collect()
    }

    fn text(&self) -> String {
        self.shown().iter().map(|id| self.nodes[id].2).collect()
    }

    fn insert(&mut self, actor: Actor, position: usize, typed: char) {
        let (order, shown) = (self.order(), self.shown());
        let before = position.checked_sub(1).map(|before| shown[before]);
        let next = match before {
            None => order.first(),
            Some(id) => order.iter().skip_while(|&&other| other != id).nth(1),
        };
        let has_right = self.nodes.values().any(|&(parent, side, _)| (parent, side) == (before, Side::Right));
        let (parent, side) = if has_right { (next.copied(), Side::Left) } else { (before, Side::Right) };
        let number = 1 + self.nodes.keys().filter(|id| id.actor == actor).count() as u64;
        self.nodes.insert(Id { actor, number }, (parent, side, typed));
    }

    fn erase(&mut self, position: usize, count: usize) {
        self.erased.extend(self.shown().into_iter().skip(position).take(count));
    }

    fn merge(&mut self, other: &PlainTree) {
        self.nodes.extend(other.nodes.clone());
        self.erased.extend(other.erased.clone());
    }
}

#[derive(Clone, Debug)]
enum Step {
    Type(usize, prop::sample::Index, String),
    Erase(usize, prop::sample::Index, usize),
    /// The second gets all that the first has.
    Sync(usize, usize),
}

const USERS: usize = 3;

fn actor(user: usize) -> Actor {
    Actor { client: [5, 1, 9][user], incarnation: 70_000 }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..USERS, any::<prop::sample::Index>(), "[a-cé字]{1,4}").prop_map(|(user, at, text)| Step::Type(user, at, text)),
        2 => (0..USERS, any::<prop::sample::Index>(), 1..4usize).prop_map(|(user, at, count)| Step::Erase(user, at, count)),
        1 => (0..USERS, 0..USERS).prop_map(|(from, to)| Step::Sync(from, to)),
    ]
}

/// Writes a part and reads it back.
fn sent(part: &Part) -> Part {
    let mut writer = Writer::bare();
    part.write(&mut writer);
    let bytes = writer.into_bytes();
    let mut reader = Reader::bare(&bytes);
    let read = Part::read(&mut reader).expect("it was written");
    reader.end().expect("nothing is left");
    assert_eq!((&read, part.length()), (part, bytes.len()));
    read
}

/// What users did: the replica and the plain tree of each, and one part for each edit.
fn done(steps: &[Step]) -> (Vec<(Fugue, PlainTree)>, Vec<Part>) {
    let mut replicas = vec![(Fugue::default(), PlainTree::default()); USERS];
    let mut edits = Vec::new();
    for step in steps {
        match step {
            Step::Type(user, at, text) => {
                let (fugue, plain) = &mut replicas[*user];
                let position = at.index(fugue.len() + 1);
                let run = fugue.insert(actor(*user), position, text).expect("it is not beyond the end");
                edits.push(sent(&fugue.part(&[run], &[])));
                let typed = text.chars().enumerate();
                typed.for_each(|(offset, typed)| plain.insert(actor(*user), position + offset, typed));
            }
            Step::Erase(user, at, count) => {
                let (fugue, plain) = &mut replicas[*user];
                let position = at.index(fugue.len() + 1);
                let runs = fugue.erase(position, *count);
                edits.push(sent(&fugue.part(&[], &runs)));
                plain.erase(position, *count);
            }
            Step::Sync(from, to) => {
                let (fugue, plain) = replicas[*from].clone();
                let to = &mut replicas[*to];
                let lacking = sent(&fugue.since(to.0.written(), to.0.erased()));
                assert_eq!(to.0.take(&lacking), lacking, "nothing of it was known");
                to.1.merge(&plain);
            }
        }
    }
    (replicas, edits)
}

/// The edits in an order that keys tell, each once.
fn shuffled(edits: &[Part], keys: &[u32]) -> Vec<Part> {
    let mut order: Vec<usize> = (0..edits.len()).collect();
    order.sort_by_key(|&edit| keys[edit % keys.len()].wrapping_mul(edit as u32 | 1));
    order.into_iter().map(|edit| edits[edit].clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_replica_shows_what_the_tree_of_the_paper_shows(steps in prop::collection::vec(step(), 1..40)) {
        for (fugue, plain) in done(&steps).0 {
            prop_assert_eq!(fugue.text(), plain.text());
            let ids: Vec<Id> = fugue.runs().flat_map(|(run, text)| {
                assert_eq!(run.count() as usize, text.chars().count());
                (run.first..=run.last).map(move |number| Id { actor: run.actor, number })
            }).collect();
            prop_assert_eq!(&ids, &plain.shown());
            for (position, &id) in ids.iter().enumerate() {
                prop_assert_eq!((fugue.id_at(position), fugue.position_of(id)), (Some(id), Some(position)));
            }
            for id in plain.nodes.keys() {
                prop_assert_eq!(fugue.shows(*id), !plain.erased.contains(id));
            }
            prop_assert_eq!(fugue.waiting(), 0);
        }
    }

    #[test]
    fn edits_in_any_order_and_any_number_of_times_give_the_same_text(
        steps in prop::collection::vec(step(), 1..40),
        keys in prop::collection::vec(any::<u32>(), 1..40),
        other_keys in prop::collection::vec(any::<u32>(), 1..40),
    ) {
        let (replicas, edits) = done(&steps);
        let (mut all, mut plain) = replicas[0].clone();
        for (fugue, other) in &replicas {
            all.take(&fugue.whole());
            plain.merge(other);
        }
        prop_assert_eq!(all.text(), plain.text());
        let (mut one, mut passed_on) = (Fugue::default(), Fugue::default());
        for edit in shuffled(&edits, &keys).into_iter().chain(shuffled(&edits, &other_keys)) {
            let new = one.take(&edit);
            passed_on.take(&sent(&new));
            prop_assert!(one.take(&edit).is_empty(), "it is known now");
        }
        prop_assert_eq!((one.text(), one.waiting()), (plain.text(), 0));
        prop_assert_eq!(&one, &all);
        prop_assert_eq!(&passed_on, &all, "what was new is all that others need");
    }

    #[test]
    fn the_whole_comes_back_from_its_bytes_at_any_time(
        steps in prop::collection::vec(step(), 1..40),
        keys in prop::collection::vec(any::<u32>(), 1..40),
    ) {
        let mut fugue = Fugue::default();
        for edit in shuffled(&done(&steps).1, &keys) {
            fugue.take(&edit);
            let mut read = Fugue::default();
            read.take(&sent(&fugue.whole()));
            prop_assert_eq!((read.text(), read.waiting()), (fugue.text(), fugue.waiting()));
            prop_assert_eq!(&read, &fugue);
        }
        let stored = postcard::to_allocvec(&fugue).expect("memory takes it");
        prop_assert_eq!(postcard::from_bytes::<Fugue>(&stored).expect("its own bytes"), fugue.clone());
        let mut by_writer = Fugue::default();
        (0..USERS).for_each(|user| drop(by_writer.take(&sent(&fugue.of(actor(user))))));
        prop_assert_eq!(by_writer, fugue);
    }

    #[test]
    fn runs_that_users_type_at_one_place_unseen_by_each_other_are_not_interleaved(
        before in "[x-z]{0,5}",
        at in any::<prop::sample::Index>(),
        erased in 0..3usize,
        typed in prop::collection::vec((1..9usize, any::<bool>()), USERS),
        order in any::<bool>(),
    ) {
        let mut base = Fugue::default();
        base.insert(actor(2), 0, &before);
        let position = at.index(base.len() + 1);
        base.erase(position, erased);
        let mut all = base.clone();
        let mut users: Vec<usize> = (0..USERS).collect();
        if order {
            users.reverse();
        }
        for user in users {
            let (length, is_forward) = typed[user];
            let mut fugue = base.clone();
            for offset in 0..length {
                let at = if is_forward { position + offset } else { position };
                fugue.insert(actor(user), at, &user.to_string()).expect("it is not beyond the end");
            }
            all.take(&fugue.whole());
        }
        let text = all.text();
        for (user, (length, _)) in typed.into_iter().enumerate() {
            prop_assert!(text.contains(&user.to_string().repeat(length)), "{} of {} is torn in {}", length, user, text);
        }
    }

    #[test]
    fn damaged_bytes_are_refused_or_taken_and_never_more_than_they_say(
        steps in prop::collection::vec(step(), 1..20),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        any_bytes in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let (replicas, _) = done(&steps);
        let mut bytes = replicas[0].0.bytes();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for bytes in [bytes, any_bytes] {
            let Ok(part) = Part::read(&mut Reader::bare(&bytes)) else { continue };
            prop_assert!(part.pieces().len() <= bytes.len());
            let mut fugue = replicas[1].0.clone();
            fugue.take(&sent(&part));
            prop_assert_eq!(fugue.text().chars().count(), fugue.len());
            fugue.insert(actor(1), 0, "more");
            fugue.erase(0, 100);
            let mut read = Fugue::default();
            read.take(&sent(&fugue.whole()));
            prop_assert_eq!(read.len(), fugue.len());
        }
    }

    #[test]
    fn pieces_beside_anything_are_taken_in_any_order_or_wait(
        pieces in prop::collection::vec((0..USERS, 1..4u64, (0..USERS, 0..30u64), any::<bool>(), any::<bool>()), 1..20),
        keys in prop::collection::vec(any::<u32>(), 1..20),
    ) {
        let mut next = [1u64; USERS];
        let parts: Vec<Part> = pieces.into_iter().map(|(user, count, (other, number), is_left, is_erased)| {
            let run = Run { actor: actor(user), first: next[user], last: next[user] + count - 1 };
            next[user] += count;
            let parent = (number > 0 && (other != user || number < run.first)).then_some(Id { actor: actor(other), number });
            let side = if is_left && parent.is_some() { Side::Left } else { Side::Right };
            let text = if is_erased { String::new() } else { "é".repeat(count as usize) };
            Part::of(vec![Piece { run, parent, side, text }], VersionVector::default())
        }).collect();
        let (mut one, mut other) = (Fugue::default(), Fugue::default());
        parts.iter().for_each(|part| drop(one.take(&sent(part))));
        shuffled(&parts, &keys).iter().for_each(|part| drop(other.take(part)));
        prop_assert_eq!(one.runs().map(|(run, _)| run.count()).sum::<u64>(), other.len() as u64);
        prop_assert_eq!(ids(&one), ids(&other));
        prop_assert_eq!(one, other);
    }
}

fn ids(fugue: &Fugue) -> Vec<Id> {
    (0..fugue.len()).map(|position| fugue.id_at(position).expect("it is shown")).collect()
}

#[test]
fn what_is_typed_one_by_one_is_one_piece_and_a_keystroke_takes_few_bytes() {
    let mut fugue = Fugue::default();
    let mut lengths = Vec::new();
    for (position, typed) in "a sentence of some words".char_indices() {
        let run = fugue.insert(actor(1), position, &typed.to_string()).expect("it is at the end");
        lengths.push(fugue.part(&[run], &[]).length());
    }
    let whole = fugue.whole();
    assert_eq!((whole.pieces().len(), whole.length()), (1, 36));
    assert_eq!(lengths.iter().max(), Some(&13), "{lengths:?}");
    let erased = fugue.erase(7, 3);
    assert_eq!(fugue.part(&[], &erased).length(), 10);
    assert_eq!(fugue.text(), "a sentce of some words".replace("sentce", "sente"));
}

#[test]
fn a_piece_waits_for_its_parent_and_an_erase_may_come_first() {
    let (mut fugue, mut parts) = (Fugue::default(), Vec::new());
    for text in ["one", " two", " three"] {
        let run = fugue.insert(actor(0), fugue.len(), text).expect("it is at the end");
        parts.push(fugue.part(&[run], &[]));
    }
    let erased = fugue.erase(4, 3);
    let mut other = Fugue::default();
    other.take(&fugue.part(&[], &erased));
    other.take(&parts[2]);
    other.take(&parts[1]);
    assert_eq!((other.text().as_str(), other.waiting()), ("", 10));
    let whole = other.whole();
    assert!(whole.pieces().iter().all(|piece| !piece.text.contains("two")), "{whole:?}");
    other.take(&parts[0]);
    assert_eq!((other.text().as_str(), other.waiting()), ("one  three", 0));
    assert_eq!(other, fugue);
}

#[test]
fn no_number_makes_a_part_large_and_what_cannot_be_is_refused() {
    let written = |write: &dyn Fn(&mut Writer)| {
        let mut writer = Writer::bare();
        writer.number(1).number(1).number(1);
        write(writer.of(Kind::Payload));
        Part::read(&mut Reader::bare(&writer.into_bytes()))
    };
    // One piece of 2^61 characters at the beginning, all of them erased; no text.
    let huge = (1u64 << 61) - 1;
    let part = written(&|writer| {
        writer.number(1).number(0).number(huge).number(0).number(1).number(1).number(0).number(huge).number(0);
    });
    let part = part.expect("it is erased");
    let mut fugue = Fugue::default();
    fugue.take(&part);
    assert_eq!((part.pieces().len(), fugue.len(), part.length()), (1, 0, 28));
    fugue.insert(actor(0), 0, "in front").expect("it is the beginning");
    assert_eq!(fugue.text(), "in front");
    // The same, not erased.
    let short = written(&|writer| {
        writer.number(1).number(0).number(huge).number(0).number(1).number(0).number(0);
    });
    assert_eq!(short, Err(Malformed::Short));
    let left_of_the_beginning = written(&|writer| {
        writer.number(1).number(0).number(0).number(0).number(3).number(0).number(1).byte(b'a');
    });
    assert_eq!(left_of_the_beginning, Err(Malformed::Range("the parent of a piece")));
    let beside_itself = written(&|writer| {
        writer.number(1).number(0).number(0).number(0).number(0).number(0).number(1).byte(b'a');
    });
    assert_eq!(beside_itself, Err(Malformed::Range("the parent of a piece")));
    let beside_none = written(&|writer| {
        writer.number(1).number(0).number(0).number(0).number(2 << 2).number(0).number(1).byte(b'a');
    });
    assert_eq!(beside_none, Err(Malformed::Range("the parent of a piece")));
    let longer_than_its_run = written(&|writer| {
        writer.number(1).number(0).number(0).number(2).number(1).number(0).number(2).raw(b"ab");
    });
    assert_eq!(longer_than_its_run, Err(Malformed::Range("the length of a piece")));
    let beyond = written(&|writer| {
        writer.number(1).number(u64::MAX - 1).number(0);
    });
    assert_eq!(beyond, Err(Malformed::Range("the number of a character")));
    let more_text = written(&|writer| {
        writer.number(1).number(0).number(0).number(0).number(1).number(0).number(2).raw(b"ab");
    });
    assert_eq!(more_text, Err(Malformed::Long));
}

#[test]
fn nobody_types_beyond_the_end_or_beside_what_is_not_here() {
    let mut fugue = Fugue::default();
    assert_eq!(fugue.insert(actor(0), 1, "a"), None);
    assert_eq!(fugue.insert(actor(0), 0, ""), None);
    let run = fugue.insert(actor(0), 0, "ac").expect("it is the beginning");
    let [a, other] = [Id { actor: run.actor, number: 1 }, Id { actor: actor(1), number: 1 }];
    assert_eq!(fugue.insert_after(actor(1), Some(other), "b"), None);
    fugue.erase(0, 1);
    fugue.insert_after(actor(1), Some(a), "b").expect("it is erased, and its place is there");
    assert_eq!(fugue.text(), "bc");
    assert_eq!((fugue.position_of(a), fugue.shows(a), fugue.shows(other)), (Some(0), false, true));
}
