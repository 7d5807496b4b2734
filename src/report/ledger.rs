//! The claims ledger: every published claim, on trial, as JSON.
//!
//! Two trials of the same claims by the same version give the same ledger, byte for byte, apart from `timing` and `host`.
//! Knows: verdicts and warrants. Must not: judge, read or write files.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::count::counted;
use crate::domain::evidence::Evidence;
use crate::domain::verdict::{Outcome, Verdict, Warrant};
use crate::report::record::Host;
use crate::report::seal::Sealed;

/// What every ledger says it is.
pub const FORMAT: &str = "abench-ledger";

/// The version of the format.
pub const VERSION: u32 = 1;

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimVerdict {
    /// Nothing that was tried contradicts it.
    Holds,
    /// Only a board, or an instrument at a board, could tell.
    NoHardware,
    /// The user stopped the trial before it could tell.
    NotTried,
    /// What was tried could not tell.
    Inconclusive,
    /// Something contradicts it.
    Falsified,
}

impl ClaimVerdict {
    /// The verdict of several rules, all of which must hold. An empty set has tried nothing.
    pub fn of_all(verdicts: impl IntoIterator<Item = ClaimVerdict>) -> Self {
        verdicts.into_iter().max().unwrap_or(ClaimVerdict::Inconclusive)
    }
}

impl From<Verdict> for ClaimVerdict {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Holds => ClaimVerdict::Holds,
            Verdict::Inconclusive => ClaimVerdict::Inconclusive,
            Verdict::Falsified => ClaimVerdict::Falsified,
        }
    }
}

impl fmt::Display for ClaimVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ClaimVerdict::Holds => "holds",
            ClaimVerdict::NoHardware => "no hardware",
            ClaimVerdict::NotTried => "not tried",
            ClaimVerdict::Inconclusive => "inconclusive",
            ClaimVerdict::Falsified => "falsified",
        })
    }
}

/// Claims, and what became of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The version of abench that made it.
    pub abench: String,
    /// Where the claims are from: `shipped`, or the name of a file.
    pub claims_from: String,
    /// Faults that were planted, as texts. Claims are then expected to fall.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub planted: Vec<String>,
    /// Whether the user stopped the trial; what is missing was not done.
    pub interrupted: bool,
    /// Why a backend could not go on, where one could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<String>,
    /// What the harness found to contradict itself, if anything: then nothing of the ledger is worth anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contradiction: Option<String>,
    /// What was run, in this order: scenarios, and qualifications of scenarios.
    pub runs: Vec<RunEntry>,
    /// The claims, in the order of their file.
    pub claims: Vec<ClaimEntry>,
    /// How long things took; differs between trials.
    pub timing: LedgerTiming,
    /// What the trial was made on; differs between machines.
    pub host: Host,
    /// The digest of what it claims, computed when it is written: see [`seal`](crate::report::seal).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

impl Sealed for Ledger {
    fn digest(&mut self) -> &mut Option<String> {
        &mut self.digest
    }

    fn timing_digest(&mut self) -> Option<&mut Option<String>> {
        Some(&mut self.timing.digest)
    }
}

/// Something that was run once, however many claims rest on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunEntry {
    /// The scenario, or the qualification and its scenario.
    pub name: String,
    /// The command that runs it alone.
    pub command: String,
    /// Its verdict; nothing where it was not run to its end.
    pub verdict: Option<Verdict>,
    /// Why, in a sentence.
    pub reason: String,
}

/// A claim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimEntry {
    /// Its name.
    pub id: String,
    /// The claim in its source's words.
    pub says: String,
    /// Its source.
    pub source: String,
    /// What would refute it.
    pub refuted_if: String,
    /// The verdict that is expected.
    pub expected: ClaimVerdict,
    /// What became of it as it is written.
    pub trial: ClaimTrial,
    /// The weaker claim beside it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weaker: Option<WeakerEntry>,
}

impl ClaimEntry {
    /// Whether it came out as expected: a weaker claim is always expected to hold.
    pub fn is_as_expected(&self) -> bool {
        let weaker_holds = self.weaker.as_ref().is_none_or(|weaker| weaker.trial.verdict == ClaimVerdict::Holds);
        self.trial.verdict == self.expected && weaker_holds
    }

    /// Whether it was tried, as far as its rules can be here.
    pub fn is_tried(&self) -> bool {
        let trials = std::iter::once(&self.trial).chain(self.weaker.as_ref().map(|weaker| &weaker.trial));
        trials.into_iter().all(|trial| trial.verdict != ClaimVerdict::NotTried)
    }
}

/// A weaker claim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeakerEntry {
    /// It in words.
    pub says: String,
    /// What became of it.
    pub trial: ClaimTrial,
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimTrial {
    /// The verdict: the worst of the decisions.
    pub verdict: ClaimVerdict,
    /// What each rule came to in each run.
    pub decisions: Vec<Decision>,
}

impl ClaimTrial {
    /// The trial with these decisions.
    pub fn of(decisions: Vec<Decision>) -> Self {
        ClaimTrial { verdict: ClaimVerdict::of_all(decisions.iter().map(|decision| decision.verdict)), decisions }
    }

    /// The decisions that gave the verdict: those that are as bad as it.
    pub fn decisive(&self) -> impl Iterator<Item = &Decision> {
        self.decisions.iter().filter(|decision| decision.verdict == self.verdict)
    }

    /// The smallest counterexample, if there is any.
    pub fn counterexample(&self) -> Option<&LedgerCounterexample> {
        self.decisive().filter_map(|decision| decision.counterexample.as_ref()).min_by_key(|found| found.command.len())
    }
}

/// What a rule came to in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The run.
    pub run: String,
    /// What the rule asks for, in words.
    pub asked: String,
    /// What became of it.
    pub verdict: ClaimVerdict,
    /// What was found, or why nothing was: a sentence without its full stop.
    pub found: String,
    /// How the answer was got; nothing where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// The number that was compared, where one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Measured>,
    /// What a `holds` rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warrant: Option<Warrant>,
    /// What contradicts the claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterexample: Option<LedgerCounterexample>,
}

/// A number of a run, beside its bound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// What it is, as the rule names it.
    pub what: String,
    /// The number, exactly: this over [`Measured::of`].
    pub number: i64,
    /// What it is divided by.
    pub of: i64,
    /// It in words, with its unit; cut off after two decimals, not rounded.
    pub shown: String,
    /// The bound in words.
    pub bound: String,
}

/// What contradicts a claim, and how to see it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerCounterexample {
    /// What is wrong, in a sentence without its full stop.
    pub sentence: String,
    /// How small it is, and whether smaller ones were ruled out; empty where it is no single case.
    pub size: String,
    /// The command that shows it again.
    pub command: String,
}

/// How long a trial of claims took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerTiming {
    /// All of it, in microseconds.
    pub total_us: u64,
    /// Every run, in microseconds, in their order.
    pub runs_us: Vec<(String, u64)>,
    /// The digest of this section and of `host`, computed when the ledger is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

impl Ledger {
    /// The claims that did not come out as expected.
    pub fn unexpected(&self) -> impl Iterator<Item = &ClaimEntry> {
        self.claims.iter().filter(|claim| !claim.is_as_expected())
    }

    /// The claims that were not tried to their end.
    pub fn not_tried(&self) -> impl Iterator<Item = &ClaimEntry> {
        self.claims.iter().filter(|claim| !claim.is_tried())
    }

    /// The verdict of all claims that were tried: falsified beats inconclusive beats holds. What only hardware can tell is no
    /// part of it. Of a trial that the user stopped, only a claim that fell unexpectedly is news: most fall as expected.
    pub fn verdict(&self) -> Verdict {
        if self.interrupted {
            let falls = |claim: &ClaimEntry| claim.is_tried() && claim.trial.verdict == ClaimVerdict::Falsified;
            let is_news = self.unexpected().any(falls);
            return if is_news { Verdict::Falsified } else { Verdict::Inconclusive };
        }
        Verdict::of_set(self.claims.iter().filter_map(|claim| match claim.trial.verdict {
            ClaimVerdict::Holds => Some(Verdict::Holds),
            ClaimVerdict::Inconclusive | ClaimVerdict::NotTried => Some(Verdict::Inconclusive),
            ClaimVerdict::Falsified => Some(Verdict::Falsified),
            ClaimVerdict::NoHardware => None,
        }))
    }

    /// What is said with the verdict where the user stopped the trial: what was not done.
    pub fn stopped(&self) -> String {
        let left = self.not_tried().count();
        format!(": stopped by the user, {left} of {} not tried", counted(self.claims.len(), "claim"))
    }

    /// The counterexample to show where there is room for one: of a claim that did not come out as expected, if there is any;
    /// otherwise one that `abench replay` shows, the shortest.
    pub fn smallest_counterexample(&self) -> Option<(&ClaimEntry, &LedgerCounterexample)> {
        let found = |claim: &'_ ClaimEntry| claim.trial.counterexample().is_some();
        let unexpected = self.unexpected().find(|claim| claim.is_tried() && found(claim));
        let key = |claim: &&ClaimEntry| {
            let command = claim.trial.counterexample().map_or("", |found| found.command.as_str());
            (!command.starts_with("abench replay "), command.len())
        };
        let claim = unexpected.or_else(|| self.claims.iter().filter(|claim| found(claim)).min_by_key(key))?;
        Some((claim, claim.trial.counterexample()?))
    }

    /// The claims, the worst first: those that did not come out as expected, then by verdict; among equals the one whose
    /// counterexample is shown.
    pub fn worst_first(&self) -> Vec<&ClaimEntry> {
        let shown = self.smallest_counterexample().map(|(claim, _)| claim.id.as_str());
        let is_expected = |claim: &ClaimEntry| claim.is_as_expected() || !claim.is_tried();
        let mut claims: Vec<&ClaimEntry> = self.claims.iter().collect();
        claims.sort_by_key(|claim| {
            (is_expected(claim), std::cmp::Reverse(claim.trial.verdict), Some(claim.id.as_str()) != shown)
        });
        claims
    }

    /// All that decides the exit code.
    pub fn outcome(&self) -> Outcome {
        Outcome {
            interrupted: self.interrupted,
            broken: self.contradiction.is_some(),
            unavailable: self.unavailable.is_some(),
            verdict: self.verdict(),
            expectation_met: Some(self.unexpected().next().is_none()),
        }
    }

    /// The ledger without what may differ between two trials of the same claims.
    pub fn without_timing_and_host(&self) -> Ledger {
        Ledger { timing: LedgerTiming::default(), host: Host::default(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(verdict: ClaimVerdict) -> Decision {
        Decision {
            run: "tick".to_owned(),
            asked: String::new(),
            verdict,
            found: String::new(),
            evidence: Vec::new(),
            number: None,
            warrant: None,
            counterexample: None,
        }
    }

    fn claim(expected: ClaimVerdict, verdict: ClaimVerdict, weaker: Option<ClaimVerdict>) -> ClaimEntry {
        let trial = |verdict| ClaimTrial::of(vec![decision(verdict)]);
        ClaimEntry {
            id: "a-claim".to_owned(),
            says: String::new(),
            source: String::new(),
            refuted_if: String::new(),
            expected,
            trial: trial(verdict),
            weaker: weaker.map(|verdict| WeakerEntry { says: String::new(), trial: trial(verdict) }),
        }
    }

    fn ledger(claims: Vec<ClaimEntry>) -> Ledger {
        Ledger {
            format: FORMAT.to_owned(),
            version: VERSION,
            abench: String::new(),
            claims_from: "shipped".to_owned(),
            planted: Vec::new(),
            interrupted: false,
            unavailable: None,
            contradiction: None,
            runs: Vec::new(),
            claims,
            timing: LedgerTiming::default(),
            host: Host::default(),
            digest: None,
        }
    }

    #[test]
    fn of_several_rules_the_worst_decides_and_none_decides_nothing() {
        use ClaimVerdict::*;
        assert_eq!(ClaimVerdict::of_all([Holds, NoHardware, Inconclusive, Falsified]), Falsified);
        assert_eq!(ClaimVerdict::of_all([Holds, NoHardware]), NoHardware);
        assert_eq!(ClaimVerdict::of_all([Holds, NotTried, NoHardware]), NotTried);
        assert_eq!(ClaimVerdict::of_all([]), Inconclusive);
    }

    #[test]
    fn a_claim_is_as_expected_only_if_its_weaker_form_holds_as_well() {
        use ClaimVerdict::*;
        assert!(claim(Falsified, Falsified, None).is_as_expected());
        assert!(claim(Falsified, Falsified, Some(Holds)).is_as_expected());
        assert!(!claim(Falsified, Holds, Some(Holds)).is_as_expected());
        assert!(!claim(Falsified, Falsified, Some(Falsified)).is_as_expected());
        assert!(!claim(Falsified, Falsified, Some(NotTried)).is_tried());
    }

    #[test]
    fn the_exit_code_is_0_only_where_every_claim_is_as_expected() {
        use ClaimVerdict::*;
        let exit = |claims| ledger(claims).outcome().exit_code();
        assert_eq!(exit(vec![claim(Falsified, Falsified, None), claim(NoHardware, NoHardware, None)]), 0);
        assert_eq!(exit(vec![claim(Falsified, Holds, None)]), 1);
        assert_eq!(exit(vec![claim(Holds, Inconclusive, None)]), 1);
        let base = ledger(vec![claim(Holds, Falsified, None)]);
        assert_eq!(Ledger { unavailable: Some("gone".to_owned()), ..base.clone() }.outcome().exit_code(), 4);
        assert_eq!(Ledger { contradiction: Some("two counts".to_owned()), ..base.clone() }.outcome().exit_code(), 70);
        assert_eq!(Ledger { interrupted: true, ..base }.outcome().exit_code(), 130);
    }
}
