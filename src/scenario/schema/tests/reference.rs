//! The reference of scenario files, in Markdown, from their schema.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::domain::script::keys::AFTER;
use crate::domain::trial::Trial;
use crate::scenario::schema::tests::resolved;

/// The beginning of the page.
const HEAD: &str = "\
# Every key of a scenario file

A scenario is a TOML file. Every key that abench reads is on this page, with its unit, its default and what is allowed. The page
and the JSON schema are generated from the types that read the files. Start from a shipped scenario, and let your editor check
the keys:

```console
$ abench show tick > mine.toml
$ abench show schema > scenario.schema.json
```

Editors that use Taplo, such as VS Code with Even Better TOML, read the schema when the first line of the file is
`#:schema ./scenario.schema.json`. They complete keys, show what a key does, and mark what is wrong. abench checks more than the
schema can: names of engines and backends, and keys that do not go together.

A key without a default, and without \"required\", may be left out.

";

/// Endings of keys, and their units.
const UNITS: &[(&str, &str)] = &[
    ("bits_per_s", "bit/s"),
    ("per_mille", "1/1000"),
    ("per_day", "a day"),
    ("per_mb", "money a MB"),
    ("_s", "s"),
    ("_ms", "ms"),
    ("_mib", "MiB"),
    ("_ppm", "1/1000000"),
    ("percent", "%"),
    ("hundredths", "1/100"),
    ("tenths", "0.1 B"),
    ("bytes", "B"),
    ("fragment", "B"),
    ("budget", "deliveries"),
];

fn unit(key: &str) -> &'static str {
    UNITS.iter().find(|(ending, _)| key.ends_with(ending)).map_or("", |(_, unit)| unit)
}

/// The page.
pub fn of(schema: &Value) -> String {
    let mut page = Page { schema, text: HEAD.to_owned(), shown: BTreeMap::new() };
    page.table("The file", schema, "");
    for table in Trial::TABLES.iter().copied().chain(["expect"]) {
        page.tables(&schema["properties"][table], table);
    }
    page.text
}

struct Page<'a> {
    schema: &'a Value,
    text: String,
    /// Definitions that have a section, and where they are in a file.
    shown: BTreeMap<String, String>,
}

impl Page<'_> {
    /// The section of a table, and those of the tables in it.
    fn tables(&mut self, schema: &Value, path: &str) {
        let table = resolved(self.schema, schema).clone();
        if table["additionalProperties"].is_object() {
            let entry = resolved(self.schema, &table["additionalProperties"]).clone();
            return self.table(&format!("`[{path}]`, by name"), &entry, path);
        }
        if table["items"].is_object() {
            let item = resolved(self.schema, &table["items"]).clone();
            if item["anyOf"].is_array() {
                return self.steps(&item, path);
            }
            return self.table(&format!("`[[{path}]]`"), &item, path);
        }
        self.table(&format!("`[{path}]`"), &table, path);
        let keys = table["properties"].as_object().cloned().unwrap_or_default();
        let below: Vec<_> = keys.into_iter().filter(|(_, schema)| self.is_table(schema)).collect();
        for (key, schema) in below {
            let (name, place) = (resolved_name(&schema).unwrap_or_default(), format!("{path}.{key}"));
            let is_first = *self.shown.entry(name).or_insert_with(|| place.clone()) == place;
            if is_first {
                self.tables(&schema, &place);
            }
        }
    }

    /// Whether a value is a table with keys of its own, or a list of such tables.
    fn is_table(&self, schema: &Value) -> bool {
        let table = resolved(self.schema, schema);
        let item = resolved(self.schema, &table["items"]);
        let entry = resolved(self.schema, &table["additionalProperties"]);
        [table, item, entry].iter().any(|table| table["properties"].is_object()) || item["anyOf"].is_array()
    }

    fn table(&mut self, title: &str, table: &Value, path: &str) {
        self.text += &format!("## {title}\n\n");
        if let (Some(about), false) = (table["description"].as_str(), path.is_empty()) {
            self.text += &format!("{about}\n\n");
        }
        let keys = table["properties"].as_object().cloned().unwrap_or_default();
        let required = table["required"].as_array().cloned().unwrap_or_default();
        let is_needed = |key: &str| required.iter().any(|name| name == key);
        self.text += "| key | type | unit | default | allowed | what it does |\n|---|---|---|---|---|---|\n";
        for (key, schema) in &keys {
            let shape = resolved(self.schema, schema);
            let mut about = schema["description"].as_str().unwrap_or_default().to_owned();
            if let Some(place) = resolved_name(schema).and_then(|name| self.shown.get(&name)) {
                about += &format!(" Its keys are those of `[{place}]`.");
            }
            let default = match (&schema["default"], is_needed(key)) {
                (_, true) => "required".to_owned(),
                (Value::Null | Value::Object(_), _) => String::new(),
                (default, _) => format!("`{default}`"),
            };
            let allowed = if self.is_table(schema) { String::new() } else { allowed(shape) };
            let kind = if self.is_table(schema) && shape["items"].is_null() && shape["additionalProperties"] == false {
                "table"
            } else {
                kind(shape)
            };
            let unit = unit(key);
            self.text += &format!("| `{key}` | {kind} | {unit} | {default} | {allowed} | {about} |\n");
        }
        self.text += "\n";
        for (key, schema) in &keys {
            self.choices(key, resolved(self.schema, schema));
        }
    }

    /// What each word means that a key can have.
    fn choices(&mut self, key: &str, shape: &Value) {
        let shape = if shape["items"].is_object() { &shape["items"] } else { shape };
        let Some(words) = shape["oneOf"].as_array() else { return };
        self.text += &format!("`{key}` is one of:\n\n");
        for word in words {
            let (name, about) =
                (word["const"].as_str().unwrap_or_default(), word["description"].as_str().unwrap_or_default());
            self.text += &format!("- `{name}`: {about}\n");
        }
        self.text += "\n";
    }

    /// Every step with its keys.
    fn steps(&mut self, item: &Value, path: &str) {
        self.text += &format!("## `{path}`\n\n{}\n\n", item["description"].as_str().unwrap_or_default());
        self.text += "A step has the keys of one of these rows, and may have `after_s` too. Keys in brackets may be left out.\n\n";
        self.text += "| step | other keys | what happens |\n|---|---|---|\n";
        for step in item["anyOf"].as_array().into_iter().flatten() {
            let (title, about) =
                (step["title"].as_str().unwrap_or_default(), step["description"].as_str().unwrap_or_default());
            let required = step["required"].as_array().cloned().unwrap_or_default();
            let keys = step["properties"].as_object().cloned().unwrap_or_default();
            let named = |key: &String| {
                if required.iter().any(|name| name == key) { format!("`{key}`") } else { format!("[`{key}`]") }
            };
            let (below, own) = self.own_keys(&keys);
            let mut others: Vec<String> =
                own.into_iter().filter(|key| *key != title && *key != AFTER).map(named).collect();
            others.extend(below.map(|place| format!("the keys of `[{place}]`")));
            let verb = match keys[title]["enum"].as_array() {
                Some(words) => format!("`{title}` = {}", listed(words.iter())),
                None => format!("`{title}`"),
            };
            self.text += &format!("| {verb} | {} | {about} |\n", others.join(", "));
        }
        self.text += "\n| key | in steps | type | unit | allowed | what it says |\n|---|---|---|---|---|---|\n";
        let mut rows: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
        let steps = item["anyOf"].as_array().map(Vec::as_slice).unwrap_or_default();
        for step in steps {
            let title = step["title"].as_str().unwrap_or_default();
            let keys = step["properties"].as_object().cloned().unwrap_or_default();
            for key in self.own_keys(&keys).1.into_iter().filter(|key| *key != title && *key != AFTER) {
                let shape = &keys[key];
                let about = shape["description"].as_str().unwrap_or_default();
                let rest = format!("{} | {} | {} | {about}", kind(shape), unit(key), allowed(shape));
                rows.entry((key.clone(), rest)).or_default().insert(format!("`{title}`"));
            }
        }
        let after = &steps[0]["properties"][AFTER];
        let (about, allowed) = (after["description"].as_str().unwrap_or_default(), allowed(after));
        self.text += &format!("| `{AFTER}` | every step | {} | {} | {allowed} | {about} |\n", kind(after), unit(AFTER));
        for ((key, rest), of) in rows {
            let of: Vec<String> = of.into_iter().collect();
            self.text += &format!("| `{key}` | {} | {rest} |\n", of.join(", "));
        }
        self.text += "\n";
    }
}

impl Page<'_> {
    /// Of the keys of a step those that are its own, and the table whose keys the others are.
    fn own_keys<'k>(&self, keys: &'k serde_json::Map<String, Value>) -> (Option<&'static str>, Vec<&'k String>) {
        for (name, place) in [("Link", "offline.link"), ("Workload", "offline.workload")] {
            let of = self.schema["definitions"][name]["properties"].as_object().expect("a table");
            // An outage is a step of its own.
            if of.keys().all(|key| keys.contains_key(key) || key.starts_with("outage")) {
                return (Some(place), keys.keys().filter(|key| !of.contains_key(*key)).collect());
            }
        }
        (None, keys.keys().collect())
    }
}

fn resolved_name(schema: &Value) -> Option<String> {
    let of = |schema: &Value| schema["$ref"].as_str().or(schema["allOf"][0]["$ref"].as_str()).map(str::to_owned);
    of(schema).or_else(|| of(&schema["items"])).or_else(|| of(&schema["additionalProperties"]))
}

/// A type in words.
fn kind(shape: &Value) -> &'static str {
    match shape["type"].as_str() {
        Some("integer") => "whole number",
        Some("number") => "number",
        Some("boolean") => "true or false",
        Some("array") => match shape["items"]["type"].as_str() {
            Some("integer") => "list of whole numbers",
            _ if shape["items"].is_array() => "two whole numbers",
            _ if shape["items"]["properties"].is_object() || shape["items"]["$ref"].is_string() => "list of tables",
            _ => "list of texts",
        },
        Some("object") => match shape["additionalProperties"]["type"].as_str() {
            Some("integer") => "whole numbers by name",
            _ if shape["patternProperties"].is_object() => "whole numbers by number",
            _ if shape["additionalProperties"]["$ref"].is_string() => "tables by name",
            _ => "texts by name",
        },
        Some(_) => "text",
        None if shape["anyOf"][0]["type"] == "integer" => "whole number or text",
        None if shape["anyOf"][0]["type"] == "number" => "number or text",
        None => "text",
    }
}

/// Values with commas between them.
fn listed<'a>(values: impl Iterator<Item = &'a Value>) -> String {
    values.map(|value| format!("`{}`", value.to_string().trim_matches('"'))).collect::<Vec<_>>().join(", ")
}

/// What a value can be, in words.
fn allowed(shape: &Value) -> String {
    if let Some(words) = shape["enum"].as_array() {
        return listed(words.iter());
    }
    if let Some(words) = shape["oneOf"].as_array() {
        return listed(words.iter().map(|word| &word["const"]));
    }
    if !shape["const"].is_null() {
        return listed([&shape["const"]].into_iter());
    }
    if let Some(examples) = shape["examples"].as_array() {
        return format!("such as {}", listed(examples.iter()));
    }
    match (&shape["minimum"], &shape["maximum"]) {
        (Value::Null, Value::Null) if shape["not"]["const"] == 0 => "any but 0".to_owned(),
        (Value::Null, Value::Null) if shape["items"].is_array() => {
            format!("{}, the first not above the second", allowed(&shape["items"][1]))
        }
        (Value::Null, Value::Null) if shape["items"].is_object() => allowed(&shape["items"]),
        (Value::Null, Value::Null) if shape["additionalProperties"].is_object() => {
            allowed(&shape["additionalProperties"])
        }
        (Value::Null, Value::Null) => String::new(),
        (least, Value::Null) => format!("{least} or more"),
        (Value::Null, most) => format!("up to {most}"),
        (least, most) => format!("{least} to {most}"),
    }
}
