//! A node's line to the invalidation log.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bus::embedded::EmbeddedLimits;
use bus::redis::{RedisBus, RedisSettings, url_in};
use bus::{Bus, EmbeddedBus, Sender, SenderSettings};
use proxy::admin::invalidation::LogDesk;
use proxy::{Follower, Node};
use runtime::{Clock, Readiness};
use tokio::task::JoinHandle;

use crate::options::NodeOptions;

/// How long the first client waits for a log that is there: until the node caught up, nothing that it
/// stores is used without validation.
const FIRST: Duration = Duration::from_millis(500);

/// What [`connect`] gives.
pub(crate) struct Line {
    /// Takes orders.
    pub(crate) desk: Arc<LogDesk>,
    follower: Arc<Follower>,
    following: JoinHandle<()>,
}

impl Line {
    /// Says goodbye to the log; to be called when the node has served its last request.
    pub(crate) async fn leave(self) {
        self.follower.leave();
        let _ = self.following.await;
    }
}

/// Lets `node`, a `role`, follow the log of `options`, as one condition of `ready`.
///
/// # Errors
/// When the options name no log.
pub(crate) async fn connect(
    options: &NodeOptions,
    node: &Arc<Node>,
    ready: &Readiness,
    role: &'static str,
) -> anyhow::Result<Line> {
    let clock = node.clock.clone();
    let bus = open(options, &clock)?;
    let sender = Arc::new(Sender::new(bus.clone(), clock.clone(), SenderSettings::default()));
    let here = node.clone();
    let desk = LogDesk::new(sender.clone(), bus.clone(), clock, move || vec![here.clone()]);
    let follower = Follower::new(node.clone(), bus, role);
    let following = tokio::spawn(follower.clone().run(ready.gate("invalidation log")));
    tokio::spawn(sender.run());
    // A log that is away must not keep it from starting.
    let _ = tokio::time::timeout(FIRST, follower.caught_up()).await;
    Ok(Line { desk, follower, following })
}

/// The log of `options`; without one the node is alone and has a log of its own.
fn open(options: &NodeOptions, clock: &Clock) -> anyhow::Result<Arc<dyn Bus>> {
    let url = match (&options.log, &options.log_file) {
        (Some(url), _) => url.clone(),
        (None, Some(file)) => url_in(file)?,
        (None, None) => {
            return Ok(Arc::new(EmbeddedBus::new(EmbeddedLimits::default(), clock.clone())));
        }
    };
    let (prefix, ca) = (options.log_prefix.clone(), options.log_ca.clone());
    let bus = RedisBus::connect(RedisSettings { url, prefix, ca, ..RedisSettings::default() });
    Ok(Arc::new(bus.context("the invalidation log cannot be used")?))
}
