//! Prometheus behind one module: the registry of a process and constructors that register.
//!
//! A metric is declared beside its owner; this module only keeps the crate's name out of their code.

use std::collections::BTreeMap;

pub use prometheus::core::{Collector, Desc};
pub use prometheus::proto::MetricFamily;
pub use prometheus::{
    GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts,
};
use prometheus::{Registry, TextEncoder};

/// All metrics of one process (or of one node, where several run in one process).
#[derive(Clone, Debug, Default)]
pub struct Metrics(Registry);

/// A metric could not be declared: its name or labels are wrong, or it is declared twice.
#[derive(Debug, thiserror::Error)]
#[error("metric cannot be registered: {0}")]
pub struct MetricError(#[from] prometheus::Error);

impl Metrics {
    /// An empty registry whose metrics all carry `labels`.
    ///
    /// # Errors
    /// When a label's name is not one Prometheus takes.
    pub fn with_labels(labels: &[(&str, &str)]) -> Result<Self, MetricError> {
        let labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Ok(Self(Registry::new_custom(None, Some(labels))?))
    }

    /// Declares `collector` and returns it.
    ///
    /// # Errors
    /// When its name is taken.
    pub fn declare<C: Collector + Clone + 'static>(&self, collector: C) -> Result<C, MetricError> {
        self.0.register(Box::new(collector.clone()))?;
        Ok(collector)
    }

    /// A counter.
    ///
    /// # Errors
    /// When the name is taken or malformed.
    pub fn counter(&self, name: &str, help: &str) -> Result<IntCounter, MetricError> {
        self.declare(IntCounter::new(name, help)?)
    }

    /// Counters by label values.
    ///
    /// # Errors
    /// When the name is taken or malformed.
    pub fn counters(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<IntCounterVec, MetricError> {
        self.declare(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    /// A gauge.
    ///
    /// # Errors
    /// When the name is taken or malformed.
    pub fn gauge(&self, name: &str, help: &str) -> Result<IntGauge, MetricError> {
        self.declare(IntGauge::new(name, help)?)
    }

    /// Histograms by label values; `buckets` are upper bounds, in the unit that the name ends in.
    ///
    /// # Errors
    /// When the name is taken or malformed.
    pub fn histograms(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
        buckets: &[f64],
    ) -> Result<HistogramVec, MetricError> {
        let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
        self.declare(HistogramVec::new(options, labels)?)
    }

    /// Everything as families, for those who count in a test or on a status page.
    pub fn gather(&self) -> Vec<MetricFamily> {
        self.0.gather()
    }

    /// The text that Prometheus scrapes.
    pub fn text(&self) -> String {
        TextEncoder::new().encode_to_string(&self.gather()).unwrap_or_default()
    }
}

/// The text of several registries as one scrape; their common labels tell them apart.
pub fn merged_text(registries: &[Metrics]) -> String {
    let mut families: BTreeMap<String, MetricFamily> = BTreeMap::new();
    for mut family in registries.iter().flat_map(Metrics::gather) {
        match families.get_mut(family.name()) {
            None => {
                families.insert(family.name().to_owned(), family);
            }
            Some(merged) => {
                let mut all = merged.take_metric();
                all.extend(family.take_metric());
                merged.set_metric(all);
            }
        }
    }
    let families: Vec<_> = families.into_values().collect();
    TextEncoder::new().encode_to_string(&families).unwrap_or_default()
}

/// Latency buckets in seconds, from a memory hit to a slow origin.
pub const LATENCY_SECONDS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0, 30.0,
];

#[cfg(test)]
mod tests;
