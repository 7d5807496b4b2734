//! Whether a rule can ever decide: whether the record of its scenario has what the rule asks for.

use crate::claims::file::{ClaimsError, list};
use crate::claims::rule::{Of, PlantedIn, Rule};
use crate::claims::{Claim, Claims, PlacedRule};
use crate::domain::trial::Trial;
use crate::experiment;
use crate::oracle::offline;
use crate::scenario::Scenario;

/// Refuses the first rule that could never decide. Scenarios are found by the names that rules have for them.
///
/// # Errors
/// If there is such a rule: its line, its key, and what there is instead.
pub fn decidable(claims: &Claims, scenario: impl Fn(&str) -> Option<Scenario>) -> Result<(), ClaimsError> {
    for PlacedRule { rule, scenarios, line } in claims.claims.iter().flat_map(Claim::all_rules) {
        for name in scenarios {
            let refused = |reason| ClaimsError::Refused { origin: claims.origin.clone(), line: *line, reason };
            let scenario = scenario(name).ok_or_else(|| refused(format!("tried_by: '{name}' is not a scenario")))?;
            if let Some(why) = why_never(rule, name, &scenario.trial) {
                return Err(refused(why));
            }
        }
    }
    Ok(())
}

/// Why the record of this scenario can never decide: the key, and what there is instead.
fn why_never(rule: &Rule, name: &str, trial: &Trial) -> Option<String> {
    let experiment = experiment::of(trial);
    let answers = experiment.answers();
    let no_engine = |key: &str, engine: &String| {
        let is_unknown = !answers.engines.contains(&engine.as_str());
        is_unknown.then(|| match answers.engines.as_slice() {
            [] => format!("{key}: {name} is no world of clients, so that it has no engine '{engine}'"),
            engines => format!("{key}: {name} does not put '{engine}' on trial; it tries {}", list(engines)),
        })
    };
    match rule {
        Rule::Check { check, .. } | Rule::Warrant { check, .. } => {
            let is_unknown = !answers.checks.contains(check);
            is_unknown.then(|| format!("check: {name} makes no check '{check}'; it makes {}", list(&answers.checks)))
        }
        Rule::Engine { engine, judge, .. } => no_engine("engine", engine)
            .or_else(|| offline::find(judge.as_deref()?).err().map(|unknown| format!("judge: {unknown}"))),
        Rule::Law { law, .. } if answers.laws.contains(law) => None,
        Rule::Law { .. } if answers.laws.is_empty() => {
            Some(format!("law: {name} tries no law; a scenario with [laws] does"))
        }
        Rule::Law { law, .. } => Some(format!("law: {name} tries no law '{law}'; it tries {}", list(&answers.laws))),
        Rule::Number { number, engine, than, .. } => match number.of() {
            Of::Tick => (!answers.tick).then(|| format!("number: {name} has no sync tick, so that it has no {number}")),
            Of::Sweep => {
                (!answers.bank_sweep).then(|| format!("number: {name} makes no bank sweep, so that it has no {number}"))
            }
            Of::Engine => {
                let engines = [("engine", engine), ("than", than)];
                engines.into_iter().find_map(|(key, engine)| no_engine(key, engine.as_ref()?))
            }
        },
        Rule::Mutants { planted_in: PlantedIn::Devices, .. } => {
            (!answers.device).then(|| format!("planted_in: {name} puts no device on trial"))
        }
        Rule::Mutants { planted_in: PlantedIn::Engines, .. } => {
            experiment.planting().is_none().then(|| format!("planted_in: {name} puts no engine on trial"))
        }
        Rule::Instrument { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::file::{parse, shipped};
    use crate::report::record::Record;
    use crate::scenario::shipped::{SHIPPED, find};

    fn scenario(name: &str) -> Option<Scenario> {
        find(name).map(|found| found.expect("it is sound"))
    }

    #[test]
    fn every_shipped_claim_can_be_decided() {
        let claims = shipped().expect("the shipped claims are sound");
        decidable(&claims, scenario).expect("every rule can decide");
    }

    #[test]
    fn the_checks_that_a_trial_may_make_are_those_in_its_record() {
        for (name, _) in SHIPPED {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("results/{name}.json"));
            let text = std::fs::read_to_string(path).expect("a record");
            let record: Record = serde_json::from_str(&text).expect("a record of today");
            let possible = experiment::of(&scenario(name).expect("it is shipped").trial).answers().checks;
            let made: Vec<&String> = record.checks.iter().map(|check| &check.name).collect();
            let unknown: Vec<_> = made.iter().filter(|made| !possible.contains(made)).collect();
            assert_eq!(unknown, Vec::<&&String>::new(), "{name}");
            // A hub's merge is not made again in every world.
            let missing = |name: &&String| !name.starts_with("hub merge of ");
            let unmade: Vec<_> = possible.iter().filter(missing).filter(|possible| !made.contains(possible)).collect();
            assert_eq!(unmade, Vec::<&String>::new(), "{name}");
        }
    }

    #[test]
    fn a_rule_that_could_never_decide_is_refused_with_its_line_and_key() {
        let refused = |tried_by: &str, rule: &str| {
            let text = format!(
                "version = 1\n[[claims]]\nid = 'a'\nsays = 'x'\nsource = 'x'\ntried_by = ['{tried_by}']\nrefuted_if = 'x'\n\
                 expected = 'holds'\nrules = [\n  {{ {rule} }},\n]\n"
            );
            let claims = parse(&text, "bad.toml", None).expect("it is sound");
            decidable(&claims, scenario).expect_err(rule).to_string()
        };
        insta::assert_snapshot!(
            [
                ("no-such-scenario", "by = 'check', check = 'bank sweep'"),
                ("tick", "by = 'check', check = 'bank sweep'"),
                ("recorded-65537", "by = 'check', check = 'bank sweap'"),
                ("crash-again", "by = 'warrant', check = 'arrival orders', at_least = 'proved'"),
                ("field-tags", "by = 'engine', engine = 'pn-counter'"),
                ("field-tags", "by = 'engine', engine = 'delta-state', judge = 'honesty'"),
                ("tick", "by = 'engine', engine = 'delta-state'"),
                ("tick", "by = 'law', law = 'xor idempotent'"),
                ("bank-sweep", "by = 'number', number = 'tick-value-bytes', at_most = 1"),
                ("tick", "by = 'number', number = 'sweep-cycles', banks = 8, at_most = 1"),
                ("laws", "by = 'number', number = 'engine-bytes', engine = 'delta-state', at_most = 1"),
                ("laws", "by = 'mutants', planted_in = 'devices', at_least = 1"),
                ("tick", "by = 'mutants', planted_in = 'engines', at_least = 1"),
            ]
            .map(|(tried_by, rule)| refused(tried_by, rule))
            .join("\n")
        );
        let law = refused("laws", "by = 'law', law = 'xor lawful'");
        assert!(
            law.starts_with("bad.toml, line 10: law: laws tries no law 'xor lawful'; it tries xor commutative, "),
            "{law}"
        );
    }
}
