//! What a run claims to have tested: every claimed kind of fault, with the checks that hold and would have noticed it.

use std::collections::BTreeSet;

use crate::domain::fault::FaultClass;
use crate::domain::verdict::Verdict;
use crate::report::record::{Check, ClaimRecord};

/// What a tick's message is called, as what a check is about.
pub const MESSAGE: &str = "message";

/// The claims of a run about subjects: of each, that these kinds of fault were tried by a check that holds.
pub fn of_subjects(classes: &[FaultClass], checks: &[Check]) -> Vec<ClaimRecord> {
    let mut seen = BTreeSet::new();
    let subjects = checks.iter().flat_map(|check| check.subjects.keys()).filter(|&name| seen.insert(name));
    let of_subject = |name: &String| {
        let concerns = |check: &Check| check.subjects.contains_key(name);
        classes.iter().map(|&class| claim(class, name, checks, &concerns)).collect::<Vec<_>>()
    };
    subjects.collect::<Vec<_>>().into_iter().flat_map(of_subject).collect()
}

/// A claim of a subject, with those of the checks about it that hold and would have noticed the fault.
pub fn claim(class: FaultClass, of: &str, checks: &[Check], concerns: &dyn Fn(&Check) -> bool) -> ClaimRecord {
    let tried = checks.iter().filter(|check| check.verdict == Verdict::Holds && check.tries.contains(&class));
    let tried_by = tried.filter(|check| concerns(check)).map(|check| check.name.clone()).collect();
    ClaimRecord { class, of: of.to_owned(), tried_by, extent: None }
}
