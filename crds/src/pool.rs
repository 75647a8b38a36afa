//! `EdgePool`: a set of edges that serve the same sites.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{PodsSpec, ServiceSpec, SiteSpec, pattern};

mod cache;
mod invalidation;
mod limits;
mod peering;
mod pop;
mod routing;

pub use cache::{CacheSpec, Eviction};
pub use invalidation::{InvalidationSpec, OnLogLoss};
pub use limits::LimitsSpec;
pub use peering::{BypassSpec, PeeringMode, PeeringSpec};
pub use pop::PopSpec;
pub use routing::{NetworkSpec, RoutingSpec, RuleSpec};

/// What the pool should be.
#[allow(clippy::duplicated_attributes, reason = "columns of one type are not duplicates")]
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "cdn.blueorigin.dev",
    version = "v1alpha1",
    kind = "EdgePool",
    namespaced,
    status = "EdgePoolStatus",
    derive = "PartialEq",
    shortname = "epool",
    category = "cdn",
    doc = "A pool of edges: cache servers in one or more points of presence that serve the same sites.",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
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
    printcolumn(name = "Edges", type_ = "integer", json_path = ".status.replicas"),
    printcolumn(name = "Up", type_ = "integer", json_path = ".status.readyReplicas"),
    printcolumn(name = "Memory", type_ = "string", json_path = ".spec.cache.memory"),
    printcolumn(
        name = "Eviction",
        type_ = "string",
        json_path = ".spec.cache.eviction",
        priority = "1"
    ),
    printcolumn(name = "Version", type_ = "string", json_path = ".status.version", priority = "1"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].message"#,
        priority = "1"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct EdgePoolSpec {
    /// The store of each edge.
    #[serde(default)]
    pub cache: CacheSpec,

    /// What a client may ask of an edge.
    #[serde(default)]
    pub limits: LimitsSpec,

    /// How purges and bans reach the edges.
    #[serde(default)]
    pub invalidation: InvalidationSpec,

    /// How the edges of one point of presence share their memory.
    #[serde(default)]
    pub peering: PeeringSpec,

    /// What an edge may send straight to the origins when no server of a site's shield can be reached.
    #[serde(default)]
    pub bypass: BypassSpec,

    /// How DNS sends clients to the points of presence.
    #[serde(default)]
    pub routing: RoutingSpec,

    /// Networks, such as `10.0.0.0/8`, of the load balancers and proxies in front of the edges. They alone are
    /// believed about `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Request-ID`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(regex(pattern = pattern::NETWORK), length(max = 64)))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub trusted_proxies: Vec<String>,

    /// Edges of the pool, shared evenly among the points of presence that name no number of their own; at
    /// least one each, unless it is 0. By default one each. This is what `kubectl scale` changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10000))]
    pub replicas: Option<i32>,

    /// How the pods of the edges are placed and what they may use.
    #[serde(default)]
    pub pods: PodsSpec,

    /// The Service of each point of presence.
    #[serde(default)]
    pub service: ServiceSpec,

    /// The points of presence that the pool is in.
    #[schemars(length(min = 1, max = 64))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub pops: Vec<PopSpec>,

    /// The sites that the pool serves. A request for a host that none of them names gets status 421.
    #[schemars(length(min = 1, max = 256))]
    pub sites: Vec<SiteSpec>,
}

/// How the pool is.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EdgePoolStatus {
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Edges that there should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,

    /// Edges that take requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_replicas: Option<i32>,

    /// The selector of the labels of the edges' pods, for autoscalers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,

    /// Names the configuration that the edges were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,

    /// The points of presence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub pops: Vec<PopStatus>,

    /// What is known about the pool: whether it was `Accepted`, and `Ready`, which sums it up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// How a point of presence is.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PopStatus {
    /// Its name.
    pub name: String,

    /// Edges that there should be.
    pub replicas: i32,

    /// Edges that take requests.
    pub ready_replicas: i32,

    /// Where clients reach it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
}
