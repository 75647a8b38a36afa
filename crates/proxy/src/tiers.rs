//! Positions between tiers: a tier says from which position of the invalidation log on it accepts an
//! answer, the tier above up to which position it vouches for one.
//!
//! One internal field carries both, and never crosses the border: a client's is dropped, an origin's too,
//! and neither is shown it.

use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use wire::{LogPosition, Seq};

use crate::config::Node;
use crate::intake::Received;

/// Request: the least position that is accepted. Response: the position that it is vouched for.
pub(crate) const POSITION: HeaderName = HeaderName::from_static("x-cdn-seq");

/// Request: only what is stored is wanted; a node that has it not says so (504) and asks nobody.
pub(crate) const IF_HELD: HeaderName = HeaderName::from_static("x-cdn-if-held");

/// How long a tier that is behind reads the log before it goes past its store.
const CATCH_UP: Duration = Duration::from_millis(250);

/// Takes the field out; what it says, if it says something.
pub(crate) fn take(headers: &mut HeaderMap) -> Option<LogPosition> {
    let value = headers.remove(POSITION)?;
    value.to_str().ok()?.parse().ok()
}

/// Says a position.
pub(crate) fn say(headers: &mut HeaderMap, position: &LogPosition) {
    if let Ok(value) = HeaderValue::from_str(&position.to_string()) {
        headers.insert(POSITION, value);
    }
}

/// Vouches for an answer, towards a tier.
pub(crate) fn vouch(headers: &mut HeaderMap, received: &Received) {
    if let Some(vouched) = received.below.as_ref().and_then(|below| below.vouched.as_ref()) {
        say(headers, vouched);
    }
}

/// Whose word an answer is given with.
#[derive(Clone, Debug, Default)]
pub(crate) enum Word {
    /// This node's: it comes from its store, or from an origin that was asked after the request came.
    #[default]
    Own,
    /// That of the tier that answered, which may have none. A node in the middle knows no more of it.
    Tier(Option<LogPosition>),
}

impl Word {
    /// Puts this word in the place of the node's own.
    pub(crate) fn instead(&self, headers: &mut HeaderMap, received: &Received) {
        let Self::Tier(word) = self else { return };
        take(headers);
        if let Some(word) = word.as_ref().filter(|_| received.below.is_some()) {
            say(headers, word);
        }
    }
}

/// What is between a tier and the one below it, for one request.
#[derive(Clone, Debug)]
pub(crate) struct Below {
    /// What the tier below accepts.
    pub(crate) least: Option<LogPosition>,
    /// What everything answered to this request is vouched for, whatever came in between.
    pub(crate) vouched: Option<LogPosition>,
    /// It wants what is stored, or nothing.
    pub(crate) only_held: bool,
}

impl Below {
    /// Reads what the tier below says. Before the request's view of the store is taken: what is vouched
    /// for must have taken effect by then.
    pub(crate) fn of(node: &Node, headers: &mut HeaderMap) -> Self {
        let least = take(headers);
        let only_held = headers.remove(IF_HELD).is_some();
        Self { least, vouched: node.log.position_of(|| node.cache.applied()), only_held }
    }
}

impl Received {
    /// The least position that the tier below accepts, if it is of the log that `node` follows; none
    /// that a client says.
    pub(crate) fn least(&self, node: &Node) -> Seq {
        node.least(self.below.as_ref().and_then(|below| below.least.as_ref()))
    }
}

impl Node {
    /// A position that the tier below accepts, if it is of the log that is followed now.
    pub(crate) fn least(&self, below: Option<&LogPosition>) -> Seq {
        let here = self.log.position(Seq::ZERO);
        below
            .filter(|least| here.is_some_and(|here| here.epoch == least.epoch))
            .map_or(Seq::ZERO, |least| least.seq)
    }

    /// Whether the tier below asks for more than this one has applied.
    pub(crate) fn is_behind(&self, received: &Received) -> bool {
        let Some(least) = received.below.as_ref().and_then(|below| below.least.as_ref()) else {
            return false;
        };
        self.log
            .position(self.cache.applied())
            .is_none_or(|here| here.epoch != least.epoch || here.seq < least.seq)
    }

    /// Waits until this tier is no longer behind, within a short bound; false when it still is.
    pub(crate) async fn catch_up(&self, received: &mut Received) -> bool {
        let mut moves = self.log.moves();
        self.log.hurry();
        let caught_up =
            async { while self.is_behind(received) && moves.changed().await.is_ok() {} };
        let in_time = tokio::time::timeout(CATCH_UP, caught_up).await.is_ok();
        let Some(below) = &mut received.below else { return in_time };
        if in_time {
            below.vouched = self.log.position_of(|| self.cache.applied());
            received.arrived = self.cache.position();
        } else {
            // It goes to the origin from here on, after the order that the tier below knows of.
            below.vouched.clone_from(&below.least);
        }
        in_time
    }
}

#[cfg(test)]
mod tests;
