//! The shapes of values that have a reader of their own.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::domain::algebra::{Named, REGISTRY};
use crate::domain::bandwidth::units::{Duration, Price, Rate, Share};
use crate::domain::explorer::ExplorerSpec;
use crate::domain::hex::Hex64;
use crate::domain::trial::{BankCount, Budget, Count, MemoryMib, Tries};

/// A decimal number without a sign, as units of a bandwidth report have it.
const DECIMAL: &str = r"[0-9]+(\.[0-9]{1,6})?";

macro_rules! shapes {
    ($($type:ty = $name:literal: $shape:tt,)*) => {
        $(impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($shape)
            }
        })*
    };
}

shapes! {
    Count = "Count": { "type": "integer", "minimum": 1, "maximum": u32::MAX },
    Tries = "Tries": { "type": "integer", "minimum": 1, "maximum": Tries::MOST },
    MemoryMib = "MemoryMib": { "type": "integer", "minimum": 1 },
    Budget = "Budget": {
        "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string", "pattern": "^[0-9]+s?$" }],
        "examples": [16_777_216, "10s"],
    },
    Hex64 = "Hex64": {
        "type": "string",
        "pattern": "^(0[xX])?0*[0-9a-fA-F]{1,16}$",
        "examples": ["0xDEADBEEF0BADF00D"],
    },
    ExplorerSpec = "ExplorerSpec": { "type": "string", "pattern": "^[A-Za-z]", "examples": ["auto", "covering:3"] },
    BankCount = "BankCount": { "type": "string", "pattern": "^([1-9]|[12][0-9]|3[0-2])$" },
    Share = "Share": {
        "anyOf": [
            { "type": "number", "exclusiveMinimum": 0, "maximum": 1 },
            {
                "type": "string",
                "pattern": "^(?![0.]*( *%)?$)((0*1(\\.0{1,6})?|0+(\\.[0-9]{1,6})?)|(0*100(\\.0{1,6})?|0*[0-9]{1,2}(\\.[0-9]{1,4}0{0,2})?) *%)$",
            },
        ],
        "examples": ["2%", 0.02],
    },
    Rate = "Rate": {
        "anyOf": [
            { "type": "number", "minimum": 0.01, "maximum": 1440 },
            { "type": "string", "pattern": format!("^{DECIMAL}$") },
        ],
        "examples": [6, 0.2],
    },
    Price = "Price": {
        "anyOf": [
            { "type": "number", "minimum": 0, "maximum": 1_000_000 },
            { "type": "string", "pattern": format!("^{DECIMAL}$") },
        ],
        "examples": [0.05],
    },
    Duration = "Duration": { "type": "string", "pattern": "^[0-9]+[smhd]$", "examples": ["90s", "20m", "4h", "3d"] },
}

impl JsonSchema for Named {
    fn schema_name() -> Cow<'static, str> {
        "Algebra".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let of = |name: &str, about: &str| json_schema!({ "type": "string", "const": name, "description": about });
        json_schema!({ "oneOf": REGISTRY.iter().map(|entry| of(entry.name, entry.about)).collect::<Vec<_>>() })
    }
}
