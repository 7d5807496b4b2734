//! Judgements of worlds, one file each: they see the ledger of the users and what replicas show. Durability also asks which
//! ids a replica holds, and progress what it has left to send; truth and counting ask no replica.

pub mod convergence;
pub mod durability;
pub mod exactly_once;
pub mod faults;
pub mod frozen;
pub mod load;
pub mod metadata;
pub mod missing;
pub mod monotonic;
pub mod outbox;
pub mod overspending;
pub mod progress;
pub mod running;
pub mod specified;
pub mod staleness_bound;
pub mod truth;
pub mod uniqueness;
pub mod whole_records;

use crate::domain::count::counted;
use crate::domain::history::{CutOff, History};
use crate::domain::nearest::meant;
use crate::domain::oracle::OracleId;
use crate::domain::verdict::Verdict;

/// What a judge says of a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Its verdict.
    pub verdict: Verdict,
    /// Why, a sentence without its full stop.
    pub sentence: String,
}

impl Judgement {
    fn of(holds: bool, sentence: String) -> Self {
        Judgement { verdict: if holds { Verdict::Holds } else { Verdict::Falsified }, sentence }
    }
}

/// What every judge that has something to judge says of a world. A judge of the end can tell nothing of a world that was cut
/// off before its replicas had a chance to agree. What was seen while the world ran stands all the same.
pub fn judgements(history: &History) -> impl Iterator<Item = (OracleId, Judgement)> {
    let of_the_end = JUDGES.iter().map(|&(id, judge)| match history.cut_off {
        None => (id, judge(history)),
        Some(why) => (id, Judgement { verdict: Verdict::Inconclusive, sentence: cut_off(history, why) }),
    });
    of_the_end.chain(JUDGES_OVER_TIME.iter().filter_map(|&(id, judge)| Some((id, judge(history)?))))
}

/// All judges of worlds.
pub fn ids() -> impl Iterator<Item = OracleId> {
    JUDGES.iter().map(|&(id, _)| id).chain(JUDGES_OVER_TIME.iter().map(|&(id, _)| id))
}

/// The judge of worlds of this name.
///
/// # Errors
/// If no judge of worlds has this name, with the names that there are.
pub fn find(name: &str) -> Result<OracleId, String> {
    let names = || ids().map(OracleId::name);
    ids().find(|id| id.name() == name).ok_or_else(|| {
        let allowed = names().collect::<Vec<_>>().join(", ");
        format!("'{}' is not a judge{}; allowed are {allowed}", name.escape_debug(), meant(name, names()))
    })
}

fn cut_off(history: &History, why: CutOff) -> String {
    match why {
        CutOff::BeforeFaultsEnded(deliveries) => {
            format!("cut off after {}, before faults were over", counted(deliveries, "message"))
        }
        CutOff::WhileWaiting { next, under_way } => {
            let are = if under_way == 1 { "was on its" } else { "were on their" };
            let waited =
                (history.backlog > 0).then(|| format!("{} waited to be sent", counted(history.backlog, "change")));
            let came = (under_way > 0).then(|| format!("{} {are} way", counted(under_way, "message")));
            let waiting: Vec<String> = waited.into_iter().chain(came).collect();
            let (waiting, what) = match (waiting.is_empty(), under_way) {
                (true, _) => ("a replica had something left to do".to_owned(), "attempt"),
                (false, 0) => (waiting.join(" and "), "attempt"),
                (false, _) => (waiting.join(" and "), "message or attempt"),
            };
            format!(
                "cut off while {waiting}: the next {what} was to come {} s after faults were over, and the bound is {} s; \
                 give a longer settle_s",
                next / 1_000_000,
                history.settle_bound / 1_000_000
            )
        }
        CutOff::EngineFailed => "the world ended when the engine failed".to_owned(),
    }
}

/// A judge of what a world came to.
pub type Judge = fn(&History) -> Judgement;

/// A judge of what was seen while a world ran; nothing where the scenario asks for no such thing.
pub type JudgeOverTime = fn(&History) -> Option<Judgement>;

/// All judges of what was seen while a world ran.
pub const JUDGES_OVER_TIME: &[(OracleId, JudgeOverTime)] = &[
    (OracleId::Monotonic, monotonic::judge),
    (OracleId::Running, running::judge),
    (OracleId::StalenessBound, staleness_bound::judge),
    (OracleId::Load, load::judge),
    (OracleId::Outbox, outbox::judge),
    (OracleId::Overspending, overspending::judge),
    (OracleId::WholeRecords, whole_records::judge),
    (OracleId::Uniqueness, uniqueness::judge),
    (OracleId::Frozen, frozen::judge),
];

/// All judges of what a world came to.
pub const JUDGES: &[(OracleId, Judge)] = &[
    (OracleId::Convergence, convergence::judge),
    (OracleId::Truth, truth::judge),
    (OracleId::Durability, durability::judge),
    (OracleId::ExactlyOnce, exactly_once::judge),
    (OracleId::Progress, progress::judge),
    (OracleId::Metadata, metadata::judge),
    (OracleId::Faults, faults::judge),
];
