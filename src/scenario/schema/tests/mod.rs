//! The schema and the reference are those of the types, and the schema takes what the reader takes.

mod reference;
mod shapes;
mod steps;

use std::collections::BTreeSet;
use std::path::Path;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::domain::offline::FaultKind;
use crate::domain::script::keys::{VERBS, verb_of};
use crate::domain::script::text::toml;
use crate::domain::trial::Trial;
use crate::scenario::file::{self, ScenarioError};
use crate::scenario::schema::SCHEMA;
use crate::scenario::shipped::SHIPPED;

/// What makes the tests write the files and not compare them.
const WRITE: &str = "ABENCH_WRITE_SCHEMA";

/// Compares a kept file with what the types give, or writes it.
fn is_fresh(path: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, text).expect("the file can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let path = path.display();
    assert!(kept == text, "{path} is not that of the types; {WRITE}=1 cargo test --lib scenario::schema writes it");
}

/// The schema of the types, as TOML needs it.
fn generated() -> Value {
    let mut schema = file::schema().to_value();
    suited_to_toml(&mut schema);
    schema["title"] = "A scenario of abench".into();
    schema["description"] = "What is put on trial, and what is expected of it: exactly one table with a trial.".into();
    let of = |table: &&str| json!({ "required": [table] });
    schema["oneOf"] = Trial::TABLES.iter().map(of).collect();
    schema
}

/// Without what TOML does not have, and with the bounds that a format implies.
fn suited_to_toml(schema: &mut Value) {
    match schema {
        Value::Object(keys) => {
            keys.values_mut().for_each(suited_to_toml);
            without_null(keys);
            if let Some(Value::String(text)) = keys.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            match keys.remove("format").as_ref().and_then(Value::as_str) {
                Some("uint32") => drop(keys.entry("maximum").or_insert(u32::MAX.into())),
                Some("uint64" | "int64") | None => {}
                Some(other) => panic!("nothing is known of the format {other}"),
            }
        }
        Value::Array(items) => items.iter_mut().for_each(suited_to_toml),
        _ => {}
    }
}

/// A key of TOML is left out, and never null.
fn without_null(keys: &mut Map<String, Value>) {
    if keys.get("default").is_some_and(Value::is_null) {
        keys.remove("default");
    }
    if let Some(Value::Array(types)) = keys.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = &types[..] {
            let one = one.clone();
            keys.insert("type".to_owned(), one);
        }
    }
    let Some(Value::Array(mut forms)) = keys.remove("anyOf") else { return };
    forms.retain(|form| form["type"] != "null");
    match &mut forms[..] {
        // Beside a reference nothing is read in draft 7.
        [only] if only["$ref"].is_string() => drop(keys.insert("allOf".to_owned(), json!([only]))),
        [Value::Object(only)] => {
            for (key, value) in std::mem::take(only) {
                keys.entry(key).or_insert(value);
            }
        }
        _ => drop(keys.insert("anyOf".to_owned(), forms.into())),
    }
}

fn validator() -> Validator {
    jsonschema::draft7::new(&generated()).expect("it is a schema")
}

/// A file as a validator sees it.
fn value(text: &str) -> Value {
    toml::from_str(text).expect(text)
}

#[test]
fn the_schema_that_is_kept_is_that_of_the_types() {
    let text = serde_json::to_string_pretty(&generated()).expect("JSON") + "\n";
    is_fresh("docs/scenario.schema.json", &text);
    assert!(SCHEMA == text, "the schema is embedded when abench is compiled: run the tests again");
}

#[test]
fn the_reference_that_is_kept_is_that_of_the_schema() {
    is_fresh("docs/scenario-reference.md", &reference::of(&generated()));
}

#[test]
fn every_shipped_scenario_is_valid() {
    let validator = validator();
    for (name, text) in SHIPPED {
        let wrong: Vec<String> =
            validator.iter_errors(&value(text)).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
    }
}

/// A sound file of each kind of trial, with a key of every table.
const SOUND: &[&str] = &[
    "version = 2\nabout = 'x'\nbackend = ['scalar']\n[standard]\ncount = 5\nseed = '7'\n[expect]\ncycles = { 1 = 5 }\nchanged = [1]\ncoverage_percent = 90",
    "version = 2\n[tick]\nseed = '0x7'",
    "version = 2\n[codecs]\nseed = '7'\nchanged = 2\n[expect]\ncodecs = { frame = { narrow_at_most = 64 } }",
    "version = 2\n[laws]\nseed = '7'\ntries = 5\n[expect]\nverdict = 'holds'",
    "version = 2\n[every-order]\nseed = '7'\ndeltas = 5\nsources = 2\nbudget = 1",
    "version = 2\n[every-order]\nseed = '7'\ndeltas = 5\nrepeats = 2\nbudget = '1s'\nstart = 'F'",
    "version = 2\n[curves]\nseed = '7'\nregisters = 64\nchanged = 5\naxes = ['density', 'away']",
    "version = 2\n[every-delivery]\nseed = '7'\nclients = 2\nedits = 2\nretries = 1\nlosses = 1\nrepeats = 1\nengines = ['all']",
    "version = 2\n[crash-everywhere]\nseed = '7'\nclients = 2\nedits = 4\nretries = 1\ncrashes = 1",
    "version = 2\n[bandwidth]\nrecords = 5000\nchanged = 1\nclients = 40\nsyncs_per_day = 6\nprice_per_mb = 0.05\nonline = '2m'",
    "version = 2\n[offline]\nseed = '7'\nclients = 3\nedges = [{ name = 'near', parent = 'hub', clients = [0] }]\n\
     faults = [{ kind = 'drop', node = 'client 0', to = 'near', nth = 1, at_s = 5 }, { kind = 'restore', node = 'hub', at_s = 50, age_s = 5 }]\n\
     [offline.workload]\nticks = 0\nchanged = 1\n[offline.presence]\nlasts_s = 100\naway_s = [0, 9]\nhere_s = [1, 9]\n\
     [offline.link]\nlatency_ms = 20\n[offline.clocks]\nskew_s = 1\n[offline.journal]\nretain = 1\n[offline.load]\nbytes = 5\n\
     [offline.tags]\nregisters = 1\nedits = 0\n[offline.labels]\nregisters = 1\nedits = 0\n\
     [offline.records]\nregisters = 1\nedits = 0\nlabels = 3\nelements = 3\ncreates_percent = 20\ndeletes_percent = 9\ntags_percent = 9\n\
     [offline.texts]\nregisters = 1\nedits = 0\nmoves_percent = 9\nerases_percent = 9\n\
     [offline.claims]\nregisters = 1\nedits = 0\n[offline.cases]\nregisters = 1\nitems = 3\nedits = 0\ncloses_percent = 9\n\
     [offline.stocks]\nregisters = 1\nedits = 0\nsupplies_percent = 20\ntransfers_percent = 20\nmost = 9",
];

/// A file as text: every table of it in one line.
fn text(file: &Value) -> String {
    let keys = file.as_object().expect("a table");
    keys.iter().map(|(key, value)| format!("{key} = {}\n", toml(value))).collect()
}

fn read(file: &Value) -> Result<(), ScenarioError> {
    file::parse(&text(file), "any", "any.toml").map(drop)
}

/// A schema behind its references.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
    reference.map_or(schema, |reference| root.pointer(&reference[1..]).expect("what is referred to is there"))
}

/// Every key below a schema that is not a table itself, with its path and its schema. Steps have a test of their own.
fn leaves<'a>(root: &'a Value, schema: &'a Value, path: &str, found: &mut Vec<(String, &'a Value)>) {
    let table = resolved(root, schema);
    if let Some(keys) = table["properties"].as_object() {
        found.push((format!("{path}/misspelt"), &Value::Bool(false)));
        keys.iter().for_each(|(key, schema)| leaves(root, schema, &format!("{path}/{key}"), found));
    } else if resolved(root, &table["items"])["properties"].is_object() {
        leaves(root, &table["items"], &format!("{path}/0"), found);
    } else if !path.ends_with("/steps") {
        found.push((path.to_owned(), table));
    }
}

/// The file with another value at a path.
fn with(file: &Value, path: &str, value: Value) -> Value {
    let mut file = file.clone();
    let mut place = &mut file;
    for key in path[1..].split('/') {
        place = match key.parse::<usize>() {
            Ok(number) => &mut place[number],
            Err(_) => {
                if place.is_null() {
                    *place = json!({});
                }
                &mut place[key]
            }
        };
    }
    *place = value;
    file
}

/// Every key of every table, with a sound file that has the table.
fn cases(schema: &Value) -> Vec<(String, &Value, Value)> {
    let mut found = Vec::new();
    leaves(schema, schema, "", &mut found);
    let sound: Vec<Value> = SOUND.iter().map(|text| value(text)).collect();
    let mut cases = Vec::new();
    for (path, leaf) in found {
        let table = path.split('/').nth(1).unwrap_or_default();
        let of_trial = Trial::TABLES.contains(&table);
        let files = sound.iter().filter(|file| !of_trial || file.get(table).is_some());
        // Edges and faults are in the file of a world.
        let files = files
            .filter(|file| !path.contains("/0/") || file.pointer(path.rsplit_once('/').expect("a path").0).is_some());
        let files: Vec<Value> = files.cloned().collect();
        assert!(!files.is_empty(), "no sound file has the table of {path}");
        cases.extend(files.into_iter().map(|file| (path.clone(), leaf, file)));
    }
    cases
}

#[test]
fn the_schema_refuses_what_no_reader_could_read_and_nothing_that_the_reader_takes() {
    let schema = generated();
    let validator = validator();
    let values = [
        json!(-1),
        json!(0),
        json!(1),
        json!(3),
        json!(1u64 << 40),
        json!(0.5),
        json!(1.5),
        json!(true),
        json!("x"),
        json!("7"),
        json!("2%"),
        json!("101%"),
        json!("10s"),
        json!("0x123456789abcdef01"),
        json!(""),
        json!([]),
        json!([1, 2]),
        json!([1, 2, 3]),
        json!([-1, 2]),
        json!(["x"]),
        json!(["xor"]),
        json!(["bank-sweep"]),
        json!(["bank-sweep", "bank-sweep"]),
        json!(["order-dependence"]),
        json!({}),
        json!({ "1": 5 }),
        json!({ "33": 5 }),
        json!({ "x": "holds" }),
        json!({ "x": "hold" }),
        json!({ "x": { "verdict": "holds" } }),
        json!({ "x": { "verdict": "holds", "wrong": 1 } }),
        json!("holds"),
        json!("crash"),
        json!("quick"),
    ];
    let (mut taken, mut refused) = (0, 0);
    for (path, _, file) in cases(&schema) {
        for value in &values {
            let file = with(&file, &path, value.clone());
            match read(&file) {
                Ok(()) => {
                    assert!(validator.is_valid(&file), "the reader takes {path} = {value}");
                    taken += 1;
                }
                Err(ScenarioError::Malformed { error, .. }) => {
                    assert!(!validator.is_valid(&file), "{path} = {value} cannot be read: {error}");
                    refused += 1;
                }
                Err(_) => {}
            }
        }
    }
    assert!(taken > 300 && refused > 2000, "{taken} {refused}");
}

/// Keys of which one bound depends on other keys, and which bound: the schema has the widest.
const NARROWER: &[&str] = &[
    "/bandwidth/link/bits_per_s minimum",
    "/bandwidth/link/corrupted_per_mille maximum",
    "/bandwidth/link/jitter_ms maximum",
    "/bandwidth/link/latency_ms maximum",
    "/bandwidth/link/lost_per_mille maximum",
    "/bandwidth/link/truncated_per_mille maximum",
    "/codecs/changed maximum",
    "/codecs/registers minimum",
    "/curves/changed maximum",
    "/curves/registers minimum",
    "/every-delivery/edits_before maximum",
    "/every-order/sources maximum",
    "/offline/clients maximum",
    "/offline/clocks/jump_s maximum",
    "/offline/clocks/jumps maximum",
    "/offline/faults/0/age_s maximum",
    "/offline/faults/0/for_s maximum",
    "/offline/link/jitter_ms maximum",
    "/offline/link/latency_ms maximum",
    "/offline/presence/lasts_s minimum",
    "/offline/workload/changed maximum",
    "/offline/workload/changed minimum",
];

#[test]
fn every_bound_of_the_schema_is_that_of_the_reader() {
    let schema = generated();
    let validator = validator();
    let (mut narrower, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for (path, leaf, file) in cases(&schema) {
        for (bound, beyond) in [("minimum", -1), ("maximum", 1)] {
            let Some(most) = leaf[bound].as_i64() else { continue };
            let outside = with(&file, &path, json!(most + beyond));
            assert!(!validator.is_valid(&outside), "the schema takes {path} = {}", most + beyond);
            assert!(read(&outside).is_err(), "the reader takes {path} = {}", most + beyond);
            let inside = with(&file, &path, json!(most));
            assert!(validator.is_valid(&inside), "the schema refuses {path} = {most}");
            let of = if read(&inside).is_ok() { &mut taken } else { &mut narrower };
            of.insert(format!("{path} {bound}"));
        }
    }
    assert!(taken.len() > 80, "{}", taken.len());
    let narrower: Vec<&String> = narrower.difference(&taken).collect();
    assert_eq!(narrower, NARROWER);
}

#[test]
fn a_key_that_is_needed_is_needed_by_the_schema_and_another_is_not() {
    let validator = validator();
    let mut removed = 0;
    for file in SOUND.iter().map(|text| value(text)) {
        let mut tables = vec![String::new()];
        while let Some(table) = tables.pop() {
            let keys: Vec<String> = match file.pointer(&table) {
                Some(Value::Object(keys)) => keys.keys().cloned().collect(),
                Some(Value::Array(items)) => {
                    tables.extend((0..items.len()).map(|number| format!("{table}/{number}")));
                    continue;
                }
                _ => continue,
            };
            for key in keys {
                let mut without = file.clone();
                without.pointer_mut(&table).and_then(Value::as_object_mut).expect("a table").remove(&key);
                match read(&without) {
                    Ok(()) => assert!(validator.is_valid(&without), "{table} needs no {key}"),
                    Err(
                        ScenarioError::Malformed { .. } | ScenarioError::Tables { .. } | ScenarioError::Version { .. },
                    ) => {
                        assert!(!validator.is_valid(&without), "{table} needs {key}");
                    }
                    Err(_) => {}
                }
                removed += 1;
                tables.push(format!("{table}/{key}"));
            }
        }
    }
    assert!(removed > 50, "{removed}");
}

#[test]
fn a_misspelt_key_a_wrong_type_and_a_value_out_of_range_are_refused_with_their_place() {
    let validator = validator();
    let refused = |change: &str, by: &str| {
        let sound = include_str!("../../../../scenarios/field-tally.toml");
        assert!(sound.contains(change), "{change}");
        let file = value(&sound.replacen(change, by, 1));
        let errors: Vec<String> =
            validator.iter_errors(&file).map(|error| format!("{}: {error}", error.instance_path())).collect();
        errors.join("\n")
    };
    assert_eq!(
        [
            refused("latency_ms = 150", "latencyms = 150"),
            refused("latency_ms = 150", "latency_ms = '150'"),
            refused("lost_per_mille = 30", "lost_per_mille = 1001"),
            refused("away_s = [3600, 14400]", "away_s = 3600"),
        ],
        [
            "/offline/link: Additional properties are not allowed ('latencyms' was unexpected)",
            "/offline/link/latency_ms: \"150\" is not of type \"integer\"",
            "/offline/link/lost_per_mille: 1001 is greater than the maximum of 1000",
            "/offline/presence/away_s: 3600 is not of type \"array\"",
        ]
    );
}

/// A script of these steps in a world that has all that a step can name.
fn script(step: &Value) -> Value {
    json!({ "version": 2, "offline": {
        "seed": "7", "clients": 3, "registers": 8, "tags": { "registers": 1, "elements": 2 },
        "stocks": { "registers": 1 }, "labels": { "registers": 1 }, "records": { "registers": 1 }, "texts": { "registers": 1 },
        "claims": { "registers": 1 }, "cases": { "registers": 1, "items": 2 },
        "edges": [{ "name": "near", "parent": "hub", "clients": [2] }],
        "steps": [{ "connect": "clients" }, { "back_up": "clients" }, step],
    } })
}

/// A value that a key of a step can have.
fn sample(key: &str, shape: &Value, step: &str) -> Value {
    match key {
        "register" if step == "by" => json!(0),
        "register" if ["supply", "take", "transfer"].contains(&step) => json!(8),
        "register" if step == "write" => json!(10),
        "register" if ["create", "delete", "set", "tag", "untag"].contains(&step) => json!(11),
        "register" if ["type", "erase"].contains(&step) => json!(12),
        "register" if step == "claim" => json!(13),
        "register" if ["do", "close"].contains(&step) => json!(14),
        "register" => json!(9),
        "to" if step == "transfer" => json!("client 1"),
        "to" | "with" => json!("hub"),
        "from" if step == "from" => json!("hub"),
        "kind" => json!("crash"),
        _ if shape["enum"].is_array() => shape["enum"][0].clone(),
        _ if shape["oneOf"].is_array() => shape["oneOf"][0]["const"].clone(),
        _ if shape["type"] == "string" => json!("client 0"),
        _ if shape["type"] == "boolean" => json!(true),
        _ => json!(1),
    }
}

#[test]
fn a_step_has_the_same_keys_in_the_schema_as_where_it_is_read() {
    let schema = generated();
    let validator = validator();
    let same = |step: &Map<String, Value>| {
        let file = script(&step.clone().into());
        let said = read(&file);
        let read = said.is_ok();
        assert_eq!(validator.is_valid(&file), read, "{} {said:?}", text(&file));
        read
    };
    let steps = schema["definitions"]["Step"]["anyOf"].as_array().expect("steps");
    let all: Map<String, Value> =
        steps.iter().flat_map(|step| step["properties"].as_object().expect("keys").clone()).collect();
    let strangers = [("kind", json!({ "type": "string" })), ("at_s", json!({})), ("age_s", json!({}))];
    let all: Vec<(String, Value)> =
        all.into_iter().chain(strangers.map(|(key, shape)| (key.to_owned(), shape))).collect();
    let mut verbs: Vec<&str> = VERBS.iter().map(|(verb, ..)| *verb).collect();
    let faults: Vec<String> = FaultKind::ALL.iter().map(|&kind| verb_of(kind)).collect();
    verbs.extend(faults.iter().map(String::as_str));
    verbs.retain(|verb| !steps.iter().any(|step| step["title"] == *verb));
    assert!(verbs.is_empty(), "no step of the schema has the verb {verbs:?}");
    for step in steps {
        let keys = step["properties"].as_object().expect("keys");
        let required: Vec<&str> = step["required"].as_array().expect("keys").iter().filter_map(Value::as_str).collect();
        let kind = required.last().copied().unwrap_or_default();
        let of = |key: &str| (key.to_owned(), sample(key, &keys[key], kind));
        let least: Map<String, Value> = required.iter().map(|key| of(key)).collect();
        assert!(same(&least), "the reader takes {least:?}");
        for key in &required {
            let mut without = least.clone();
            without.remove(*key);
            same(&without);
        }
        for (key, shape) in all.iter().filter(|(key, _)| !least.contains_key(key)) {
            let mut more = least.clone();
            more.insert(key.clone(), sample(key, keys.get(key).unwrap_or(shape), kind));
            assert!(same(&more) || !keys.contains_key(key), "the reader takes {more:?}");
        }
    }
}
