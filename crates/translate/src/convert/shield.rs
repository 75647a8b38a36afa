//! A shield, as edges see it and as it runs.

use std::collections::HashMap;

use ::wire::invalidation::OnLogLoss;
use ::wire::snapshot::{self as wire, Snapshot};
use crds::OriginShield;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{cache, origin, tiers};
use crate::path::{Path, Problems};
use crate::resources::full_name;

/// Bytes, as fleets have it.
const MAX_RING_NAME: usize = 253;

/// What stands behind a shield.
#[derive(Clone, Debug)]
pub(crate) struct Behind {
    /// What fleets call the shield's ring.
    pub(crate) ring: String,
    pub(crate) origins: Vec<wire::Origin>,
    pub(crate) timeouts: wire::Timeouts,
    pub(crate) limits: wire::OriginLimits,
    pub(crate) breaker: wire::Breaker,
    pub(crate) retries: wire::Retries,
}

/// What a shield says about itself.
pub(crate) fn shield(
    shield: &OriginShield,
    problems: &mut Problems,
) -> (wire::CacheSettings, Behind) {
    let at = Path::root().key("spec");
    let spec = &shield.spec;
    let name = shield.metadata.name.as_deref().unwrap_or_default();
    let ring = format!("shield/{}", full_name(shield.metadata.namespace.as_deref(), name));
    if ring.len() > MAX_RING_NAME {
        let reason =
            "with its namespace and `shield/` it is longer than the 253 bytes of a ring's name";
        problems.add(&Path::root().key("metadata").key("name"), reason);
    }
    origin::fits(&spec.timeouts, &spec.limits, &at, problems);
    let behind = Behind {
        ring,
        origins: origin::origins(&spec.origins, &at.key("origins"), problems),
        timeouts: origin::timeouts(&spec.timeouts, &at.key("timeouts"), problems),
        limits: origin::limits(&spec.limits, &at.key("limits"), problems),
        breaker: origin::breaker(&spec.breaker, &at.key("breaker"), problems),
        retries: origin::retries(&spec.retries, &at.key("retries"), problems),
    };
    (cache(&spec.cache, &at.key("cache"), problems), behind)
}

/// What a shield runs on that stands behind these pools, without a version: their sites that come through
/// it, in order.
pub(crate) fn shield_snapshot(
    name: &str,
    cache: &wire::CacheSettings,
    behind: &Behind,
    pools: &[&Snapshot],
) -> Snapshot {
    let through = |site: &&wire::Site| site.shield.as_ref() == Some(&behind.ring);
    let using = pools.iter().filter(|pool| pool.sites.iter().any(|site| through(&site)));
    let using: Vec<&Snapshot> = using.copied().collect();
    let mut sites: Vec<(&str, wire::Site)> = Vec::new();
    for pool in &using {
        let own = pool.sites.iter().filter(through);
        sites.extend(own.map(|site| (pool.pool.as_str(), site_behind(site, behind))));
    }
    // Names are unique in a pool only; here, those that are not have the pool's before them.
    let mut uses: HashMap<String, usize> = HashMap::new();
    for (_, site) in &sites {
        *uses.entry(site.name.clone()).or_default() += 1;
    }
    for (pool, site) in &mut sites {
        if uses.get(&site.name).is_some_and(|uses| *uses > 1) {
            site.name = format!("{pool}/{}", site.name);
        }
    }
    Snapshot {
        format: wire::FORMAT,
        version: String::new(),
        pool: name.to_owned(),
        tier: wire::Tier::Shield,
        cache: cache.clone(),
        limits: client_limits(&using),
        invalidation: invalidation(&using),
        // Only tiers reach a shield, and what they say about clients is what it goes by.
        trusted_proxies: vec![IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())],
        place_names: Vec::new(),
        peering: wire::Peering::default(),
        sites: sites.into_iter().map(|(_, site)| site).collect(),
    }
}

/// An edge's site on the shield behind it: the same rules, the shield's way to the origins. Compression and
/// headers about the cache are between edge and client.
fn site_behind(edge: &wire::Site, behind: &Behind) -> wire::Site {
    let (timeouts, limits) = tiers::within(&edge.timeouts, &behind.timeouts, &behind.limits);
    wire::Site {
        shield: None,
        origins: behind.origins.clone(),
        timeouts,
        limits,
        breaker: behind.breaker.clone(),
        retries: behind.retries.clone(),
        compression: None,
        headers: wire::DebugHeaders::Never,
        ..edge.clone()
    }
}

/// Whatever an edge lets in, its shield does too, and the fields that edges add; and it waits for an edge
/// longer than any edge for its client.
fn client_limits(pools: &[&Snapshot]) -> wire::Limits {
    const ADDED_BYTES: u32 = 4 << 10;
    const ADDED_FIELDS: u32 = 16;
    pools.iter().fold(wire::Limits::default(), |limits, pool| {
        let theirs = &pool.limits;
        let head = theirs.max_head_bytes.saturating_add(ADDED_BYTES).min(1 << 20);
        let body_time = tiers::above(theirs.between_bytes_timeout_ms);
        wire::Limits {
            max_head_bytes: limits.max_head_bytes.max(head),
            max_fields: limits.max_fields.max(theirs.max_fields.saturating_add(ADDED_FIELDS)),
            max_body_bytes: limits.max_body_bytes.max(theirs.max_body_bytes),
            between_bytes_timeout_ms: limits.between_bytes_timeout_ms.max(body_time),
            ..limits
        }
    })
}

/// As strict as the strictest of the pools: an edge can serve nothing fresher than its shield.
fn invalidation(pools: &[&Snapshot]) -> wire::InvalidationSettings {
    let usual = wire::InvalidationSettings::default();
    let strict = pools.iter().any(|p| p.invalidation.on_log_loss == OnLogLoss::Revalidate);
    wire::InvalidationSettings {
        on_log_loss: if strict { OnLogLoss::Revalidate } else { OnLogLoss::Serve },
        lease_ms: pools.iter().map(|p| p.invalidation.lease_ms).min().unwrap_or(usual.lease_ms),
    }
}
