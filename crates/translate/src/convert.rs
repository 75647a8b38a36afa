//! A pool's resources as a snapshot.
//!
//! Texts are brought into their normal form here. Ranges of numbers are the schema's affair and are
//! taken as checked; what slipped through is caught by the rules that every snapshot must fulfil.

use std::collections::BTreeSet;

use ::wire::fleet::HOST;
use ::wire::snapshot::{self as wire, Limits, Snapshot};
use ::wire::zones::ZonesError;
use crds::{
    BypassSpec, CacheSpec, Duration, EdgePool, EdgePoolSpec, Eviction, InvalidationSpec,
    LimitsSpec, OnLogLoss, PeeringMode, PeeringSpec,
};

use crate::check;
use crate::path::{Path, Problems};
use crate::resources::full_name;
use crate::translation::{Location, Pop, Routing};
use crate::zones::check_places;

mod amount;
mod order;
mod origin;
mod routing;
mod shield;
mod site;
mod tiers;

pub(crate) use order::{Order, Served, ban, purge};
pub(crate) use shield::{Behind, shield, shield_snapshot};

use amount::{bytes, millis, small, within};

/// Where a site's shield is looked up.
pub(crate) enum Shields<'a> {
    /// Not now: only what is in the pool itself is checked.
    Unknown,
    /// By name, in the pool's namespace.
    Known(&'a dyn Fn(&str) -> Option<Shield<'a>>),
}

/// A shield that exists.
pub(crate) enum Shield<'a> {
    /// And is usable.
    Sound(&'a Behind),
    /// And has errors of its own.
    Broken,
}

/// The snapshot, without a version, the places, and how DNS sends clients there. With problems, it is only as good as
/// can be.
pub(crate) fn pool(
    pool: &EdgePool,
    shields: &Shields<'_>,
    problems: &mut Problems,
) -> (Snapshot, Vec<Pop>, Routing) {
    let spec = &pool.spec;
    let at = Path::root().key("spec");
    let name = pool.metadata.name.as_deref().unwrap_or_default();
    let networks = at.key("trustedProxies");
    let snapshot = Snapshot {
        format: wire::FORMAT,
        version: String::new(),
        pool: full_name(pool.metadata.namespace.as_deref(), name),
        tier: wire::Tier::Edge,
        cache: cache(&spec.cache, &at.key("cache"), problems),
        limits: limits(&spec.limits, &at.key("limits"), problems),
        invalidation: invalidation(&spec.invalidation, &at.key("invalidation"), problems),
        trusted_proxies: each(&spec.trusted_proxies, &networks, check::network, problems),
        peering: peering(&spec.peering, &at.key("peering"), problems),
        place_names: place_names(spec, &at.key("pops"), problems),
        sites: site::sites(&spec.sites, shields, &spec.bypass, &at.key("sites"), problems),
    };
    bypass(&spec.bypass, &at.key("bypass"), problems);
    let pops = pops(spec, &at.key("pops"), problems);
    let routing = routing::routing(&spec.routing, &pops, &at.key("routing"), problems);
    if problems.0.is_empty()
        && let Err(error) = check_places(&pops, &routing)
    {
        problems.add(&at, error);
    }
    (snapshot, pops, routing)
}

fn cache(spec: &CacheSpec, at: &Path, problems: &mut Problems) -> wire::CacheSettings {
    const MIB: u64 = 1 << 20;
    let memory = bytes(spec.memory, MIB..=u64::MAX, &at.key("memory"), problems);
    let max_object = spec.max_object_size.bytes();
    if max_object == 0 || max_object > memory {
        problems.add(
            &at.key("maxObjectSize"),
            format!(
                "`{}` must be more than 0 and not more than `memory`, which is `{}`",
                spec.max_object_size, spec.memory
            ),
        );
    }
    wire::CacheSettings {
        memory_bytes: memory,
        eviction: match spec.eviction {
            Eviction::S3fifo => wire::EvictionPolicy::S3Fifo,
            Eviction::Lru => wire::EvictionPolicy::Lru,
            Eviction::Lfu => wire::EvictionPolicy::Lfu,
        },
        max_object_bytes: max_object,
        max_variants: small(spec.max_variants),
    }
}

fn limits(spec: &LimitsSpec, at: &Path, problems: &mut Problems) -> Limits {
    let head = bytes(spec.max_header_size, 1 << 10..=1 << 20, &at.key("maxHeaderSize"), problems);
    let mut time = |duration, key| millis(duration, &at.key(key), problems);
    Limits {
        max_connections: small(spec.max_connections),
        max_head_bytes: u32::try_from(head).unwrap_or(u32::MAX),
        max_fields: small(spec.max_headers),
        max_body_bytes: spec.max_body_size.bytes(),
        head_timeout_ms: time(spec.header_timeout, "headerTimeout"),
        between_bytes_timeout_ms: time(spec.between_bytes_timeout, "betweenBytesTimeout"),
        idle_timeout_ms: time(spec.idle_timeout, "idleTimeout"),
        drain_timeout_ms: time(spec.drain_timeout, "drainTimeout"),
    }
}

fn invalidation(
    spec: &InvalidationSpec,
    at: &Path,
    problems: &mut Problems,
) -> wire::InvalidationSettings {
    let range = Duration::from_secs(1)..=Duration::from_hours(1);
    within(spec.lease, range, &at.key("lease"), problems);
    wire::InvalidationSettings {
        on_log_loss: match spec.on_log_loss {
            OnLogLoss::Serve => ::wire::invalidation::OnLogLoss::Serve,
            OnLogLoss::Revalidate => ::wire::invalidation::OnLogLoss::Revalidate,
        },
        lease_ms: spec.lease.as_millis(),
    }
}

fn peering(spec: &PeeringSpec, at: &Path, problems: &mut Problems) -> wire::Peering {
    let hour = Duration::from_hours(1);
    let window = Duration::from_secs(1)..=hour;
    within(spec.hot_window, window, &at.key("hotWindow"), problems);
    within(spec.ramp, Duration::from_secs(0)..=hour, &at.key("ramp"), problems);
    wire::Peering {
        mode: match spec.mode {
            PeeringMode::Independent => wire::PeeringMode::Independent,
            PeeringMode::Peer => wire::PeeringMode::Peer,
            PeeringMode::Redirect => wire::PeeringMode::Redirect,
        },
        hot_after: small(spec.hot_after),
        hot_window_ms: spec.hot_window.as_millis(),
        bounded_load_percent: small(spec.bounded_load),
        ramp_ms: spec.ramp.as_millis(),
    }
}

/// What the sites with a shield take from it.
fn bypass(spec: &BypassSpec, at: &Path, problems: &mut Problems) {
    millis(spec.queue_timeout, &at.key("queueTimeout"), problems);
}

fn pops(spec: &EdgePoolSpec, at: &Path, problems: &mut Problems) -> Vec<Pop> {
    let mut pops = Vec::new();
    let mut share = shares(spec);
    for (i, spec) in spec.pops.iter().enumerate() {
        let at = at.index(i);
        let location = location(spec.latitude, spec.longitude, &at, problems);
        pops.push(Pop {
            name: spec.name.clone(),
            region: spec.region.clone(),
            location,
            weight: small(spec.weight),
            capacity: spec.capacity.map(small),
            replicas: small(spec.replicas.unwrap_or_else(&mut share)),
            url: spec.url.clone(),
            maintenance: spec.maintenance,
        });
        let last = pops.len().saturating_sub(1);
        // Whatever GeoDNS would refuse would stand in the way of all pools there.
        let judged = problems.0.iter().any(|problem| problem.path.is_within(&at));
        match check_places(&pops[last..], &Routing::default()) {
            Err(ZonesError::Url { url, .. }) if !judged => {
                let reason = "with `{host}` there must be something in front of it";
                problems.add(&at.key("url"), format!("`{url}` is not where a place is: {reason}"));
            }
            Err(error) if !judged => problems.add(&at, error),
            _ => {}
        }
    }
    pops
}

/// The names under which HTTP routers send clients to single places. One that does not say for which host it stands
/// would show one host's content to who asked for another.
fn place_names(spec: &EdgePoolSpec, at: &Path, problems: &mut Problems) -> Vec<String> {
    let several = spec.sites.iter().map(|site| site.hosts.len()).sum::<usize>() > 1;
    let mut names = BTreeSet::new();
    for (i, url) in spec.pops.iter().enumerate().filter_map(|(i, pop)| Some((i, pop.url.as_ref()?)))
    {
        let Some((_, authority)) = url.split_once("://") else { continue };
        if several && !authority.contains(HOST) {
            let reason =
                "could stand for any of the pool's hosts; write `{host}` where the host belongs";
            problems.add(&at.index(i).key("url"), format!("`{url}` {reason}"));
        }
        // An address in brackets has colons of its own.
        let port = authority.rfind(':').filter(|colon| !authority[*colon..].contains(']'));
        names.insert(authority[..port.unwrap_or(authority.len())].to_owned());
    }
    names.into_iter().collect()
}

fn location(
    latitude: Option<f64>,
    longitude: Option<f64>,
    at: &Path,
    problems: &mut Problems,
) -> Option<Location> {
    match (latitude, longitude) {
        (Some(latitude), Some(longitude)) => Some(Location { latitude, longitude }),
        (None, None) => None,
        _ => {
            let missing = if latitude.is_none() { "latitude" } else { "longitude" };
            let reason = "is missing; give latitude and longitude together, or neither";
            problems.add(&at.key(missing), reason);
            None
        }
    }
}

/// What each place has that names no number of its own: the first get one more where it does not come out even.
fn shares(spec: &EdgePoolSpec) -> impl FnMut() -> i32 {
    let open = spec.pops.iter().filter(|pop| pop.replicas.is_none()).count();
    let open = i32::try_from(open).unwrap_or(i32::MAX).max(1);
    let (each, mut rest) = match spec.replicas {
        None => (1, 0),
        Some(n) if n > 0 && n < open => (1, 0),
        Some(n) => (n / open, n % open),
    };
    move || {
        let more = i32::from(rest > 0);
        rest -= more;
        each + more
    }
}

/// The normal forms of a list's texts.
fn each<T>(
    texts: &[String],
    at: &Path,
    check: impl Fn(&str) -> Result<T, check::BadText>,
    problems: &mut Problems,
) -> Vec<T> {
    let mut checked = Vec::new();
    for (i, text) in texts.iter().enumerate() {
        checked.extend(problems.take(&at.index(i), check(text)));
    }
    checked
}
