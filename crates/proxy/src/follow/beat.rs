//! Heartbeats: the node says that it is there, and so keeps its lease.

use std::time::Duration;

use runtime::Stage;
use runtime::ready::Gate;
use wire::invalidation::{Heartbeat, OnLogLoss};
use wire::snapshot::Tier;

use super::Follower;
use super::demand::Rate;
use super::standing::Lease;

const EVERY: Duration = Duration::from_secs(1);
/// Less than what others allow for a heartbeat on its way ([`bus::completion::MARGIN`]).
const LONGEST: Duration = Duration::from_millis(1500);
/// How long a node that the log does not know yet waits before it takes traffic all the same: a log that
/// is away must stop nobody (K7). Until it is known it has everything validated.
const PATIENCE: Duration = Duration::from_secs(10);

impl Follower {
    /// Makes the node known to the log: from here on no order is complete without it.
    pub(super) async fn join(&self, gate: &Gate) {
        let began = self.node.clock.monotonic();
        let mut rate = Rate::default();
        let mut tick = tokio::time::interval(EVERY);
        loop {
            tick.tick().await;
            if let Some((sent, lease)) = self.heartbeat(&mut rate).await {
                // What was stored before was subject to orders that nobody told of.
                self.node.cache.distrust();
                self.node.log.owe(sent, lease);
                return;
            }
            if self.node.clock.monotonic().saturating_sub(began) > PATIENCE {
                gate.open();
            } else {
                gate.close("the invalidation log is away");
            }
        }
    }

    pub(super) async fn beat(&self) {
        let mut rate = Rate::default();
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // Joining was the first; another one now would find the node before it has read what it owes.
        tick.reset();
        loop {
            tick.tick().await;
            let Some((sent, lease)) = self.heartbeat(&mut rate).await else { continue };
            if !self.node.log.renew(sent, lease, self.node.clock.monotonic()) {
                // What came while nobody could vouch must be read first; and what was complete without this
                // node may be lost with a failover, so that it is never read: what is stored goes.
                let applied = self.node.cache.applied();
                self.node.cache.distrust();
                self.node.cache.skip(applied);
                self.node.log.wants_sweep();
                self.node.log.owe(sent, lease);
                self.again.notify_one();
            }
        }
    }

    /// One heartbeat; when it was sent, and what it earns, if it was heard.
    async fn heartbeat(&self, rate: &mut Rate) -> Option<(Duration, Lease)> {
        let node = &self.node;
        let config = node.config();
        let settings = &config.snapshot().invalidation;
        let sent = node.clock.monotonic();
        let beat = Heartbeat {
            node: node.name.clone(),
            role: self.role.to_owned(),
            pool: config.snapshot().pool.clone(),
            applied: node.log.position_of(|| node.cache.applied()),
            on_log_loss: settings.on_log_loss,
            lease_ms: settings.lease_ms,
            pop: node.pop().map(str::to_owned),
            // Of those behind edges, nobody sends clients anywhere.
            requests_per_second: rate
                .update(node.demand.total(), sent)
                .filter(|_| config.snapshot().tier == Tier::Edge),
            ready: Some(*self.caught_up.borrow()),
            draining: node.drain.stage() != Stage::Running,
        };
        let lease = match settings.on_log_loss {
            OnLogLoss::Serve => Lease::ForEver,
            OnLogLoss::Revalidate => Lease::For(Duration::from_millis(settings.lease_ms)),
        };
        node.log.promise(sent, lease);
        let heard = tokio::time::timeout(LONGEST, self.bus.heartbeat(&beat)).await;
        matches!(heard, Ok(Ok(()))).then_some((sent, lease))
    }
}
