//! The seam between the admin API and whatever brings orders to the nodes.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use wire::invalidation::{Ban, Heartbeat, How, PurgeReport};
use wire::{Invalidation, LogPosition, Seq};

/// Something in the making that borrows for `'a`.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Takes orders and tells what became of them.
pub trait Desk: Send + Sync + 'static {
    /// The host as its site names it, aliases resolved; `None` when no site here serves it. `host` is in
    /// normal form and has no port.
    fn site_host(&self, host: &str) -> Option<String>;

    /// The time in milliseconds since 1970, stamped on orders.
    fn now_ms(&self) -> i64;

    /// Sends `order` to every node and waits for its completion, at most `wait`. An order whose id is known
    /// already is not sent again. Who drops the future stops waiting; the order goes on.
    fn send(
        &self,
        order: Invalidation,
        wait: Duration,
    ) -> Later<'_, Result<PurgeReport, DeskError>>;

    /// Where the order called `id` stands, waiting for its completion at most `wait`; `None` when it is
    /// not known.
    fn report<'a>(&'a self, id: &'a str, wait: Duration) -> Later<'a, Option<PurgeReport>>;

    /// The bans in force.
    fn bans(&self) -> Vec<BanStatus>;

    /// The log and the nodes that follow it.
    fn log(&self) -> Later<'_, LogStatus>;

    /// Declares `node` gone, so that nothing waits for it any more; `false` when there is no such node.
    fn forget<'a>(&'a self, node: &'a str) -> Later<'a, Result<bool, DeskError>>;
}

/// Why the desk does not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// The log is away and as many orders as may wait for it do.
    #[error("the log is away and the queue of orders is full; send it again later")]
    QueueFull,
    /// The id names another order, which says something else.
    #[error("the id names another order already; choose another, or leave it out")]
    IdTaken,
    /// The log cannot be reached, and this cannot wait for it.
    #[error("the log cannot be reached: {0}")]
    Away(String),
    /// The log does not take it.
    #[error("the log refuses it: {0}")]
    Refused(String),
}

/// A ban in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BanStatus {
    /// The ban.
    pub ban: Ban,
    /// How thoroughly it invalidates.
    pub how: How,
    /// Its entry in the log.
    pub seq: Seq,
    /// Stored responses of this node that matched so far.
    pub matched: u64,
    /// Nothing older than it is left to match.
    pub exhausted: bool,
    /// Since it was applied.
    pub age: Duration,
    /// Until it lapses.
    pub left: Duration,
}

/// The log as this node sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogStatus {
    /// Whether it is there.
    pub connected: bool,
    /// Its newest entry, as far as is known.
    pub end: Option<LogPosition>,
    /// Orders that wait for its return.
    pub queued: usize,
    /// The nodes that follow it.
    pub nodes: Vec<NodeStatus>,
    /// The newest orders, newest first.
    pub orders: Vec<PurgeReport>,
}

/// A node that follows the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStatus {
    /// What it said last.
    pub beat: Heartbeat,
    /// Since then.
    pub silent: Duration,
}
