//! A qualification as a suite: a case for each scenario without a fault, and for each mutant.

use quick_junit::{NonSuccessKind, Property, TestCase, TestSuite};

use super::{case_of, failed, passed, remarked};
use crate::report::document::qualification as document;
use crate::report::inert::for_xml;
use crate::report::qualification::Qualification;
use crate::report::qualification::devices::{DeviceQualification, MutantOutcome, MutantRecord};
use crate::report::qualification::mutants::{EngineQualification, MutantRow, Outcome};
use crate::report::seal::Seal;

/// The suite of a qualification. Where the scenarios expect less than that everything is found, what escapes passes.
pub fn suite(seal: Seal, record: &Qualification) -> TestSuite {
    let name = document::title(record);
    let mut suite = TestSuite::new(for_xml(&name));
    if seal != Seal::Intact {
        suite.add_property(Property::new("warning", for_xml(&seal.to_string())));
    }
    let judgement = document::judgement(record);
    let properties = [
        ("abench".to_owned(), record.abench.clone()),
        ("verdict".to_owned(), judgement.verdict.to_string()),
        ("reason".to_owned(), judgement.reasons.join(" ")),
        ("exit code".to_owned(), judgement.exit.to_string()),
    ];
    let properties = properties.into_iter().chain(judgement.facts);
    suite.add_properties(properties.map(|(name, value)| Property::new(for_xml(&name), for_xml(&value))));
    let devices = record.devices.iter().flat_map(of_devices);
    let engines = record.engines.iter().flat_map(of_engines);
    suite.add_test_cases(devices.chain(engines).map(|case| case_of(&name, case)));
    suite
}

fn of_devices(of: &DeviceQualification) -> Vec<TestCase> {
    let controls = of.controls.iter().map(|control| {
        let name = format!("{} of {} without a fault", control.scenario, of.backend);
        match control.sound {
            true => passed(&name),
            false => failed(
                &name,
                NonSuccessKind::Failure,
                "unsound",
                &format!("verdict {}", control.verdict),
                &control.reason,
            ),
        }
    });
    let mutants = of.mutants.iter().map(|mutant| of_device(of, mutant));
    controls.chain(mutants).chain(whole("faults of devices", of.interrupted, of.crashed, &of.unmet)).collect()
}

fn of_device(of: &DeviceQualification, mutant: &MutantRecord) -> TestCase {
    let name = format!("fault {} of {} is detected", mutant.label(), of.backend);
    let under = of.controls.iter().zip(&mutant.cells);
    let told: Vec<String> =
        under.map(|(control, cell)| format!("{}: {}: {}", control.scenario, cell.outcome, cell.reason)).collect();
    let (outcome, told) = (mutant.together.to_string(), told.join("\n"));
    match mutant.together {
        MutantOutcome::Detected => passed(&name),
        MutantOutcome::Crashed => failed(&name, NonSuccessKind::Error, "crashed", "the harness crashed", &told),
        MutantOutcome::Escaped | MutantOutcome::NotActivated if !of.unmet.is_empty() => {
            failed(&name, NonSuccessKind::Failure, &outcome.replace(' ', "-"), &outcome, &told)
        }
        MutantOutcome::Escaped | MutantOutcome::NotActivated => {
            remarked(&name, &format!("{outcome}, and the scenarios expect no more\n{told}"))
        }
        MutantOutcome::Equivalent => remarked(&name, &format!("{outcome}\n{told}")),
    }
}

fn of_engines(of: &EngineQualification) -> Vec<TestCase> {
    let mutants = of.mutants.iter().map(|row| of_engine(of, row));
    mutants.chain(whole("mutants of engines", of.interrupted, of.crashed, &of.unmet)).collect()
}

fn of_engine(of: &EngineQualification, row: &MutantRow) -> TestCase {
    let name = format!("mutant {} of {} is killed", row.mutant, row.engine);
    let under = of.scenarios.iter().zip(&row.cells).filter_map(|(scenario, cell)| Some((scenario, cell.as_ref()?)));
    let told: Vec<String> =
        under.map(|(scenario, cell)| format!("{}: {}: {}", scenario.scenario, cell.outcome, cell.reason)).collect();
    let (outcome, told) = (row.together.to_string(), format!("{}\n{}", row.about, told.join("\n")));
    match row.together {
        Outcome::Killed => passed(&name),
        Outcome::Crashed => failed(&name, NonSuccessKind::Error, "crashed", "the harness crashed", &told),
        Outcome::Survived | Outcome::NotReached => {
            failed(&name, NonSuccessKind::Failure, &outcome.replace(' ', "-"), &outcome, &told)
        }
    }
}

/// Whether all was planted, and what did not come out as the scenarios expect.
fn whole(what: &str, interrupted: bool, crashed: bool, unmet: &[String]) -> Vec<TestCase> {
    let ended = format!("all {what} are planted");
    let wrong = [
        (interrupted, "interrupted", "stopped by the user: what is missing was not done"),
        (crashed, "internal", "the harness crashed, which is a fault of abench and detects nothing"),
    ];
    let wrong = wrong.iter().filter(|(is_so, ..)| *is_so);
    let mut cases: Vec<TestCase> =
        wrong.map(|(_, word, why)| failed(&ended, NonSuccessKind::Error, word, why, why)).collect();
    if cases.is_empty() {
        cases.push(passed(&ended));
    }
    cases.extend(
        unmet
            .iter()
            .map(|unmet| failed(&format!("expectation: {unmet}"), NonSuccessKind::Failure, "unmet", unmet, unmet)),
    );
    cases
}
