//! The debug API of the ways upstream: who owns a URL and why, and how everybody is who is asked.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;
use upstream::TargetReport;
use upstream::ring::{PickReason, Standing};
use wire::snapshot::PeeringMode;

use super::answer::BadField;
use super::url::{Addressed, addressed};
use crate::config::Node;
use crate::rings::{Bounds, Ring};

/// The routes of `node`, to be served behind the admin token.
pub(super) fn router(node: Arc<Node>) -> Router {
    Router::new()
        .route("/debug/upstreams", get(upstreams))
        .route("/debug/ring", get(ring))
        .with_state(node)
}

/// Everybody that this node asks: health, breaker, limit, queue, and why.
async fn upstreams(State(node): State<Arc<Node>>) -> Response {
    let mut reports = node.upstreams.reports();
    reports.sort_by(|a, b| a.name.cmp(&b.name));
    let upstreams: Vec<_> = reports.iter().map(Upstream::new).collect();
    Json(json!({ "node": node.name, "upstreams": upstreams })).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    key: Option<String>,
}

/// The rings that this node knows; with `?key=http://cdn.example.com/path` also where that URL goes from here.
async fn ring(State(node): State<Arc<Node>>, Query(which): Query<Which>) -> Response {
    let asked = match which.key.as_deref().map(|url| addressed(&node, url)).transpose() {
        Ok(asked) => asked,
        Err(reason) => return BadField::new("key", reason).into_response(),
    };
    let hash = asked.as_ref().map(|asked| upstream::ring::hash_key(&asked.key));
    let rings = node.rings();
    let shown: Vec<_> = rings.all().map(|(name, ring)| shown(&node, name, ring, hash)).collect();
    let way = asked.map(|asked| way(&node, &asked));
    let body = json!({
        "node": node.name,
        "fleet": rings.version(),
        "ownRing": node.own_ring.get(),
        "rings": shown,
        "key": which.key,
        "way": way,
    });
    Json(body).into_response()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownRing<'a> {
    name: &'a str,
    /// Names the ring's points: equal on all nodes that see the same members.
    digest: String,
    points: usize,
    /// Who is asked for the key, and why that one; from here.
    pick: Option<String>,
    reason: Option<&'static str>,
    /// Owner first.
    successors: Vec<String>,
    members: Vec<ShownMember>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownMember {
    name: String,
    url: String,
    weight: u32,
    share: f64,
    here: bool,
    standing: &'static str,
    in_flight: u32,
    /// How much of its keys it has taken over, 0 to 1, while it does.
    ramp: Option<f64>,
}

fn shown<'a>(node: &Node, name: &'a str, ring: &Ring, key: Option<u64>) -> ShownRing<'a> {
    let (bounds, now) = (bounds(node, name), node.clock.monotonic());
    let pick = key.and_then(|key| ring.pick(key, bounds, now, &[]));
    let names = |place: usize| ring.hash.members()[place].name.clone();
    let shares = ring.hash.shares();
    let members = ring.members.iter().zip(ring.hash.members()).enumerate();
    ShownRing {
        name,
        digest: format!("{:016x}", ring.hash.digest()),
        points: ring.hash.points(),
        pick: pick.map(|pick| names(pick.member)),
        reason: pick.map(|pick| pick.reason.as_str()),
        successors: key
            .map(|key| ring.hash.successors(key).map(names).collect())
            .unwrap_or_default(),
        members: members
            .map(|(place, (neighbour, member))| ShownMember {
                name: member.name.clone(),
                url: member.url.clone(),
                weight: member.weight,
                share: shares[place],
                here: neighbour.here,
                standing: match ring.standing(place, key.unwrap_or(0), bounds, now) {
                    Standing::Serves(_) => "serves",
                    Standing::Down => "down",
                    Standing::Warming => "warming",
                },
                in_flight: neighbour.target.in_flight(),
                ramp: neighbour.ramp(bounds.ramp, now).map(|ramp| ramp.share(now)),
            })
            .collect(),
    }
}

fn bounds(node: &Node, ring: &str) -> Bounds {
    let config = node.config_guard();
    let peering = &config.snapshot().peering;
    match node.own_ring.get().is_some_and(|own| own == ring) {
        true => Bounds::of(peering),
        false => Bounds::of_shields(peering),
    }
}

/// One step of a URL's way from this node.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Hop {
    /// `peer`, `shield` or `origin`.
    tier: &'static str,
    /// Who would be asked: a member's name, or an origin's authority.
    to: String,
    why: &'static str,
}

/// Where a client's request for the URL goes from this node if it is not stored here: the steps in order.
fn way(node: &Node, asked: &Addressed) -> Vec<Hop> {
    let mut hops = Vec::new();
    let (hash, now) = (upstream::ring::hash_key(&asked.key), node.clock.monotonic());
    let config = node.config_guard();
    let peering = &config.snapshot().peering;
    if peering.mode == PeeringMode::Peer
        && let Some(ring) = node.own_ring()
        && let Some(pick) = ring.pick(hash, Bounds::of(peering), now, &[])
        && !ring.members[pick.member].here
    {
        hops.push(hop("peer", &ring, pick.member, pick.reason));
    }
    let shield = asked.site.spec.shield.as_ref();
    let ring = shield.and_then(|ring| node.rings().get(ring).cloned());
    match ring.as_ref().and_then(|r| r.pick(hash, Bounds::of_shields(peering), now, &[])) {
        Some(pick) => {
            if let Some(ring) = &ring {
                hops.push(hop("shield", ring, pick.member, pick.reason));
            }
        }
        None => {
            let why = if shield.is_some() { "no-shield-there" } else { "no-shield" };
            let order = upstream::order(&asked.site.way().origins);
            let to = order.first().map(|target| target.name().to_owned());
            hops.extend(to.map(|to| Hop { tier: "origin", to, why }));
        }
    }
    hops
}

fn hop(tier: &'static str, ring: &Ring, member: usize, reason: PickReason) -> Hop {
    Hop { tier, to: ring.hash.members()[member].name.clone(), why: reason.as_str() }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Upstream<'a> {
    name: &'a str,
    up: bool,
    health: &'static str,
    since_seconds: f64,
    breaker: &'static str,
    tripped_by: Option<&'static str>,
    opens_again_in_seconds: f64,
    limit: u32,
    in_flight: u32,
    waiting: usize,
    unqueued_latency_seconds: Option<f64>,
    sent: u64,
    succeeded: u64,
    failed: u64,
    held_back_by_breaker: u64,
    queue_full: u64,
    queue_timeout: u64,
    probes: u64,
    probes_failed: u64,
}

impl<'a> Upstream<'a> {
    fn new(report: &'a TargetReport) -> Self {
        let counts = report.counts;
        Self {
            name: &report.name,
            up: report.up,
            health: report.health.as_str(),
            since_seconds: report.since.as_secs_f64(),
            breaker: report.breaker.as_str(),
            tripped_by: report.trip.map(upstream::breaker::TripReason::as_str),
            opens_again_in_seconds: report.retry_after.as_secs_f64(),
            limit: report.limit,
            in_flight: report.in_flight,
            waiting: report.waiting,
            unqueued_latency_seconds: report.baseline.map(|b: Duration| b.as_secs_f64()),
            sent: counts.sent,
            succeeded: counts.succeeded,
            failed: counts.failed,
            held_back_by_breaker: counts.breaker_open,
            queue_full: counts.queue_full,
            queue_timeout: counts.queue_timeout,
            probes: counts.probes,
            probes_failed: counts.probes_failed,
        }
    }
}
