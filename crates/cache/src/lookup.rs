//! The question asked of the store, and its answers.

use std::sync::Arc;

use http::HeaderMap;
use semantics::{MissReason, RequestDirectives, StaleReason, Timestamp, VariantRules, Verdict};

use crate::body::Hold;
use crate::flight::Waiter;
use crate::invalidation::Position;
use crate::object::Object;
use crate::obligation::Obligation;

/// A request, as far as the store cares.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The cache key, host included.
    pub key: &'a [u8],
    /// A HEAD request: also answered by what a HEAD request stored.
    pub head: bool,
    /// The request's fields, for `Vary`.
    pub request: &'a HeaderMap,
    /// How nominated fields are normalised.
    pub rules: &'a VariantRules,
    /// The request's own cache directives.
    pub directives: &'a RequestDirectives,
    /// The time.
    pub now: Timestamp,
    /// How far the request sees: it is not given what an order up to here took away, whatever was in
    /// flight then. [`Cache::position`](crate::Cache::position) when it arrived.
    pub arrived: Position,
    /// The node is cut off from the log and its lease is over: nothing is used without validation
    /// that began after this request came.
    pub unvouched: bool,
    /// Whose request it is, and where it would go.
    pub going: Going<'a>,
}

/// Where what is asked for would be fetched, among nodes that ask each other.
///
/// Two nodes with different views of who owns a key could each wait for the other: so nobody who is asked
/// by such a node waits for what went to one.
#[derive(Clone, Copy, Default)]
pub enum Going<'a> {
    /// Further up: nobody there asks back.
    #[default]
    Up,
    /// Further up, on behalf of a node like this one.
    UpForPeer,
    /// If this says so when it takes off, to a node like this one.
    Across(&'a dyn Fn() -> bool),
}

impl std::fmt::Debug for Going<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Up => "Up",
            Self::UpForPeer => "UpForPeer",
            Self::Across(_) => "Across",
        })
    }
}

impl Going<'_> {
    pub(crate) fn is_across(self) -> bool {
        matches!(self, Self::Across(across) if across())
    }
}

/// What the store says to a [`Query`].
#[derive(Debug)]
pub enum Lookup {
    /// Usable as it is. The body may still be on its way in.
    Hit(Found),
    /// Stored, but not simply usable, for the reason and with the verdict given.
    ///
    /// With an obligation it is the caller's duty to revalidate: behind the answer when the verdict
    /// is [`Verdict::StaleWhileRevalidate`], else before it. Without one, which only comes with
    /// `StaleWhileRevalidate`, somebody else does already.
    Stale(Found, StaleReason, Verdict, Option<Obligation>),
    /// Not stored: fetch it, and tell the obligation what came of it.
    Miss(MissReason, Obligation),
    /// Somebody else fetches or revalidates it.
    Wait(Waiter),
    /// Found uncacheable a moment ago: fetch it without a thought for the store.
    HitForMiss,
}

/// A stored object, found.
///
/// While this lives, a reader made from the object's body starts at the first byte even if the fill
/// turns to streaming in between: make the reader, then drop this or not.
#[derive(Debug)]
pub struct Found {
    /// What was found.
    pub object: Arc<Object>,
    /// Keeps the beginning of a body in flight; nothing for a complete one.
    _hold: Option<Hold>,
}

impl Found {
    pub(crate) fn new(object: Arc<Object>) -> Self {
        let hold = object.body().hold();
        Self { object, _hold: hold }
    }
}
