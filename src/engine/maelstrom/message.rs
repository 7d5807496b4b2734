//! Maelstrom's messages: one JSON object a line, with a source, a destination and a body.
//!
//! The protocol is described at <https://github.com/jepsen-io/maelstrom/blob/main/doc/protocol.md>. Knows: its words. Must not: know
//! what a message does to a node.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// A body of a message.
pub type Body = Map<String, Value>;

/// A message that came, with its body as it was written.
#[derive(Debug, Deserialize)]
pub struct Envelope<'a> {
    /// Who sent it.
    pub src: String,
    /// To whom.
    pub dest: String,
    #[serde(borrow)]
    body: &'a RawValue,
}

impl<'a> Envelope<'a> {
    /// Reads a line.
    pub fn read(line: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(line)
    }

    /// Reads its body.
    pub fn body(&self) -> Result<Body, serde_json::Error> {
        serde_json::from_str(self.body.get())
    }
}

#[derive(Serialize)]
struct Written<'a> {
    src: &'a str,
    dest: &'a str,
    body: &'a Body,
}

/// The line of a message, without its end.
pub fn line(src: &str, dest: &str, body: &Body) -> Vec<u8> {
    serde_json::to_vec(&Written { src, dest, body }).expect("a message is plain data")
}

/// A body of this type with these keys.
pub fn body(of: &str, keys: Value) -> Body {
    let mut body = match keys {
        Value::Object(body) => body,
        _ => Body::new(),
    };
    body.insert("type".to_owned(), of.into());
    body
}

/// The type of a body; empty if it has none.
pub fn kind(body: &Body) -> &str {
    body.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// An error, as an answer. The codes are Maelstrom's.
pub fn error(code: ErrorCode, text: impl Into<String>) -> Body {
    body("error", json!({ "code": code as u64, "text": text.into() }))
}

/// What became of a request that was answered with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    NotSupported = 10,
    MalformedRequest = 12,
    Crash = 13,
    KeyDoesNotExist = 20,
    PreconditionFailed = 22,
}

/// Whether a request that was answered with this code has certainly not been done. Codes from 1000 on are a node's own, and
/// say nothing.
pub fn is_definite(code: u64) -> bool {
    matches!(code, 1 | 10 | 11 | 12 | 14 | 20 | 21 | 22 | 30)
}

/// The code and the text of an error.
pub fn told(body: &Body) -> (u64, String) {
    let code = body.get("code").and_then(Value::as_u64).unwrap_or(ErrorCode::Crash as u64);
    let text = body.get("text").and_then(Value::as_str).unwrap_or_default();
    (code, text.to_owned())
}
