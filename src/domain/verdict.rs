//! Verdicts, what they rest on, and the exit code that a run's outcome gives.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::order::Shuffle;

/// The judgement of a check, a claim or a run. In a set, falsified beats inconclusive beats holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing contradicts the claim, and the check could have.
    Holds,
    /// The check could not have told, or did not get to.
    Inconclusive,
    /// Something contradicts the claim.
    Falsified,
}

impl Verdict {
    /// The verdict of a set. An empty set has tried nothing and is inconclusive.
    pub fn of_set(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
        verdicts.into_iter().max().unwrap_or(Verdict::Inconclusive)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Holds => "holds",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Falsified => "falsified",
        })
    }
}

/// What a `holds` about arrival orders rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Warrant {
    /// All `deltas`! orders were delivered, counted by their ranks.
    Proved {
        /// How many deltas were put in order.
        deltas: u64,
    },
    /// Every ordered tuple of `strength` deltas was delivered, counted in the orders that were.
    Covered {
        /// T: the length of the tuples.
        strength: u32,
        /// The tuples that were counted: all that there are.
        tuples: u64,
    },
    /// All schedules were covered by a walk that merges equal snapshots.
    Walked {
        /// How many schedules, as a full integer.
        schedules: String,
        /// Which, in words.
        of: String,
        /// What the proof takes for granted, a sentence each.
        assumptions: Vec<String>,
    },
    /// Every delivered set was reached in every way, from states that were put back: a search, and no proof of any whole
    /// order.
    Searched {
        /// Steps that were made and counted: one delta to one state each.
        steps: u64,
        /// Delivered sets.
        sets: u64,
    },
    /// The scenario's own world, and worlds that differ from it in their seed alone, independently drawn. The share of those
    /// that could still disagree is bounded as for [`Warrant::Sampled`]; the scenario's own, which its author chose, is no
    /// sample of them.
    Worlds {
        /// How many were drawn.
        drawn: u64,
    },
    /// Random orders were tried, independently drawn. At 95 % confidence, the share of orders that could still disagree
    /// is below `3 / k`: the rule of three, an upper bound of `1 - 0.05^(1/k)` (Hanley and Lippman-Hand, JAMA 249(13),
    /// 1983).
    Sampled {
        /// How many.
        orders: u64,
        /// How they were drawn, where they are arrival orders.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Shuffle>,
    },
}

/// The fewest random orders that bound anything: with three the bound is 1.
pub const FEWEST_SAMPLES: u64 = 4;

impl Warrant {
    /// Its first words: enough for a line that others stand beside.
    pub fn brief(&self) -> String {
        match self {
            Warrant::Walked { schedules, .. } => format!("proved: all {schedules} schedules"),
            Warrant::Searched { steps, sets } => format!("searched: all {steps} steps over {sets} delivered sets"),
            Warrant::Worlds { drawn } if *drawn >= FEWEST_SAMPLES => {
                format!("sampled: k = {drawn} worlds, p < 3/{drawn} = {:.3} at 95 %", 3.0 / *drawn as f64)
            }
            Warrant::Sampled { orders, .. } => Warrant::Sampled { orders: *orders, by: None }.to_string(),
            whole => whole.to_string(),
        }
    }
}

impl fmt::Display for Warrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warrant::Proved { deltas } => write!(f, "proved: all {deltas}! orders"),
            Warrant::Walked { schedules, of, assumptions } => {
                let assumed = assumptions.join(" ");
                // What quotes a warrant ends the sentence.
                let assumed = assumed.trim_end_matches('.');
                write!(f, "proved: all {schedules} schedules ({of}). Taken for granted: {assumed}")
            }
            Warrant::Covered { strength, tuples } => {
                write!(f, "covered: every ordered {strength}-tuple of deliveries, {tuples} of {tuples} counted")
            }
            Warrant::Searched { steps, sets } => write!(
                f,
                "searched: all {steps} steps over {sets} delivered sets, each from a state that was put back; no whole \
                 order is proved"
            ),
            Warrant::Worlds { drawn: 0 } => f.write_str("the scenario's own world alone, which is no sample"),
            Warrant::Worlds { drawn } if *drawn < FEWEST_SAMPLES => {
                write!(
                    f,
                    "sampled: k = {drawn} worlds of other seeds, too few to bound the share of worlds that disagree"
                )
            }
            Warrant::Worlds { drawn } => {
                let bound = 3.0 / *drawn as f64;
                write!(
                    f,
                    "sampled: k = {drawn} worlds that differ from the scenario's in their seed alone, p < 3/{drawn} = {bound:.3} at 95 %"
                )
            }
            Warrant::Sampled { orders, .. } if *orders < FEWEST_SAMPLES => {
                write!(f, "sampled: k = {orders}, too few to bound the share of orders that disagree")
            }
            Warrant::Sampled { orders, by } => {
                write!(f, "sampled: k = {orders}, p < 3/{orders} = {:.3} at 95 %", 3.0 / *orders as f64)?;
                by.map_or(Ok(()), |by| write!(f, "; drawn by {by} from ChaCha20"))
            }
        }
    }
}

/// All that decides a run's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The user stopped the run.
    pub interrupted: bool,
    /// The harness itself is broken: what it says is worth nothing.
    pub broken: bool,
    /// A backend could not be reached or fell silent.
    pub unavailable: bool,
    /// The judgement of what was run.
    pub verdict: Verdict,
    /// Whether the scenario's expectations were met, where it has any.
    pub expectation_met: Option<bool>,
}

impl Outcome {
    /// Of a run that came to its end, without expectations.
    pub fn of(verdict: Verdict) -> Self {
        Outcome { interrupted: false, broken: false, unavailable: false, verdict, expectation_met: None }
    }

    /// 130 interrupted, 70 broken, 4 unavailable, 1 falsified, 3 inconclusive, 0 holds: the first that applies. Where a
    /// scenario has expectations, the verdict's place is taken by whether they were met.
    pub fn exit_code(self) -> u8 {
        if self.interrupted {
            return exit::INTERRUPTED;
        }
        if self.broken {
            return exit::INTERNAL;
        }
        if self.unavailable {
            return exit::UNAVAILABLE;
        }
        match (self.expectation_met, self.verdict) {
            (Some(false), _) | (None, Verdict::Falsified) => exit::FALSIFIED,
            (None, Verdict::Inconclusive) => exit::INCONCLUSIVE,
            (Some(true), _) | (None, Verdict::Holds) => exit::HOLDS,
        }
    }

    /// What the board's table says of the run. Dashboards turn `holds` into a green light, so that it takes a run that came
    /// to its end, with a verdict that holds and with every expectation met.
    pub fn board(self) -> Verdict {
        let whole = !self.interrupted && !self.broken && !self.unavailable;
        match (self.verdict, self.expectation_met) {
            (Verdict::Holds, Some(false)) => Verdict::Falsified,
            (Verdict::Holds, _) if !whole => Verdict::Inconclusive,
            (verdict, _) => verdict,
        }
    }
}

/// The exit codes of the command line.
pub mod exit {
    /// Every claim on trial holds, or every expectation was met.
    pub const HOLDS: u8 = 0;
    /// A claim was falsified, or an expectation was not met.
    pub const FALSIFIED: u8 = 1;
    /// The command line, a scenario or a record cannot be used, or a result cannot be written.
    pub const USAGE: u8 = 2;
    /// The run could not tell.
    pub const INCONCLUSIVE: u8 = 3;
    /// A backend cannot be reached.
    pub const UNAVAILABLE: u8 = 4;
    /// Something is worse than in the record that it is compared with.
    pub const REGRESSION: u8 = 5;
    /// The harness itself is broken.
    pub const INTERNAL: u8 = 70;
    /// The user stopped the run.
    pub const INTERRUPTED: u8 = 130;

    /// How bad an exit code is: from the best to the worst they are 0, 3, 5, 1, 4, 70, 130.
    pub fn badness(code: u8) -> u8 {
        match code {
            INTERRUPTED => 6,
            INTERNAL => 5,
            UNAVAILABLE => 4,
            FALSIFIED => 3,
            REGRESSION => 2,
            INCONCLUSIVE => 1,
            _ => 0,
        }
    }

    /// Of two exit codes the one that comes first in 130, 70, 4, 1, 5, 3, 0.
    pub fn worse(one: u8, other: u8) -> u8 {
        if badness(other) > badness(one) { other } else { one }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_set_falsified_beats_inconclusive_beats_holds() {
        use Verdict::*;
        assert_eq!(Verdict::of_set([Holds, Inconclusive, Falsified]), Falsified);
        assert_eq!(Verdict::of_set([Holds, Inconclusive]), Inconclusive);
        assert_eq!(Verdict::of_set([Holds, Holds]), Holds);
        assert_eq!(Verdict::of_set([]), Inconclusive);
    }

    #[test]
    fn a_brief_warrant_keeps_its_kind_and_its_bound() {
        let walked = Warrant::Walked {
            schedules: "24".to_owned(),
            of: "4 deltas".to_owned(),
            assumptions: vec!["A.".to_owned()],
        };
        assert_eq!(walked.brief(), "proved: all 24 schedules");
        let sampled = Warrant::Sampled { orders: 64, by: Some(Shuffle::FisherYates) };
        assert_eq!(sampled.brief(), "sampled: k = 64, p < 3/64 = 0.047 at 95 %");
        assert_eq!(Warrant::Worlds { drawn: 9 }.brief(), "sampled: k = 9 worlds, p < 3/9 = 0.333 at 95 %");
        // Too few bound nothing, and say so.
        for few in
            [Warrant::Sampled { orders: 3, by: None }, Warrant::Worlds { drawn: 3 }, Warrant::Worlds { drawn: 0 }]
        {
            assert_eq!(few.brief(), few.to_string());
        }
    }

    #[test]
    fn the_exit_code_is_the_first_that_applies() {
        let base = Outcome::of(Verdict::Holds);
        let falsified = Outcome { verdict: Verdict::Falsified, ..base };
        assert_eq!(base.exit_code(), 0);
        assert_eq!(falsified.exit_code(), 1);
        assert_eq!(Outcome { verdict: Verdict::Inconclusive, ..base }.exit_code(), 3);
        assert_eq!(Outcome { unavailable: true, ..falsified }.exit_code(), 4);
        assert_eq!(Outcome { broken: true, unavailable: true, ..falsified }.exit_code(), 70);
        assert_eq!(Outcome { interrupted: true, broken: true, ..falsified }.exit_code(), 130);
        assert_eq!(Outcome { broken: true, expectation_met: Some(true), ..base }.exit_code(), 70);
        assert_eq!(Outcome { expectation_met: Some(true), ..falsified }.exit_code(), 0);
        assert_eq!(Outcome { expectation_met: Some(false), ..base }.exit_code(), 1);
    }

    #[test]
    fn the_board_is_green_only_for_a_whole_run_that_holds_and_is_as_expected() {
        let base = Outcome::of(Verdict::Holds);
        assert_eq!(base.board(), Verdict::Holds);
        assert_eq!(Outcome { expectation_met: Some(true), ..base }.board(), Verdict::Holds);
        assert_eq!(Outcome { expectation_met: Some(false), ..base }.board(), Verdict::Falsified);
        for outcome in [
            Outcome { interrupted: true, ..base },
            Outcome { broken: true, ..base },
            Outcome { unavailable: true, ..base },
            Outcome { expectation_met: Some(true), ..Outcome::of(Verdict::Inconclusive) },
        ] {
            assert_eq!(outcome.board(), Verdict::Inconclusive, "{outcome:?}");
        }
    }

    #[test]
    fn of_several_exit_codes_the_worst_decides() {
        let worst = |codes: &[u8]| codes.iter().fold(0, |worst, &code| exit::worse(worst, code));
        assert_eq!([worst(&[0, 3, 0]), worst(&[3, 1, 0]), worst(&[1, 4, 3]), worst(&[4, 70])], [3, 1, 4, 70]);
        assert_eq!(worst(&[4, 130]), 130);
        assert_eq!([worst(&[3, 5, 0]), worst(&[5, 1]), worst(&[5, 4])], [5, 1, 4]);
    }

    #[test]
    fn a_handful_of_samples_claims_no_bound() {
        let sampled = |orders, by| Warrant::Sampled { orders, by }.to_string();
        assert!(sampled(3, None).contains("too few"));
        let worlds = |drawn| Warrant::Worlds { drawn }.to_string();
        assert_eq!(worlds(0), "the scenario's own world alone, which is no sample");
        assert_eq!(
            worlds(2),
            "sampled: k = 2 worlds of other seeds, too few to bound the share of worlds that disagree"
        );
        assert_eq!(
            worlds(9),
            "sampled: k = 9 worlds that differ from the scenario's in their seed alone, p < 3/9 = 0.333 at 95 %"
        );
        assert_eq!(sampled(64, None), "sampled: k = 64, p < 3/64 = 0.047 at 95 %");
        assert_eq!(
            sampled(64, Some(Shuffle::FisherYates)),
            "sampled: k = 64, p < 3/64 = 0.047 at 95 %; drawn by Fisher-Yates shuffles from ChaCha20"
        );
    }
}
