//! Whether a command is an engine that can stand trial: what its author needs to know, step by step.
//!
//! Each step says what was tried, and, where it fails, why and what to do. Two replicas of it talk over a line that loses and
//! repeats what it is told to. Knows: the port, and what the engine says of itself. Must not: judge how good it is; that is
//! for the worlds.

mod cases;
mod claims;
mod labels;
mod marks;
mod pair;
mod records;
mod replicas;
mod runs;
mod stocks;
mod stores;
mod tags;
mod texts;

use crate::domain::data::DataType;
use crate::engine::host::NodeId;
use crate::engine::port::EngineError;
use crate::engine::process;
use crate::engine::process::child::{ANSWER, NO_ANSWER};
use crate::engine::process::node::TOO_LONG_BUSY;
use pair::Pair;

/// A step of the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was tried.
    pub name: &'static str,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is as it must be; what was seen, where that is worth reading.
    Passed(String),
    /// It is not.
    Failed {
        /// What was seen.
        why: String,
        /// What to do.
        advice: &'static str,
    },
    /// The engine failed as it did at an earlier step.
    FailedAgain,
    /// The engine does not say that it can do this.
    NotAsked(&'static str),
}

/// The hub's number; a client has number 0.
const HUB: NodeId = 1;

/// Messages after which two replicas should have fallen silent.
const MOST_MESSAGES: usize = 2000;

/// Requests without an answer after which no further step is tried: each takes its whole deadline.
const MOST_UNANSWERED: usize = 2;

/// What to do where no answer comes.
const ANSWERS: &str = "answer each request with one line that ends with a newline, and flush standard output; the command must \
                       not end before the process that answers";

/// Starts the command, and tries all that a world asks of an engine; tells each step when it is done. A step that fails does
/// not end the check: each has new replicas. Requests without an answer do, since nobody wants to wait for each.
pub fn check(command: &str, mut tell: impl FnMut(Step)) {
    let text = format!("checked=cmd:{command}");
    let starts = "it starts, and says what it is";
    // Worlds leave a process that does nothing until its deadline: it may wait for another machine.
    let engine = match process::begin(&text, Some(ANSWER)) {
        Ok(engine) => engine,
        Err(error) => {
            let advice = "run the command by hand: it must read lines of JSON from standard input, answer each with one line on \
                          standard output, flush it, and write nothing else there";
            return tell(Step { name: starts, outcome: Outcome::Failed { why: error.to_string(), advice } });
        }
    };
    tell(Step { name: starts, outcome: Outcome::Passed(engine.about.to_owned()) });
    let mut failures: Vec<String> = Vec::new();
    let mut unanswered = 0;
    for &Trial { name, advice, asked, does } in STEPS.iter().copied().flatten() {
        if let Asked::OfWhoCarries(data, why) = asked
            && !engine.carries.has(data)
        {
            tell(Step { name, outcome: Outcome::NotAsked(why) });
            continue;
        }
        if unanswered >= MOST_UNANSWERED {
            let why = "requests stay without an answer, and each takes its whole deadline";
            tell(Step { name, outcome: Outcome::NotAsked(why) });
            continue;
        }
        let mut pair = match Pair::of(engine) {
            Ok(pair) => pair,
            Err(error) => {
                let advice = "answer 'start' with {\"n\": …}; the transcript in docs/engine-protocol.md shows one";
                let outcome = Outcome::Failed { why: error.to_string(), advice };
                return tell(Step { name: "it starts as a replica", outcome });
            }
        };
        let outcome = match does(&mut pair) {
            Ok(Done::Yes(seen)) => Outcome::Passed(seen),
            Ok(Done::NotAsked(why)) => Outcome::NotAsked(why),
            Ok(Done::No(why)) => Outcome::Failed { why, advice },
            Ok(Done::Needs(why, advice)) => Outcome::Failed { why, advice },
            Err(error) => {
                let why = error.to_string();
                let is_silent = why.starts_with(NO_ANSWER);
                unanswered += if why.starts_with(TOO_LONG_BUSY) { MOST_UNANSWERED } else { is_silent.into() };
                failed(why, if is_silent { ANSWERS } else { CORRECT_FIRST }, &mut failures)
            }
        };
        tell(Step { name, outcome });
    }
}

/// What to do where the engine failed before a step was done.
const CORRECT_FIRST: &str = "correct this error first; other steps may fail for it, too";

/// The engine could not go on. What the step is about was not seen.
fn failed(why: String, advice: &'static str, before: &mut Vec<String>) -> Outcome {
    // Numbers of requests differ from step to step, and so does what was written.
    let kind = why.split("; it wrote ").next().unwrap_or_default();
    let kind: String = kind.chars().filter(|c| !c.is_ascii_digit()).collect();
    if before.contains(&kind) {
        return Outcome::FailedAgain;
    }
    before.push(kind);
    Outcome::Failed { why, advice }
}

enum Done {
    Yes(String),
    No(String),
    /// It is not as it must be, and another thing is to be done than what the step is about: what was seen, and that.
    Needs(String, &'static str),
    NotAsked(&'static str),
}

/// What is tried, with two new replicas.
struct Trial {
    name: &'static str,
    /// What to do where it fails.
    advice: &'static str,
    asked: Asked,
    does: fn(&mut Pair) -> Result<Done, EngineError>,
}

/// Who is asked for a step.
#[derive(Clone, Copy)]
enum Asked {
    Always,
    /// Engines that carry this data type; and what is told of others.
    OfWhoCarries(DataType, &'static str),
}

/// All steps, in their order.
const STEPS: &[&[Trial]] = &[
    replicas::STEPS,
    stores::STEPS,
    marks::STEPS,
    tags::STEPS,
    stocks::STEPS,
    labels::STEPS,
    records::STEPS,
    texts::STEPS,
    claims::STEPS,
    cases::STEPS,
    runs::STEPS,
];
