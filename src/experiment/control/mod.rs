//! Positive controls: a judge is given a right answer, which it must accept, and planted wrong ones, which it must refuse.
//!
//! A control asks the very function that judges the run, and lies in the file of that function.

pub mod accumulator;
pub mod device;

use std::num::NonZeroUsize;

use crate::domain::judge::Judge;
use crate::domain::oracle::OracleId;
use crate::domain::verdict::Verdict;
use crate::report::record::Check;

/// What a subject of a control is called.
pub const NAME: &str = "control";

/// What is planted for a judge, and how it is shown.
#[derive(Clone, Copy)]
pub struct Control {
    /// The judge.
    pub judge: Judge,
    /// The wrong answers, in words.
    pub planted: &'static str,
    /// Has the judge judge a right answer and the wrong ones.
    pub show: Show,
}

/// How a judge is shown what is planted for it.
#[derive(Clone, Copy)]
pub enum Show {
    /// By itself.
    Alone(fn() -> Shown),
    /// In a world for each wrong answer, on so many threads.
    InWorlds(fn(NonZeroUsize) -> Shown),
}

/// What a judge made of the answers that were planted for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Whether the right answer held.
    pub accepts_right: bool,
    /// Wrong answers.
    pub wrong: u64,
    /// Those that were falsified.
    pub refused: u64,
}

impl Shown {
    /// Gives a judge a right answer and then wrong ones.
    pub fn of<A>(right: A, wrong: impl IntoIterator<Item = A>, mut judge: impl FnMut(A) -> Verdict) -> Self {
        let mut shown = Shown { accepts_right: judge(right) == Verdict::Holds, wrong: 0, refused: 0 };
        for answer in wrong {
            shown.wrong += 1;
            shown.refused += u64::from(judge(answer) == Verdict::Falsified);
        }
        shown
    }
}

/// What a check and one of its oracles say: a verdict only where they agree, since a planted answer has to move both.
pub fn agreed(check: &Check, oracle: OracleId) -> Verdict {
    match check.oracles.get(&oracle) {
        Some(&verdict) if verdict == check.verdict => verdict,
        _ => Verdict::Inconclusive,
    }
}

/// Each bit of a word.
pub fn bits() -> impl Iterator<Item = u64> {
    (0..u64::BITS).map(|bit| 1 << bit)
}
