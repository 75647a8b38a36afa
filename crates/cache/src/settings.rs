//! What an operator may choose.

use wire::EvictionPolicy;

/// The bounds of a [`Cache`](crate::Cache); all of them may change while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Bytes that everything together may take: bodies, headers, keys, index, policy, fills.
    pub capacity: u64,
    /// Who has to go when the capacity is reached.
    pub eviction: EvictionPolicy,
    /// A body that outgrows this is streamed on and not stored.
    pub max_object: u64,
    /// Variants kept of one key.
    pub max_variants: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            capacity: 256 << 20,
            eviction: EvictionPolicy::S3Fifo,
            max_object: 32 << 20,
            max_variants: 16,
        }
    }
}
