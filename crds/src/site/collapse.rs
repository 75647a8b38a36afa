//! Collapsed forwarding.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Duration;

/// How requests for the same thing share one request to the origin.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct CollapseSpec {
    /// How long a request waits for the answer to another before it goes to the origin itself.
    pub timeout: Duration,

    /// How many may go themselves at once, per edge and site; the rest get status 503.
    #[schemars(range(min = 0, max = 100000))]
    pub max_bypass: i32,

    /// How long the requests for a URL whose response could not be stored are not made to wait.
    pub hit_for_miss: Duration,
}

impl Default for CollapseSpec {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            max_bypass: 64,
            hit_for_miss: Duration::from_mins(2),
        }
    }
}
