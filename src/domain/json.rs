//! Plain data as JSON and back. Whatever a text is read from or written to, the code of a type is compiled once: what reads
//! and writes is a trait object.
//!
//! Knows: JSON. Must not: know what the data mean.

use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::value::RawValue;
use serde_json::{Error, Result, Value};

/// What this text holds.
///
/// # Errors
/// If the text is no JSON, or the JSON of something else; with the line and the column.
pub fn from_text<T: DeserializeOwned>(text: &str) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = read(&mut <dyn erased_serde::Deserializer>::erase(&mut reader))?;
    reader.end()?;
    Ok(read)
}

/// What this value holds.
///
/// # Errors
/// If it is the value of something else.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T> {
    read(&mut <dyn erased_serde::Deserializer>::erase(value))
}

fn read<T: DeserializeOwned>(reader: &mut dyn erased_serde::Deserializer<'_>) -> Result<T> {
    // The message of an error ends with its place, which is taken from there.
    erased_serde::deserialize(reader).map_err(Error::custom)
}

/// Data as one line.
///
/// # Errors
/// If JSON cannot hold the data.
pub fn to_line(data: &impl Serialize) -> Result<String> {
    serde_json::to_string(data as &dyn erased_serde::Serialize)
}

/// Data as a part of another text.
///
/// # Errors
/// If JSON cannot hold the data.
pub fn to_raw(data: &impl Serialize) -> Result<Box<RawValue>> {
    serde_json::value::to_raw_value(data as &dyn erased_serde::Serialize)
}

/// Data as text for people, without an end of line.
///
/// # Errors
/// If JSON cannot hold the data.
pub fn to_text(data: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(data as &dyn erased_serde::Serialize)
}

/// Data as a value.
///
/// # Errors
/// If JSON cannot hold the data.
pub fn to_value(data: &impl Serialize) -> Result<Value> {
    serde_json::to_value(data as &dyn erased_serde::Serialize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Pair {
        first: u64,
        #[serde(default)]
        second: Option<i64>,
    }

    #[test]
    fn data_come_back_as_they_were_whatever_form_they_took() {
        let pair = Pair { first: u64::MAX, second: Some(-7) };
        let value = to_value(&pair).expect("a value");
        let texts =
            [to_line(&pair), to_text(&pair), to_raw(&pair).map(|raw| raw.get().to_owned()), Ok(value.to_string())];
        for text in texts {
            assert_eq!(from_text::<Pair>(&text.expect("a text")).expect("a pair"), pair);
        }
        assert_eq!(from_value::<Pair>(value).expect("a pair"), pair);
    }

    #[test]
    fn an_error_is_told_in_the_words_and_with_the_place_that_it_has_without_trait_objects() {
        for text in ["{\"first\":1,\n \"third\":2}", "{\"first\":\"x\"}", "{\"first\":1", "[1,", "{\"first\":1} 2", ""]
        {
            let error = from_text::<Pair>(text).expect_err(text);
            let plain = serde_json::from_str::<Pair>(text).expect_err(text);
            assert_eq!(
                (error.to_string(), error.line(), error.column()),
                (plain.to_string(), plain.line(), plain.column())
            );
        }
        let (value, same) = (serde_json::json!({ "third": 1 }), serde_json::json!({ "third": 1 }));
        let plain = serde_json::from_value::<Pair>(same).expect_err("no pair").to_string();
        assert_eq!(from_value::<Pair>(value).expect_err("no pair").to_string(), plain);
    }
}
