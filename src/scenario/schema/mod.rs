//! The JSON schema of scenario files, for editors and validators.
//!
//! It is generated from the types that read the files, and kept as a file: what generates it is compiled for tests alone.
//!
//! Knows: where the schema is kept. Must not: describe a key; the fields of the types do.

/// The schema, JSON Schema draft 7.
pub const SCHEMA: &str = include_str!("../../../docs/scenario.schema.json");

#[cfg(test)]
mod tests;
