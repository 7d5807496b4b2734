//! Scenario files of version 1 as files of version 2. Only what has another name is another text: comments, blanks and the
//! order of keys stay as they are.

use std::ops::Range;

use toml_edit::{Document, Item, Key, TableLike};

/// The version that is converted.
const VERSION: i64 = 1;

/// The version of today.
const CURRENT: i64 = super::file::VERSION;

/// What names of version 1 are called now.
pub struct Names<'a> {
    /// The engine of this name, if version 1 had one.
    pub engine: &'a dyn Fn(&str) -> Option<&'static str>,
    /// What stands for all engines.
    pub all: &'static str,
    /// The engine that mutants were planted in, and that crash walks were of.
    pub walked: &'static str,
}

/// Why a file is not converted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// It is no TOML.
    #[error("{0}")]
    Malformed(String),
    /// It is of the version of today.
    #[error("nothing to convert: this scenario is of version {CURRENT}, which this abench reads as it is")]
    Current,
    /// It is of another version.
    #[error("line {line}: version = {found} is not converted; version = {VERSION} is")]
    Version {
        /// Where it says so.
        line: usize,
        /// What it says.
        found: String,
    },
    /// A name that version 1 did not have.
    #[error("line {line}: {key}: '{name}' is not an engine of version {VERSION}")]
    Unknown {
        /// Where it is.
        line: usize,
        /// Under which key.
        key: &'static str,
        /// The name.
        name: String,
    },
}

/// Texts that take the place of others.
struct Edits<'a> {
    text: &'a str,
    names: &'a Names<'a>,
    edits: Vec<(Range<usize>, String)>,
}

/// This text of version 1 as one of version 2.
///
/// # Errors
/// If it is no TOML, of another version, or names an engine that version 1 did not have.
pub fn converted(text: &str, names: &Names<'_>) -> Result<String, ConvertError> {
    let document = Document::parse(text).map_err(|error| ConvertError::Malformed(error.to_string()))?;
    let mut edits = Edits { text, names, edits: Vec::new() };
    let version = document.get("version");
    match version.and_then(Item::as_integer) {
        Some(CURRENT) => return Err(ConvertError::Current),
        Some(VERSION) => edits.replace(version.and_then(Item::span), "2".to_owned()),
        _ => {
            let line = version.and_then(Item::span).map_or(1, |span| edits.line(&span));
            let found = version.map_or("missing".to_owned(), |version| version.to_string().trim().to_owned());
            return Err(ConvertError::Version { line, found });
        }
    }
    if let Some(world) = document.get("offline").and_then(Item::as_table_like) {
        edits.engines(world)?;
        edits.key(world, "flaws", "mutants");
        if let Some(journal) = world.get("journal").and_then(Item::as_table_like) {
            edits.key(journal, "piece", "fragment");
        }
        if !world.contains_key("strategies") && !world.contains_key("engines") {
            let all = format!("engines = [\"{}\"]", names.all);
            edits.beside_seed(document.get("offline"), world, &all);
        }
    }
    if let Some(walk) = document.get("crash-everywhere").and_then(Item::as_table_like) {
        edits.key(walk, "flaws", "mutants");
        if !walk.contains_key("engine") {
            let engine = format!("engine = \"{}\"", names.walked);
            edits.beside_seed(document.get("crash-everywhere"), walk, &engine);
        }
    }
    if let Some(expect) = document.get("expect").and_then(Item::as_table_like) {
        edits.key(expect, "strategies", "engines");
        edits.key(expect, "flaws", "mutants");
        for key in ["strategies", "engines"] {
            let Some(engines) = expect.get(key).and_then(Item::as_table_like) else { continue };
            for (name, key) in keys(engines) {
                let line = key.span().map_or(1, |span| edits.line(&span));
                let unknown = || ConvertError::Unknown { line, key: "expect.strategies", name: name.clone() };
                let now = (names.engine)(&name).ok_or_else(unknown)?;
                edits.replace(key.span(), now.to_owned());
            }
        }
        for (name, key) in expect.get("checks").and_then(Item::as_table_like).map(keys).unwrap_or_default() {
            let now = check(&name, names);
            if now != name {
                edits.replace(key.span(), toml_edit::Value::from(now).to_string().trim().to_owned());
            }
        }
    }
    Ok(edits.made())
}

/// The name of a check, with the engine in it as it is called now.
pub fn check(name: &str, names: &Names<'_>) -> String {
    let (before, engine) = name.rsplit_once(' ').map_or(("", name), |(before, engine)| (before, engine));
    match (names.engine)(engine) {
        Some(now) if before.is_empty() => now.to_owned(),
        Some(now) => format!("{before} {now}"),
        None => name.to_owned(),
    }
}

fn keys(table: &dyn TableLike) -> Vec<(String, &Key)> {
    table.iter().filter_map(|(name, _)| Some((name.to_owned(), table.get_key_value(name)?.0))).collect()
}

impl Edits<'_> {
    fn line(&self, span: &Range<usize>) -> usize {
        1 + self.text[..span.start].matches('\n').count()
    }

    fn replace(&mut self, span: Option<Range<usize>>, by: String) {
        self.edits.extend(span.map(|span| (span, by)));
    }

    /// Gives a key its name of today.
    fn key(&mut self, table: &dyn TableLike, key: &str, now: &str) {
        let span = table.get_key_value(key).and_then(|(key, _)| key.span());
        self.replace(span, now.to_owned());
    }

    /// The engines of a world.
    fn engines(&mut self, world: &dyn TableLike) -> Result<(), ConvertError> {
        self.key(world, "strategies", "engines");
        let listed = world.get("strategies").or(world.get("engines")).and_then(Item::as_array);
        for value in listed.into_iter().flatten() {
            let (Some(name), Some(span)) = (value.as_str(), value.span()) else { continue };
            if name == self.names.all {
                continue;
            }
            let unknown =
                || ConvertError::Unknown { line: self.line(&span), key: "offline.strategies", name: name.to_owned() };
            let now = (self.names.engine)(name).ok_or_else(unknown)?;
            self.replace(Some(span), format!("\"{now}\""));
        }
        Ok(())
    }

    /// Adds a key after the seed, which every such table has: on a line of its own, or in the table's own line.
    fn beside_seed(&mut self, item: Option<&Item>, table: &dyn TableLike, key: &str) {
        let Some(end) = table.get("seed").and_then(Item::span).map(|span| span.end) else { return };
        if item.is_some_and(Item::is_inline_table) {
            self.edits.push((end..end, format!(", {key}")));
            return;
        }
        let rest = &self.text[end..];
        let end = end + rest.find('\n').unwrap_or(rest.len());
        let end = if self.text[..end].ends_with('\r') { end - 1 } else { end };
        let line = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        self.edits.push((end..end, format!("{line}{key}")));
    }

    /// The text with all that is replaced.
    fn made(mut self) -> String {
        self.edits.sort_by_key(|(span, _)| span.start);
        let mut made = self.text.to_owned();
        for (span, by) in self.edits.into_iter().rev() {
            made.replace_range(span, &by);
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: Names<'static> = Names {
        engine: &|name| {
            ["new-one", "kept"].into_iter().find(|now| *now == name || (name == "old-one" && *now == "new-one"))
        },
        all: "all",
        walked: "new-one",
    };

    #[test]
    fn only_names_are_other_texts_and_comments_stay() {
        let old = "# First.\nversion = 1 # of the format\nabout = '''\nstrategies = [\"old-one\"]\n'''\n\n[offline]\nseed = '7'\n\
                   strategies = [ # these\n  'old-one', # the old one\n  \"kept\",\n]\nflaws = ['m']\n\n[expect.strategies]\n\
                   old-one = { verdict = 'holds' }\n[expect.checks]\n\"hub merge of old-one\" = 'holds'\n[expect.flaws]\nm = 'truth'\n";
        let new = "# First.\nversion = 2 # of the format\nabout = '''\nstrategies = [\"old-one\"]\n'''\n\n[offline]\nseed = '7'\n\
                   engines = [ # these\n  \"new-one\", # the old one\n  \"kept\",\n]\nmutants = ['m']\n\n[expect.engines]\n\
                   new-one = { verdict = 'holds' }\n[expect.checks]\n\"hub merge of new-one\" = 'holds'\n[expect.mutants]\nm = 'truth'\n";
        assert_eq!(converted(old, &NAMES).as_deref(), Ok(new));
    }

    #[test]
    fn a_world_that_names_no_engine_tried_all_and_a_walk_was_of_the_one_with_mutants() {
        let converted = |text| converted(text, &NAMES).expect("it is converted");
        let world = "version = 1\r\n[offline]\r\nseed = '7' # here\r\nclients = 2\r\n";
        assert_eq!(
            converted(world),
            "version = 2\r\n[offline]\r\nseed = '7' # here\r\nengines = [\"all\"]\r\nclients = 2\r\n"
        );
        let walk = "version = 1\ncrash-everywhere = { seed = '7', clients = 2 }";
        assert_eq!(
            converted(walk),
            "version = 2\ncrash-everywhere = { seed = '7', engine = \"new-one\", clients = 2 }"
        );
    }

    #[test]
    fn what_version_1_did_not_have_is_refused_with_its_line_and_key() {
        let refused = |text| converted(text, &NAMES).expect_err(text).to_string();
        let unknown = "version = 1\n[offline]\nstrategies = [\n'gossip',\n]\n";
        assert_eq!(refused(unknown), "line 4: offline.strategies: 'gossip' is not an engine of version 1");
        let unknown = "version = 1\n[expect.strategies]\ngossip = { verdict = 'holds' }\n";
        assert_eq!(refused(unknown), "line 3: expect.strategies: 'gossip' is not an engine of version 1");
        assert_eq!(refused("\nversion = 3\n"), "line 2: version = 3 is not converted; version = 1 is");
        assert_eq!(refused("[offline]\n"), "line 1: version = missing is not converted; version = 1 is");
        assert!(refused("version = 1\n[offline\n").contains("line 2"));
    }
}
