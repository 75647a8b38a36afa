//! How DNS sends clients to the places of a pool.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Duration, pattern};

/// How DNS sends clients to the places of the pool: to the nearest that is well, unless `networks` and `rules`
/// say otherwise.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "duration(self.ttl) >= duration('1s') && duration(self.ttl) <= duration('168h')",
        "message": "`ttl` must be from 1s to 168h",
    },
    {
        "rule": "duration(self.pendingTTL) >= duration('1s') && duration(self.pendingTTL) <= duration(self.ttl)",
        "message": "`pendingTTL` must be 1s or more, and not longer than `ttl`",
    },
    {
        "rule": "duration(self.ramp) <= duration('1h')",
        "message": "`ramp` must not be longer than 1h",
    },
]))]
#[serde(rename_all = "camelCase", default)]
pub struct RoutingSpec {
    /// Places in one answer, the best first; clients go to the next when the first does not answer them.
    #[schemars(range(min = 1, max = 3))]
    pub answers: i32,

    /// How long resolvers may keep an answer while nothing changes; whole seconds, from `1s` to `168h`.
    pub ttl: Duration,

    /// The same while a change is pending, such as a place that is not well; at most `ttl`.
    #[serde(rename = "pendingTTL")]
    pub pending_ttl: Duration,

    /// Over how long clients move to a place that returns or joins, and away from one that leaves; `0s`: at once.
    /// At most `1h`. One that is dead is left at once.
    pub ramp: Duration,

    /// What is known of clients by their address; the longest network that has it counts. This comes before the
    /// database of places, and works without one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["cidr"]))]
    pub networks: Vec<NetworkSpec>,

    /// Which places the clients of a continent, a country or a part of it get first, by the database of places.
    /// The first rule that fits counts; a network with `pops` comes before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub rules: Vec<RuleSpec>,
}

impl Default for RoutingSpec {
    fn default() -> Self {
        Self {
            answers: 2,
            ttl: Duration::from_secs(30),
            pending_ttl: Duration::from_secs(5),
            ramp: Duration::from_secs(20),
            networks: Vec::new(),
            rules: Vec::new(),
        }
    }
}

/// What is known of the clients of a network: where they are, or which places they get.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "has(self.latitude) == has(self.longitude)",
        "message": "give latitude and longitude together, or neither",
    },
    {
        "rule": "(has(self.pops) && size(self.pops) > 0) != (has(self.latitude) || has(self.longitude))",
        "message": "give either `pops` or `latitude` and `longitude`",
    },
]))]
#[serde(rename_all = "camelCase")]
pub struct NetworkSpec {
    /// The network, such as `192.0.2.0/24` or `2001:db8::/32`.
    #[schemars(regex(pattern = pattern::NETWORK), length(max = 64))]
    pub cidr: String,

    /// The places that its clients get, by name, the best first. All others come behind, those near
    /// the best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(regex(pattern = pattern::LABEL), length(max = 63)))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub pops: Vec<String>,

    /// Degrees north (negative: south) of where its clients are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -90, max = 90))]
    pub latitude: Option<f64>,

    /// Degrees east (negative: west) of where its clients are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -180, max = 180))]
    pub longitude: Option<f64>,
}

/// Which places some clients get first. Of `continent`, `country` and `region` all that are given must fit.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "has(self.continent) || has(self.country) || has(self.region)",
    "message": "give at least one of `continent`, `country` and `region`",
}]))]
#[serde(rename_all = "camelCase")]
pub struct RuleSpec {
    /// Two capital letters: `AF`, `AN`, `AS`, `EU`, `NA`, `OC` or `SA`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::CODE), length(max = 2))]
    pub continent: Option<String>,

    /// Two capital letters (ISO 3166-1), such as `CH`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::CODE), length(max = 2))]
    pub country: Option<String>,

    /// A part of a country as the database of places writes it: a code (ISO 3166-2, such as `CA`), or a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub region: Option<String>,

    /// The places, by name, the best first. All others come behind, the nearest first.
    #[schemars(length(min = 1, max = 64), inner(regex(pattern = pattern::LABEL), length(max = 63)))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub pops: Vec<String>,
}
