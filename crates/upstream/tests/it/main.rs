//! Requests through targets to real servers on the loopback interface.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod admission;
mod breaker;
mod errors;
mod failover;
mod probes;
mod server;
mod times;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::request::Parts;
use http_body_util::{BodyExt, Full};
use upstream::{
    Answer, Clients, FetchError, Policy, RequestBody, Target, TargetSettings, Targets, empty_body,
    origin_settings, stream_body,
};
use wire::snapshot::{Breaker, Origin, OriginLimits, Retries, Timeouts};

/// Everything that requests of one site need.
struct Site {
    targets: Arc<Targets>,
    clients: Clients,
    policy: Policy,
    order: Vec<Arc<Target>>,
}

/// How the site is configured.
#[derive(Default)]
struct Setup {
    timeouts: Timeouts,
    limits: OriginLimits,
    breaker: Breaker,
    retries: Retries,
}

impl Setup {
    fn settings(&self, origin: &Origin) -> TargetSettings {
        origin_settings(origin, &self.limits, &self.breaker, &self.timeouts).unwrap()
    }

    /// A site whose origins are tried in this order.
    fn site(&self, origins: &[Origin]) -> Arc<Site> {
        let targets = Targets::new();
        let order = origins.iter().map(|o| targets.target(&self.settings(o)).unwrap()).collect();
        let policy = Policy::new(&self.timeouts, &self.retries);
        Arc::new(Site { targets, clients: Clients::new(), policy, order })
    }

    fn urls(&self, urls: &[&str]) -> Arc<Site> {
        let origins: Vec<_> = urls.iter().map(|url| Origin::at(*url)).collect();
        self.site(&origins)
    }
}

impl Site {
    async fn send(&self, head: Parts, body: RequestBody) -> Result<Answer, FetchError> {
        upstream::fetch(&self.clients, &self.policy, 1, &self.order, head, body).await
    }

    async fn get(&self) -> Result<Answer, FetchError> {
        self.send(head("GET", "/"), empty_body()).await
    }

    /// Status and body of the answer to a GET, or the error's token.
    async fn told(&self) -> (u16, String) {
        match self.get().await {
            Ok(answer) => {
                let status = answer.response.status().as_u16();
                let body = answer.response.into_body().collect().await;
                let text = match body {
                    Ok(body) => String::from_utf8(body.to_bytes().to_vec()).unwrap(),
                    Err(error) => error.as_str().to_owned(),
                };
                (status, text)
            }
            Err(error) => (error.status().as_u16(), error.as_str().to_owned()),
        }
    }

    async fn post(&self, body: &'static str) -> Result<Answer, FetchError> {
        let body = stream_body(Full::new(Bytes::from_static(body.as_bytes())));
        self.send(head("POST", "/"), body).await
    }
}

fn head(method: &str, path: &str) -> Parts {
    let request = Request::builder().method(method).uri(path).header("host", "www.example.com");
    request.body(()).unwrap().into_parts().0
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Waits for what must come true before long.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(ms(10)).await;
    }
    panic!("{what} did not come true");
}
