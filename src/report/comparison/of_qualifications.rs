//! The facts of a qualification: mutation scores, and mutants by name.

use crate::report::comparison::facts::{Fact, Kind, Value};
use crate::report::qualification::Qualification;
use crate::report::qualification::devices::{DeviceQualification, MutantOutcome};
use crate::report::qualification::mutants::{EngineQualification, Outcome, Score};

/// Whether both plant the same under the same scenarios; if not, what differs.
pub(super) fn same_question(base: &Qualification, new: &Qualification) -> Result<(), String> {
    let differ = |what: &str, base: String, new: String| match base == new {
        true => Ok(()),
        false => Err(format!("they are of other qualifications: {what} {base} in BASE and {new} in NEW")),
    };
    let names = |names: Option<Vec<&str>>| names.map_or("none".to_owned(), |names| names.join(", "));
    let under = |engines: &EngineQualification| {
        let how = if engines.until_killed { " until killed" } else { "" };
        format!("{} mutants{how}", engines.planned)
    };
    let of_engines = |of: &Qualification| {
        let rows =
            of.engines.as_ref().map(|engines| engines.scenarios.iter().map(|row| row.scenario.as_str()).collect());
        names(rows)
    };
    let of_devices = |of: &Qualification| {
        let rows =
            of.devices.as_ref().map(|devices| devices.controls.iter().map(|row| row.scenario.as_str()).collect());
        names(rows)
    };
    let backend = |of: &Qualification| of.devices.as_ref().map_or("none".to_owned(), |devices| devices.backend.clone());
    let sample = |of: &Qualification| of.engines.as_ref().is_some_and(|engines| engines.until_killed).to_string();
    differ("the scenarios of engines are", of_engines(base), of_engines(new))?;
    differ("the scenarios of devices are", of_devices(base), of_devices(new))?;
    differ("the device is", backend(base), backend(new))?;
    differ("--until-killed is", sample(base), sample(new))?;
    let fewer = base.engines.as_ref().zip(new.engines.as_ref()).filter(|(base, new)| new.planned < base.planned);
    fewer.map_or(Ok(()), |(base, new)| differ("what is planted is", under(base), under(new)))
}

/// Why nothing can be said, where that is so.
pub(super) fn inconclusive(base: &Qualification, new: &Qualification) -> Option<String> {
    let stopped = |of: &Qualification, called: &str| {
        let devices = of.devices.iter().any(|devices| devices.interrupted);
        let engines = of.engines.iter().any(|engines| engines.interrupted);
        (devices || engines).then(|| format!("the qualification of {called} was stopped by its user"))
    };
    stopped(base, "BASE").or_else(|| stopped(new, "NEW"))
}

/// The facts of a qualification.
pub(super) fn facts(qualification: &Qualification) -> Vec<Fact> {
    let devices = qualification.devices.iter().flat_map(of_devices);
    devices.chain(qualification.engines.iter().flat_map(of_engines)).collect()
}

fn of_engines(engines: &EngineQualification) -> Vec<Fact> {
    let score = |what: &str, score: Score| {
        Fact::new(Kind::Mutant, format!("mutation score{what}"), Value::Share(score.killed, score.planted))
    };
    let word = if engines.crashed { "crashed" } else { "sound" };
    let mut facts = vec![
        Fact::new(Kind::Verdict, "the harness", Value::Good(!engines.crashed, word.to_owned())),
        Fact::new(Kind::Verdict, "mutants that escape", Value::Amount(engines.unmet.len() as u64, "")),
    ];
    facts.extend(engines.mutants.iter().map(|row| {
        let what = format!("{} of {}", row.mutant, row.engine);
        Fact::new(Kind::Mutant, what, Value::Good(row.together == Outcome::Killed, row.together.to_string()))
    }));
    facts.push(score("", engines.score));
    facts.push(score(" by worlds", engines.by_worlds));
    facts.push(score(" by walks", engines.by_walks));
    facts.extend(engines.scenarios.iter().map(|row| score(&format!(" of {}", row.scenario), row.score)));
    facts.extend(engines.scenarios.iter().flat_map(|row| {
        row.controls.iter().map(|control| {
            let what = format!("{} in {} without a mutant", control.engine, row.scenario);
            Fact::new(Kind::Verdict, what, Value::Verdict(control.verdict))
        })
    }));
    facts
}

fn of_devices(devices: &DeviceQualification) -> Vec<Fact> {
    let is_sound = !devices.void && !devices.crashed;
    let word = if is_sound { "sound" } else { "not sound" };
    let mut facts = vec![
        Fact::new(Kind::Verdict, "the device without a fault", Value::Good(is_sound, word.to_owned())),
        Fact::new(Kind::Verdict, "unmet coverage of devices", Value::Amount(devices.unmet.len() as u64, "")),
        Fact::new(Kind::Result, "evidence of the device", Value::Exact(devices.evidence.to_string())),
    ];
    facts.extend(devices.mutants.iter().map(|row| {
        let is_found = matches!(row.together, MutantOutcome::Detected | MutantOutcome::Equivalent);
        let what = row.faults.join(" and ");
        Fact::new(Kind::Mutant, what, Value::Good(is_found, row.together.to_string()))
    }));
    let coverages =
        devices.controls.iter().map(|control| format!(" of {}", control.scenario)).zip(&devices.by_scenario);
    let together = (" of a device".to_owned(), &devices.together);
    facts.extend(coverages.chain([together]).map(|(of, coverage)| {
        let share = Value::Share(coverage.detected, coverage.detectable());
        Fact::new(Kind::Mutant, format!("mutation score{of}"), share)
    }));
    facts
}
