//! How the pods of a pool or shield are placed and what they may use, and the Service in front of them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Placement, resources and marks of pods.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct PodsSpec {
    /// What each server may use. By default it asks for the memory of its store and room beside it, and for
    /// a tenth of a core.
    #[serde(skip_serializing_if = "ResourcesSpec::is_empty")]
    pub resources: ResourcesSpec,

    /// Labels that a machine must have for pods to run there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "texts")]
    pub node_selector: BTreeMap<String, String>,

    /// Taints of machines that pods put up with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub tolerations: Vec<TolerationSpec>,

    /// As a pod's `spec.affinity`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "opaque")]
    pub affinity: Option<Value>,

    /// As a pod's `spec.topologySpreadConstraints`, where those without `labelSelector` are about the pods of
    /// the place. By default they are spread over machines as far as possible.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "opaque_list")]
    pub topology_spread_constraints: Vec<Value>,

    /// The PriorityClass of the pods: how important they are in comparison to others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub priority_class_name: Option<String>,

    /// Labels of pods beside those that the operator sets.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "texts")]
    pub labels: BTreeMap<String, String>,

    /// Annotations of pods.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "long_texts")]
    pub annotations: BTreeMap<String, String>,
}

/// What a server asks for, and what it may use at most.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourcesSpec {
    /// What it is sure to get, such as `cpu: 500m` and `memory: 1Gi`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16))]
    pub requests: BTreeMap<String, Amount>,

    /// What it may use at most. Memory must be more than the store takes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16))]
    pub limits: BTreeMap<String, Amount>,
}

impl ResourcesSpec {
    fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.limits.is_empty()
    }
}

/// A taint of machines that pods put up with.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct TolerationSpec {
    /// The taint's key; without it, any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 316))]
    pub key: Option<String>,

    /// `Equal` (the default) or `Exists`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<TolerationOperator>,

    /// The taint's value, with `Equal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub value: Option<String>,

    /// The taint's effect; without it, any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<TaintEffect>,

    /// How long a pod stays under `NoExecute`; without it, for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toleration_seconds: Option<i64>,
}

/// How a taint is compared.
#[derive(Serialize, Deserialize, JsonSchema, Copy, Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "a description per value would leave the schema without `enum`")]
pub enum TolerationOperator {
    Equal,
    Exists,
}

/// What a taint does.
#[derive(Serialize, Deserialize, JsonSchema, Copy, Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "a description per value would leave the schema without `enum`")]
pub enum TaintEffect {
    NoSchedule,
    PreferNoSchedule,
    NoExecute,
}

/// The Service in front of the edges of each point of presence.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceSpec {
    /// `ClusterIP`, `NodePort` or `LoadBalancer`. The addresses that a load balancer gets are those that
    /// GeoDNS answers with.
    #[serde(rename = "type")]
    pub type_: ServiceType,

    /// The port of the Service, to which clients connect.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,

    /// `Local` keeps the addresses of clients, and sends them only to machines with an edge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_traffic_policy: Option<TrafficPolicy>,

    /// The kind of load balancer, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 316))]
    pub load_balancer_class: Option<String>,

    /// Labels of the Service beside those that the operator sets.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "texts")]
    pub labels: BTreeMap<String, String>,

    /// Annotations of the Service, such as a cloud's settings of its load balancer.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "long_texts")]
    pub annotations: BTreeMap<String, String>,
}

impl Default for ServiceSpec {
    fn default() -> Self {
        Self {
            type_: ServiceType::default(),
            port: 80,
            external_traffic_policy: None,
            load_balancer_class: None,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
        }
    }
}

/// How a Service is reached.
#[derive(Serialize, Deserialize, JsonSchema, Copy, Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "a description per value would leave the schema without `enum`")]
pub enum ServiceType {
    #[default]
    ClusterIP,
    NodePort,
    LoadBalancer,
}

impl ServiceType {
    /// Its word in a Service.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClusterIP => "ClusterIP",
            Self::NodePort => "NodePort",
            Self::LoadBalancer => "LoadBalancer",
        }
    }
}

/// Which machines pass on what comes from outside.
#[derive(Serialize, Deserialize, JsonSchema, Copy, Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "a description per value would leave the schema without `enum`")]
pub enum TrafficPolicy {
    Cluster,
    Local,
}

/// An amount of a resource as Kubernetes writes it: `500m`, `2`, `1Gi`.
#[derive(Serialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
pub struct Amount(pub String);

impl Amount {
    /// What the schema requires of a text.
    pub const PATTERN: &str = r"^[0-9]{1,18}(\.[0-9]{1,9})?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$";
}

impl JsonSchema for Amount {
    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "pattern": Self::PATTERN,
            "maxLength": 32,
        })
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount such as `500m` or `1Gi`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
                Ok(Amount(text.to_owned()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Amount, E> {
                Ok(Amount(number.to_string()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Amount, E> {
                Ok(Amount(number.to_string()))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// Texts by name, as short as labels are.
pub(crate) fn texts(_: &mut SchemaGenerator) -> Schema {
    map(63)
}

fn long_texts(_: &mut SchemaGenerator) -> Schema {
    map(4096)
}

fn map(longest: u32) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 64,
        "additionalProperties": {"type": "string", "maxLength": longest},
    })
}

/// What Kubernetes alone judges.
fn opaque(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

fn opaque_list(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 16,
        "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    })
}
