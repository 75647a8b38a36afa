//! The targets of a node.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::endpoint::EndpointError;
use crate::names::Names;
use crate::target::{Target, TargetReport, TargetSettings};

/// Every target of a node: found again by equal settings, forgotten when nobody holds it.
pub struct Targets {
    known: Mutex<Vec<Weak<Target>>>,
    names: Arc<Names>,
    /// A probe is due sooner than was planned, or there is a new target.
    sooner: Arc<Notify>,
}

impl Targets {
    /// None yet.
    pub fn new() -> Arc<Self> {
        Self::with(Names::system())
    }

    pub(crate) fn with(names: Arc<Names>) -> Arc<Self> {
        Arc::new(Self { known: Mutex::default(), names, sooner: Arc::default() })
    }

    /// The target of these settings. It is known for as long as somebody holds it.
    ///
    /// # Errors
    /// When its endpoint cannot be used.
    pub fn target(&self, settings: &TargetSettings) -> Result<Arc<Target>, EndpointError> {
        let mut known = self.known.lock();
        known.retain(|target| target.strong_count() > 0);
        let found = known.iter().filter_map(Weak::upgrade).find(|t| t.settings() == settings);
        if let Some(found) = found {
            return Ok(found);
        }
        let target = Target::new(settings.clone(), self.names.clone(), self.sooner.clone())?;
        let target = Arc::new(target);
        known.push(Arc::downgrade(&target));
        self.sooner.notify_one();
        Ok(target)
    }

    /// How all of them are.
    pub fn reports(&self) -> Vec<TargetReport> {
        self.live().iter().map(|target| target.report()).collect()
    }

    /// Sends the probes of all targets when they are due, until it is dropped. To be run once for each
    /// node.
    pub async fn watch(self: Arc<Self>) {
        let mut probes = JoinSet::new();
        loop {
            let next = self.send_due(&mut probes);
            let due = async {
                match next {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                () = self.sooner.notified() => {}
                Some(_) = probes.join_next() => {}
            }
        }
    }

    /// Starts the probes that are due, one at a time for each target, and says when the next is.
    fn send_due(&self, probes: &mut JoinSet<()>) -> Option<Instant> {
        let now = Instant::now();
        let mut next: Option<Instant> = None;
        for target in self.live() {
            match target.next_probe() {
                Some(due) if due <= now => {
                    probes.spawn(target.probe());
                }
                Some(due) => next = Some(next.map_or(due, |next| next.min(due))),
                None => {}
            }
        }
        next
    }

    fn live(&self) -> Vec<Arc<Target>> {
        self.known.lock().iter().filter_map(Weak::upgrade).collect()
    }
}
