//! A point of presence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pattern;

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

    /// Requests per second that the place can take; DNS sends what is above to others that have room. Without, it
    /// takes any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub capacity: Option<i32>,

    /// Edges in the place.
    #[serde(default = "replicas")]
    #[schemars(range(min = 0, max = 1000))]
    pub replicas: i32,
}

fn weight() -> i32 {
    100
}

fn replicas() -> i32 {
    1
}
