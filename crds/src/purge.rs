//! `PurgeRequest`: something stored is out of date, now.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Duration, pattern};

/// What to purge. Give exactly one of `urls`, `tags`, `prefix` and `all`.
#[allow(clippy::duplicated_attributes, reason = "columns of one type are not duplicates")]
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "cdn.blueorigin.dev",
    version = "v1alpha1",
    kind = "PurgeRequest",
    namespaced,
    status = "PurgeRequestStatus",
    derive = "PartialEq",
    shortname = "purge",
    category = "cdn",
    doc = "A purge: applied once by every node, which is told in its status. To purge again, make another.",
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Matched", type_ = "integer", json_path = ".status.matched"),
    printcolumn(name = "Soft", type_ = "boolean", json_path = ".spec.soft"),
    printcolumn(name = "Seq", type_ = "string", json_path = ".status.seq", priority = "1"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Complete")].message"#,
        priority = "1"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "self == oldSelf",
        "message": "a purge that was asked for cannot be changed; make another PurgeRequest",
    },
    {
        "rule": "[has(self.urls), has(self.tags), has(self.prefix), self.all].filter(given, given).size() == 1",
        "message": "give exactly one of `urls`, `tags`, `prefix` and `all: true`",
    },
    {
        "rule": "duration(self.deadline) >= duration('1s') && duration(self.deadline) <= duration('1h')",
        "message": "`deadline` must be from 1s to 1h",
    },
    {
        "rule": "duration(self.ttlAfterFinished) <= duration('720h')",
        "message": "`ttlAfterFinished` must not be longer than 720h",
    },
]))]
#[serde(rename_all = "camelCase")]
pub struct PurgeRequestSpec {
    /// URLs, such as `https://cdn.example.com/a.css?v=2`: each with every variant, whether it was
    /// asked for with http or https, and on whatever port.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 1000), inner(regex(pattern = pattern::URL), length(max = 2048)))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub urls: Vec<String>,

    /// Tags: whatever has one of them in `Surrogate-Key`, `Cache-Tag` or `Cache-Groups`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 1000), inner(regex(pattern = pattern::TAG), length(max = 1024)))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub tags: Vec<String>,

    /// Everything whose path and query begin with this: `/img/` on every host, or
    /// `https://cdn.example.com/img/` on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::URL_PREFIX), length(max = 2048))]
    pub prefix: Option<String>,

    /// Everything, on every host.
    #[serde(default)]
    pub all: bool,

    /// Instead of removing it, treat what matches as stale: it may be served once more, while one
    /// request fetches it anew.
    #[serde(default)]
    pub soft: bool,

    /// Only count what matches.
    #[serde(default)]
    pub dry_run: bool,

    /// How long every node has to apply the purge before it is called `Partial`, from `1s` to `1h`.
    /// A node that comes back later applies it all the same.
    #[serde(default = "deadline")]
    pub deadline: Duration,

    /// How long this resource is kept after it is finished; at most `720h`.
    #[serde(default = "ttl_after_finished")]
    pub ttl_after_finished: Duration,
}

fn deadline() -> Duration {
    Duration::from_secs(30)
}

fn ttl_after_finished() -> Duration {
    Duration::from_hours(1)
}

/// How far the purge is.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PurgeRequestStatus {
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// `Pending` before it is in the log, `Applying` while nodes apply it, `Complete` when every node
    /// that may serve has, `Partial` when the deadline passed before, `Failed` when a node cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<PurgePhase>,

    /// Its position in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<String>,

    /// Names it in the log and in the admin API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,

    /// Stored responses that it matched, on all nodes together, as far as told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<i64>,

    /// The nodes that it must reach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub nodes: Vec<PurgeNodeStatus>,

    /// When it was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,

    /// When it was finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<Time>,

    /// What is known about the purge; `Complete` sums it up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// A node and what it did.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PurgeNodeStatus {
    /// Its name.
    pub name: String,

    /// `Done`; `Waiting`, and may serve what was purged; `Revalidating`, cut off and serving nothing
    /// that the origin has not confirmed; or `Failed`.
    pub state: PurgeNodeState,

    /// Stored responses that it matched there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<i64>,
}

/// How far a purge is.
#[derive(Serialize, Deserialize, JsonSchema, Copy, Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "a description per value would leave the schema without `enum`")]
pub enum PurgePhase {
    Pending,
    Applying,
    Complete,
    Partial,
    Failed,
}

/// What a node did about a purge.
#[derive(Serialize, Deserialize, JsonSchema, Copy, Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "a description per value would leave the schema without `enum`")]
pub enum PurgeNodeState {
    Done,
    Waiting,
    Revalidating,
    Failed,
}
