//! Rules of the cache key.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pattern;

/// What makes two requests the same to the cache.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct KeySpec {
    /// Whether `?a=1&b=2` and `?b=2&a=1` are the same.
    pub sort_query: bool,

    /// Which parameters of the query count; all if absent.
    pub query: QuerySpec,

    /// Request headers whose values count, besides those that the origin names in `Vary`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(regex(pattern = pattern::HEADER), length(max = 128)))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub headers: Vec<String>,

    /// Cookies whose values count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(regex(pattern = pattern::COOKIE), length(max = 128)))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub cookies: Vec<String>,
}

/// Which parameters of the query count: one of `keep`, `drop` and `ignore`, or all.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "[has(self.keep), has(self.drop), has(self.ignore) && self.ignore].filter(x, x).size() <= 1",
    "message": "`keep`, `drop` and `ignore` exclude each other: give one of them",
}]))]
#[serde(rename_all = "camelCase", default)]
pub struct QuerySpec {
    /// Only these parameters count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), inner(length(min = 1, max = 256)))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub keep: Option<Vec<String>>,

    /// All but these parameters count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), inner(length(min = 1, max = 256)))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub drop: Option<Vec<String>>,

    /// No parameter counts.
    pub ignore: bool,
}
