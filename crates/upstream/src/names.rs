//! The addresses of names, remembered: they outlive a failure of the name service (S8).
//!
//! The system's resolver does not say how long an address holds, so a name in use is asked for again
//! every [`FRESH`]. While no new answer comes, the last good one goes on, for [`REMEMBERED`] at most.
//! What is asked for is asked for once, however many connections wait for it.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::client::legacy::connect::dns::Name;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tower::Service;

/// An answer is not asked for again for so long.
pub(crate) const FRESH: Duration = Duration::from_secs(30);
/// The last good answer is used for so long at most.
pub(crate) const REMEMBERED: Duration = Duration::from_secs(3600);
/// So long a connection waits for a new answer when there is an old one.
const PATIENCE: Duration = Duration::from_millis(250);
/// After a failure, the old answer goes on for so long before the name is asked for again.
const PAUSE: Duration = Duration::from_secs(1);

type Answer = io::Result<Vec<SocketAddr>>;
type Asking = Pin<Box<dyn Future<Output = Answer> + Send>>;
type Ask = Box<dyn Fn(String) -> Asking + Send + Sync>;
/// What waiters see: nothing yet, or addresses, or the words of the failure.
type Outcome = Option<Result<Vec<SocketAddr>, String>>;

/// What came of asking for one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NameReport {
    /// How often the name service was asked.
    pub asked: u64,
    /// How often it gave no address.
    pub failed: u64,
    /// How many connections went to remembered addresses because it gave none in time.
    pub remembered: u64,
    /// How old the last good answer is; `None` without one, and for a literal address.
    pub age: Option<Duration>,
}

/// The names in use, shared by all connections of a node.
pub(crate) struct Names {
    ask: Ask,
    known: Mutex<HashMap<String, Entry>>,
}

#[derive(Default)]
struct Entry {
    addresses: Vec<SocketAddr>,
    answered: Option<Instant>,
    failed: Option<Instant>,
    used: Option<Instant>,
    /// Since when it is being asked for, and where the answer comes.
    asking: Option<(Instant, watch::Receiver<Outcome>)>,
    report: NameReport,
}

impl Entry {
    fn younger_than(&self, limit: Duration, now: Instant) -> bool {
        self.answered.is_some_and(|at| now.saturating_duration_since(at) < limit)
    }

    fn rests(&self, now: Instant) -> bool {
        self.failed.is_some_and(|at| now.saturating_duration_since(at) < PAUSE)
    }
}

impl Names {
    /// Asks the system.
    pub(crate) fn system() -> Arc<Self> {
        Self::new(Box::new(|name| {
            Box::pin(async move {
                let asking = move || (name.as_str(), 0).to_socket_addrs().map(Iterator::collect);
                tokio::task::spawn_blocking(asking).await.map_err(io::Error::other)?
            })
        }))
    }

    pub(crate) fn new(ask: Ask) -> Arc<Self> {
        Arc::new(Self { ask, known: Mutex::default() })
    }

    pub(crate) fn report(&self, name: &str) -> NameReport {
        let known = self.known.lock();
        let Some(entry) = known.get(name) else { return NameReport::default() };
        let age = entry.answered.map(|at| Instant::now().saturating_duration_since(at));
        NameReport { age, ..entry.report }
    }

    /// The addresses of `name`, new or remembered.
    pub(crate) async fn resolve(self: &Arc<Self>, name: &str) -> Answer {
        let (since, mut asking, old) = {
            let now = Instant::now();
            let mut known = self.known.lock();
            if !known.contains_key(name) {
                // Names that no connection was made to for so long belong to nobody any more.
                known.retain(|_, entry| {
                    entry.used.is_some_and(|at| now.saturating_duration_since(at) < REMEMBERED)
                });
            }
            let entry = known.entry(name.to_owned()).or_default();
            entry.used = Some(now);
            if entry.younger_than(FRESH, now) {
                return Ok(entry.addresses.clone());
            }
            let old = entry.younger_than(REMEMBERED, now).then(|| entry.addresses.clone());
            if let Some(old) = old.clone().filter(|_| entry.rests(now)) {
                entry.report.remembered += 1;
                return Ok(old);
            }
            let (since, asking) = match &entry.asking {
                Some(asking) => asking.clone(),
                None => self.start(name, entry, now),
            };
            (since, asking, old)
        };
        let patience = match &old {
            Some(_) => PATIENCE.saturating_sub(since.elapsed()),
            None => Duration::MAX,
        };
        let outcome = match timeout(patience, asking.wait_for(Option::is_some)).await {
            Ok(Ok(outcome)) => outcome.clone(),
            // Whoever asked is gone with its runtime, or it takes too long.
            Ok(Err(_)) | Err(_) => None,
        };
        match (outcome, old) {
            (Some(Ok(addresses)), _) => Ok(addresses),
            (_, Some(old)) => {
                if let Some(entry) = self.known.lock().get_mut(name) {
                    entry.report.remembered += 1;
                }
                Ok(old)
            }
            (Some(Err(cause)), None) => Err(io::Error::other(cause)),
            (None, None) => Err(io::Error::other("name resolution was given up")),
        }
    }

    /// Asks in a task of its own, so that who has no patience does not end it for the others.
    fn start(
        self: &Arc<Self>,
        name: &str,
        entry: &mut Entry,
        now: Instant,
    ) -> (Instant, watch::Receiver<Outcome>) {
        let (sender, receiver) = watch::channel(None);
        entry.asking = Some((now, receiver.clone()));
        entry.report.asked += 1;
        let answer = (self.ask)(name.to_owned());
        let asked = Asked { names: self.clone(), name: name.to_owned() };
        tokio::spawn(async move {
            let answer = match answer.await {
                Ok(addresses) if addresses.is_empty() => Err("the name has no address".to_owned()),
                answer => answer.map_err(|error| error.to_string()),
            };
            asked.note(&answer);
            drop(asked);
            sender.send_replace(Some(answer));
        });
        (now, receiver)
    }
}

/// A name that is being asked for; when dropped it is not any more, even if its runtime ends.
struct Asked {
    names: Arc<Names>,
    name: String,
}

impl Asked {
    fn note(&self, answer: &Result<Vec<SocketAddr>, String>) {
        let now = Instant::now();
        let mut known = self.names.known.lock();
        let Some(entry) = known.get_mut(&self.name) else { return };
        match answer {
            Ok(addresses) => {
                if entry.failed.is_some() {
                    tracing::info!(name = self.name, "name resolved again");
                }
                entry.addresses.clone_from(addresses);
                (entry.answered, entry.failed) = (Some(now), None);
            }
            Err(cause) => {
                entry.report.failed += 1;
                if entry.failed.is_none() {
                    let remembered = entry.younger_than(REMEMBERED, now);
                    tracing::warn!(name = self.name, cause, remembered, "name not resolved");
                }
                entry.failed = Some(now);
            }
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(entry) = self.names.known.lock().get_mut(&self.name) {
            entry.asking = None;
        }
    }
}

/// [`Names`] as hyper wants them.
#[derive(Clone)]
pub(crate) struct Resolver(pub(crate) Arc<Names>);

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let names = self.0.clone();
        Box::pin(async move { Ok(names.resolve(name.as_str()).await?.into_iter()) })
    }
}

#[cfg(test)]
mod tests;
