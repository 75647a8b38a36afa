//! An edge's way to the shield of a site: the owner of the key, else the next one, else the origins.

use std::sync::Arc;

use http::request::Parts;
use upstream::{Clients, FetchError, Outgoing, RequestBody, Target};

use super::{Ask, Backend, Reply, Source, ask_tier, is_declined, may_be_sent_again, say_to_tier};
use crate::rings::{Bounds, Ring};

/// How many of a shield's servers one request may try.
pub(crate) const TRIES: usize = 2;

/// Asks a site's shield, and `beyond` it for sites that have none or when nobody of it can be reached.
#[derive(Default)]
pub struct Shields<B> {
    clients: Clients,
    beyond: B,
}

impl<B> Shields<B> {
    /// With this beyond it.
    pub fn over(beyond: B) -> Self {
        Self { clients: Clients::default(), beyond }
    }
}

impl<B: Backend> Backend for Shields<B> {
    async fn fetch(
        &self,
        ask: &Ask<'_>,
        head: Parts,
        body: RequestBody,
    ) -> Result<Reply, FetchError> {
        let Some(ring) = ask.site.spec.shield.as_ref() else {
            return self.beyond.fetch(ask, head, body).await;
        };
        let Some(ring) = ask.node.rings().get(ring).cloned() else {
            ask.node.metrics.bypassed.inc();
            return self.beyond.fetch(ask, head, body).await;
        };
        let body = Outgoing::new(body);
        for target in servers(&ring, ask) {
            let Some(sent) = body.for_a_try() else { break };
            let mut to_tier = head.clone();
            say_to_tier(ask, &mut to_tier);
            let policy = &ask.site.way().to_shields;
            match ask_tier(&self.clients, ask.flow, policy, &target, to_tier, sent).await {
                Ok(response) if is_declined(&response) && body.is_left() => {}
                Ok(response) => return Ok(Reply { response, source: Source::Shield }),
                Err(error) if may_be_sent_again(&error, &head, &body) => {}
                Err(error) => return Err(error),
            }
        }
        ask.node.metrics.bypassed.inc();
        let left = body.for_a_try().ok_or(FetchError::RequestBroken)?;
        self.beyond.fetch(ask, head, left).await
    }
}

/// Who is asked, in this order. As few as can be: each could be another request at the origin.
fn servers(ring: &Ring, ask: &Ask<'_>) -> Vec<Arc<Target>> {
    let config = ask.node.config_guard();
    let bounds = Bounds::of_shields(&config.snapshot().peering);
    let now = ask.node.clock.monotonic();
    let mut tried = Vec::with_capacity(TRIES);
    while tried.len() < TRIES {
        let Some(pick) = ring.pick(ask.key_hash, bounds, now, &tried) else { break };
        tried.push(pick.member);
    }
    tried.into_iter().map(|member| ring.members[member].target.clone()).collect()
}
