//! What a replica says of itself: statuses, backlog, audit, and what repairs come to.

use std::collections::BTreeMap;

use crate::domain::count::counted;
use crate::engine::delta_summary::Replica;
use crate::engine::delta_summary::repair::{Backlog, Change, Status, Whose};
use crate::engine::host::{Entropy, Host};
use crate::engine::port::Report;
use crate::engine::store::StoreError;
use crate::engine::store::disk::Disk;

/// Changes of one register that a report keeps.
const AUDITED: usize = 4;

impl Replica {
    /// What it says of itself. `disk` is a copy of its own: the replica stays as it is.
    pub fn report(&self, disk: Disk) -> Report {
        let mut statuses = BTreeMap::new();
        for status in self.statuses().into_iter().flatten() {
            let name = match status {
                Status::Local => "local",
                Status::Syncing => "syncing",
                Status::Synced => "synced",
                Status::Modified => "modified",
                Status::Failed => "failed",
            };
            *statuses.entry(name.to_owned()).or_default() += 1;
        }
        let audited = self.sums().iter().position(|&sum| sum != 0).unwrap_or(0) as u32;
        let mut host = Host::new(disk, Entropy::Counted(0));
        // What the store has against each of these is told, once.
        let mut refusals: Vec<String> = Vec::new();
        let mut told = |error: StoreError| refusals.push(error.to_string());
        let replays = self.replays(&mut host.store).map_err(&mut told).is_ok_and(|replays| replays);
        let audit = self.audit(&mut host.store, audited).map_err(&mut told).unwrap_or_default();
        let mut rebuilt = self.clone();
        let rebuilds = rebuilt.rebuild(&mut host).map_err(&mut told).is_ok() && rebuilt.sums() == self.sums();
        host.sent.clear();
        let requeued = self.clone().requeue(&mut host).map_err(&mut told).map_or(0, |()| host.sent.len() as u64);
        refusals.dedup();
        let Backlog { edits, deltas, messages } = self.backlog();
        let (refused, unmergeable) = self.troubles();
        Report {
            statuses,
            backlog: edits,
            backlog_deltas: deltas,
            backlog_messages: messages,
            replays,
            rebuilds,
            requeued,
            refused,
            unmergeable: unmergeable.map(str::to_owned),
            refusals,
            audit: told_of_register(audited, &audit),
        }
    }
}

/// The last changes of a register, the latest first, and what all before them come to: together, what it shows.
fn told_of_register(register: u32, audit: &[Change]) -> Vec<String> {
    let told = |Change { whose, amount, through }: &Change| {
        let through = match (through, whose) {
            (Some(id), _) => format!(", message {:08x} from node {}", id.checksum, id.from),
            (None, Whose::Image { .. }) => String::new(),
            (None, _) => ", made here".to_owned(),
        };
        format!("register {register} {amount:+} {whose}{through}")
    };
    let (before, last) = audit.split_at(audit.len().saturating_sub(AUDITED));
    let opening = match before {
        [] => None,
        [only] => Some(told(only)),
        [first, ..] => {
            let amount = before.iter().fold(0i64, |sum, change| sum.wrapping_add(change.amount));
            let image = match first.whose {
                Whose::Image { .. } => format!(", the first of them {}", first.whose),
                _ => String::new(),
            };
            Some(format!("register {register} {amount:+} by {} before these{image}", counted(before.len(), "change")))
        }
    };
    last.iter().rev().map(told).chain(opening).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::{Fields, Intent};
    use crate::engine::delta_summary::node::ReplicaNode;
    use crate::engine::port::Engine;
    use crate::engine::port::{Relation, Settings};
    use crate::engine::store::Owner;

    /// A leaf of eight registers.
    fn settings() -> Settings {
        Settings {
            node: 0,
            client: 0,
            fields: Fields::counters(8, 0),
            serves: false,
            is_root: false,
            serves_relays: false,
            retry_after: 2_000_000,
            retry_at_most: 300_000_000,
            retries: 1000,
            handshakes: 4,
            linger: 1_000_000,
            fragment: 4096,
            retain: 64,
            compact_after: 4096,
            mutant: None,
        }
    }

    /// What a leaf does before it is asked.
    type Life = fn(&mut ReplicaNode, &mut Host<Disk>);

    /// What the record keeps of a leaf, for whose messages nobody is there.
    fn row_after(life: Life) -> Report {
        let settings = Settings { retries: 2, ..settings() };
        let mut host = Host::new(Disk::new(Owner { scenario: 0, client: 0 }), Entropy::Counted(0));
        let mut node = ReplicaNode::open(settings, &mut host).expect("memory");
        life(&mut node, &mut host);
        node.report(host.store).expect("it tells")
    }

    #[test]
    fn a_row_of_the_record_tells_statuses_backlog_audit_and_what_repairs_come_to() {
        let edit: Life = |node, host| {
            node.edit(host, 3, Intent::Increase(5))
                .and_then(|()| node.edit(host, 3, Intent::Increase(-1)))
                .expect("memory");
        };
        let row = row_after(edit);
        assert_eq!(row.statuses, BTreeMap::from([("local".to_owned(), 1)]));
        assert_eq!((row.backlog, row.backlog_deltas, row.backlog_messages), (2, 0, 0));
        assert_eq!((row.replays, row.rebuilds, row.requeued), (true, true, 0), "there is nobody to send to");
        assert_eq!(row.audit.len(), 2);
        assert!(
            row.audit[0].starts_with("register 3 -1 by 0.") && row.audit[0].ends_with(" 2-2, made here"),
            "{row:?}"
        );
    }

    #[test]
    fn the_rows_of_an_audit_come_to_what_the_register_shows_however_many_changes_there_were() {
        for edits in [1, 4, 5, 6, 30, 200] {
            // Twenty entries are compacted to an image: an opening line, and then what came after.
            let settings = Settings { compact_after: 20, ..settings() };
            let mut host = Host::new(Disk::new(Owner { scenario: 0, client: 0 }), Entropy::Counted(0));
            let mut node = ReplicaNode::open(settings, &mut host).expect("memory");
            (0..edits).for_each(|edit| node.edit(&mut host, 3, Intent::Increase(100 + edit)).expect("memory"));
            let row = node.report(host.store).expect("it tells");
            let amount = |line: &String| line.split(' ').nth(2).and_then(|amount| amount.parse::<i64>().ok());
            let sum: Option<i64> = row.audit.iter().map(amount).sum();
            assert_eq!(sum, node.shows()[3].number(), "{edits}: {:?}", row.audit);
            assert!(row.audit.len() <= AUDITED + 1, "{edits}: {:?}", row.audit);
            assert!(edits > 6 || row.audit.len() as i64 == edits.min(AUDITED as i64 + 1), "{edits}: {:?}", row.audit);
            let opening =
                row.audit.last().is_some_and(|line| line.contains("from before the last compaction, by 1 client"));
            assert_eq!(opening, edits >= 30, "{edits}: {:?}", row.audit);
        }
    }

    #[test]
    fn a_row_tells_of_a_neighbour_that_was_given_up_and_of_what_a_requeue_would_send() {
        let life: Life = |node, host| {
            node.edit(host, 3, Intent::Increase(5)).expect("memory");
            node.connected(host, 1, Relation::Parent).expect("memory");
            while let Some(at) = node.wakes_at() {
                host.now = at;
                node.wake(host).expect("memory");
            }
        };
        let row = row_after(life);
        assert_eq!(row.statuses, BTreeMap::from([("failed".to_owned(), 1)]));
        assert_eq!((row.backlog, row.backlog_deltas, row.backlog_messages), (1, 1, 1));
        assert_eq!(row.requeued, 1, "the handshake");
    }

    #[test]
    fn a_row_tells_when_the_store_is_not_what_is_shown() {
        let life: Life = |node, host| {
            node.edit(host, 3, Intent::Increase(5)).expect("memory");
            host.store.damage(0);
        };
        let row = row_after(life);
        assert_eq!((row.replays, row.rebuilds, row.audit.len()), (false, false, 0));
        assert!(row.refusals.len() == 1 && row.refusals[0].contains("damaged"), "{row:?}");
    }
}
