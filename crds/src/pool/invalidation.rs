//! What an edge does about purges when it cannot hear of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Duration;

/// How invalidation reaches the nodes of a pool.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "duration(self.lease) >= duration('1s') && duration(self.lease) <= duration('1h')",
    "message": "`lease` must be from 1s to 1h",
}]))]
#[serde(rename_all = "camelCase", default)]
pub struct InvalidationSpec {
    /// What an edge does when it has not heard of the log of invalidations for longer than `lease`:
    /// `Serve` goes on serving what it has, so that a purge is complete only when it is back;
    /// `Revalidate` has the origin confirm every stored response before it is served.
    pub on_log_loss: OnLogLoss,

    /// How long an edge that does not hear of the log still trusts what it has; from `1s` to `1h`.
    pub lease: Duration,
}

impl Default for InvalidationSpec {
    fn default() -> Self {
        Self { on_log_loss: OnLogLoss::Serve, lease: Duration::from_secs(10) }
    }
}

/// What an edge does without the log.
#[derive(Serialize, Deserialize, JsonSchema, Copy, Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "a description per value would leave the schema without `enum`")]
pub enum OnLogLoss {
    #[default]
    Serve,
    Revalidate,
}
