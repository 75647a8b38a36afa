//! Asking origins whether they are well.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Duration, pattern};

/// How an origin is asked whether it is well.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "duration(self.timeout) <= duration(self.interval)",
        "message": "`timeout` must not be longer than `interval`",
    },
    {
        "rule": "size(self.expectStatus) == 3 || self.expectStatus.substring(0, 3) <= self.expectStatus.substring(4)",
        "message": "`expectStatus` must begin with the lower status, as in \"200-399\"",
    },
]))]
#[serde(rename_all = "camelCase", default)]
pub struct HealthSpec {
    /// What is asked for with GET: a path, with the query if it needs one.
    #[schemars(regex(pattern = pattern::PATH), length(max = 1024))]
    pub path: String,

    /// Between two questions while all is well; an origin that failed is asked more often.
    pub interval: Duration,

    /// How long an answer may take. Not longer than `interval`.
    pub timeout: Duration,

    /// After so many failures in a row, the origin is asked for content only if no other is left.
    #[schemars(range(min = 1, max = 100))]
    pub unhealthy_after: i32,

    /// After so many good answers in a row, it takes its share again.
    #[schemars(range(min = 1, max = 100))]
    pub healthy_after: i32,

    /// The statuses of a good answer: one, such as `"200"`, or from one to another, such as `200-399`.
    #[schemars(regex(pattern = pattern::STATUSES), length(max = 7))]
    pub expect_status: String,
}

impl Default for HealthSpec {
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(2),
            unhealthy_after: 3,
            healthy_after: 2,
            expect_status: "200-399".to_owned(),
        }
    }
}
