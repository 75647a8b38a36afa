//! A point of presence.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{TolerationSpec, pattern};

/// A place with edges in it.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "has(self.latitude) == has(self.longitude)",
    "message": "give latitude and longitude together, or neither",
}]))]
#[serde(rename_all = "camelCase")]
pub struct PopSpec {
    /// Short name of the place, such as `fra`; unique in the pool. It appears in metrics and headers.
    #[schemars(regex(pattern = pattern::LABEL), length(max = 63))]
    pub name: String,

    /// Region that the place belongs to, such as `eu-central`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::LABEL), length(max = 63))]
    pub region: Option<String>,

    /// Degrees north (negative: south), for sending clients to the nearest place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -90, max = 90))]
    pub latitude: Option<f64>,

    /// Degrees east (negative: west).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -180, max = 180))]
    pub longitude: Option<f64>,

    /// Share of the traffic in comparison to places equally near; 0 takes the place out of DNS.
    #[serde(default = "weight")]
    #[schemars(range(min = 0, max = 1000))]
    pub weight: i32,

    /// Requests per second that the place can take; DNS sends what is above to others that have room. By
    /// default it takes any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub capacity: Option<i32>,

    /// Edges in the place. By default its part of the pool's `replicas`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub replicas: Option<i32>,

    /// IP addresses at which clients reach the place. By default those that the load balancer of its
    /// Service has. GeoDNS answers with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(regex(pattern = pattern::ADDRESS), length(max = 45)))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub addresses: Vec<String>,

    /// Where the HTTP router of GeoDNS sends clients of the place: `https://fra.{host}`, where `{host}` stands for the
    /// host that the client asked for. A pool of a single host may leave that out: `https://fra.example.net`. Edges know
    /// their sites by these names, and GeoDNS answers those in its zones with the place alone; others have to lead
    /// there. By default one of the place's addresses, if the router is told its port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::PLACE_URL), length(max = 253))]
    pub url: Option<String>,

    /// Takes the place out of DNS by degrees, until clients have left it. It serves on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub maintenance: bool,

    /// Labels that a machine must have to be in the place, beside those of `pods.nodeSelector`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::pods::texts")]
    pub node_selector: BTreeMap<String, String>,

    /// Taints of machines that pods here put up with, beside those of `pods.tolerations`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub tolerations: Vec<TolerationSpec>,
}

fn weight() -> i32 {
    100
}
