//! `BanRule`: whatever looks like this and was stored before is out of date.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Duration, pattern};

mod condition;

pub use condition::{HeaderSpec, PatternSpec};

/// What to ban. All the conditions that are given must hold; at least one of `path` and `headers` is.
#[allow(clippy::duplicated_attributes, reason = "columns of one type are not duplicates")]
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "cdn.blueorigin.dev",
    version = "v1alpha1",
    kind = "BanRule",
    namespaced,
    status = "BanRuleStatus",
    derive = "PartialEq",
    shortname = "ban",
    category = "cdn",
    doc = "A ban: responses that match it and were stored before it are not used any more, as long as it exists and `ttl` has not passed. Deleting it lifts it. What is stored afterwards is not affected.",
    printcolumn(name = "Host", type_ = "string", json_path = ".spec.host"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Matched", type_ = "integer", json_path = ".status.matched"),
    printcolumn(name = "Expires", type_ = "string", json_path = ".status.expiresAt"),
    printcolumn(name = "Seq", type_ = "string", json_path = ".status.seq", priority = "1"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Active")].message"#,
        priority = "1"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "has(self.path) || has(self.headers)",
        "message": "give `path`, `headers` or both; to purge all of a host, use a PurgeRequest with `prefix: https://host/`",
    },
    {
        "rule": "duration(self.ttl) >= duration('1s') && duration(self.ttl) <= duration('720h')",
        "message": "`ttl` must be from 1s to 720h",
    },
]))]
#[serde(rename_all = "camelCase")]
pub struct BanRuleSpec {
    /// Only on this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::EXACT_HOST), length(max = 253))]
    pub host: Option<String>,

    /// What the path looks like, without the query and with escapes only where they are needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PatternSpec>,

    /// What headers of the stored response look like.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 16))]
    pub headers: Vec<HeaderSpec>,

    /// How long the ban lasts, from `1s` to `720h`. Longer than anything is fresh makes no sense.
    #[serde(default = "ttl")]
    pub ttl: Duration,

    /// Instead of removing it, treat what matches as stale: it may be served once more, while one
    /// request fetches it anew.
    #[serde(default)]
    pub soft: bool,

    /// Only count what matches.
    #[serde(default)]
    pub dry_run: bool,
}

fn ttl() -> Duration {
    Duration::from_hours(1)
}

/// How the ban is.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct BanRuleStatus {
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Names it in the log and in the admin API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,

    /// Its position in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<String>,

    /// `Active`; `Exhausted` when all that was stored before was held against it, or its time is over; `Lifted`; or
    /// `Failed` when nodes cannot apply it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<BanPhase>,

    /// Stored responses that it matched so far, on all nodes together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<i64>,

    /// When its time is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,

    /// What is known about the ban; `Active` sums it up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// How a ban is.
#[derive(Serialize, Deserialize, JsonSchema, Copy, Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "a description per value would leave the schema without `enum`")]
pub enum BanPhase {
    Active,
    Exhausted,
    Lifted,
    Failed,
}
