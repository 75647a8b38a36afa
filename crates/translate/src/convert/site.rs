//! The sites of a pool.

use std::collections::HashMap;

use ::wire::snapshot as wire;
use crds::{
    CollapseSpec, CompressionSpec, DebugHeaders, FreshnessSpec, KeySpec, OriginSpec,
    RequestDirectives, SetCookie, SiteSpec, TimeoutsSpec, Upgrade,
};

use super::amount::{millis, seconds, small, some_seconds};
use super::{Shield, Shields, each};
use crate::check;
use crate::path::{Path, Problems};

pub(super) fn sites(
    specs: &[SiteSpec],
    shields: &Shields<'_>,
    at: &Path,
    problems: &mut Problems,
) -> Vec<wire::Site> {
    let sites: Vec<_> = specs
        .iter()
        .enumerate()
        .map(|(i, spec)| site(spec, shields, &at.index(i), problems))
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

fn site(spec: &SiteSpec, shields: &Shields<'_>, at: &Path, problems: &mut Problems) -> wire::Site {
    let hosts = each(&spec.hosts, &at.key("hosts"), check::host_or_wildcard, problems);
    let mut times =
        timeouts(&spec.timeouts.clone().unwrap_or_default(), &at.key("timeouts"), problems);
    let mut origins = origins(&spec.origins, &at.key("origins"), problems);
    match (&spec.shield, spec.origins.is_empty()) {
        (None, false) => {}
        (Some(reference), true) => {
            let at = at.key("shield").key("name");
            origins = through(&reference.name, shields, &mut times, &at, problems);
        }
        (Some(_), false) => {
            problems.add(at, "`origins` and `shield` exclude each other; remove one");
        }
        (None, true) => problems.add(
            at,
            "has neither `origins` nor `shield`; give one, to say where the content comes from",
        ),
    }
    let name = spec.name.clone().or_else(|| hosts.first().cloned()).unwrap_or_default();
    wire::Site {
        name,
        hosts,
        origins,
        timeouts: times,
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

/// The origins behind a shield. Where both set a time limit, the shorter is the one that is felt.
fn through(
    name: &str,
    shields: &Shields<'_>,
    times: &mut wire::Timeouts,
    at: &Path,
    problems: &mut Problems,
) -> Vec<wire::Origin> {
    let Shields::Known(find) = shields else {
        return vec![];
    };
    match find(name) {
        Some(Shield::Sound(shield)) => {
            // Its own problems have been told with it.
            let mut told = Problems::default();
            let theirs = timeouts(&shield.timeouts, at, &mut told);
            times.connect_ms = times.connect_ms.min(theirs.connect_ms);
            times.first_byte_ms = times.first_byte_ms.min(theirs.first_byte_ms);
            times.between_bytes_ms = times.between_bytes_ms.min(theirs.between_bytes_ms);
            origins(&shield.origins, at, &mut told)
        }
        Some(Shield::Broken) => {
            problems.add(at, format!("OriginShield `{name}` has errors; correct them first"));
            vec![]
        }
        None => {
            let reason =
                format!("there is no OriginShield `{name}` without errors beside this pool");
            problems.add(at, reason);
            vec![]
        }
    }
}

pub(super) fn origins(
    specs: &[OriginSpec],
    at: &Path,
    problems: &mut Problems,
) -> Vec<wire::Origin> {
    let mut origins = Vec::new();
    for (i, spec) in specs.iter().enumerate() {
        let at = at.index(i);
        let host = spec.host.as_deref().map(check::host);
        let host = host.and_then(|host| problems.take(&at.key("host"), host));
        let url = problems.take(&at.key("url"), check::origin_url(&spec.url));
        if let Some(pem) = &spec.ca_bundle {
            let at = at.key("caBundle");
            problems.take(&at, check::certificates(pem));
            if url.as_ref().is_some_and(|url| url.starts_with("http:")) {
                problems
                    .add(&at, "has no meaning for an `http` origin; remove it or write `https`");
            }
        }
        origins.extend(url.map(|url| wire::Origin { url, host, ca: spec.ca_bundle.clone() }));
    }
    origins
}

pub(super) fn timeouts(spec: &TimeoutsSpec, at: &Path, problems: &mut Problems) -> wire::Timeouts {
    if spec.connect > spec.first_byte {
        problems.add(
            &at.key("connect"),
            format!(
                "`{}` must not be longer than `firstByte`, which is `{}` and starts to run with it",
                spec.connect, spec.first_byte
            ),
        );
    }
    wire::Timeouts {
        connect_ms: millis(spec.connect, &at.key("connect"), problems),
        first_byte_ms: millis(spec.first_byte, &at.key("firstByte"), problems),
        between_bytes_ms: millis(spec.between_bytes, &at.key("betweenBytes"), problems),
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
