//! Qualifications: faults and mutants are planted under scenarios, and what finds them is counted.
//!
//! A qualification measures scenarios and judges, not what they put on trial.

use crate::domain::json;
use crate::scenario::Scenario;

pub mod devices;
pub mod engines;

/// What a journal calls a scenario: by its name and what it asks for, since two may have one name, and not by its place, so that
/// the jobs of a scenario are called the same whatever it is qualified with.
fn called(scenario: &Scenario) -> String {
    let asked = json::to_line(&scenario.trial).expect("a scenario is plain data");
    let name = scenario.name.as_deref().unwrap_or("a scenario without a name");
    format!("{name} {:08x}", crc32fast::hash(asked.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::shipped::SHIPPED;

    #[test]
    fn scenarios_are_called_by_what_they_ask_for_and_no_two_shipped_ones_the_same() {
        let parsed =
            |(name, text): (&str, &str)| crate::scenario::file::parse(text, name, name).expect("it is shipped");
        let scenarios: Vec<Scenario> = SHIPPED.iter().map(|&(name, text)| parsed((name, text))).collect();
        let mut names: Vec<String> = scenarios.iter().map(called).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), scenarios.len());
        let first = &scenarios[0];
        let mut reseeded = Scenario { trial: first.trial.clone(), ..parsed(SHIPPED[0]) };
        assert_eq!(called(&reseeded), called(first));
        reseeded.trial.keys_mut().set_seed(crate::domain::seed::Seed::new(99));
        assert_ne!(called(&reseeded), called(first));
    }
}
