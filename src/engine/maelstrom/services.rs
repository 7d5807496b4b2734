//! The key-value services that Maelstrom offers to nodes: `lin-kv`, `seq-kv` and `lww-kv`.
//!
//! Knows: keys and values. Must not: know how a request comes to them, or what a node makes of an answer.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::domain::seed::Stream;
use crate::engine::maelstrom::message::{Body, ErrorCode, body, error, kind};

/// The states of `seq-kv` that are kept: a client may read one that is this old.
const KEPT: usize = 32;

/// The replicas of `lww-kv`.
const REPLICAS: usize = 3;

/// All three.
pub struct Services {
    lin: BTreeMap<String, Value>,
    /// States of `seq-kv`, the newest last; the number of the first; and by client the number of the state that it saw last.
    states: VecDeque<BTreeMap<String, Value>>,
    first: u64,
    seen: BTreeMap<String, u64>,
    /// By replica of `lww-kv`, each value with the time of its write.
    replicas: [BTreeMap<String, (u64, Value)>; REPLICAS],
    writes: u64,
    random: Stream,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Services")
    }
}

/// Whether this is the name of a service.
pub fn is_service(name: &str) -> bool {
    ["lin-kv", "seq-kv", "lww-kv"].contains(&name)
}

impl Services {
    /// Without a key. What a service may choose, it draws.
    pub fn new(random: Stream) -> Self {
        let replicas = [const { BTreeMap::new() }; REPLICAS];
        Services {
            lin: BTreeMap::new(),
            states: [BTreeMap::new()].into(),
            first: 0,
            seen: BTreeMap::new(),
            replicas,
            writes: 0,
            random,
        }
    }

    /// What a service answers a client.
    pub fn ask(&mut self, service: &str, client: &str, request: &Body) -> Body {
        match service {
            "seq-kv" => self.sequential(client, request),
            "lww-kv" => self.last_writer(request),
            _ => apply(&mut self.lin, request),
        }
    }

    /// Sequentially consistent: all clients see the same states in the same order, and none goes back. Who reads sees any
    /// state from the one that it saw last to the newest. Who writes sees the newest, which consistency does not demand:
    /// Maelstrom's own service may let a write meet an older state.
    fn sequential(&mut self, client: &str, request: &Body) -> Body {
        let newest = self.first + self.states.len() as u64 - 1;
        let seen = self.seen.entry(client.to_owned()).or_insert(0);
        let oldest = (*seen).max(self.first);
        if kind(request) == "read" {
            *seen = oldest + self.random.below(newest - oldest + 1);
            return apply(&mut self.states[(*seen - self.first) as usize], request);
        }
        let mut next = self.states.back().cloned().unwrap_or_default();
        let answer = apply(&mut next, request);
        *seen = newest;
        if self.states.back() != Some(&next) {
            self.states.push_back(next);
            *seen = newest + 1;
            if self.states.len() > KEPT {
                self.states.pop_front();
                self.first += 1;
            }
        }
        answer
    }

    /// Eventually consistent: a request meets any replica, and of two writes the later wins when replicas meet.
    fn last_writer(&mut self, request: &Body) -> Body {
        let [from, to, at] = [(); 3].map(|()| self.random.below(REPLICAS as u64) as usize);
        for (key, (time, value)) in self.replicas[from].clone() {
            let kept = self.replicas[to].get(&key).is_some_and(|(kept, _)| *kept >= time);
            if !kept {
                self.replicas[to].insert(key, (time, value));
            }
        }
        let replica = &mut self.replicas[at];
        let before: BTreeMap<String, Value> =
            replica.iter().map(|(key, (_, value))| (key.clone(), value.clone())).collect();
        let mut after = before.clone();
        let answer = apply(&mut after, request);
        self.writes += 1;
        for (key, value) in after {
            if before.get(&key) != Some(&value) {
                replica.insert(key, (self.writes, value));
            }
        }
        answer
    }
}

/// What a map answers.
fn apply(map: &mut BTreeMap<String, Value>, request: &Body) -> Body {
    let Some(key) = request.get("key") else {
        return error(ErrorCode::MalformedRequest, "the request has no key");
    };
    let missing = || error(ErrorCode::KeyDoesNotExist, "there is no such key");
    let value = |name: &str| request.get(name).cloned().unwrap_or(Value::Null);
    let name = key.to_string();
    match kind(request) {
        "read" => map.get(&name).map_or_else(missing, |value| body("read_ok", json!({ "value": value }))),
        "write" => {
            map.insert(name, value("value"));
            body("write_ok", json!({}))
        }
        "cas" => {
            let may_create = request.get("create_if_not_exists") == Some(&Value::Bool(true));
            match map.get(&name) {
                None if !may_create => missing(),
                Some(is) if *is != value("from") => {
                    error(ErrorCode::PreconditionFailed, format!("expected {}, but it is {is}", value("from")))
                }
                _ => {
                    map.insert(name, value("to"));
                    body("cas_ok", json!({}))
                }
            }
        }
        other => error(ErrorCode::NotSupported, format!("this service does not know '{other}'")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::seed::Seed;

    fn asked(services: &mut Services, service: &str, client: &str, of: &str, keys: Value) -> Body {
        services.ask(service, client, &body(of, keys))
    }

    fn services() -> Services {
        Services::new(Seed::new(5).stream("services"))
    }

    #[test]
    fn lin_kv_reads_what_was_written_last_and_compares_before_it_sets() {
        let mut kv = services();
        let mut ask = |of: &str, keys| asked(&mut kv, "lin-kv", "n0", of, keys);
        assert_eq!(told_code(&ask("read", json!({ "key": "x" }))), Some(20));
        assert_eq!(told_code(&ask("cas", json!({ "key": "x", "from": 0, "to": 1 }))), Some(20));
        let created = ask("cas", json!({ "key": "x", "from": 0, "to": 1, "create_if_not_exists": true }));
        assert_eq!(kind(&created), "cas_ok");
        assert_eq!(told_code(&ask("cas", json!({ "key": "x", "from": 0, "to": 2 }))), Some(22));
        assert_eq!(kind(&ask("write", json!({ "key": "x", "value": [7] }))), "write_ok");
        assert_eq!(ask("read", json!({ "key": "x" }))["value"], json!([7]));
        assert_eq!(told_code(&ask("delete", json!({ "key": "x" }))), Some(10));
        assert_eq!(told_code(&ask("read", json!({}))), Some(12));
    }

    #[test]
    fn seq_kv_may_answer_with_an_older_state_and_never_goes_back_for_one_client() {
        let mut kv = services();
        let (mut late, mut last) = (0, 0);
        for number in 1..200u64 {
            asked(&mut kv, "seq-kv", "n0", "write", json!({ "key": "x", "value": number }));
            assert_eq!(asked(&mut kv, "seq-kv", "n0", "read", json!({ "key": "x" }))["value"], json!(number));
            let read = asked(&mut kv, "seq-kv", "n1", "read", json!({ "key": "x" }));
            let seen = read.get("value").and_then(Value::as_u64).unwrap_or(0);
            assert!(seen >= last && seen <= number);
            late += u32::from(seen < number);
            last = seen;
        }
        assert!(late > 50, "{late}");
        asked(&mut kv, "seq-kv", "n1", "write", json!({ "key": "y", "value": 0 }));
        let fresh = asked(&mut kv, "seq-kv", "n1", "read", json!({ "key": "x" }));
        assert_eq!(fresh["value"], json!(199), "who writes sees the newest state");
    }

    #[test]
    fn lww_kv_forgets_a_write_for_a_time_and_agrees_in_the_end() {
        let mut kv = services();
        asked(&mut kv, "lww-kv", "n0", "write", json!({ "key": "x", "value": 1 }));
        let mut read = || asked(&mut kv, "lww-kv", "n1", "read", json!({ "key": "x" })).get("value").cloned();
        let early: Vec<_> = (0..4).map(|_| read()).collect();
        assert!(early.contains(&None), "{early:?}");
        (0..100).for_each(|_| drop(read()));
        assert!((0..20).all(|_| read() == Some(json!(1))));
    }

    fn told_code(body: &Body) -> Option<u64> {
        body.get("code").and_then(Value::as_u64)
    }
}
