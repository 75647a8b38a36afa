//! `OriginShield`: the cache tier between edges and origins.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    BreakerSpec, CacheSpec, OriginLimitsSpec, OriginSpec, PodsSpec, RetriesSpec, TimeoutsSpec,
};

/// What the shield should be.
#[allow(clippy::duplicated_attributes, reason = "columns of one type are not duplicates")]
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "cdn.blueorigin.dev",
    version = "v1alpha1",
    kind = "OriginShield",
    namespaced,
    status = "OriginShieldStatus",
    derive = "PartialEq",
    shortname = "oshield",
    category = "cdn",
    doc = "A second cache tier that stands between edges and origins, so that an origin sees each object once.",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(name = "Origin", type_ = "string", json_path = ".spec.origins[0].url"),
    printcolumn(
        name = "Accepted",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Accepted")].status"#
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(name = "Servers", type_ = "integer", json_path = ".status.replicas"),
    printcolumn(name = "Up", type_ = "integer", json_path = ".status.readyReplicas"),
    printcolumn(name = "Version", type_ = "string", json_path = ".status.version", priority = "1"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].message"#,
        priority = "1"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "duration(self.limits.queueTimeout) + duration(self.timeouts.firstByte) <= duration(self.timeouts.total)",
    "message": "`limits.queueTimeout` and `timeouts.firstByte` must fit into `timeouts.total` together",
}]))]
#[serde(rename_all = "camelCase")]
pub struct OriginShieldSpec {
    /// Servers of the shield. This is what `kubectl scale` changes; with 0, edges go to the origins themselves.
    #[serde(default = "replicas")]
    #[schemars(range(min = 0, max = 1000))]
    pub replicas: i32,

    /// The store of each of them.
    #[serde(default)]
    pub cache: CacheSpec,

    /// Where the content comes from. Those of the lowest `priority` share the requests by their
    /// `weight`.
    #[schemars(length(min = 1, max = 16))]
    pub origins: Vec<OriginSpec>,

    /// Time limits towards the origins. For a site that uses the shield and waits less for it, they are
    /// shorter, so that the shield gives up before the edge does.
    #[serde(default)]
    pub timeouts: TimeoutsSpec,

    /// How many requests reach an origin at once.
    #[serde(default)]
    pub limits: OriginLimitsSpec,

    /// When an origin that fails is left alone.
    #[serde(default)]
    pub breaker: BreakerSpec,

    /// When a request that failed is tried again.
    #[serde(default)]
    pub retries: RetriesSpec,

    /// How the pods of the servers are placed and what they may use.
    #[serde(default)]
    pub pods: PodsSpec,
}

fn replicas() -> i32 {
    2
}

/// How the shield is.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct OriginShieldStatus {
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Servers that there should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,

    /// Servers that take requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_replicas: Option<i32>,

    /// The selector of the labels of the servers' pods, for autoscalers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,

    /// Names the configuration that the servers were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,

    /// What is known about the shield: whether it was `Accepted`, and `Ready`, which sums it up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}
