//! The replica as a whole: what it makes of any stored bytes and of stores that fail, and what it answers to a user and an
//! operator.

mod asked;
mod fragments;
mod late;
mod stored_bytes;
mod unreliable_stores;
