//! Files of claims: TOML, every key known, every rule sound. Whether a rule can decide is another matter.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::claims::rule::{Amount, Rule};
use crate::claims::{Claim, Claims, PlacedRule, SHIPPED, SHIPPED_NAME, Weaker};
use crate::report::ledger::ClaimVerdict;

/// The version of the format that this abench reads.
pub const VERSION: i64 = 1;

/// The longest file that is read: thousands of claims fit.
const MOST_BYTES: u64 = 1 << 20;

/// The longest text of a claim, in characters.
const MOST_CHARACTERS: usize = 400;

/// The longest name of a claim.
const LONGEST_ID: usize = 24;

/// Why a file of claims cannot be used. The message names the file, and the line where there is one.
#[derive(Debug, thiserror::Error)]
pub enum ClaimsError {
    /// The file cannot be read.
    #[error("cannot read the claims {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It is no TOML, or has a key or value that is not allowed.
    #[error("{origin}: {}", quoted(error))]
    Malformed {
        /// The file.
        origin: String,
        /// What is wrong, with line and column.
        error: Box<toml::de::Error>,
    },
    /// Something at this line is not allowed.
    #[error("{origin}, line {line}: {reason}")]
    Refused {
        /// The file.
        origin: String,
        /// Where.
        line: usize,
        /// Which key, and what is allowed.
        reason: String,
    },
}

/// An error as it is shown: of a long line the beginning.
fn quoted(error: &toml::de::Error) -> String {
    /// Columns of a line of the file that help to find the place.
    const COLUMNS: usize = 200;
    let shorter = |line: &str| match line.char_indices().nth(COLUMNS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    };
    error.to_string().lines().map(shorter).collect::<Vec<_>>().join("\n")
}

/// The file's own shape.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: Spanned<i64>,
    claims: Vec<Spanned<ClaimTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimTable {
    id: Spanned<String>,
    says: Spanned<String>,
    source: Spanned<String>,
    #[serde(default)]
    tried_by: Vec<Spanned<String>>,
    refuted_if: Spanned<String>,
    expected: Expected,
    rules: Vec<Spanned<toml::Table>>,
    weaker: Option<Spanned<WeakerTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WeakerTable {
    says: Spanned<String>,
    #[serde(default)]
    tried_by: Vec<Spanned<String>>,
    rules: Vec<Spanned<toml::Table>>,
}

/// A verdict that a claim may expect. `NotTried` is not allowed: every claim is tried.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Expected {
    Holds,
    Falsified,
    Inconclusive,
    NoHardware,
}

impl From<Expected> for ClaimVerdict {
    fn from(expected: Expected) -> Self {
        match expected {
            Expected::Holds => ClaimVerdict::Holds,
            Expected::Falsified => ClaimVerdict::Falsified,
            Expected::Inconclusive => ClaimVerdict::Inconclusive,
            Expected::NoHardware => ClaimVerdict::NoHardware,
        }
    }
}

/// The claims that come with abench.
///
/// # Errors
/// If they are not sound, which a test rules out.
pub fn shipped() -> Result<Claims, ClaimsError> {
    parse(SHIPPED, SHIPPED_NAME, None)
}

/// Reads the claims in this file. Scenarios that it names by a path are beside it.
///
/// # Errors
/// If the file cannot be read, or a claim in it is not sound.
pub fn read(path: &Path) -> Result<Claims, ClaimsError> {
    let unreadable = |reason: String| ClaimsError::Unreadable { path: path.to_owned(), reason };
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if !metadata.is_file() {
        return Err(unreadable("it is not a regular file".to_owned()));
    }
    let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut text = String::new();
    file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(|error| unreadable(error.to_string()))?;
    if text.len() as u64 > MOST_BYTES {
        return Err(unreadable(format!("it is longer than {MOST_BYTES} B, the most that is read")));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    parse(&text, &path.display().to_string(), folder)
}

/// The claims in this text; `origin` is what messages call it, `folder` is where paths in it begin.
///
/// # Errors
/// If a claim in it is not sound.
pub fn parse(text: &str, origin: &str, folder: Option<&Path>) -> Result<Claims, ClaimsError> {
    let reader = Reader { text, origin, folder };
    let malformed = |error| ClaimsError::Malformed { origin: origin.to_owned(), error: Box::new(error) };
    // The version is looked at before the keys, which another version may have others of.
    let table: toml::Table = toml::from_str(text).map_err(malformed)?;
    match table.get("version") {
        Some(toml::Value::Integer(VERSION)) => {}
        Some(toml::Value::Integer(other)) => {
            return Err(reader.refused(0, format!("this is version {other}; this abench reads version = {VERSION}")));
        }
        Some(other) => {
            let found = other.type_str();
            return Err(
                reader.refused(0, format!("a {found} cannot be a version; this abench reads version = {VERSION}"))
            );
        }
        None => return Err(reader.refused(0, format!("there is no version; claims begin with version = {VERSION}"))),
    }
    let file: File = toml::from_str(text).map_err(malformed)?;
    if file.claims.is_empty() {
        return Err(reader.refused(file.version.span().start, "there is no claim in it".to_owned()));
    }
    let mut ids = BTreeSet::new();
    let mut claims = Vec::with_capacity(file.claims.len());
    for table in file.claims {
        let claim = reader.claim(table.into_inner(), &mut ids)?;
        claims.push(claim);
    }
    Ok(Claims { origin: origin.to_owned(), claims })
}

struct Reader<'a> {
    text: &'a str,
    origin: &'a str,
    folder: Option<&'a Path>,
}

impl Reader<'_> {
    fn line(&self, offset: usize) -> usize {
        1 + self.text[..offset.min(self.text.len())].matches('\n').count()
    }

    fn refused(&self, offset: usize, reason: String) -> ClaimsError {
        ClaimsError::Refused { origin: self.origin.to_owned(), line: self.line(offset), reason }
    }

    fn claim(&self, table: ClaimTable, ids: &mut BTreeSet<String>) -> Result<Claim, ClaimsError> {
        let ClaimTable { id, says, source, tried_by, refuted_if, expected, rules, weaker } = table;
        let place = id.span().start;
        let id = id.into_inner();
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.is_empty() || id.len() > LONGEST_ID || !id.chars().all(is_plain) || !id.contains(char::is_alphabetic) {
            let reason = format!(
                "id: '{}' is not the name of a claim; allowed are 1 to {LONGEST_ID} lower-case letters, digits and hyphens, \
                 among them a letter",
                id.escape_debug().take(MOST_CHARACTERS).collect::<String>()
            );
            return Err(self.refused(place, reason));
        }
        if !ids.insert(id.clone()) {
            return Err(self.refused(place, format!("id: two claims are named '{id}'; give one another name")));
        }
        let rules = self.rules(&tried_by, rules, place, "rules")?;
        let weaker = match weaker {
            None => None,
            Some(table) => {
                let place = table.span().start;
                let WeakerTable { says, tried_by: own, rules } = table.into_inner();
                let tried_by = if own.is_empty() { tried_by } else { own };
                let (says, rules) =
                    (self.words("weaker.says", says)?, self.rules(&tried_by, rules, place, "weaker.rules")?);
                Some(Weaker { says, rules })
            }
        };
        Ok(Claim {
            id,
            says: self.words("says", says)?,
            source: self.words("source", source)?,
            refuted_if: self.words("refuted_if", refuted_if)?,
            expected: expected.into(),
            rules,
            weaker,
        })
    }

    /// Words that may be shown on a terminal.
    fn words(&self, key: &str, words: Spanned<String>) -> Result<String, ClaimsError> {
        let place = words.span().start;
        let words = words.into_inner();
        let reason = match () {
            () if words.trim().is_empty() => format!("{key}: it is empty"),
            () if words.chars().count() > MOST_CHARACTERS => {
                format!("{key}: it is longer than {MOST_CHARACTERS} characters; quote few words")
            }
            () if words.chars().any(char::is_control) => format!("{key}: it has a control character"),
            () => return Ok(words),
        };
        Err(self.refused(place, reason))
    }

    fn rules(
        &self,
        tried_by: &[Spanned<String>],
        tables: Vec<Spanned<toml::Table>>,
        place: usize,
        key: &str,
    ) -> Result<Vec<PlacedRule>, ClaimsError> {
        if tables.is_empty() {
            return Err(self.refused(place, format!("{key}: without a rule nothing can decide")));
        }
        let named: Vec<String> = tried_by.iter().map(|name| self.scenario(name.get_ref())).collect();
        if let Some(twice) = (0..named.len()).find(|&place| named[..place].contains(&named[place])) {
            let (offset, name) = (tried_by[twice].span().start, &named[twice]);
            return Err(self.refused(offset, format!("tried_by: '{name}' is named twice; name each scenario once")));
        }
        let mut rules = Vec::with_capacity(tables.len());
        for table in tables {
            rules.push(self.rule(table, &named, key)?);
        }
        let unused = |name: &&Spanned<String>| {
            let name = self.scenario(name.get_ref());
            !rules.iter().any(|rule| rule.scenarios.contains(&name))
        };
        if let Some(unused) = tried_by.iter().find(unused) {
            let (offset, name) = (unused.span().start, unused.get_ref());
            return Err(self.refused(offset, format!("tried_by: no rule asks the record of '{name}'; leave it out")));
        }
        Ok(rules)
    }

    fn rule(&self, table: Spanned<toml::Table>, named: &[String], key: &str) -> Result<PlacedRule, ClaimsError> {
        let offset = table.span().start;
        let refused = |reason: String| self.refused(offset, format!("{key}: {reason}"));
        let mut table = table.into_inner();
        let only = match table.remove("in") {
            None => None,
            Some(toml::Value::String(name)) => Some(self.scenario(&name)),
            Some(_) => return Err(refused("in: it is the name of a scenario in tried_by".to_owned())),
        };
        let is_of_warrant = table.get("by").and_then(toml::Value::as_str) == Some("warrant");
        // The kind of a rule is read first, and its error does not name the key of a value that is no number.
        for key in ["at_least", "at_most"] {
            if let Some(value) = table.get(key).filter(|_| !is_of_warrant) {
                Amount::deserialize(value.clone())
                    .map_err(|error| refused(format!("{key}: {}", error.message().trim())))?;
            }
        }
        let rule = Rule::deserialize(table).map_err(|error| refused(error.message().trim().to_owned()))?;
        if let Some(reason) = rule.unsound() {
            return Err(refused(reason));
        }
        let asks_no_run = matches!(rule, Rule::Instrument { .. });
        let scenarios = match only {
            Some(name) if !named.contains(&name) => {
                return Err(refused(format!("in: '{name}' is not in tried_by, which has {}", list(named))));
            }
            Some(_) if asks_no_run => {
                return Err(refused("in: an instrument asks no record; leave the key out".to_owned()));
            }
            Some(name) => vec![name],
            None if asks_no_run => Vec::new(),
            None if named.is_empty() => {
                return Err(refused("tried_by names no scenario whose record it could ask".to_owned()));
            }
            None => named.to_vec(),
        };
        if let Rule::Instrument { instrument } = &rule
            && (instrument.trim().is_empty() || instrument.chars().any(char::is_control))
        {
            return Err(refused("instrument: say what has to be measured, and with what".to_owned()));
        }
        Ok(PlacedRule { rule, scenarios, line: self.line(offset) })
    }

    /// A scenario as it is found: a path begins in the folder of the claims.
    fn scenario(&self, named: &str) -> String {
        let is_path = named.contains('/') || named.ends_with(".toml");
        match self.folder.filter(|_| is_path && !Path::new(named).is_absolute()) {
            Some(folder) => folder.join(named).display().to_string(),
            None => named.to_owned(),
        }
    }
}

/// Names, as a message lists them.
pub(super) fn list(names: &[impl AsRef<str>]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SOUND: &str = "version = 1\n\n[[claims]]\nid = 'a-claim'\nsays = 'it is so'\nsource = 'a book'\n\
                         tried_by = ['tick']\nrefuted_if = 'it is not'\nexpected = 'holds'\n\
                         rules = [\n  { by = 'number', number = 'tick-value-bytes', at_most = 160 },\n]\n";

    fn refused(from: &str, to: &str) -> String {
        let text = SOUND.replace(from, to);
        assert_ne!(text, SOUND, "{from}");
        parse(&text, "bad.toml", None).expect_err(&text).to_string()
    }

    #[test]
    fn a_sound_file_is_read_with_the_lines_of_its_rules() {
        let claims = parse(SOUND, "sound.toml", None).expect("it is sound").claims;
        assert_eq!((claims.len(), claims[0].id.as_str(), claims[0].rules[0].line), (1, "a-claim", 11));
        assert_eq!(claims[0].rules[0].scenarios, ["tick"]);
    }

    #[test]
    fn a_path_begins_in_the_folder_of_the_claims_and_a_shipped_name_does_not() {
        let text = SOUND.replace("['tick']", "['tick', 'own/mine.toml', '/abs.toml']");
        let claims = parse(&text, "sound.toml", Some(Path::new("trials"))).expect("it is sound");
        assert_eq!(claims.scenarios(), ["tick", "trials/own/mine.toml", "/abs.toml"]);
    }

    #[test]
    fn what_is_wrong_with_a_file_of_claims_is_named_with_its_line() {
        insta::assert_snapshot!(
            [
                ("version = 1", "version = 2"),
                ("version = 1", "verzion = 1"),
                ("version = 1", "version = 'one'"),
                ("version = 1", "version = 1\nabout = 'x'"),
                ("id = 'a-claim'", "id = 'A claim'"),
                ("id = 'a-claim'", "id = '17'"),
                ("id = 'a-claim'", "id = 'a-claim'\nlevel = 3"),
                ("says = 'it is so'", "says = ' '"),
                ("says = 'it is so'", "says = \"it is \\u001b[31mso\""),
                ("tried_by = ['tick']", "tried_by = ['tick', 'tick']"),
                ("tried_by = ['tick']", "tried_by = []"),
                ("expected = 'holds'", "expected = 'not-tried'"),
                ("refuted_if = 'it is not'\n", ""),
                ("by = 'number'", "by = 'luck'"),
                ("at_most = 160", "at_most = -160"),
                ("at_most = 160", "at_mots = 160"),
                ("at_most = 160", "banks = 2, at_most = 160"),
                ("at_most = 160", "at_most = 160, in = 'laws'"),
                ("at_most = 160", "at_most = 160, in = 5"),
                ("  { by = 'number', number = 'tick-value-bytes', at_most = 160 },\n", ""),
                (
                    "{ by = 'number', number = 'tick-value-bytes', at_most = 160 }",
                    "{ by = 'instrument', instrument = 'a clock' }"
                ),
            ]
            .map(|(from, to)| refused(from, to))
            .join("\n----\n")
        );
        let twice = format!("{SOUND}{}", SOUND.replace("version = 1", ""));
        let said = parse(&twice, "bad.toml", None).expect_err("two of a name").to_string();
        assert_eq!(said, "bad.toml, line 16: id: two claims are named 'a-claim'; give one another name");
    }

    #[test]
    fn a_file_that_is_none_is_refused_and_quoted_in_part() {
        let read = |path: &Path| read(path).expect_err("it is refused").to_string();
        assert!(read(Path::new("no/such.toml")).starts_with("cannot read the claims no/such.toml:"));
        assert!(read(Path::new(env!("CARGO_MANIFEST_DIR"))).ends_with("it is not a regular file"));
        let long = format!("version = 1\nx = '{}'\n[", "x".repeat(100_000));
        let said = parse(&long, "long.toml", None).expect_err("no TOML").to_string();
        assert!(said.len() < 1000, "{}", said.len());
        let long = SOUND.replace("it is so", &"so ".repeat(1000));
        let said = parse(&long, "long.toml", None).expect_err("too long").to_string();
        assert!(said.starts_with("long.toml, line 5: says: it is longer than 400 characters"), "{said}");
    }

    proptest! {
        #[test]
        fn any_text_gives_claims_or_an_error(text in "(version = 1\n)?(\\[\\[claims\\]\\]\n)?(id = 'a'\n)?(rules = \\[.*\\])?.*") {
            let _ = parse(&text, "any", None);
        }
    }
}
