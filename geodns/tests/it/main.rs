//! The program's parts, over real sockets.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod hostile;
mod maintenance;
mod probes;
mod queries;
mod redirects;
mod reloads;
mod stage;
mod whereabouts;

#[allow(dead_code, reason = "not all kinds of values are needed here")]
#[path = "../../../crates/dns/src/place/tests/mmdb.rs"]
mod mmdb;
