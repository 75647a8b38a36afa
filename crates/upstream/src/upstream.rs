//! The origins of a site with everything of their own, for one runtime.

use std::sync::Arc;

use http::Response;
use http::request::Parts;
use wire::snapshot::{Breaker, Origin, OriginLimits, Retries, Timeouts};

use crate::body::{Body, RequestBody};
use crate::clients::Clients;
use crate::endpoint::EndpointError;
use crate::error::FetchError;
use crate::origins::origin_settings;
use crate::policy::Policy;
use crate::target::Target;
use crate::targets::Targets;

/// The origins of a site with their connection pools. Made in, and used by, one runtime.
pub struct Upstream {
    order: Vec<Arc<Target>>,
    clients: Clients,
    policy: Policy,
}

impl Upstream {
    /// Pools for `origins`, without a connection yet.
    ///
    /// # Errors
    /// When an origin's URL, host or CA bundle cannot be used.
    pub fn new(origins: &[Origin], timeouts: &Timeouts) -> Result<Self, EndpointError> {
        let targets = Targets::new();
        let (limits, breaker) = (OriginLimits::default(), Breaker::default());
        let order = origins
            .iter()
            .map(|origin| targets.target(&origin_settings(origin, &limits, &breaker, timeouts)?))
            .collect::<Result<_, _>>()?;
        let policy = Policy::new(timeouts, &Retries::default());
        Ok(Self { order, clients: Clients::new(), policy })
    }

    /// Sends a request to the first origin that can be reached and returns its response head.
    ///
    /// # Errors
    /// When no origin answered in time.
    pub async fn fetch(
        &self,
        head: Parts,
        body: RequestBody,
    ) -> Result<Response<Body>, FetchError> {
        let fetched = crate::fetch(&self.clients, &self.policy, 0, &self.order, head, body);
        fetched.await.map(|answer| answer.response)
    }
}
