//! What a node allows towards a member of a ring, which keeps its own limits.

use std::time::Duration;

use upstream::breaker::BreakerSettings;
use upstream::{Endpoint, EndpointError, Probe, TargetSettings};
use wire::fleet::Member;
use wire::snapshot::{Origin, OriginLimits};

/// Members are near, or reached over links of this network: who does not answer by then is not there.
const CONNECT: Duration = Duration::from_millis(750);

/// The settings for `member`: no limit, since the member has its own; no breaker, since its errors are mostly
/// those of an origin behind it. Probed where this node asks it, since it must be known within a second whether
/// it is there; the edges of other places it does not ask, and often cannot reach.
pub(super) fn settings(member: &Member, asked: bool) -> Result<TargetSettings, EndpointError> {
    Ok(TargetSettings {
        endpoint: Endpoint::new(&Origin::at(member.url.clone()))?,
        connect: CONNECT,
        limits: OriginLimits { max_concurrency: 65_536, queue: 0, ..OriginLimits::default() },
        breaker: BreakerSettings {
            consecutive_failures: 0,
            failure_ratio: 0.0,
            ..BreakerSettings::default()
        },
        probe: asked.then_some(Probe::Ping),
    })
}
