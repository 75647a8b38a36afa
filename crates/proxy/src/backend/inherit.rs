//! A node that is new, or back, gets what it comes to own from who had it before, and not from the origin (R7).

use http::HeaderValue;
use http::request::Parts;
use upstream::{Clients, FetchError, RequestBody, empty_body};

use super::{Ask, Backend, Reply, Source, ask_tier, is_declined, say_to_tier};
use crate::rings::Bounds;
use crate::tiers::IF_HELD;

/// Asks the previous owner of a key for what it has stored, for a while after this node came; else `beyond`.
#[derive(Default)]
pub struct Inherit<B> {
    clients: Clients,
    beyond: B,
}

impl<B> Inherit<B> {
    /// With this beyond it.
    pub fn over(beyond: B) -> Self {
        Self { clients: Clients::default(), beyond }
    }
}

impl<B: Backend> Backend for Inherit<B> {
    async fn fetch(
        &self,
        ask: &Ask<'_>,
        head: Parts,
        body: RequestBody,
    ) -> Result<Reply, FetchError> {
        if !ask.past_stores
            && let Some(reply) = self.inherited(ask, &head).await
        {
            return Ok(reply);
        }
        self.beyond.fetch(ask, head, body).await
    }
}

impl<B> Inherit<B> {
    async fn inherited(&self, ask: &Ask<'_>, head: &Parts) -> Option<Reply> {
        let ring = ask.node.own_ring()?;
        let bounds = Bounds::of(&ask.node.config_guard().snapshot().peering);
        let now = ask.node.clock.monotonic();
        let previous = ring.previous_owner(ask.key_hash, bounds, now)?.clone();
        let mut head = head.clone();
        say_to_tier(ask, &mut head);
        head.headers.insert(IF_HELD, HeaderValue::from_static("?1"));
        let policy = &ask.site.way().to_previous_owner;
        let asked = ask_tier(&self.clients, ask.flow, policy, &previous, head, empty_body());
        let response = asked.await.ok()?;
        // An error speaks of the previous owner and not of the content.
        let held = !response.status().is_server_error() && !is_declined(&response);
        held.then_some(Reply { response, source: Source::PreviousOwner })
    }
}
