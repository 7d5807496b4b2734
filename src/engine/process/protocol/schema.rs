//! The schema that is kept is that of the types, and takes what the reader takes.

use std::borrow::Cow;
use std::path::Path;

use jsonschema::Validator;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{Answer, Bytes, Decimal, Request, SCHEMA, Written};

/// What makes the tests write the file and not compare it.
const WRITE: &str = "ABENCH_WRITE_SCHEMA";

impl JsonSchema for Bytes {
    fn schema_name() -> Cow<'static, str> {
        "Bytes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "contentEncoding": "base64",
            "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
            "description": "Bytes, as base64 with padding (RFC 4648, section 4)."
        })
    }
}

impl JsonSchema for Decimal {
    fn schema_name() -> Cow<'static, str> {
        "Decimal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[+-]?[0-9]+$",
            "description": "A whole number of 64 bits with a sign, as decimal text."
        })
    }
}

impl JsonSchema for Written {
    fn schema_name() -> Cow<'static, str> {
        "Written".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[+]?[0-9]+$",
            "description": "A whole number of 64 bits without a sign, as decimal text."
        })
    }
}

/// The schema of the types: a request, or an answer.
fn generated() -> Value {
    let mut answers = SchemaSettings::draft2020_12().into_generator();
    let answer = answers.subschema_for::<Answer>();
    let mut requests = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let request = requests.subschema_for::<Request<'static>>();
    let mut types = requests.take_definitions(true);
    types.extend(answers.take_definitions(true));
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The engine protocol of abench, version 1",
        "description": "One line: a request of abench (it has `do`), or the answer of an engine.",
        "if": { "required": ["do"] },
        "then": request,
        "else": answer,
        "$defs": types,
    });
    on_one_line(&mut schema);
    schema
}

/// Texts without the ends of lines that comments have.
fn on_one_line(schema: &mut Value) {
    match schema {
        Value::Object(keys) => {
            if let Some(Value::String(text)) = keys.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            keys.values_mut().for_each(on_one_line);
        }
        Value::Array(items) => items.iter_mut().for_each(on_one_line),
        _ => {}
    }
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&generated()).expect("it is a schema")
}

#[test]
fn the_schema_that_is_kept_is_that_of_the_types() {
    let text = serde_json::to_string_pretty(&generated()).expect("JSON") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/engine-protocol.schema.json");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &text).expect("the file can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{}: {WRITE}=1 cargo test --lib protocol::schema writes it", path.display());
    assert!(SCHEMA == text, "the schema is embedded when abench is compiled: run the tests again");
}

#[test]
fn every_line_of_the_transcript_is_valid() {
    let page = include_str!("../../../../docs/engine-protocol.md");
    let validator = validator();
    let lines = page.lines().filter_map(|line| line.strip_prefix("> ").or_else(|| line.strip_prefix("< ")));
    let lines: Vec<Value> = lines.filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert!(lines.len() >= 18, "{} lines", lines.len());
    for line in lines {
        let wrong: Vec<String> = validator.iter_errors(&line).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{line}: {wrong:?}");
    }
}

/// Answers, and whether they can be read.
const ANSWERS: &[(&str, bool)] = &[
    (r#"{"n":1}"#, true),
    (r#"{"n":1,"effects":[{"append":"AA=="},{"sync":true},{"replace":""},{"accept":true}]}"#, true),
    (r#"{"n":1,"effects":[{"send":{"to":1,"body":"","request":5,"ids":2,"begins":true}}]}"#, true),
    (r#"{"n":1,"views":["-5",[0,3]],"revision":7,"wake_at":null,"backlog":2,"busy":true}"#, true),
    (r#"{"n":1,"message":"stale"}"#, true),
    (r#"{"n":-1}"#, false),
    (r#"{"n":1,"effect":[]}"#, false),
    (r#"{"n":1,"effects":[{"append":"A"}]}"#, false),
    (r#"{"n":1,"effects":[{"sends":{}}]}"#, false),
    (r#"{"n":1,"effects":[{"send":{"to":1}}]}"#, false),
    (r#"{"n":1,"effects":[{"send":{"to":1,"body":"","when":5}}]}"#, false),
    (r#"{"n":1,"views":[5]}"#, false),
    (r#"{"n":1,"views":["five"]}"#, false),
    (r#"{"n":1,"message":"lost"}"#, false),
    (r#"{"n":1,"engine":{"protocol":1}}"#, false),
];

#[test]
fn the_schema_takes_the_answers_that_the_reader_takes_and_no_others() {
    let validator = validator();
    for (text, is_read) in ANSWERS {
        assert_eq!(serde_json::from_str::<Answer>(text).is_ok(), *is_read, "{text}");
        let value = serde_json::from_str(text).expect("JSON");
        assert_eq!(validator.is_valid(&value), *is_read, "{text}");
    }
}

#[test]
fn a_request_that_abench_would_not_send_is_refused() {
    let validator = validator();
    for text in [r#"{"n":0,"now":0,"wall":0,"do":"stop"}"#, r#"{"n":0,"now":0,"do":"wake"}"#] {
        assert!(!validator.is_valid(&serde_json::from_str(text).expect("JSON")), "{text}");
    }
}
