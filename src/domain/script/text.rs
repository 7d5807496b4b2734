//! A script as a short text that can be pasted: steps parted by `+`, a step's keys and values by `:`.
//!
//! It holds no character that a POSIX shell would touch. In names a space is `_`, and every other character but letters,
//! digits, `.` and `-` is a percent sign and two hexadecimal digits for each of its bytes.

use serde_json::{Map, Value};

use crate::domain::script::Step;
use crate::domain::script::keys::written;

/// The text of steps.
pub fn of_steps(steps: &[Step]) -> String {
    let of_step = |step: &Step| {
        let fields = written(step).into_iter().map(|(key, value)| format!("{key}:{}", of_value(&value)));
        fields.collect::<Vec<_>>().join(":")
    };
    steps.iter().map(of_step).collect::<Vec<_>>().join("+")
}

/// A step as people read it, and as a scenario file has it: an inline table.
pub fn line(step: &Step) -> String {
    inline(written(step).iter().map(|(key, value)| (key, value)))
}

fn inline<'a>(fields: impl Iterator<Item = (&'a String, &'a Value)>) -> String {
    let fields: Vec<String> = fields.map(|(key, value)| format!("{key} = {}", toml(value))).collect();
    format!("{{ {} }}", fields.join(", "))
}

/// A value as a scenario file has it. Of plain values JSON writes what TOML reads, but for texts: what a terminal would not show
/// as it is, such as a mark or a change of direction, is written by its number.
pub fn toml(value: &Value) -> String {
    match value {
        Value::Object(table) => inline(table.iter().filter(|(_, value)| !value.is_null())),
        Value::Array(list) => format!("[{}]", list.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::String(text) => quoted(text),
        plain => plain.to_string(),
    }
}

fn quoted(text: &str) -> String {
    let code_point = |code_point: char| match code_point {
        '"' => "\\\"".to_owned(),
        '\'' => "'".to_owned(),
        '\\' | '\n' | '\r' | '\t' => code_point.escape_debug().to_string(),
        _ if code_point.escape_debug().len() == 1 => code_point.to_string(),
        _ => match u32::from(code_point) {
            number @ ..=0xFFFF => format!("\\u{number:04X}"),
            number => format!("\\U{number:08X}"),
        },
    };
    format!("\"{}\"", text.chars().map(code_point).collect::<String>())
}

/// The steps of such a text.
pub fn steps(text: &str) -> Result<Vec<Step>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let step = |(place, text): (usize, &str)| {
        let step = Step::of(table(text).map_err(|reason| format!("step {place}: {reason}"))?);
        step.map_err(|error| format!("step {place}: {error}"))
    };
    text.split('+').enumerate().map(step).collect()
}

/// The keys and values of such a text.
pub fn table(text: &str) -> Result<Map<String, Value>, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let mut table = Map::new();
    for pair in parts.chunks(2) {
        let [key, value] = pair else { return Err(format!("'{text}' has a key without a value")) };
        if table.insert((*key).to_owned(), value_of(value)?).is_some() {
            return Err(format!("'{key}' is there twice"));
        }
    }
    Ok(table)
}

/// The text of such keys and values.
pub fn of_table(table: &Map<String, Value>) -> String {
    let fields: Vec<String> = table.iter().map(|(key, value)| format!("{key}:{}", of_value(value))).collect();
    fields.join(":")
}

fn of_value(value: &Value) -> String {
    match value {
        Value::String(text) => of_name(text),
        other => other.to_string(),
    }
}

/// A name without characters that mean something here or to a shell.
pub fn of_name(name: &str) -> String {
    let mut text = String::new();
    for (place, byte) in name.bytes().enumerate() {
        // A name that begins as a number would be read as one.
        let plain = byte.is_ascii_alphabetic() || place > 0 && (byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
        match byte {
            b' ' if place > 0 => text.push('_'),
            _ if plain => text.push(byte.into()),
            _ => text += &format!("%{byte:02x}"),
        }
    }
    // Nor may it be one of the two words that are no names.
    if name == "true" || name == "false" { format!("%{:02x}{}", name.as_bytes()[0], &name[1..]) } else { text }
}

/// The name of such a text.
pub fn name(text: &str) -> Result<String, String> {
    let refused = || format!("'{text}' is not a name in a case");
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'_' => b' ',
            b'%' => {
                let digits = [rest.next(), rest.next()].map(|digit| (digit.unwrap_or(0) as char).to_digit(16));
                let [Some(high), Some(low)] = digits else { return Err(refused()) };
                (high << 4 | low) as u8
            }
            _ => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| refused())
}

fn value_of(text: &str) -> Result<Value, String> {
    let is_name = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '%');
    match text {
        "true" => Ok(true.into()),
        "false" => Ok(false.into()),
        "" => Ok(Value::String(String::new())),
        _ if is_name => name(text).map(Value::String),
        _ => {
            let whole = text.parse::<i64>().map(Value::from);
            let number = whole.or_else(|_| text.parse::<f64>().map(Value::from));
            number.map_err(|_| format!("'{text}' is neither a number nor a name"))
        }
    }
}
