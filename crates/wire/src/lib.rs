//! Every type that crosses a process border, versioned.
//!
//! Never: I/O, clocks, decisions. Start at [`Snapshot`], the configuration of a pool, [`Invalidation`], an
//! entry of the invalidation log, [`Seq`], a position in it, [`Fleet`], the members of rings, [`Zones`], what a
//! GeoDNS answers for, and [`observers`], what several of them tell each other.

pub mod fleet;
pub mod invalidation;
pub mod observers;
pub mod seq;
pub mod snapshot;
pub mod zones;

pub use fleet::Fleet;
pub use invalidation::{Invalidation, LogPosition};
pub use seq::Seq;
pub use snapshot::{EvictionPolicy, Snapshot};
pub use zones::Zones;
