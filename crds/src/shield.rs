//! `OriginShield`: the cache tier between edges and origins.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{BreakerSpec, CacheSpec, OriginLimitsSpec, OriginSpec, RetriesSpec, TimeoutsSpec};

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
    printcolumn(name = "Replicas", type_ = "integer", json_path = ".spec.replicas"),
    printcolumn(name = "Origin", type_ = "string", json_path = ".spec.origins[0].url"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "duration(self.limits.queueTimeout) + duration(self.timeouts.firstByte) <= duration(self.timeouts.total)",
    "message": "`limits.queueTimeout` and `timeouts.firstByte` must fit into `timeouts.total` together",
}]))]
#[serde(rename_all = "camelCase")]
pub struct OriginShieldSpec {
    /// Shield servers.
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

    /// What is known about the shield; `Ready` sums it up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}
