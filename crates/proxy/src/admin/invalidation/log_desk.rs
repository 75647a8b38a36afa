//! The desk of a process that follows the log: one node of its own, or, in one process, all there are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, BusError, SendError, Sender, Until};
use tokio::time::Instant;
use wire::Invalidation;
use wire::invalidation::{Phase, PurgeReport, Target};

use super::desk::{BanStatus, Desk, DeskError, Later, LogStatus, NodeStatus};
use crate::config::Node;
use crate::follow;

/// Reports shown with the log.
const SHOWN: usize = 50;

/// How long a log may take for an order that nobody waits for.
const PROMPT: Duration = Duration::from_secs(1);

/// Sends orders by way of the log.
pub struct LogDesk {
    sender: Arc<Sender>,
    bus: Arc<dyn Bus>,
    nodes: Box<dyn Fn() -> Vec<Arc<Node>> + Send + Sync>,
    now_ms: Box<dyn Fn() -> i64 + Send + Sync>,
}

impl LogDesk {
    /// A desk that sends by `sender`, for the nodes that `nodes` gives: those of this process.
    pub fn new(
        sender: Arc<Sender>,
        bus: Arc<dyn Bus>,
        clock: runtime::Clock,
        nodes: impl Fn() -> Vec<Arc<Node>> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let now_ms = Box::new(move || clock.now_millis());
        Arc::new(Self { sender, bus, nodes: Box::new(nodes), now_ms })
    }

    /// The log is away: at least nothing that is served here is stale. It is applied once more when it
    /// comes by way of the log.
    fn apply_here(&self, order: &Invalidation) {
        for node in (self.nodes)() {
            if let Err(error) = follow::apply_here(&node, order) {
                tracing::warn!(node = node.name, %error, "order not applied");
            }
        }
    }
}

impl Desk for LogDesk {
    fn site_host(&self, host: &str) -> Option<String> {
        (self.nodes)().iter().find_map(|node| {
            let config = node.config();
            let (_, known_as) = config.site(host)?;
            Some(known_as.unwrap_or(host).to_owned())
        })
    }

    fn now_ms(&self) -> i64 {
        (self.now_ms)()
    }

    fn send(
        &self,
        order: Invalidation,
        wait: Duration,
    ) -> Later<'_, Result<PurgeReport, DeskError>> {
        Box::pin(async move {
            let id = order.id.clone();
            let until = Instant::now() + wait;
            let known = self.sender.report(&id).is_some();
            let sending = self.sender.send(order.clone());
            let sent = match tokio::time::timeout(wait.max(PROMPT), sending).await {
                Ok(sent) => sent.map_err(|error| match error {
                    SendError::Full => DeskError::QueueFull,
                    SendError::Taken => DeskError::IdTaken,
                    SendError::Refused(reason) => DeskError::Refused(reason),
                })?,
                // Others are before it in the queue of a log that is slow; it is kept, and its turn comes.
                Err(_) => self.sender.report(&id).ok_or(DeskError::QueueFull)?,
            };
            if sent.phase == Phase::Pending {
                if !known {
                    self.apply_here(&order);
                }
                return Ok(sent);
            }
            let rest = until.saturating_duration_since(Instant::now());
            let what = match order.target {
                Target::Ban(_) if !order.dry_run => Until::Applied,
                _ => Until::Counted,
            };
            Ok(self.sender.wait(&id, what, rest).await.unwrap_or(sent))
        })
    }

    fn report<'a>(&'a self, id: &'a str, wait: Duration) -> Later<'a, Option<PurgeReport>> {
        Box::pin(self.sender.wait(id, Until::Counted, wait))
    }

    fn bans(&self) -> Vec<BanStatus> {
        let mut bans = BTreeMap::<(wire::Seq, String), BanStatus>::new();
        for node in (self.nodes)() {
            let now = node.now();
            for info in node.cache.bans(now) {
                let key = (info.seq, info.ban.id.clone());
                let listed = bans.entry(key).or_insert_with(|| BanStatus {
                    ban: info.ban.clone(),
                    how: info.how,
                    seq: info.seq,
                    matched: 0,
                    exhausted: true,
                    age: now.since(info.applied_at),
                    left: info.expires.since(now),
                });
                listed.matched += info.matched;
                listed.exhausted &= info.exhausted;
            }
        }
        bans.into_values().collect()
    }

    fn log(&self) -> Later<'_, LogStatus> {
        Box::pin(async move {
            let mut nodes: Vec<_> = match self.bus.members().await {
                Ok(members) => members
                    .into_iter()
                    .map(|member| NodeStatus { beat: member.beat, silent: member.silent })
                    .collect(),
                Err(_) => Vec::new(),
            };
            nodes.sort_by(|a, b| a.beat.node.cmp(&b.beat.node));
            LogStatus {
                connected: self.bus.connected(),
                end: self.bus.end(),
                queued: self.sender.queued(),
                nodes,
                orders: self.sender.reports(SHOWN),
            }
        })
    }

    fn forget<'a>(&'a self, node: &'a str) -> Later<'a, Result<bool, DeskError>> {
        Box::pin(async move {
            self.bus.leave(node).await.map_err(|error| match error {
                BusError::Away(why) => DeskError::Away(why),
                BusError::Refused(why) => DeskError::Refused(why),
            })
        })
    }
}

#[cfg(test)]
mod tests;
