//! The formats of a document, one file each. A format knows how blocks look, and nothing of what they are about.

pub mod grid;
pub mod html;
pub mod markdown;
pub mod text;
