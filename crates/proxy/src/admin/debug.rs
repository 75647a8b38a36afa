//! The debug API (O3): what a node holds and runs on, without bodies and without full scans.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use cache::{Cursor, EntryInfo, VariantInfo};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answer::{Asked, BadField};
use super::url::addressed;
use crate::config::Node;

/// Entries in one page when the caller does not say, and at most.
const PAGE: usize = 100;
const MOST: usize = 1000;

/// The routes of `node`, to be served behind the admin token.
pub fn router(node: Arc<Node>) -> Router {
    Router::new()
        .route("/debug/config", get(config))
        .route("/debug/entries", get(entries))
        .route("/debug/entry", get(entry))
        .route("/debug/stats", get(stats))
        .route("/debug/tag", get(tag))
        .with_state(node.clone())
        .merge(super::routes::router(node))
}

async fn config(State(node): State<Arc<Node>>) -> Response {
    Json(json!({ "node": node.name, "snapshot": node.config().snapshot() })).into_response()
}

async fn stats(State(node): State<Arc<Node>>) -> Response {
    let stats = node.cache.stats();
    let results: serde_json::Map<_, _> =
        node.metrics.results().map(|(result, count)| (result.to_owned(), json!(count))).collect();
    Json(json!({
        "node": node.name,
        "requests": results,
        "bytes": {
            "served": node.metrics.served.get(),
            "fetched": node.metrics.fetched.get(),
            "saved": node.metrics.saved.get(),
        },
        "cache": {
            "capacity": stats.capacity,
            "bytes": stats.bytes,
            "objects": stats.objects,
            "fills": stats.flights,
            "tags": stats.tags,
            "evictions": stats.evictions,
            "collapsed": stats.collapsed,
        },
        "invalidation": {
            "applied": node.log.position(node.cache.applied()).map(|at| at.to_string()),
            "remembered": stats.orders,
            "unvouched": node.unvouched(),
        },
    }))
    .into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    after: Option<String>,
    limit: Option<usize>,
}

/// A page of what is stored: `?after=` the `next` of the page before, `?limit=`.
async fn entries(State(node): State<Arc<Node>>, Asked(page): Asked<Page>) -> Response {
    let after = match page.after.as_deref().map(str::parse::<Cursor>).transpose() {
        Ok(after) => after,
        Err(error) => return bad_request("after", &error.to_string()),
    };
    let limit = page.limit.unwrap_or(PAGE);
    if limit == 0 || limit > MOST {
        return bad_request("limit", &format!("must be 1 to {MOST}"));
    }
    let now = node.now();
    let (entries, next) = node.cache.entries(after, limit);
    let entries: Vec<_> = entries.iter().map(|entry| Entry::new(entry, now)).collect();
    Json(json!({ "entries": entries, "next": next.map(|n| n.to_string()) })).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    url: String,
}

/// All about one URL: `?url=http://cdn.example.com/path`.
async fn entry(State(node): State<Arc<Node>>, Asked(which): Asked<Which>) -> Response {
    let key = match addressed(&node, &which.url) {
        Ok(addressed) => addressed.key,
        Err(reason) => return bad_request("url", &reason),
    };
    let now = node.now();
    match node.cache.inspect(&key).first() {
        Some(found) => Json(Entry::new(found, now)).into_response(),
        None => {
            let body = json!({ "error": "not-stored", "key": key.escape_ascii().to_string() });
            (StatusCode::NOT_FOUND, Json(body)).into_response()
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneTag {
    tag: String,
}

/// How many stored responses have a surrogate key: `?tag=shoes`.
async fn tag(State(node): State<Arc<Node>>, Asked(OneTag { tag }): Asked<OneTag>) -> Response {
    let objects = node.cache.tagged(tag.as_bytes());
    Json(json!({ "node": node.name, "tag": tag, "objects": objects })).into_response()
}

fn bad_request(field: &str, reason: &str) -> Response {
    BadField::new(field, reason).into_response()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    key: String,
    fills: usize,
    waiting: usize,
    hit_for_miss_seconds: Option<i64>,
    variants: Vec<Variant>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Variant {
    vary: Vec<String>,
    variant: String,
    status: u16,
    head_only: bool,
    age_seconds: u32,
    ttl_seconds: i64,
    vouched: String,
    tags: Vec<String>,
    bytes: u64,
    body_bytes: Option<u64>,
    hits: u32,
    filling: bool,
}

impl Entry {
    fn new(entry: &EntryInfo, now: semantics::Timestamp) -> Self {
        Self {
            key: entry.key.escape_ascii().to_string(),
            fills: entry.flights,
            waiting: entry.waiting,
            hit_for_miss_seconds: entry
                .marked_until
                .map(|until| until.as_secs().saturating_sub(now.as_secs())),
            variants: entry.variants.iter().map(|v| Variant::new(v, now)).collect(),
        }
    }
}

impl Variant {
    fn new(variant: &VariantInfo, now: semantics::Timestamp) -> Self {
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
        Self {
            vary: variant.vary.iter().map(ToString::to_string).collect(),
            variant: text(&variant.variant),
            status: variant.status.as_u16(),
            head_only: variant.head_only,
            age_seconds: variant.freshness.age(now),
            ttl_seconds: variant.freshness.remaining(now),
            vouched: variant.vouched.to_string(),
            // With a line feed: not tags of the response, but groups of its origin and its URL.
            tags: variant.tags.iter().filter(|t| !t.contains(&b'\n')).map(|t| text(t)).collect(),
            bytes: variant.bytes,
            body_bytes: variant.body_len,
            hits: variant.hits,
            filling: variant.in_flight,
        }
    }
}
