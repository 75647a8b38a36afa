//! Where content comes from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Duration, HealthSpec, pattern};

/// An origin server.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct OriginSpec {
    /// `http://host`, `https://host`, or either with a port, such as `http://web.default.svc:8080`;
    /// without a path: the client's is used.
    #[schemars(regex(pattern = pattern::ORIGIN), length(max = 512))]
    pub url: String,

    /// Host name that the origin is asked for (and, with https, must prove) in place of the one that
    /// the client asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::EXACT_HOST), length(max = 253))]
    pub host: Option<String>,

    /// Certificates in PEM form to trust besides the public ones; for https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub ca_bundle: Option<String>,

    /// Lower is preferred: origins of a higher one are asked only when none of a lower one is well.
    #[serde(default)]
    #[schemars(range(min = 0, max = 15))]
    pub priority: i32,

    /// Share of the requests in comparison to the other origins of the same priority.
    #[serde(default = "weight")]
    #[schemars(range(min = 1, max = 1000))]
    pub weight: i32,

    /// How the origin is asked whether it is well; `{}` asks in the usual way. If absent it is not asked,
    /// and judged by how it answers requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthSpec>,
}

fn weight() -> i32 {
    100
}

/// Names an `OriginShield` in the pool's namespace.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ShieldRef {
    /// The shield's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// Time limits, such as `3s` or `500ms`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "duration(self.connect) <= duration(self.firstByte)",
        "message": "`connect` must not be longer than `firstByte`, which starts to run with it",
    },
    {
        "rule": "duration(self.firstByte) <= duration(self.total)",
        "message": "`firstByte` must not be longer than `total`, which it is a part of",
    },
]))]
#[serde(rename_all = "camelCase", default)]
pub struct TimeoutsSpec {
    /// Until a connection stands, TLS included.
    pub connect: Duration,

    /// From the last byte of the request, or of what was taken of it, until the response's headers are there; starts
    /// with `connect`. Further tries are within it.
    pub first_byte: Duration,

    /// Between two pieces of the response's body, and between two that the client sends of its own.
    pub between_bytes: Duration,

    /// Until the response is complete: waiting for a turn, all tries and the body. A bound for what
    /// trickles; leave time for the largest bodies.
    pub total: Duration,
}

impl Default for TimeoutsSpec {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            first_byte: Duration::from_secs(30),
            between_bytes: Duration::from_secs(30),
            total: Duration::from_hours(1),
        }
    }
}
