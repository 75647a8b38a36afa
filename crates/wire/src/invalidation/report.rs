//! What becomes of an order: acknowledgements of nodes, and all of them together.

use serde::{Deserialize, Serialize};

use super::LogPosition;
use crate::Seq;

/// A node applied an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ack {
    /// Who.
    pub node: String,
    /// Which entry.
    pub seq: Seq,
    /// Stored responses that it matched; `None` while they are still counted, which a later
    /// acknowledgement of the same entry tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<u64>,
    /// Why the node could not apply it, if it could not: then nothing of it was applied there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What a node does when it has not heard of the log for its lease.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnLogLoss {
    /// Goes on serving what it has.
    #[default]
    Serve,
    /// Has every hit validated upstream first.
    Revalidate,
}

/// A node is there. Fields that a later version adds are not read by this one: whoever cannot read a heartbeat knows
/// nothing of the node's lease.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Heartbeat {
    /// Its name.
    pub node: String,
    /// `edge` or `shield`.
    pub role: String,
    /// Its pool.
    pub pool: String,
    /// Up to where it applied the log; `None` before it caught up for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<LogPosition>,
    /// What it does when cut off.
    pub on_log_loss: OnLogLoss,
    /// After how many milliseconds without the log it does so.
    pub lease_ms: u64,
    /// The point of presence that it stands in, if it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pop: Option<String>,
    /// Requests of the last seconds, per second, the latest counting the most; `None` before there are any to count
    /// from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<u32>,
    /// Whether it caught up with the log and takes clients. `None`: it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<bool>,
    /// It is on its way out: clients should go elsewhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub draining: bool,
}

/// Where an order stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Not in the log yet: the log is away, the sender keeps it.
    Pending,
    /// In the log; not every node has applied it.
    Applying,
    /// Every node that may serve has applied it.
    Complete,
    /// The deadline passed and the nodes named as waiting may serve what is stale.
    Partial,
    /// Nodes could not apply it.
    Failed,
}

/// Where an order stands, with every node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PurgeReport {
    /// The order.
    pub id: String,
    /// Its phase.
    pub phase: Phase,
    /// Its entry, once it is in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<LogPosition>,
    /// Whether it is in the log, where every node finds it.
    pub replicated: bool,
    /// Matches told so far, all nodes together.
    pub matched: u64,
    /// Whether nodes still count.
    pub counting: bool,
    /// Milliseconds since it was accepted, or until it was complete.
    pub took_ms: u64,
    /// The nodes it must reach, by name.
    pub nodes: Vec<NodeReport>,
}

/// One node, as far as one order is concerned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeReport {
    /// Its name.
    pub name: String,
    /// What is known of it.
    pub state: NodeState,
    /// What it matched, once told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<u64>,
    /// Why it could not apply the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What is known of a node, as far as one order is concerned.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeState {
    /// It acknowledged the entry.
    Done,
    /// It did not, and may serve what is stale.
    Waiting,
    /// It is cut off and by now has everything validated before it serves it.
    Revalidating,
    /// It could not apply it.
    Failed,
}
