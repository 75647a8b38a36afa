//! Who is there: the rings of a pool and their members.
//!
//! A document of its own beside the [`Snapshot`](crate::Snapshot), since it changes more often and by other
//! causes. Like that one a machine format: every name spelled out, unknown names refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

mod check;

pub use check::FleetError;

/// The number of this format; a process refuses any other.
pub const FORMAT: u32 = 1;

/// Members of one ring at most.
pub const MAX_MEMBERS: usize = 1_000;

/// The greatest weight of a member.
pub const MAX_WEIGHT: u32 = 1_000;

/// The greatest sum of the weights of one ring, as of [`MAX_MEMBERS`] of the usual weight: what bounds the
/// memory of a node's table (about a million points, 12 MB).
pub const MAX_RING_WEIGHT: u32 = 100_000;

/// Bytes of a name at most, as of a host's.
pub const MAX_NAME: usize = 253;

/// Stands for the site's host in what clients reach a member by.
pub const HOST: &str = "{host}";

/// Everybody that keys are shared among. Read it, then [`check`](Fleet::check) it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fleet {
    /// [`FORMAT`].
    pub format: u32,
    /// Names this content; a process reports the version that it runs.
    pub version: String,
    /// By name: what a pool's configuration calls each of them.
    pub rings: BTreeMap<String, Ring>,
}

/// Nodes that share keys: each key has one owner among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ring {
    /// At most [`MAX_MEMBERS`], their weights together at most [`MAX_RING_WEIGHT`]. Their order means
    /// nothing.
    pub members: Vec<Member>,
}

/// A node of a ring.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Member {
    /// Owns the keys, wherever the node is reached: 1 to [`MAX_NAME`] visible ASCII characters, no other
    /// member of the ring has it.
    pub name: String,
    /// `http://host:port`, where tiers reach it.
    pub url: String,
    /// Its share of the keys in proportion to the others' weights, 0 to [`MAX_WEIGHT`]; 0 = none.
    #[serde(default = "usual_weight")]
    pub weight: u32,
    /// The point of presence that it stands in, named as a member is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pop: Option<String>,
    /// Where clients reach this one alone, for the peering mode `redirect`: `host` or `host:port`, in which
    /// `{host}` stands for the site's host, as in `edge-0.{host}`. Without it no client is sent here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<String>,
}

fn usual_weight() -> u32 {
    100
}

#[cfg(test)]
mod tests;
