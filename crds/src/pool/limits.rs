//! Limits towards clients.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ByteQuantity, Duration};

/// What a client may ask of an edge.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct LimitsSpec {
    /// Connections that an edge holds at once; more wait until one closes.
    #[schemars(range(min = 1, max = 1048576))]
    pub max_connections: i32,

    /// Size of a request's line and headers; a larger request gets status 431, or 414 if its
    /// line alone is too long. `1Ki` to `1Mi`.
    pub max_header_size: ByteQuantity,

    /// Header lines of a request; more get status 431. An origin's answer may have 100.
    #[schemars(range(min = 1, max = 1000))]
    pub max_headers: i32,

    /// Size of a request's body; a larger one gets status 413.
    pub max_body_size: ByteQuantity,

    /// Time from the first byte of a request's headers to the last; protects against clients that
    /// trickle them.
    pub header_timeout: Duration,

    /// Time between two pieces of a request's body, and between two that a client takes of a response.
    pub between_bytes_timeout: Duration,

    /// Time that a connection is kept open without a request.
    pub idle_timeout: Duration,

    /// How long an edge that is told to stop waits for the requests it is answering.
    pub drain_timeout: Duration,
}

impl Default for LimitsSpec {
    fn default() -> Self {
        Self {
            max_connections: 65_536,
            max_header_size: ByteQuantity::kib(32),
            max_headers: 100,
            max_body_size: ByteQuantity::gib(1),
            header_timeout: Duration::from_secs(10),
            between_bytes_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(30),
        }
    }
}
