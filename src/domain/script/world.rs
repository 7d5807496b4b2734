//! A world that is written down, as short texts: its keys and its steps. A key that has its default is left out.

use serde_json::{Map, Value, json};

use crate::domain::data::Intent;
use crate::domain::execution::Execution;
use crate::domain::json;
use crate::domain::offline::OfflineTrial;
use crate::domain::script::{Action, Step, text};
use crate::domain::seed::Seed;

/// Keys that the text of a world has no place for: they stand elsewhere in a case, or belong to a run.
const ELSEWHERE: [&str; 7] = ["seed", "steps", "engines", "mutants", "more_worlds", "reduce", "memory_mib"];

/// How deep tables are in each other, at most.
const DEEPEST: usize = 4;

/// The keys of a world that do not have their default.
pub fn keys(trial: &OfflineTrial) -> Map<String, Value> {
    let written = json::to_value(trial).expect("a trial is plain keys");
    let defaults = json::to_value(&OfflineTrial::of(trial.seed, 0)).expect("a trial is plain keys");
    match difference(&written, &defaults) {
        Some(Value::Object(mut keys)) => {
            ELSEWHERE.iter().for_each(|key| drop(keys.remove(*key)));
            keys
        }
        _ => Map::new(),
    }
}

/// The parts of a value that differ from another value; nothing if both are the same.
fn difference(value: &Value, other: &Value) -> Option<Value> {
    match (value, other) {
        _ if value == other => None,
        (Value::Object(value), Value::Object(other)) => {
            let of = |(key, value): (&String, &Value)| {
                Some((key.clone(), difference(value, other.get(key).unwrap_or(&Value::Null))?))
            };
            Some(Value::Object(value.iter().filter_map(of).collect()))
        }
        _ => Some(value.clone()),
    }
}

/// The text of a world's keys, without its seed and its steps.
pub fn of_keys(trial: &OfflineTrial) -> String {
    let mut flat = Map::new();
    keys(trial).iter().for_each(|(key, value)| flatten(key.clone(), value, &mut flat));
    text::of_table(&flat)
}

fn flatten(path: String, value: &Value, flat: &mut Map<String, Value>) {
    match value {
        Value::Null => {}
        Value::Object(table) => table.iter().for_each(|(key, value)| flatten(format!("{path}.{key}"), value, flat)),
        Value::Array(list) => {
            (0..).zip(list).for_each(|(place, value)| flatten(format!("{path}.{place}"), value, flat))
        }
        _ => drop(flat.insert(path, value.clone())),
    }
}

/// The world of these texts. Whether it can be is for the door to say.
///
/// # Errors
/// Which of the two texts is wrong, `world` or `steps`, and why.
pub fn world(seed: Seed, keys: &str, steps: &str) -> Result<OfflineTrial, (&'static str, String)> {
    let of_keys = |reason: String| ("world", reason);
    let mut nested = Value::Object(Map::new());
    for (path, value) in text::table(keys).map_err(of_keys)? {
        let parts: Vec<&str> = path.split('.').collect();
        if ELSEWHERE.contains(&parts[0]) || parts.len() > DEEPEST {
            return Err(of_keys(format!("'{}' is not a key of a world in a case", path.escape_debug())));
        }
        let mut place = &mut nested;
        for part in parts {
            let Value::Object(table) = place else {
                return Err(of_keys(format!("'{}' is given as a value and as a table", path.escape_debug())));
            };
            place = table.entry(part).or_insert_with(|| Value::Object(Map::new()));
        }
        *place = value;
    }
    let mut nested = listed(nested);
    for edge in nested.get_mut("edges").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(edge) = edge.as_object_mut() {
            edge.entry("clients").or_insert_with(|| json!([]));
        }
    }
    nested["seed"] = json!(seed);
    let mut trial: OfflineTrial = json::from_value(nested).map_err(|error| of_keys(error.to_string()))?;
    trial.steps = text::steps(steps).map_err(|reason| ("steps", reason))?;
    if trial.steps.is_empty() {
        return Err(("steps", "a script needs at least one step".to_owned()));
    }
    Ok(trial)
}

/// Tables whose keys are 0, 1, 2 and so on are lists.
fn listed(value: Value) -> Value {
    let Value::Object(table) = value else { return value };
    let table: Map<String, Value> = table.into_iter().map(|(key, value)| (key, listed(value))).collect();
    let list: Option<Vec<Value>> = (0..table.len()).map(|place| table.get(&place.to_string()).cloned()).collect();
    match list {
        Some(list) if !list.is_empty() => Value::Array(list),
        _ => Value::Object(table),
    }
}

/// The world that an execution is, written down; nothing where it is of no world.
pub fn written_down(execution: &Execution) -> Option<OfflineTrial> {
    let (trial, intents) = match execution {
        Execution::Script(trial) => return Some((**trial).clone()),
        Execution::Edits { start, clients } => {
            let intents: Vec<Vec<Intent>> = clients
                .iter()
                .map(|amounts| amounts.iter().map(|&amount| Intent::Increase(amount)).collect())
                .collect();
            (json!({ "registers": 1, "start": start }), intents)
        }
        Execution::Tags { clients } => {
            let intents: Vec<Vec<Intent>> =
                clients.iter().map(|tags| tags.iter().map(|&element| Intent::Insert(element)).collect()).collect();
            (json!({ "registers": 0, "tags": { "registers": 1, "elements": u64::BITS } }), intents)
        }
        _ => return None,
    };
    let mut trial = trial;
    (trial["seed"], trial["clients"]) = (json!(Seed::new(0)), json!(intents.len()));
    let mut trial: OfflineTrial = json::from_value(trial).expect("nothing else of a world need be given");
    for (client, intents) in intents.into_iter().enumerate() {
        for (place, intent) in intents.into_iter().enumerate() {
            let action = Action::Edit { node: format!("client {client}"), register: 0, intent };
            trial.steps.push(Step { after: if client > 0 && place == 0 { 1000 } else { 0 }, action });
        }
    }
    Some(trial)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survives(trial: &OfflineTrial) {
        let again = world(trial.seed, &of_keys(trial), &text::of_steps(&trial.steps));
        assert_eq!(again.as_ref(), Ok(trial), "{}", of_keys(trial));
    }

    #[test]
    fn a_world_that_is_made_in_code_has_the_defaults_of_a_scenario() {
        let read: OfflineTrial = toml::from_str("seed = '0x51'\nclients = 3\n").expect("nothing else must be given");
        assert_eq!(OfflineTrial::of(Seed::new(0x51), 3), read);
    }

    #[test]
    fn a_world_with_edges_links_tags_and_bounds_survives_its_text() {
        let keys = "clients:3:registers:7:start:-4:tags.registers:2:tags.elements:5:edges.0.name:north_1:edges.0.clients.0:2\
                    :edges.1.name:%30x:edges.1.parent:hub:link.latency_ms:150:journal.retain:0:load.messages:30:staleness_s:60";
        let trial = world(Seed::new(7), keys, "edit:client_0:register:0:by:1+after_s:5").expect("a world");
        assert_eq!((trial.edges[0].name.as_str(), &trial.edges[0].clients[..]), ("north 1", &[2][..]));
        assert_eq!((trial.edges[1].clients.len(), trial.edges[1].parent.as_deref()), (0, Some("hub")));
        assert_eq!((trial.link.latency_ms, trial.journal.retain, trial.load.messages), (150, 0, Some(30)));
        survives(&trial);
        let without_hub = world(Seed::new(7), "clients:2:hub:false", "connect:client_0").expect("a world");
        assert!(!without_hub.hub);
        survives(&without_hub);
    }

    #[test]
    fn texts_that_are_no_world_say_which_is_wrong_and_why() {
        let refused = |keys: &str, steps: &str| world(Seed::new(7), keys, steps).expect_err(keys);
        assert_eq!(refused("clients:1", ""), ("steps", "a script needs at least one step".to_owned()));
        assert!(refused("clients:1", "jump:client_0").1.contains("no step has this name"));
        assert_eq!(refused("registers:1", "after_s:1"), ("world", "missing field `clients`".to_owned()));
        assert!(refused("clients:1:spare:3", "after_s:1").1.contains("unknown field `spare`"));
        assert!(refused("clients:1:clients.3:3", "after_s:1").1.contains("is given as a value and as a table"));
        assert!(refused("clients:1:seed:3", "after_s:1").1.contains("is not a key of a world in a case"));
        assert!(refused("clients:1:a.b.c.d.e:3", "after_s:1").1.contains("is not a key of a world in a case"));
    }

    #[test]
    fn edits_of_clients_that_are_away_are_steps() {
        let edits = Execution::Edits { start: 5, clients: vec![vec![1, 2], vec![-1]] };
        let trial = written_down(&edits).expect("a world");
        assert_eq!((trial.impossible(), trial.start, trial.clients, trial.steps.len()), (None, 5, 2, 3));
        let tags = written_down(&Execution::Tags { clients: vec![vec![0], vec![1]] }).expect("a world");
        assert_eq!((tags.impossible(), tags.fields().len()), (None, 1));
    }
}
