//! A small web site to cache: pages that show what a cache does with them, and counts of who asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use serde::Deserialize;

/// How often the origin was asked.
#[derive(Clone, Debug, Default)]
pub struct Asked(Arc<AtomicU64>);

impl Asked {
    /// So far.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The site; `asked` counts its requests.
pub fn router(asked: Asked) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/hello", get(hello))
        .route("/tagged/{name}", get(tagged))
        .route("/private", get(private))
        .route("/stale", get(stale))
        .route("/slow", get(slow))
        .route("/big", get(big))
        .route("/status/{code}", get(status))
        .fallback(missing)
        .layer(axum::middleware::from_fn_with_state(asked.clone(), count))
        .with_state(asked)
}

async fn count(
    State(asked): State<Asked>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    asked.0.fetch_add(1, Ordering::Relaxed);
    next.run(request).await
}

const INDEX: &str = "<!doctype html>
<meta charset=utf-8><title>Blue Origin demo</title>
<style>body{font:16px/1.5 system-ui;max-width:40em;margin:3em auto;padding:0 1em}code{background:#eef;padding:.1em .3em}</style>
<h1>It works</h1>
<p>This page came through an edge. Reload it and look at <code>X-Cache</code> and <code>Age</code>.
<ul>
<li><a href=/hello>/hello</a> is fresh for a minute
<li><a href=/tagged/shoes>/tagged/shoes</a> carries the surrogate keys <code>shop</code> and <code>shoes</code>
<li><a href=/stale>/stale</a> is fresh for 2 seconds, then served stale while it is refreshed
<li><a href=/private>/private</a> is never stored
<li><a href=/slow>/slow</a> takes two seconds, once
<li><a href=/big?mib=10>/big?mib=10</a> is 10 MiB; ask for ranges of it
<li><a href=/status/503>/status/503</a> fails
</ul>
";

const ETAG: &str = "\"blue-1\"";

/// Cacheable text; a 304 where the client has it already.
fn text(
    request: &HeaderMap,
    cache_control: &'static str,
    kind: &'static str,
    body: Bytes,
) -> Response {
    let known =
        request.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == ETAG.as_bytes());
    let headers = [
        (header::CACHE_CONTROL, cache_control),
        (header::ETAG, ETAG),
        (header::CONTENT_TYPE, kind),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, body).into_response()
}

const PLAIN: &str = "text/plain; charset=utf-8";

async fn index(request: HeaderMap) -> Response {
    text(&request, "public, max-age=60", "text/html; charset=utf-8", INDEX.into())
}

async fn hello(request: HeaderMap) -> Response {
    text(&request, "public, max-age=60", PLAIN, "Hello from the origin.\n".into())
}

async fn tagged(Path(name): Path<String>, request: HeaderMap) -> Response {
    let body = format!("All about {}.\n", name.escape_default());
    let mut response = text(&request, "public, max-age=600", PLAIN, body.into());
    if let Ok(keys) = format!("shop {name}").parse() {
        response.headers_mut().insert("surrogate-key", keys);
    }
    response
}

async fn stale(request: HeaderMap) -> Response {
    let control = "public, max-age=2, stale-while-revalidate=60, stale-if-error=600";
    text(&request, control, PLAIN, "Fresh for two seconds.\n".into())
}

async fn private(State(asked): State<Asked>) -> Response {
    let body = format!("For you alone; the origin has answered {} requests.\n", asked.count());
    ([(header::CACHE_CONTROL, "private, no-store")], body).into_response()
}

async fn slow(request: HeaderMap) -> Response {
    tokio::time::sleep(Duration::from_secs(2)).await;
    text(&request, "public, max-age=60", PLAIN, "Worth the wait.\n".into())
}

#[derive(Deserialize)]
struct Size {
    #[serde(default = "one")]
    mib: usize,
}

fn one() -> usize {
    1
}

async fn big(Query(size): Query<Size>, request: HeaderMap) -> Response {
    let bytes: Vec<u8> =
        (0..size.mib.min(256) << 17).flat_map(|i| (i as u64).to_le_bytes()).collect();
    text(&request, "public, max-age=600", "application/octet-stream", bytes.into())
}

async fn status(Path(code): Path<u16>) -> Response {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::NOT_FOUND);
    (status, format!("As you asked: {status}\n")).into_response()
}

async fn missing() -> Response {
    (StatusCode::NOT_FOUND, "There is no such page in the demo; see /\n").into_response()
}
