//! The shape of a step of a script: a flat table, of which one key is the verb and says which others there are.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::domain::offline::{FaultKind, Link, MessageKind, WhileFrozen, Workload};
use crate::domain::script::Step;
use crate::domain::script::keys::{AFTER, MOST, VERBS, verb_of};

/// A key of a step: its name, its shape, and whether it may be left out.
type Key = (String, Value, bool);

fn need(name: &str, shape: Value) -> Key {
    (name.to_owned(), shape, true)
}

fn may(name: &str, shape: Value) -> Key {
    (name.to_owned(), shape, false)
}

fn described(mut shape: Value, about: &str) -> Value {
    shape["description"] = about.into();
    shape
}

/// The name of a device, or of all clients.
fn device(about: &str) -> Value {
    json!({ "type": "string", "description": about, "examples": ["client 0", "clients", "hub"] })
}

fn seconds(least: i64, about: &str) -> Value {
    let most = MOST / 1_000_000;
    let least = if least < 0 { json!(-(most as i64)) } else { json!(least) };
    json!({ "type": "number", "minimum": least, "maximum": most, "description": about })
}

fn whole(least: u64, most: u64, about: &str) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most, "description": about })
}

/// A register, by its number or its name.
fn register(about: &str) -> Value {
    let number = json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX });
    json!({ "anyOf": [number, { "type": "string" }], "description": about, "examples": [0, "notes"] })
}

fn step(title: &str, about: &str, keys: Vec<Key>) -> Value {
    let after = may(AFTER, seconds(0, "How long after the step before it this step happens."));
    let keys: Vec<Key> = keys.into_iter().chain([after]).collect();
    let required: Vec<&String> = keys.iter().filter(|(.., needed)| *needed).map(|(name, ..)| name).collect();
    let properties: Map<String, Value> = keys.iter().map(|(name, shape, _)| (name.clone(), shape.clone())).collect();
    json!({
        "title": title,
        "description": about,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// The properties of a table, as keys of a step.
fn keys_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Vec<Key> {
    let table = T::json_schema(generator).to_value();
    let required = table["required"].as_array().cloned().unwrap_or_default();
    let properties = table["properties"].as_object().cloned().unwrap_or_default();
    let of = |(name, shape): (String, Value)| (name.clone(), shape, required.contains(&Value::from(name)));
    properties.into_iter().map(of).collect()
}

/// What happens in a step with this verb.
fn about(verb: &str) -> &'static str {
    VERBS.iter().find(|(known, ..)| *known == verb).map_or("", |(_, _, about)| *about)
}

/// Every step with a verb that is no fault.
fn plain(generator: &mut SchemaGenerator) -> Vec<Value> {
    let client = || device("The client, or clients for all.");
    let from_to = || {
        let named = |about| json!({ "type": "string", "description": about, "examples": ["client 0", "hub"] });
        [need("from", named("The device that sends the message.")), need("to", named("The device that it is sent to."))]
    };
    let number = || whole(1, u32::MAX.into(), "Which message that is sent from now on, counted from 1.");
    let message = |verb: &str, keys: Vec<Key>| {
        step(verb, about(verb), [need(verb, number())].into_iter().chain(from_to()).chain(keys).collect())
    };
    let edit = |key: Key| {
        let register = register(
            "The register, numbered from 0: counters first, then stocks, tags, labels, records, texts, claims and cases. Or its name, \
             where names has one.",
        );
        step("edit", about("edit"), vec![need("edit", client()), need("register", register), key])
    };
    let units = |about| whole(1, u32::MAX.into(), about);
    let transfer = || {
        let to = json!({ "type": "string", "description": "The client that receives the rights.", "examples": ["client 1"] });
        let register = register("The stock, by its number or its name.");
        let units = whole(1, u32::MAX.into(), "How many units the rights are to.");
        let keys = vec![need("edit", client()), need("register", register), need("to", to), need("transfer", units)];
        step("edit", about("edit"), keys)
    };
    let value = |about| whole(0, i64::MAX as u64, about);
    let set = || {
        let register = register("The record, by its number or its name.");
        let field = whole(0, u32::MAX.into(), "Which of its labels, numbered from 0.");
        let keys = vec![
            need("edit", client()),
            need("register", register),
            need("field", field),
            need("set", value("The value that the label holds.")),
        ];
        step("edit", about("edit"), keys)
    };
    let text = |about: &str| json!({ "type": "string", "description": about });
    let types = || {
        let register = register("The text, by its number or its name.");
        let keys = vec![
            need("edit", client()),
            need("register", register),
            need("type", text("What the user types, letter after letter.")),
            may(
                "after",
                text(
                    "The piece of text that it comes right after, at the first place where the device shows it. An empty one is \
                               the beginning, and so is one that is not shown. Without this key, it comes at the end.",
                ),
            ),
        ];
        step("edit", about("edit"), keys)
    };
    let delete = json!({ "type": "boolean", "const": true, "description": "The user deletes the record." });
    let close = json!({ "type": "boolean", "const": true, "description": "The user asks to close the case." });
    let by = json!({ "type": "integer", "not": { "const": 0 }, "description": "How much larger the counter becomes, or smaller." });
    let element = |about| whole(0, u32::MAX.into(), about);
    let until = |condition: &[&str], keys: Vec<Key>| {
        let named = json!({ "type": "string", "enum": condition, "description": "What the next step waits for." });
        let within = may("within_s", seconds(0, "The longest that it waits. Without this key, it is an hour."));
        step("until", about("until"), [need("until", named)].into_iter().chain(keys).chain([within]).collect())
    };
    let with = || need("with", json!({ "type": "string", "description": "The other device." }));
    let node = || need("node", json!({ "type": "string", "description": "One of the two devices." }));
    let messages =
        may("messages", whole(1, u32::MAX.into(), "How many messages it waits for. Without this key, it is one."));
    // An outage is a step of its own.
    let link = keys_of::<Link>(generator).into_iter().filter(|(key, ..)| !key.starts_with("outage"));
    let workload = keys_of::<Workload>(generator);
    vec![
        edit(need("by", by)),
        edit(need("supply", units("How many units the user supplies."))),
        edit(need("take", units("How many units the user takes."))),
        transfer(),
        edit(need("insert", element("The element that the user inserts."))),
        edit(need("remove", element("The element that the user removes."))),
        edit(need("write", value("The value that the user writes."))),
        edit(need(
            "create",
            value("The user creates the record: its labels hold this value and those that follow it."),
        )),
        edit(need("delete", delete)),
        set(),
        edit(need("tag", element("The element that the user inserts into the record's tags."))),
        edit(need("untag", element("The element that the user removes from the record's tags."))),
        types(),
        edit(need(
            "erase",
            text("The piece of text that the user erases, at the first place where the device shows it."),
        )),
        edit(need("claim", value("The value in whose name the user asks for what can be had once."))),
        edit(need("do", element("The item of the case that the user does."))),
        edit(need("close", close)),
        step(
            "connect",
            about("connect"),
            vec![
                need("connect", client()),
                may("over_s", seconds(0, "Each client connects at a random moment within this time.")),
            ],
        ),
        step("disconnect", about("disconnect"), vec![need("disconnect", device("The device, or clients for all."))]),
        message("lose", vec![]),
        message("repeat", vec![need("late_s", seconds(0, "How much later it comes again."))]),
        message("delay", vec![need("by_s", seconds(0, "How much later it comes."))]),
        message(
            "truncate",
            vec![need("bytes", json!({ "type": "integer", "minimum": 0, "description": "How many bytes are left." }))],
        ),
        message(
            "corrupt",
            vec![need("bit", json!({ "type": "integer", "minimum": 0, "description": "Which bit is flipped." }))],
        ),
        step(
            "cut",
            about("cut"),
            vec![
                need("cut", json!({ "type": "string", "description": "One of the two devices." })),
                with(),
                need("for_s", seconds(0, "How long the link is down.")),
            ],
        ),
        step("back_up", about("back_up"), vec![need("back_up", device("The device, or clients for all."))]),
        step(
            "clock",
            about("clock"),
            vec![
                need("clock", client()),
                may("by_s", seconds(-1, "How far the clock is set forward, or back where it is negative.")),
                may(
                    "drift_ppm",
                    json!({
                        "type": "integer", "minimum": i32::MIN, "maximum": i32::MAX, "description": "How much faster the clock goes.",
                    }),
                ),
            ],
        ),
        step(
            "link",
            about("link"),
            [need("link", device("The device, or clients for all."))].into_iter().chain(link).collect(),
        ),
        step(
            "work",
            about("work"),
            [need("work", client()), need("for_s", seconds(0, "How long the user works."))]
                .into_iter()
                .chain(workload)
                .collect(),
        ),
        until(&["quiescent"], vec![]),
        until(&["in sync"], vec![node(), with()]),
        until(&["sent", "received", "taken"], from_to().into_iter().chain([messages]).collect()),
        step(
            "crash",
            "a device loses power within the next thing that it does",
            vec![
                need("crash", device("The device, or clients for all.")),
                need("after_effects", whole(1, u32::MAX.into(), "After how many effects, counted from 1.")),
            ],
        ),
    ]
}

/// The step of a fault. Its keys are those that its kind says, with brackets around what may be left out.
fn fault(kind: FaultKind, generator: &mut SchemaGenerator) -> Value {
    let lasts = kind.lasts() && kind != FaultKind::Outage;
    let mut shape = |name: &str| match name {
        "to" => json!({ "type": "string", "description": "The device that the message is sent to." }),
        "from" => json!({ "type": "string", "description": "The device whose values are shown." }),
        "nth" => whole(1, u32::MAX.into(), "Which message is lost, counted from 1."),
        "for_s" => {
            json!({ "type": "integer", "minimum": u64::from(lasts), "description": "How long it lasts, in whole seconds." })
        }
        "message" => described(
            MessageKind::json_schema(generator).to_value(),
            "Which kind of messages is counted. Without this key, all are.",
        ),
        "messages" => described(
            WhileFrozen::json_schema(generator).to_value(),
            "What becomes of messages to the process. Without this key, they wait.",
        ),
        other => panic!("no shape is known of the key {other} of a fault"),
    };
    let verb = verb_of(kind);
    let mut keys = vec![need(&verb, device("The device, or clients for all."))];
    for key in kind.keys().split(", ").filter(|key| !key.is_empty()) {
        let name = key.trim_matches(['[', ']']);
        keys.push((name.to_owned(), shape(name), name == key));
    }
    step(&verb, kind.about(), keys)
}

impl JsonSchema for Step {
    fn schema_name() -> Cow<'static, str> {
        "Step".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut steps = plain(generator);
        steps.extend(FaultKind::ALL.iter().map(|&kind| fault(kind, generator)));
        let mut pass = step(AFTER, "time passes", vec![]);
        pass["required"] = json!([AFTER]);
        steps.push(pass);
        let about = "One step of a world that is written down. One key is its verb, and names the device or the message that the step \
                     is about.";
        schemars::json_schema!({ "description": about, "anyOf": steps })
    }
}
