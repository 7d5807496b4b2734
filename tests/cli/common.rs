//! What the tests of the binary share: how it is called, and how dashboards read it.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

/// The published COUNT and SEED.
pub const PUBLISHED: [&str; 2] = ["65537", "0xDEADBEEF0BADF00D"];

/// The binary.
pub fn abench() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_abench"));
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command
}

/// Whether this language is there; said by name where it is not, and a failure in CI.
pub fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok_and(|s| s.success());
    if !found {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "in CI {program} must be there");
        let _ = writeln!(std::io::stderr(), "SKIPPED: {program} is not installed");
    }
    found
}

/// What the binary answers to these arguments.
pub fn short_answer(args: &[&str]) -> Answer {
    Answer::of(abench().args(args).output().expect("the binary starts"))
}

/// The arguments with which a report tells everything that it can.
pub fn in_full<'a>(args: &[&'a str]) -> Vec<&'a str> {
    let reports = match args.first() {
        None | Some(&("run" | "replay" | "qualify")) => true,
        Some(first) => first.starts_with(|c: char| c.is_ascii_digit()) || first.starts_with("--"),
    };
    let helps = args.iter().any(|arg| matches!(*arg, "--help" | "-h" | "--version"));
    let everything: &[&str] = if reports && !helps { &["-vv"] } else { &[] };
    [args, everything].concat()
}

/// What the binary answers, with everything that its report can tell but the times, which no two runs share.
pub fn answer(args: &[&str]) -> Answer {
    let answer = short_answer(&in_full(args));
    Answer { output: timeless(&answer.output), ..answer }
}

/// A report without its times and its host.
pub fn timeless(report: &str) -> String {
    let mut kept = String::new();
    let mut is_of_time = false;
    for line in report.lines() {
        let begins = line == "Time and host" || line.starts_with("took ");
        is_of_time = (is_of_time || begins) && !line.starts_with("verdict ");
        if !is_of_time {
            kept += line;
            kept.push('\n');
        }
    }
    kept
}

/// An exit code and both streams.
#[derive(Debug)]
pub struct Answer {
    pub exit: i32,
    pub output: String,
    pub talk: String,
}

impl Answer {
    pub fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        let exit = output.status.code().expect("no signal ended it");
        Answer { exit, output: text(output.stdout), talk: text(output.stderr) }
    }
}

/// The cases that the counterexamples of a full report can be replayed by, in their order.
pub fn cases(report: &str) -> Vec<&str> {
    let commands = report.lines().filter_map(|line| line.strip_prefix("    abench replay "));
    commands.map(|case| case.trim_matches('\'')).filter(|case| case.starts_with("case1,")).collect()
}

/// A run that has lasted long enough to tell how far it is: no clock is waited for, only its first word.
pub struct UnderWay {
    child: Child,
    talk: BufReader<ChildStderr>,
}

impl UnderWay {
    pub fn start(args: &[&str]) -> Self {
        let mut child = abench()
            .args(args)
            .args(["--progress", "always"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut talk = BufReader::new(child.stderr.take().expect("a pipe"));
        let told = talk
            .by_ref()
            .lines()
            .map(|line| line.expect("text"))
            .find(|line| line.contains('%') || line.contains("/s"));
        assert!(told.is_some(), "a run that lasts tells how far it is");
        UnderWay { child, talk }
    }

    /// Asks it to stop, as the keys of a terminal do.
    #[cfg(unix)]
    pub fn interrupted(mut self) -> Answer {
        let kill = format!("kill -INT {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("sh").success());
        let mut talk = String::new();
        self.talk.read_to_string(&mut talk).expect("text");
        let ended = self.child.wait_with_output().expect("it ends");
        Answer { talk, ..Answer::of(ended) }
    }

    /// Ends it at once, without asking.
    pub fn killed(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }
}

/// The text with every run of white space as one blank.
pub fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text without what a build with the feature `rtl` has besides, so that both kinds of build show the same.
pub fn without_rtl(text: &str) -> String {
    if !cfg!(feature = "rtl") {
        return text.to_owned();
    }
    let entry = |line: &&str| line.starts_with("  rtl[:BANKS] ");
    let (entries, lines): (Vec<&str>, Vec<&str>) = text.lines().partition(entry);
    let rest: String = lines.into_iter().map(|line| format!("{line}\n")).collect();
    let shorter = rest.replace("model, rtl, ", "model, ").replace("model:BANKS, rtl and rtl:BANKS, ", "model:BANKS, ");
    assert!(!entries.is_empty() || shorter != rest, "a build with the RTL names it: {text}");
    shorter
}

/// What a dashboard takes from a run's output, as the known ones do it: the contract that the output keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Every `N_BANKS=<n>`.
    pub banks: Vec<u32>,
    /// Rows whose first two words are whole numbers, the first of them 1, 2, 4 or 8: banks, cycles and the first
    /// `0x…` word.
    pub rows: Vec<(u32, u64, Option<u64>)>,
    /// Whether the green words are anywhere.
    pub all_match: bool,
}

impl Reading {
    /// Reads output as a dashboard does.
    pub fn of(output: &str) -> Self {
        let mut reading = Reading { all_match: output.contains("ALL MATCH"), ..Reading::default() };
        for line in output.lines() {
            let banks = line.split("N_BANKS=").skip(1).filter_map(|rest| {
                let digits = rest.find(|c: char| !c.is_ascii_digit()).map_or(rest, |end| &rest[..end]);
                digits.parse::<u32>().ok()
            });
            reading.banks.extend(banks);
            let words: Vec<&str> = line.split_whitespace().collect();
            if let [first, second, ..] = words[..]
                && let (Ok(banks @ (1 | 2 | 4 | 8)), Ok(cycles)) = (first.parse(), second.parse())
            {
                let result = words.iter().find_map(|word| word.strip_prefix("0x"));
                let result = result.and_then(|digits| u64::from_str_radix(digits, 16).ok());
                reading.rows.push((banks, cycles, result));
            }
        }
        reading
    }
}
