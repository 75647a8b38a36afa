//! `/where`: where a client would go, and why.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use dns::fleet::{Family, Lookup, Owner, Pool};
use dns::packet::{MAX_DOMAIN, Name};
use dns::place::Client;
use dns::steer::{Candidate, explain};
use serde::{Deserialize, Serialize};

use crate::healths::Subject;
use crate::service::Service;

#[derive(Debug, Deserialize)]
struct Asked {
    ip: IpAddr,
    name: String,
    /// Of which addresses: by default of the client's own family.
    family: Option<u8>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    ip: IpAddr,
    name: String,
    pool: String,
    version: String,
    family: u8,
    /// From where the client's place is known.
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    /// Bits of the address that matter.
    scope: u8,
    ttl: u32,
    all_bad: bool,
    /// Who decides what is well.
    standpoint: &'static str,
    /// The other observers that are heard.
    observers: Vec<String>,
    candidates: Vec<ShownPop>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownPop {
    pop: String,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kilometres: Option<u32>,
    state: &'static str,
    weight: u32,
    share: f64,
    /// Requests per second, if its edges say.
    #[serde(skip_serializing_if = "Option::is_none")]
    load: Option<f64>,
    /// Those that are probed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<ShownAddress>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownAddress {
    address: IpAddr,
    /// By what the observers decided.
    state: &'static str,
    /// As this one sees it itself.
    seen: &'static str,
    reason: &'static str,
    /// For how long it has been so.
    since_seconds: u64,
    /// What the others say, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    others: BTreeMap<String, &'static str>,
}

#[derive(Debug, Serialize)]
struct Wrong {
    error: String,
}

type Answer = Result<Json<Shown>, (StatusCode, Json<Wrong>)>;

/// `GET /where?ip=…&name=…`, with `&family=4` or `6`.
pub fn router(service: Arc<Service>) -> Router {
    Router::new().route("/where", get(show)).with_state(service)
}

fn wrong(status: StatusCode, error: &str) -> (StatusCode, Json<Wrong>) {
    (status, Json(Wrong { error: error.to_owned() }))
}

async fn show(State(service): State<Arc<Service>>, Query(asked): Query<Asked>) -> Answer {
    let serving = service.serving.load();
    let view = &serving.view;
    let text = asked.name.strip_suffix('.').unwrap_or(&asked.name);
    let Some(bytes) = Name::encode(text) else {
        return Err(wrong(StatusCode::BAD_REQUEST, "name is not a domain name"));
    };
    let mut lower = [0; MAX_DOMAIN];
    let found = Name::read(&bytes).map(|name| view.fleet().lookup(name.lower(&mut lower)));
    let Some(Lookup::Found { owner: Owner::Pool(pool), .. }) = found else {
        return Err(wrong(StatusCode::NOT_FOUND, "no pool has this name"));
    };
    let client = Client::peer(asked.ip);
    let family = match asked.family {
        None if client.address().is_ipv6() => Family::V6,
        None | Some(4) => Family::V4,
        Some(6) => Family::V6,
        Some(_) => return Err(wrong(StatusCode::BAD_REQUEST, "family must be 4 or 6")),
    };
    let Some((pool, side)) = view.side(pool, family) else {
        return Err(wrong(StatusCode::NOT_FOUND, "the pool is gone"));
    };
    let places = service.places.load();
    let explanation = explain(pool, family, side, &client, places.as_deref());
    Ok(Json(Shown {
        ip: asked.ip,
        name: text.to_owned(),
        pool: pool.name.clone(),
        version: view.fleet().version().to_owned(),
        family: if family == Family::V4 { 4 } else { 6 },
        source: explanation.source.as_str(),
        country: explanation.country,
        scope: client.scope(explanation.bits),
        ttl: side.ttl,
        all_bad: side.all_bad,
        standpoint: service.observers.standpoint().as_str(),
        observers: service.observers.live(service.clock.monotonic()),
        candidates: explanation
            .candidates
            .into_iter()
            .map(|candidate| shown(candidate, &service, pool, family))
            .collect(),
    }))
}

fn shown(candidate: Candidate, service: &Service, pool: &Pool, family: Family) -> ShownPop {
    let now = service.clock.monotonic();
    let known = service.healths.lock();
    let target = pool.side(family).targets.iter().find(|target| target.name == candidate.pop);
    let health = |address: &IpAddr| {
        let health = known.health(&pool.name, &candidate.pop, *address)?;
        let (pool, pop) = (pool.name.clone(), candidate.pop.clone());
        let opinion = service.observers.opinion(&Subject { pool, pop, address: *address }, now);
        let word = |well: bool| if well { "well" } else { "ill" };
        let others = opinion.others.into_iter().map(|(name, well)| (name, word(well)));
        Some(ShownAddress {
            address: *address,
            state: opinion.condition.as_str(),
            seen: health.condition().as_str(),
            others: others.collect(),
            reason: health.reason().as_str(),
            since_seconds: now.saturating_sub(health.since()).as_secs(),
        })
    };
    let addresses = target.map_or(&[][..], |target| &target.addresses);
    let addresses = addresses.iter().filter_map(health).collect();
    ShownPop {
        addresses,
        load: service.loads.of(&pool.name, &candidate.pop),
        pop: candidate.pop,
        verdict: candidate.verdict.as_str(),
        // Half the earth's girth fits by far.
        kilometres: candidate.kilometres.map(|kilometres| kilometres.round() as u32),
        state: candidate.state.as_str(),
        weight: candidate.weight,
        share: candidate.share,
    }
}
