//! The invalidation log of everything that runs here: in memory, with the same word to every edge that a
//! log in Redis gives.

use std::sync::Arc;

use bus::embedded::EmbeddedLimits;
use bus::{EmbeddedBus, Sender, SenderSettings};
use proxy::admin::invalidation::{Desk, LogDesk};
use proxy::follow::Follower;
use proxy::{FrontDoor, Node};
use runtime::token::Tokens;
use runtime::{Clock, Readiness};
use tokio::task::JoinHandle;

use crate::status::Edges;

/// The log, who sends to it, and the desk that takes orders.
#[derive(Clone)]
pub struct Log {
    bus: EmbeddedBus,
    sender: Arc<Sender>,
    desk: Arc<LogDesk>,
    token: Option<Tokens>,
    readiness: Readiness,
    sending: Arc<JoinHandle<()>>,
}

/// A node that follows.
pub(crate) struct Following {
    follower: Arc<Follower>,
    running: JoinHandle<()>,
}

impl Following {
    /// Says goodbye, once the node has served its last request.
    pub(crate) async fn leave(self) {
        self.follower.leave();
        let _ = self.running.await;
    }
}

impl Log {
    /// An empty log for `edges`.
    pub(crate) fn new(edges: &Edges, clock: Clock, token: Option<Tokens>) -> Self {
        let bus = EmbeddedBus::new(EmbeddedLimits::default(), clock.clone());
        let sender = Sender::new(Arc::new(bus.clone()), clock.clone(), SenderSettings::default());
        let sender = Arc::new(sender);
        let edges = edges.later();
        let nodes = move || edges().into_iter().map(|edge| edge.node).collect();
        let desk = LogDesk::new(sender.clone(), Arc::new(bus.clone()), clock, nodes);
        let sending = Arc::new(tokio::spawn(sender.clone().run()));
        Self { bus, sender, desk, token, readiness: Readiness::default(), sending }
    }

    /// Takes orders and tells what became of them.
    pub fn desk(&self) -> Arc<dyn Desk> {
        self.desk.clone()
    }

    /// Sends orders and keeps them until they are complete.
    pub fn sender(&self) -> &Arc<Sender> {
        &self.sender
    }

    /// What every edge must fulfil before the whole is ready.
    pub(crate) fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    pub(crate) fn token(&self) -> Option<Tokens> {
        self.token.clone()
    }

    /// `node` follows from now on, over a line of its own; caught up with the log when this returns. Its own
    /// port takes PURGE from whoever shows the token: nothing here faces the world.
    pub(crate) async fn connect(&self, node: &Arc<Node>) -> Following {
        if let Some(token) = &self.token {
            let _ = node.purges.set(FrontDoor::new(self.desk(), token.clone()));
        }
        let gate = self.readiness.gate(&format!("log of {}", node.name));
        let follower = Follower::new(node.clone(), Arc::new(self.bus.join()), "edge");
        let running = tokio::spawn(follower.clone().run(gate));
        follower.caught_up().await;
        Following { follower, running }
    }

    pub(crate) fn stop(&self) {
        self.sending.abort();
    }
}
