//! Scenario files: TOML, every key known, every value within its range.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::domain::bandwidth::BandwidthTrial;
use crate::domain::codecs::CodecsTrial;
use crate::domain::curves::CurvesTrial;
use crate::domain::every_delivery::EveryDeliveryTrial;
use crate::domain::nearest::{meant, meant_key};
use crate::domain::offline::{CrashEverywhereTrial, OfflineTrial};
use crate::domain::script::Step;
use crate::domain::trial::{EveryOrderTrial, Expectation, LawsTrial, StandardTrial, TickTrial, Trial, every_kind};
use crate::report::input;
use crate::scenario::{Backends, Scenario, StepLines};

/// The longest file that is read: a script of a hundred thousand steps fits.
const MOST_BYTES: u64 = 16 << 20;

/// The version of the format that this abench reads.
pub const VERSION: i64 = 2;

/// Why a scenario cannot be used. The message names the file, and the line where there is one.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("cannot read the scenario {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is no TOML, or has a key or value that is not allowed.
    #[error("{origin}: {}", quoted(error))]
    Malformed {
        /// The file or shipped name.
        origin: String,
        /// What is wrong, with line and column.
        error: Box<toml::de::Error>,
    },
    /// It has a key under the name that an older abench knew.
    #[error("{origin}, line {line}: {key} has another name now: {name}")]
    Renamed {
        /// The file or shipped name.
        origin: String,
        /// Where the key is.
        line: usize,
        /// The key as it is there.
        key: &'static str,
        /// Its name.
        name: &'static str,
    },
    /// It is of another version.
    #[error("{origin}: {found} of the scenario format; this abench reads version = {VERSION}{advice}")]
    Version {
        /// The file or shipped name.
        origin: String,
        /// The version that it names, or that it names none.
        found: String,
        /// What to do, where that is known.
        advice: &'static str,
    },
    /// Its values do not go together, or one is out of its range.
    #[error("{origin}{}: [{table}]: {refused}", line.map_or(String::new(), |line| format!(", line {line}")))]
    Impossible {
        /// The file or shipped name.
        origin: String,
        /// Where the key is, if it is there.
        line: Option<usize>,
        /// Its table.
        table: &'static str,
        /// Which, and what is allowed.
        refused: String,
    },
    /// A step of its script cannot be.
    #[error("{origin}, line {line}: {refused}")]
    Step {
        /// The file or shipped name.
        origin: String,
        /// Where the step is.
        line: usize,
        /// Which step, which key, and what is allowed.
        refused: String,
    },
    /// Its table of expectations is empty.
    #[error("{origin}: [expect] names nothing that is expected; name a verdict, or leave the table out")]
    NothingExpected {
        /// The file or shipped name.
        origin: String,
    },
    /// It puts nothing on trial, or several things.
    #[error("{origin}: a scenario has exactly one of the tables {}; this one has {found}", tables())]
    Tables {
        /// The file or shipped name.
        origin: String,
        /// How many it has.
        found: &'static str,
    },
}

/// The tables that hold a trial, in words.
fn tables() -> String {
    let tables: Vec<String> = Trial::TABLES.iter().map(|table| format!("[{table}]")).collect();
    match tables.split_last() {
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// An error as it is shown: of a long line of the file the beginning, and what is allowed whole.
fn quoted(error: &toml::de::Error) -> String {
    /// Columns of a line of the file, or of a word of it, that help to find the place.
    const COLUMNS: usize = 200;
    /// Columns that hold what is wrong and the names of all keys that are allowed.
    const ALL_KEYS: usize = 2000;
    let shorter = |text: &str, columns: usize| match text.char_indices().nth(columns) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    let (shown, message) = (error.to_string(), error.message());
    let place = shown.strip_suffix('\n').unwrap_or(&shown).strip_suffix(message).unwrap_or(&shown);
    let place: Vec<String> = place.lines().map(|line| shorter(line, COLUMNS)).collect();
    let mut words: Vec<String> = message.split('`').map(str::to_owned).collect();
    // The first word in quotes is the file's.
    if let Some(of_file) = words.get_mut(1) {
        *of_file = shorter(of_file, COLUMNS);
    }
    format!("{}\n{}{}", place.join("\n"), shorter(&words.join("`"), ALL_KEYS), meant_key(message))
}

macro_rules! shape {
    ($($(#[$about:meta])* $kind:ident($kept:ty) of $keys:ty = $table:literal,)*) => {
        /// The file's own shape.
        #[derive(Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields)]
        #[expect(non_snake_case, reason = "a table of each kind of trial, by the kind's name")]
        struct File {
            /// The version of the format.
            #[serde(rename = "version")]
            #[cfg_attr(test, schemars(extend("const" = VERSION)))]
            _version: i64,
            /// What the scenario is and why, in prose.
            #[serde(default)]
            about: String,
            /// The backends that it runs on, as `--backend` takes them; `abench list backends` names them. Without this key,
            /// the command line decides.
            #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
            backend: Option<Spanned<Vec<String>>>,
            $($(#[$about])* #[serde(rename = $table)] $kind: Option<$kept>,)*
            /// What is expected of the run.
            expect: Option<Expectation>,
        }

        impl File {
            /// What it puts on trial: of a scenario, one thing.
            fn trials(&mut self) -> Vec<Trial> {
                [$(self.$kind.take().map(Trial::$kind)),*].into_iter().flatten().collect()
            }
        }
    };
}
every_kind!(shape);

/// The schema of a file, as its types give it.
#[cfg(test)]
pub(super) fn schema() -> schemars::Schema {
    schemars::generate::SchemaSettings::draft07().into_generator().into_root_schema_for::<File>()
}

/// Reads the scenario in this file.
pub fn read(path: &Path) -> Result<Scenario, ScenarioError> {
    let unreadable = |error| ScenarioError::Unreadable { path: path.to_owned(), error };
    let text = input::text(path, MOST_BYTES).map_err(unreadable)?;
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    parse(&text, &name, &path.display().to_string())
}

/// The scenario in this text; `origin` is what messages call it.
pub fn parse(text: &str, name: &str, origin: &str) -> Result<Scenario, ScenarioError> {
    let malformed = |error| ScenarioError::Malformed { origin: origin.to_owned(), error: Box::new(error) };
    // The version is looked at before the keys, which another version may have others of.
    let table: toml::Table = toml::from_str(text).map_err(malformed)?;
    let found = match table.get("version") {
        Some(toml::Value::Integer(VERSION)) => None,
        Some(toml::Value::Integer(other)) => Some(format!("this is version {other}")),
        Some(other) => Some(format!("a {} cannot be a version", other.type_str())),
        None => Some("there is no version".to_owned()),
    };
    if let Some(found) = found {
        let is_older = table.get("version").and_then(toml::Value::as_integer) == Some(VERSION - 1);
        let advice = if is_older { "; abench convert FILE gives it in this version" } else { "" };
        return Err(ScenarioError::Version { origin: origin.to_owned(), found, advice });
    }
    if let Some(renamed) = renamed(&table, text, origin) {
        return Err(renamed);
    }
    let numbered = if says_names(&table) { numbered(text, origin)? } else { Cow::Borrowed(text) };
    let text = &*numbered;
    let steps = step_lines(text, origin)?;
    let mut file: File = toml::from_str(text).map_err(malformed)?;
    let tables = |found| ScenarioError::Tables { origin: origin.to_owned(), found };
    let mut trials = file.trials();
    let mut trial = match (trials.pop(), trials.is_empty()) {
        (Some(trial), true) => trial,
        (None, _) => return Err(tables("none")),
        (Some(_), false) => return Err(tables("several")),
    };
    trial.keys_mut().as_in_a_file();
    if let Some((table, refused)) = trial.impossible() {
        let origin = origin.to_owned();
        return Err(match steps.as_ref().and_then(|steps| steps.line(&refused)) {
            Some(line) => ScenarioError::Step { origin, line, refused },
            None => ScenarioError::Impossible { origin, line: line_of_refused(text, table, &refused), table, refused },
        });
    }
    if file.expect == Some(Expectation::default()) {
        return Err(ScenarioError::NothingExpected { origin: origin.to_owned() });
    }
    let backends = file.backend.map(|backend| Backends {
        line: 1 + text[..backend.span().start].matches('\n').count(),
        origin: origin.to_owned(),
        names: backend.into_inner(),
    });
    Ok(Scenario { name: Some(name.to_owned()), about: file.about, trial, backends, expect: file.expect, steps })
}

/// Whether a step says a text where a register has its number.
fn says_names(table: &toml::Table) -> bool {
    let steps = table.get("offline").and_then(|offline| offline.get("steps")).and_then(toml::Value::as_array);
    steps.into_iter().flatten().any(|step| step.get("register").is_some_and(toml::Value::is_str))
}

/// The text with the number of a register wherever a step has its name. Each number takes as many bytes as the name did, so that
/// every line and column is as it was.
fn numbered<'a>(text: &'a str, origin: &str) -> Result<Cow<'a, str>, ScenarioError> {
    #[derive(Deserialize)]
    struct Named {
        register: Option<Spanned<toml::Value>>,
    }
    #[derive(Deserialize)]
    struct World {
        #[serde(default)]
        names: Vec<String>,
        #[serde(default)]
        steps: Vec<Named>,
    }
    #[derive(Deserialize)]
    struct Head {
        offline: World,
    }
    // What is wrong with the rest is told when that is read.
    let Ok(Head { offline: World { names, steps } }) = toml::from_str(text) else { return Ok(Cow::Borrowed(text)) };
    let mut numbered = Cow::Borrowed(text);
    for (step, register) in steps.into_iter().enumerate() {
        let Some(register) = register.register else { continue };
        let (span, toml::Value::String(name)) = (register.span(), register.into_inner()) else { continue };
        let place = names.iter().position(|other| *other == name);
        let number = place.map(|place| format!("{place:<width$}", width = span.len()));
        let Some(number) = number.filter(|number| number.len() == span.len()) else {
            let line = 1 + text[..span.start].matches('\n').count();
            let refused = format!("steps[{step}].register: {}", unnamed(&name, &names));
            return Err(ScenarioError::Step { origin: origin.to_owned(), line, refused });
        };
        numbered.to_mut().replace_range(span, &number);
    }
    Ok(numbered)
}

/// Why no register has this name, and what is allowed.
fn unnamed(name: &str, names: &[String]) -> String {
    let shown = name.escape_debug();
    if names.is_empty() {
        return format!("'{shown}' is not allowed; a register has a number here, as [offline] names no registers");
    }
    let meant = meant(name, names.iter().map(String::as_str));
    let allowed: Vec<String> = names.iter().map(|name| name.escape_debug().to_string()).collect();
    format!("no register has the name '{shown}'{meant}; allowed are {}", allowed.join(", "))
}

/// The line of every step in this text, if it has any; the first that is no step is refused with its line.
fn step_lines(text: &str, origin: &str) -> Result<Option<StepLines>, ScenarioError> {
    #[derive(Deserialize)]
    struct Steps {
        steps: Vec<Spanned<serde_json::Map<String, serde_json::Value>>>,
    }
    #[derive(Deserialize)]
    struct Head {
        offline: Steps,
    }
    // What is wrong with the rest is told when that is read.
    let Ok(head) = toml::from_str::<Head>(text) else { return Ok(None) };
    let mut lines = Vec::new();
    let (mut line, mut seen) = (1, 0);
    for (number, step) in head.offline.steps.into_iter().enumerate() {
        // A step that is a table of its own may begin before what was read last.
        let start = step.span().start;
        if start < seen {
            (line, seen) = (1, 0);
        }
        line += text[seen..start].matches('\n').count();
        seen = start;
        lines.push(line);
        if let Err(error) = Step::of(step.into_inner()) {
            let refused = format!("steps[{number}].{error}");
            return Err(ScenarioError::Step { origin: origin.to_owned(), line, refused });
        }
    }
    Ok(Some(StepLines { origin: origin.to_owned(), lines }))
}

impl StepLines {
    /// The line of the step that a message begins with.
    pub fn line(&self, message: &str) -> Option<usize> {
        let number = message.strip_prefix("steps[")?.split_once(']')?.0;
        self.lines.get(number.parse::<usize>().ok()?).copied()
    }
}

/// Whether this text is a scenario file, sound or not: TOML with a version, or with a table of a trial.
pub fn is_scenario(text: &str) -> bool {
    let has_keys = |table: toml::Table| {
        table.contains_key("version") || Trial::TABLES.iter().any(|trial| table.contains_key(*trial))
    };
    text.parse::<toml::Table>().is_ok_and(has_keys)
}

/// The line of the key that a message about a table begins with, or of the innermost table around it that has a line.
fn line_of_refused(text: &str, table: &str, message: &str) -> Option<usize> {
    let is_of_key = |c: char| c.is_ascii_alphanumeric() || "_-.[]".contains(c);
    let (key, _) = message.split_at(message.find(|c| !is_of_key(c)).unwrap_or(message.len()));
    // `faults[2].at_s` is `at_s` in the third of `faults`.
    let parts = key.split(['.', '[']).map(|part| part.trim_end_matches(']'));
    let (line, found) = line_of(text, [table].into_iter().chain(parts));
    line.filter(|_| found > 1)
}

/// The line of the key that this path leads to, or of the last on the way that has one; and how many parts of the path are
/// there. A part of a list is its number.
fn line_of<'a>(text: &str, path: impl IntoIterator<Item = &'a str>) -> (Option<usize>, usize) {
    use toml_edit::{Document, Item, Value};
    let Ok(document) = Document::parse(text) else { return (None, 0) };
    let line = |span: std::ops::Range<usize>| 1 + text[..span.start].matches('\n').count();
    let (mut at, mut last, mut found) = (document.as_item().clone(), None, 0);
    for part in path {
        let number = part.parse::<usize>().ok();
        let next = match (&at, number) {
            (Item::ArrayOfTables(tables), Some(number)) => tables.get(number).map(|table| Item::Table(table.clone())),
            (Item::Value(Value::Array(list)), Some(number)) => list.get(number).map(|value| Item::Value(value.clone())),
            (within, _) => within.as_table_like().and_then(|table| table.get(part)).cloned(),
        };
        let Some(next) = next else { break };
        let of_key = at.as_table_like().and_then(|table| table.get_key_value(part)?.0.span());
        let span = if next.is_table() { next.span().or(of_key) } else { of_key.or(next.span()) };
        (last, found, at) = (span.map(line).or(last), found + 1, next);
    }
    (last, found)
}

/// Tables, keys in them, and what those keys are called now.
const RENAMED: &[(&str, &str, &str)] = &[
    ("offline", "strategies", "engines"),
    ("offline", "flaws", "mutants"),
    ("offline.journal", "piece", "fragment"),
    ("crash-everywhere", "flaws", "mutants"),
    ("expect", "strategies", "engines"),
    ("expect", "flaws", "mutants"),
];

fn renamed(table: &toml::Table, text: &str, origin: &str) -> Option<ScenarioError> {
    let within = |of: &str| of.split('.').try_fold(table, |table, part| table.get(part)?.as_table());
    let &(of, key, name) = RENAMED.iter().find(|(of, key, _)| within(of).is_some_and(|of| of.contains_key(*key)))?;
    let line = line_of(text, of.split('.').chain([key])).0.unwrap_or(1);
    Some(ScenarioError::Renamed { origin: origin.to_owned(), line, key, name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(text: &str) -> String {
        parse(text, "bad", "bad.toml").expect_err(text).to_string()
    }

    #[test]
    fn a_key_under_an_old_name_is_refused_with_the_new_one_and_its_line() {
        let old = "version = 2\n[offline]\nseed = '7'\nstrategies = ['xor-delta']\n";
        assert_eq!(refused(old), "bad.toml, line 4: strategies has another name now: engines");
        let old = "version = 2\n[offline]\nseed = '7'\n[expect.flaws]\nack-before-durable = 'truth'\n";
        assert_eq!(refused(old), "bad.toml, line 4: flaws has another name now: mutants");
        for &(table, key, name) in RENAMED {
            let said = refused(&format!("version = 2\n[{table}]\n{key} = []\n"));
            assert_eq!(said, format!("bad.toml, line 3: {key} has another name now: {name}"));
        }
    }

    /// A world of tags and a text, with these names, and these steps behind what connects everybody.
    fn named(names: &str, steps: &str) -> String {
        format!(
            "version = 2\n[offline]\nseed = '7'\nclients = 2\nregisters = 0\nnames = {names}\nsteps = [\n    {{ connect = 'clients' }},\n\
             {steps}]\n[offline.tags]\nregisters = 1\n[offline.texts]\nregisters = 1\n"
        )
    }

    #[test]
    fn a_step_says_a_register_by_its_name_or_its_number_and_both_are_the_same_step() {
        let steps = |register: &str| {
            let step = format!("    {{ edit = 'client 0', register = {register}, type = 'milk', after_s = 5 }},\n");
            match parse(&named("['tags', 'my notes']", &step), "one", "one.toml").expect(register).trial {
                Trial::Offline(trial) => trial.steps,
                _ => panic!("it is a world"),
            }
        };
        assert_eq!(steps("'my notes'"), steps("1"));
        assert_eq!(steps("\"my\\u0020notes\""), steps("1"));
    }

    #[test]
    fn a_name_that_no_register_has_is_refused_with_its_line_and_what_is_allowed() {
        let step = |register: &str| format!("    {{ edit = 'client 0', register = '{register}', insert = 1 }},\n");
        assert_eq!(
            refused(&named("['tags', 'notes']", &step("notse"))),
            "bad.toml, line 9: steps[1].register: no register has the name 'notse' (did you mean notes?); allowed are tags, notes"
        );
        assert_eq!(
            refused(&named("[]", &step("notes"))),
            "bad.toml, line 9: steps[1].register: 'notes' is not allowed; a register has a number here, as [offline] names no registers"
        );
        // What is wrong behind a name has its own line.
        let said = refused(&named("['tags', 'notes']", &step("notes")));
        assert!(said.starts_with("bad.toml, line 9: steps[1]."), "{said}");
    }

    #[test]
    fn names_that_do_not_tell_each_register_from_all_others_are_refused() {
        let long = "x".repeat(41);
        for (names, said) in [
            (
                "['tags']",
                "names: 1 name for 2 registers is not allowed; name each register once, in the order of their numbers (1 tags register, \
                 1 text)",
            ),
            ("['tags', 'tags']", "names: 'tags' is there twice; each register has a name of its own"),
            ("['tags', ' ']", "names[1] is empty; each register has a name"),
            ("['tags', \"a\\u0007\"]", "names[1] = 'a\\u{7}' is not allowed: it has a control character"),
            (&format!("['tags', '{long}']"), "names[1] is 41 characters long; up to 40 are allowed"),
        ] {
            assert_eq!(refused(&named(names, "")), format!("bad.toml, line 6: [offline]: {said}"), "{names}");
        }
    }

    #[test]
    fn an_old_key_within_a_line_has_that_line() {
        let old = "version = 2\n[offline]\nseed = '7'\n# piece\njournal = { retain = 0, piece = 64 }\n";
        assert_eq!(refused(old), "bad.toml, line 5: piece has another name now: fragment");
    }

    #[test]
    fn a_value_out_of_its_bounds_is_refused_with_its_line_wherever_it_is_written() {
        let head = "version = 2\n[offline]\nseed = '7'\nclients = 2\n";
        let drawn = "[offline.workload]\nticks = 1\nchanged = 1\n[offline.presence]\nlasts_s = 9\naway_s = [1, 2]\nhere_s = [1, 2]\n";
        for (keys, after, told) in [
            ("settle_s = 0\n", "", "line 5: [offline]: settle_s = 0 is not allowed; 1 to "),
            ("staleness_s = 0\n", "", "line 5: [offline]: staleness_s = 0 is not allowed; 1 to "),
            ("load = { messages = 5, bytes = 0 }\n", "", "line 5: [offline]: load.bytes = 0 is not allowed; 1 to "),
            ("\nload.bytes = 0\n", "", "line 6: [offline]: load.bytes = 0 is not allowed; 1 to "),
            ("", "[offline.load]\nbytes = 0\n", "line 13: [offline]: load.bytes = 0 is not allowed; 1 to "),
            (
                "",
                "[[offline.faults]]\nkind = 'crash'\nnode = 'hub'\nat_s = 5\nfor_s = 9\n",
                "line 16: [offline]: faults[0].for_s = 9 goes on after",
            ),
            (
                "faults = [\n{ kind = 'crash', node = 'hub', at_s = 5 },\n{ kind = 'crash', node = 'hub', at_s = 50 },\n]\n",
                "",
                "line 7: [offline]: faults[1].at_s = 50 is after",
            ),
            // What is not there has the line of the table that lacks it.
            ("edges = [{ name = 'near', clients = [0] }]\n", "", "line 5: [offline]: edges[0].parent is missing"),
        ] {
            let said = refused(&format!("{head}{keys}{drawn}{after}"));
            assert!(said.starts_with(&format!("bad.toml, {told}")), "{keys}{after}: {said}");
        }
        assert!(refused(head).starts_with("bad.toml: [offline]: workload is missing"));
    }

    #[test]
    fn a_scenario_is_told_from_a_record_by_its_first_keys() {
        assert!(is_scenario("version = 2\n[tick]\nseed = '7'") && is_scenario("[tick]\nsede = 5"));
        assert!(
            !is_scenario("{\"format\": \"abench-record\"}")
                && !is_scenario("")
                && !is_scenario("[package]\nname = 'a'")
        );
    }

    #[test]
    fn what_is_wrong_with_a_file_is_named_with_its_line() {
        insta::assert_snapshot!(
            [
                "",
                "version = 3\nnew_key = 1",
                "version = 2",
                "version = 2\n[standard]\ncount = 5\nseed = '7'\n[tick]\nseed = '7'",
                "version = 2\n[standard]\ncuont = 5\nseed = '7'",
                "version = 2\n[standard]\ncount = 0\nseed = '7'",
                "version = 2\n[standard]\ncount = -5\nseed = '7'",
                "version = 2\n[standard]\ncount = 4294967296\nseed = '7'",
                "version = 2\n[standard]\ncount = 'many'\nseed = '7'",
                "version = 2\n[standard]\ncount = 5\nseed = 7",
                "version = 2\n[standard]\ncount = 5\nseed = '0x12345678901234567'",
                "version = 2\n[standard]\ncount = 5\nseed = '7'\nbudget = -1",
                "version = 2\n[standard]\ncount = 5\nseed = '7'\nbudget = 'ten'",
                "version = 2\n[standard]\ncount = 5",
                "version = 2\n[tick]\nseed = '7'\n[expect]\nverdict = 'passes'",
                "version = 2\n[tick]\nseed = '7'\n[expect]",
                "version = 2\n[tick]\nseed = '7'\n[expect]\ncycles = { banana = 5 }",
                "version = 2\n[tick]\nseed = ",
                "version = 2\n[laws]\nseed = '7'\ntires = 5",
                "version = 2\n[laws]\nseed = '7'\ntries = 0",
                "version = 2\n[laws]\nseed = '7'\ntries = -1",
                "version = 2\n[laws]\nseed = '7'\ntries = 1000000001",
                "version = 2\n[laws]\nseed = '7'\ntries = 'many'",
                "version = 2\n[laws]\ntries = 5",
                "version = 2\n[laws]\nseed = '7'\n[expect]\nclaims = { 'xor associative' = 'true' }",
                "version = 2\n[laws]\nseed = '7'\n[tick]\nseed = '7'",
                "version = 2\n[standard]\ncount = 5\nseed = '7'\nchecks = []",
                "version = 2\n[standard]\ncount = 5\nseed = '7'\nchecks = ['bank-sweep', 'bank-sweep']",
                "version = 2\n[standard]\ncount = 5\nseed = '7'\nclaims = ['false-law']",
                "version = 2\n[standard]\ncount = 5\nseed = '7'\nchecks = ['bank-sweep']\norders = 'all'",
                "version = 2\n[tick]\nseed = '7'\n[expect]\ncoverage_percent = 200",
                "version = 2\n[every-order]\nseed = '7'\ndeltas = 33",
                "version = 2\n[every-order]\nseed = '7'\ndeltas = 5\nsources = 6",
                "version = 2\n[every-order]\nseed = '7'\ndeltas = 5\nrepeats = 16",
                "version = 2\n[every-order]\nseed = '7'\ndeltas = 5\nrepeats = 2\nsources = 2",
                "version = 2\n[every-order]\nseed = '7'\ndeltas = 5\nalgebras = ['mean']",
            ]
            .map(refused)
            .join("\n----\n")
        );
    }

    /// Every key of a world with a number, under its table.
    const KEYS: [&str; 44] = [
        "registers",
        "start",
        "clients",
        "crashes",
        "more_worlds",
        "settle_s",
        "staleness_s",
        "memory_mib",
        "load.attempts",
        "load.messages",
        "load.bytes",
        "workload.ticks",
        "workload.changed",
        "workload.most",
        "workload.zipf_hundredths",
        "presence.lasts_s",
        "presence.away_s 0",
        "presence.away_s 1",
        "presence.here_s 0",
        "presence.here_s 1",
        "link.bits_per_s",
        "link.latency_ms",
        "link.jitter_ms",
        "link.lost_per_mille",
        "link.repeated_per_mille",
        "link.reordered_per_mille",
        "link.truncated_per_mille",
        "link.corrupted_per_mille",
        "link.outages",
        "link.outage_s",
        "clocks.skew_s",
        "clocks.drift_ppm",
        "clocks.jumps",
        "clocks.jump_s",
        "journal.retain",
        "journal.compact_after",
        "journal.fragment",
        "faults.at_s",
        "faults.for_s",
        "faults.age_s",
        "faults.node",
        "edges.clients",
        "version",
        "seed",
    ];

    /// A world whose keys have these values, and sound ones where there is none.
    fn world(values: &std::collections::BTreeMap<&str, i64>) -> String {
        let of = |key: &str, sound: i64| values.get(key).copied().unwrap_or(sound);
        let given = |table: &str| -> String {
            let keys = KEYS.iter().filter(|key| !key.contains(' ')).filter_map(|key| {
                let name = key.strip_prefix(table)?.strip_prefix('.')?;
                values.get(key).map(|value| format!("{name} = {value}\n"))
            });
            keys.collect()
        };
        let range = |key: &str| {
            format!("{key} = [{}, {}]", of(&format!("presence.{key} 0"), 1), of(&format!("presence.{key} 1"), 9))
        };
        let optional: String = ["start", "crashes", "more_worlds", "settle_s", "staleness_s", "memory_mib"]
            .into_iter()
            .filter_map(|key| values.get(key).map(|value| format!("{key} = {value}\n")))
            .collect();
        let workload = ["workload.most", "workload.zipf_hundredths"];
        let workload: String = workload
            .into_iter()
            .filter_map(|key| values.get(key).map(|value| format!("{} = {value}\n", &key["workload.".len()..])))
            .collect();
        format!(
            "version = {}\n[offline]\nseed = '{}'\nregisters = {}\nclients = {}\n{optional}\
             edges = [{{ name = 'near', parent = 'hub', clients = [{}] }}]\n\
             faults = [{{ kind = 'restore', node = 'client {}', at_s = {}, for_s = {}, age_s = {} }}]\n\
             [offline.workload]\nticks = {}\nchanged = {}\n{workload}[offline.presence]\nlasts_s = {}\n{}\n{}\n\
             [offline.link]\n{}[offline.clocks]\n{}[offline.journal]\n{}[offline.load]\n{}",
            of("version", 2),
            of("seed", 7),
            of("registers", 8),
            of("clients", 3),
            of("edges.clients", 0),
            of("faults.node", 1),
            of("faults.at_s", 50),
            of("faults.for_s", 5),
            of("faults.age_s", 5),
            of("workload.ticks", 2),
            of("workload.changed", 2),
            of("presence.lasts_s", 100),
            range("away_s"),
            range("here_s"),
            given("link"),
            given("clocks"),
            given("journal"),
            given("load"),
        )
    }

    #[test]
    fn a_sound_world_is_read_and_each_absurd_value_is_refused_by_the_name_of_its_key() {
        parse(&world(&Default::default()), "sound", "sound.toml").expect("it is sound");
        for key in KEYS {
            // A seed may be any word, and nothing bounds what a register is at the start, memory, or a line's speed.
            let any = ["seed", "start", "memory_mib", "link.bits_per_s"].contains(&key);
            let said = parse(&world(&[(key, i64::MAX)].into()), "bad", "bad.toml").map(drop);
            match said {
                Ok(()) => assert!(any, "{key}"),
                Err(error) => {
                    let name = key.split([' ', '.']).rfind(|part| part.len() > 1).expect("a name");
                    assert!(error.to_string().contains(name), "{key}: {error}");
                }
            }
        }
    }

    #[test]
    fn a_message_about_a_key_names_every_key_that_is_allowed_and_quotes_little_of_a_long_one() {
        let said = refused("version = 2\n[offline]\nseed = '7'\nclinets = 5\n");
        assert!(said.contains("`workload`") && said.ends_with("`memory_mib`; did you mean clients?"), "{said}");
        let long = "x".repeat(100_000);
        let said = refused(&format!("version = 2\n[offline]\nseed = '7'\n{long} = 5\n"));
        assert!(said.contains("`workload`") && said.ends_with("`memory_mib`") && said.len() < 2500, "{said}");
        let said = refused(&format!("version = 2\n[offline]\nseed = '7'\nclients = '{long}'\n"));
        assert!(said.len() < 3500, "{}", said.len());
    }

    proptest! {
        #[test]
        fn any_value_of_any_key_of_a_world_gives_a_trial_or_an_error_that_names_a_key(
            values in proptest::collection::btree_map(
                proptest::sample::select(&KEYS[..]),
                prop_oneof![any::<i64>(), -2..200i64, Just(i64::MAX), Just(i64::MIN), Just(i64::from(u32::MAX)), 0..1i64 << 33],
                0..5,
            ),
        ) {
            match parse(&world(&values), "any", "any.toml") {
                Ok(Scenario { trial: Trial::Offline(_), .. }) => {}
                Ok(_) => prop_assert!(false, "it is a world"),
                Err(error) => {
                    let named = |key: &&str| error.to_string().contains(key.split([' ', '.']).rfind(|part| part.len() > 1).unwrap_or(key));
                    prop_assert!(KEYS.iter().any(named), "{}", error);
                }
            }
        }

        #[test]
        fn any_text_gives_a_scenario_or_an_error(text in "(version = 2\n)?(\\[(standard|tick|laws|expect)\\]\n)?.*") {
            let _ = parse(&text, "any", "any.toml");
        }
    }
}
