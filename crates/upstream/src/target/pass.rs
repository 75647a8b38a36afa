//! The right to send a target one request, and what comes of it.

use super::*;

use crate::admission::Permit;
use crate::breaker::{BreakerChange, BreakerOutcome, Receipt};
use crate::limit::LimitOutcome;

/// The right to one request. Dropped without a word, the client left: it says nothing of the target.
#[must_use = "tell it what came of the request"]
pub(crate) struct Pass {
    target: Arc<Target>,
    ticket: Ticket,
    permit: Permit,
    sent: Instant,
}

impl Pass {
    pub(super) fn new(target: Arc<Target>, ticket: Ticket, permit: Permit) -> Self {
        Self { target, ticket, permit, sent: Instant::now() }
    }

    pub(crate) fn target(&self) -> &Arc<Target> {
        &self.target
    }

    /// The request is being sent now.
    pub(crate) fn sending(&mut self) {
        self.sent = Instant::now();
        self.target.state.lock().counts.sent += 1;
    }

    /// The head of a response with `status` is there.
    pub(crate) fn answered(self, status: StatusCode) -> UnderWay {
        let tier = self.target.is_tier();
        let failed = !tier && is_failure(status);
        let unwell = !tier && matches!(status.as_u16(), 502..=504);
        let overloaded = !tier && matches!(status.as_u16(), 429 | 503);
        let receipt = Some(self.ticket.receipt()).filter(|_| !failed);
        let said = Said {
            breaker: if failed { BreakerOutcome::Failure } else { BreakerOutcome::Success },
            health: Some(if unwell { Err(HealthFailure::Status) } else { Ok(()) }),
            limit: if overloaded { LimitOutcome::Overloaded } else { LimitOutcome::Answered },
        };
        self.target.heard(self.ticket, self.sent, said);
        UnderWay { target: self.target, receipt, _permit: self.permit }
    }

    /// No response came.
    pub(crate) fn failed(self, error: &FetchError) {
        let said = match error {
            FetchError::Connect { .. } | FetchError::ConnectTimeout { .. } => Said {
                breaker: BreakerOutcome::Failure,
                health: Some(Err(HealthFailure::Connect)),
                limit: LimitOutcome::Overloaded,
            },
            FetchError::FirstByteTimeout { .. } => Said {
                breaker: BreakerOutcome::Failure,
                health: Some(Err(HealthFailure::Timeout)),
                limit: LimitOutcome::Overloaded,
            },
            FetchError::Exchange { .. } => Said {
                breaker: BreakerOutcome::Failure,
                health: Some(Err(HealthFailure::Exchange)),
                limit: LimitOutcome::Silent,
            },
            // The client's doing, or this node's.
            _ => Said {
                breaker: BreakerOutcome::Abandoned,
                health: None,
                limit: LimitOutcome::Silent,
            },
        };
        self.target.heard(self.ticket, self.sent, said);
    }
}

/// Whether `status` says that the server failed. Some of the class say what it does not do
/// (RFC 9110 §15.6.2, §15.6.6), which is an answer as good as others.
fn is_failure(status: StatusCode) -> bool {
    status.is_server_error() && !matches!(status.as_u16(), 501 | 505 | 506 | 510)
}

/// A response whose body is not through yet: it holds its place at the target.
#[derive(Debug)]
pub(crate) struct UnderWay {
    target: Arc<Target>,
    /// Absent if the request is known as a failure already.
    receipt: Option<Receipt>,
    _permit: Permit,
}

impl UnderWay {
    /// The body broke off.
    pub(crate) fn broke(self, error: &FetchError) {
        let failure = match error {
            FetchError::BodyCut(_) => HealthFailure::Exchange,
            FetchError::BetweenBytesTimeout => HealthFailure::Timeout,
            // It may be the client that took so long.
            _ => return,
        };
        // A tier passes on what breaks off behind it.
        let Some(receipt) = self.receipt.filter(|_| !self.target.is_tier()) else { return };
        self.target.change(|state, now| {
            state.counts.failed += 1;
            let health = state.health.on_traffic(Err(failure), now);
            (state.breaker.take_back(receipt, now, random()), health.is_some())
        });
    }
}

/// What a request says of the target.
struct Said {
    breaker: BreakerOutcome,
    health: Option<Result<(), HealthFailure>>,
    limit: LimitOutcome,
}

impl Target {
    fn heard(&self, ticket: Ticket, sent: Instant, said: Said) {
        self.change(|state, now| {
            match said.breaker {
                BreakerOutcome::Success => state.counts.succeeded += 1,
                BreakerOutcome::Failure => state.counts.failed += 1,
                BreakerOutcome::Abandoned => {}
            }
            let in_flight = self.admission.in_flight();
            if let Some(limit) = state.limit.on_sample(sent.elapsed(), in_flight, said.limit, now) {
                self.admission.set_limit(limit);
            }
            let health = said.health.and_then(|result| state.health.on_traffic(result, now));
            (state.breaker.report(ticket, said.breaker, now, random()), health.is_some())
        });
    }

    /// What a probe says.
    pub(super) fn probed(&self, result: Result<(), HealthFailure>) {
        self.change(|state, now| (None, state.health.on_probe(result, now).is_some()));
    }

    /// Lets `what` change what is known of the target. What that turned around is told once.
    fn change(&self, what: impl FnOnce(&mut State, Duration) -> (Option<BreakerChange>, bool)) {
        let (breaker, health) = {
            let mut state = self.state.lock();
            // Read within the lock, so that it never goes back.
            let now = self.now();
            let planned = state.health.next_probe();
            let (breaker, turned) = what(&mut state, now);
            if let Some(BreakerChange::Opened(reason)) = breaker {
                state.counts.opened(reason);
            }
            let up = state.health.is_up(now);
            if turned {
                state.up_since = up.then_some(now);
                state.ups += u64::from(up);
            }
            if state.health.next_probe() < planned {
                self.sooner.notify_one();
            }
            (breaker, turned.then(|| (up, state.health.reason(now).as_str())))
        };
        let target = self.name();
        match breaker {
            Some(BreakerChange::Opened(reason)) => {
                tracing::warn!(target, reason = reason.as_str(), "circuit breaker opened");
            }
            Some(BreakerChange::Closed) => tracing::info!(target, "circuit breaker closed"),
            None => {}
        }
        match health {
            Some((true, reason)) => tracing::info!(target, reason, "upstream is up"),
            Some((false, reason)) => {
                self.gone.notify_waiters();
                tracing::warn!(target, reason, "upstream is down");
            }
            None => {}
        }
    }
}
