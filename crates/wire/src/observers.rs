//! What the replicas of a GeoDNS tell each other of the PoPs that they probe.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// The number of this format; a report of another one is not read.
pub const FORMAT: u32 = 1;
/// Bytes of one report at most: some 10,000 addresses.
pub const MAX_BYTES: usize = 256 << 10;
/// Observers at most.
pub const MAX_OBSERVERS: usize = 64;

/// What an observer sees, as one JSON text. Fields that a later version adds are not read by this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// [`FORMAT`].
    pub format: u32,
    /// Tells processes with the same name apart: random, and the same as long as the process lives.
    pub instance: u64,
    /// It goes, and is not to be waited for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leaves: bool,
    /// By pool, PoP and address: whether it is well. What the observer knows nothing of is not there.
    #[serde(default)]
    pub sees: BTreeMap<String, BTreeMap<String, BTreeMap<IpAddr, bool>>>,
}

#[cfg(test)]
mod tests;
