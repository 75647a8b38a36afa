//! Every type that crosses a process border, versioned.
//!
//! Never: I/O, clocks, decisions. Start at [`Snapshot`], the configuration of a pool, and [`Seq`], the
//! position in the invalidation log.

pub mod seq;
pub mod snapshot;

pub use seq::Seq;
pub use snapshot::{EvictionPolicy, Snapshot};
