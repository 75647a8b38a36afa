//! Every type that crosses a process border, versioned.
//!
//! Never: I/O, clocks, decisions. Start at [`Snapshot`], the configuration of a pool, [`Invalidation`], an
//! entry of the invalidation log, [`Seq`], a position in it, and [`Fleet`], the members of rings.

pub mod fleet;
pub mod invalidation;
pub mod seq;
pub mod snapshot;

pub use fleet::Fleet;
pub use invalidation::{Invalidation, LogPosition};
pub use seq::Seq;
pub use snapshot::{EvictionPolicy, Snapshot};
