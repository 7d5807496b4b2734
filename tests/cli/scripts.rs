//! Worlds that are written down: what cannot be is refused, with its line and key.

use std::collections::BTreeSet;
use std::fs;

use crate::common::{Answer, answer, cases, has};

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
        ("{ edit = 'client 0', register = 3, type = 'ab' }", 9, "steps[1].type: register 3 is one of the counters"),
        ("{ edit = 'client 0', register = 3, type = 5 }", 9, "steps[1].type: 5 is not allowed; a text in quotes is"),
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
        ("{ until = 'in sync', node = 'hub', with = 'hub' }", 9, "steps[1].with: hub is always in sync with itself"),
        (
            "{ link = 'client 0', latency_ms = 1500000, jitter_ms = 300001 }",
            9,
            "steps[1].link: a message and its answer take up to 3601 s on this link",
        ),
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

/// The replay commands of a report, without the name of the program.
fn replays(report: &str) -> Vec<Vec<String>> {
    cases(report).into_iter().map(|case| vec!["replay".to_owned(), case.to_owned()]).collect()
}

#[test]
fn a_drawn_world_that_falsifies_is_reduced_to_a_script_that_is_shown_replayed_and_saved() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("reduced.toml").display().to_string();
    let run = answer(&["run", "hub-set-back", "--save-script", &file]);
    assert_eq!(run.exit, 0, "{}", run.talk);
    assert!(run.output.contains("{ set_back = \"hub\", for_s = 1"), "{}", run.output);
    assert!(run.output.contains("no single step can be left out"), "{}", run.output);
    // The smallest of all is shown twice: first, and in its engine's section.
    let commands = BTreeSet::from_iter(replays(&run.output));
    assert_eq!(commands.len(), 2, "one for each engine that is falsified: {commands:?}");
    for (command, (engine, judge)) in commands.iter().zip([("delta-summary", "monotonic"), ("reconciliation", "truth")])
    {
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let again = answer(&command);
        assert_eq!(again.exit, 1, "{}", again.talk);
        assert!(again.output.contains(&format!("against {engine}: {judge}: ")), "{}", again.output);
        // The case is one word, to be pasted; all else fits.
        let wide = again.output.lines().find(|line| line.chars().count() > 100 && !line.starts_with("replay of "));
        assert_eq!(wide, None, "{}", again.output);
        // The reference comes through the same script.
        let of_reference = command[1].replace(engine, "delta-state");
        assert_eq!(answer(&["replay", &of_reference]).exit, 0, "{of_reference}");
    }
    assert!(run.talk.contains("the script of delta-summary is in"), "{}", run.talk);
    assert!(run.talk.contains("for that of reconciliation, name it with --engines"), "{}", run.talk);
    let saved = answer(&["run", &file]);
    assert_eq!(saved.exit, 0, "its expectation is that the engine is falsified: {}", saved.talk);
    assert!(saved.output.contains("Falsified by: delta-summary"), "{}", saved.output);
    assert!(saved.output.contains("monotonic: a register shows fewer edits than before"), "{}", saved.output);
    let text = fs::read_to_string(&file).expect("it was written");
    fs::write(&file, text.replace("verdict = \"falsified\"", "verdict = \"holds\"")).expect("it is written");
    assert_eq!(answer(&["run", &file]).exit, 1, "the expectation is one");
}

#[test]
fn a_script_is_the_same_for_any_number_of_threads() {
    let record = |threads: &str| {
        let run = answer(&["run", "two-stores-lost", "--threads", threads, "--record", "-"]);
        let record: serde_json::Value = serde_json::from_str(&run.output).expect(&run.talk);
        record["checks"].clone()
    };
    let one = record("1");
    assert_eq!(one, record("2"));
    let findings = one.as_array().into_iter().flatten().filter_map(|check| check["findings"].as_array()).flatten();
    assert!(findings.filter_map(|finding| finding["case"].as_str()).any(|case| case.contains(",script,")), "{one}");
}

#[test]
fn a_last_writer_set_is_falsified_with_the_smallest_script_of_tags() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tags.toml").display().to_string();
    let run = answer(&["run", "field-tags", "--engines", "lww-wall-clock", "--save-script", &file]);
    assert!(run.output.contains("abench replay case1,lww-wall-clock,tags,clients=0+1"), "{}", run.output);
    assert!(run.output.contains("{ edit = \"client 0\", register = 0, insert = 0 }"), "{}", run.output);
    let replayed = answer(&["replay", "case1,lww-wall-clock,tags,clients=0+1"]);
    assert_eq!(replayed.exit, 1, "{}", replayed.talk);
    let text = fs::read_to_string(&file).expect("it was written");
    assert!(text.contains("insert = 1"), "{text}");
    let saved = answer(&["run", &file]);
    assert_eq!(saved.exit, 0, "{}", saved.talk);
    assert!(saved.output.contains("Falsified by: lww-wall-clock"), "{}", saved.output);
}

#[test]
fn a_saved_script_of_an_engine_in_a_process_runs_by_itself_with_the_same_verdict() {
    if !has("python3") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("theirs.toml").display().to_string();
    let engine = "their.own=cmd:python3 tests/engines/misbehaves.py loses-edits";
    let run = answer(&["run", "two-stores-lost", "--engines", engine, "--save-script", &file]);
    assert!(run.talk.contains("the script of their.own is in"), "{}{}", run.output, run.talk);
    let text = fs::read_to_string(&file).expect("it was written");
    assert!(text.contains(&format!("engines = [\"{engine}\"]")), "{text}");
    let saved = answer(&["run", &file]);
    assert_eq!(saved.exit, 0, "{}{}", saved.output, saved.talk);
    assert!(saved.output.contains("Falsified by: their.own"), "{}", saved.output);
}

#[test]
fn where_no_script_is_found_no_file_is_written_and_the_exit_code_is_that_of_the_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("none.toml");
    let name = file.display().to_string();
    let run = answer(&["run", "hub-set-back", "--engines", "delta-state", "--save-script", &name]);
    assert_eq!(run.exit, 0, "{}", run.talk);
    assert!(run.talk.contains("no script falsifies an engine: "), "{}", run.talk);
    assert!(!file.exists());
    for (arguments, told) in [
        (vec!["run", "laws", "--save-script", &name], "--save-script is about worlds of clients"),
        (vec!["run", "hub-set-back", "no-server", "--save-script", &name], "the script of one scenario"),
        (vec!["run", "hub-set-back", "--save-script", "-"], "--save-script takes the name of a file"),
        (vec!["run", "hub-set-back", "--save-script", "/nowhere/at/all.toml"], "cannot write to /nowhere/at/all.toml"),
    ] {
        let refused = answer(&arguments);
        assert_eq!(refused.exit, 2, "{}", refused.talk);
        assert!(refused.talk.contains(told), "{}", refused.talk);
        assert!(!file.exists());
    }
}

#[test]
fn without_reduction_the_verdicts_are_the_same_and_the_report_says_that_no_script_is_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("record.json").display().to_string();
    let run = answer(&["run", "two-stores-lost", "--no-reduce", "--record", &file, "-v"]);
    assert_eq!(run.exit, 0, "its expectations stay: {}", run.talk);
    let told = run.output.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("no script is given: the reduction to a script was left out"), "{told}");
    let text = fs::read_to_string(&file).expect("it was written");
    assert!(!text.contains(",script,"), "{text}");
    let record: serde_json::Value = serde_json::from_str(&text).expect("a record");
    assert_eq!(record["asked"]["trial"]["offline"]["reduce"], false, "a replay leaves it out, too");
    assert_eq!(answer(&["replay", &file]).exit, 0, "the record comes again as it is");
    for (arguments, told) in [
        (vec!["run", "laws", "--no-reduce"], "--no-reduce is about worlds of clients"),
        (vec!["run", "nothing-listens", "--no-reduce"], "--no-reduce is about worlds that are drawn"),
        (vec!["run", "two-stores-lost", "--no-reduce", "--save-script", "x.toml"], "cannot be used with"),
    ] {
        let refused = answer(&arguments);
        assert_eq!(refused.exit, 2, "{}", refused.talk);
        assert!(refused.talk.contains(told), "{}", refused.talk);
    }
    let written = folder.path().join("written.toml").display().to_string();
    let keys = "version = 2\n[offline]\nseed = '7'\nclients = 1\nreduce = false\nsteps = [{ connect = 'client 0' }]\n";
    fs::write(&written, keys).expect("it is written");
    let refused = answer(&["run", &written]);
    assert!(
        refused.exit == 2 && refused.talk.contains("reduce = false goes with a world that is drawn"),
        "{}",
        refused.talk
    );
}

#[test]
fn a_baseline_that_shows_a_removed_element_again_after_a_new_install_is_caught_by_that() {
    let run = answer(&["run", "deleted-before-reinstall", "-v"]);
    assert_eq!(run.exit, 0, "it is expected: {}", run.talk);
    let told = run.output.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("first-writer: ") && told.contains("element 3 is back, and every insert of it"), "{told}");
}

#[test]
fn a_case_whose_script_cannot_be_is_refused_with_what_is_wrong() {
    for (rest, told) in [
        ("nobody,script,seed=1,world=clients:1,steps=connect:client_0", "'nobody' is not an engine"),
        (
            "delta-state,script,seed=1,world=clients:1:registers:0,steps=connect:client_0",
            "registers = 0 is not allowed",
        ),
        (
            "delta-state,script,seed=1,world=clients:1,steps=connect:client_7",
            "steps[0].connect: 'client 7' is not there",
        ),
        ("delta-state,script,seed=1,world=clients:1,steps=jump:client_0", "steps= is not allowed: step 0: jump"),
        ("delta-state,script,seed=1,world=clients:1,steps=", "steps= is not allowed: a script needs at least one step"),
        (
            "delta-state,script,seed=1,world=clients:4000000000:registers:1000000,steps=connect:client_0",
            "is not allowed",
        ),
        ("delta-state,script,seed=1,steps=connect:client_0", "world= must stand in the case exactly once"),
        ("reconciliation,script,seed=1,world=clients:2:hub:false,steps=connect:client_0", "cannot replay this case"),
        (
            "delta-state,script,seed=1,world=clients:1,steps=crash:client_0:for_s:9+edit:client_0:register:0:by:1",
            "the script did not go as it is written",
        ),
    ] {
        let answer = answer(&["replay", &format!("case1,{rest}")]);
        let all = answer.output + &answer.talk;
        assert!(
            answer.exit == 2 || told.starts_with("the script") && answer.exit == 3,
            "{rest}: {} {all}",
            answer.exit
        );
        assert!(all.contains(told) && !all.contains("panicked"), "{rest}: {all}");
    }
}
