//! The store of a node, edge or shield.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ByteQuantity;

/// Size and behaviour of a node's store.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct CacheSpec {
    /// The most that everything stored may take together: bodies, headers, keys and index. A number
    /// with a suffix, such as `256Mi` or `4Gi`; at least `1Mi`.
    pub memory: ByteQuantity,

    /// What goes first when the store is full. `s3fifo` suits most traffic, `lfu` traffic with a
    /// steady set of favourites, `lru` is the simplest to reason about.
    pub eviction: Eviction,

    /// A larger body streams through and is not stored. Not more than `memory`.
    pub max_object_size: ByteQuantity,

    /// How many variants of one URL (by the origin's `Vary`) are kept.
    #[schemars(range(min = 1, max = 1024))]
    pub max_variants: i32,
}

impl Default for CacheSpec {
    fn default() -> Self {
        Self {
            memory: ByteQuantity::mib(256),
            eviction: Eviction::S3fifo,
            max_object_size: ByteQuantity::mib(32),
            max_variants: 16,
        }
    }
}

/// An eviction policy.
#[derive(Serialize, Deserialize, JsonSchema, Copy, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "a description per value would leave the schema without `enum`")]
pub enum Eviction {
    #[default]
    S3fifo,
    Lru,
    Lfu,
}
