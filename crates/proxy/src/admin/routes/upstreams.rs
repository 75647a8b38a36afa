//! Everybody that a node asks, with what it knows of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Serialize;
use upstream::Target;

use super::Node;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Upstream {
    /// Its authority. Two of one name are treated in different ways, as their sites say.
    name: String,
    /// Whether it is tried before others: up, and the breaker not open.
    usable: bool,
    up: bool,
    /// Why it is up or down.
    health: &'static str,
    since_seconds: f64,
    probed: bool,
    /// How often it came back.
    ups: u64,
    breaker: &'static str,
    tripped_by: Option<&'static str>,
    /// By reason, since it is known.
    breaker_openings: BTreeMap<&'static str, u64>,
    opens_again_in_seconds: f64,
    limit: u32,
    in_flight: u32,
    waiting: usize,
    unqueued_latency_seconds: Option<f64>,
    sent: u64,
    succeeded: u64,
    failed: u64,
    held_back_by_breaker: u64,
    queue_full: u64,
    queue_timeout: u64,
    probes: u64,
    probes_failed: u64,
    names: Names,
}

/// What came of asking for its name; nothing is asked for a literal address.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Names {
    asked: u64,
    failed: u64,
    remembered: u64,
    age_seconds: Option<f64>,
}

impl Upstream {
    pub(super) fn new(target: &Target) -> Self {
        let report = target.report();
        let (counts, names) = (report.counts, report.resolve);
        Self {
            name: report.name,
            usable: target.is_usable(),
            up: report.up,
            health: report.health.as_str(),
            since_seconds: report.since.as_secs_f64(),
            probed: target.settings().probe.is_some(),
            ups: report.ups,
            breaker: report.breaker.as_str(),
            tripped_by: report.trip.map(upstream::breaker::TripReason::as_str),
            breaker_openings: counts.openings().map(|(why, n)| (why.as_str(), n)).collect(),
            opens_again_in_seconds: report.retry_after.as_secs_f64(),
            limit: report.limit,
            in_flight: report.in_flight,
            waiting: report.waiting,
            unqueued_latency_seconds: report.baseline.map(|latency| latency.as_secs_f64()),
            sent: counts.sent,
            succeeded: counts.succeeded,
            failed: counts.failed,
            held_back_by_breaker: counts.breaker_open,
            queue_full: counts.queue_full,
            queue_timeout: counts.queue_timeout,
            probes: counts.probes,
            probes_failed: counts.probes_failed,
            names: Names {
                asked: names.asked,
                failed: names.failed,
                remembered: names.remembered,
                age_seconds: names.age.map(|age| age.as_secs_f64()),
            },
        }
    }
}

/// An upstream, and what it is to this node.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Used {
    #[serde(flatten)]
    upstream: Upstream,
    /// Names of sites whose origin it is.
    sites: Vec<String>,
    /// Where it stands on rings.
    members: Vec<UsedAs>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UsedAs {
    ring: String,
    name: String,
    here: bool,
}

/// The origins of all sites and the members of all rings, by name, each once.
pub(super) fn all(node: &Node) -> Vec<Used> {
    let mut found = Found::default();
    for site in node.config().sites.all() {
        for origin in &site.way().origins {
            found.used(&origin.target).sites.push(site.spec.name.clone());
        }
    }
    for (ring, members) in node.rings().all() {
        for (neighbour, member) in members.members.iter().zip(members.hash.members()) {
            let (ring, name) = (ring.to_owned(), member.name.clone());
            let used = UsedAs { ring, name, here: neighbour.here };
            found.used(&neighbour.target).members.push(used);
        }
    }
    let mut all = found.all;
    all.sort_by(|a, b| a.upstream.name.cmp(&b.upstream.name));
    all
}

#[derive(Default)]
struct Found {
    all: Vec<Used>,
    /// The place of each target.
    places: HashMap<*const Target, usize>,
}

impl Found {
    fn used(&mut self, target: &Arc<Target>) -> &mut Used {
        let place = *self.places.entry(Arc::as_ptr(target)).or_insert_with(|| {
            let upstream = Upstream::new(target);
            self.all.push(Used { upstream, sites: Vec::new(), members: Vec::new() });
            self.all.len() - 1
        });
        &mut self.all[place]
    }
}
