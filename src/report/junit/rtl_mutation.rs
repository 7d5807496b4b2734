//! Mutants of the gateware as a suite: a case for each of them.

use quick_junit::{NonSuccessKind, Property, TestCase, TestSuite};

use super::{case_of, failed, passed, remarked};
use crate::report::document::rtl_mutation as document;
use crate::report::inert::for_xml;
use crate::report::rtl_mutation::{Mutant, Outcome, RtlMutation};

/// What the suite is called.
const NAME: &str = "mutation of the gateware";

/// The suite of mutants of the gateware: a mutant that no check kills or shows fails.
pub fn suite(record: &RtlMutation) -> TestSuite {
    let mut suite = TestSuite::new(NAME);
    let judgement = document::judgement(record);
    let properties = [
        ("verdict".to_owned(), judgement.verdict.to_string()),
        ("reason".to_owned(), judgement.reasons.join(" ")),
        ("exit code".to_owned(), judgement.exit.to_string()),
    ];
    let properties = properties.into_iter().chain(judgement.facts);
    suite.add_properties(properties.map(|(name, value)| Property::new(for_xml(&name), for_xml(&value))));
    let planted = "mutants are planted";
    let planted = match record.mutants.is_empty() {
        true => {
            failed(planted, NonSuccessKind::Failure, "inconclusive", "no mutant was planted", "no mutant was planted")
        }
        false => passed(planted),
    };
    let cases = record.mutants.iter().map(of_mutant).chain([planted]);
    suite.add_test_cases(cases.map(|case| case_of(NAME, case)));
    suite
}

fn of_mutant(mutant: &Mutant) -> TestCase {
    let Mutant { number, part, change, outcome, by, proof, reason } = mutant;
    let name = format!("mutant #{number} of {part}: {change}");
    let why = [by, proof, reason].into_iter().flatten().next().map_or("", String::as_str);
    match outcome {
        Outcome::Killed => passed(&name),
        Outcome::Survived => failed(&name, NonSuccessKind::Failure, "survived", "no check found this mutant", why),
        Outcome::Shown | Outcome::Equivalent => remarked(&name, &format!("{outcome}: {why}")),
    }
}
