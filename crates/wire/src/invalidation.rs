//! What is written to the invalidation log, and what nodes answer to it.

use serde::{Deserialize, Serialize};

use crate::Seq;

mod report;

pub use report::{Ack, Heartbeat, NodeReport, NodeState, OnLogLoss, Phase, PurgeReport};

/// The number of the entries' format; an entry of another one is malformed.
pub const FORMAT: u32 = 1;

/// One order to invalidate: an entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Invalidation {
    /// [`FORMAT`].
    pub format: u32,
    /// Names the order, whatever entry carries it: 1 to 64 letters, digits, `-`, `_`, `.` or `:`.
    pub id: String,
    /// What it is about.
    pub target: Target,
    /// How thoroughly.
    #[serde(default)]
    pub how: How,
    /// Only count what would match.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// When it was given, in milliseconds since 1970 by the sender's clock. For people and for the
    /// age of bans; order never comes from it.
    pub issued_ms: i64,
}

/// How thoroughly something is invalidated.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// Gone at once.
    #[default]
    Hard,
    /// Stale from now on, still servable while one refresh runs.
    Soft,
}

/// What an order is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Target {
    /// URLs, each with every variant, under both schemes. 1 to 1,000.
    Urls(Vec<Url>),
    /// Surrogate keys. 1 to 1,000.
    Tags(Vec<String>),
    /// Everything under a path.
    Prefix(Prefix),
    /// Everything.
    All,
    /// Whatever matches a pattern and was stored before it.
    Ban(Ban),
    /// Ends a ban, named by its id.
    Lift(String),
}

/// A URL without its scheme.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Url {
    /// Host as the site names it, in lower case.
    pub host: String,
    /// Path and query, from the first `/` on.
    pub path: String,
}

/// The head of many URLs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Prefix {
    /// Only on this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The path and query of what is meant begin with this, byte for byte; it begins with `/`.
    pub path: String,
}

/// A pattern over stored responses. At least one of path and headers is there; all that are must match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ban {
    /// Names it for lifting, as [`Invalidation::id`].
    pub id: String,
    /// Only on this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The path, without the query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Pattern>,
    /// Fields of the stored response.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<HeaderCondition>,
    /// How long it lasts after it was applied, in milliseconds: one second to 30 days.
    pub ttl_ms: u64,
}

/// How a text must look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Pattern {
    /// `*` stands for any run of bytes without `/`, `**` for any run, `?` for one byte that is not `/`.
    Glob(String),
    /// It begins with this.
    Prefix(String),
    /// It is this.
    Exact(String),
    /// It matches this somewhere (the syntax of the `regex` crate; `^` and `$` anchor).
    Regex(String),
}

/// A condition on a field of the stored response: one of its lines matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HeaderCondition {
    /// The field, in lower case.
    pub name: String,
    /// What its value looks like; without one, the field must be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Pattern>,
}

/// A position in one particular log: positions of different logs say nothing about each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogPosition {
    /// Names the log.
    pub epoch: String,
    /// The position in it.
    pub seq: Seq,
}

impl std::fmt::Display for LogPosition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.epoch, self.seq)
    }
}

/// The text was not `epoch/ms-n`.
#[derive(Debug, PartialEq, Eq)]
pub struct BadPosition;

impl std::fmt::Display for BadPosition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a position must be written as `epoch/milliseconds-number`")
    }
}

impl std::error::Error for BadPosition {}

impl std::str::FromStr for LogPosition {
    type Err = BadPosition;

    fn from_str(text: &str) -> Result<Self, BadPosition> {
        let (epoch, seq) = text.rsplit_once('/').ok_or(BadPosition)?;
        if epoch.is_empty() {
            return Err(BadPosition);
        }
        Ok(Self { epoch: epoch.to_owned(), seq: seq.parse().map_err(|_| BadPosition)? })
    }
}

#[cfg(test)]
mod tests;
