//! From what the user wrote to what the data plane runs on.
//!
//! [`read`] takes manifests, [`translate`] makes a [`wire::Snapshot`] of each pool and shield and a
//! [`wire::Invalidation`] of each order to invalidate, and [`read_snapshot`] and [`read_fleet`] take
//! a snapshot and a fleet document as a process finds them in files. All are pure: the same input gives the
//! same output, byte for byte. Whatever is wrong becomes a [`Diagnostic`] with file, line and field, all at once, and
//! harms only the resource that it is in. Never: a client, a clock, an await, a panic on bad input.
//!
//! Start at [`translate`]. The way is `read` (text → tree with lines → schema → types), `convert`
//! (types → snapshot), `snapshot` (what every snapshot must fulfil).

mod check;
mod convert;
mod diagnostic;
mod document;
mod fleet;
mod node;
mod path;
mod read;
mod resources;
mod schema;
mod snapshot;
mod translation;
mod typed;
mod zones;

pub use check::BadText;
pub use diagnostic::{Diagnostic, Diagnostics};
pub use fleet::read_fleet;
pub use read::{Source, read};
pub use resources::{Former, Located, Resources};
pub use snapshot::read_snapshot;
pub use translation::{
    Giver, Location, OrderKind, Pop, Routing, TranslatedOrder, TranslatedPool, TranslatedShield,
    Translation, mark, translate, translate_after, translate_all, with_origin, with_origin_behind,
    without_redirects,
};
pub use zones::{Authority, Reached, zones};
