//! Time limits of one tier beside those of the next (S7).
//!
//! A tier must give up before the one that asks it does: else its word about what went wrong, or what it has
//! that is stale, comes to nobody. So the next tier has a little less time, the slack for the way between
//! them. Each tier's connections are its own affair.

use ::wire::snapshot::{OriginLimits, Timeouts};

/// Milliseconds that a site with a shield must give it at least; half of that is slack.
pub(super) const LEAST: u64 = 100;

const SLACK: std::ops::RangeInclusive<u64> = 50..=3_000;

/// What the next tier has of a time: a tenth less, within bounds.
pub(super) fn below(ms: u64) -> u64 {
    ms.saturating_sub((ms / 10).clamp(*SLACK.start(), *SLACK.end())).max(1)
}

/// A time of which the next tier has this much.
pub(super) fn above(ms: u64) -> u64 {
    ms.saturating_add(ms.div_ceil(9).clamp(*SLACK.start(), *SLACK.end()))
}

/// What a tier must allow a shield that has these, to be answered in any case.
pub(super) fn around(shield: &Timeouts, limits: &OriginLimits) -> Timeouts {
    let first_byte_ms = above(shield.first_byte_ms.saturating_add(limits.queue_timeout_ms));
    Timeouts {
        connect_ms: Timeouts::default().connect_ms.min(first_byte_ms),
        first_byte_ms,
        between_bytes_ms: above(shield.between_bytes_ms),
        total_ms: above(shield.total_ms).max(first_byte_ms),
    }
}

/// What is left to a shield with these of what an edge allows it. Where the wait for a turn and the answer
/// do not fit together, the wait has a quarter at most.
pub(super) fn within(
    edge: &Timeouts,
    shield: &Timeouts,
    limits: &OriginLimits,
) -> (Timeouts, OriginLimits) {
    let time = below(edge.first_byte_ms);
    let (mut queue, mut first_byte) = (limits.queue_timeout_ms, shield.first_byte_ms);
    if queue.saturating_add(first_byte) > time {
        queue = queue.min(time / 4).max(1);
        first_byte = first_byte.min(time.saturating_sub(queue)).max(1);
    }
    let timeouts = Timeouts {
        connect_ms: shield.connect_ms.min(first_byte),
        first_byte_ms: first_byte,
        between_bytes_ms: shield.between_bytes_ms.min(below(edge.between_bytes_ms)),
        total_ms: shield.total_ms.min(below(edge.total_ms)),
    };
    (timeouts, OriginLimits { queue_timeout_ms: queue, ..limits.clone() })
}

#[cfg(test)]
mod tests;
