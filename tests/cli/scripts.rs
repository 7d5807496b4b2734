//! Worlds that are written down: what cannot be is refused, with its line and key.

use std::fs;

use crate::common::{Answer, answer};

/// What is said of a script with this step after one that connects a client, by its origin.
fn said_of(steps: &str) -> (u8, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bad.toml");
    let head =
        "version = 2\n[offline]\nseed = '0x1'\nregisters = 8\nclients = 2\ntags = { registers = 1, elements = 4 }\n";
    let text = format!("{head}steps = [\n    {{ connect = 'client 0' }},\n    {steps},\n]\n");
    fs::write(&file, text).expect("it is written");
    let Answer { exit, talk, .. } = answer(&["run", &file.display().to_string()]);
    assert!(!talk.contains("panicked"), "{talk}");
    (exit.try_into().unwrap_or(255), talk)
}

#[test]
fn every_step_that_cannot_be_is_refused_with_its_line_and_its_key() {
    for (steps, line, told) in [
        ("{ edit = 'client 9', register = 3, by = 1 }", 9, "steps[1].edit: 'client 9' is not there"),
        ("{ edit = 'hub', register = 3, by = 1 }", 9, "steps[1].edit: 'hub' is no client"),
        ("{ edit = 'client 0', register = 30, by = 1 }", 9, "steps[1].register: there is no register 30; 0 to 8"),
        ("{ edit = 'client 0', register = 3, by = 0 }", 9, "steps[1].by: 0 changes nothing"),
        ("{ edit = 'client 0', register = 3, insert = 1 }", 9, "steps[1].insert: register 3 is a counter"),
        ("{ edit = 'client 0', register = 8, by = 1 }", 9, "steps[1].by: register 8 holds tags"),
        ("{ edit = 'client 0', register = 8, remove = 4 }", 9, "steps[1].remove: there is no such element; 0 to 3"),
        ("{ edit = 'client 0', register = 3 }", 9, "steps[1].by: this key is missing"),
        ("{ edit = 'client 0', register = 3, by = 1, foo = 3 }", 9, "steps[1].foo: this key does not belong"),
        ("{ jump = 'client 0' }", 9, "steps[1].jump: no step has this name"),
        ("{ set_back = 'hub' }", 9, "steps[1].set_back: hub has no backup here"),
        ("{ until = 'sent', from = 'client 0', to = 'client 1' }", 9, "steps[1].to: there is no link between"),
        (
            "{ until = 'taken', from = 'client 0', to = 'hub', messages = 400, within_s = 50 }",
            9,
            "steps[1].until: it did not come true within 50 s",
        ),
        (
            "{ crash = 'client 0', for_s = 9 },\n{ edit = 'client 0', register = 1, by = 1 }",
            10,
            "steps[2].edit: client 0 is off",
        ),
        ("{ after_s = -3 }", 9, "steps[1].after_s: a time before now is not allowed"),
        (
            "{ link = 'client 0', latency_ms = 99999999999 }",
            9,
            "steps[1].link: latency_ms = 99999999999 is not allowed",
        ),
        ("{ clone = 'client 1' }", 9, "steps[1].clone: "),
    ] {
        let (exit, talk) = said_of(steps);
        assert_eq!(exit, 2, "{steps}: {talk}");
        assert!(talk.contains(&format!("bad.toml, line {line}: {told}")), "{steps}: {talk}");
    }
}

#[test]
fn a_world_is_drawn_or_written_down_and_not_both() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("both.toml");
    let head = "version = 2\n[offline]\nseed = '0x1'\nclients = 2\n";
    let told = |rest: &str| {
        fs::write(&file, format!("{head}{rest}")).expect("it is written");
        let Answer { exit, talk, .. } = answer(&["run", &file.display().to_string()]);
        assert_eq!(exit, 2, "{talk}");
        talk
    };
    assert!(told("").contains("workload is missing: a world is drawn from workload and presence, or written down"));
    let both = told("steps = [{ after_s = 1 }]\ncrashes = 3\n");
    assert!(both.contains("crashes does not go together with steps"), "{both}");
}
