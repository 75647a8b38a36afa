//! The answers of an authoritative GeoDNS: from the bytes of a query to the bytes of the answer.
//!
//! Never: sockets, clocks, tasks. Start at `Engine`.

pub mod answer;
pub mod fleet;
pub mod health;
pub mod limit;
pub mod packet;
pub mod place;
pub mod quorum;
pub mod steer;
