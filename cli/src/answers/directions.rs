//! What a GeoDNS answers about a client.

use serde::Deserialize;

/// To `GET /where?ip=ADDRESS&name=HOST`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Directions {
    pub(crate) ip: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) pool: String,
    #[serde(default)]
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) country: Option<String>,
    #[serde(default)]
    pub(crate) scope: u8,
    #[serde(default)]
    pub(crate) ttl: u32,
    #[serde(default)]
    pub(crate) all_bad: bool,
    pub(crate) candidates: Vec<Candidate>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Candidate {
    pub(crate) pop: String,
    pub(crate) verdict: String,
    #[serde(default)]
    pub(crate) kilometres: Option<u32>,
    #[serde(default)]
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) weight: u32,
    #[serde(default)]
    pub(crate) share: f64,
    #[serde(default)]
    pub(crate) addresses: Vec<Address>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Address {
    pub(crate) address: String,
    #[serde(default)]
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) reason: String,
    #[serde(default)]
    pub(crate) since_seconds: u64,
}
