//! The sites of a pool.

use std::collections::HashMap;

use ::wire::snapshot as wire;
use crds::{
    BypassSpec, CollapseSpec, CompressionSpec, DebugHeaders, FreshnessSpec, KeySpec,
    RequestDirectives, SetCookie, SiteSpec, Upgrade,
};

use super::amount::{millis, seconds, small, some_seconds};
use super::{Shield, Shields, each, origin, tiers};
use crate::check;
use crate::path::{Path, Problems};

pub(super) fn sites(
    specs: &[SiteSpec],
    shields: &Shields<'_>,
    bypass: &BypassSpec,
    at: &Path,
    problems: &mut Problems,
) -> Vec<wire::Site> {
    let sites: Vec<_> = specs
        .iter()
        .enumerate()
        .map(|(i, spec)| site(spec, shields, bypass, &at.index(i), problems))
        .collect();
    let mut names = HashMap::new();
    for (i, site) in sites.iter().enumerate() {
        if let Some(first) = names.insert(&site.name, i) {
            let reason = if specs[i].name.is_some() {
                format!("`{}` is already the name of {}; rename one", site.name, at.index(first))
            } else {
                continue; // The first host, which is reported as given twice, or the name of another.
            };
            problems.add(&at.index(i).key("name"), reason);
        }
    }
    sites
}

fn site(
    spec: &SiteSpec,
    shields: &Shields<'_>,
    bypass: &BypassSpec,
    at: &Path,
    problems: &mut Problems,
) -> wire::Site {
    let hosts = each(&spec.hosts, &at.key("hosts"), check::host_or_wildcard, problems);
    let way = way(spec, shields, bypass, at, problems);
    let name = spec.name.clone().or_else(|| hosts.first().cloned()).unwrap_or_default();
    wire::Site {
        name,
        hosts,
        shield: way.shield,
        origins: way.origins,
        timeouts: way.timeouts,
        limits: way.limits,
        breaker: way.breaker,
        retries: way.retries,
        key: key(&spec.key, &at.key("key"), problems),
        freshness: freshness(&spec.freshness, &at.key("freshness"), problems),
        collapse: collapse(&spec.collapse, &at.key("collapse"), problems),
        compression: compression(&spec.compression, &at.key("compression"), problems),
        headers: match spec.debug_headers {
            DebugHeaders::Never => wire::DebugHeaders::Never,
            DebugHeaders::OnRequest => wire::DebugHeaders::OnRequest,
            DebugHeaders::Always => wire::DebugHeaders::Always,
        },
        upgrade: spec.upgrade == Upgrade::Tunnel,
        max_ranges: small(spec.ranges.max),
    }
}

/// The way to the content: the site's own origins, or through a shield.
struct Way {
    shield: Option<String>,
    origins: Vec<wire::Origin>,
    timeouts: wire::Timeouts,
    limits: wire::OriginLimits,
    breaker: wire::Breaker,
    retries: wire::Retries,
}

fn way(
    spec: &SiteSpec,
    shields: &Shields<'_>,
    bypass: &BypassSpec,
    at: &Path,
    problems: &mut Problems,
) -> Way {
    let own_limits = spec.limits.clone().unwrap_or_default();
    let own_timeouts = spec.timeouts.clone().unwrap_or_default();
    let own = Way {
        shield: None,
        origins: origin::origins(&spec.origins, &at.key("origins"), problems),
        timeouts: origin::timeouts(&own_timeouts, &at.key("timeouts"), problems),
        limits: origin::limits(&own_limits, &at.key("limits"), problems),
        breaker: origin::breaker(
            &spec.breaker.clone().unwrap_or_default(),
            &at.key("breaker"),
            problems,
        ),
        retries: origin::retries(
            &spec.retries.clone().unwrap_or_default(),
            &at.key("retries"),
            problems,
        ),
    };
    match (&spec.shield, spec.origins.is_empty()) {
        (Some(reference), true) => {
            let given = [
                ("limits", spec.limits.is_some()),
                ("breaker", spec.breaker.is_some()),
                ("retries", spec.retries.is_some()),
            ];
            for (key, _) in given.into_iter().filter(|(_, given)| *given) {
                let reason = "is the shield's affair where there is one; give it there";
                problems.add(&at.key(key), reason);
            }
            through(&reference.name, spec, shields, bypass, own, at, problems)
        }
        (Some(_), false) => {
            problems.add(at, "`origins` and `shield` exclude each other; remove one");
            own
        }
        (None, true) => {
            problems.add(
                at,
                "has neither `origins` nor `shield`; give one, to say where the content comes from",
            );
            own
        }
        (None, false) => {
            origin::fits(&own_timeouts, &own_limits, at, problems);
            own
        }
    }
}

/// Through a shield. What is sent past it when it is away is bounded by what the pool says of that.
fn through(
    name: &str,
    spec: &SiteSpec,
    shields: &Shields<'_>,
    bypass: &BypassSpec,
    own: Way,
    at: &Path,
    problems: &mut Problems,
) -> Way {
    if let Some(times) = &spec.timeouts {
        let limits = [
            ("firstByte", times.first_byte),
            ("betweenBytes", times.between_bytes),
            ("total", times.total),
        ];
        for (key, time) in limits.into_iter().filter(|(_, t)| t.as_millis() < tiers::LEAST) {
            let reason = format!(
                "`{time}` leaves the shield no time, whose own limits must be shorter; `{}ms` is the least",
                tiers::LEAST
            );
            problems.add(&at.key("timeouts").key(key), reason);
        }
    }
    let Shields::Known(find) = shields else {
        return own;
    };
    let at = at.key("shield").key("name");
    match find(name) {
        Some(Shield::Sound(behind)) => {
            let most = behind.limits.max_concurrency.min(small(bypass.max_concurrency));
            Way {
                shield: Some(behind.ring.clone()),
                origins: behind.origins.clone(),
                timeouts: match spec.timeouts {
                    Some(_) => own.timeouts,
                    None => tiers::around(&behind.timeouts, &behind.limits),
                },
                limits: wire::OriginLimits {
                    max_concurrency: most,
                    min_concurrency: behind.limits.min_concurrency.min(most),
                    queue_timeout_ms: bypass.queue_timeout.as_millis(),
                    ..behind.limits.clone()
                },
                breaker: behind.breaker.clone(),
                retries: behind.retries.clone(),
            }
        }
        Some(Shield::Broken) => {
            problems.add(&at, format!("OriginShield `{name}` has errors; correct them first"));
            own
        }
        None => {
            let reason =
                format!("there is no OriginShield `{name}` without errors beside this pool");
            problems.add(&at, reason);
            own
        }
    }
}

fn key(spec: &KeySpec, at: &Path, problems: &mut Problems) -> wire::KeyRules {
    let query = &spec.query;
    let query_at = at.key("query");
    let given = [query.keep.is_some(), query.drop.is_some(), query.ignore];
    if given.into_iter().filter(|given| *given).count() > 1 {
        problems.add(&query_at, "`keep`, `drop` and `ignore` exclude each other: give one of them");
    }
    let mut parameters =
        |names: &[String], key| each(names, &query_at.key(key), check::parameter, problems);
    let rule = match (&query.keep, &query.drop, query.ignore) {
        (_, _, true) => wire::QueryRule::None,
        (Some(names), _, _) => wire::QueryRule::Keep(parameters(names, "keep")),
        (_, Some(names), _) => wire::QueryRule::Drop(parameters(names, "drop")),
        _ => wire::QueryRule::All,
    };
    let headers = each(&spec.headers, &at.key("headers"), check::header, problems);
    let mut seen = HashMap::new();
    for (i, name) in headers.iter().enumerate() {
        if seen.insert(name, i).is_some() {
            // Spelled with the same letters, the schema finds it.
            problems.add(&at.key("headers").index(i), format!("`{name}` is given twice"));
        }
    }
    wire::KeyRules {
        sort_query: spec.sort_query,
        query: rule,
        cookies: each(&spec.cookies, &at.key("cookies"), check::cookie, problems),
        headers,
    }
}

fn freshness(spec: &FreshnessSpec, at: &Path, problems: &mut Problems) -> wire::FreshnessRules {
    let mut negative = wire::StatusTtls::new();
    for (status, ttl) in &spec.negative_ttl {
        let at = at.key("negativeTTL").key(status);
        match status.parse() {
            Ok(number @ 400..=599) if status.len() == 3 => {
                negative.insert(number, seconds(*ttl, &at, problems));
            }
            _ => problems.add(&at, format!("`{status}` is not an error status, 400 to 599")),
        }
    }
    wire::FreshnessRules {
        heuristic: spec.heuristic.as_ref().map(|heuristic| wire::Heuristic {
            percent: small(heuristic.percent),
            cap_seconds: some_seconds(heuristic.cap, &at.key("heuristic").key("cap"), problems),
        }),
        set_cookie: match spec.set_cookie {
            SetCookie::RequirePermission => wire::SetCookie::RequirePermission,
            SetCookie::AsRfc => wire::SetCookie::AsRfc,
            SetCookie::Strip => wire::SetCookie::Strip,
        },
        negative_ttl_seconds: negative,
        stale_if_error_seconds: seconds(spec.stale_if_error, &at.key("staleIfError"), problems),
        stale_while_revalidate_seconds: seconds(
            spec.stale_while_revalidate,
            &at.key("staleWhileRevalidate"),
            problems,
        ),
        honor_request_directives: spec.request_directives == RequestDirectives::Honor,
    }
}

fn collapse(spec: &CollapseSpec, at: &Path, problems: &mut Problems) -> wire::Collapse {
    wire::Collapse {
        timeout_ms: millis(spec.timeout, &at.key("timeout"), problems),
        max_bypass: small(spec.max_bypass),
        hit_for_miss_seconds: some_seconds(spec.hit_for_miss, &at.key("hitForMiss"), problems),
    }
}

/// None if it is off, or if no coding is left.
fn compression(
    spec: &CompressionSpec,
    at: &Path,
    problems: &mut Problems,
) -> Option<wire::Compression> {
    let level = |level: i32| Some(small(level)).filter(|level: &u8| *level > 0);
    let compression = wire::Compression {
        types: each(&spec.types, &at.key("types"), check::media_type, problems),
        min_bytes: spec.min_size.bytes(),
        br: level(spec.br),
        zstd: level(spec.zstd),
        gzip: level(spec.gzip),
    };
    let offered = compression.br.or(compression.zstd).or(compression.gzip).is_some();
    (spec.enabled && offered).then_some(compression)
}
