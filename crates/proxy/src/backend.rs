//! Where a tier gets what it does not have. Edges and shields differ in this alone.

use std::future::Future;
use std::sync::Arc;

use http::Response;
use http::request::Parts;
use parking_lot::Mutex;
use upstream::{FetchError, RequestBody, Upstream};
use wire::{LogPosition, snapshot};

use crate::config::Node;
use crate::site::Site;

/// A tier's way to what it does not have.
pub trait Backend: Send + Sync + 'static {
    /// Sends a request on. `head` has all fields as they are to arrive, but for those between tiers.
    fn fetch(
        &self,
        ask: &Ask<'_>,
        head: Parts,
        body: RequestBody,
    ) -> impl Future<Output = Result<Reply, FetchError>> + Send;
}

/// What is asked for, besides the request itself.
pub struct Ask<'a> {
    /// Who asks.
    pub node: &'a Node,
    /// The site that the request is for.
    pub site: &'a Site,
    /// Where its key stands on every ring.
    pub key_hash: u64,
    /// Requests of one flow take turns with those of others: by host.
    pub flow: u64,
    /// The position of the log from which on an answer is accepted. Said to tiers of this network, never to
    /// an origin.
    pub least: Option<LogPosition>,
    /// It is asked on behalf of another tier, not of a client.
    pub below: bool,
}

/// What came, and from whom.
pub struct Reply {
    /// The response as it was received.
    pub response: Response<upstream::Body>,
    /// Whose it is.
    pub source: Source,
}

/// Who answered.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An origin: its word is the truth of now.
    Origin,
    /// A tier of this network: it says what its answer is vouched for, and keeps what may be kept.
    Tier {
        /// Whether this node is to keep it as well.
        keep: bool,
    },
}

impl Source {
    /// Whether it speaks of positions, and of what it kept itself.
    pub(crate) fn is_tier(self) -> bool {
        matches!(self, Self::Tier { .. })
    }

    /// Whether somebody else keeps it for this node.
    pub(crate) fn is_kept_elsewhere(self) -> bool {
        self == Self::Tier { keep: false }
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
        ask: &Ask<'_>,
        head: Parts,
        body: RequestBody,
    ) -> Result<Reply, FetchError> {
        let response = self.of(&ask.site.spec)?.fetch(head, body).await?;
        Ok(Reply { response, source: Source::Origin })
    }
}
