//! The one door: what was read from a file, a record or the command line is refused here, or valid for good. Only what passed
//! it runs.

use std::ops::Deref;

use crate::domain::subject::SubjectError;
use crate::domain::trial::Expectation;
use crate::engine;
use crate::experiment::{self, Bench};
use crate::oracle::offline;
use crate::scenario::Scenario;

/// Something that passed the door. There is no other way to make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Valid<T>(T);

/// Why a scenario cannot run: the table of its file, the key in it, and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("[{table}]: {reason}")]
pub struct Refused {
    /// The table.
    pub table: &'static str,
    /// The key, and what is allowed.
    pub reason: String,
}

impl<T> Deref for Valid<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// What is shown to an experiment that is run: that its keys passed the door. Only a valid scenario gives it.
#[derive(Clone, Copy, Debug)]
pub struct Passed(());

impl Valid<Scenario> {
    /// Lets a scenario pass, or says why it cannot run.
    ///
    /// # Errors
    /// If a value is out of its bounds, values do not go together, an engine, a mutant or a judge is unknown, an engine does
    /// not support the topology, or a world takes more memory than it may.
    pub fn of(scenario: Scenario) -> Result<Self, Refused> {
        if let Some((table, reason)) = scenario.trial.impossible() {
            return Err(Refused { table, reason });
        }
        let refused = |table| move |reason| Refused { table, reason };
        experiment::of(&scenario.trial).refuse().map_err(refused(scenario.trial.table()))?;
        scenario.expect.as_ref().map_or(Ok(()), expectation)?;
        Ok(Valid(scenario))
    }

    /// Runs what the scenario puts on trial.
    ///
    /// # Errors
    /// If the user stops it, or a subject gives no answer.
    pub fn run(&self, bench: Bench<'_>) -> Result<(), SubjectError> {
        experiment::of(&self.trial).run(Passed(()), bench)
    }

    /// The same scenario, of which nothing is expected.
    pub fn without_expectations(&self) -> Self {
        Valid(Scenario { expect: None, ..self.0.clone() })
    }
}

/// Refuses expectations of what there is not, which no run could meet.
fn expectation(expect: &Expectation) -> Result<(), Refused> {
    let refused = |table, reason| Refused { table, reason };
    for name in expect.engines.keys() {
        engine::find(name).map_err(|unknown| refused("expect.engines", unknown.to_string()))?;
    }
    for (mutant, judge) in &expect.mutants {
        engine::find_mutant(engine::REGISTRY, mutant)
            .map_err(|unknown| refused("expect.mutants", unknown.to_string()))?;
        offline::find(judge).map_err(|unknown| refused("expect.mutants", format!("{mutant}: {unknown}")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::offline::OfflineTrial;
    use crate::domain::trial::Trial;
    use crate::scenario::shipped::{self, SHIPPED};

    fn shipped_world(name: &str) -> OfflineTrial {
        match shipped::find(name).expect("it is shipped").expect("it is sound").trial {
            Trial::Offline(trial) => *trial,
            _ => panic!("{name} is a world"),
        }
    }

    #[test]
    fn every_shipped_scenario_passes_the_door() {
        for (name, _) in SHIPPED {
            let scenario = shipped::find(name).expect("it is shipped").expect("it is sound");
            assert_eq!(Valid::of(scenario.clone()).map(|valid| valid.0), Ok(scenario), "{name}");
        }
    }

    #[test]
    fn what_no_file_could_hold_does_not_pass_either_and_the_key_is_named() {
        let refused = |change: fn(&mut OfflineTrial)| {
            let mut trial = shipped_world("two-stores-lost");
            change(&mut trial);
            let scenario = Scenario::unnamed(Trial::Offline(Box::new(trial)));
            Valid::of(scenario).expect_err("it cannot run").to_string()
        };
        assert_eq!(refused(|trial| trial.registers = 0), "[offline]: registers = 0 is not allowed; 1 to 1048576 are");
        let unknown = refused(|trial| trial.engines.push("gossip".to_owned()));
        assert!(unknown.starts_with("[offline]: engines: 'gossip' is not an engine; allowed are"), "{unknown}");
        let unknown = refused(|trial| trial.mutants.push("gremlin".to_owned()));
        assert!(unknown.starts_with("[offline]: mutants: 'gremlin'"), "{unknown}");
    }
}
