//! The status page and admin API of the whole world: what runs where, and each server's own debug API.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use proxy::admin::{debug, invalidation};
use runtime::admin::{Admin, Scrape};
use runtime::metrics::{Metrics, merged_text};
use serde::Serialize;
use serde_json::json;

use crate::demo_origin::Asked;
use crate::log::Log;
use crate::name_server;
use crate::servers::{Server, Servers};
use crate::world::World;

/// One server's counts.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Counts {
    pub(crate) name: String,
    /// Of an edge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pop: Option<String>,
    /// The pool, or the shield.
    pub(crate) pool: String,
    pub(crate) url: String,
    pub(crate) requests: u64,
    pub(crate) hits: u64,
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
    pub(crate) version: String,
    /// The version of the fleet.
    pub(crate) fleet: Option<String>,
}

impl Counts {
    pub(crate) fn of(server: &Server) -> Self {
        let node = &server.node;
        let stats = node.cache.stats();
        // Questions of other tiers whether it is there are no requests.
        let results: Vec<_> = node.metrics.results().filter(|(r, _)| *r != "ping").collect();
        let from_store = ["hit", "stale", "revalidated", "collapsed"];
        let hits = results.iter().filter(|(result, _)| from_store.contains(result));
        Self {
            name: server.name.clone(),
            pop: server.pop.clone(),
            pool: server.pool.clone(),
            url: server.url(),
            requests: results.iter().map(|(_, count)| count).sum(),
            hits: hits.map(|(_, count)| count).sum(),
            objects: stats.objects,
            bytes: stats.bytes,
            version: node.config().snapshot().version.clone(),
            fleet: node.fleet().map(|fleet| fleet.version),
        }
    }
}

#[derive(Clone)]
struct Shown {
    edges: Servers,
    shields: Servers,
    demo: Option<(SocketAddr, Asked)>,
    dns: Option<(SocketAddr, SocketAddr, Arc<geodns::Service>)>,
}

/// The router: status in the open, debugging behind the token.
pub(crate) fn router(world: &World) -> Router {
    let (edges, shields) = (world.edges.clone(), world.shields.clone());
    let scraped = [edges.clone(), shields.clone()];
    let of_dns = world.dns.as_ref().map(|dns| dns.metrics());
    let metrics = Scrape::of(move || {
        let servers = scraped.iter().flat_map(Servers::list).map(|server| server.metrics);
        merged_text(&servers.chain(of_dns.clone()).collect::<Vec<Metrics>>())
    });
    let (log, drain) = (&world.log, world.drain().clone());
    let debug = |tier: &str, servers: &Servers| {
        Router::new()
            .route(&format!("/{tier}/{{name}}/{{*rest}}"), any(one_server))
            .with_state((servers.clone(), log.clone()))
    };
    let dns = world.dns.as_ref().map(|dns| (dns.address, dns.router, dns.service()));
    let place = dns.clone().map_or_else(Router::new, |(.., service)| geodns::router(service));
    let shown = Shown { edges, shields, demo: world.demo.clone(), dns };
    let debug = Router::new()
        .route("/debug/nodes", get(nodes))
        .with_state(shown.clone())
        .merge(debug("edges", &shown.edges))
        .merge(debug("shields", &shown.shields))
        .merge(place);
    let guarded = invalidation::router(log.desk(), debug);
    let open = Router::new().route("/", get(page)).route("/status", get(status)).with_state(shown);
    let (ready, token) = (log.readiness(), log.token());
    Admin { metrics, ready, drain, token }.router_beside(open, guarded)
}

async fn status(State(world): State<Shown>) -> Response {
    let counts = |servers: &Servers| servers.list().iter().map(Counts::of).collect::<Vec<_>>();
    let (edges, shields) = (counts(&world.edges), counts(&world.shields));
    let demo = world.demo.map(
        |(address, asked)| json!({ "url": format!("http://{address}"), "requests": asked.count() }),
    );
    let dns = world.dns.map(|(address, router, service)| {
        let router = format!("http://{router}");
        let version = service.serving.load().view.fleet().version().to_owned();
        let pops = name_server::seen(&service);
        json!({ "address": address.to_string(), "router": router, "version": version, "pops": pops })
    });
    let all = json!({ "edges": edges, "shields": shields, "demoOrigin": demo, "dns": dns });
    Json(all).into_response()
}

/// Whose debug API is here, and under which path.
async fn nodes(State(world): State<Shown>) -> Response {
    let edges = world.edges.list().into_iter().map(|edge| ("edges", edge));
    let shields = world.shields.list().into_iter().map(|shield| ("shields", shield));
    let nodes = edges.chain(shields).map(|(folder, server)| {
        let tier = server.node.config().snapshot().tier.as_str();
        let path = format!("/{folder}/{}", server.name);
        let mut node =
            json!({ "name": server.name, "pool": server.pool, "tier": tier, "path": path });
        if let Some(pop) = server.pop {
            node["pop"] = json!(pop);
        }
        node
    });
    Json(json!({ "nodes": nodes.collect::<Vec<_>>() })).into_response()
}

/// `/edges/fra-0/debug/entries` is `/debug/entries` of that edge, and so with shields.
async fn one_server(
    State((servers, log)): State<(Servers, Log)>,
    Path((name, rest)): Path<(String, String)>,
    mut request: Request,
) -> Response {
    use tower::ServiceExt;
    let Some(server) = servers.list().into_iter().find(|server| server.name == name) else {
        let body = json!({ "error": "not-found", "reason": format!("no server is called {name}") });
        return (StatusCode::NOT_FOUND, Json(body)).into_response();
    };
    let query = request.uri().query().map(|q| format!("?{q}")).unwrap_or_default();
    match format!("/{rest}{query}").parse::<Uri>() {
        Ok(uri) => *request.uri_mut() = uri,
        Err(_) => return StatusCode::BAD_REQUEST.into_response(),
    }
    let router = invalidation::router(log.desk(), debug::router(server.node));
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn page(State(world): State<Shown>) -> axum::response::Html<String> {
    let mut rows = String::new();
    for server in [world.edges.list(), world.shields.list()].concat() {
        let c = Counts::of(&server);
        rows.push_str(&format!(
            "<tr><td>{}<td>{}<td>{}<td><a href=\"{2}/\">{2}</a><td>{}<td>{}<td>{}<td>{}",
            c.pool, c.name, c.url, c.requests, c.hits, c.objects, c.bytes
        ));
    }
    let dns = world.dns.map_or_else(String::new, |(address, router, service)| {
        let mut rows = String::new();
        for pop in name_server::seen(&service) {
            for name_server::SeenAddress { address, state } in &pop.addresses {
                rows.push_str(&format!(
                    "<tr><td>{}<td>{}<td>{address}<td>{state}",
                    pop.pool, pop.pop
                ));
            }
        }
        format!(
            "<h2>DNS on {address}, redirects on http://{router}</h2><table><tr><th>pool<th>PoP<th>address<th>state{rows}</table>"
        )
    });
    axum::response::Html(format!(
        "<!doctype html><meta charset=utf-8><meta http-equiv=refresh content=2><title>Blue Origin</title>\
         <style>body{{font:15px/1.5 system-ui;margin:2em}}td,th{{padding:.2em 1em;text-align:left}}</style>\
         <h1>Blue Origin, local</h1><table><tr><th>pool or shield<th>server<th>address<th>requests<th>from the store\
         <th>objects<th>bytes{rows}</table>{dns}<p>The demo origin was asked {} times. \
         <a href=/status>JSON</a> · <a href=/metrics>metrics</a>",
        world.demo.map_or_else(|| "?".to_owned(), |(_, asked)| asked.count().to_string()),
    ))
}
