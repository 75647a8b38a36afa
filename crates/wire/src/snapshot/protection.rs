//! What keeps an origin from being asked for more than it can give (S3–S5).

use serde::{Deserialize, Serialize};

/// The origin's answers tell how it is (S5); this is how it is asked besides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HealthProbe {
    /// Asked for with GET: a path, with the query if there is one.
    pub path: String,
    /// Milliseconds between two probes while all is well.
    pub interval_ms: u64,
    /// Milliseconds that an answer may take, at most `interval_ms`.
    pub timeout_ms: u64,
    /// So many failures in a row take the origin down, 1 to 100.
    pub unhealthy_after: u32,
    /// So many good answers in a row bring it up, 1 to 100.
    pub healthy_after: u32,
    /// The least status of a good answer, 100 to 599.
    pub least_status: u16,
    /// The greatest, not below `least_status`.
    pub greatest_status: u16,
}

impl Default for HealthProbe {
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            interval_ms: 5_000,
            timeout_ms: 2_000,
            unhealthy_after: 3,
            healthy_after: 2,
            least_status: 200,
            greatest_status: 399,
        }
    }
}

/// How many requests reach one origin from one node (S3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OriginLimits {
    /// At once, 1 to 65,536.
    pub max_concurrency: u32,
    /// Waiting for their turn; the rest get 503 at once, or stale.
    pub queue: u32,
    /// Milliseconds that one waits, before the time for the first byte begins to run.
    pub queue_timeout_ms: u64,
    /// Whether the limit follows the measured latency between `min_concurrency` and `max_concurrency`.
    pub adaptive: bool,
    /// 1 to `max_concurrency`.
    pub min_concurrency: u32,
}

impl Default for OriginLimits {
    fn default() -> Self {
        Self {
            max_concurrency: 1024,
            queue: 1024,
            queue_timeout_ms: 5_000,
            adaptive: false,
            min_concurrency: 4,
        }
    }
}

/// The circuit breaker of one origin (S4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Breaker {
    /// So many failures in a row open it; 0 = no number does.
    pub consecutive_failures: u32,
    /// This share of failures within the window opens it, 1 to 100; 0 = no share does.
    pub failure_percent: u8,
    /// Milliseconds over which the share is taken.
    pub window_ms: u64,
    /// The share counts from so many requests within the window on.
    pub min_requests: u32,
    /// Milliseconds that it stays open at first; doubled each time that trials fail.
    pub open_ms: u64,
    /// Milliseconds that it stays open at most; not less than `open_ms`.
    pub max_open_ms: u64,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            consecutive_failures: 10,
            failure_percent: 50,
            window_ms: 10_000,
            min_requests: 20,
            open_ms: 1_000,
            max_open_ms: 5_000,
        }
    }
}

/// Further tries of requests that failed (S4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Retries {
    /// Tries of one request, the first counted in: 1 to 10.
    pub attempts: u32,
    /// What tries after the first may add to the requests: 0 to 100.
    pub budget_percent: u8,
    /// Milliseconds before the second try; doubled for each further one.
    pub backoff_ms: u64,
    /// Milliseconds at most; not less than `backoff_ms`.
    pub max_backoff_ms: u64,
}

impl Default for Retries {
    fn default() -> Self {
        Self { attempts: 3, budget_percent: 10, backoff_ms: 25, max_backoff_ms: 1_000 }
    }
}
