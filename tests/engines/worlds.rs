//! Every mapping in whole worlds.
