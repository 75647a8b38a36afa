//! The invalidation log: orders in one order, brought to every node, acknowledged by name.
//!
//! Never: the cache, HTTP, Kubernetes. Start at [`Bus`], what a log can do; [`reader`] decides what a node
//! is told, [`completion`] when an order is done, and [`Sender`] keeps an order until it is.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use wire::invalidation::{Ack, Heartbeat, Invalidation, LogPosition};

mod changes;
pub mod completion;
#[cfg(feature = "contract")]
pub mod contract;
pub mod embedded;
mod entry;
pub mod log;
pub mod reader;
pub mod redis;
pub mod sender;
mod subscription;

pub use self::redis::{RedisBus, RedisSettings};
pub use changes::Changes;
pub use embedded::EmbeddedBus;
pub use entry::{Entry, Malformed};
pub use reader::{Delivery, GapReason};
pub use sender::{SendError, Sender, SenderSettings, Until};
pub use subscription::{Source, Subscription};

/// A result that comes later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One log as one process sees it.
pub trait Bus: Send + Sync + 'static {
    /// Appends an order. When the answer is lost on its way the order may be in the log all the same:
    /// publishing it again is always right, since nodes know it by its id.
    ///
    /// # Errors
    /// [`BusError::Away`] when the log cannot be reached; [`BusError::Refused`] when the order is too large.
    fn publish<'a>(&'a self, order: &'a Invalidation) -> Later<'a, Result<LogPosition, BusError>>;

    /// Reads on after `from`; without one, from the oldest entry that the log still has.
    fn subscribe(&self, from: Option<LogPosition>) -> Subscription;

    /// The newest entry that is known of, for lag; no I/O.
    fn end(&self) -> Option<LogPosition>;

    /// Whether the log answered when it was last asked.
    fn connected(&self) -> bool;

    /// Says that a node is there. The first one makes it a member. A node's lease must be counted from
    /// the moment at which it *sent* its last heartbeat that succeeded, and from nothing else; see
    /// [`completion`].
    ///
    /// # Errors
    /// [`BusError::Away`]; [`BusError::Refused`] when there are too many members.
    fn heartbeat<'a>(&'a self, beat: &'a Heartbeat) -> Later<'a, Result<(), BusError>>;

    /// Whoever ever sent a heartbeat and neither said goodbye nor was declared gone, by name.
    ///
    /// # Errors
    /// [`BusError::Away`].
    fn members<'a>(&'a self) -> Later<'a, Result<Vec<Member>, BusError>>;

    /// A node says goodbye, or is declared gone; any later heartbeat makes it a member again. `false`: it
    /// was not there.
    ///
    /// # Errors
    /// [`BusError::Away`].
    fn leave<'a>(&'a self, node: &'a str) -> Later<'a, Result<bool, BusError>>;

    /// Tells what was applied of the log named `epoch`. A later acknowledgement of the same entry by the
    /// same node replaces the former.
    ///
    /// # Errors
    /// [`BusError::Away`]; then none, some or all of them arrived, and all should be told again.
    fn acknowledge<'a>(
        &'a self,
        epoch: &'a str,
        acks: &'a [Ack],
    ) -> Later<'a, Result<(), BusError>>;

    /// What is known of entries, in the order asked for.
    ///
    /// # Errors
    /// [`BusError::Away`].
    fn acks<'a>(&'a self, at: &'a [LogPosition]) -> Later<'a, Result<Vec<Acks>, BusError>>;

    /// The ids of the bans that were ordered in this log, that nobody lifted, and whose time is not over: also of
    /// those whose entry was trimmed away. In any order.
    ///
    /// # Errors
    /// [`BusError::Away`].
    fn bans(&self) -> Later<'_, Result<Vec<String>, BusError>>;

    /// Wakes when acknowledgements or members may have changed.
    fn changes(&self) -> Changes;
}

/// A node that must apply every order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// What it said last.
    pub beat: Heartbeat,
    /// For how long it has said nothing, by the log's clock. For people: clocks jump when a log fails over.
    pub silent: Duration,
    /// For how long this process has watched it say nothing, by its own clock that never jumps: never
    /// more than the truth. Leases are judged by this.
    pub unheard: Duration,
}

/// What an observer said last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Who.
    pub observer: String,
    /// When, in milliseconds by the log's clock: another one is another saying, and tells nothing else, since clocks
    /// jump when a log fails over.
    pub stamp: i64,
    /// How long ago that was, by the same clock.
    pub age: Duration,
    /// What it said.
    pub report: String,
}

/// What is known of one entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acks {
    /// The entry is in the log now. One that was trimmed is as absent as one that was lost: whoever did
    /// not acknowledge it never will, unless the order is published again.
    pub present: bool,
    /// Who acknowledged it, at most one for each node.
    pub acks: Vec<Ack>,
}

/// The log did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// It cannot be reached now; trying again is right.
    #[error("the invalidation log is away: {0}")]
    Away(String),
    /// It will never do this.
    #[error("the invalidation log refused: {0}")]
    Refused(String),
}
