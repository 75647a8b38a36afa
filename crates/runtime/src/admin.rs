//! The admin server: health, readiness, metrics, and whatever router the process adds.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tower::ServiceExt;

use crate::drain::{Drain, Stage};
use crate::metrics::Metrics;
use crate::ready::Readiness;
use crate::token::Tokens;

/// What the open part of an admin server shows.
#[derive(Clone)]
pub struct Admin {
    /// Scraped at `/metrics`.
    pub metrics: Scrape,
    /// `/readyz` says no while a condition is not fulfilled, …
    pub ready: Readiness,
    /// … and from [`Stage::Draining`] on.
    pub drain: Drain,
    /// Needed for everything but `/healthz`, `/readyz` and `/metrics`; without one, that is closed.
    pub token: Option<Tokens>,
}

/// Where the text of a scrape comes from.
#[derive(Clone)]
pub struct Scrape(Arc<dyn Fn() -> String + Send + Sync>);

impl Scrape {
    /// Asks `text` at every scrape.
    pub fn of(text: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(text))
    }
}

impl From<Metrics> for Scrape {
    fn from(metrics: Metrics) -> Self {
        Self::of(move || metrics.text())
    }
}

impl Admin {
    /// The router: the open endpoints, and `guarded` behind the token.
    pub fn router(self, guarded: Router) -> Router {
        self.router_beside(Router::new(), guarded)
    }

    /// The same with the pages of `open`, which need no token. What is open is open to reading alone: every
    /// other method, on every path, is for `guarded`.
    pub fn router_beside(self, open: Router, guarded: Router) -> Router {
        let guarded = guard(guarded, self.token.clone());
        let open = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/metrics", get(scrape))
            .with_state(Arc::new(self))
            .merge(open)
            .fallback_service(guarded.clone());
        Router::new().fallback(move |request: Request| {
            let reads = matches!(*request.method(), Method::GET | Method::HEAD);
            let router = if reads { open.clone() } else { guarded.clone() };
            router.oneshot(request)
        })
    }
}

/// `router` for those who show the token; 401 for everybody else, whatever they ask for.
pub fn guard(router: Router, token: Option<Tokens>) -> Router {
    router.layer(middleware::from_fn_with_state(token, authorize))
}

/// Serves `router` on `listener` until the process is closed.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, router: Router, drain: Drain) -> std::io::Result<()> {
    axum::serve(listener, router)
        .with_graceful_shutdown(async move { drain.reached(Stage::Closed).await })
        .await
}

async fn ready(State(admin): State<Arc<Admin>>) -> (StatusCode, String) {
    if admin.drain.stage() > Stage::Running {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n".to_owned());
    }
    let unmet = admin.ready.unmet();
    if unmet.is_empty() {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    let lines = unmet.iter().map(|unmet| format!("not ready: {unmet}\n")).collect();
    (StatusCode::SERVICE_UNAVAILABLE, lines)
}

async fn scrape(State(admin): State<Arc<Admin>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], (admin.metrics.0)())
}

async fn authorize(State(token): State<Option<Tokens>>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    if token.is_some_and(|token| token.admits(shown)) {
        return next.run(request).await;
    }
    let body = "{\"error\":\"unauthorized\",\"reason\":\"send the admin token as `Authorization: Bearer …`\"}\n";
    (
        StatusCode::UNAUTHORIZED,
        [(header::WWW_AUTHENTICATE, "Bearer"), (header::CONTENT_TYPE, "application/json")],
        body,
    )
        .into_response()
}

#[cfg(test)]
mod tests;
