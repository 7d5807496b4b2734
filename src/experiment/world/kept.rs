//! The door for what a journal keeps of worlds: the rest of the experiment counts on what is asked for here.

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::Said;
use crate::domain::oracle::OracleId;
use crate::domain::verdict::Verdict;
use crate::report::offline_record::EngineRecord;

/// Judges that judge every world.
const ALWAYS: [OracleId; 2] = [OracleId::Truth, OracleId::Faults];

/// The latest time, in milliseconds, that a histogram of them takes.
const LATEST_MS: u64 = 1 << 53;

fn whole<E: Error>(said: &Said) -> Result<(), E> {
    match ALWAYS.into_iter().find(|judge| !said.contains_key(judge)) {
        Some(judge) => Err(E::custom(format!("the judge '{judge}' says nothing"))),
        None => Ok(()),
    }
}

/// What judges say, and the verdict.
pub(super) fn judged<'de, D: Deserializer<'de>>(from: D) -> Result<(Said, Verdict), D::Error> {
    let judged = <(Said, Verdict)>::deserialize(from)?;
    whole(&judged.0).map(|()| judged)
}

/// The row of an engine.
pub(super) fn row<'de, D: Deserializer<'de>>(from: D) -> Result<EngineRecord, D::Error> {
    let row = EngineRecord::deserialize(from)?;
    whole(&row.oracles).map(|()| row)
}

/// A time of a world.
pub(super) fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    match Option::deserialize(from)? {
        Some(ms) if ms > LATEST_MS => Err(D::Error::custom(format!("no world lasts {ms} ms"))),
        time => Ok(time),
    }
}
