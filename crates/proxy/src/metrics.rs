//! What a node counts about requests and its store.

use std::sync::Arc;
use std::time::Duration;

use cache::Cache;
use http::StatusCode;
use runtime::metrics::{Histogram, IntCounter, LATENCY_SECONDS, MetricError, Metrics};

use crate::backend::Source;
use crate::config::Node;
use crate::outcome::Outcome;
use crate::serve::ServeMetrics;

mod log;
mod rings;
mod store;
mod upstreams;

/// The counters of one node; children are resolved once, so that counting is a handful of atomic adds.
#[derive(Clone)]
pub struct ProxyMetrics {
    registry: Metrics,
    requests: Arc<[[IntCounter; CLASSES.len()]]>,
    latency: Arc<[Histogram]>,
    /// Bytes of bodies sent to clients.
    pub(crate) served: IntCounter,
    /// Bytes of bodies read from upstream.
    pub(crate) fetched: IntCounter,
    /// Bytes sent from the store that upstream did not have to send.
    pub(crate) saved: IntCounter,
    /// Requests sent upstream.
    pub(crate) upstream_requests: IntCounter,
    /// Requests that went past a shield that was not there.
    pub(crate) bypassed: IntCounter,
    /// Responses had from upstream, by whose they are.
    upstream_answers: runtime::metrics::IntCounterVec,
    /// Upstream exchanges that failed, by reason.
    pub(crate) upstream_errors: runtime::metrics::IntCounterVec,
    /// Responses not stored, by reason.
    pub(crate) not_stored: runtime::metrics::IntCounterVec,
    /// Bodies compressed, by coding.
    pub(crate) compressed: runtime::metrics::IntCounterVec,
    /// Snapshots offered to a running node, by whether they were taken over.
    reloads: runtime::metrics::IntCounterVec,
    /// The same for fleet documents.
    fleet_reloads: runtime::metrics::IntCounterVec,
    /// The invalidation log.
    pub(crate) log: log::LogMetrics,
    /// Connections.
    pub serve: ServeMetrics,
}

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

impl ProxyMetrics {
    /// Declares everything in `registry`.
    ///
    /// # Errors
    /// When it is declared there already.
    pub fn new(registry: &Metrics) -> Result<Self, MetricError> {
        let requests = registry.counters(
            "cdn_requests_total",
            "Requests answered, by result and status class.",
            &["result", "status"],
        )?;
        let latency = registry.histograms(
            "cdn_response_seconds",
            "Time from a request's head to its response's head, by result.",
            &["result"],
            LATENCY_SECONDS,
        )?;
        let answers = registry.counters(
            "cdn_upstream_answers_total",
            "Responses had from upstream, by whose they are.",
            &["source"],
        )?;
        for source in Source::ALL {
            answers.with_label_values(&[source.as_str()]);
        }
        let child = |result: &str, class: &&str| requests.with_label_values(&[result, class]);
        Ok(Self {
            registry: registry.clone(),
            requests: Outcome::LABELS
                .iter()
                .map(|result| CLASSES.each_ref().map(|class| child(result, class)))
                .collect(),
            latency: Outcome::LABELS.iter().map(|r| latency.with_label_values(&[r])).collect(),
            served: registry
                .counter("cdn_served_bytes_total", "Bytes of bodies sent to clients.")?,
            fetched: registry
                .counter("cdn_fetched_bytes_total", "Bytes of bodies read from upstream.")?,
            saved: registry.counter(
                "cdn_saved_bytes_total",
                "Bytes of bodies answered from the store, which upstream did not send.",
            )?,
            upstream_requests: registry
                .counter("cdn_upstream_requests_total", "Requests sent upstream.")?,
            bypassed: registry.counter(
                "cdn_shield_bypassed_total",
                "Requests for a site with a shield that went to its origins, since nobody of the shield was there.",
            )?,
            upstream_answers: answers,
            upstream_errors: registry.counters(
                "cdn_upstream_errors_total",
                "Upstream exchanges that failed, by reason.",
                &["reason"],
            )?,
            not_stored: registry.counters(
                "cdn_responses_not_stored_total",
                "Responses to cacheable requests that were not stored, by reason.",
                &["reason"],
            )?,
            compressed: registry.counters(
                "cdn_compressions_total",
                "Stored bodies compressed, by coding; each at most once.",
                &["coding"],
            )?,
            reloads: registry.counters(
                "cdn_config_reloads_total",
                "New configurations found, by whether they were taken over.",
                &["result"],
            )?,
            fleet_reloads: registry.counters(
                "cdn_fleet_reloads_total",
                "New fleet documents found, by whether they were taken over.",
                &["result"],
            )?,
            log: log::LogMetrics::new(registry)?,
            serve: ServeMetrics::new(registry)?,
        })
    }

    pub(crate) fn answered(&self, outcome: Outcome, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        self.requests[outcome.index()][class].inc();
        self.latency[outcome.index()].observe(took.as_secs_f64());
    }

    pub(crate) fn upstream_answered(&self, source: Source) {
        self.upstream_answers.with_label_values(&[source.as_str()]).inc();
    }

    /// Counts a new configuration that was taken over, or refused.
    pub fn reloaded(&self, taken_over: bool) {
        self.reloads.with_label_values(&[whether(taken_over)]).inc();
    }

    /// Counts a new fleet document that was taken over, or refused.
    pub fn fleet_reloaded(&self, taken_over: bool) {
        self.fleet_reloads.with_label_values(&[whether(taken_over)]).inc();
    }

    /// Requests answered so far, by result.
    pub fn results(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.requests.iter().map(|classes| classes.iter().map(IntCounter::get).sum());
        Outcome::LABELS.into_iter().zip(counts.collect::<Vec<u64>>())
    }

    /// Everything that is counted, as Prometheus text.
    pub fn registry(&self) -> &Metrics {
        &self.registry
    }

    /// Shows the store's own counts whenever somebody looks.
    pub(crate) fn watch(&self, cache: &Arc<Cache>) {
        let declared = store::StoreMetrics::new(Arc::downgrade(cache))
            .and_then(|collector| self.registry.declare(collector));
        if let Err(error) = declared {
            tracing::warn!(%error, "the store's metrics are not shown");
        }
    }

    /// Shows what `node` knows of those it asks whenever somebody looks.
    pub(crate) fn watch_ways(&self, node: &Arc<Node>) {
        let upstreams = upstreams::UpstreamMetrics::new(Arc::downgrade(&node.upstreams));
        let rings = rings::RingMetrics::new(Arc::downgrade(node));
        let declared = upstreams
            .and_then(|collector| self.registry.declare(collector).map(drop))
            .and_then(|()| self.registry.declare(rings?).map(drop));
        if let Err(error) = declared {
            tracing::warn!(%error, "the metrics of upstreams and rings are not shown");
        }
    }
}

fn whether(taken_over: bool) -> &'static str {
    if taken_over { "taken-over" } else { "refused" }
}
