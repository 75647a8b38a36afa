//! What a node knows of whom it asks, read when Prometheus asks.
//!
//! A server is named by its authority alone, of which there are as many as the configuration and the fleet
//! name. Sites may treat the same one differently; then it is several targets, whose figures are added up.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use runtime::metrics::{
    Collector, Desc, IntCounterVec, IntGaugeVec, MetricError, MetricFamily, Opts,
};
use upstream::breaker::BreakerState;
use upstream::{TargetCounts, TargetReport, Targets};

const STATES: [BreakerState; 3] =
    [BreakerState::Closed, BreakerState::Open, BreakerState::HalfOpen];

/// Looks at the targets of a node without keeping them alive.
#[derive(Clone)]
pub(super) struct UpstreamMetrics {
    targets: Weak<Targets>,
    /// One scrape at a time.
    shown: Arc<Mutex<Shown>>,
    descs: Vec<Desc>,
}

struct Shown {
    gauges: Vec<(IntGaugeVec, Read)>,
    counters: Vec<(IntCounterVec, Read)>,
}

/// Values of a metric, each with the value of its second label; without one, that is empty.
type Read = fn(&Seen) -> Vec<(&'static str, u64)>;
/// Name, help, second label if there is one, values.
type Row = (&'static str, &'static str, Option<&'static str>, Read);

/// Everything that has the same authority.
#[derive(Default)]
struct Seen {
    targets: u64,
    up: u64,
    states: [u64; STATES.len()],
    limit: u64,
    in_flight: u64,
    waiting: u64,
    counts: TargetCounts,
}

impl Seen {
    fn add(&mut self, report: &TargetReport) {
        self.targets += 1;
        self.up += u64::from(report.up);
        for (count, state) in self.states.iter_mut().zip(STATES) {
            *count += u64::from(report.breaker == state);
        }
        self.limit += u64::from(report.limit);
        self.in_flight += u64::from(report.in_flight);
        self.waiting += report.waiting as u64;
        self.counts += report.counts;
    }
}

const GAUGES: [Row; 5] = [
    ("cdn_upstream_up", "1 while it is taken for well.", None, |seen| {
        one(u64::from(seen.up == seen.targets))
    }),
    ("cdn_upstream_breaker_state", "1 for the state of its breaker.", Some("state"), |seen| {
        STATES.iter().map(|state| state.as_str()).zip(seen.states).collect()
    }),
    ("cdn_upstream_limit", "Requests that it may have at once.", None, |seen| one(seen.limit)),
    ("cdn_upstream_in_flight", "Requests that it has.", None, |seen| one(seen.in_flight)),
    ("cdn_upstream_waiting", "Requests in the queue for it.", None, |seen| one(seen.waiting)),
];

const COUNTERS: [Row; 5] = [
    ("cdn_upstream_sent_total", "Requests sent to it, further tries included.", None, |seen| {
        one(seen.counts.sent)
    }),
    ("cdn_upstream_results_total", "What came of them.", Some("result"), |seen| {
        vec![("succeeded", seen.counts.succeeded), ("failed", seen.counts.failed)]
    }),
    ("cdn_upstream_refused_total", "Requests held back, by reason.", Some("reason"), |seen| {
        let TargetCounts { breaker_open, queue_full, queue_timeout, .. } = seen.counts;
        let full = [("queue-full", queue_full), ("queue-timeout", queue_timeout)];
        [("breaker-open", breaker_open)].into_iter().chain(full).collect()
    }),
    ("cdn_upstream_probes_total", "Probes, by what they found.", Some("result"), |seen| {
        let TargetCounts { probes, probes_failed, .. } = seen.counts;
        vec![("well", probes.saturating_sub(probes_failed)), ("unwell", probes_failed)]
    }),
    ("cdn_upstream_breaker_openings_total", "Openings of its breaker.", Some("reason"), |seen| {
        seen.counts.openings().map(|(reason, count)| (reason.as_str(), count)).collect()
    }),
];

fn one(value: u64) -> Vec<(&'static str, u64)> {
    vec![("", value)]
}

impl UpstreamMetrics {
    pub(super) fn new(targets: Weak<Targets>) -> Result<Self, MetricError> {
        let gauges = GAUGES.into_iter().map(|(name, help, label, read)| {
            Ok((IntGaugeVec::new(Opts::new(name, help), &labels(label))?, read))
        });
        let counters = COUNTERS.into_iter().map(|(name, help, label, read)| {
            Ok((IntCounterVec::new(Opts::new(name, help), &labels(label))?, read))
        });
        let gauges: Vec<_> = gauges.collect::<Result<_, MetricError>>()?;
        let counters: Vec<_> = counters.collect::<Result<_, MetricError>>()?;
        let descs = gauges.iter().flat_map(|(gauge, _)| gauge.desc());
        let descs = descs.chain(counters.iter().flat_map(|(counter, _)| counter.desc()));
        let descs = descs.cloned().collect();
        Ok(Self { targets, shown: Arc::new(Mutex::new(Shown { gauges, counters })), descs })
    }
}

fn labels(second: Option<&'static str>) -> Vec<&'static str> {
    std::iter::once("upstream").chain(second).collect()
}

impl Collector for UpstreamMetrics {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let reports = self.targets.upgrade().map(|targets| targets.reports()).unwrap_or_default();
        let mut all: BTreeMap<&str, Seen> = BTreeMap::new();
        for report in &reports {
            all.entry(&report.name).or_default().add(report);
        }
        let shown = self.shown.lock();
        let mut families = Vec::new();
        for (gauge, read) in &shown.gauges {
            // Whoever is not there any more is not shown any more.
            gauge.reset();
            for_each(&all, *read, |labels, value| {
                let value = i64::try_from(value).unwrap_or(i64::MAX);
                gauge.with_label_values(labels).set(value);
            });
            families.extend(gauge.collect());
        }
        for (counter, read) in &shown.counters {
            counter.reset();
            for_each(&all, *read, |labels, value| {
                counter.with_label_values(labels).inc_by(value);
            });
            families.extend(counter.collect());
        }
        families
    }
}

fn for_each(all: &BTreeMap<&str, Seen>, read: Read, mut show: impl FnMut(&[&str], u64)) {
    for (name, seen) in all {
        for (second, value) in read(seen) {
            match second {
                "" => show(&[name], value),
                second => show(&[name, second], value),
            }
        }
    }
}

#[cfg(test)]
mod tests;
