//! A small Maelstrom node without crates: a g-counter in a service. The node adds to one key by compare and set, and tries again
//! where another was faster.
//!
//! usage: node SERVICE [writes]: with `writes` it writes what it read plus the amount, and compares nothing, so that of two adds
//! at the same time one is lost.

use std::collections::HashMap;
use std::io::{BufRead, Write};

/// What a service is to answer.
#[derive(Clone)]
enum Wanted {
    /// The value, to add so much to it for this client.
    Sum { client: String, id: u64, delta: u64 },
    /// Whether what was read is set to the sum.
    Set { client: String, id: u64, delta: u64 },
    /// The value, for this client. It is asked again with a write where a state may be old.
    Value { client: String, id: u64 },
}

/// A whole number after a key, in the JSON of one line: enough for messages without text of others.
fn number(line: &str, key: &str) -> Option<u64> {
    let rest = line.split_once(&format!("\"{key}\":"))?.1.trim_start();
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

fn text<'a>(line: &'a str, key: &str) -> &'a str {
    let rest = line.split_once(&format!("\"{key}\":")).map_or("", |(_, rest)| rest.trim_start());
    rest.trim_start_matches('"').split('"').next().unwrap_or("")
}

struct Node {
    name: String,
    service: String,
    writes: bool,
    next: u64,
    wanted: HashMap<u64, Wanted>,
    /// For writes of its own that only bring it up to date.
    fresh: u64,
}

impl Node {
    fn send(&self, dest: &str, body: &str) {
        let line = format!("{{\"src\":\"{}\",\"dest\":\"{dest}\",\"body\":{{{body}}}}}\n", self.name);
        let mut out = std::io::stdout().lock();
        out.write_all(line.as_bytes()).and_then(|()| out.flush()).expect("standard output");
    }

    fn ask(&mut self, body: &str, wanted: Wanted) {
        self.next += 1;
        self.wanted.insert(self.next, wanted);
        let service = self.service.clone();
        self.send(&service, &format!("{body},\"msg_id\":{}", self.next));
    }

    /// After a write of its own, no state is too old.
    fn read(&mut self, wanted: Wanted) {
        self.next += 1;
        self.fresh += 1;
        let (service, write) = (self.service.clone(), format!("\"key\":\"{}\",\"value\":{}", self.name, self.fresh));
        self.send(&service, &format!("\"type\":\"write\",{write},\"msg_id\":{}", self.next));
        self.ask("\"type\":\"read\",\"key\":\"sum\"", wanted);
    }

    fn answer(&self, client: &str, id: u64, body: &str) {
        self.send(client, &format!("{body},\"in_reply_to\":{id}"));
    }

    fn service_says(&mut self, line: &str, kind: &str) {
        let Some(wanted) = number(line, "in_reply_to").and_then(|id| self.wanted.remove(&id)) else { return };
        let value = if kind == "read_ok" { number(line, "value").unwrap_or(0) } else { 0 };
        match wanted {
            Wanted::Value { client, id } => self.answer(&client, id, &format!("\"type\":\"read_ok\",\"value\":{value}")),
            Wanted::Sum { client, id, delta } if self.writes => {
                let body = format!("\"type\":\"write\",\"key\":\"sum\",\"value\":{}", value + delta);
                self.ask(&body, Wanted::Set { client, id, delta });
            }
            Wanted::Sum { client, id, delta } => {
                let body = format!(
                    "\"type\":\"cas\",\"key\":\"sum\",\"from\":{value},\"to\":{},\"create_if_not_exists\":true",
                    value + delta
                );
                self.ask(&body, Wanted::Set { client, id, delta });
            }
            Wanted::Set { client, id, delta } if kind == "error" => self.read(Wanted::Sum { client, id, delta }),
            Wanted::Set { client, id, .. } => self.answer(&client, id, "\"type\":\"add_ok\""),
        }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (service, how) = (arguments.next().expect("a service"), arguments.next());
    let writes = how.as_deref() == Some("writes");
    let mut node = Node { name: String::new(), service, writes, next: 0, wanted: HashMap::new(), fresh: 0 };
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("standard input");
        let (client, kind) = (text(&line, "src").to_owned(), text(&line, "type").to_owned());
        let id = number(&line, "msg_id").unwrap_or(0);
        match &*kind {
            "init" => {
                node.name = text(&line, "node_id").to_owned();
                node.answer(&client, id, "\"type\":\"init_ok\"");
            }
            "add" => {
                let delta = number(&line, "delta").expect("a g-counter only grows");
                node.read(Wanted::Sum { client, id, delta });
            }
            "read" => node.read(Wanted::Value { client, id }),
            _ => node.service_says(&line, &kind),
        }
    }
}
