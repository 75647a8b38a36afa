//! What the API answers, as far as it is not a report. Fields that are not known are passed over, as the
//! API may be newer.

use std::fmt;

use serde::Deserialize;
use wire::invalidation::{Ban, How, OnLogLoss, PurgeReport};
use wire::{LogPosition, Seq};

pub(crate) mod directions;
pub(crate) mod whereabouts;

/// To `POST /ban`.
#[derive(Debug, Deserialize)]
pub(crate) struct BanAdded {
    /// The ban's.
    pub(crate) id: String,
    pub(crate) report: PurgeReport,
}

/// To `GET /ban`.
#[derive(Debug, Deserialize)]
pub(crate) struct BanList {
    pub(crate) bans: Vec<ListedBan>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListedBan {
    pub(crate) id: String,
    pub(crate) ban: Ban,
    #[serde(default)]
    pub(crate) how: How,
    #[serde(default)]
    pub(crate) matched: Option<u64>,
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) age_seconds: Option<u64>,
    #[serde(default)]
    pub(crate) expires_in_seconds: Option<u64>,
}

/// To `GET /log`.
#[derive(Debug, Deserialize)]
pub(crate) struct LogState {
    pub(crate) connected: bool,
    #[serde(default)]
    pub(crate) end: Option<Position>,
    #[serde(default)]
    pub(crate) queued: u64,
    #[serde(default)]
    pub(crate) nodes: Vec<ListedNode>,
    #[serde(default)]
    pub(crate) orders: Vec<PurgeReport>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListedNode {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) role: String,
    #[serde(default)]
    pub(crate) pool: String,
    #[serde(default)]
    pub(crate) applied: Option<Position>,
    #[serde(default)]
    pub(crate) silent_ms: Option<u64>,
    #[serde(default)]
    pub(crate) on_log_loss: OnLogLoss,
    #[serde(default)]
    pub(crate) lease_ms: u64,
}

/// A position in the log, however it is written.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Position {
    Parts(LogPosition),
    Seq(Seq),
    Text(String),
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parts(position) => position.fmt(f),
            Self::Seq(seq) => seq.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// What the API says about a request that it refuses.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Refusal {
    #[serde(default)]
    pub(crate) error: String,
    #[serde(default)]
    pub(crate) field: String,
    #[serde(default)]
    pub(crate) reason: String,
}
