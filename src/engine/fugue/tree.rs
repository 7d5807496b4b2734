//! The tree of Fugue: beside which character each was typed, and on which side.
//!
//! Its order is: what is on the left of a character, the character, what is on its right; on one side, by id. A run of
//! characters that were typed one after the other is one piece: each but the first is on the right of the one before.
//!
//! Knows: characters that are in the sequence. Must not: know their texts, or which are erased.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use super::sequence::Gap;
use crate::engine::vector::Actor;

/// A character: its writer, by the place of that in the tree, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// The writer.
    pub writer: u32,
    /// The number.
    pub number: u64,
}

impl Node {
    /// The writer's character so many later.
    pub fn plus(self, more: u64) -> Node {
        Node { number: self.number + more, ..self }
    }
}

/// A side of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Before it.
    Left,
    /// After it.
    Right,
}

/// Where a character was typed: on a side of another, or of the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beside {
    /// The other; none is the beginning.
    pub parent: Option<Node>,
    /// The side.
    pub side: Side,
}

/// Characters of one writer that were typed one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// Where the first was typed.
    pub beside: Beside,
}

/// First characters of stretches beside one character, by side and id.
type Children = SmallVec<[(Side, Node); 1]>;

/// The tree.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    writers: IndexSet<Actor, FxBuildHasher>,
    /// By writer, ascending.
    stretches: Vec<Vec<Stretch>>,
    children: BTreeMap<Option<Node>, Children>,
}

impl Tree {
    /// The place of a writer, which it gets if it is new.
    pub fn writer(&mut self, actor: Actor) -> u32 {
        let (place, is_new) = self.writers.insert_full(actor);
        if is_new {
            self.stretches.push(Vec::new());
        }
        place as u32
    }

    /// The place of a writer that is known.
    pub fn writer_of(&self, actor: Actor) -> Option<u32> {
        self.writers.get_index_of(&actor).map(|place| place as u32)
    }

    /// Who it is.
    pub fn actor(&self, writer: u32) -> Actor {
        self.writers[writer as usize]
    }

    fn stretch_of(&self, node: Node) -> Option<&Stretch> {
        let of_writer = self.stretches.get(node.writer as usize)?;
        let stretch = of_writer.get(of_writer.partition_point(|of| of.last < node.number))?;
        (stretch.first <= node.number).then_some(stretch)
    }

    /// Whether a character is in the tree.
    pub fn has(&self, node: Node) -> bool {
        self.stretch_of(node).is_some()
    }

    /// What is in the tree between two numbers, each cut to that: what a cut leaves begins beside the character before.
    pub fn between(&self, writer: u32, first: u64, last: u64) -> impl Iterator<Item = Stretch> {
        let of_writer = self.stretches.get(writer as usize).map_or(&[][..], Vec::as_slice);
        let from = of_writer.partition_point(|of| of.last < first);
        of_writer[from..].iter().take_while(move |of| of.first <= last).map(move |of| {
            let cut = Stretch { last: of.last.min(last), ..*of };
            match of.first < first {
                true => Stretch { first, beside: after(Node { writer, number: first - 1 }), ..cut },
                false => cut,
            }
        })
    }

    /// Where a user types who means the place right after a character, or the beginning. `next` is what follows there.
    pub fn beside(&self, before: Option<Node>, next: Option<Node>) -> Beside {
        let has_right = before.and_then(|node| self.goes_on(node)).is_some()
            || self.children.get(&before).is_some_and(|of| of.last().is_some_and(|last| last.0 == Side::Right));
        match next.filter(|_| has_right) {
            Some(_) => Beside { parent: next, side: Side::Left },
            None => Beside { parent: before, side: Side::Right },
        }
    }

    /// Where in the sequence the first of new characters is, whose parent is in the tree.
    pub fn gap(&self, beside: Beside, first: Node) -> Gap {
        let Beside { parent, side } = beside;
        let siblings = self.children.get(&parent).map_or(&[][..], SmallVec::as_slice);
        let place = siblings.partition_point(|&of| self.order(of, (side, first)).is_lt());
        match (side, parent) {
            (Side::Left, Some(parent)) => match siblings.get(place) {
                Some(&(Side::Left, next)) => Gap::Before(self.leftmost(next)),
                _ => Gap::Before(parent),
            },
            _ => {
                let explicit = siblings[..place].last().filter(|of| of.0 == Side::Right).map(|of| of.1);
                let implicit = parent.and_then(|of| self.goes_on(of)).filter(|&of| self.by_id(of, first).is_lt());
                let before = explicit.into_iter().chain(implicit).max_by(|&one, &other| self.by_id(one, other));
                match before.map(|of| self.rightmost(of)).or(parent) {
                    Some(before) => Gap::After(before),
                    None => Gap::Start,
                }
            }
        }
    }

    /// Adds characters that are not in the tree yet.
    pub fn add(&mut self, writer: u32, mut new: Stretch) {
        let of_writer = &mut self.stretches[writer as usize];
        let place = of_writer.partition_point(|of| of.last < new.first);
        let next = of_writer
            .get(place)
            .filter(|next| next.first == new.last + 1 && next.beside == after(Node { writer, number: new.last }));
        if let Some(last) = next.map(|next| next.last) {
            let taken = std::mem::replace(&mut new.last, last);
            of_writer.remove(place);
            remove_child(&mut self.children, Node { writer, number: taken });
        }
        let before = place.checked_sub(1).map(|before| &mut of_writer[before]);
        if new.beside == after(Node { writer, number: new.first - 1 })
            && let Some(before) = before.filter(|before| before.last + 1 == new.first)
        {
            before.last = new.last;
            return;
        }
        of_writer.insert(place, new);
        let child = (new.beside.side, Node { writer, number: new.first });
        let siblings = self.children.get(&new.beside.parent).map_or(&[][..], SmallVec::as_slice);
        let place = siblings.partition_point(|&of| self.order(of, child).is_lt());
        self.children.entry(new.beside.parent).or_default().insert(place, child);
    }

    /// The character that was typed right after this one by the same writer, where that is no child by itself.
    fn goes_on(&self, node: Node) -> Option<Node> {
        self.stretch_of(node).filter(|of| node.number < of.last).map(|_| node.plus(1))
    }

    fn by_id(&self, one: Node, other: Node) -> Ordering {
        (self.actor(one.writer), one.number).cmp(&(self.actor(other.writer), other.number))
    }

    fn order(&self, one: (Side, Node), other: (Side, Node)) -> Ordering {
        one.0.cmp(&other.0).then_with(|| self.by_id(one.1, other.1))
    }

    /// The first of all that is beside a character, or beside those.
    fn leftmost(&self, mut node: Node) -> Node {
        while let Some(&(_, left)) =
            self.children.get(&Some(node)).and_then(|of| of.first()).filter(|of| of.0 == Side::Left)
        {
            node = left;
        }
        node
    }

    /// The last of all that is beside a character, or beside those.
    fn rightmost(&self, mut node: Node) -> Node {
        loop {
            let last = Node { number: self.stretch_of(node).map_or(node.number, |of| of.last), ..node };
            let beside = self.children.range(Some(node)..=Some(last));
            let right = beside.filter_map(|(&of, children)| {
                let child = children.last().filter(|child| child.0 == Side::Right)?.1;
                let is_last = of == Some(last) || self.by_id(child, of?.plus(1)).is_gt();
                is_last.then_some(child)
            });
            match right.into_iter().next() {
                Some(child) => node = child,
                None => return last,
            }
        }
    }
}

/// A stretch began on the right of a character, and goes on from it now.
fn remove_child(children: &mut BTreeMap<Option<Node>, Children>, parent: Node) {
    if let Some(of) = children.get_mut(&Some(parent)) {
        of.retain(|child| *child != (Side::Right, parent.plus(1)));
        if of.is_empty() {
            children.remove(&Some(parent));
        }
    }
}

/// Right after a character.
pub fn after(node: Node) -> Beside {
    Beside { parent: Some(node), side: Side::Right }
}
