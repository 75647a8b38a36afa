//! How long responses are fresh where the origin leaves room.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Duration;

/// How long responses are fresh where the origin leaves room.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct FreshnessSpec {
    /// Take responses without a lifetime as fresh for a share of the age that `Last-Modified` shows.
    /// Off if absent; `{}` turns it on with the usual values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heuristic: Option<HeuristicSpec>,

    /// Whether a response that sets a cookie is stored. `RequirePermission`: only if it is explicitly
    /// meant for shared caches (`public`, `s-maxage`, `CDN-Cache-Control`). `AsRFC`: as if it set none.
    /// `Strip`: the cookie is removed, then as if it set none.
    pub set_cookie: SetCookie,

    /// How long errors are stored, by status, where the origin does not say; `0s`: not at all. A list
    /// given here takes the place of the whole usual one.
    #[serde(rename = "negativeTTL")]
    // Not a regular expression: the length of keys cannot be bounded, so that the API server reckons
    // with the cost of matching endless ones.
    #[schemars(extend("maxProperties" = 64, "x-kubernetes-validations" = [{
        "rule": "self.all(status, size(status) == 3 && status >= '400' && status <= '599')",
        "message": "the keys are error statuses, from \"400\" to \"599\"",
    }]))]
    pub negative_ttl: BTreeMap<String, Duration>,

    /// How long after its lifetime a response may still be served while the origin is down or erring,
    /// where the origin does not say.
    pub stale_if_error: Duration,

    /// How long after its lifetime a response may still be served while a fresh one is fetched, where
    /// the origin does not say.
    pub stale_while_revalidate: Duration,

    /// Whether a client can ask for a fresh response with `Cache-Control: no-cache` and the like:
    /// `Honor` or `Ignore`.
    pub request_directives: RequestDirectives,
}

impl Default for FreshnessSpec {
    fn default() -> Self {
        let ttl = |seconds| move |status: &str| (status.to_owned(), Duration::from_secs(seconds));
        let client = ["404", "405", "410", "501"].map(ttl(10));
        let server = ["500", "502", "503", "504"].map(ttl(1));
        Self {
            heuristic: None,
            set_cookie: SetCookie::default(),
            negative_ttl: client.into_iter().chain(server).collect(),
            stale_if_error: Duration::from_hours(1),
            stale_while_revalidate: Duration::from_secs(0),
            request_directives: RequestDirectives::default(),
        }
    }
}

/// Heuristic freshness.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct HeuristicSpec {
    /// Share of the time since the last modification, in percent.
    #[schemars(range(min = 1, max = 100))]
    pub percent: i32,

    /// At most this long.
    pub cap: Duration,
}

impl Default for HeuristicSpec {
    fn default() -> Self {
        Self { percent: 10, cap: Duration::from_hours(24) }
    }
}

/// Whether a response that sets a cookie is stored.
#[derive(Serialize, Deserialize, JsonSchema, Copy, Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "a description per value would leave the schema without `enum`")]
pub enum SetCookie {
    #[default]
    RequirePermission,
    #[serde(rename = "AsRFC")]
    AsRfc,
    Strip,
}

/// Whether a client's `Cache-Control` counts.
#[derive(Serialize, Deserialize, JsonSchema, Copy, Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "a description per value would leave the schema without `enum`")]
pub enum RequestDirectives {
    #[default]
    Honor,
    Ignore,
}
