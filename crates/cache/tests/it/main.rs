//! The store from outside, one theme a file.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

mod bodies;
mod churn;
mod collapsing;
mod eviction;
mod invalidating;
mod limits;
mod orders;
mod overtaken;
mod races;
mod threads;
mod variants;
