//! Engines of others, each behind its adapter: every scenario in `adapters/` comes to what it expects.
//!
//! The test command installs the engines into `target/adapters`, at the versions that the adapters' lock files name.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::common::short_answer;

/// Whether the engines of a language are installed; said by name where they are not, and a failure in CI.
fn has(place: &str) -> bool {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join(place).exists();
    if !found {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "in CI {place} must be there");
        let _ = writeln!(std::io::stderr(), "SKIPPED: {place} is not installed (.ci/test installs it)");
    }
    found
}

/// The scenarios beside the adapter of an engine.
fn scenarios(engine: &str) -> Vec<PathBuf> {
    let folder = Path::new("adapters").join(engine);
    let files = fs::read_dir(&folder).expect("an adapter").map(|entry| entry.expect("an entry").path());
    let mut scenarios: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|of| of == "toml")).collect();
    scenarios.sort_unstable();
    assert!(!scenarios.is_empty(), "{engine} has a scenario");
    scenarios
}

/// Each scenario says what it expects: exit code 0 means that it was met.
fn all_meet_their_expectations(engine: &str) {
    for scenario in scenarios(engine) {
        assert!(fs::read_to_string(&scenario).expect("a file").contains("[expect.engines]"), "{}", scenario.display());
        let answer = short_answer(&["run", scenario.to_str().expect("UTF-8")]);
        assert_eq!(answer.exit, 0, "{}: {answer:?}", scenario.display());
    }
}

#[test]
fn atomik_core_loses_two_equal_edits_and_a_repeated_one_and_holds_where_neither_happens() {
    if has("target/adapters/python/bin/python") {
        all_meet_their_expectations("atomik-core");
    }
}

#[test]
fn yjs_loses_increments_in_a_map_entry_alone_and_differs_for_good_where_a_client_id_is_used_again() {
    if has("target/adapters/node/yjs/node_modules/yjs") {
        all_meet_their_expectations("yjs");
    }
}

#[test]
fn replicache_loses_a_mutation_that_was_reported_done_within_a_second_and_keeps_it_afterwards() {
    if has("target/adapters/node/replicache/node_modules/replicache") {
        all_meet_their_expectations("replicache");
    }
}

#[test]
fn a_sqlite_session_ends_with_its_connection_and_its_conflict_handler_decides_what_is_lost() {
    if has("target/adapters/python/installed") {
        all_meet_their_expectations("sqlite-session");
    }
}

#[test]
fn tinybase_loses_increments_in_one_cell_and_refuses_a_clock_over_five_minutes_ahead() {
    if has("target/adapters/node/tinybase/node_modules/tinybase") {
        all_meet_their_expectations("tinybase");
    }
}

#[test]
fn every_adapter_has_a_test() {
    let folders = fs::read_dir("adapters").expect("adapters").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = folders.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    assert_eq!(names, ["atomik-core", "libraries", "replicache", "sqlite-session", "template", "tinybase", "yjs"]);
}
