//! How a site's requests go on from a node: to whom, how often, for how long.

use upstream::{Choice, EndpointError, Policy, Targets};
use wire::snapshot::{Retries, Site};

/// How a site's requests go on from here.
#[derive(Debug)]
pub(crate) struct Way {
    /// Of requests to its origins.
    pub(crate) policy: Policy,
    pub(crate) origins: Vec<Choice>,
    /// Of requests to tiers, which try again themselves.
    pub(crate) to_tiers: Policy,
}

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
        let once = Retries { attempts: 1, ..Retries::default() };
        Ok(Self {
            policy: Policy::new(&spec.timeouts, &spec.retries),
            origins: origins.collect::<Result<_, _>>()?,
            to_tiers: Policy::new(&spec.timeouts, &once),
        })
    }

    /// The way of a site that no node runs.
    pub(crate) fn nowhere(spec: &Site) -> Self {
        let policy = || Policy::new(&spec.timeouts, &spec.retries);
        Self { policy: policy(), origins: Vec::new(), to_tiers: policy() }
    }
}
