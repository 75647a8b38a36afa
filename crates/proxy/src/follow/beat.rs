//! Heartbeats: the node says that it is there, and so keeps its lease.

use std::time::Duration;

use wire::invalidation::{Heartbeat, OnLogLoss};

use super::Follower;

const EVERY: Duration = Duration::from_secs(1);
/// Less than what others allow for a heartbeat on its way ([`bus::completion::MARGIN`]).
const LONGEST: Duration = Duration::from_millis(1500);

impl Follower {
    pub(super) async fn beat(&self) {
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let node = &self.node;
            let settings = node.config().snapshot().invalidation.clone();
            let sent = node.clock.monotonic();
            let beat = Heartbeat {
                node: node.name.clone(),
                role: self.role.to_owned(),
                pool: node.config().snapshot().pool.clone(),
                applied: node.log.position(node.cache.applied()),
                on_log_loss: settings.on_log_loss,
                lease_ms: settings.lease_ms,
            };
            let heard = tokio::time::timeout(LONGEST, self.bus.heartbeat(&beat)).await;
            let lease = Duration::from_millis(settings.lease_ms);
            match (settings.on_log_loss, heard) {
                (OnLogLoss::Serve, _) => node.log.always(),
                (OnLogLoss::Revalidate, Ok(Ok(()))) => {
                    if !node.log.renew(sent, lease, node.clock.monotonic()) {
                        // What came while nobody could vouch must be read first.
                        self.node.log.owe(sent, lease);
                        self.again.notify_one();
                    }
                }
                (OnLogLoss::Revalidate, _) => node.log.begin(sent, lease),
            }
        }
    }
}
