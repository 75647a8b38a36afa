//! The origins of a site as targets.

use std::sync::Arc;
use std::time::Duration;

use wire::snapshot;

use crate::breaker::BreakerSettings;
use crate::endpoint::{Endpoint, EndpointError};
use crate::random::random;
use crate::select::{self, Candidate};
use crate::target::{Probe, Target, TargetSettings};

/// The target that `origin` is under the settings of its site.
///
/// # Errors
/// When its URL or host cannot be used.
pub fn origin_settings(
    origin: &snapshot::Origin,
    limits: &snapshot::OriginLimits,
    breaker: &snapshot::Breaker,
    timeouts: &snapshot::Timeouts,
) -> Result<TargetSettings, EndpointError> {
    Ok(TargetSettings {
        endpoint: Endpoint::new(origin)?,
        connect: Duration::from_millis(timeouts.connect_ms),
        limits: limits.clone(),
        breaker: breaker_settings(breaker),
        probe: origin.health.clone().map(Probe::Get),
    })
}

/// A breaker as it is configured.
pub fn breaker_settings(breaker: &snapshot::Breaker) -> BreakerSettings {
    BreakerSettings {
        consecutive_failures: breaker.consecutive_failures,
        failure_ratio: f64::from(breaker.failure_percent) / 100.0,
        window: Duration::from_millis(breaker.window_ms),
        minimum_requests: breaker.min_requests,
        open: Duration::from_millis(breaker.open_ms),
        longest_open: Duration::from_millis(breaker.max_open_ms),
        ..BreakerSettings::default()
    }
}

/// One origin of a site, and which part of its requests it gets.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The origin.
    pub target: Arc<Target>,
    /// Lower is preferred.
    pub priority: u8,
    /// Its share among those of the same priority.
    pub weight: u32,
}

/// The order in which one request tries the origins of a site: usable ones first, by priority, at random
/// by weight.
pub fn order(choices: &[Choice]) -> Vec<Arc<Target>> {
    if let [only] = choices {
        return vec![only.target.clone()];
    }
    let candidates: Vec<_> = choices
        .iter()
        .map(|choice| Candidate {
            priority: choice.priority.into(),
            weight: choice.weight,
            usable: choice.target.is_usable(),
        })
        .collect();
    let order = select::order(&candidates, random());
    order.into_iter().filter_map(|at| Some(choices.get(at)?.target.clone())).collect()
}
