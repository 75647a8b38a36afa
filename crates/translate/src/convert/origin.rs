//! Origins, and what protects them.

use ::wire::snapshot as wire;
use crds::{
    BreakerSpec, Duration, HealthSpec, OriginLimitsSpec, OriginSpec, RetriesSpec, TimeoutsSpec,
};

use super::amount::{millis, small};
use crate::check;
use crate::path::{Path, Problems};

/// How long a breaker stays open at most unless the resource says so.
const LONGEST_OPEN: Duration = Duration::from_secs(5);

pub(super) fn origins(
    specs: &[OriginSpec],
    at: &Path,
    problems: &mut Problems,
) -> Vec<wire::Origin> {
    let mut origins = Vec::new();
    for (i, spec) in specs.iter().enumerate() {
        let at = at.index(i);
        let host = spec.host.as_deref().map(check::host);
        let host = host.and_then(|host| problems.take(&at.key("host"), host));
        let url = problems.take(&at.key("url"), check::origin_url(&spec.url));
        if let Some(pem) = &spec.ca_bundle {
            let at = at.key("caBundle");
            problems.take(&at, check::certificates(pem));
            if url.as_ref().is_some_and(|url| url.starts_with("http:")) {
                problems
                    .add(&at, "has no meaning for an `http` origin; remove it or write `https`");
            }
        }
        let health = spec.health.as_ref();
        let health = health.map(|health| probe(health, &at.key("health"), problems));
        origins.extend(url.map(|url| wire::Origin {
            url,
            host,
            ca: spec.ca_bundle.clone(),
            priority: small(spec.priority),
            weight: small(spec.weight),
            health,
        }));
    }
    origins
}

fn probe(spec: &HealthSpec, at: &Path, problems: &mut Problems) -> wire::HealthProbe {
    let path = problems.take(&at.key("path"), check::path(&spec.path));
    let statuses = problems.take(&at.key("expectStatus"), check::statuses(&spec.expect_status));
    let (least_status, greatest_status) = statuses.unwrap_or((200, 399));
    not_longer(("timeout", spec.timeout), ("interval", spec.interval), at, problems);
    wire::HealthProbe {
        path: path.unwrap_or_default(),
        interval_ms: millis(spec.interval, &at.key("interval"), problems),
        timeout_ms: millis(spec.timeout, &at.key("timeout"), problems),
        unhealthy_after: small(spec.unhealthy_after),
        healthy_after: small(spec.healthy_after),
        least_status,
        greatest_status,
    }
}

pub(super) fn timeouts(spec: &TimeoutsSpec, at: &Path, problems: &mut Problems) -> wire::Timeouts {
    if spec.connect > spec.first_byte {
        problems.add(
            &at.key("connect"),
            format!(
                "`{}` must not be longer than `firstByte`, which is `{}` and starts to run with it",
                spec.connect, spec.first_byte
            ),
        );
    }
    wire::Timeouts {
        connect_ms: millis(spec.connect, &at.key("connect"), problems),
        first_byte_ms: millis(spec.first_byte, &at.key("firstByte"), problems),
        between_bytes_ms: millis(spec.between_bytes, &at.key("betweenBytes"), problems),
        total_ms: millis(spec.total, &at.key("total"), problems),
    }
}

/// `at` is that of the site or shield: a turn that is waited for and the answer share the time in all.
pub(super) fn fits(
    timeouts: &TimeoutsSpec,
    limits: &OriginLimitsSpec,
    at: &Path,
    problems: &mut Problems,
) {
    let (queue, first_byte, total) = (limits.queue_timeout, timeouts.first_byte, timeouts.total);
    let needed = queue.as_millis().saturating_add(first_byte.as_millis());
    if needed > total.as_millis() {
        problems.add(
            &at.key("timeouts").key("total"),
            format!(
                "`{total}` is too short: waiting for a turn, `{queue}` by `limits.queueTimeout`, and \
                 `firstByte`, `{first_byte}`, must fit into it together"
            ),
        );
    }
}

pub(super) fn limits(
    spec: &OriginLimitsSpec,
    at: &Path,
    problems: &mut Problems,
) -> wire::OriginLimits {
    if spec.adaptive && spec.min_concurrency > spec.max_concurrency {
        problems.add(
            &at.key("minConcurrency"),
            format!(
                "{} must not be more than `maxConcurrency`, which is {}",
                spec.min_concurrency, spec.max_concurrency
            ),
        );
    }
    wire::OriginLimits {
        max_concurrency: small(spec.max_concurrency),
        queue: small(spec.queue),
        queue_timeout_ms: millis(spec.queue_timeout, &at.key("queueTimeout"), problems),
        adaptive: spec.adaptive,
        min_concurrency: small(spec.min_concurrency.min(spec.max_concurrency)),
    }
}

pub(super) fn breaker(spec: &BreakerSpec, at: &Path, problems: &mut Problems) -> wire::Breaker {
    let longest = spec.max_open_for.unwrap_or(LONGEST_OPEN.max(spec.open_for));
    not_longer(("openFor", spec.open_for), ("maxOpenFor", longest), at, problems);
    wire::Breaker {
        consecutive_failures: small(spec.consecutive_failures),
        failure_percent: small(spec.failure_ratio),
        window_ms: millis(spec.window, &at.key("window"), problems),
        min_requests: small(spec.min_requests),
        open_ms: millis(spec.open_for, &at.key("openFor"), problems),
        max_open_ms: millis(longest, &at.key("maxOpenFor"), problems),
    }
}

pub(super) fn retries(spec: &RetriesSpec, at: &Path, problems: &mut Problems) -> wire::Retries {
    not_longer(("backoff", spec.backoff), ("maxBackoff", spec.max_backoff), at, problems);
    wire::Retries {
        attempts: small(spec.attempts),
        budget_percent: small(spec.budget_percent),
        backoff_ms: millis(spec.backoff, &at.key("backoff"), problems),
        max_backoff_ms: millis(spec.max_backoff, &at.key("maxBackoff"), problems),
    }
}

fn not_longer(
    (key, time): (&str, Duration),
    (bound, most): (&str, Duration),
    at: &Path,
    problems: &mut Problems,
) {
    if time > most {
        let reason = format!("`{time}` must not be longer than `{bound}`, which is `{most}`");
        problems.add(&at.key(key), reason);
    }
}
