//! What a pool or a shield serves and how: the configuration that every data-plane process runs on.
//!
//! Made by `translate`, carried as YAML or JSON in a file or a ConfigMap, read by `edge` and `shield`.
//! A machine format: bytes and milliseconds as plain numbers, every name spelled out, unknown names refused.

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::invalidation::OnLogLoss;

mod peering;
mod protection;
mod site;
pub use peering::*;
pub use protection::*;
pub use site::*;

/// The number of this format; a process refuses any other.
pub const FORMAT: u32 = 1;

/// The configuration of one pool, or of one shield, complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Snapshot {
    /// [`FORMAT`].
    pub format: u32,
    /// Names this content; a process reports the version that it runs.
    pub version: String,
    /// The pool's or shield's name, as `namespace/name` in a cluster.
    pub pool: String,
    /// Whose it is, so that a process can refuse that of another tier.
    #[serde(default)]
    pub tier: Tier,
    /// The store.
    #[serde(default)]
    pub cache: CacheSettings,
    /// Limits towards clients.
    #[serde(default)]
    pub limits: Limits,
    /// What happens without word from the log of invalidations.
    #[serde(default)]
    pub invalidation: InvalidationSettings,
    /// Peers whose `X-Forwarded-*` and `X-Request-ID` are believed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusted_proxies: Vec<IpNet>,
    /// How the nodes of one PoP share their memory; means nothing to a shield.
    #[serde(default)]
    pub peering: Peering,
    /// Names of single places at which clients are sent here by an HTTP router. `{host}` in one stands for a host of the
    /// sites; one without stands for the first site's first host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub place_names: Vec<String>,
    /// The sites that are served; a host that none of them names gets 421. Only a shield may have none.
    pub sites: Vec<Site>,
}

/// The tiers of the network.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Tier {
    /// Towards clients.
    #[default]
    Edge,
    /// Between edges and origins.
    Shield,
}

impl Tier {
    /// Its word, as a snapshot has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Shield => "shield",
        }
    }
}

/// Size and behaviour of a node's store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CacheSettings {
    /// Bound in bytes of everything stored: bodies, headers, keys and index.
    pub memory_bytes: u64,
    /// Who goes first when it is full.
    pub eviction: EvictionPolicy,
    /// A larger body streams through and is not stored.
    pub max_object_bytes: u64,
    /// Variants kept of one key (RFC 9111 §4.1).
    pub max_variants: u32,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            eviction: EvictionPolicy::S3Fifo,
            max_object_bytes: 32 << 20,
            max_variants: 16,
        }
    }
}

/// The eviction algorithms.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EvictionPolicy {
    /// Least recently used.
    Lru,
    /// W-TinyLFU (Einziger, Friedman, Manes 2017).
    Lfu,
    /// S3-FIFO (Yang et al. 2023).
    #[default]
    S3Fifo,
}

/// What a client may ask of a node. Times in milliseconds; 0 is refused, not "off".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Limits {
    /// Connections held at once, over all threads, of clients and of tiers each; more wait in the listen queue.
    pub max_connections: u32,
    /// Bytes of a request's line and header section.
    pub max_head_bytes: u32,
    /// Field lines of a request.
    pub max_fields: u32,
    /// Bytes of a request body; a larger one gets 413.
    pub max_body_bytes: u64,
    /// From the first byte of a head to its last.
    pub head_timeout_ms: u64,
    /// Between two bytes of a request body, and between two writes that a client takes.
    pub between_bytes_timeout_ms: u64,
    /// Without a request on a kept-alive connection.
    pub idle_timeout_ms: u64,
    /// How long a stop waits for what is in flight.
    pub drain_timeout_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 65_536,
            max_head_bytes: 32 << 10,
            max_fields: 100,
            max_body_bytes: 1 << 30,
            head_timeout_ms: 10_000,
            between_bytes_timeout_ms: 30_000,
            idle_timeout_ms: 60_000,
            drain_timeout_ms: 30_000,
        }
    }
}

/// What a node does when it has no word from the log of invalidations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct InvalidationSettings {
    /// Once the lease ran out.
    pub on_log_loss: OnLogLoss,
    /// Milliseconds without the log after which what is stored is not vouched for any more: 1,000 to
    /// 3,600,000.
    pub lease_ms: u64,
}

impl Default for InvalidationSettings {
    fn default() -> Self {
        Self { on_log_loss: OnLogLoss::Serve, lease_ms: 10_000 }
    }
}

/// Seconds per status code.
pub type StatusTtls = BTreeMap<u16, u32>;

#[cfg(test)]
mod tests;
