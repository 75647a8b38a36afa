//! End-to-end tests in one process: an EdgePool, its edges, a scripted origin, clients; real sockets.

#![allow(clippy::unwrap_used, reason = "all of this is tests")]

mod hits;
mod staleness;
mod storing;
mod support;
mod validation;
