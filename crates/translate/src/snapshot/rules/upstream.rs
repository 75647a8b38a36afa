//! The way to the content: origins, time limits and what protects them.

use wire::snapshot::{
    Breaker, HealthProbe, Origin, OriginLimits, Peering, Retries, Site, Tier, Timeouts,
};

use super::{is_normal, positive};
use crate::check;
use crate::path::{Path, Problems};

pub(super) fn upstream(site: &Site, tier: Tier, at: &Path, problems: &mut Problems) {
    match &site.shield {
        Some(ring) if ring.is_empty() => problems.add(&at.key("shield"), "must not be empty"),
        Some(_) if tier == Tier::Shield => {
            problems.add(&at.key("shield"), "a shield has no other behind it");
        }
        _ => {}
    }
    if site.origins.is_empty() {
        problems.add(&at.key("origins"), "must have at least one origin");
    }
    for (i, one) in site.origins.iter().enumerate() {
        origin(one, &at.key("origins").index(i), problems);
    }
    timeouts(&site.timeouts, &at.key("timeouts"), problems);
    limits(&site.limits, &at.key("limits"), problems);
    breaker(&site.breaker, &at.key("breaker"), problems);
    retries(&site.retries, &at.key("retries"), problems);
}

fn origin(origin: &Origin, at: &Path, problems: &mut Problems) {
    is_normal(&origin.url, &at.key("url"), check::origin_url, problems);
    if let Some(host) = &origin.host {
        is_normal(host, &at.key("host"), check::host, problems);
    }
    if let Some(pem) = &origin.ca {
        problems.take(&at.key("ca"), check::certificates(pem));
    }
    let numbers =
        [("priority", origin.priority.into(), 0, 15), ("weight", origin.weight.into(), 1, 1_000)];
    ranges(&numbers, at, problems);
    if let Some(probe) = &origin.health {
        health(probe, &at.key("health"), problems);
    }
}

fn health(probe: &HealthProbe, at: &Path, problems: &mut Problems) {
    is_normal(&probe.path, &at.key("path"), check::path, problems);
    positive(&[("intervalMs", probe.interval_ms), ("timeoutMs", probe.timeout_ms)], at, problems);
    not_more(("timeoutMs", probe.timeout_ms), ("intervalMs", probe.interval_ms), at, problems);
    let (least, greatest) = (probe.least_status.into(), probe.greatest_status.into());
    let numbers = [
        ("unhealthyAfter", probe.unhealthy_after.into(), 1, 100),
        ("healthyAfter", probe.healthy_after.into(), 1, 100),
        ("leastStatus", least, 100, 599),
        ("greatestStatus", greatest, 100, 599),
    ];
    ranges(&numbers, at, problems);
    not_more(("leastStatus", least), ("greatestStatus", greatest), at, problems);
}

fn timeouts(timeouts: &Timeouts, at: &Path, problems: &mut Problems) {
    let fields = [
        ("connectMs", timeouts.connect_ms),
        ("firstByteMs", timeouts.first_byte_ms),
        ("betweenBytesMs", timeouts.between_bytes_ms),
        ("totalMs", timeouts.total_ms),
    ];
    positive(&fields, at, problems);
    let [connect, first_byte, _, total] = fields;
    not_more(connect, first_byte, at, problems);
    not_more(first_byte, total, at, problems);
}

fn limits(limits: &OriginLimits, at: &Path, problems: &mut Problems) {
    let (least, most) = (limits.min_concurrency.into(), limits.max_concurrency.into());
    ranges(&[("maxConcurrency", most, 1, 65_536)], at, problems);
    positive(
        &[("minConcurrency", least), ("queueTimeoutMs", limits.queue_timeout_ms)],
        at,
        problems,
    );
    not_more(("minConcurrency", least), ("maxConcurrency", most), at, problems);
}

fn breaker(breaker: &Breaker, at: &Path, problems: &mut Problems) {
    let fields = [
        ("windowMs", breaker.window_ms),
        ("minRequests", breaker.min_requests.into()),
        ("openMs", breaker.open_ms),
        ("maxOpenMs", breaker.max_open_ms),
    ];
    positive(&fields, at, problems);
    ranges(&[("failurePercent", breaker.failure_percent.into(), 0, 100)], at, problems);
    not_more(fields[2], fields[3], at, problems);
}

fn retries(retries: &Retries, at: &Path, problems: &mut Problems) {
    let numbers = [
        ("attempts", retries.attempts.into(), 1, 10),
        ("budgetPercent", retries.budget_percent.into(), 0, 100),
    ];
    ranges(&numbers, at, problems);
    let fields = [("backoffMs", retries.backoff_ms), ("maxBackoffMs", retries.max_backoff_ms)];
    positive(&fields, at, problems);
    not_more(fields[0], fields[1], at, problems);
}

pub(super) fn peering(peering: &Peering, at: &Path, problems: &mut Problems) {
    let numbers = [
        ("hotAfter", peering.hot_after.into(), 1, 65_535),
        ("hotWindowMs", peering.hot_window_ms, 1_000, 3_600_000),
        ("boundedLoadPercent", peering.bounded_load_percent.into(), 100, 1_000),
        ("rampMs", peering.ramp_ms, 0, 3_600_000),
    ];
    ranges(&numbers, at, problems);
}

fn ranges(numbers: &[(&str, u64, u64, u64)], at: &Path, problems: &mut Problems) {
    for (key, number, least, most) in numbers {
        if !(least..=most).contains(&number) {
            problems.add(&at.key(key), format!("must be from {least} to {most}"));
        }
    }
}

fn not_more(
    (key, number): (&str, u64),
    (bound, most): (&str, u64),
    at: &Path,
    problems: &mut Problems,
) {
    if number > most {
        problems.add(&at.key(key), format!("must not be more than {bound}"));
    }
}
