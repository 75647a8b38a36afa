//! What the operator counts.

use runtime::metrics::{
    HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, MetricError, Metrics, Opts,
};

/// The operator's metrics. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Counts {
    reconciles: IntCounterVec,
    seconds: HistogramVec,
    writes: IntCounterVec,
    resources: IntGaugeVec,
    watch_errors: IntCounterVec,
    pub(crate) nudges: IntCounter,
    pub(crate) leader: IntGauge,
    pub(crate) left_out: IntGauge,
    pub(crate) forgotten: IntCounter,
    pub(crate) lifted: IntCounter,
}

impl Counts {
    /// Declares them.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(metrics: &Metrics) -> Result<Self, MetricError> {
        Ok(Self {
            reconciles: metrics.counters(
                "cdn_operator_reconciles_total",
                "Rounds over what was asked for, by loop and result.",
                &["loop", "result"],
            )?,
            seconds: metrics.histograms(
                "cdn_operator_reconcile_seconds",
                "Time that a round took, its writes included.",
                &["loop"],
                runtime::metrics::LATENCY_SECONDS,
            )?,
            writes: metrics.counters(
                "cdn_operator_writes_total",
                "Writes to the API server.",
                &["kind", "result"],
            )?,
            resources: metrics.declare(IntGaugeVec::new(
                Opts::new(
                    "cdn_operator_resources",
                    "Custom resources that there are, by kind and whether they are accepted.",
                ),
                &["kind", "accepted"],
            )?)?,
            watch_errors: metrics.counters(
                "cdn_operator_watch_errors_total",
                "Watches that failed and began anew.",
                &["kind"],
            )?,
            nudges: metrics.counter(
                "cdn_operator_nudges_total",
                "Pods that were made to look at their documents.",
            )?,
            left_out: metrics.gauge(
                "cdn_operator_pools_without_zones",
                "Pools that GeoDNS cannot send clients to as they are: left out of its zones.",
            )?,
            leader: metrics.gauge("cdn_operator_leader", "1 while this process is the leader.")?,
            forgotten: metrics.counter(
                "cdn_operator_nodes_forgotten_total",
                "Nodes whose pods are gone that the invalidation log was told to forget.",
            )?,
            lifted: metrics.counter(
                "cdn_operator_bans_lifted_total",
                "Bans that were lifted because their BanRule is gone.",
            )?,
        })
    }

    /// A round of `of` took `seconds`.
    pub(crate) fn reconciled(&self, of: &str, ok: bool, seconds: f64) {
        self.reconciles.with_label_values(&[of, word(ok)]).inc();
        self.seconds.with_label_values(&[of]).observe(seconds);
    }

    pub(crate) fn wrote(&self, kind: &str, ok: bool) {
        self.writes.with_label_values(&[kind, word(ok)]).inc();
    }

    pub(crate) fn watch_failed(&self, kind: &str) {
        self.watch_errors.with_label_values(&[kind]).inc();
    }

    pub(crate) fn resources(&self, kind: &str, accepted: bool, number: usize) {
        let accepted = if accepted { "true" } else { "false" };
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.resources.with_label_values(&[kind, accepted]).set(number);
    }
}

fn word(ok: bool) -> &'static str {
    if ok { "ok" } else { "error" }
}
