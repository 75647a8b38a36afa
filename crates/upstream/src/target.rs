//! One server upstream: what is known of it, and what it is spared.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;
use wire::snapshot::OriginLimits;

use crate::admission::{Admission, AdmissionSettings, Refused};
use crate::breaker::{Breaker, BreakerSettings, BreakerState, Broken, Ticket};
use crate::connect::Connector;
use crate::endpoint::{Endpoint, EndpointError};
use crate::error::FetchError;
use crate::health::{Health, HealthFailure};
use crate::limit::{AdaptiveSettings, Limit, LimitSettings};
use crate::names::Names;
use crate::random::random;

pub use probe::Probe;
pub use report::{TargetCounts, TargetReport};

pub(crate) use pass::{Pass, UnderWay};

mod pass;
mod probe;
mod report;

/// What a target is and how it is treated. Equal settings are the same target.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetSettings {
    /// Where it is.
    pub endpoint: Endpoint,
    /// How long it may take until a connection stands, names and TLS included.
    pub connect: Duration,
    /// How many requests it gets.
    pub limits: OriginLimits,
    /// When it is left alone.
    pub breaker: BreakerSettings,
    /// How it is asked whether it is well; `None`: its traffic alone tells.
    pub probe: Option<Probe>,
}

/// One server upstream, and everything that a node knows of it and allows towards it. Shared by all
/// workers.
pub struct Target {
    name: String,
    settings: TargetSettings,
    connector: Connector,
    names: Arc<Names>,
    admission: Admission,
    /// Time zero of everything below.
    start: Instant,
    state: Mutex<State>,
    /// Woken when a probe is due sooner than was planned.
    sooner: Arc<Notify>,
    /// Woken when it goes down.
    gone: Notify,
}

#[derive(Debug)]
struct State {
    breaker: Breaker,
    health: Health,
    limit: Limit,
    /// A probe is under way.
    probing: bool,
    ups: u64,
    up_since: Option<Duration>,
    counts: TargetCounts,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Target").field(&self.name).finish()
    }
}

impl Target {
    pub(crate) fn new(
        settings: TargetSettings,
        names: Arc<Names>,
        sooner: Arc<Notify>,
    ) -> Result<Self, EndpointError> {
        let limits = &settings.limits;
        let most = limits.max_concurrency.max(1);
        let limit = Limit::new(if limits.adaptive {
            let usual = AdaptiveSettings::default();
            LimitSettings::Adaptive(AdaptiveSettings {
                initial: usual.initial.min(most),
                min: limits.min_concurrency.clamp(1, most),
                max: most,
                ..usual
            })
        } else {
            LimitSettings::Fixed(most)
        });
        // One flow may fill an empty queue: the others push it out again.
        let queue = limits.queue as usize;
        let queue = AdmissionSettings { queue, queue_per_flow: queue };
        Ok(Self {
            name: settings.endpoint.authority.to_string(),
            connector: Connector::new(&settings.endpoint, settings.connect, names.clone())?,
            names,
            admission: Admission::new(limit.limit(), queue),
            start: Instant::now(),
            state: Mutex::new(State {
                breaker: Breaker::new(settings.breaker.clone()),
                health: Health::new(probe::settings(settings.probe.as_ref()), Duration::ZERO),
                limit,
                probing: false,
                ups: 0,
                up_since: None,
                counts: TargetCounts::default(),
            }),
            settings,
            sooner,
            gone: Notify::new(),
        })
    }

    /// Its authority, for logs and the debug API.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it was made of.
    pub fn settings(&self) -> &TargetSettings {
        &self.settings
    }

    /// Whether to try it before others: its health is up and its breaker not open.
    pub fn is_usable(&self) -> bool {
        let now = self.now();
        let state = self.state.lock();
        state.health.is_up(now) && state.breaker.state(now) != BreakerState::Open
    }

    /// Has it probed soon, since an answer of it takes long. Often called, it is probed four times a second.
    pub fn doubt(&self) {
        let mut state = self.state.lock();
        let planned = state.health.next_probe();
        let now = self.now();
        state.health.doubt(now);
        if state.health.next_probe() < planned {
            self.sooner.notify_one();
        }
    }

    /// Waits until its health is down.
    pub async fn gone(&self) {
        loop {
            let gone = self.gone.notified();
            if !self.state.lock().health.is_up(self.now()) {
                return;
            }
            gone.await;
        }
    }

    /// How many requests it has in hand from this node.
    pub fn in_flight(&self) -> u32 {
        self.admission.in_flight()
    }

    /// How often it came back up.
    pub fn ups(&self) -> u64 {
        self.state.lock().ups
    }

    /// How long ago it last came back up; `None` if it is down, or never was.
    pub fn up_since(&self) -> Option<Duration> {
        let now = self.now();
        self.state.lock().up_since.map(|at| now.saturating_sub(at))
    }

    pub(crate) fn connector(&self) -> Connector {
        self.connector.clone()
    }

    /// Whether it is a tier of this network. What such a one answers is mostly somebody else's word, and
    /// says nothing of its own state.
    pub(crate) fn is_tier(&self) -> bool {
        self.settings.probe == Some(Probe::Ping)
    }

    /// Waits until a request of `flow` may be sent, at most `patience`.
    pub(crate) async fn enter(
        self: &Arc<Self>,
        flow: u64,
        patience: Duration,
    ) -> Result<Pass, FetchError> {
        let ticket = self.admit()?;
        let queue_timeout = Duration::from_millis(self.settings.limits.queue_timeout_ms);
        let patience = patience.min(queue_timeout);
        let permit = self.admission.acquire(flow, patience).await.map_err(|refused| {
            let retry_after = refused.retry_after();
            let origin = self.name.clone();
            let mut state = self.state.lock();
            match refused {
                Refused::Full { .. } => {
                    state.counts.queue_full += 1;
                    FetchError::QueueFull { origin, retry_after }
                }
                Refused::TimedOut { .. } => {
                    state.counts.queue_timeout += 1;
                    FetchError::QueueTimeout { origin, retry_after }
                }
            }
        })?;
        // While it waited the breaker may have learnt more.
        let honoured = self.state.lock().breaker.honours(&ticket);
        let ticket = if honoured { ticket } else { self.admit()? };
        Ok(Pass::new(self.clone(), ticket, permit))
    }

    /// The same for one that cannot wait.
    pub(crate) fn enter_now(self: &Arc<Self>) -> Option<Pass> {
        let ticket = self.admit().ok()?;
        Some(Pass::new(self.clone(), ticket, self.admission.try_acquire()?))
    }

    fn admit(&self) -> Result<Ticket, FetchError> {
        let now = self.now();
        let mut state = self.state.lock();
        state.breaker.admit(now).map_err(|Broken { reason, retry_after }| {
            state.counts.breaker_open += 1;
            let seconds = retry_after.as_millis().div_ceil(1000).max(1);
            FetchError::BreakerOpen {
                origin: self.name.clone(),
                reason,
                retry_after: u32::try_from(seconds).unwrap_or(u32::MAX),
            }
        })
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

#[cfg(test)]
mod tests;
