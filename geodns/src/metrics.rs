//! What a GeoDNS counts.

use std::collections::BTreeMap;

use dns::answer::{Answered, Outcome};
use dns::health::{Condition, HealthReason, Passive};
use dns::limit::Limited;
use dns::packet::{FormatFault, rtype};
use dns::place::PlaceSource;
use dns::quorum::Standpoint;
use dns::redirect::{RedirectReason, RefusalReason};
use runtime::metrics::{
    HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, LATENCY_SECONDS, MetricError,
    Metrics, Opts,
};

use crate::healths::Subject;

/// PoPs in maintenance by their pools and names, and whether they are quiet.
pub(crate) type Maintained = BTreeMap<(String, String), bool>;

/// Types of questions with a label of their own.
const TYPES: [(u16, &str); 5] = [
    (rtype::A, "A"),
    (rtype::AAAA, "AAAA"),
    (rtype::NS, "NS"),
    (rtype::SOA, "SOA"),
    (rtype::ANY, "ANY"),
];
/// All others.
const OTHER: usize = TYPES.len();

/// The metrics of a GeoDNS. Those of the hot path are resolved once.
#[derive(Clone, Debug)]
pub struct DnsMetrics {
    /// By outcome and type.
    answers: Vec<Vec<IntCounter>>,
    malformed: Vec<IntCounter>,
    places: Vec<IntCounter>,
    subnets: IntCounter,
    truncated: IntCounter,
    slipped: IntCounter,
    dropped: IntCounter,
    all_bad: IntCounter,
    pops: IntCounterVec,
    reloads: IntCounterVec,
    probes: HistogramVec,
    states: IntGaugeVec,
    changes: IntCounterVec,
    standpoints: IntGaugeVec,
    observers: IntGauge,
    exchanges: IntCounterVec,
    signals: IntCounterVec,
    redirects: IntCounterVec,
    refusals: IntCounterVec,
    maintenance: IntGaugeVec,
    /// Connections open.
    pub connections: IntGauge,
    crowded: IntCounter,
}

/// What became of what an observer told or was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exchanged {
    /// The others can read it.
    Told,
    /// Redis was not reached.
    Away,
    /// There are too many observers.
    Refused,
    /// It is more than others would read.
    TooLarge,
    /// Another one's was read.
    Heard,
    /// Another one was not heard for its lease, without a goodbye.
    Late,
    /// Another one's could not be read.
    Unread,
    /// Another process has the same name.
    Namesake,
}

impl Exchanged {
    /// A stable token for metrics and logs.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Away => "away",
            Self::Refused => "refused",
            Self::TooLarge => "too-large",
            Self::Heard => "heard",
            Self::Late => "late",
            Self::Unread => "unread",
            Self::Namesake => "namesake",
        }
    }
}

impl DnsMetrics {
    /// Declares them.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(registry: &Metrics) -> Result<Self, MetricError> {
        let answers = registry.counters(
            "cdn_dns_answers_total",
            "queries by what they got and the type asked for",
            &["result", "type"],
        )?;
        let types = || TYPES.iter().map(|(_, name)| *name).chain(["other"]);
        let of = |outcome: &Outcome| {
            types().map(|name| answers.with_label_values(&[outcome.as_str(), name])).collect()
        };
        let malformed = registry.counters(
            "cdn_dns_malformed_total",
            "queries that could not be read",
            &["reason"],
        )?;
        let places = registry.counters(
            "cdn_dns_places_total",
            "answers by from where the client's place was known",
            &["source"],
        )?;
        let limited = registry.counters(
            "cdn_dns_limited_total",
            "answers over the rate limit",
            &["action"],
        )?;
        Ok(Self {
            answers: Outcome::ALL.iter().map(of).collect(),
            malformed: FormatFault::ALL
                .iter()
                .map(|fault| malformed.with_label_values(&[fault.as_str()]))
                .collect(),
            places: PlaceSource::ALL
                .iter()
                .map(|source| places.with_label_values(&[source.as_str()]))
                .collect(),
            subnets: registry.counter(
                "cdn_dns_subnet_queries_total",
                "queries that tell of the client's subnet",
            )?,
            truncated: registry.counter("cdn_dns_truncated_total", "answers that did not fit")?,
            slipped: limited.with_label_values(&["slip"]),
            dropped: limited.with_label_values(&["drop"]),
            all_bad: registry.counter(
                "cdn_dns_all_bad_answers_total",
                "answers with PoPs that are not well, as none is",
            )?,
            pops: registry.counters(
                "cdn_dns_pop_answers_total",
                "answers that name a PoP",
                &["pool", "pop"],
            )?,
            reloads: registry.counters(
                "cdn_dns_reloads_total",
                "new versions of files found",
                &["file", "result"],
            )?,
            probes: registry.histograms(
                "cdn_dns_probe_seconds",
                "probes of PoPs' addresses by how they ended",
                &["pool", "pop", "result"],
                LATENCY_SECONDS,
            )?,
            states: registry.declare(IntGaugeVec::new(
                Opts::new(
                    "cdn_dns_address_state",
                    "PoPs' addresses: 0 unknown, 1 healthy, 2 degraded, 3 unhealthy",
                ),
                &["pool", "pop", "address"],
            )?)?,
            changes: registry.counters(
                "cdn_dns_address_changes_total",
                "changes of the state of PoPs' addresses",
                &["pool", "pop", "reason"],
            )?,
            standpoints: registry.declare(IntGaugeVec::new(
                Opts::new("cdn_dns_standpoint", "1 for the observer's standpoint, 0 for others"),
                &["standpoint"],
            )?)?,
            observers: registry.gauge("cdn_dns_observers", "other observers that are heard")?,
            signals: registry.counters(
                "cdn_dns_signals_total",
                "edges of which the log says that they go, are not ready, or say nothing",
                &["signal"],
            )?,
            exchanges: registry.counters(
                "cdn_dns_ballots_total",
                "what observers told each other by what became of it",
                &["result"],
            )?,
            redirects: registry.counters(
                "cdn_router_redirects_total",
                "clients of the HTTP router by the PoP that they were sent to, and why",
                &["pool", "pop", "reason"],
            )?,
            refusals: registry.counters(
                "cdn_router_refusals_total",
                "clients of the HTTP router that were sent nowhere",
                &["pool", "reason"],
            )?,
            maintenance: registry.declare(IntGaugeVec::new(
                Opts::new(
                    "cdn_dns_maintenance",
                    "PoPs that were taken out: 1 clients still remember them, 2 quiet",
                ),
                &["pool", "pop"],
            )?)?,
            connections: registry.gauge("cdn_dns_connections", "connections open")?,
            crowded: registry.counter(
                "cdn_dns_crowded_total",
                "connections closed at once, as their network has all that it may have",
            )?,
        })
    }

    /// A query was answered.
    pub(crate) fn count(&self, answered: &Answered) {
        let of = |(rtype, _): &(u16, &str)| Some(*rtype) == answered.qtype;
        let rtype = TYPES.iter().position(of).unwrap_or(OTHER);
        self.answers[answered.outcome as usize][rtype].inc();
        if let Some(fault) = answered.fault {
            self.malformed[fault as usize].inc();
        }
        if let Some(sent) = &answered.sent {
            self.places[sent.choice.source as usize].inc();
            if sent.all_bad {
                self.all_bad.inc();
            }
        }
        if answered.has_subnet {
            self.subnets.inc();
        }
        if answered.truncated {
            self.truncated.inc();
        }
    }

    /// The rate limit decided.
    pub(crate) fn limited(&self, limited: Limited) {
        match limited {
            Limited::Send => {}
            Limited::Slip => self.slipped.inc(),
            Limited::Drop => self.dropped.inc(),
        }
    }

    /// A PoP was named so many times.
    pub(crate) fn named(&self, pool: &str, pop: &str, count: u64) {
        if count > 0 {
            self.pops.with_label_values(&[pool, pop]).inc_by(count);
        }
    }

    /// A probe ended after so many seconds.
    pub(crate) fn probed(&self, subject: &Subject, result: &str, seconds: f64) {
        self.probes.with_label_values(&[&subject.pool, &subject.pop, result]).observe(seconds);
    }

    /// An address is in this state.
    pub(crate) fn state(&self, subject: &Subject, condition: Condition) {
        let Subject { pool, pop, address } = subject;
        self.states.with_label_values(&[pool, pop, &address.to_string()]).set(condition as i64);
    }

    /// An address changed.
    pub(crate) fn changed(&self, subject: &Subject, reason: HealthReason) {
        self.changes.with_label_values(&[&subject.pool, &subject.pop, reason.as_str()]).inc();
    }

    /// An address is probed no more.
    pub(crate) fn forget(&self, subject: &Subject) {
        let Subject { pool, pop, address } = subject;
        // It may never have been shown.
        let _ = self.states.remove_label_values(&[pool, pop, &address.to_string()]);
    }

    /// This observer stands so, and hears so many others.
    pub(crate) fn stands(&self, now: Standpoint, others: usize) {
        for standpoint in Standpoint::ALL {
            let is = i64::from(standpoint == now);
            self.standpoints.with_label_values(&[standpoint.as_str()]).set(is);
        }
        self.observers.set(i64::try_from(others).unwrap_or(i64::MAX));
    }

    /// Something else than a probe speaks against a PoP.
    pub(crate) fn signalled(&self, why: Passive) {
        self.signals.with_label_values(&[why.as_str()]).inc();
    }

    /// Something was told or heard, or was not.
    pub(crate) fn exchanged(&self, result: Exchanged) {
        self.exchanges.with_label_values(&[result.as_str()]).inc();
    }

    /// A client of the router was sent to a PoP.
    pub(crate) fn redirected(&self, pool: &str, pop: &str, reason: RedirectReason) {
        self.redirects.with_label_values(&[pool, pop, reason.as_str()]).inc();
    }

    /// A client of the router was sent nowhere.
    pub(crate) fn sent_nowhere(&self, pool: &str, reason: RefusalReason) {
        self.refusals.with_label_values(&[pool, reason.as_str()]).inc();
    }

    /// These PoPs are in maintenance, those of `before` were: by pool and name, whether they are quiet.
    pub(crate) fn maintained(&self, pops: &Maintained, before: &Maintained) {
        for (pool, pop) in before.keys().filter(|place| !pops.contains_key(*place)) {
            // It may never have been shown.
            let _ = self.maintenance.remove_label_values(&[pool, pop]);
        }
        for ((pool, pop), quiet) in pops {
            self.maintenance.with_label_values(&[pool, pop]).set(if *quiet { 2 } else { 1 });
        }
    }

    /// A connection was closed at once.
    pub(crate) fn crowded(&self) {
        self.crowded.inc();
    }

    /// A new version of a file was taken over or refused.
    pub(crate) fn reloaded(&self, file: &str, taken_over: bool) {
        let result = if taken_over { "taken-over" } else { "refused" };
        self.reloads.with_label_values(&[file, result]).inc();
    }
}
