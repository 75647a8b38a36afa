//! The edges of one place share their memory: each key has an owner, and the others fetch it from there (R2).

use http::request::Parts;
use upstream::{Clients, FetchError, Outgoing, RequestBody};
use wire::snapshot::PeeringMode;

use super::{Ask, Backend, Reply, Source, ask_tier, is_declined, may_be_sent_again, say_to_tier};
use crate::config::Node;
use crate::rings::Bounds;

/// How many peers one request may try before the node acts for itself.
pub(crate) const TRIES: usize = 2;

/// Asks the owner of a key among the edges of the place; `beyond` them where this node owns it, where
/// nobody else can be reached, and for requests that come from a peer.
#[derive(Default)]
pub struct Peers<B> {
    clients: Clients,
    beyond: B,
}

impl<B> Peers<B> {
    /// With this beyond it.
    pub fn over(beyond: B) -> Self {
        Self { clients: Clients::default(), beyond }
    }
}

impl<B: Backend> Backend for Peers<B> {
    async fn fetch(
        &self,
        ask: &Ask<'_>,
        head: Parts,
        body: RequestBody,
    ) -> Result<Reply, FetchError> {
        let peering = ask.node.config_guard().snapshot().peering.clone();
        // What changes something ends what the owner has stored. Nothing else that goes past the stores
        // concerns it.
        let concerns_owner = !ask.past_stores || !head.method.is_safe();
        let ring = match peering.mode {
            PeeringMode::Peer if ask.across && concerns_owner => ask.node.own_ring(),
            _ => None,
        };
        let Some(ring) = ring else { return self.beyond.fetch(ask, head, body).await };
        let (bounds, now) = (Bounds::of(&peering), ask.node.clock.monotonic());
        let body = Outgoing::new(body);
        let mut tried = Vec::with_capacity(TRIES);
        while tried.len() < TRIES
            && let Some(pick) = ring.pick(ask.key_hash, bounds, now, &tried)
            && let peer = &ring.members[pick.member]
            && !peer.here
        {
            tried.push(pick.member);
            let Some(sent) = body.for_a_try() else { break };
            let mut to_tier = head.clone();
            say_to_tier(ask, &mut to_tier);
            let policy = &ask.site.way().to_peers;
            match ask_tier(&self.clients, ask.flow, policy, &peer.target, to_tier, sent).await {
                Ok(response) if is_declined(&response) && body.is_left() => {}
                Ok(response) => {
                    let keep = ask.node.is_hot(ask.key_hash, &peering);
                    return Ok(Reply { response, source: Source::Peer { keep } });
                }
                Err(error) if may_be_sent_again(&error, &head, &body) => {}
                Err(error) => return Err(error),
            }
        }
        let taken = ring.in_hand.take();
        let left = body.for_a_try().ok_or(FetchError::RequestBroken)?;
        let mut reply = self.beyond.fetch(ask, head, left).await?;
        reply.response.body_mut().hold(taken);
        Ok(reply)
    }

    fn goes_across(&self, node: &Node, key: &[u8]) -> bool {
        let config = node.config_guard();
        let peering = &config.snapshot().peering;
        if peering.mode != PeeringMode::Peer {
            return false;
        }
        let Some(ring) = node.own_ring() else { return false };
        let (hash, now) = (upstream::ring::hash_key(key), node.clock.monotonic());
        let pick = ring.pick(hash, Bounds::of(peering), now, &[]);
        pick.is_some_and(|pick| !ring.members[pick.member].here)
    }
}
