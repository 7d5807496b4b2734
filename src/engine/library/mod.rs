//! Engines that others made, as libraries in this process: behind the feature `engines`, as they take minutes to compile.
//!
//! One file a library, and in it every mapping that its users use: a native counter, a last-writer register, an entry for
//! each client, a log. Each mapping is an engine of its own name, since the mapping decides what is lost more than the
//! library does. A library is a `document::Document`; `node` puts it behind the port of engines, `line` carries what
//! its sync protocol says, and `guard` turns a panic into a finding.
//!
//! Knows: the port, the libraries. Must not: know worlds, or judge.

#[cfg(feature = "engines")]
mod automerge;
#[cfg(feature = "engines")]
mod crdts;
#[cfg(feature = "engines")]
pub mod document;
#[cfg(feature = "engines")]
mod guard;
#[cfg(feature = "engines")]
mod line;
#[cfg(feature = "engines")]
mod loro;
#[cfg(feature = "engines")]
mod node;
#[cfg(feature = "engines")]
mod yrs;

use crate::engine::Registration;

/// What stands for all engines of this folder where engines are named.
pub const LIBRARIES: &str = "libraries";

/// The names of all engines of this folder, whether they are in this build or not.
pub const NAMES: &[&str] = &[
    "automerge-counter",
    "automerge-lww",
    "automerge-counter-same-id",
    "automerge-counter-unreliable",
    "yrs-per-client",
    "yrs-log",
    "yrs-lww",
    "yrs-per-client-same-id",
    "loro-counter",
    "loro-lww",
    "loro-counter-same-id",
    "crdts-pncounter",
];

/// The engines of this folder that are in this build.
#[cfg(not(feature = "engines"))]
pub const REGISTRY: &[Registration] = &[];

/// The engines of this folder that are in this build.
#[cfg(feature = "engines")]
pub const REGISTRY: &[Registration] = &[
    automerge::COUNTER,
    automerge::LWW,
    automerge::SAME_ID,
    automerge::UNRELIABLE,
    yrs::PER_CLIENT,
    yrs::LOG,
    yrs::LWW,
    yrs::SAME_ID,
    loro::COUNTER,
    loro::LWW,
    loro::SAME_ID,
    crdts::PN_COUNTER,
];

#[cfg(all(test, not(feature = "engines")))]
mod tests {
    use super::*;
    use crate::engine::{check_name, find};

    #[test]
    fn a_library_that_is_not_in_this_build_is_named_with_the_feature_that_it_needs() {
        for name in NAMES {
            let refused = find(name).map(|engine| engine.name).map_err(|unknown| unknown.to_string());
            assert_eq!(refused, Err(format!("the engine '{name}' needs a build with --features engines")));
        }
        let refused = check_name(LIBRARIES).map_err(|unknown| unknown.to_string());
        assert_eq!(refused, Err("the engines 'libraries' need a build with --features engines".to_owned()));
        assert_eq!(check_name("all"), Ok(()));
    }
}
