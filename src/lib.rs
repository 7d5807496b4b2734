//! abench
#![allow(missing_docs)]
pub mod domain;
