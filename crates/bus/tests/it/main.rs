//! The log against its contract, in memory and in a real Redis.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod embedded;
mod observing;
mod redis_access;
mod redis_contract;
mod redis_faults;
mod server;
mod simulation;
