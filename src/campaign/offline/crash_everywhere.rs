//! Every crash and every order of deliveries in a small world.

use crate::campaign::Progress;
use crate::domain::offline::CrashEverywhereTrial;
use crate::domain::subject::SubjectError;
use crate::domain::watch::Watch;
use crate::report::record::Unseen;

/// Walks.
pub fn run(_trial: &CrashEverywhereTrial, _progress: &mut Progress, _watch: &mut dyn Watch) -> Result<(), SubjectError> {
    Err(SubjectError::Unavailable("not yet".to_owned()))
}

/// What such a trial cannot see.
pub fn unseen(_trial: &CrashEverywhereTrial) -> Unseen {
    Unseen::default()
}
