//! What the README and `docs/` show is what the binary prints.
//!
//! The word after `console` in a fence says what its block needs. A plain block is run in bash, and its output compared. A
//! block with another word is read and not run: its programs must be in the repository, and its command lines must be ones
//! that abench accepts. The paragraph before it tells the reader what it needs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use abench::cli::Cli;
use clap::Parser;

use crate::common::Answer;
use crate::pages::{Block, Step, page, pages};

/// What a block that is not run needs, and how the paragraph before it says so.
const NOT_RUN: &[(&str, &str)] = &[
    ("board", "Needs a board"),
    ("ci", "Needs a CI service"),
    ("cluster", "Needs a cluster"),
    ("terminals", "Needs two terminals"),
    ("tools", "Needs tools"),
];

/// What a block needs that is run.
const RUN: &str = "";

/// The word of a block for a verb that this build does not have.
const LATER: &str = "later";

/// The command that runs this test.
const TEST_COMMAND: &str = "bash .ci/test";

/// What a clone is run by, in place of an installed binary.
const FROM_A_CLONE: &str = "cargo run --release -- ";

macro_rules! every_block_of {
    ($($test:ident: $path:literal,)*) => {
        $(#[test]
        fn $test() {
            run_page($path);
        })*

        #[test]
        fn every_page_is_tested() {
            assert_eq!(pages(), [$($path),*]);
        }
    };
}

every_block_of! {
    readme: "README.md",
    bandwidth: "docs/bandwidth.md",
    claims: "docs/claims.md",
    compare: "docs/compare.md",
    data_types: "docs/data-types.md",
    engine_protocol: "docs/engine-protocol.md",
    engines: "docs/engines.md",
    extending: "docs/extending.md",
    gate: "docs/gate.md",
    limits: "docs/limits.md",
    links_and_boards: "docs/links-and-boards.md",
    maelstrom: "docs/maelstrom.md",
    offline_first: "docs/offline-first.md",
    orders: "docs/orders.md",
    qualification: "docs/qualification.md",
    record: "docs/record.md",
    reproducing_silicon: "docs/reproducing-silicon.md",
    scale_out: "docs/scale-out.md",
    scenario_reference: "docs/scenario-reference.md",
    speed: "docs/speed.md",
    standard_campaign: "docs/standard-campaign.md",
    verdicts: "docs/verdicts.md",
    worlds_and_scripts: "docs/worlds-and-scripts.md",
}

/// Runs the blocks of a page one after the other in one folder: a block may use the files of those before it.
fn run_page(path: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for shared in ["adapters", "results", "scenarios", "tests"] {
        symlink(root.join(shared), folder.path().join(shared)).expect("a link");
    }
    fs::create_dir(folder.path().join("bin")).expect("a folder");
    symlink(env!("CARGO_BIN_EXE_abench"), folder.path().join("bin/abench")).expect("a link");
    for block in page(path).blocks("console") {
        match NOT_RUN.iter().find(|(word, _)| block.needs == *word) {
            None if block.needs == RUN => block.steps().iter().for_each(|step| run(&block, step, folder.path())),
            None if block.needs == LATER => {
                let accepted = block.steps().iter().all(|step| refused(&step.command).is_none());
                assert!(!accepted, "{}: this build has the verb: drop the word {LATER}", block.place);
            }
            None => panic!("{}: a block cannot need '{}'", block.place, block.needs),
            Some((_, told)) => {
                assert!(block.before.contains(told), "{}: the paragraph before it must say: {told}", block.place);
                for step in block.steps() {
                    let wrong = refused(&step.command).or_else(|| missing(&step.command, root));
                    assert!(wrong.is_none(), "{}: {}: {}", block.place, step.command, wrong.unwrap_or_default());
                }
            }
        }
    }
}

/// Runs a command, and compares what it prints with what is shown, and its exit code with the one that is shown or told in
/// a comment; 0 where neither is.
fn run(block: &Block, step: &Step, folder: &Path) {
    let command = step.command.replace(FROM_A_CLONE, "abench ");
    if command.starts_with(TEST_COMMAND) {
        return;
    }
    let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap_or_default());
    let mut bash = Command::new("bash");
    bash.args(["-c", &command]).current_dir(folder).env("PATH", path).env_remove("CLICOLOR_FORCE");
    let Answer { exit, output, talk } = Answer::of(bash.output().expect("bash starts"));
    let printed = output + &talk;
    let told = step.shown.iter().rev().chain([&step.command]).find_map(|line| exit_code(line));
    assert_eq!(exit, told.unwrap_or(0), "{}: {command}: the exit code; it printed\n{printed}", block.place);
    if let Some(missing) = not_printed(&step.shown, &printed) {
        panic!("{}: {command}: it shows {missing:?}, and the output is\n{printed}", block.place);
    }
}

/// The number of "exit N" in a line.
fn exit_code(line: &str) -> Option<i32> {
    let digits: String = line.split_once("exit ")?.1.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The first line that is shown and not printed in its place. `...` stands for any lines; nothing shown is nothing said.
fn not_printed<'a>(shown: &'a [String], printed: &str) -> Option<&'a String> {
    let mut printed = printed.lines();
    let mut may_skip = false;
    let missing = shown.iter().find(|line| {
        if *line == "..." {
            may_skip = true;
            return false;
        }
        let found = if may_skip { printed.any(|other| other == *line) } else { printed.next() == Some(line) };
        may_skip = false;
        !found
    });
    missing.or_else(|| shown.last().filter(|_| !may_skip && printed.next().is_some()))
}

/// Why abench refuses one of the command lines in a command of the shell, if it does.
fn refused(command: &str) -> Option<String> {
    let command = command.replace("cargo run --release --features rtl -- ", "abench ").replace(FROM_A_CLONE, "abench ");
    let words = words(&command);
    // What another program is to run is one word.
    let quoted = words.iter().filter(|word| word.contains(' ')).find_map(|word| refused(word));
    let own = words.split(|word| matches!(word.as_str(), "&&" | "|" | ";" | "&")).find_map(|words| {
        let start = words.iter().position(|word| word == "abench")?;
        let end = words.iter().position(|word| word.starts_with(['>', '#']) || word.starts_with("2>"));
        let line = words.get(start..end.unwrap_or(words.len())).unwrap_or_default();
        Cli::try_parse_from(line).err().filter(clap::Error::use_stderr).map(|error| error.to_string())
    });
    own.or(quoted)
}

/// The words of a command, as a shell splits them. A variable, and `{}`, stand for the number 1.
fn words(command: &str) -> Vec<String> {
    let command = command.replace("{}", "1");
    let mut words = vec![String::new()];
    let (mut quote, mut quoted) = (None, false);
    let mut letters = command.chars().peekable();
    while let Some(letter) = letters.next() {
        let word = words.last_mut().expect("there is one");
        match letter {
            '\'' | '"' if quote == Some(letter) => quote = None,
            '\'' | '"' if quote.is_none() => (quote, quoted) = (Some(letter), true),
            '$' if quote != Some('\'') => {
                while letters.next_if(|c| c.is_ascii_alphanumeric() || "_{}".contains(*c)).is_some() {}
                word.push('1');
            }
            ' ' | '\n' if quote.is_none() => {
                if !word.is_empty() || quoted {
                    words.push(String::new());
                }
                quoted = false;
            }
            _ => word.push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What a command names that the repository does not have: a script, a benchmark, a test or a feature.
fn missing(command: &str, root: &Path) -> Option<String> {
    let words = words(command);
    let is_ours = |word: &&String| {
        ["rtl/", ".ci/", "results/", "benches/", "docs/"].iter().any(|folder| word.starts_with(folder))
    };
    let scripts = words.iter().filter(is_ours).find(|word| !root.join(word).exists()).cloned();
    let manifest = include_str!("../../Cargo.toml");
    let of_cargo = words.windows(2).filter(|_| words[0] == "cargo").find(|pair| match pair[0].as_str() {
        "--bench" => !root.join(format!("benches/{}.rs", pair[1])).exists(),
        "--test" => {
            !root.join(format!("tests/{}.rs", pair[1])).exists() && !root.join(format!("tests/{}", pair[1])).exists()
        }
        "--features" => !manifest.lines().any(|line| line.starts_with(&format!("{} = [", pair[1]))),
        _ => false,
    });
    scripts.or_else(|| of_cargo.map(|pair| pair.join(" ")))
}

#[test]
fn a_transcript_that_differs_is_seen() {
    let shown = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>();
    let wrong = |lines: &[&str]| not_printed(&shown(lines), "one\ntwo\nthree\n").cloned();
    assert_eq!(wrong(&[]), None);
    assert_eq!(wrong(&["one", "two", "three"]), None);
    assert_eq!(wrong(&["one", "...", "three"]), None);
    assert_eq!(wrong(&["one", "..."]), None);
    assert_eq!(wrong(&["one", "three"]).as_deref(), Some("three"));
    assert_eq!(wrong(&["one", "two"]).as_deref(), Some("two"), "what is left out is marked");
    assert_eq!(wrong(&["...", "two", "one"]).as_deref(), Some("one"));
}

#[test]
fn a_command_line_that_abench_refuses_is_seen() {
    for accepted in
        ["abench --backend devmem --silicon", "cat a | abench replay - > out", "abench 5 # a comment", "ls x"]
    {
        assert_eq!(refused(accepted), None, "{accepted}");
    }
    for wrong in [
        "batch 'abench run tick --shrad $K/4'",
        "abench --blackend devmem",
        "cd x && abench rnu tick",
        "abench run 'tick' --seed",
    ] {
        assert!(refused(wrong).is_some(), "{wrong}");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for wrong in ["rtl/chekc lint", "cargo bench --bench acumulate", "cargo test --features tlr"] {
        assert!(missing(wrong, root).is_some(), "{wrong}");
    }
    assert_eq!(missing("cargo test --features rtl --test rtl", root), None);
}
