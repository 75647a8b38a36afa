//! The admin server: health, readiness, metrics, and whatever router the process adds.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::drain::{Drain, Stage};
use crate::metrics::Metrics;
use crate::token::Token;

/// What the open part of an admin server shows.
#[derive(Clone)]
pub struct Admin {
    /// Scraped at `/metrics`.
    pub metrics: Scrape,
    /// `/readyz` says no from [`Stage::Draining`] on.
    pub drain: Drain,
    /// Needed for everything but `/healthz`, `/readyz` and `/metrics`; without one, that is closed.
    pub token: Option<Token>,
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
        let state = Arc::new(self);
        let guarded = guarded.layer(middleware::from_fn_with_state(state.clone(), authorize));
        Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/metrics", get(scrape))
            .with_state(state)
            .merge(guarded)
    }
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

async fn ready(State(admin): State<Arc<Admin>>) -> (StatusCode, &'static str) {
    match admin.drain.stage() {
        Stage::Running => (StatusCode::OK, "ready\n"),
        Stage::Draining | Stage::Closed => (StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
    }
}

async fn scrape(State(admin): State<Arc<Admin>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], (admin.metrics.0)())
}

async fn authorize(State(admin): State<Arc<Admin>>, request: Request, next: Next) -> Response {
    let shown = |headers: &HeaderMap| {
        let value = headers.get(header::AUTHORIZATION).map(|v| v.as_bytes().to_vec());
        admin.token.as_ref().is_some_and(|token| token.admits(value.as_deref()))
    };
    if shown(request.headers()) {
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
