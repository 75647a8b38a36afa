//! The conditions of a ban.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pattern;

/// How a text must look: exactly one of the four.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "[has(self.glob), has(self.prefix), has(self.exact), has(self.regex)].filter(given, given).size() == 1",
    "message": "give exactly one of `glob`, `prefix`, `exact` and `regex`",
}]))]
#[serde(rename_all = "camelCase")]
pub struct PatternSpec {
    /// `*` stands for anything without a `/`, `**` for anything, `?` for one character that is not
    /// `/`; a backslash takes the next character as it is. At most 32 wildcards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    pub glob: Option<String>,

    /// It begins with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    pub prefix: Option<String>,

    /// It is this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    pub exact: Option<String>,

    /// It matches this regular expression somewhere (`^` and `$` anchor), in the syntax of Rust's
    /// `regex`: without look-around and back-references, and byte by byte unless `(?u)` is in front.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub regex: Option<String>,
}

/// A condition on a header of the stored response: one of its lines looks like `value`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct HeaderSpec {
    /// The header's name.
    #[schemars(regex(pattern = pattern::HEADER), length(max = 128))]
    pub name: String,

    /// What it looks like. Without one, the header must be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<PatternSpec>,
}
