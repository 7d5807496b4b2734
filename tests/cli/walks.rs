//! Counterexamples of walks and of laws: the first screen has the command that shows them again, and that shows the same.

use crate::common::{short_answer, unwrapped};

/// A world of one client, walked through with an engine that counts wrongly.
const WRONG: &str = "\
version = 2
[crash-everywhere]
seed = \"0x7\"
engine = \"first-writer\"
clients = 1
edits = 2
retries = 0
crashes = 1
losses = 1
";

/// The same with the reference, in which a mutant is planted.
const PLANTED: &str = "\
version = 2
[crash-everywhere]
seed = \"0x7\"
clients = 1
edits = 1
retries = 0
crashes = 1
losses = 1
mutants = [\"accept-before-journal\"]
";

/// What a run of this scenario shows on its first screen, and its exit code.
fn screen(scenario: &str) -> (i32, String) {
    shown(scenario, &[])
}

/// What a run of this scenario shows with these options, and its exit code.
fn shown(scenario: &str, options: &[&str]) -> (i32, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("walk.toml");
    std::fs::write(&file, scenario).expect("a file");
    let answer = short_answer(&[&["run", file.to_str().expect("text")], options].concat());
    (answer.exit, answer.output)
}

/// The case of the replay command on a first screen.
fn case(screen: &str) -> &str {
    let command = screen.lines().find_map(|line| line.trim().strip_prefix("abench replay "));
    command.unwrap_or_else(|| panic!("a command that replays it: {screen}")).trim_matches('\'')
}

#[test]
fn the_counterexample_of_a_walk_is_replayed_from_its_first_screen_and_damage_is_named() {
    let (exit, output) = screen(WRONG);
    assert_eq!(exit, 1, "{output}");
    assert!(output.contains("smallest counterexample, of every crash: "), "{output}");
    let case = case(&output);
    let again = short_answer(&["replay", case]);
    assert_eq!(again.exit, 1, "{again:?}");
    assert!(again.output.contains("node 0: its user edits"), "{again:?}");
    // The same judge says the same.
    let told = unwrapped(&again.output);
    let against = told.split("against first-writer: ").nth(1).expect("a judge has something against it");
    let sentence = against.split(" verdict ").next().expect("what it says");
    let first: String = sentence.chars().take(40).collect();
    let (_, whole) = shown(WRONG, &["-vv"]);
    assert!(unwrapped(&whole).contains(&first), "{sentence} {whole}");

    let (head, way) = case.split_once("way=").expect("a way");
    let damaged = [
        (format!("{head}way=jump:0+{way}"), "way= is not allowed: step 1 is 'jump:0'; allowed are edit:CLIENT"),
        (format!("{head}way={way}+receive:90"), "receive:90, cannot happen there; what can: "),
        (case.replace("clients=1", "clients=9"), "clients=9 is not allowed: a small world has 1 to 3 clients"),
        (case.replace("first-writer", "first-reader"), "first-reader"),
        (case.replace(",way=", ",mutant=gremlin,way="), "'gremlin' is not a mutant"),
    ];
    for (text, says) in damaged {
        let refused = short_answer(&["replay", &text]);
        assert_eq!(refused.exit, 2, "{text} {refused:?}");
        assert!(unwrapped(&refused.talk).contains(says), "{text} {refused:?}");
    }
}

#[test]
fn a_mutant_that_a_walk_kills_is_shown_again_and_its_way_is_harmless_without_it() {
    let (exit, output) = screen(PLANTED);
    assert_eq!(exit, 0, "{output}");
    assert!(output.contains("1 of 1 mutant killed; the smallest case, of accept-before-journal:"), "{output}");
    let case = case(&output);
    let again = short_answer(&["replay", case]);
    assert!(again.exit == 1 && again.output.contains("against delta-state: "), "{again:?}");
    let without = short_answer(&["replay", &case.replace("mutant=accept-before-journal,", "")]);
    // Without the mutant a node takes other steps, so that the way may not be there.
    assert!([0, 2].contains(&without.exit), "{without:?}");
}

#[test]
fn a_law_that_is_contradicted_is_replayed_from_the_first_screen_and_damage_is_named() {
    let (exit, output) = screen("version = 2\n[laws]\nseed = \"0x7\"\ntries = 100\n");
    assert_eq!(exit, 1, "{output}");
    let case = case(&output);
    let again = short_answer(&["replay", case]);
    assert!(again.exit == 1 && again.output.contains(": the law "), "{again:?}");

    let holds = short_answer(&["replay", "case1,xor,law,law=associative,bits=64,words=0x1+0x2+0x3"]);
    assert_eq!(holds.exit, 0, "{holds:?}");
    assert!(unwrapped(&holds.output).contains("these words do not contradict that xor is associative"), "{holds:?}");
    let all = short_answer(&["replay", "case1,or,law,law=inverse,bits=8,words=all"]);
    assert!(all.exit == 1 && unwrapped(&all.output).contains("no word b gives"), "{all:?}");
    let damaged = [
        ("case1,xor,law,law=associative,bits=64,words=0x1+0x2", "the law associative has 3 words"),
        ("case1,xor,law,law=associative,bits=16,words=0x1", "bits=16 is not allowed: 8 or 64"),
        ("case1,nor,law,law=idempotent,bits=64,words=0x1", "'nor' is not an algebra"),
    ];
    for (text, says) in damaged {
        let refused = short_answer(&["replay", text]);
        assert_eq!(refused.exit, 2, "{text} {refused:?}");
        assert!(unwrapped(&refused.talk).contains(says), "{text} {refused:?}");
    }
}
