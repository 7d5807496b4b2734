//! Values of the command line that have names, so that a shell can complete them.
//!
//! Knows: which registry has the names of which value. Must not: refuse a value; the value's own parser does.

use std::ffi::OsStr;
use std::sync::LazyLock;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Command, Error};

use crate::claims::file;
use crate::cmd::show::OTHERS;
use crate::engine;
use crate::fault::catalogue::CATALOGUE;
use crate::scenario::shipped::{self, SHIPPED};
use crate::subject;

/// A parser that takes what another one takes, and offers names for completion. Other values, such as paths, are allowed.
#[derive(Clone)]
pub struct WithNames<P> {
    parser: P,
    names: fn() -> Vec<&'static str>,
}

impl<P: TypedValueParser> WithNames<P> {
    /// The names of shipped scenarios.
    pub fn of_scenarios(parser: P) -> Self {
        WithNames { parser, names: scenarios }
    }

    /// The names of what `abench show` prints.
    pub fn of_what_is_shown(parser: P) -> Self {
        WithNames { parser, names: shown }
    }

    /// The ids of shipped claims.
    pub fn of_claims(parser: P) -> Self {
        WithNames { parser, names: claims }
    }

    /// The names of shipped scenarios that `abench bandwidth` takes.
    pub fn of_bandwidth_scenarios(parser: P) -> Self {
        WithNames { parser, names: bandwidth_scenarios }
    }

    /// The names of engines, and the name of all together.
    pub fn of_engines(parser: P) -> Self {
        WithNames { parser, names: engines }
    }

    /// The names of backends that need nothing after their name, and the name of the software ones together.
    pub fn of_backends(parser: P) -> Self {
        WithNames { parser, names: backends }
    }

    /// The texts of faults, up to where a number follows.
    pub fn of_faults(parser: P) -> Self {
        WithNames { parser, names: faults }
    }
}

impl<P: TypedValueParser> TypedValueParser for WithNames<P> {
    type Value = P::Value;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<P::Value, Error> {
        self.parser.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.names)().into_iter().map(PossibleValue::new)))
    }
}

/// The names of shipped scenarios.
pub fn scenarios() -> Vec<&'static str> {
    SHIPPED.iter().map(|(name, _)| *name).collect()
}

/// The names of shipped scenarios with the numbers of a bandwidth report.
pub fn bandwidth_scenarios() -> Vec<&'static str> {
    let is_one = |name: &&str| {
        let scenario = shipped::find(name).and_then(Result::ok);
        scenario.is_some_and(|scenario| scenario.trial.table() == "bandwidth")
    };
    scenarios().into_iter().filter(is_one).collect()
}

/// The ids of shipped claims.
pub fn claims() -> Vec<&'static str> {
    static IDS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let shipped = file::shipped().map_or_else(|_| Vec::new(), |shipped| shipped.claims);
        shipped.into_iter().map(|claim| claim.id).collect()
    });
    IDS.iter().map(String::as_str).collect()
}

/// The names of what `abench show` prints: shipped scenarios, and other files.
pub fn shown() -> Vec<&'static str> {
    scenarios().into_iter().chain(OTHERS.iter().map(|(name, _)| *name)).collect()
}

/// The names that a list of engines takes.
pub fn engines() -> Vec<&'static str> {
    let libraries = Some(engine::library::LIBRARIES).filter(|_| !engine::library::REGISTRY.is_empty());
    engine::every().map(|engine| engine.name).chain([engine::ALL]).chain(libraries).collect()
}

/// The names that a list of backends takes, where a name is enough.
pub fn backends() -> Vec<&'static str> {
    let is_enough = |backend: &&subject::Registration| backend.argument.is_empty() || backend.argument.starts_with('[');
    let alone = subject::REGISTRY.iter().filter(is_enough).map(|backend| backend.name);
    [subject::SOFTWARE].into_iter().chain(alone).collect()
}

/// The texts of faults, each up to the colon after which a number or a name must follow.
pub fn faults() -> Vec<&'static str> {
    let beginning = |form: &'static str| form.find(':').map_or(form, |colon| &form[..=colon]);
    CATALOGUE.iter().map(|entry| beginning(entry.form)).collect()
}
