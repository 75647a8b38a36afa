//! What can be evicted.

use std::sync::Arc;

use super::Tally;
use crate::mark::Mark;
use crate::object::Object;

/// An object or a mark.
#[derive(Clone)]
pub(crate) enum Unit {
    /// A stored response.
    Object(Arc<Object>),
    /// A hit-for-miss mark.
    Mark(Arc<Mark>),
}

impl Unit {
    pub(crate) fn hash(&self) -> u64 {
        match self {
            Self::Object(object) => object.hash,
            Self::Mark(mark) => mark.hash,
        }
    }

    pub(crate) fn bytes_used(&self) -> u64 {
        match self {
            Self::Object(object) => object.bytes_used(),
            Self::Mark(mark) => mark.bytes_used(),
        }
    }

    pub(super) fn tally(&self) -> &Tally {
        match self {
            Self::Object(object) => &object.tally,
            Self::Mark(mark) => &mark.tally,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        match self {
            Self::Object(object) => object.body().is_complete(),
            Self::Mark(_) => true,
        }
    }

    /// A large body with a reader: its memory stays whatever the policy says.
    pub(super) fn in_use(&self) -> bool {
        match self {
            Self::Object(object) => {
                object.body().complete().is_none() && Arc::strong_count(object.body()) > 1
            }
            Self::Mark(_) => false,
        }
    }
}
