//! Where a tier gets what it does not have. Edges and shields differ in this alone.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{Response, StatusCode};
use http_body::Body as _;
use upstream::{Clients, FetchError, Outgoing, Policy, RequestBody, Target};
use wire::LogPosition;

use crate::config::Node;
use crate::site::Site;
use crate::tiers;

mod inherit;
mod origins;
mod peers;
mod shields;

pub use inherit::Inherit;
pub use origins::Origins;
pub use peers::Peers;
pub use shields::Shields;

pub(crate) use peers::TRIES as PEER_TRIES;
pub(crate) use shields::TRIES as SHIELD_TRIES;

/// What a shield's server has behind it.
pub type BehindShield = Inherit<Origins>;

/// What an edge has behind it.
pub type BehindEdge = Peers<Inherit<Shields<Origins>>>;

/// A tier's way to what it does not have.
pub trait Backend: Send + Sync + 'static {
    /// Sends a request on. `head` has all fields as they are to arrive, but for those between tiers.
    fn fetch(
        &self,
        ask: &Ask<'_>,
        head: Parts,
        body: RequestBody,
    ) -> impl Future<Output = Result<Reply, FetchError>> + Send;

    /// Whether a client's request for `key` would go to a node like `node`, which may ask it in turn.
    fn goes_across(&self, _node: &Node, _key: &[u8]) -> bool {
        false
    }
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
    /// It may go to a node like this one; never on behalf of such a node.
    pub across: bool,
    /// It goes past the stores, and so will what is like it.
    pub past_stores: bool,
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
    /// A shield. Like every tier of this network it says what its answer is vouched for.
    Shield,
    /// The owner of the key among the edges of the place, which keeps what may be kept.
    Peer {
        /// Whether this node is to keep it as well.
        keep: bool,
    },
    /// Whoever owned the key before this node.
    PreviousOwner,
}

impl Source {
    /// All of their words, for metrics.
    pub(crate) const ALL: [Self; 4] =
        [Self::Origin, Self::Shield, Self::Peer { keep: false }, Self::PreviousOwner];

    /// A stable token for metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::Shield => "shield",
            Self::Peer { .. } => "peer",
            Self::PreviousOwner => "previous-owner",
        }
    }

    /// Whether it is a tier of this network: one that speaks of positions.
    pub(crate) fn is_tier(self) -> bool {
        self != Self::Origin
    }

    /// Whether somebody else keeps it for this node.
    pub(crate) fn is_kept_elsewhere(self) -> bool {
        self == Self::Peer { keep: false }
    }
}

/// Says the position from which on an answer is accepted: to a tier, never to an origin.
fn say_to_tier(ask: &Ask<'_>, head: &mut Parts) {
    if let Some(least) = &ask.least {
        tiers::say(&mut head.headers, least);
    }
}

/// After so long without an answer a tier is asked whether it is still there. Origins take their time too, so
/// this says nothing against it.
const PATIENCE: Duration = Duration::from_millis(200);

/// Sends a request to a tier, and waits for the answer for as long as the tier is there: one that stopped or
/// was cut off breaks no connection, and its silence would last until the time for the origin is over. What may
/// not be sent elsewhere is left to wait.
async fn ask_tier(
    clients: &Clients,
    flow: u64,
    policy: &Policy,
    tier: &Arc<Target>,
    head: Parts,
    body: RequestBody,
) -> Result<Response<upstream::Body>, FetchError> {
    let movable = head.method.is_safe() && body.is_end_stream();
    let order = [tier.clone()];
    let asking = upstream::fetch(clients, policy, flow, &order, head, body);
    let gone = async {
        if !movable {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(PATIENCE).await;
        tier.doubt();
        tier.gone().await;
    };
    tokio::select! {
        biased;
        answer = asking => Ok(answer?.response),
        () = gone => Err(FetchError::Exchange {
            origin: tier.name().to_owned(),
            cause: "it went down meanwhile".to_owned(),
        }),
    }
}

/// Whether a tier's answer is of no use to anybody: it does not run what this node runs (yet), or the request
/// went in a circle.
fn is_declined<T>(response: &Response<T>) -> bool {
    matches!(response.status(), StatusCode::MISDIRECTED_REQUEST | StatusCode::LOOP_DETECTED)
}

/// Whether somebody else may be asked after a tier could not be: nothing came to it, or asking twice does no
/// harm; and the error is not the word of whoever waits for too long already.
fn may_be_sent_again(error: &FetchError, head: &Parts, body: &Outgoing) -> bool {
    if error.nothing_was_sent() {
        return body.is_left();
    }
    matches!(error, FetchError::Exchange { .. }) && head.method.is_safe() && body.is_empty()
}

#[cfg(test)]
mod tests;
