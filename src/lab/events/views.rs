//! Whether replicas go on showing what they have shown. It looks at what they show, and asks no engine anything else.
//!
//! **Counters.** It works in a world whose edits have unique amounts of a certain form: the lowest [`WEIGHT_BITS`] bits of an
//! amount are its weight, a positive number, whichever sign the amount has, and all weights of a register together are below
//! 2^[`WEIGHT_BITS`]. What a register shows tells the sum of the weights of the edits that it shows. As long as a replica
//! only adds edits, that sum never becomes less: if it does, an edit that was shown is not shown any more, or one that was
//! shown twice is shown once. An edit that vanishes in the very step in which heavier edits come is not seen; weights are
//! random, so that few of many hide.
//!
//! **Other data types.** A part that is gone from what a replica showed must have been taken away by an edit that can have come
//! ([`data::may_be_gone`]). A record is shown with all its labels, or not at all.
//!
//! A replica whose own store is lost, damaged, set back or replaced starts anew. One whose power failed does not: what it shows
//! when it starts again is counted by itself, too. Where a crash may come within what a device does, it is looked at as soon as
//! its user sees an edit accepted.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::{
    self,
    seen::{Edited, Terms, Whereabouts},
};
use crate::domain::data::{Carries, Part, View};
use crate::domain::history::{Sighting, UserEdit};
use crate::domain::offline::OfflineTrial;
use crate::domain::over_time::{FirstHalf, FirstUnshown, Halves, Unshown};
use crate::engine::host::{NodeId, Time};
use crate::engine::port::Position;
use crate::lab::events::{Event, Replica};
use crate::lab::holdings::Holdings;
use crate::lab::reach::Reach;

/// Bits of a weight.
pub const WEIGHT_BITS: u32 = 44;

/// What a replica showed when it was looked at last.
#[derive(Debug)]
struct Shown {
    position: Option<Position>,
    weights: Vec<u64>,
    /// By number of the register, of those that show any.
    parts: BTreeMap<u32, BTreeSet<Part>>,
}

/// An edit that means what is shown, and what its user had seen.
#[derive(Debug)]
struct Kept {
    device: NodeId,
    number: u32,
    edit: UserEdit,
    is_accepted: bool,
    sighting: Sighting,
}

/// Registers that show less than before, ascending, and of others than counters each part that is gone.
type Less = Vec<(u32, Option<Part>)>;

/// What all replicas of a world showed.
#[derive(Debug)]
pub struct Views {
    start: i64,
    carries: Carries,
    names: Vec<String>,
    shown: Vec<Option<Shown>>,
    /// By client, how many edits it has made, and how many of them before its own store was lost: where those are, nobody
    /// knows for certain any more.
    made: Vec<u32>,
    made_before_loss: Vec<u32>,
    /// By register.
    edits: BTreeMap<u32, Vec<Kept>>,
    /// Nodes whose power failed over a message.
    over_message: BTreeSet<NodeId>,
    unshown: Unshown,
}

impl Views {
    /// Nothing was shown yet, by replicas that carry this.
    pub fn of(trial: &OfflineTrial, carries: Carries) -> Self {
        let names: Vec<String> = (0..trial.nodes()).map(|node| trial.name(node)).collect();
        let none = vec![0; trial.clients as usize];
        Views {
            start: trial.start,
            carries,
            shown: names.iter().map(|_| None).collect(),
            names,
            made: none.clone(),
            made_before_loss: none,
            edits: BTreeMap::new(),
            over_message: BTreeSet::new(),
            unshown: Unshown { halves: (trial.records.registers > 0).then(Halves::default), ..Unshown::default() },
        }
    }

    /// What was not shown any more.
    pub fn unshown(&self) -> &Unshown {
        &self.unshown
    }

    fn looks(&mut self, node: NodeId, replica: &Replica<'_>, now: Time, visible: Visible<'_>) -> Less {
        let position = replica.position();
        let before = &self.shown[node as usize];
        if position.is_some() && before.as_ref().is_some_and(|before| before.position == position) {
            return Less::new();
        }
        // What is no counter has no weight: the amounts of a stock are those of its users.
        let weight = |shown: &View| match shown {
            View::Counter(number) => number.wrapping_sub(self.start) as u64 & ((1 << WEIGHT_BITS) - 1),
            _ => 0,
        };
        let views = replica.shows();
        let weights: Vec<u64> = views.iter().map(weight).collect();
        if let Some(halves) = &mut self.unshown.halves {
            looks_at_records(halves, &self.names[node as usize], &views, now);
        }
        // A world may have a million counters.
        let with_parts = (0..).zip(views.iter()).filter(|(_, view)| !matches!(view, View::Counter(_)));
        let parts = with_parts.map(|(register, view)| (register, view.parts())).filter(|(_, parts)| !parts.is_empty());
        let shown = Shown { position, weights, parts: parts.collect() };
        let less = before.as_ref().map(|before| self.less(node, now, before, &shown, visible));
        self.shown[node as usize] = Some(shown);
        let Some(less) = less else { return Less::new() };
        self.unshown.compared += views.len() as u64;
        self.unshown.less += less.len() as u64;
        self.keeps_first(node, now, &less, |unshown| &mut unshown.first);
        less
    }

    fn keeps_first(
        &mut self,
        node: NodeId,
        at: Time,
        less: &Less,
        first: impl FnOnce(&mut Unshown) -> &mut Option<FirstUnshown>,
    ) {
        if let Some(&(register, part)) = less.first() {
            let name = &self.names[node as usize];
            first(&mut self.unshown).get_or_insert_with(|| FirstUnshown { node: name.clone(), register, part, at });
        }
    }

    /// A node starts again, its store not lost.
    fn starts(&mut self, node: NodeId, replica: &Replica<'_>, now: Time, visible: Visible<'_>) {
        let is_told = !self.over_message.remove(&node);
        let mut had_shown = false;
        // Positions of two starts cannot be compared.
        if let Some(shown) = &mut self.shown[node as usize] {
            shown.position = None;
            had_shown = !shown.parts.is_empty() || shown.weights.iter().any(|&weight| weight > 0);
        }
        let less = self.looks(node, replica, now, visible);
        if had_shown && is_told {
            self.unshown.restarts.compared += 1;
            self.unshown.restarts.less += less.len() as u64;
            self.keeps_first(node, now, &less, |unshown| &mut unshown.restarts.first);
        }
    }

    /// The registers that show less than before, ascending, and of others than counters each part that is gone.
    fn less(&self, node: NodeId, at: Time, before: &Shown, now: &Shown, visible: Visible<'_>) -> Less {
        let weights = (0..).zip(now.weights.iter().zip(&before.weights));
        let counters = weights.filter(|(_, (now, before))| now < before).map(|(register, _)| (register, None));
        let nothing = BTreeSet::new();
        let gone = before.parts.iter().flat_map(|(register, before)| {
            let now = now.parts.get(register).unwrap_or(&nothing);
            before.difference(now).map(|&part| (*register, part))
        });
        let gone = gone.filter(|&part| !self.may_be_gone(node, at, part, visible));
        counters.chain(gone.map(|(register, part)| (register, Some(part)))).collect()
    }

    /// Whether an edit that can have come explains that a part is gone from a replica.
    fn may_be_gone(&self, node: NodeId, now: Time, (register, part): (u32, Part), (known, reach): Visible<'_>) -> bool {
        let kept = self.edits.get(&register).map_or(&[][..], Vec::as_slice);
        let edits = kept.iter().map(|kept| {
            let Kept { device, number, edit, ref sighting, .. } = *kept;
            Edited { device: device as usize, number, edit, sighting }
        });
        let edits: Vec<Edited<'_>> = edits.collect();
        let accepted = kept.iter().filter(|kept| kept.is_accepted).map(|kept| (kept.device, kept.number));
        let (accepted, may_have) = (accepted.collect(), reach.of_node(node).unwrap_or(&[]));
        let at_node = AtNode { node, accepted, known, may_have, lost: &self.made_before_loss };
        data::may_be_gone(part, &edits, Terms { carries: self.carries, now, ..Terms::default() }, &at_node)
    }

    /// A user edits, and means what is shown.
    fn keeps(&mut self, device: NodeId, edit: &UserEdit, is_accepted: bool, sighting: &Sighting) {
        let (number, sighting) = (self.made[device as usize], sighting.clone());
        let kept = Kept { device, number, edit: *edit, is_accepted, sighting };
        self.edits.entry(edit.register).or_default().push(kept);
    }

    /// A replica starts anew.
    fn forgets(&mut self, node: NodeId) {
        self.shown[node as usize] = None;
        if let Some(&made) = self.made.get(node as usize) {
            self.made_before_loss[node as usize] = made;
        }
    }

    /// This happens now. `visible` tells what has come to whom.
    pub fn sees(&mut self, now: Time, event: &Event<'_>, visible: Visible<'_>) {
        match *event {
            Event::Edited { client, edit, accepted, sighting, ref shows, .. } => {
                if let Some(sighting) = sighting {
                    self.keeps(client, edit, accepted.is_some(), sighting);
                }
                self.made[client as usize] += 1;
                shows.iter().for_each(|replica| _ = self.looks(client, replica, now, visible));
            }
            Event::Acted { node, ref replica } => _ = self.looks(node, replica, now, visible),
            Event::Received { to, replica: None, .. } => _ = self.over_message.insert(to),
            Event::Started { node, ref replica } => self.starts(node, replica, now, visible),
            Event::StoreLost { node }
            | Event::StoreDamaged { node }
            | Event::StoreSetBack { node }
            | Event::StoreCopied { to: node, .. } => self.forgets(node),
            _ => {}
        }
    }
}

/// Counts the records that a replica shows, and those of which it shows half.
fn looks_at_records(halves: &mut Halves, node: &str, views: &[View], now: Time) {
    for (register, record) in (0..).zip(views).filter_map(|(register, view)| Some((register, view.record()?))) {
        halves.looked += 1;
        if let Some(label) = record.lacks() {
            halves.half += 1;
            halves.first.get_or_insert_with(|| FirstHalf { node: node.to_owned(), register, label, at: now });
        }
    }
}

/// What is known of the edits at a replica.
struct AtNode<'a> {
    node: NodeId,
    /// Those that their users saw accepted; others may be in no store.
    accepted: BTreeSet<(NodeId, u32)>,
    /// Which have come for certain.
    known: &'a Holdings,
    /// By client, so many can have come, and so many were made before its store was lost.
    may_have: &'a [u32],
    lost: &'a [u32],
}

/// Whether an edit is one of so many of its author.
fn is_among(edit: &Edited<'_>, counts: &[u32]) -> bool {
    counts.get(edit.device).is_some_and(|&count| edit.number < count)
}

impl Whereabouts for AtNode<'_> {
    fn is_known(&self, edit: &Edited<'_>) -> bool {
        !is_among(edit, self.lost)
    }

    fn is_there(&self, edit: &Edited<'_>) -> bool {
        let is_own = edit.device == self.node as usize;
        self.accepted.contains(&(edit.device as NodeId, edit.number))
            && (is_own || self.known.holds(self.node, edit.device as NodeId, edit.number) == Some(true))
    }

    fn may_be_there(&self, edit: &Edited<'_>) -> bool {
        is_among(edit, self.may_have)
    }
}

/// What has come to whom: for certain, and at most.
pub type Visible<'a> = (&'a Holdings, &'a Reach);
