//! One site of a pool: its hosts, its origin and its rules.

use serde::{Deserialize, Serialize};

use super::{Breaker, HealthProbe, OriginLimits, Retries, StatusTtls};

/// A set of hosts that share an origin and rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Site {
    /// Names the site in metrics and logs.
    pub name: String,
    /// Exact names, or `*.example.com` for any one label or more below it. Lower case.
    pub hosts: Vec<String>,
    /// The ring of the fleet that the content comes through, such as `shield/main`; absent = straight
    /// from the origins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shield: Option<String>,
    /// Where the content comes from: those of the lowest priority, by their weights. With a shield, where
    /// a node may go when nobody on its ring can be reached (S6).
    pub origins: Vec<Origin>,
    /// Time limits towards the next tier or the origin.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// How many requests reach each origin. With a shield, those that go past it: a few.
    #[serde(default)]
    pub limits: OriginLimits,
    /// When an origin is left alone.
    #[serde(default)]
    pub breaker: Breaker,
    /// When a request is tried again.
    #[serde(default)]
    pub retries: Retries,
    /// What makes two requests the same (E3).
    #[serde(default)]
    pub key: KeyRules,
    /// How long things are fresh (E2, E5, E7, E14).
    #[serde(default)]
    pub freshness: FreshnessRules,
    /// Waiting for another request's fill (E11).
    #[serde(default)]
    pub collapse: Collapse,
    /// Compression at delivery (E13); absent = none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
    /// What answers say about the cache (O4).
    #[serde(default)]
    pub headers: DebugHeaders,
    /// Whether `Upgrade` requests are tunnelled (E16); else 501.
    #[serde(default)]
    pub upgrade: bool,
    /// Byte ranges answered in one `multipart/byteranges` (E9); more get the whole.
    #[serde(default = "max_ranges")]
    pub max_ranges: u32,
}

fn max_ranges() -> u32 {
    16
}

/// An origin server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Origin {
    /// `http://host[:port]` or `https://host[:port]`, without a path.
    pub url: String,
    /// Sent as `Host` (and TLS server name) in place of the client's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// PEM certificates to trust besides the public roots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// Lower is preferred, 0 to 15.
    #[serde(default)]
    pub priority: u8,
    /// Share of the requests among those of the same priority, 1 to 1,000.
    #[serde(default = "usual_weight")]
    pub weight: u32,
    /// How it is asked whether it is well; absent = not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthProbe>,
}

impl Origin {
    /// The origin at `url`, with nothing special about it.
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            host: None,
            ca: None,
            priority: 0,
            weight: usual_weight(),
            health: None,
        }
    }
}

fn usual_weight() -> u32 {
    100
}

/// Milliseconds; all but `connect_ms` are shorter than those of the tier that asks (S7), so that its word
/// about what went wrong comes in time. Whom a tier connects to is its own affair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Timeouts {
    /// Until a connection stands, TLS included.
    pub connect_ms: u64,
    /// Until the response head is there, further tries included; waiting for a turn comes before it.
    pub first_byte_ms: u64,
    /// Between two pieces of a response body.
    pub between_bytes_ms: u64,
    /// Until the response is complete, waiting for a turn and all tries included.
    pub total_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect_ms: 3_000,
            first_byte_ms: 30_000,
            between_bytes_ms: 30_000,
            total_ms: 3_600_000,
        }
    }
}

/// Rules of the cache key.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct KeyRules {
    /// Order the query's parameters.
    pub sort_query: bool,
    /// Which of them count.
    pub query: QueryRule,
    /// Fields whose values count. Lower case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// Cookies whose values count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cookies: Vec<String>,
}

/// Which query parameters are part of the key.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum QueryRule {
    /// All of them.
    #[default]
    All,
    /// None.
    None,
    /// Only these.
    Keep(Vec<String>),
    /// All but these.
    Drop(Vec<String>),
}

/// Freshness where the origin leaves room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FreshnessRules {
    /// Heuristic freshness (RFC 9111 §4.2.2); absent = none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heuristic: Option<Heuristic>,
    /// What a `Set-Cookie` in the response means.
    pub set_cookie: SetCookie,
    /// Seconds per status, where the origin does not say (E14); 0 = do not store.
    pub negative_ttl_seconds: StatusTtls,
    /// Seconds of stale-if-error where the origin does not say (RFC 5861).
    pub stale_if_error_seconds: u32,
    /// Seconds of stale-while-revalidate where the origin does not say.
    pub stale_while_revalidate_seconds: u32,
    /// Whether a client's `Cache-Control` can ask for validation (RFC 9111 §5.2.1).
    pub honor_request_directives: bool,
}

impl Default for FreshnessRules {
    fn default() -> Self {
        let mut negative: StatusTtls = [404, 405, 410, 501].map(|s| (s, 10)).into();
        negative.extend([500, 502, 503, 504].map(|s| (s, 1)));
        Self {
            heuristic: None,
            set_cookie: SetCookie::RequirePermission,
            negative_ttl_seconds: negative,
            stale_if_error_seconds: 3600,
            stale_while_revalidate_seconds: 0,
            honor_request_directives: true,
        }
    }
}

/// A share of the age that `Last-Modified` shows.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Heuristic {
    /// 1 to 100.
    pub percent: u8,
    /// Seconds at most.
    pub cap_seconds: u32,
}

/// Whether a response with `Set-Cookie` may be stored.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SetCookie {
    /// Only with a permission meant for shared caches.
    #[default]
    RequirePermission,
    /// As RFC 9111 has it: it does not matter.
    AsRfc,
    /// The cookie is dropped, then it does not matter.
    Strip,
}

/// Collapsed forwarding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Collapse {
    /// How long a request waits for another's answer before it goes itself.
    pub timeout_ms: u64,
    /// How many of those may go themselves at once, per node and site; the rest get 503.
    pub max_bypass: u32,
    /// How long a URL that proved uncacheable is not collapsed.
    pub hit_for_miss_seconds: u32,
}

impl Default for Collapse {
    fn default() -> Self {
        Self { timeout_ms: 10_000, max_bypass: 64, hit_for_miss_seconds: 120 }
    }
}

/// Compression at delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Compression {
    /// Media types, exact or `text/*`.
    pub types: Vec<String>,
    /// Shorter bodies stay as they are.
    pub min_bytes: u64,
    /// Brotli quality 0–11; absent = not offered.
    pub br: Option<u8>,
    /// Zstandard level 1–19; absent = not offered.
    pub zstd: Option<u8>,
    /// Gzip level 1–9; absent = not offered.
    pub gzip: Option<u8>,
}

impl Default for Compression {
    fn default() -> Self {
        let types = [
            "text/*",
            "application/javascript",
            "application/json",
            "application/manifest+json",
            "application/wasm",
            "application/xml",
            "image/svg+xml",
        ];
        Self {
            types: types.map(str::to_owned).to_vec(),
            min_bytes: 1024,
            br: Some(5),
            zstd: Some(3),
            gzip: Some(6),
        }
    }
}

/// Who sees `X-Cache`, `X-Cache-Key`, `X-Edge-Node`, `X-Cache-TTL` and `X-Cache-Vary`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DebugHeaders {
    /// Nobody; `Cache-Status` alone tells.
    #[default]
    Never,
    /// Who sends `X-CDN-Debug: 1`.
    OnRequest,
    /// Everybody.
    Always,
}
