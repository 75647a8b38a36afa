//! How a node follows the invalidation log: entries are applied in order and acknowledged by name, the
//! sweeper comes behind, heartbeats say that the node is there.

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, Delivery, Entry};
use cache::{Applied, BadOrder, Counted, Keys, Order};
use runtime::ready::Gate;
use tokio::sync::{Notify, watch};
use wire::Invalidation;
use wire::invalidation::{Ack, Url};

use crate::config::Node;
use acks::Acks;

mod acks;
mod beat;
mod demand;
mod standing;
mod sweep;

pub use demand::Demand;
pub use standing::Standing;

/// How long a node that leaves may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// A node and its log.
pub struct Follower {
    node: Arc<Node>,
    bus: Arc<dyn Bus>,
    /// `edge` or `shield`.
    role: &'static str,
    acks: Acks,
    /// The lease had run out: the log must be caught up with anew.
    again: Notify,
    leaving: Notify,
    /// The node caught up with it once.
    caught_up: watch::Sender<bool>,
}

impl Follower {
    /// `node` follows `bus` as a `role`.
    pub fn new(node: Arc<Node>, bus: Arc<dyn Bus>, role: &'static str) -> Arc<Self> {
        let (acks, again, leaving) = (Acks::default(), Notify::new(), Notify::new());
        node.log.follow();
        let caught_up = watch::Sender::new(false);
        Arc::new(Self { node, bus, role, acks, again, leaving, caught_up })
    }

    /// Follows until [`leave`](Self::leave), then says goodbye. `gate` opens once the node is known to the
    /// log and caught up with it.
    pub async fn run(self: Arc<Self>, gate: Gate) {
        tokio::select! {
            () = self.follow(&gate) => {}
            () = self.leaving.notified() => {}
        }
        gate.retire();
        // Should it serve once more in spite of that.
        self.node.log.follow();
        let goodbye = self.bus.leave(&self.node.name);
        if !matches!(tokio::time::timeout(GOODBYE, goodbye).await, Ok(Ok(_))) {
            tracing::warn!(node = self.node.name, "could not say goodbye to the invalidation log");
        }
    }

    /// Ends [`run`](Self::run): to be called when the node has served its last request, since orders are
    /// complete without it from then on.
    pub fn leave(&self) {
        self.leaving.notify_one();
    }

    /// Waits until the node, which is being [`run`](Self::run), caught up with the log once.
    pub async fn caught_up(&self) {
        // The sender is this follower's own: it cannot be gone.
        let _ = self.caught_up.subscribe().wait_for(|caught_up| *caught_up).await;
    }

    async fn follow(&self, gate: &Gate) {
        self.join(gate).await;
        tokio::join!(self.read(gate), self.acks.send(&*self.bus), self.beat(), self.sweep());
    }

    async fn read(&self, gate: &Gate) {
        self.node.log.reads_again();
        let mut log = self.bus.subscribe(None);
        let mut behind = true;
        loop {
            let delivery = tokio::select! {
                delivery = log.next() => delivery,
                () = self.node.log.hurried() => {
                    log.hurry();
                    continue;
                }
                () = self.again.notified() => {
                    log = self.bus.subscribe(log.cursor().cloned());
                    self.node.log.reads_again();
                    continue;
                }
            };
            match delivery {
                Delivery::Event(entry) => {
                    self.node.metrics.log.read(behind);
                    self.apply(entry);
                }
                Delivery::Gap(reason) => {
                    tracing::warn!(
                        reason = reason.as_str(),
                        "the invalidation log has a gap: what is stored is forgotten"
                    );
                    self.node.metrics.log.gap(reason);
                    // In this order: who takes off after the one is not vouched for by the former log.
                    self.node.log.lost_place();
                    self.node.cache.distrust();
                    self.node.log.wants_sweep();
                    behind = true;
                }
                Delivery::CaughtUp(position) => {
                    behind = false;
                    self.node.metrics.log.connected.set(1);
                    // Nothing comes before it that is not applied.
                    self.node.cache.skip(position.seq);
                    self.node.log.caught_up(&position);
                    // Else a later heartbeat wants it to be read once more.
                    if !self.node.unvouched() {
                        self.caught_up.send_replace(true);
                    }
                    gate.open();
                }
                Delivery::Away => {
                    tracing::warn!("the invalidation log is away");
                    self.node.metrics.log.connected.set(0);
                }
            }
            self.show_lag(log.behind());
        }
    }

    /// Applies one entry. Whatever becomes of it, the position moves on and the entry is acknowledged.
    fn apply(&self, Entry { position, order }: Entry) {
        let node = &self.node;
        let order = order.map_err(|malformed| malformed.to_string());
        let applied = order.and_then(|order| {
            let ready = Order::new(&order, |url| keys(node, url)).map_err(|e| e.to_string())?;
            let applied = node.cache.apply(position.seq, &ready, node.now());
            applied.map(|applied| (order, applied)).map_err(|e| e.to_string())
        });
        let mut ack =
            Ack { node: node.name.clone(), seq: position.seq, matched: None, error: None };
        match applied {
            Ok((order, applied)) => {
                ack.matched = applied.matched;
                node.metrics.log.applied(&order, applied.matched);
                tracing::debug!(id = order.id, seq = %position.seq, matched = applied.matched, "order applied");
            }
            Err(error) => {
                node.cache.skip(position.seq);
                node.metrics.log.malformed.inc();
                tracing::error!(seq = %position.seq, error, "an entry of the invalidation log cannot be applied");
                ack.error = Some(error);
            }
        }
        node.log.moved_to(&position.epoch);
        self.acks.add(&position.epoch, ack);
        self.tell_counts(node.cache.take_gone());
        self.node.log.wants_sweep();
    }

    /// Tells what orders matched that were acknowledged before they were counted.
    fn tell_counts(&self, counted: Vec<Counted>) {
        for Counted { seq, matched } in counted {
            self.node.metrics.log.matched.inc_by(matched);
            let node = self.node.name.clone();
            self.acks.add_count(Ack { node, seq, matched: Some(matched), error: None });
        }
    }

    fn show_lag(&self, entries: u64) {
        let applied = self.node.cache.applied();
        let end = self.bus.end().map_or(applied, |end| end.seq);
        let gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let metrics = &self.node.metrics.log;
        metrics.lag_ms.set(gauge(end.ms.saturating_sub(applied.ms)));
        metrics.lag_entries.set(gauge(entries));
    }
}

/// Applies an order to this node alone, at once: while the log is away, and before it comes back with it.
///
/// # Errors
/// Why it cannot be applied.
pub fn apply_here(node: &Node, order: &Invalidation) -> Result<Option<u64>, BadOrder> {
    let ready = Order::new(order, |url| keys(node, url))?;
    let applied = node.apply_here(&ready)?;
    Ok(applied.matched)
}

impl Node {
    /// Applies an order that is not in the log.
    pub(crate) fn apply_here(&self, order: &Order) -> Result<Applied, BadOrder> {
        let applied = self.cache.apply_here(order, self.now());
        self.log.wants_sweep();
        applied
    }
}

/// Where responses of a URL may be stored: under both schemes, by the rules of its site.
fn keys(node: &Node, url: &Url) -> Keys {
    let config = node.config();
    let Some((site, _)) = config.site(&url.host) else { return Keys::default() };
    let headers = http::HeaderMap::new();
    let mut rules = site.key.clone();
    let plain = rules.headers.is_empty() && rules.cookies.is_empty();
    rules.headers.clear();
    rules.cookies.clear();
    let keys = ["http", "https"].map(|scheme| {
        let mut key = Vec::new();
        semantics::write_cache_key(&mut key, scheme, &url.host, &url.path, &headers, &rules);
        key
    });
    match plain {
        true => Keys { exact: keys.into(), heads: Vec::new() },
        false => Keys { exact: Vec::new(), heads: keys.into() },
    }
}
