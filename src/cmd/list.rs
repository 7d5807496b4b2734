//! `abench list`: what there is to name.

use clap::{Args, ValueEnum};

use crate::cmd::{Failure, unwritable};
use crate::console::{Console, Stream, When};
use crate::domain::algebra;
use crate::domain::judge::Judge;
use crate::domain::offline::FaultKind;
use crate::domain::script::keys::{VERBS, verb_of};
use crate::domain::verdict::exit;
use crate::emulator::disturbance::DISTURBANCES;
use crate::engine;
use crate::explore::EXPLORERS;
use crate::fault::catalogue::CATALOGUE;
use crate::oracle::offline;
use crate::report::format::grid;
use crate::scenario::shipped::{self, SHIPPED};
use crate::subject::REGISTRY;

/// Commands to start from, for the help.
const EXAMPLES: &str = "\
Examples:
  # Everything that has a name
  abench list
  # One kind of name
  abench list engines";

/// Arguments of `list`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
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
    /// Faults of a world, with their keys.
    WorldFaults,
    /// Judges of runs and of worlds.
    Judges,
}

/// Lists one kind of name, or all kinds under headings.
pub fn run(args: &ListArgs) -> Result<u8, Failure> {
    let console = Console::new(When::Auto);
    let text = list(args.what, console.width(Stream::Output));
    console.write(Stream::Output, &text).map_err(unwritable)?;
    Ok(exit::HOLDS)
}

/// Less than this is no terminal that a list can be read on.
const NARROWEST: usize = 20;

/// The list, in lines of at most `width` columns.
fn list(what: Option<Listed>, width: usize) -> String {
    let width = width.max(NARROWEST);
    if let Some(what) = what {
        return grid::named(&entries(what), 0, width);
    }
    let part = |what: &Listed| {
        let name = what.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        format!("{name}\n{}", grid::named(&entries(*what), 2, width))
    };
    Listed::value_variants().iter().map(part).collect::<Vec<_>>().join("\n")
}

/// Every name of a kind, with what it is.
fn entries(what: Listed) -> Vec<(String, String)> {
    match what {
        Listed::Scenarios => {
            SHIPPED.iter().map(|(name, text)| ((*name).to_owned(), shipped::headline(text).to_owned())).collect()
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
        Listed::Engines => engine::every().map(|entry| (entry.name.to_owned(), entry.about.to_owned())).collect(),
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
        Listed::WorldFaults => {
            let form = |kind: FaultKind| with_keys(kind.name(), kind.keys());
            FaultKind::ALL.iter().map(|&kind| (form(kind), kind.about().to_owned())).collect()
        }
        Listed::Judges => {
            let of_runs = Judge::ALL.iter().map(|judge| (judge.to_string(), judge.about().to_owned()));
            let of_worlds = offline::ids().map(|id| (format!("world: {id}"), id.about().to_owned()));
            of_runs.chain(of_worlds).collect()
        }
    }
}

/// A name with the keys that go with it.
fn with_keys(name: &str, keys: &str) -> String {
    if keys.is_empty() { name.to_owned() } else { format!("{name}: {keys}") }
}

/// Every step: its verb and other keys, and what happens.
fn steps() -> Vec<(String, String)> {
    let of_verb = |&(verb, keys, about): &(&str, &str, &str)| (with_keys(verb, keys), about.to_owned());
    let is_fault = |verb: &String| !VERBS.iter().any(|(known, ..)| known == verb);
    let faults = FaultKind::ALL.iter().filter(|&&kind| is_fault(&verb_of(kind)));
    let of_fault = |&kind: &FaultKind| (with_keys(&verb_of(kind), kind.keys()), kind.about().to_owned());
    let during =
        ("crash: after_effects".to_owned(), "a device loses power within the next thing that it does".to_owned());
    VERBS.iter().map(of_verb).chain(faults.map(of_fault)).chain([during]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_list_is_wider_than_a_terminal_of_60_columns_and_none_at_40_unless_it_is_one_word() {
        for width in [100, 80, 60, 40, 20] {
            let list = list(None, width);
            for line in list.lines().filter(|line| line.chars().count() > width) {
                assert!(width < 60 && line.split_whitespace().count() == 1, "{width}: {line}");
            }
        }
    }

    #[test]
    fn a_terminal_without_a_width_gets_a_list_all_the_same() {
        assert_eq!(list(None, 0), list(None, NARROWEST));
    }
}
