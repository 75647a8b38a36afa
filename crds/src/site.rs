//! A site of a pool: its hosts, where its content comes from, and its rules.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{BreakerSpec, OriginLimitsSpec, RetriesSpec, pattern};

mod collapse;
mod compression;
mod freshness;
mod key;
mod origin;

pub use collapse::CollapseSpec;
pub use compression::CompressionSpec;
pub use freshness::{FreshnessSpec, HeuristicSpec, RequestDirectives, SetCookie};
pub use key::{KeySpec, QuerySpec};
pub use origin::{OriginSpec, ShieldRef, TimeoutsSpec};

/// A set of hosts that share their origins and rules.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "has(self.origins) != has(self.shield)",
        "message": "a site takes its content from `origins` or from a `shield`: give exactly one of the two",
    },
    {
        "rule": "!has(self.shield) || !(has(self.limits) || has(self.breaker) || has(self.retries))",
        "message": "`limits`, `breaker` and `retries` are those of the shield where there is one: give them there",
    },
]))]
#[serde(rename_all = "camelCase")]
pub struct SiteSpec {
    /// Names the site in metrics and logs; unique in the pool. If absent, the first host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub name: Option<String>,

    /// Host names that the site answers to, such as `cdn.example.com`, or `*.img.example.com` for
    /// every name below `img.example.com`. A host belongs to one site of one pool only.
    #[schemars(length(min = 1, max = 100), inner(regex(pattern = pattern::HOST), length(max = 255)))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub hosts: Vec<String>,

    /// Where the content comes from. Those of the lowest `priority` share the requests by their
    /// `weight`. Either this or `shield`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 16))]
    pub origins: Vec<OriginSpec>,

    /// The `OriginShield` that the content comes through, in place of `origins`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shield: Option<ShieldRef>,

    /// Time limits towards the origins, or towards the shield. The shield's own are made shorter for the
    /// site where they do not leave it time to answer. If absent: as the fields say by default, or
    /// with a shield, what its own need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<TimeoutsSpec>,

    /// How many requests each edge has at once with each origin; if absent, as its fields say by default. A site without a
    /// shield protects its origins itself; with one, the shield's `limits` and the pool's `bypass` do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<OriginLimitsSpec>,

    /// When an edge leaves an origin that fails alone; if absent, as its fields say by default. Not with a
    /// shield, which has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker: Option<BreakerSpec>,

    /// When an edge tries a request again; if absent, as its fields say by default. Not with a shield, which
    /// has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<RetriesSpec>,

    /// What makes two requests the same to the cache. Scheme, host, path and query always count.
    #[serde(default)]
    pub key: KeySpec,

    /// How long responses are fresh where the origin leaves room.
    #[serde(default)]
    pub freshness: FreshnessSpec,

    /// How requests for the same thing share one request to the origin.
    #[serde(default)]
    pub collapse: CollapseSpec,

    /// Compression of responses on their way to clients.
    #[serde(default)]
    pub compression: CompressionSpec,

    /// Answers to range requests.
    #[serde(default)]
    pub ranges: RangesSpec,

    /// What happens to `Upgrade` requests such as those of WebSockets: `Tunnel` passes them through to
    /// the origin, `Refuse` answers with status 501.
    #[serde(default)]
    pub upgrade: Upgrade,

    /// Who gets to see `X-Cache`, `X-Cache-Key`, `X-Edge-Node` and the like: `Never` nobody (the
    /// standard `Cache-Status` is always there), `OnRequest` who sends `X-CDN-Debug: 1`, `Always`
    /// everybody.
    #[serde(default)]
    pub debug_headers: DebugHeaders,
}

/// Range requests.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct RangesSpec {
    /// Ranges answered in one response; a request for more gets the whole.
    #[schemars(range(min = 1, max = 1000))]
    pub max: i32,
}

impl Default for RangesSpec {
    fn default() -> Self {
        Self { max: 16 }
    }
}

/// What happens to `Upgrade` requests.
#[derive(Serialize, Deserialize, JsonSchema, Copy, Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "a description per value would leave the schema without `enum`")]
pub enum Upgrade {
    #[default]
    Refuse,
    Tunnel,
}

/// Who gets to see the debugging headers.
#[derive(Serialize, Deserialize, JsonSchema, Copy, Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "a description per value would leave the schema without `enum`")]
pub enum DebugHeaders {
    #[default]
    Never,
    OnRequest,
    Always,
}
