//! Where a tier gets what it does not have. Edges and shields differ in this alone.

use std::future::Future;
use std::sync::Arc;

use http::Response;
use http::request::Parts;
use parking_lot::Mutex;
use upstream::{FetchError, RequestBody, Upstream};
use wire::snapshot;

/// The next tier, or the origin.
pub trait Backend: Send + Sync + 'static {
    /// Sends a request of `site` on.
    fn fetch(
        &self,
        site: &snapshot::Site,
        head: Parts,
        body: RequestBody,
    ) -> impl Future<Output = Result<Response<upstream::Body>, FetchError>> + Send;

    /// Whether it is a tier of this network, which is told positions and whose word about them counts.
    fn is_tier(&self) -> bool {
        false
    }
}

/// The sites' origins themselves. One for each worker, since connections belong to a runtime.
#[derive(Default)]
pub struct Origins {
    known: Mutex<Vec<Known>>,
}

struct Known {
    origins: Vec<snapshot::Origin>,
    timeouts: snapshot::Timeouts,
    upstream: Arc<Upstream>,
}

/// Pools kept for origins that no site names any more would keep their connections; a few are no harm.
const MOST_KNOWN: usize = 64;

impl Origins {
    /// The pools for a site's origins: those of the last request, unless its configuration changed.
    fn of(&self, site: &snapshot::Site) -> Result<Arc<Upstream>, FetchError> {
        let mut known = self.known.lock();
        let same = |k: &&Known| k.origins == site.origins && k.timeouts == site.timeouts;
        if let Some(found) = known.iter().find(same) {
            return Ok(found.upstream.clone());
        }
        let upstream = Upstream::new(&site.origins, &site.timeouts)
            .map_err(|e| FetchError::Connect { origin: site.name.clone(), cause: e.to_string() })?;
        if known.len() == MOST_KNOWN {
            known.remove(0);
        }
        let upstream = Arc::new(upstream);
        known.push(Known {
            origins: site.origins.clone(),
            timeouts: site.timeouts.clone(),
            upstream: upstream.clone(),
        });
        Ok(upstream)
    }
}

impl Backend for Origins {
    async fn fetch(
        &self,
        site: &snapshot::Site,
        head: Parts,
        body: RequestBody,
    ) -> Result<Response<upstream::Body>, FetchError> {
        self.of(site)?.fetch(head, body).await
    }
}
