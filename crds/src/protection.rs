//! What keeps an origin from being asked for more than it can give.
//!
//! An `OriginShield` has all of it for its origins, and a site for its own; the same fields in both, so that
//! origins can move from one to the other with theirs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Duration;

/// How many requests an origin has in hand at once, and how many wait.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "!self.adaptive || self.minConcurrency <= self.maxConcurrency",
    "message": "`minConcurrency` of an adaptive limit must not be more than `maxConcurrency`",
}]))]
#[serde(rename_all = "camelCase", default)]
pub struct OriginLimitsSpec {
    /// Requests that each server of this tier has at once with each origin, from the first byte sent to
    /// the last received. What the origin must bear is this times the number of servers.
    #[schemars(range(min = 1, max = 65536))]
    pub max_concurrency: i32,

    /// Requests that may wait for their turn, per server and origin; sites take turns. The rest get status
    /// 503 with `Retry-After` at once, or what is stored, even if stale.
    #[schemars(range(min = 0, max = 1000000))]
    pub queue: i32,

    /// How long a request waits for its turn, before `timeouts.firstByte` begins to run.
    pub queue_timeout: Duration,

    /// Whether the limit follows the origin's latency: down towards `minConcurrency` while answers take
    /// longer than usual, up again to `maxConcurrency`.
    pub adaptive: bool,

    /// Where an adaptive limit stops to fall; means nothing for one that stands still.
    #[schemars(range(min = 1, max = 65536))]
    pub min_concurrency: i32,
}

impl Default for OriginLimitsSpec {
    fn default() -> Self {
        Self {
            max_concurrency: 1024,
            queue: 1024,
            queue_timeout: Duration::from_secs(5),
            adaptive: false,
            min_concurrency: 4,
        }
    }
}

/// When an origin that fails is left alone, and for how long. A failure is a connection that does not come
/// about, an answer that is not in time or not whole, or a status from 500 on.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "!has(self.maxOpenFor) || duration(self.openFor) <= duration(self.maxOpenFor)",
    "message": "`openFor` must not be longer than `maxOpenFor`",
}]))]
#[serde(rename_all = "camelCase", default)]
pub struct BreakerSpec {
    /// So many failures in a row open the breaker; 0: no number does.
    #[schemars(range(min = 0, max = 10000))]
    pub consecutive_failures: i32,

    /// This share of failures within `window`, in percent, opens it; 0: no share does.
    #[schemars(range(min = 0, max = 100))]
    pub failure_ratio: i32,

    /// Over how long the share is taken.
    pub window: Duration,

    /// The share counts from so many requests within `window` on.
    #[schemars(range(min = 1, max = 100000))]
    pub min_requests: i32,

    /// How long an open breaker keeps requests away before it lets a few through to try. Each time they
    /// fail it stays open for twice as long.
    pub open_for: Duration,

    /// The longest that it stays open. Without one it is 5 s, or `openFor` where that is longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_open_for: Option<Duration>,
}

impl Default for BreakerSpec {
    fn default() -> Self {
        Self {
            consecutive_failures: 10,
            failure_ratio: 50,
            window: Duration::from_secs(10),
            min_requests: 20,
            open_for: Duration::from_secs(1),
            max_open_for: None,
        }
    }
}

/// When a request that failed is tried again. Only requests that do no harm twice are (RFC 9110 §9.2.2), and
/// on another origin where there is one.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "duration(self.backoff) <= duration(self.maxBackoff)",
    "message": "`backoff` must not be longer than `maxBackoff`",
}]))]
#[serde(rename_all = "camelCase", default)]
pub struct RetriesSpec {
    /// Tries of one request, the first counted in; 1: it is not tried again.
    #[schemars(range(min = 1, max = 10))]
    pub attempts: i32,

    /// What tries after the first may add to the requests, in percent, so that an origin in trouble is
    /// not asked a multiple. A few more are allowed where there are few requests.
    #[schemars(range(min = 0, max = 100))]
    pub budget_percent: i32,

    /// The wait before the second try; each further one is twice as long. Chance takes up to half away.
    pub backoff: Duration,

    /// The longest wait.
    pub max_backoff: Duration,
}

impl Default for RetriesSpec {
    fn default() -> Self {
        Self {
            attempts: 3,
            budget_percent: 10,
            backoff: Duration::from_millis(25),
            max_backoff: Duration::from_secs(1),
        }
    }
}
