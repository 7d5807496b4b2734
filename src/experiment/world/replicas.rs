//! What nodes say of themselves, where they do: when faults are over and nobody is connected again, and in the end.

use crate::domain::offline::OfflineTrial;
use crate::engine::host::NodeId;
use crate::engine::port::Report;
use crate::lab::{NodeSnapshot, Outcome};
use crate::report::offline_record::{Moment, ReplicaRecord};

/// Nodes that a record keeps.
const SHOWN: usize = 4;

/// Those that a record tells of: the hub first, an edge, and clients.
pub fn told_of(trial: &OfflineTrial) -> Vec<NodeId> {
    let above = (trial.clients..trial.nodes()).take(2);
    above.chain(0..trial.clients).take(SHOWN).collect()
}

/// What they say at both times.
pub fn rows(trial: &OfflineTrial, outcome: &Outcome) -> Vec<ReplicaRecord> {
    let row =
        |when| move |kept: &NodeSnapshot| kept.report.clone().map(|report| row(when, trial.name(kept.number), report));
    let before = outcome.when_faults_ended.iter().filter_map(row(Moment::FaultsOver));
    before.chain(outcome.in_the_end.iter().filter_map(row(Moment::Settled))).collect()
}

fn row(when: Moment, node: String, report: Report) -> ReplicaRecord {
    let Report {
        statuses,
        backlog,
        backlog_deltas,
        backlog_messages,
        replays,
        rebuilds,
        requeued,
        refused,
        unmergeable,
        refusals,
        audit,
    } = report;
    ReplicaRecord {
        node,
        when,
        statuses,
        backlog,
        backlog_deltas,
        backlog_messages,
        replays,
        rebuilds,
        requeued,
        refused,
        unmergeable,
        refusals,
        audit,
    }
}
