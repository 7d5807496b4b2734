//! What users of the small world do, one register of one data type, and what the ledger has of it.
//!
//! Every edit makes a part that no other edit makes, so that what a replica shows tells which edits had come to it.
//!
//! Knows: edits and views. Must not: know an engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::data::stock::{self, Account, Done};
use crate::domain::data::{DataType, Element, Fields, Intent, Part, Value, View};
use crate::domain::every_delivery::Bounds;
use crate::domain::history::{Fate, Had, Ledger, Sighting, UserEdit};
use crate::domain::letter::Letter;
use crate::domain::over_time::{Frozen, Holders, Spending};
use crate::lab::events::holders::{FirstFrozen, FirstHolders};
use crate::lab::events::spending;

/// How many labels a record has.
const RECORD_LABELS: u32 = 2;

/// The registers of the world.
pub(super) fn fields(bounds: &Bounds) -> Fields {
    let none = Fields::default();
    match bounds.data {
        DataType::Counter => Fields::counters(1, 0),
        DataType::Stock => Fields { stocks: 1, ..none },
        DataType::Tags => Fields { tags: 1, elements: bounds.clients * bounds.edits, ..none },
        DataType::Label => Fields { labels: 1, ..none },
        DataType::Record => Fields { records: 1, record_labels: RECORD_LABELS, record_elements: 1, ..none },
        DataType::Text => Fields { texts: 1, ..none },
        DataType::Claim => Fields { claims: 1, ..none },
        DataType::Case => Fields { cases: 1, case_items: bounds.clients * bounds.edits, ..none },
    }
}

/// What the user of a client does with its edit of this number.
///
/// | data type | edit `i` of client `c` |
/// |---|---|
/// | counter | adds 1, and 64 times 4 to the power of `c` times the edits of each plus `i`: what is shown tells how often each edit counts, up to three times |
/// | stock | client 0 supplies 1 unit, then transfers the right to client 1, and then takes 1; the others take 1 each time |
/// | tags | inserts an element of its own, or removes the first element of the next client, in turn; client 0 begins with an insert, client 1 with a remove |
/// | label | writes a value of its own |
/// | claim | asks in the name of a value of its own |
/// | case | does an item of its own; the last edit of each client asks to close the case, but for client 0 where there is one edit alone |
/// | text | client 0 types a word, letter after letter. The others type at the beginning, and their second edit erases the first letter of the next client |
/// | record | client 0 creates it, and nobody creates it again: what a deleted record had held, no view tells. Its next edit deletes it. Others set a label to a value of their own |
pub(super) fn intent(bounds: &Bounds, client: u32, number: u32) -> Intent {
    let own = client * bounds.edits + number;
    match bounds.data {
        // All amounts share their lowest bit, so that a merge without carries is wrong.
        DataType::Counter => Intent::Increase(1 << (6 + 2 * own) | 1),
        DataType::Stock => match (client, number) {
            (0, 0) => Intent::Supply(1),
            (0, 1) if bounds.clients > 1 => Intent::Transfer { to: 1, units: 1 },
            _ => Intent::Take(1),
        },
        DataType::Tags if (client + number).is_multiple_of(2) => Intent::Insert(own),
        DataType::Tags => {
            let next = (client + 1) % bounds.clients;
            Intent::Remove(next * bounds.edits + (next % 2).min(bounds.edits - 1))
        }
        DataType::Label => Intent::Write(u64::from(own) + 1),
        DataType::Claim => Intent::Claim(u64::from(own) + 1),
        DataType::Case if number + 1 == bounds.edits && (bounds.edits > 1 || client > 0) => Intent::Close,
        DataType::Case => Intent::Do(own),
        DataType::Text => {
            let letter = |client: u32, number: u32| Letter::numbered((client * bounds.edits + number).into());
            let next = (client + 1) % bounds.clients;
            match number {
                // The others type at the beginning: each letter in front of the one before.
                _ if client > 0 && number > 0 && number % 2 == 1 => Intent::Erase(letter(next, 0)),
                0 => Intent::Type { after: None, letter: letter(client, 0) },
                number if client == 0 => Intent::Type { after: Some(letter(0, number - 1)), letter: letter(0, number) },
                number => Intent::Type { after: None, letter: letter(client, number) },
            }
        }
        DataType::Record => {
            let value = 1 + u64::from(own * RECORD_LABELS);
            match (client, number) {
                (0, 0) => Intent::Create(value),
                (0, number) if number % 2 == 1 => Intent::Delete,
                _ => Intent::Set { field: own % RECORD_LABELS, value },
            }
        }
    }
}

/// Which edit made a part: the client, and the number of the edit. That a record is there, many edits make, and several ask to
/// close a case.
fn maker(bounds: &Bounds, part: Part) -> Option<(usize, u32)> {
    let own = match part {
        Part::Element(element) | Part::Tag(element) | Part::Item(element) => element,
        Part::Value(value) | Part::Claim(value) => (value.max(1) - 1).min(u64::from(u32::MAX)) as u32,
        Part::Field { value, .. } => (value.max(1) - 1).min(u64::from(u32::MAX)) as u32 / RECORD_LABELS,
        Part::Letter(letter) => {
            (0..bounds.clients * bounds.edits).find(|&own| Letter::numbered(own.into()) == letter)?
        }
        Part::Record | Part::Close => return None,
    };
    Some(((own / bounds.edits) as usize, own % bounds.edits))
}

/// What the user of one node did.
pub(super) struct OfUser<'a> {
    /// How many edits it tried to make.
    pub(super) edits: u32,
    /// Of these, a bit each, those that it never saw accepted, and those that its engine refused.
    pub(super) excused: u32,
    pub(super) declined: u32,
    /// What the register showed before each of them, where edits mean that.
    pub(super) seen: &'a [View],
    /// The first holder that the register showed, and the first other one.
    pub(super) holders: [Option<Value>; 2],
    /// The items with which the case was first shown as closed, and the first others.
    pub(super) frozen: &'a [Option<BTreeSet<Element>>; 2],
}

impl OfUser<'_> {
    fn was_declined(&self, number: u32) -> bool {
        self.declined >> number & 1 == 1
    }
}

/// The ledger of all users, without what was refused. Edits of a stock alone are refused, and those have no sightings: so the
/// number of a sighting is that of its edit.
pub(super) fn ledger(bounds: &Bounds, users: &[OfUser<'_>]) -> Ledger {
    let edit = |client: usize, user: &OfUser<'_>, number: u32| UserEdit {
        at: 0,
        register: 0,
        intent: intent(bounds, client as u32, number),
        fate: if user.excused >> number & 1 == 1 { Fate::Unshared } else { Fate::Binding },
    };
    let of = |(client, user): (usize, &OfUser<'_>)| {
        let made = (0..user.edits).filter(|&number| !user.was_declined(number));
        made.map(|number| edit(client, user, number)).collect()
    };
    let mut seen = Seen { bounds, users, had: BTreeMap::new() };
    let mut sightings = BTreeMap::new();
    if bounds.data.means_what_is_shown() {
        for (client, user) in users.iter().enumerate() {
            for (number, shown) in (0..).zip(user.seen) {
                let had = seen.had(client, number);
                let may_have: Arc<[u32]> = had.clone().into();
                let sighting = Sighting { shown: shown.clone(), had: Had::upto(&had, Arc::new([])), may_have, wall: 0 };
                sightings.insert((client, number), sighting);
            }
        }
    }
    Ledger { fields: fields(bounds), by_device: users.iter().enumerate().map(of).collect(), sightings }
}

/// What users had seen: what their replicas showed, and what those who made that had seen.
struct Seen<'a> {
    bounds: &'a Bounds,
    users: &'a [OfUser<'a>],
    had: BTreeMap<(usize, u32), Vec<u32>>,
}

impl Seen<'_> {
    /// Up to which edit of each user the one who makes this edit has seen all.
    fn had(&mut self, client: usize, number: u32) -> Vec<u32> {
        if let Some(had) = self.had.get(&(client, number)) {
            return had.clone();
        }
        let mut had = vec![0; self.users.len()];
        had[client] = number;
        // A part that nobody made stops the search: its edit had seen nothing that is known.
        self.had.insert((client, number), had.clone());
        let own_before = number.checked_sub(1).map(|before| (client, before));
        let shown = self.users[client].seen.get(number as usize).map(View::parts).unwrap_or_default();
        let made = shown.into_iter().filter_map(|part| maker(self.bounds, part));
        let known: Vec<(usize, u32)> =
            made.filter(|&(by, of)| self.users.get(by).is_some_and(|user| of < user.edits)).chain(own_before).collect();
        for (by, of) in known {
            had[by] = had[by].max(of + 1);
            let before = self.had(by, of);
            had.iter_mut().zip(before).for_each(|(had, before)| *had = before.max(*had));
        }
        self.had.insert((client, number), had.clone());
        had
    }
}

/// Who was shown as the holder, at all nodes. A walk has no true time.
pub(super) fn holders(bounds: &Bounds, users: &[OfUser<'_>], name: impl Fn(u32) -> String) -> Option<Holders> {
    if bounds.data != DataType::Claim {
        return None;
    }
    let mut holders = FirstHolders::default();
    for (node, user) in (0..).zip(users) {
        user.holders.into_iter().flatten().for_each(|holder| holders.is_shown(0, (holder, node, 0)));
    }
    Some(holders.seen(name))
}

/// With which items the case was shown as closed, at all nodes.
pub(super) fn frozen(bounds: &Bounds, users: &[OfUser<'_>], name: impl Fn(u32) -> String) -> Option<Frozen> {
    if bounds.data != DataType::Case {
        return None;
    }
    let mut frozen = FirstFrozen::default();
    for (node, user) in (0..).zip(users) {
        user.frozen.iter().flatten().for_each(|items| frozen.is_shown(0, (items.clone(), node, 0)));
    }
    Some(frozen.seen(name))
}

/// What was taken out of the stock, in all. A walk has no true time: supplies count as the first.
pub(super) fn spending(bounds: &Bounds, users: &[OfUser<'_>], name: impl Fn(u32) -> String) -> Option<Spending> {
    if bounds.data != DataType::Stock {
        return None;
    }
    let of = |(client, user): (u32, &OfUser<'_>)| {
        let made = (0..user.edits).filter(|&number| !user.was_declined(number));
        let done = |number| {
            let (intent, is_accepted) = (intent(bounds, client, number), user.excused >> number & 1 == 0);
            Done { at: 0, device: client, intent, is_accepted }
        };
        made.map(done).collect::<Vec<Done>>()
    };
    let mut done: Vec<Done> = (0..).zip(users).flat_map(of).collect();
    let Account { supplied, takes, taken, overspent } = stock::account(&mut done);
    Some(Spending {
        supplied,
        takes,
        taken,
        refused: users.iter().map(|user| u64::from(user.declined.count_ones())).sum(),
        overspent: overspent.iter().map(stock::Overspent::missing).sum(),
        first: overspent.first().map(|over| spending::named(over, 0, &name)),
        ..Spending::default()
    })
}
