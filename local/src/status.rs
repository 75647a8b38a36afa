//! The status page and admin API of the whole world: what runs where, and each edge's own debug API.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use proxy::admin::{debug, invalidation};
use runtime::Drain;
use runtime::admin::{Admin, Scrape};
use runtime::metrics::{Metrics, merged_text};
use serde::Serialize;
use serde_json::json;

use crate::demo_origin::Asked;
use crate::log::Log;
use crate::world::Edge;

/// The edges that run now, shared by all who show them.
#[derive(Clone, Default)]
pub struct Edges(Arc<RwLock<Vec<Edge>>>);

impl Edges {
    /// All of them.
    pub fn list(&self) -> Vec<Edge> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same list for those whom it leads to itself: without keeping it alive.
    pub(crate) fn later(&self) -> impl Fn() -> Vec<Edge> + Send + Sync + use<> {
        let edges = Arc::downgrade(&self.0);
        move || edges.upgrade().map_or_else(Vec::new, |edges| Self(edges).list())
    }

    pub(crate) fn push(&self, edge: Edge) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(edge);
    }

    pub(crate) fn retain(&self, keep: impl FnMut(&Edge) -> bool) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).retain(keep);
    }
}

/// One edge's counts.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Counts {
    pub(crate) name: String,
    pub(crate) pop: String,
    pub(crate) pool: String,
    pub(crate) url: String,
    pub(crate) requests: u64,
    pub(crate) hits: u64,
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
    pub(crate) version: String,
}

impl Counts {
    pub(crate) fn of(edge: &Edge) -> Self {
        let stats = edge.node.cache.stats();
        let results: Vec<_> = edge.node.metrics.results().collect();
        let from_store = ["hit", "stale", "revalidated", "collapsed"];
        let hits = results.iter().filter(|(result, _)| from_store.contains(result));
        Self {
            name: edge.name.clone(),
            pop: edge.pop.clone(),
            pool: edge.pool.clone(),
            url: edge.url(),
            requests: results.iter().map(|(_, count)| count).sum(),
            hits: hits.map(|(_, count)| count).sum(),
            objects: stats.objects,
            bytes: stats.bytes,
            version: edge.node.config().snapshot().version.clone(),
        }
    }
}

#[derive(Clone)]
struct World {
    edges: Edges,
    demo: Option<(SocketAddr, Asked)>,
    log: Log,
}

/// The router: status in the open, debugging behind the token.
pub(crate) fn router(
    edges: Edges,
    demo: Option<(SocketAddr, Asked)>,
    log: &Log,
    drain: &Drain,
) -> Router {
    let scraped = edges.clone();
    let metrics = Scrape::of(move || {
        let all: Vec<Metrics> = scraped.list().into_iter().map(|edge| edge.metrics).collect();
        merged_text(&all)
    });
    let world = World { edges, demo, log: log.clone() };
    let edges = Router::new()
        .route("/debug/nodes", get(nodes))
        .route("/edges/{name}/{*rest}", any(one_edge))
        .with_state(world.clone());
    let guarded = invalidation::router(log.desk(), edges);
    let open = Router::new().route("/", get(page)).route("/status", get(status)).with_state(world);
    let (ready, token) = (log.readiness(), log.token());
    Admin { metrics, ready, drain: drain.clone(), token }.router_beside(open, guarded)
}

async fn status(State(world): State<World>) -> Response {
    let edges: Vec<_> = world.edges.list().iter().map(Counts::of).collect();
    let demo = world.demo.map(
        |(address, asked)| json!({ "url": format!("http://{address}"), "requests": asked.count() }),
    );
    Json(json!({ "edges": edges, "demoOrigin": demo })).into_response()
}

/// Whose debug API is here, and under which path.
async fn nodes(State(world): State<World>) -> Response {
    let nodes = world.edges.list().into_iter().map(|edge| {
        let tier = edge.node.config().snapshot().tier.as_str();
        let path = format!("/edges/{}", edge.name);
        json!({ "name": edge.name, "pool": edge.pool, "pop": edge.pop, "tier": tier, "path": path })
    });
    Json(json!({ "nodes": nodes.collect::<Vec<_>>() })).into_response()
}

/// `/edges/fra-0/debug/entries` is `/debug/entries` of that edge.
async fn one_edge(
    State(world): State<World>,
    Path((name, rest)): Path<(String, String)>,
    mut request: Request,
) -> Response {
    use tower::ServiceExt;
    let Some(edge) = world.edges.list().into_iter().find(|edge| edge.name == name) else {
        let body = json!({ "error": "not-found", "reason": format!("no edge is called {name}") });
        return (StatusCode::NOT_FOUND, Json(body)).into_response();
    };
    let query = request.uri().query().map(|q| format!("?{q}")).unwrap_or_default();
    match format!("/{rest}{query}").parse::<Uri>() {
        Ok(uri) => *request.uri_mut() = uri,
        Err(_) => return StatusCode::BAD_REQUEST.into_response(),
    }
    let router = invalidation::router(world.log.desk(), debug::router(edge.node));
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn page(State(world): State<World>) -> axum::response::Html<String> {
    let mut rows = String::new();
    for edge in world.edges.list() {
        let c = Counts::of(&edge);
        rows.push_str(&format!(
            "<tr><td>{}<td>{}<td>{}<td><a href=\"{2}/\">{2}</a><td>{}<td>{}<td>{}<td>{}",
            c.pool, c.name, c.url, c.requests, c.hits, c.objects, c.bytes
        ));
    }
    axum::response::Html(format!(
        "<!doctype html><meta charset=utf-8><meta http-equiv=refresh content=2><title>Blue Origin</title>\
         <style>body{{font:15px/1.5 system-ui;margin:2em}}td,th{{padding:.2em 1em;text-align:left}}</style>\
         <h1>Blue Origin, local</h1><table><tr><th>pool<th>edge<th>address<th>requests<th>from the store\
         <th>objects<th>bytes{rows}</table><p>The demo origin was asked {} times. \
         <a href=/status>JSON</a> · <a href=/metrics>metrics</a>",
        world.demo.map_or_else(|| "?".to_owned(), |(_, asked)| asked.count().to_string()),
    ))
}
