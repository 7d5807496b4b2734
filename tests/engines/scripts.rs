//! The scripts of `adapters/libraries`.
