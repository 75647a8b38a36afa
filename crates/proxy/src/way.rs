//! How a site's requests go on from a node: to whom, how often, for how long.

use upstream::{Choice, EndpointError, Policy, Targets};
use wire::snapshot::{Retries, Site, Timeouts};

/// How a site's requests go on from here.
#[derive(Debug)]
pub(crate) struct Way {
    /// Of requests to its origins.
    pub(crate) policy: Policy,
    pub(crate) origins: Vec<Choice>,
    /// Of requests to the shield, which tries again itself, within less time.
    pub(crate) to_shields: Policy,
    /// Of requests to another edge, which takes the same way on as this one would: its word about what went
    /// wrong must come in time (S7).
    pub(crate) to_peers: Policy,
    /// Of requests for what somebody has stored, or has not.
    pub(crate) to_previous_owner: Policy,
}

/// What is stored is there at once.
const HELD_MS: u64 = 1_000;

impl Way {
    /// The way of the site of `spec`; its origins are targets of `targets`.
    ///
    /// # Errors
    /// When an origin cannot be used.
    pub(crate) fn new(spec: &Site, targets: &Targets) -> Result<Self, EndpointError> {
        let origins = spec.origins.iter().map(|origin| {
            let settings =
                upstream::origin_settings(origin, &spec.limits, &spec.breaker, &spec.timeouts)?;
            let target = targets.target(&settings)?;
            Ok(Choice { target, priority: origin.priority, weight: origin.weight })
        });
        Ok(Self { origins: origins.collect::<Result<_, _>>()?, ..Self::nowhere(spec) })
    }

    /// The way of a site that no node runs.
    pub(crate) fn nowhere(spec: &Site) -> Self {
        let once = Retries { attempts: 1, ..Retries::default() };
        let own = &spec.timeouts;
        let held = Timeouts { first_byte_ms: own.first_byte_ms.min(HELD_MS), ..own.clone() };
        Self {
            policy: Policy::new(own, &spec.retries),
            origins: Vec::new(),
            to_shields: Policy::new(own, &once),
            to_peers: Policy::new(&around(own, spec.limits.queue_timeout_ms), &once),
            to_previous_owner: Policy::new(&held, &once),
        }
    }
}

/// Time for somebody who has `own` for the same thing, to say how it ended: a tenth more, and the wait for a
/// turn, which comes before the rest.
fn around(own: &Timeouts, queue_ms: u64) -> Timeouts {
    let more = |ms: u64| ms.saturating_add((ms / 10).clamp(50, 3_000));
    Timeouts {
        connect_ms: own.connect_ms,
        first_byte_ms: more(own.first_byte_ms.saturating_add(queue_ms)),
        between_bytes_ms: more(own.between_bytes_ms),
        total_ms: more(own.total_ms.saturating_add(queue_ms)),
    }
}
