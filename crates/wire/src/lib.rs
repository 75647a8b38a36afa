//! Every type that crosses a process border, versioned.
//!
//! Never: I/O, clocks, decisions. Start at [`Snapshot`], the configuration of a pool, [`Invalidation`], an
//! entry of the invalidation log, and [`Seq`], a position in it.

pub mod invalidation;
pub mod seq;
pub mod snapshot;

pub use invalidation::{Invalidation, LogPosition};
pub use seq::Seq;
pub use snapshot::{EvictionPolicy, Snapshot};
