//! What a user and an operator ask.
