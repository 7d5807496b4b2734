//! Whether more units were taken out of a stock than were supplied, at any instant, and what users were refused.
//!
//! A device that is alone edits with the time that it has, and the lab hears of it later: so what was done is put in the
//! order of true time when the world is at its end.

use std::collections::BTreeMap;

use super::Event;
use crate::data::stock::{self, Account, Done};
use crate::domain::data::{DataType, Intent};
use crate::domain::history::UserEdit;
use crate::domain::offline::OfflineTrial;
use crate::domain::over_time::{Overspent, RefusedUnits, Spending as Spent};
use crate::engine::host::{NodeId, Time};
use crate::lab::holdings::Holdings;

/// A refusal by the engine's rule.
#[derive(Debug)]
struct Refused {
    at: Time,
    node: NodeId,
    register: u32,
    units: u32,
    /// How many units the replica showed.
    shown: i64,
    /// To how many units the device held rights for certain.
    held: i64,
}

/// A transfer of rights.
#[derive(Debug)]
struct Transferred {
    register: u32,
    by: NodeId,
    /// Its number among the edits of its author.
    number: usize,
    to: NodeId,
    units: u32,
}

/// A take of more units than were left, with the name of its device.
pub fn named(over: &stock::Overspent, register: u32, name: impl Fn(NodeId) -> String) -> Overspent {
    let stock::Overspent { take, left } = *over;
    Overspent { node: name(take.device), register, at: take.at, units: take.intent.spends(), left }
}

/// What is observed of stocks; nothing in a world without any.
#[derive(Debug, Default)]
pub struct Spending {
    is_on: bool,
    /// By register, what was done.
    done: BTreeMap<u32, Vec<Done>>,
    refused: Vec<Refused>,
    transferred: Vec<Transferred>,
    /// By register and device, how many units the device supplied, and neither took nor transferred since. It starts anew
    /// with the device's store.
    own: BTreeMap<(u32, NodeId), i64>,
    /// Units to which stores held rights when they were lost, at least.
    frozen: u64,
    /// Whether a store was lost, damaged, set back or replaced: then a transfer that has come to a device need not be there.
    is_any_lost: bool,
    /// By register, when a store was first set back or damaged whose device had changed that stock.
    rights_came_back: BTreeMap<u32, Time>,
}

impl Spending {
    /// Nothing yet.
    pub fn of(trial: &OfflineTrial) -> Self {
        Spending { is_on: trial.fields().count(DataType::Stock) > 0, ..Spending::default() }
    }

    fn edited(&mut self, at: Time, (device, number): (NodeId, usize), edit: &UserEdit, is_accepted: bool) {
        let UserEdit { register, intent, .. } = *edit;
        self.done.entry(register).or_default().push(Done { at, device, intent, is_accepted });
        let own = self.own.entry((register, device)).or_default();
        *own += match intent {
            Intent::Supply(units) if is_accepted => i64::from(units),
            Intent::Supply(_) => 0,
            intent => -i64::from(intent.spends()),
        };
        if let Intent::Transfer { to, units } = intent
            && is_accepted
        {
            self.transferred.push(Transferred { register, by: device, number, to, units });
        }
    }

    /// To how many units the rights have come to a device for certain.
    fn received(&self, register: u32, device: NodeId, known: &Holdings) -> i64 {
        if self.is_any_lost {
            return 0;
        }
        let has_come = |of: &&Transferred| {
            let is_known = known.holds(device, of.by, of.number as u32) == Some(true);
            of.register == register && of.to == device && of.by != device && is_known
        };
        self.transferred.iter().filter(has_come).map(|of| i64::from(of.units)).sum()
    }

    fn refused(&mut self, at: Time, node: NodeId, edit: &UserEdit, shown: i64, known: &Holdings) {
        let UserEdit { register, intent, .. } = *edit;
        let own = self.own.get(&(register, node)).copied().unwrap_or(0);
        // A transfer is also refused where its receiver is not known yet, which nobody can see from here.
        let held = match intent {
            Intent::Take(_) => own + self.received(register, node, known),
            _ => 0,
        };
        self.refused.push(Refused { at, node, register, units: intent.spends(), shown, held });
    }

    /// A device starts with another store: what the old one held is spent by nobody, unless the store comes back.
    fn forgets(&mut self, node: NodeId) {
        self.is_any_lost = true;
        for (_, own) in self.own.iter_mut().filter(|((_, device), _)| *device == node) {
            self.frozen += (*own).max(0) as u64;
            *own = 0;
        }
    }

    /// A store comes back as it was at some time before.
    fn comes_back(&mut self, node: NodeId, now: Time) {
        self.is_any_lost = true;
        for ((register, _), own) in self.own.iter_mut().filter(|((_, device), _)| *device == node) {
            self.rights_came_back.entry(*register).or_insert(now);
            // Nobody knows from here what is in the store.
            *own = i64::MIN / 2;
        }
    }

    /// What was seen, once the world is at its end; nothing in a world without stocks.
    pub fn seen(&self, name: impl Fn(NodeId) -> String) -> Option<Spent> {
        if !self.is_on {
            return None;
        }
        let accounts: Vec<(u32, Account)> =
            self.done.iter().map(|(&register, done)| (register, stock::account(&mut done.clone()))).collect();
        let of_register = |(register, account): &(u32, Account)| {
            account.overspent.iter().map(|&over| (*register, over)).collect::<Vec<_>>()
        };
        let mut overspent: Vec<(u32, stock::Overspent)> = accounts.iter().flat_map(of_register).collect();
        // A take that no set-back explains is named first.
        let is_after = |&(register, over): &(u32, stock::Overspent)| {
            self.rights_came_back.get(&register).is_some_and(|&came_back| came_back <= over.take.at)
        };
        overspent.sort_by_key(|of| (is_after(of), of.1.take.at, of.0, of.1.take.device));
        let sum = |of: fn(&Account) -> u64| accounts.iter().map(|(_, account)| of(account)).sum();
        let left_at = |register: u32, at: Time| -> i64 {
            let until = self.done.get(&register).into_iter().flatten().filter(|done| done.at <= at);
            until.filter_map(|done| done.intent.amount()).sum()
        };
        let left_when_refused =
            self.refused.iter().filter(|of| left_at(of.register, of.at) >= i64::from(of.units)).count() as u64;
        let wrongly = |had: fn(&Refused) -> i64| {
            let wrong: Vec<&Refused> = self.refused.iter().filter(|of| had(of) >= i64::from(of.units)).collect();
            let first = wrong.first().map(|of| RefusedUnits {
                node: name(of.node),
                register: of.register,
                at: of.at,
                units: of.units,
                had: had(of),
            });
            (wrong.len() as u64, first)
        };
        Some(Spent {
            supplied: sum(|of| of.supplied),
            takes: sum(|of| of.takes),
            taken: sum(|of| of.taken),
            refused: self.refused.len() as u64,
            left_when_refused,
            frozen: self.frozen,
            overspent: overspent.iter().map(|(_, over)| over.missing()).sum(),
            first: overspent.first().map(|&(register, over)| named(&over, register, &name)),
            refused_held: wrongly(|of| of.held),
            refused_shown: wrongly(|of| of.shown),
            all_after_set_back: !overspent.is_empty() && overspent.iter().all(is_after),
        })
    }

    /// This happens now. `known` tells which edits have come to whom.
    pub fn sees(&mut self, now: Time, event: &Event<'_>, known: &Holdings) {
        if !self.is_on {
            return;
        }
        match *event {
            Event::Edited { client, number, edit, made_at, accepted, .. } if edit.intent.of() == DataType::Stock => {
                self.edited(made_at, (client, number), edit, accepted.is_some());
            }
            Event::EditRefused { client, edit, at, by_rule: Some(shown) } => {
                self.refused(at, client, edit, shown, known)
            }
            Event::StoreLost { node } | Event::StoreCopied { to: node, .. } => self.forgets(node),
            Event::StoreDamaged { node } | Event::StoreSetBack { node } => self.comes_back(node, now),
            _ => {}
        }
    }
}
