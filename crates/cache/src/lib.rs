//! The store of an edge or a shield: index, variants, eviction, request collapsing, and bodies that
//! are read while they are written.
//!
//! What it never does: read a clock (`now` is an argument), speak HTTP to anybody, spawn a task or a
//! thread, poll. Whether a response may be stored or used is decided in `semantics`; this crate keeps
//! what it is given within a bound in bytes and hands it out again.
//!
//! Where to start: [`Cache::lookup`] is the one question asked of the store, [`Lookup`] its answers.
//! An [`Obligation`] is the right and duty to fill one key and variant, a [`Waiter`] a place in the
//! queue behind somebody else's, a [`Fill`] a response on its way in, an [`Object`] one that is (or
//! is becoming) stored, a [`Body`] its bytes. The eviction algorithms are in `eviction/`.
//!
//! Lock order: a shard of the index, then the evictor; bodies and flights are leaves. Nothing is
//! held across an await.

mod accounts;
mod arena;
mod body;
mod cache;
mod eviction;
mod fill;
mod flight;
mod index;
mod invalidation;
mod lookup;
mod mark;
mod object;
mod obligation;
mod settings;
mod slab;
mod stats;
mod tags;

pub use arena::{Backing, backing};
pub use body::{Body, BodyReader, BodyWriter, CHUNK, Derived, Truncated};
pub use cache::{Cache, Cursor, EntryInfo, Invalidate, Sweep, Swept, VariantInfo};
pub use fill::{Fill, Progress};
pub use flight::{Failure, Outcome, Waiter};
pub use invalidation::{Applied, BadOrder, BanInfo, Counted, Keys, Order, Position};
pub use lookup::{Found, Going, Lookup, Query};
pub use object::{NewHead, NewObject, Object};
pub use obligation::Obligation;
pub use settings::Settings;
pub use stats::Stats;
pub use tags::Tags;
pub use wire::EvictionPolicy;
