//! The invalidation log of everything that runs here: in memory, with the same word to every server that a
//! log in Redis gives.

use std::sync::Arc;

use bus::embedded::EmbeddedLimits;
use bus::{EmbeddedBus, Sender, SenderSettings};
use proxy::FrontDoor;
use proxy::admin::invalidation::{Desk, LogDesk};
use proxy::follow::Follower;
use runtime::token::Tokens;
use runtime::{Clock, Readiness};
use tokio::task::JoinHandle;
use wire::snapshot::Tier;

use crate::servers::{Server, Servers};

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
    /// An empty log for `edges` and `shields`.
    pub(crate) fn new(
        edges: &Servers,
        shields: &Servers,
        clock: Clock,
        token: Option<Tokens>,
    ) -> Self {
        let bus = EmbeddedBus::new(EmbeddedLimits::default(), clock.clone());
        let sender = Sender::new(Arc::new(bus.clone()), clock.clone(), SenderSettings::default());
        let sender = Arc::new(sender);
        let (edges, shields) = (edges.later(), shields.later());
        let nodes =
            move || edges().into_iter().chain(shields()).map(|server| server.node).collect();
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

    /// What every server must fulfil before the whole is ready.
    pub(crate) fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    pub(crate) fn token(&self) -> Option<Tokens> {
        self.token.clone()
    }

    /// `server` follows from now on, over a line of its own; caught up with the log when this returns. An
    /// edge's own port takes PURGE from whoever shows the token: nothing here faces the world.
    pub(crate) async fn connect(&self, server: &Server) -> Following {
        let (node, tier) = (&server.node, server.tier());
        if let (Some(token), Tier::Edge) = (&self.token, tier) {
            let _ = node.purges.set(FrontDoor::new(self.desk(), token.clone()));
        }
        let gate = self.readiness.gate(&format!("log of {}", node.name));
        let line = Arc::new(self.bus.join());
        let follower = Follower::new(node.clone(), line, tier.as_str());
        let running = tokio::spawn(follower.clone().run(gate));
        follower.caught_up().await;
        Following { follower, running }
    }

    pub(crate) fn stop(&self) {
        self.sending.abort();
    }
}
