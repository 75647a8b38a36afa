//! What the nodes of a place are to each other.

use serde::{Deserialize, Serialize};

/// How the edges of one PoP share their memory (R2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Peering {
    /// What an edge does with keys that another one owns.
    pub mode: PeeringMode,
    /// A key of another is kept once it is asked for so often within the window: 1 to 65,535.
    pub hot_after: u16,
    /// The window in milliseconds, 1,000 to 3,600,000.
    pub hot_window_ms: u64,
    /// What an owner may have in hand, in percent of the average: 100 to 1,000.
    pub bounded_load_percent: u32,
    /// Milliseconds over which one that is new or back takes over its keys; 0 = at once, 3,600,000 at most.
    pub ramp_ms: u64,
}

impl Default for Peering {
    fn default() -> Self {
        Self {
            mode: PeeringMode::Independent,
            hot_after: 20,
            hot_window_ms: 10_000,
            bounded_load_percent: 125,
            ramp_ms: 30_000,
        }
    }
}

/// What an edge does with keys that another one owns.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PeeringMode {
    /// Nobody owns anything.
    #[default]
    Independent,
    /// Fetch from the owner.
    Peer,
    /// Send the client there, 302.
    Redirect,
}
