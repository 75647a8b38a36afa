//! The sites' origins themselves.

use http::request::Parts;
use upstream::{Clients, FetchError, RequestBody};

use super::{Ask, Backend, Reply, Source};

/// Asks a site's origins, within what protects them. One for each worker, since connections belong to a
/// runtime.
#[derive(Default)]
pub struct Origins {
    clients: Clients,
}

impl Backend for Origins {
    async fn fetch(
        &self,
        ask: &Ask<'_>,
        head: Parts,
        body: RequestBody,
    ) -> Result<Reply, FetchError> {
        let way = ask.site.way();
        let order = upstream::order(&way.origins);
        let answer =
            upstream::fetch(&self.clients, &way.policy, ask.flow, &order, head, body).await?;
        Ok(Reply { response: answer.response, source: Source::Origin })
    }
}
