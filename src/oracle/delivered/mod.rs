//! What was delivered, counted where the subjects are called and apart from whoever chose the orders; and what that is
//! worth.
//!
//! An explorer claims something of its orders: that they are all there are, that every tuple occurs, that they are drawn.
//! A claim is a warrant only where the count of what was delivered says so; where it does not, the run says what is
//! missing, and holds nothing about order.
//!
//! Knows: deltas as they are delivered, and claims. Must not: know how orders are made.

pub mod audit;
pub mod identity;
pub mod slice;
pub mod tuples;

use crate::domain::count::counted;
use crate::domain::delta::{Generate, SplitMix64, Xorshift64};
use crate::domain::explorer::{Audit, Claim, IdentifiedBy};
use crate::domain::seed::Seed;
use crate::domain::verdict::{FEWEST_SAMPLES, Warrant};
use audit::Auditor;
use identity::{Distinct, Identity, Sequence};
use slice::Slice;
use tuples::Tuples;

/// Up to so many deliveries the orders of an explorer are listed in the record, those of a family always.
const LISTED_UP_TO: u64 = 4096;

/// What was delivered of a workload of the bench engine's deltas.
pub struct Delivered {
    seed: u64,
    deltas: u64,
    groups: Vec<Group>,
    distinct: Distinct,
    deliveries: u64,
    /// Whether every order so far was the one by index.
    by_index: bool,
    /// The sum of the marks of all deltas, once it was asked for.
    marks: Option<u64>,
    order: OrderOnItsWay,
    /// What was delivered here, in slices.
    slices: Vec<Slice>,
}

/// The orders of one explorer.
struct Group {
    claim: Claim,
    planned: u64,
    orders: u64,
    sequence: Sequence,
    tuples: Option<Tuples>,
    auditor: Option<Auditor>,
    /// What those that were delivered elsewhere look like.
    audit: Option<Audit>,
    /// The orders, as far as the record lists them.
    listed: Vec<Vec<u32>>,
    lists: bool,
}

/// The order that is being delivered.
struct OrderOnItsWay {
    group: usize,
    position: u64,
    identity: Identity,
    /// The sum of the marks of the deltas that came: all orders of the same deltas have the same.
    sum: u64,
    /// What was delivered, where it is needed as a whole.
    whole: Vec<u32>,
    keeps: bool,
    audited: bool,
    indices: Vec<u32>,
}

/// An order that does not deliver each delta of the workload once: a fault of the harness.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{delivered} deliveries of {deltas} deltas do not deliver each of them once")]
pub struct NoPermutation {
    /// Deliveries that were made.
    pub delivered: u64,
    /// Deltas of the workload.
    pub deltas: u64,
}

/// Why agreement over the delivered orders is worth nothing: a sentence without its full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unwarranted {
    /// The orders are not what they were said to be.
    FalseClaim(String),
    /// They are, and that bounds nothing.
    Nothing(String),
}

/// What one explorer's orders came to.
pub struct Measured {
    /// Orders that were delivered whole.
    pub orders: u64,
    /// What tells them, in their order, from any others: see [`Sequence`].
    pub digest: String,
    /// The ordered tuples that occurred, where they were claimed: their length, how many occurred, how many there are.
    pub tuples: Option<(u32, u64, u64)>,
    /// What they look like, where they were said to be drawn.
    pub audit: Option<Audit>,
    /// The orders, where they are few and short or of a family.
    pub listed: Vec<Vec<u32>>,
}

impl Group {
    /// Whether its orders are needed as wholes.
    fn keeps(&self) -> bool {
        self.tuples.is_some() || self.lists
    }

    fn add(&mut self, identity: u128, whole: Option<&Vec<u32>>) {
        self.orders += 1;
        self.sequence.add(identity);
        if let (Some(tuples), Some(whole)) = (&mut self.tuples, whole) {
            tuples.add(whole);
        }
        self.listed.extend(whole.filter(|_| self.lists).cloned());
    }

    /// What its drawn orders look like, the first of them that were looked at.
    fn audited(&self) -> Option<Audit> {
        self.audit.clone().or_else(|| Some(self.auditor.as_ref().filter(|_| self.orders > 0)?.audit()))
    }
}

impl Delivered {
    /// Nothing so far, of a workload of so many deltas under this seed, whose orders come from explorers with these claims.
    pub fn new(seed: Seed, deltas: u64, claims: impl IntoIterator<Item = (Claim, u64)>) -> Self {
        let groups: Vec<Group> = claims
            .into_iter()
            .map(|(claim, planned)| Group {
                claim,
                planned,
                orders: 0,
                sequence: Sequence::default(),
                tuples: match claim {
                    Claim::EveryTuple { strength } => Some(Tuples::none(deltas, strength)),
                    _ => None,
                },
                auditor: matches!(claim, Claim::Drawn { .. }).then(|| Auditor::new(deltas)),
                audit: None,
                listed: Vec::new(),
                lists: matches!(claim, Claim::EveryTuple { .. })
                    || planned.checked_mul(deltas).is_some_and(|deliveries| deliveries <= LISTED_UP_TO),
            })
            .collect();
        let every_order = groups.iter().any(|group| group.claim == Claim::EveryOrder);
        let order = OrderOnItsWay {
            group: 0,
            position: 0,
            identity: Identity::new(deltas),
            sum: 0,
            whole: Vec::new(),
            keeps: false,
            audited: false,
            indices: Vec::new(),
        };
        Delivered {
            seed: seed.value(),
            deltas,
            groups,
            distinct: Distinct::none(every_order.then(|| factorial(deltas)).flatten()),
            deliveries: 0,
            by_index: true,
            marks: None,
            order,
            slices: Vec::new(),
        }
    }

    /// The same for orders that come after those that are looked at for chance.
    pub fn of_later_orders(mut self) -> Self {
        self.groups.iter_mut().for_each(|group| group.auditor = None);
        self
    }

    /// An order of this explorer begins.
    pub fn begin(&mut self, explorer: usize) {
        if self.slices.last().is_none_or(|slice| slice.explorer != explorer) {
            self.slices.push(Slice::none(explorer));
        }
        let group = &mut self.groups[explorer];
        let order = &mut self.order;
        (order.group, order.position, order.sum) = (explorer, 0, 0);
        order.identity = Identity::new(self.deltas);
        order.whole.clear();
        order.keeps = group.keeps();
        order.audited = group.auditor.as_ref().is_some_and(Auditor::takes_more);
        if let Some(auditor) = group.auditor.as_mut().filter(|_| order.audited) {
            auditor.begin();
        }
    }

    /// These deltas are delivered to every subject. Which they are is computed from their values: the generator is one to
    /// one.
    ///
    /// # Errors
    /// If one is none of the workload's.
    pub fn deliver(&mut self, arrivals: &[u64]) -> Result<(), NoPermutation> {
        let order = &mut self.order;
        let (seed, deltas) = (self.seed, self.deltas);
        order.indices.clear();
        order.indices.extend(arrivals.iter().map(|&delta| {
            let index = Xorshift64::invert(delta) ^ seed;
            u32::try_from(index).unwrap_or(u32::MAX)
        }));
        self.deliveries += arrivals.len() as u64;
        let slice = self.slices.last_mut().expect("an order has begun");
        slice.deliveries += arrivals.len() as u64;
        if order.position + arrivals.len() as u64 > deltas
            || order.indices.iter().any(|&index| u64::from(index) >= deltas)
        {
            return Err(NoPermutation { delivered: order.position + arrivals.len() as u64, deltas });
        }
        let OrderOnItsWay { indices, position, .. } = order;
        order.sum = indices.iter().fold(order.sum, |sum, &index| sum.wrapping_add(mark(index.into())));
        let by_index = (*position..).zip(indices.iter()).all(|(position, &index)| u64::from(index) == position);
        self.by_index &= by_index;
        slice.by_index &= by_index;
        order.identity.deliver(indices);
        let group = &mut self.groups[order.group];
        if let Some(auditor) = group.auditor.as_mut().filter(|_| order.audited) {
            auditor.deliver(*position, indices);
        }
        if order.keeps {
            order.whole.extend_from_slice(indices);
        }
        *position += indices.len() as u64;
        Ok(())
    }

    /// The order has been delivered whole. Whether it is a new one.
    ///
    /// # Errors
    /// If it did not deliver each delta of the workload once.
    pub fn end(&mut self) -> Result<(), NoPermutation> {
        let order = &mut self.order;
        let all_marks = || (0..self.deltas).fold(0u64, |sum, index| sum.wrapping_add(mark(index)));
        if order.position != self.deltas || order.sum != *self.marks.get_or_insert_with(all_marks) {
            return Err(NoPermutation { delivered: order.position, deltas: self.deltas });
        }
        let identity = order.identity.finish();
        let group = &mut self.groups[order.group];
        let slice = self.slices.last_mut().expect("an order has begun");
        slice.add(identity);
        if order.keeps {
            slice.whole.push(order.whole.clone());
        }
        group.add(identity, order.keeps.then_some(&order.whole));
        if let Some(auditor) = group.auditor.as_mut().filter(|_| order.audited) {
            auditor.end(identity);
        }
        self.distinct.add(identity);
        Ok(())
    }

    /// What was delivered here, in slices: one whenever the explorer changes.
    pub fn into_slices(self) -> Vec<Slice> {
        let Delivered { mut slices, groups, .. } = self;
        for (explorer, group) in groups.iter().enumerate() {
            if let Some(first) = slices.iter_mut().find(|slice| slice.explorer == explorer) {
                first.audit = group.audited();
            }
        }
        slices
    }

    /// Takes in what was delivered elsewhere, after what came before.
    ///
    /// # Errors
    /// If it cannot have been delivered of these orders: a sentence without its full stop.
    pub fn absorb(&mut self, slice: &Slice) -> Result<(), String> {
        let deltas = self.deltas;
        let group = self.groups.get_mut(slice.explorer).ok_or("there is no explorer of this number")?;
        let orders = slice.orders().filter(|orders| *orders <= group.planned - group.orders);
        let orders = orders.ok_or("there are more orders than were planned")?;
        let keeps = group.keeps();
        let wholes = if keeps { orders } else { 0 };
        let is_order = |order: &Vec<u32>| {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            sorted.len() as u64 == deltas && (0..).zip(&sorted).all(|(place, index)| place == *index)
        };
        if slice.whole.len() as u64 != wholes || !slice.whole.iter().all(is_order) {
            return Err("the listed orders are not those of the deltas".to_owned());
        }
        let most = self.distinct.most();
        if slice.identities().any(|identity| most.is_some_and(|most| identity >= most.into())) {
            return Err("an order has a rank that no order has".to_owned());
        }
        let mut whole = slice.whole.iter();
        for identity in slice.identities() {
            group.add(identity, whole.next());
            self.distinct.add(identity);
        }
        group.audit = group.audit.take().or_else(|| slice.audit.clone());
        self.by_index &= slice.by_index;
        self.deliveries = self.deliveries.saturating_add(slice.deliveries);
        Ok(())
    }

    /// Orders that were delivered whole.
    pub fn orders(&self) -> u64 {
        self.groups.iter().map(|group| group.orders).sum()
    }

    /// How many of them differ.
    pub fn distinct(&self) -> u64 {
        self.distinct.number()
    }

    /// How they were told apart.
    pub fn identified_by(&self) -> IdentifiedBy {
        IdentifiedBy::of(self.deltas)
    }

    /// Deliveries that were made to each subject.
    pub fn deliveries(&self) -> u64 {
        self.deliveries
    }

    /// Whether the only order was the one by index.
    pub fn by_index_alone(&self) -> bool {
        self.deltas > 1 && self.orders() > 0 && self.by_index
    }

    /// What each explorer's orders came to, in the order in which the explorers were given.
    pub fn measured(&self) -> Vec<Measured> {
        let of = |group: &Group| Measured {
            orders: group.orders,
            digest: group.sequence.text(),
            tuples: group
                .tuples
                .as_ref()
                .map(|seen| (seen.strength(), seen.number(), tuples::all(self.deltas, seen.strength()))),
            audit: group.audited(),
            listed: group.listed.clone(),
        };
        self.groups.iter().map(of).collect()
    }

    /// What all subjects agreeing over these orders is worth, or why it is worth nothing.
    pub fn warrant(&self, measured: &[Measured]) -> Result<Warrant, Unwarranted> {
        let deltas = self.deltas;
        let claimed = || self.groups.iter().zip(measured).filter(|(group, _)| group.orders > 0);
        let all = factorial(deltas).filter(|_| deltas <= IdentifiedBy::RANKED_UP_TO);
        let distinct = self.distinct();
        for (group, measured) in claimed() {
            match (group.claim, &measured.tuples, &measured.audit) {
                (Claim::EveryOrder, ..) if all != Some(distinct) => {
                    return Err(Unwarranted::FalseClaim(format!(
                        "not every order was delivered: {distinct} different ones of {} were, in {} deliveries of whole \
                         orders; the explorer is at fault",
                        all.map_or_else(|| format!("{deltas}!"), |all| all.to_string()),
                        group.orders
                    )));
                }
                (_, Some((strength, seen, of)), _) if seen != of => {
                    return Err(Unwarranted::FalseClaim(format!(
                        "not every ordered {strength}-tuple of deltas was delivered: {seen} of {of} were, in {} orders; the \
                         family is not complete",
                        group.orders
                    )));
                }
                (.., Some(Audit { rejected: Some(reason), .. })) => {
                    return Err(Unwarranted::FalseClaim(format!("the orders are not as chance gives them: {reason}")));
                }
                _ => {}
            }
        }
        if all == Some(distinct) {
            return Ok(Warrant::Proved { deltas });
        }
        let covered = measured.iter().filter_map(|measured| measured.tuples).filter(|(_, seen, of)| seen == of);
        if let Some((strength, tuples, _)) = covered.max() {
            return Ok(Warrant::Covered { strength, tuples });
        }
        let drawn = claimed().find_map(|(group, _)| match group.claim {
            Claim::Drawn { by } => Some((group.orders, by)),
            _ => None,
        });
        match drawn {
            Some((orders, by)) if orders >= FEWEST_SAMPLES => Ok(Warrant::Sampled { orders, by: Some(by) }),
            Some((orders, _)) => Err(Unwarranted::Nothing(format!(
                "{} of {deltas} deltas say nothing about the others; at least {FEWEST_SAMPLES} bound how many could \
                 disagree: ask for them, such as --orders sample:64, with --budget {} or more",
                counted(orders, "drawn order"),
                FEWEST_SAMPLES * deltas
            ))),
            None => Err(Unwarranted::Nothing(format!(
                "{} chosen by hand say nothing about the others: ask for drawn ones besides, such as --orders sample:64, or \
                 for --orders auto",
                counted(distinct, "order")
            ))),
        }
    }
}

/// What a delta adds to the sum of an order.
fn mark(index: u64) -> u64 {
    SplitMix64.generate(index)
}

/// n!, where it fits 64 bits.
fn factorial(n: u64) -> Option<u64> {
    (1..=n).try_fold(1u64, u64::checked_mul)
}

#[cfg(test)]
mod tests;
