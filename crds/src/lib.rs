//! The custom resources of group `cdn.blueorigin.dev`: what a platform engineer writes.
//!
//! Types, defaults, schemas and rules; the doc comments are what `kubectl explain` shows. Never: a
//! client, an await, a decision about traffic. What the values mean to the data plane is decided in
//! `translate`. Start at [`EdgePool`]; what is generated from it is in `crd/` and `docs/api.md`.

mod ban;
mod duration;
mod health;
pub mod pattern;
mod pods;
mod pool;
mod protection;
mod purge;
mod quantity;
mod shield;
mod site;

pub use ban::{BanPhase, BanRule, BanRuleSpec, BanRuleStatus, HeaderSpec, PatternSpec};
pub use duration::{Duration, ParseDurationError};
pub use health::HealthSpec;
pub use pods::{
    Amount, PodsSpec, ResourcesSpec, ServiceSpec, ServiceType, TaintEffect, TolerationOperator,
    TolerationSpec, TrafficPolicy,
};
pub use pool::{
    BypassSpec, CacheSpec, EdgePool, EdgePoolSpec, EdgePoolStatus, Eviction, InvalidationSpec,
    LimitsSpec, NetworkSpec, OnLogLoss, PeeringMode, PeeringSpec, PopSpec, PopStatus, RoutingSpec,
    RuleSpec,
};
pub use protection::{BreakerSpec, OriginLimitsSpec, RetriesSpec};
pub use purge::{
    PurgeNodeState, PurgeNodeStatus, PurgePhase, PurgeRequest, PurgeRequestSpec, PurgeRequestStatus,
};
pub use quantity::{ByteQuantity, ParseQuantityError};
pub use shield::{OriginShield, OriginShieldSpec, OriginShieldStatus};
pub use site::{
    CollapseSpec, CompressionSpec, DebugHeaders, FreshnessSpec, HeuristicSpec, KeySpec, OriginSpec,
    QuerySpec, RangesSpec, RequestDirectives, SetCookie, ShieldRef, SiteSpec, TimeoutsSpec,
    Upgrade,
};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;

/// The API group of all resources.
pub const GROUP: &str = "cdn.blueorigin.dev";
/// The version of the API that these types are.
pub const VERSION: &str = "v1alpha1";
/// What a manifest of these resources has as its `apiVersion`.
pub const API_VERSION: &str = "cdn.blueorigin.dev/v1alpha1";

/// The definitions of all resources, as installed into a cluster.
#[must_use]
pub fn definitions() -> Vec<CustomResourceDefinition> {
    let mut all = vec![EdgePool::crd(), OriginShield::crd(), PurgeRequest::crd(), BanRule::crd()];
    for version in all.iter_mut().flat_map(|definition| &mut definition.spec.versions) {
        if let Some(schema) = version.schema.as_mut().and_then(|s| s.open_api_v3_schema.as_mut()) {
            unfold(schema);
        }
    }
    all
}

/// Ends the lines of descriptions where paragraphs end: how wide our source is, is nothing to those who read them.
fn unfold(schema: &mut JSONSchemaProps) {
    if let Some(text) = &mut schema.description {
        let paragraphs = text.split("\n\n").map(|one| one.replace('\n', " "));
        *text = paragraphs.collect::<Vec<_>>().join("\n\n");
    }
    for below in schema.properties.iter_mut().flatten() {
        unfold(below.1);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        unfold(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        unfold(values);
    }
}
