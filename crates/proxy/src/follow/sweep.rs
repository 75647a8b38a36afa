//! The sweeper: a piece of work at a time, so that it never costs more than a small part of a core.

use std::time::Duration;

use cache::Swept;

use super::Follower;

/// How long a ban is left to lazy checks, so that lifting it is worth something.
const GRACE: Duration = Duration::from_secs(30);
/// Between two pieces, each of which takes well under a millisecond.
const PAUSE: Duration = Duration::from_millis(2);
/// How long orders wait that only fills under way may still be subject to.
const REST: Duration = Duration::from_secs(1);

impl Follower {
    pub(super) async fn sweep(&self) {
        let node = &self.node;
        loop {
            match node.cache.sweep_due(GRACE) {
                Some(None) => self.round().await,
                Some(Some(at)) if at <= node.now() => self.round().await,
                due => {
                    let left = node.cache.forget(node.now());
                    self.tell_counts(node.cache.take_gone());
                    let rest = due.map(|at| {
                        let until = at.map_or(0, |at| at.as_millis() - node.now().as_millis());
                        Duration::from_millis(u64::try_from(until).unwrap_or(0))
                    });
                    let rest = if left { Some(rest.map_or(REST, |r| r.min(REST))) } else { rest };
                    tokio::select! {
                        () = node.log.sweep_wanted() => {}
                        () = tokio::time::sleep(rest.unwrap_or_default()), if rest.is_some() => {}
                    }
                }
            }
        }
    }

    async fn round(&self) {
        let node = &self.node;
        let mut sweep = node.cache.begin_sweep(GRACE, node.now());
        let counted = loop {
            match node.cache.sweep(&mut sweep, node.now()) {
                Swept::More => tokio::time::sleep(PAUSE).await,
                Swept::Done(counted) => break counted,
            }
        };
        node.metrics.log.sweeps.inc();
        self.tell_counts(counted);
    }
}
