//! Experiments: a folder for each kind of trial, with its loop, its judges and their controls, its claims, and what it cannot
//! see.
//!
//! Nothing outside a kind's folder matches on the kind: [`Experiment`] is what the others ask it. An experiment adds what it
//! finds to the record. Knows: everything above it. Must not: print, read files, or know who watches.

pub mod answers;
pub mod bandwidth;
pub mod claims;
pub mod codecs;
pub mod control;
pub mod crash;
pub mod curves;
pub mod devices;
pub mod every_delivery;
pub mod every_order;
pub mod jobs;
pub mod laws;
pub mod planting;
pub mod small_world;
pub mod standard;
pub mod tick;
pub mod valid;
pub mod walk;
pub mod world;

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use crate::domain::bandwidth::BandwidthTrial;
use crate::domain::case::Case;
use crate::domain::codecs::CodecsTrial;
use crate::domain::curves::CurvesTrial;
use crate::domain::every_delivery::EveryDeliveryTrial;
use crate::domain::execution::Execution;
use crate::domain::explorer::ExplorerSpec;
use crate::domain::fault::Fault;
use crate::domain::judge::Judge;
use crate::domain::offline::{CrashEverywhereTrial, OfflineTrial};
use crate::domain::seed::Seed;
use crate::domain::subject::{Subject, SubjectError};
use crate::domain::trial::{
    Budget, EveryOrderTrial, LawsTrial, MemoryMib, StandardTrial, TickTrial, Trial, every_kind,
};
use crate::domain::watch::Watch;
use crate::explore::PlanError;
use crate::report::first_screen::Run;
use crate::report::record::{ClaimRecord, Record, Unseen};
use crate::report::view::View;
use crate::subject::Subjects;
use answers::Answers;
use jobs::Jobs;
use planting::Planting;
use valid::Passed;

/// A kind of trial, with the keys of one.
pub trait Experiment: View {
    /// Refuses keys that cannot run, though each of them is within its bounds.
    ///
    /// # Errors
    /// The key, and what is allowed.
    fn refuse(&self) -> Result<(), String> {
        Ok(())
    }

    /// Goes through a script as it is written, and tells the step that no engine comes to, if there is one.
    fn rehearse(&self) -> Option<String> {
        None
    }

    /// The judges that judge it: each is shown planted wrong answers before the run.
    fn judges(&self) -> &'static [Judge];

    /// Puts what the command line names in the place of what the keys say.
    ///
    /// # Errors
    /// If an option would have no effect.
    fn adjust(&mut self, changes: &Changes) -> Result<(), NoEffect>;

    /// Has it leave out the reduction of counterexamples to scripts.
    ///
    /// # Errors
    /// If it reduces none: the option would have no effect.
    fn leave_reduction_out(&mut self) -> Result<(), NoEffect> {
        let reason = "is about worlds of clients, and this scenario has none: leave the option out";
        Err(NoEffect { option: NO_REDUCE, reason })
    }

    /// What its record can answer, where no backend lacks a part.
    fn answers(&self) -> Answers;

    /// Why it uses no backend, if it uses none.
    fn no_backend(&self) -> Option<&'static str> {
        None
    }

    /// Why this fault cannot act in it, if it cannot, whatever the device.
    fn no_fault(&self, fault: Fault) -> Option<&'static str>;

    /// Worlds or walks of engines, in which mutants can be planted, if it has any.
    fn planting(&self) -> Option<&dyn Planting> {
        None
    }

    /// The most deltas that an engine run takes on a device with so many banks; 0 if there is none.
    fn longest_run(&self, banks: u32) -> u32 {
        let _ = banks;
        0
    }

    /// Whether what it asks for can be tried on these subjects within its budget.
    ///
    /// # Errors
    /// What it would cost, and what fits.
    fn fits(&self, setting: &Setting<'_>) -> Result<(), PlanError> {
        let _ = setting;
        Ok(())
    }

    /// Runs it. The record keeps what was found, also where the run ends early.
    ///
    /// # Errors
    /// If the user stops it, or a subject gives no answer.
    fn run(&self, passed: Passed, bench: Bench<'_>) -> Result<(), SubjectError>;

    /// What a run claims to have tested, and the checks that did.
    fn claims(&self, record: &Record, subjects: &Subjects) -> Vec<ClaimRecord>;

    /// What a run cannot see.
    fn unseen(&self, record: &Record, subjects: &Subjects) -> Unseen;
}

/// What an experiment would run with.
pub struct Setting<'a> {
    /// The scenario's name, where it has one.
    pub scenario: Option<&'a str>,
    /// The subjects.
    pub subjects: &'a Subjects,
    /// Threads among which its jobs are shared out.
    pub threads: NonZeroUsize,
}

/// What an experiment runs with, and the record that it adds to.
pub struct Bench<'a> {
    /// The subjects.
    pub subjects: &'a mut Subjects,
    /// How its jobs are run.
    pub jobs: Jobs<'a>,
    /// What was found so far.
    pub record: &'a mut Record,
    /// Who watches.
    pub watch: &'a mut dyn Watch,
}

macro_rules! experiment {
    ($($(#[$about:meta])* $kind:ident($kept:ty) of $keys:ty = $table:literal,)*) => {
        /// The experiment that a trial asks for.
        pub fn of(trial: &Trial) -> &dyn Experiment {
            match trial { $(Trial::$kind(kept) => { let keys: &$keys = kept; keys })* }
        }

        /// The experiment that a trial asks for, to be adjusted.
        pub fn of_mut(trial: &mut Trial) -> &mut dyn Experiment {
            match trial { $(Trial::$kind(kept) => { let keys: &mut $keys = kept; keys })* }
        }
    };
}
every_kind!(experiment);

/// How a report asks what the experiment of a trial says of its record.
pub fn view(trial: &Trial) -> &dyn View {
    of(trial)
}

/// The record of a run, to be shown.
pub fn shown(record: &Record) -> Run<'_> {
    Run::of(record, view)
}

/// What the command line names in the place of a scenario's keys.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// `--seed`.
    pub seed: Option<Seed>,
    /// `--budget`.
    pub budget: Option<Budget>,
    /// `--memory`.
    pub memory: Option<MemoryMib>,
    /// `--orders`.
    pub orders: Option<ExplorerSpec>,
    /// `--engines`.
    pub engines: Vec<String>,
}

/// The option that leaves reductions out.
pub const NO_REDUCE: &str = "--no-reduce";

/// An option that would have no effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{option} {reason}")]
pub struct NoEffect {
    /// The option.
    pub option: &'static str,
    /// Why.
    pub reason: &'static str,
}

impl Changes {
    /// Whether any of these bounds or chooses what is tried. Its expectations are then those of another run.
    pub fn bound(&self) -> bool {
        self.budget.is_some() || self.memory.is_some() || self.orders.is_some()
    }

    /// Refuses the first of these options that is given, for this reason.
    fn refuse(&self, options: &[&'static str], reason: &'static str) -> Result<(), NoEffect> {
        let given = [
            ("--budget", self.budget.is_some()),
            ("--memory", self.memory.is_some()),
            ("--orders", self.orders.is_some()),
            ("--engines", !self.engines.is_empty()),
        ];
        let refused = given.iter().find(|(option, given)| *given && options.contains(option));
        refused.map_or(Ok(()), |&(option, _)| Err(NoEffect { option, reason }))
    }

    /// Refuses engines where no world has any.
    fn refuse_engines(&self) -> Result<(), NoEffect> {
        self.refuse(&["--engines"], "names engines of replicas, and this scenario has no world of clients")
    }
}

/// Makes a check and keeps how long it took.
pub fn timed<T>(
    record: &mut Record,
    name: &str,
    check: impl FnOnce(&mut Record) -> Result<T, SubjectError>,
) -> Result<T, SubjectError> {
    let start = Instant::now();
    let outcome = check(record);
    took(record, name, start.elapsed());
    outcome
}

/// Keeps how long a check took.
pub fn took(record: &mut Record, name: &str, time: Duration) {
    record.timing.checks_us.push((name.to_owned(), time.as_micros() as u64));
}

/// A case of this subject, with what is planted in it, as a text.
pub fn case_text<S: Subject + ?Sized>(subject: &S, execution: Execution) -> String {
    let faults = subject.planted().into_iter().map(|(fault, _)| fault).collect();
    Case { subject: subject.name().to_owned(), execution, faults }.to_string()
}

#[cfg(test)]
mod tests;
