//! Asking a target whether it is well.

use super::*;

use std::future::Future;

use http::request::Parts;
use http::{HeaderValue, Method, Request, header};
use http_body_util::{BodyExt, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;
use wire::snapshot::HealthProbe;

use crate::body::empty_body;
use crate::health::HealthSettings;

/// So much of a probe's answer is read before the target is taken at its word.
const MOST_READ: usize = 64 << 10;
/// How long an answer to [`Probe::Ping`] may take: a few round trips across an ocean.
const PING_TIMEOUT: Duration = Duration::from_millis(750);
/// So many of them in a row take a tier down. Two, since requests wait meanwhile.
const PING_FAILURES: u32 = 2;
const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("blue-origin/", env!("CARGO_PKG_VERSION"), " (health)"));

/// How a target is asked whether it is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// GET of a path.
    Get(HealthProbe),
    /// `OPTIONS *` with `Max-Forwards: 0` (RFC 9110 §9.3.7, §7.6.2): any 2xx says well. For tiers of
    /// this network, whose other answers therefore do not count for or against them.
    Ping,
}

/// When probes take a target down and up.
pub(super) fn settings(probe: Option<&Probe>) -> HealthSettings {
    let usual = HealthSettings::default();
    match probe {
        None => HealthSettings { probes: false, ..usual },
        Some(Probe::Ping) => HealthSettings { probe_failures: PING_FAILURES, ..usual },
        Some(Probe::Get(probe)) => {
            let interval = Duration::from_millis(probe.interval_ms);
            HealthSettings {
                interval,
                interval_in_doubt: usual.interval_in_doubt.min(interval),
                interval_down: usual.interval_down.min(interval),
                probe_failures: probe.unhealthy_after,
                successes: probe.healthy_after,
                ..usual
            }
        }
    }
}

/// While it lives, no other probe of the target starts.
struct Probing(Arc<Target>);

impl Drop for Probing {
    fn drop(&mut self) {
        self.0.state.lock().probing = false;
    }
}

impl Target {
    /// When the next probe is due; `None` while one is under way.
    pub(crate) fn next_probe(&self) -> Option<Instant> {
        let state = self.state.lock();
        let due = state.health.next_probe().filter(|_| !state.probing)?;
        // A time beyond what the clock can count never comes.
        self.start.checked_add(due)
    }

    /// Sends a probe over a connection of its own, outside of every limit. It counts as started when
    /// this is called, not only when it is awaited.
    pub(crate) fn probe(self: Arc<Self>) -> impl Future<Output = ()> + Send + 'static {
        {
            let mut state = self.state.lock();
            state.health.probe_started(self.now(), random());
            state.counts.probes += 1;
            state.probing = true;
        }
        let probing = Probing(self.clone());
        async move {
            let _probing = probing;
            let Some(probe) = &self.settings.probe else { return };
            let within = match probe {
                Probe::Get(probe) => Duration::from_millis(probe.timeout_ms),
                Probe::Ping => PING_TIMEOUT,
            };
            let answer = timeout(within, self.ask(probe)).await;
            let result = answer.unwrap_or(Err(HealthFailure::Timeout));
            self.state.lock().counts.probes_failed += u64::from(result.is_err());
            self.probed(result);
        }
    }

    async fn ask(&self, probe: &Probe) -> Result<(), HealthFailure> {
        // What cannot be asked for is no connection.
        let head = self.question(probe).ok_or(HealthFailure::Connect)?;
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .set_host(false)
            .build(self.connector());
        let asking = client.request(Request::from_parts(head, empty_body()));
        let response = asking.await.map_err(|error| match error.is_connect() {
            true => HealthFailure::Connect,
            false => HealthFailure::Exchange,
        })?;
        let status = response.status();
        let well = match probe {
            Probe::Get(probe) => {
                (probe.least_status..=probe.greatest_status).contains(&status.as_u16())
            }
            Probe::Ping => status.is_success(),
        };
        if !well {
            return Err(HealthFailure::Status);
        }
        match Limited::new(response.into_body(), MOST_READ).collect().await {
            Err(error) if error.is::<hyper::Error>() => Err(HealthFailure::Exchange),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn question(&self, probe: &Probe) -> Option<Parts> {
        let endpoint = &self.settings.endpoint;
        let request = match probe {
            Probe::Get(probe) => Request::get(probe.path.as_str()),
            //= rfc9110#9.3.7
            Probe::Ping => {
                Request::builder().method(Method::OPTIONS).uri("*").header(header::MAX_FORWARDS, 0)
            }
        };
        let request = request
            .header(header::HOST, endpoint.authority.as_str())
            .header(header::USER_AGENT, USER_AGENT)
            .body(())
            .ok()?;
        let (mut head, ()) = request.into_parts();
        endpoint.address(&mut head).ok()?;
        Some(head)
    }
}
