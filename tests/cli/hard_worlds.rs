//! Worlds in which an engine or a judge was wrong once: each is small, and found by a search through random scripts.

use std::fs;

use crate::common::{Answer, answer};

/// The answer to a run of a scenario with these keys of `[offline]`.
fn run(keys: &str) -> Answer {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("world.toml");
    fs::write(&file, format!("version = 2\n[offline]\nseed = \"0x7\"\n{keys}")).expect("it is written");
    answer(&["run", &file.display().to_string()])
}

fn holds(keys: &str) {
    let Answer { exit, talk, output } = run(keys);
    assert_eq!(exit, 0, "{keys}: {talk}{output}");
}

#[test]
fn a_device_that_starts_over_while_its_hub_is_frozen_is_not_taken_to_be_in_its_old_connection() {
    holds(
        r#"
clients = 2
registers = 4
engines = ["delta-state", "pn-counter", "operation-log"]
steps = [
    { freeze = "hub", for_s = 600 },
    { connect = "client 0", after_s = 3 },
    { edit = "client 0", register = 1, by = 5 },
    { edit = "client 1", register = 2, by = 5 },
    { connect = "client 1" },
    { start_over = "client 0", for_s = 1, after_s = 60 },
    { until = "quiescent", after_s = 1000 },
    { edit = "client 0", register = 1, by = 7 },
]
"#,
    );
}

#[test]
fn an_edit_that_came_in_the_moment_of_a_crash_is_not_late_for_ever() {
    for (crashes, effects) in [("hub", 1), ("client 0", 5)] {
        holds(&format!(
            r#"
clients = 2
registers = 4
engines = ["delta-state", "pn-counter", "operation-log"]
staleness_s = 100000
steps = [
    {{ connect = "clients" }},
    {{ until = "quiescent" }},
    {{ crash = "{crashes}", after_effects = {effects} }},
    {{ edit = "client 0", register = 1, by = 3 }},
    {{ after_s = 200 }},
]
"#
        ));
    }
}

#[test]
fn who_is_refused_by_two_nodes_or_whose_message_a_step_repeats_or_delays_is_not_too_hasty() {
    holds(
        r#"
clients = 2
hub = false
registers = 1
steps = [
    { connect = "clients" },
    { refuse = "client 0", for_s = 1 },
    { refuse = "client 1", for_s = 600 },
    { edit = "client 0", register = 0, by = 1 },
]
"#,
    );
    for message in [
        r#"{ repeat = 2, from = "client 0", to = "hub", late_s = 0.3 }"#,
        r#"{ delay = 1, from = "client 0", to = "hub", by_s = 2.7 }"#,
    ] {
        holds(&format!(
            r#"
clients = 1
registers = 1
steps = [
    {{ connect = "clients" }},
    {{ until = "quiescent" }},
    {{ refuse = "hub", for_s = 600 }},
    {message},
    {{ edit = "client 0", register = 0, by = 1 }},
]
"#
        ));
    }
}

#[test]
fn a_step_that_asks_for_something_to_go_wrong_which_never_does_leaves_the_world_inconclusive() {
    for (step, told) in [
        (
            r#"{ lose = 4000, from = "client 0", to = "hub" }"#,
            "steps[0] (lose of client 0 to hub) never took effect: no message of that number was sent",
        ),
        (
            r#"{ crash = "client 0", after_effects = 4000 }"#,
            "steps[0] (crash of client 0) never took effect: the node had",
        ),
        (r#"{ cut = "client 0", with = "hub", for_s = 60 }"#, "steps[0] (cut) never took effect: the two were not"),
        (
            r#"{ link = "client 0", lost_per_mille = 1 }"#,
            "steps[0] (lost_per_mille of client 0) never took effect: it hit no message",
        ),
        (
            r#"{ link = "client 1", repeated_per_mille = 900 }"#,
            "steps[0] (repeated_per_mille of client 1) never took effect: it hit no message",
        ),
    ] {
        let Answer { exit, output, .. } = run(&format!(
            r#"
clients = 2
registers = 4
steps = [
    {step},
    {{ connect = "client 0", after_s = 100 }},
    {{ edit = "client 0", register = 1, by = 3 }},
    {{ until = "quiescent" }},
]
"#
        ));
        assert_eq!(exit, 3, "{step}: {output}");
        let report = output.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(report.contains(told), "{step}: {output}");
    }
}

#[test]
fn a_cut_of_nothing_is_not_excused_by_a_later_cut_and_of_two_nodes_each_must_crash() {
    for (steps, idle) in [
        (
            r#"
    { cut = "client 0", with = "hub", for_s = 60 },
    { connect = "clients", after_s = 100 },
    { until = "quiescent" },
    { cut = "client 0", with = "hub", for_s = 60 },"#,
            "steps[0] (cut) never took effect",
        ),
        (
            r#"
    { crash = "clients", after_effects = 8 },
    { connect = "client 0" },
    { edit = "client 0", register = 1, by = 3 },
    { edit = "client 0", register = 2, by = 3 },
    { until = "quiescent", after_s = 100 },"#,
            "steps[0] (crash of client 1) never took effect",
        ),
    ] {
        let Answer { exit, output, .. } = run(&format!("clients = 2\nregisters = 4\nsteps = [{steps}\n]\n"));
        assert_eq!(exit, 3, "{steps}: {output}");
        let report = output.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(report.contains(idle), "{steps}: {report}");
        assert_eq!(report.matches("never took effect: t").count(), report.matches(idle).count(), "{report}");
    }
}

#[test]
fn rates_of_a_link_that_a_step_sets_are_asked_for_until_they_strike_and_a_later_step_does_not_excuse_them() {
    let steps = |first: &str| {
        format!(
            r#"
clients = 2
registers = 4
steps = [
    {first}
    {{ link = "clients", lost_per_mille = 300, repeated_per_mille = 300, reordered_per_mille = 300, corrupted_per_mille = 200, truncated_per_mille = 200 }},
    {{ connect = "clients" }},
    {{ work = "clients", for_s = 3000, ticks = 60, changed = 3, most = 9 }},
    {{ after_s = 3000 }},
]
"#
        )
    };
    holds(&steps(""));
    let Answer { exit, output, .. } = run(&steps(r#"{ link = "client 0", corrupted_per_mille = 200 },"#));
    assert_eq!(exit, 3, "{output}");
    let report = output.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(report.contains("steps[0] (corrupted_per_mille of client 0) never took effect"), "{report}");
    assert_eq!(report.matches("never took effect: it").count(), report.matches("steps[0]").count(), "{report}");
}

#[test]
fn a_message_that_a_step_has_come_late_keeps_the_world_from_its_end_until_it_has_come() {
    for message in [
        r#"{ repeat = 1, from = "client 0", to = "hub", late_s = 86400 }"#,
        r#"{ delay = 1, from = "client 0", to = "hub", by_s = 5000 }"#,
    ] {
        holds(&format!(
            r#"
clients = 2
registers = 4
settle_s = 60
engines = ["delta-state", "pn-counter", "operation-log", "delta-summary"]
steps = [
    {{ connect = "clients" }},
    {{ until = "quiescent" }},
    {message},
    {{ edit = "client 0", register = 1, by = 3 }},
    {{ after_s = 60 }},
]
"#
        ));
    }
}

#[test]
fn an_edit_that_comes_through_a_relay_which_was_set_back_is_not_late_for_ever() {
    holds(
        r#"
clients = 2
registers = 4
staleness_s = 100000
engines = ["delta-state", "pn-counter", "operation-log"]
steps = [
    { back_up = "near" },
    { connect = "client 0" },
    { disconnect = "client 0", after_s = 60 },
    { set_back = "near", for_s = 10, after_s = 60 },
    { after_s = 20, edit = "client 0", register = 2, by = 7 },
    { connect = "client 0" },
    { connect = "client 1" },
    { until = "quiescent", after_s = 100 },
]
[[offline.edges]]
name = "near"
parent = "hub"
clients = [0]
"#,
    );
}

#[test]
fn what_an_author_makes_after_the_loss_of_its_store_does_not_bring_what_was_lost_with_it() {
    let Answer { exit, output, .. } = run(r#"
clients = 3
hub = false
registers = 4
engines = ["delta-state", "pn-counter", "operation-log"]
steps = [
    { edit = "client 0", register = 1, by = 3 },
    { edit = "client 0", register = 1, by = 5 },
    { clone = "client 0", for_s = 10 },
    { wipe = "client 0", for_s = 10, after_s = 20 },
    { edit = "client 0", register = 2, by = 7, after_s = 20 },
    { connect = "client 0" },
    { connect = "client 2" },
    { until = "quiescent", after_s = 100 },
    { wipe = "client 1", for_s = 10 },
    { connect = "client 1", after_s = 20 },
]
"#);
    // Both edits were lost with both stores that had them: more than any of these engines declares to survive.
    assert_eq!(exit, 3, "{output}");
    assert!(output.contains("2 of 3 edits lost"), "{output}");
}

#[test]
fn a_world_has_time_for_what_its_link_holds_back_or_repeats() {
    for (rate, least) in [("reordered_per_mille", 9), ("repeated_per_mille", 2)] {
        let world = |settle_s| {
            run(&format!(
                "clients = 1\nregisters = 1\nsettle_s = {settle_s}\nsteps = [{{ connect = \"client 0\" }}]\nlink.{rate} = 1\n"
            ))
        };
        let Answer { exit, talk, .. } = world(least - 1);
        assert_eq!(exit, 2, "{rate}: {talk}");
        assert!(talk.contains(&format!("take up to {least} s on the link")), "{rate}: {talk}");
        assert_ne!(world(least).exit, 2, "{rate}");
    }
}
