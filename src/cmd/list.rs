//! `abench list`: what there is to name.

use clap::{Args, ValueEnum};

use crate::cmd::{Failure, unwritable};
use crate::console::{Console, Stream, When};
use crate::domain::algebra;
use crate::domain::offline::FaultKind;
use crate::domain::script::keys::{VERBS, verb_of};
use crate::domain::verdict::exit;
use crate::emulator::disturbance::DISTURBANCES;
use crate::engine;
use crate::explore::EXPLORERS;
use crate::fault::catalogue::CATALOGUE;
use crate::scenario::shipped::{self, SHIPPED};
use crate::subject::REGISTRY;

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// What to list; all of it if nothing is named
    pub what: Option<Listed>,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Listed {
    /// Shipped scenarios.
    Scenarios,
    /// Backends of this build.
    Backends,
    /// Explorers of arrival orders.
    Explorers,
    /// Algebras, by which deltas merge.
    Algebras,
    /// Faults that can be planted.
    Faults,
    /// What an emulator can do wrong on its links and at its registers.
    Disturbances,
    /// Engines by which replicas sync.
    Engines,
    /// Mutants that can be planted in engines.
    Mutants,
    /// Steps of a world that is written down, with their keys.
    Steps,
}

/// Lists one kind of name, or all kinds under headings.
pub fn run(args: &ListArgs) -> Result<u8, Failure> {
    let text = match args.what {
        Some(what) => lines(what)?,
        None => {
            let mut parts = Vec::new();
            for what in Listed::value_variants() {
                let name = what.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
                parts.push(format!("{name}\n{}", indented(&lines(*what)?)));
            }
            parts.join("\n")
        }
    };
    Console::new(When::Auto).write(Stream::Output, &text).map_err(unwritable)?;
    Ok(exit::HOLDS)
}

fn lines(what: Listed) -> Result<String, Failure> {
    let entries: Vec<(String, String)> = match what {
        Listed::Scenarios => {
            let mut entries = Vec::new();
            for (name, _) in SHIPPED {
                let scenario = shipped::find(name).expect("a shipped name is found")?;
                let about = scenario.about.split_once('.').map_or(scenario.about.as_str(), |(first, _)| first);
                entries.push(((*name).to_owned(), about.to_owned()));
            }
            entries
        }
        Listed::Backends => REGISTRY
            .iter()
            .flat_map(|entry| {
                let forms = entry.argument.split(" or ");
                forms.map(|argument| (format!("{}{argument}", entry.name), entry.about.to_owned()))
            })
            .collect(),
        Listed::Explorers => EXPLORERS.iter().map(|entry| (entry.form(), entry.about.to_owned())).collect(),
        Listed::Algebras => {
            algebra::REGISTRY.iter().map(|entry| (entry.name.to_owned(), entry.about.to_owned())).collect()
        }
        Listed::Engines => {
            engine::REGISTRY.iter().map(|entry| (entry.name.to_owned(), entry.about.to_owned())).collect()
        }
        Listed::Mutants => engine::REGISTRY
            .iter()
            .flat_map(|engine| {
                let of = |mutant: engine::mutant::Mutant| (mutant.name, format!("{}: {}", engine.name, mutant.about));
                (engine.mutants)().into_iter().map(of)
            })
            .map(|(name, about)| (name.to_owned(), about))
            .collect(),
        Listed::Steps => steps(),
        Listed::Faults => CATALOGUE.iter().map(|entry| (entry.form.to_owned(), entry.about.to_owned())).collect(),
        Listed::Disturbances => {
            DISTURBANCES.iter().map(|entry| (entry.form.to_owned(), entry.about.to_owned())).collect()
        }
    };
    let width = entries.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    Ok(entries.iter().map(|(name, about)| format!("{name:<width$}  {about}\n")).collect())
}

/// Every step: its verb and other keys, and what happens.
fn steps() -> Vec<(String, String)> {
    let of_verb = |&(verb, keys, about): &(&str, &str, &str)| {
        let keys = if keys.is_empty() { String::new() } else { format!(": {keys}") };
        (format!("{verb}{keys}"), about.to_owned())
    };
    let is_fault = |verb: &String| !VERBS.iter().any(|(known, ..)| known == verb);
    let faults = FaultKind::ALL.iter().filter(|&&kind| is_fault(&verb_of(kind)));
    let of_fault = |&kind: &FaultKind| {
        let keys = if kind.keys().is_empty() { String::new() } else { format!(": {}", kind.keys()) };
        (format!("{}{keys}", verb_of(kind)), "the fault of this kind, as in [[offline.faults]]".to_owned())
    };
    let during =
        ("crash: after_effects".to_owned(), "a device loses power within the next thing that it does".to_owned());
    VERBS.iter().map(of_verb).chain(faults.map(of_fault)).chain([during]).collect()
}

fn indented(lines: &str) -> String {
    lines.lines().map(|line| format!("  {line}\n")).collect()
}
