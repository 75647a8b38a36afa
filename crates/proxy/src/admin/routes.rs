//! The debug API of the ways upstream: who owns a URL and why, and how everybody is who is asked.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;

use self::ring::ShownRing;
use self::upstreams::Upstream;
use super::answer::{Asked, BadField, json_answer};
use super::url::addressed;
use crate::config::Node;

mod ring;
mod upstreams;
mod way;

/// The routes of `node`, to be served behind the admin token.
pub(super) fn router(node: Arc<Node>) -> Router {
    Router::new()
        .route("/debug/nodes", get(nodes))
        .route("/debug/upstreams", get(all_upstreams))
        .route("/debug/ring", get(rings))
        .with_state(node)
}

/// A route that takes no parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Whose debug API can be reached from here, and under which path: this node's own, as it stands. What fronts
/// several nodes lists each.
async fn nodes(State(node): State<Arc<Node>>, Asked(Nothing {}): Asked<Nothing>) -> Response {
    let config = node.config_guard();
    let snapshot = config.snapshot();
    let (pool, tier) = (&snapshot.pool, snapshot.tier.as_str());
    let here = json!({ "name": node.name, "pool": pool, "tier": tier, "path": "" });
    json_answer(StatusCode::OK, json!({ "nodes": [here] }))
}

/// Everybody that this node asks: health, breaker, limit, queue, and why; and what for.
async fn all_upstreams(
    State(node): State<Arc<Node>>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Response {
    let upstreams = upstreams::all(&node);
    json_answer(StatusCode::OK, json!({ "node": node.name, "upstreams": upstreams }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    key: Option<String>,
}

/// The rings that this node knows; with `?key=http://cdn.example.com/path` also where that URL goes from here.
async fn rings(State(node): State<Arc<Node>>, Asked(which): Asked<Which>) -> Response {
    let asked = match which.key.as_deref().map(|url| addressed(&node, url)).transpose() {
        Ok(asked) => asked,
        Err(reason) => return BadField::new("key", reason).into_response(),
    };
    let hash = asked.as_ref().map(|asked| upstream::ring::hash_key(&asked.key));
    let rings = node.rings();
    let shown: Vec<_> =
        rings.all().map(|(name, ring)| ShownRing::new(&node, name, ring, hash)).collect();
    let config = node.config_guard();
    let snapshot = config.snapshot();
    let mut body = json!({
        "node": node.name,
        "pool": snapshot.pool,
        "tier": snapshot.tier.as_str(),
        "peering": snapshot.peering.mode,
        "fleet": rings.version(),
        "ownRing": node.own_ring.get(),
        "rings": shown,
    });
    if let (Some(asked), Some(hash)) = (&asked, hash) {
        body["key"] = json!({
            "url": which.key,
            "key": asked.key.escape_ascii().to_string(),
            "hash": format!("{hash:016x}"),
            "site": asked.site.spec.name,
            "shield": asked.site.spec.shield,
            "alsoKeyedBy": asked.also_keyed_by(),
        });
        body["way"] = json!(way::way(&node, asked, hash));
        body["origins"] = json!(way::origins(asked));
    }
    json_answer(StatusCode::OK, body)
}
