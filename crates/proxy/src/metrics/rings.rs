//! The rings that a node knows, read when Prometheus asks.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use runtime::metrics::{Collector, Desc, GaugeVec, IntGaugeVec, MetricError, MetricFamily, Opts};

use crate::config::Node;

/// Looks at the rings of a node without keeping it alive.
#[derive(Clone)]
pub(super) struct RingMetrics {
    node: Weak<Node>,
    members: IntGaugeVec,
    usable: IntGaugeVec,
    own_share: GaugeVec,
    /// One scrape at a time.
    turn: Arc<Mutex<()>>,
}

impl RingMetrics {
    pub(super) fn new(node: Weak<Node>) -> Result<Self, MetricError> {
        let gauge = |name, help| IntGaugeVec::new(Opts::new(name, help), &["ring"]);
        let share = Opts::new("cdn_ring_own_share_ratio", "Part of all keys that is this node's.");
        Ok(Self {
            node,
            members: gauge("cdn_ring_members", "Members of the ring.")?,
            usable: gauge("cdn_ring_usable_members", "Members that this node can reach.")?,
            own_share: GaugeVec::new(share, &["ring"])?,
            turn: Arc::default(),
        })
    }

    fn look(&self, node: &Node) {
        for (name, ring) in node.rings().all() {
            let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
            let usable = ring.members.iter().filter(|m| m.here || m.target.is_usable()).count();
            self.members.with_label_values(&[name]).set(count(ring.members.len()));
            self.usable.with_label_values(&[name]).set(count(usable));
            if let Some(here) = ring.members.iter().position(|member| member.here) {
                let share = ring.hash.shares().get(here).copied().unwrap_or_default();
                self.own_share.with_label_values(&[name]).set(share);
            }
        }
    }
}

impl Collector for RingMetrics {
    fn desc(&self) -> Vec<&Desc> {
        let shares = self.own_share.desc();
        [self.members.desc(), self.usable.desc(), shares].into_iter().flatten().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let _turn = self.turn.lock();
        // Rings that are no more are not shown any more.
        self.members.reset();
        self.usable.reset();
        self.own_share.reset();
        if let Some(node) = self.node.upgrade() {
            self.look(&node);
        }
        let shares = self.own_share.collect();
        [self.members.collect(), self.usable.collect(), shares].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests;
