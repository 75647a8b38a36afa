//! What the debug API answers about a URL.

use serde::Deserialize;

/// To `GET /debug/nodes`.
#[derive(Debug, Deserialize)]
pub(crate) struct NodeList {
    pub(crate) nodes: Vec<NodeHere>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct NodeHere {
    pub(crate) name: String,
    /// What its routes begin with: nothing, or `/…`.
    pub(crate) path: String,
}

/// To `GET /debug/ring?key=URL`: the URL as one node sees it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Seen {
    #[serde(default)]
    pub(crate) pool: String,
    #[serde(default)]
    pub(crate) tier: String,
    #[serde(default)]
    pub(crate) peering: String,
    #[serde(default)]
    pub(crate) fleet: Option<String>,
    #[serde(default)]
    pub(crate) own_ring: Option<String>,
    #[serde(default)]
    pub(crate) rings: Vec<Ring>,
    pub(crate) key: Key,
    pub(crate) way: Vec<Hop>,
    #[serde(default)]
    pub(crate) origins: Vec<Origin>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Key {
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) site: String,
    #[serde(default)]
    pub(crate) shield: Option<String>,
    #[serde(default)]
    pub(crate) also_keyed_by: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ring {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) digest: String,
    #[serde(default)]
    pub(crate) pick: Option<String>,
    #[serde(default)]
    pub(crate) reason: Option<String>,
    #[serde(default)]
    pub(crate) successors: Vec<String>,
    #[serde(default)]
    pub(crate) members: Vec<Member>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Member {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) weight: u32,
    #[serde(default)]
    pub(crate) share: f64,
    #[serde(default)]
    pub(crate) here: bool,
    #[serde(default)]
    pub(crate) standing: String,
    #[serde(default)]
    pub(crate) health: String,
    #[serde(default)]
    pub(crate) in_flight: u32,
    #[serde(default)]
    pub(crate) ramp: Option<f64>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Hop {
    #[serde(default)]
    pub(crate) from: String,
    pub(crate) tier: String,
    pub(crate) to: String,
    #[serde(default)]
    pub(crate) ring: Option<String>,
    pub(crate) why: String,
    #[serde(default)]
    pub(crate) here: bool,
    #[serde(default)]
    pub(crate) next: Vec<String>,
    #[serde(default)]
    pub(crate) upstream: Option<Upstream>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Origin {
    #[serde(default)]
    pub(crate) role: String,
    #[serde(default)]
    pub(crate) priority: u32,
    #[serde(default)]
    pub(crate) weight: u32,
    pub(crate) upstream: Upstream,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Upstream {
    pub(crate) name: String,
    pub(crate) up: bool,
    #[serde(default)]
    pub(crate) health: String,
    #[serde(default)]
    pub(crate) since_seconds: f64,
    #[serde(default)]
    pub(crate) breaker: String,
    #[serde(default)]
    pub(crate) tripped_by: Option<String>,
    #[serde(default)]
    pub(crate) opens_again_in_seconds: f64,
    #[serde(default)]
    pub(crate) limit: u32,
    #[serde(default)]
    pub(crate) in_flight: u32,
    #[serde(default)]
    pub(crate) waiting: u64,
}

/// To `GET /debug/entry?url=URL`, if it is stored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    #[serde(default)]
    pub(crate) fills: u64,
    #[serde(default)]
    pub(crate) waiting: u64,
    #[serde(default)]
    pub(crate) hit_for_miss_seconds: Option<i64>,
    #[serde(default)]
    pub(crate) variants: Vec<Variant>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Variant {
    #[serde(default)]
    pub(crate) vary: Vec<String>,
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) age_seconds: u64,
    #[serde(default)]
    pub(crate) ttl_seconds: i64,
    #[serde(default)]
    pub(crate) body_bytes: Option<u64>,
    #[serde(default)]
    pub(crate) hits: u64,
    #[serde(default)]
    pub(crate) filling: bool,
}
