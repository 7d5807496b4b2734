//! The digests of a record, and whether what is read is what was written.
//!
//! A digest shows that a record was edited, cut or merged badly after abench wrote it. It is no signature: whoever edits a
//! record on purpose can compute it again. What a record claims is proved by running it again, with `abench replay`.
//!
//! There are two, since `timing` and `host` differ between runs and the rest does not:
//!
//! - `digest`, over what the record claims: everything apart from `timing`, `host` and itself, and apart from where
//!   waveforms were written. Two runs of the same trial have the same.
//! - `timing.digest`, over `timing` without itself, and `host`: `abench compare` judges these, too.
//!
//! A digest is `sha256:` and 64 hexadecimal digits: SHA-256 of the JSON with sorted keys and without white space. It is
//! made of the text of a file and not of the types, so that a newer abench that knows more fields finds it right, too.
//!
//! Knows: JSON. Must not: know what a record means.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::domain::json;

/// What every digest begins with.
const ALGORITHM: &str = "sha256:";

/// A record that carries digests.
pub trait Sealed: Serialize + Clone {
    /// Where the digest over what it claims is kept.
    fn digest(&mut self) -> &mut Option<String>;

    /// Where the digest over its timing and host is kept, if it has those.
    fn timing_digest(&mut self) -> Option<&mut Option<String>> {
        None
    }
}

/// The record with the digests of what it says.
pub fn sealed<R: Sealed>(record: &R) -> R {
    let value = json::to_value(record).expect("a record holds nothing that JSON cannot");
    let mut record = record.clone();
    *record.digest() = Some(of_claims(&value));
    if let Some(digest) = record.timing_digest() {
        *digest = Some(of_timing(&value));
    }
    record
}

/// Whether a record is as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    /// Every digest is that of what the record says.
    Intact,
    /// What the record claims is not what the digest is of.
    ClaimsAltered,
    /// Its timing or its host is not what their digest is of. What it claims is.
    TimingAltered,
    /// It has no digest: it was made by an abench that wrote none, or the digest was taken out.
    Missing,
}

impl Seal {
    /// Of a record as JSON.
    pub fn of(record: &Value) -> Seal {
        let Some(digest) = record.get("digest").and_then(Value::as_str) else { return Seal::Missing };
        if digest != of_claims(record) {
            return Seal::ClaimsAltered;
        }
        match record.get("timing") {
            None => Seal::Intact,
            Some(timing) => match timing.get("digest").and_then(Value::as_str) {
                Some(digest) if digest == of_timing(record) => Seal::Intact,
                _ => Seal::TimingAltered,
            },
        }
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Seal::Intact => "the record is as abench wrote it",
            Seal::ClaimsAltered => "the record was altered after abench wrote it: its digest is of other contents",
            Seal::TimingAltered => {
                "the timing or the host of the record was altered after abench wrote it: timing.digest is of other contents"
            }
            Seal::Missing => {
                "the record has no digest, so that nothing shows whether it was altered: abench run with --record makes one \
                 that has"
            }
        })
    }
}

/// A record that was read, and whether it is as it was written.
#[derive(Clone, Debug)]
pub struct Opened<R> {
    /// What it says.
    pub record: R,
    /// Whether that is what was written.
    pub seal: Seal,
}

fn of_claims(record: &Value) -> String {
    let mut claims = record.as_object().cloned().unwrap_or_default();
    for apart in ["timing", "host", "digest"] {
        claims.remove(apart);
    }
    // Where waveforms were written is a matter of the command line.
    for waveform in claims.get_mut("waveforms").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::Object(waveform) = waveform {
            waveform.remove("file");
            waveform.remove("unwritten");
        }
    }
    digest(&Value::Object(claims))
}

fn of_timing(record: &Value) -> String {
    let mut timing = record.get("timing").and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
    timing.remove("digest");
    digest(&json!({ "host": record.get("host"), "timing": timing }))
}

/// Objects of `serde_json` keep their keys sorted.
fn digest(value: &Value) -> String {
    let hash = hmac_sha256::Hash::hash(value.to_string().as_bytes());
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{ALGORITHM}{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Serialize)]
    struct Small {
        claim: u32,
        waveforms: Vec<Value>,
        digest: Option<String>,
        timing: SmallTiming,
        host: &'static str,
    }

    #[derive(Clone, Serialize)]
    struct SmallTiming {
        us: u64,
        digest: Option<String>,
    }

    impl Sealed for Small {
        fn digest(&mut self) -> &mut Option<String> {
            &mut self.digest
        }

        fn timing_digest(&mut self) -> Option<&mut Option<String>> {
            Some(&mut self.timing.digest)
        }
    }

    fn written() -> Value {
        let timing = SmallTiming { us: 5, digest: None };
        let small = Small { claim: 1, waveforms: vec![json!({ "file": "a" })], digest: None, timing, host: "one" };
        serde_json::to_value(sealed(&small)).expect("JSON")
    }

    #[test]
    fn the_digest_is_sha_256_of_the_sorted_json() {
        // printf '{"a":[2],"b":1}' | sha256sum
        let expected = "sha256:63c9663de90ee828bbda6cd9acf02d0c653986c1ec25aa239920641edc9a1de5";
        assert_eq!(digest(&json!({ "b": 1, "a": [2] })), expected);
    }

    #[test]
    fn every_edit_is_told_and_where_it_is() {
        assert_eq!(Seal::of(&written()), Seal::Intact);
        let edited = |path: &str, to: Value| {
            let mut record = written();
            *record.pointer_mut(path).expect("it is there") = to;
            Seal::of(&record)
        };
        assert_eq!(edited("/claim", 2.into()), Seal::ClaimsAltered);
        assert_eq!(edited("/digest", "sha256:00".into()), Seal::ClaimsAltered);
        assert_eq!(edited("/digest", Value::Null), Seal::Missing);
        assert_eq!(edited("/timing/us", 6.into()), Seal::TimingAltered);
        assert_eq!(edited("/timing/digest", Value::Null), Seal::TimingAltered);
        assert_eq!(edited("/host", "other".into()), Seal::TimingAltered);
        assert_eq!(edited("/waveforms/0/file", "b".into()), Seal::Intact);
        let mut more = written();
        more["another"] = 1.into();
        assert_eq!(Seal::of(&more), Seal::ClaimsAltered);
    }
}
