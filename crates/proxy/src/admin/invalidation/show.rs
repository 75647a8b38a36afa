//! Bans and the log in the words of the API.

use serde_json::{Value, json};

use super::desk::{BanStatus, LogStatus, NodeStatus};

/// Orders that `GET /log` shows.
const SHOWN_ORDERS: usize = 100;

pub(super) fn ban(status: &BanStatus) -> Value {
    let BanStatus { ban, how, seq, matched, exhausted, age, left } = status;
    json!({
        "id": ban.id,
        "ban": ban,
        "how": how,
        "seq": seq,
        "matched": matched,
        "state": if *exhausted { "exhausted" } else { "active" },
        "ageSeconds": age.as_secs(),
        "expiresInSeconds": left.as_secs(),
    })
}

pub(super) fn log(status: &LogStatus) -> Value {
    let LogStatus { connected, end, queued, nodes, orders } = status;
    json!({
        "connected": connected,
        "end": end.as_ref().map(ToString::to_string),
        "queued": queued,
        "nodes": nodes.iter().map(node).collect::<Vec<_>>(),
        "orders": orders.get(..SHOWN_ORDERS).unwrap_or(orders),
    })
}

fn node(NodeStatus { beat, silent }: &NodeStatus) -> Value {
    json!({
        "name": beat.node,
        "role": beat.role,
        "pool": beat.pool,
        "applied": beat.applied.as_ref().map(ToString::to_string),
        "silentMs": u64::try_from(silent.as_millis()).unwrap_or(u64::MAX),
        "onLogLoss": beat.on_log_loss,
        "leaseMs": beat.lease_ms,
    })
}
