//! What the edges of a place are to each other, and what they may do without their shield.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Duration;

/// How the edges of one point of presence share their memory.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "duration(self.hotWindow) >= duration('1s') && duration(self.hotWindow) <= duration('1h')",
        "message": "`hotWindow` must be from 1s to 1h",
    },
    {
        "rule": "duration(self.ramp) <= duration('1h')",
        "message": "`ramp` must not be longer than 1h",
    },
]))]
#[serde(rename_all = "camelCase", default)]
pub struct PeeringSpec {
    /// `Independent`: each edge keeps what it is asked for. `Peer`: each URL has an owner among the edges
    /// of the place, and the others fetch it from there, so that it is kept once. `Redirect`: they send
    /// the client there with status 302, which needs names that clients can reach single edges by. A
    /// cluster has none, so there it is the same as `Peer`.
    pub mode: PeeringMode,

    /// An edge keeps a copy of what others own once it is asked for it so often within `hotWindow`.
    #[schemars(range(min = 1, max = 65535))]
    pub hot_after: i32,

    /// The time over which `hotAfter` counts; from `1s` to `1h`.
    pub hot_window: Duration,

    /// What an owner may have in hand, in percent of the average of all; above it the next in order helps
    /// out.
    #[schemars(range(min = 100, max = 1000))]
    pub bounded_load: i32,

    /// Over how long an edge that is new or back takes over what it owns, filled from whoever owned it
    /// before; `0s`: at once. At most `1h`.
    pub ramp: Duration,
}

impl Default for PeeringSpec {
    fn default() -> Self {
        Self {
            mode: PeeringMode::default(),
            hot_after: 20,
            hot_window: Duration::from_secs(10),
            bounded_load: 125,
            ramp: Duration::from_secs(30),
        }
    }
}

/// What an edge does with what another one owns.
#[derive(Serialize, Deserialize, JsonSchema, Copy, Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "a description per value would leave the schema without `enum`")]
pub enum PeeringMode {
    #[default]
    Independent,
    Peer,
    Redirect,
}

/// What an edge may send straight to the origins of a shield when no server of the shield can be reached.
/// Small, since all edges do so at once: the origins must bear it times their number.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct BypassSpec {
    /// Requests that each edge has at once with each origin; never more than the shield's own limit.
    #[schemars(range(min = 1, max = 1024))]
    pub max_concurrency: i32,

    /// How long a request waits for its turn before it gets status 503, or what is stored.
    pub queue_timeout: Duration,
}

impl Default for BypassSpec {
    fn default() -> Self {
        Self { max_concurrency: 8, queue_timeout: Duration::from_secs(1) }
    }
}
