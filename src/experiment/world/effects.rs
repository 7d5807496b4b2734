//! What faults did in all worlds of an engine, and what a fault that never took effect means for its verdict.

use crate::domain::fault_count::{self, FaultCounts};
use crate::domain::history::History;
use crate::domain::oracle::OracleId;
use crate::domain::verdict::Verdict;
use crate::oracle::offline::faults;
use crate::report::offline_record::EngineRecord;

/// Takes the counts of faults out of a history: they are judged once for all worlds.
pub(super) fn taken_out(history: &mut History) -> FaultCounts {
    std::mem::take(&mut history.faults)
}

/// Another world of the same scenario was tried.
pub(super) fn add(row: &mut EngineRecord, counts: &FaultCounts) {
    fault_count::add(&mut row.faults, counts);
}

/// All worlds were tried: an engine whose world left out a fault that was asked for does not hold.
pub(super) fn tell(row: &mut EngineRecord) {
    // A world that was cut off says nothing, of its faults neither.
    if row.oracles.get(&OracleId::Faults).is_none_or(|(verdict, _)| *verdict != Verdict::Holds) {
        return;
    }
    let said = faults::counts(&row.faults);
    if said.verdict != Verdict::Holds && row.verdict == Verdict::Holds {
        row.verdict = said.verdict;
    }
    row.oracles.insert(OracleId::Faults, (said.verdict, said.sentence));
}
