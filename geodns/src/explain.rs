//! `/where`: where a client would go, and why.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::get;
use axum::{Json, Router};
use dns::fleet::{Family, Lookup, Owner, Pool, Target};
use dns::packet::{MAX_DOMAIN, Name};
use dns::place::Client;
use dns::steer::{Candidate, Standing, Verdict, explain};
use semantics::{KeyRules, normalize_host, write_cache_key};
use serde::{Deserialize, Serialize};
use upstream::ring::hash_key;
use wire::zones::Location;

use crate::command::taken_out;
use crate::healths::Subject;
use crate::rings::Rings;
use crate::service::{Service, Serving};

#[derive(Debug, Deserialize)]
struct Asked {
    ip: IpAddr,
    /// By default the host of the URL.
    name: Option<String>,
    /// `http://cdn.example.com/path`, or a path: who owns it in each PoP.
    url: Option<String>,
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
    location: Option<Location>,
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
    /// What the edges of all PoPs have the URL under, if its site adds nothing of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// The version of the document with the edges, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    fleet: Option<String>,
    /// All PoPs of the pool, in the order in which they suit the client.
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
    /// Where the HTTP router sends its clients, if it has a name of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Nobody gets it, and nobody remembers it any more.
    quiet: bool,
    /// Who took it out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    maintenance: Vec<&'static str>,
    /// Of its edges the one that owns the URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
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

/// `GET /where?ip=…&name=…&url=…`, with `&family=4` or `6`.
pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new().route("/where", get(show)).with_state(service)
}

fn wrong(status: StatusCode, error: &str) -> (StatusCode, Json<Wrong>) {
    (status, Json(Wrong { error: error.to_owned() }))
}

async fn show(State(service): State<Arc<Service>>, Query(asked): Query<Asked>) -> Answer {
    let bad = |error: &str| wrong(StatusCode::BAD_REQUEST, error);
    let serving = service.serving.load();
    let view = &serving.view;
    let object = match &asked.url {
        Some(url) => Some(Object::read(url, asked.name.as_deref()).map_err(bad)?),
        None => None,
    };
    let name = asked.name.as_deref().or(object.as_ref().map(|object| object.name.as_str()));
    let name = name.ok_or_else(|| bad("name or url is missing"))?;
    let text = name.strip_suffix('.').unwrap_or(name);
    let Some(bytes) = Name::encode(text) else { return Err(bad("name is not a domain name")) };
    let mut lower = [0; MAX_DOMAIN];
    let found = Name::read(&bytes).map(|name| view.fleet().lookup(name.lower(&mut lower)));
    let Some(Lookup::Found { owner: Owner::Pool(nth), .. }) = found else {
        return Err(wrong(StatusCode::NOT_FOUND, "no pool has this name"));
    };
    let client = Client::peer(asked.ip);
    let family = match asked.family {
        None if client.address().is_ipv6() => Family::V6,
        None | Some(4) => Family::V4,
        Some(6) => Family::V6,
        Some(_) => return Err(bad("family must be 4 or 6")),
    };
    let Some((pool, side)) = view.side(nth, family) else {
        return Err(wrong(StatusCode::NOT_FOUND, "the pool is gone"));
    };
    let (places, rings) = (service.places.load(), service.rings.load());
    let explanation = explain(pool, family, side, &client, places.as_deref());
    let hash = object.as_ref().map(|object| hash_key(&object.key));
    let show = Show { service: &service, serving: &serving, pool, rings: rings.as_deref(), hash };
    let others = show.without_address(nth, family);
    let candidates = explanation.candidates.into_iter().map(|one| show.candidate(one, family));
    Ok(Json(Shown {
        ip: asked.ip,
        name: text.to_owned(),
        pool: pool.name.clone(),
        version: view.fleet().version().to_owned(),
        family: if family == Family::V4 { 4 } else { 6 },
        source: explanation.source.as_str(),
        location: explanation.spot.map(|spot| rounded(spot.location())),
        country: explanation.country,
        scope: client.scope(explanation.bits),
        ttl: side.ttl,
        all_bad: side.all_bad,
        standpoint: service.observers.standpoint().as_str(),
        observers: service.observers.live(service.clock.monotonic()),
        key: object.map(|object| object.key.escape_ascii().to_string()),
        fleet: rings.as_ref().map(|rings| rings.version().to_owned()),
        candidates: candidates.chain(others).collect(),
    }))
}

/// To a kilometre, which is more than any database knows.
fn rounded(Location { latitude, longitude }: Location) -> Location {
    let round = |degrees: f64| (degrees * 100.0).round() / 100.0;
    Location { latitude: round(latitude), longitude: round(longitude) }
}

/// What is asked for by its URL.
struct Object {
    name: String,
    key: Vec<u8>,
}

impl Object {
    /// From a URL, or from a path if the name is known. Sites may leave parts out of their keys or add some, of which
    /// nothing is known here.
    fn read(url: &str, name: Option<&str>) -> Result<Self, &'static str> {
        let url: Uri = url.parse().map_err(|_| "url is not a URL")?;
        let (scheme, host) = match (url.scheme_str(), url.authority(), name) {
            (Some(scheme @ ("http" | "https")), Some(authority), _) => (scheme, authority.as_str()),
            (None, None, Some(name)) => ("http", name),
            _ => return Err("url must begin with http:// or https://, or be a path beside a name"),
        };
        let host = normalize_host(host, scheme).map_err(|_| "the host of the url is none")?;
        let path = url.path_and_query().map_or("/", |path| path.as_str());
        let mut key = Vec::new();
        write_cache_key(&mut key, scheme, &host, path, &HeaderMap::new(), &KeyRules::default());
        let name = host.split_once(':').map_or(&*host, |(name, _)| name).to_owned();
        Ok(Self { name, key })
    }
}

struct Show<'a> {
    service: &'a Service,
    serving: &'a Serving,
    pool: &'a Pool,
    rings: Option<&'a Rings>,
    hash: Option<u64>,
}

impl Show<'_> {
    /// The PoPs that the client cannot reach in its own way, by their other addresses.
    fn without_address(&self, pool: usize, family: Family) -> Vec<ShownPop> {
        let other = if family == Family::V4 { Family::V6 } else { Family::V4 };
        let Some((_, view)) = self.serving.view.side(pool, other) else { return Vec::new() };
        let targets = self.pool.side(other).targets.iter().zip(&view.standings);
        let lacking =
            |(target, _): &(&Target, _)| self.pool.side(family).place(&target.name).is_none();
        let show = |(target, standing): (&Target, &Standing)| {
            let candidate = Candidate {
                pop: target.name.clone(),
                kilometres: None,
                state: standing.state,
                weight: target.weight,
                share: standing.share(),
                quiet: standing.quiet,
                verdict: Verdict::NoAddress,
            };
            self.candidate(candidate, other)
        };
        targets.filter(lacking).map(show).collect()
    }

    fn candidate(&self, candidate: Candidate, family: Family) -> ShownPop {
        let Self { service, serving, pool, .. } = self;
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
        let owner = self.rings.zip(self.hash);
        let owner = owner.and_then(|(rings, hash)| rings.owner(&pool.name, &candidate.pop, hash));
        ShownPop {
            addresses,
            load: service.loads.of(&pool.name, &candidate.pop),
            verdict: candidate.verdict.as_str(),
            // Half the earth's girth fits by far.
            kilometres: candidate.kilometres.map(|kilometres| kilometres.round() as u32),
            state: candidate.state.as_str(),
            weight: candidate.weight,
            share: candidate.share,
            url: target.and_then(|target| target.url.clone()),
            quiet: candidate.quiet,
            maintenance: taken_out(service, serving, &pool.name, &candidate.pop),
            owner: owner.map(str::to_owned),
            pop: candidate.pop,
        }
    }
}
