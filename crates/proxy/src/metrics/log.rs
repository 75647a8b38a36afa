//! What a node counts about the invalidation log.

use bus::GapReason;
use runtime::metrics::{IntCounter, IntCounterVec, IntGauge, MetricError, Metrics};
use wire::Invalidation;
use wire::invalidation::Target;

/// The counts of one node.
#[derive(Clone)]
pub(crate) struct LogMetrics {
    applied: IntCounterVec,
    replayed: IntCounter,
    /// Stored responses that orders matched.
    pub(crate) matched: IntCounter,
    /// Entries that could not be applied.
    pub(crate) malformed: IntCounter,
    gaps: IntCounterVec,
    /// Rounds of the sweeper.
    pub(crate) sweeps: IntCounter,
    /// Whether the log is there.
    pub(crate) connected: IntGauge,
    /// How far what is applied lies behind the newest entry that is known of.
    pub(crate) lag_ms: IntGauge,
    /// Entries known of and not applied yet.
    pub(crate) lag_entries: IntGauge,
}

impl LogMetrics {
    pub(super) fn new(registry: &Metrics) -> Result<Self, MetricError> {
        Ok(Self {
            applied: registry.counters(
                "cdn_invalidations_applied_total",
                "Entries of the invalidation log that were applied, by kind.",
                &["kind"],
            )?,
            replayed: registry.counter(
                "cdn_invalidations_replayed_total",
                "Entries that were read while catching up.",
            )?,
            matched: registry.counter(
                "cdn_invalidations_matched_total",
                "Stored responses that orders matched.",
            )?,
            malformed: registry
                .counter("cdn_invalidations_refused_total", "Entries that could not be applied.")?,
            gaps: registry.counters(
                "cdn_invalidation_gaps_total",
                "Gaps in the log, each of which emptied the store, by reason.",
                &["reason"],
            )?,
            sweeps: registry.counter("cdn_invalidation_sweeps_total", "Rounds of the sweeper.")?,
            connected: registry.gauge(
                "cdn_invalidation_log_connected",
                "1 while the invalidation log is there.",
            )?,
            lag_entries: registry.gauge(
                "cdn_invalidation_lag_entries",
                "Entries of the log that are known of and not applied yet.",
            )?,
            lag_ms: registry.gauge(
                "cdn_invalidation_lag_milliseconds",
                "From the entry applied last to the newest known of, by the log's ids.",
            )?,
        })
    }

    pub(crate) fn applied(&self, order: &Invalidation, matched: Option<u64>) {
        let kind = match &order.target {
            _ if order.dry_run => "dry-run",
            Target::Urls(_) => "urls",
            Target::Tags(_) => "tags",
            Target::Prefix(_) => "prefix",
            Target::All => "all",
            Target::Ban(_) => "ban",
            Target::Lift(_) => "lift",
        };
        self.applied.with_label_values(&[kind]).inc();
        self.matched.inc_by(matched.unwrap_or(0));
    }

    pub(crate) fn read(&self, behind: bool) {
        if behind {
            self.replayed.inc();
        }
    }

    pub(crate) fn gap(&self, reason: GapReason) {
        self.gaps.with_label_values(&[reason.as_str()]).inc();
    }
}
