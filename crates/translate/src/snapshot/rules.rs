//! What every snapshot must fulfil before a process runs on it.

use std::collections::HashMap;

use wire::snapshot::{
    CacheSettings, Compression, FORMAT, FreshnessRules, KeyRules, Limits, QueryRule, Site,
    Snapshot, Tier,
};

use crate::check::{self, BadText};
use crate::path::{Path, Problem, Problems};

mod upstream;

/// Everything that is wrong with it.
pub(crate) fn check(snapshot: &Snapshot) -> Vec<Problem> {
    let mut problems = Problems::default();
    let at = Path::root();
    if snapshot.format != FORMAT {
        // What the fields of another format mean is not ours to say.
        problems.add(
            &at.key("format"),
            format!("is {}; this release reads format {FORMAT} only", snapshot.format),
        );
        return problems.0;
    }
    for (key, text) in [("version", &snapshot.version), ("pool", &snapshot.pool)] {
        if text.is_empty() {
            problems.add(&at.key(key), "must not be empty");
        }
    }
    cache(&snapshot.cache, &at.key("cache"), &mut problems);
    limits(&snapshot.limits, &at.key("limits"), &mut problems);
    if !(1_000..=3_600_000).contains(&snapshot.invalidation.lease_ms) {
        let at = at.key("invalidation").key("leaseMs");
        problems.add(&at, "must be from 1000 to 3600000");
    }
    upstream::peering(&snapshot.peering, &at.key("peering"), &mut problems);
    if snapshot.sites.is_empty() && snapshot.tier == Tier::Edge {
        problems.add(&at.key("sites"), "must have at least one site");
    }
    let mut names = HashMap::new();
    let mut hosts = HashMap::new();
    for (i, site) in snapshot.sites.iter().enumerate() {
        let at = at.key("sites").index(i);
        if site.name.is_empty() {
            problems.add(&at.key("name"), "must not be empty");
        }
        unique(&mut names, &site.name, &at.key("name"), &mut problems);
        for (j, host) in site.hosts.iter().enumerate() {
            unique(&mut hosts, host, &at.key("hosts").index(j), &mut problems);
        }
        check_site(site, snapshot.tier, &at, &mut problems);
    }
    problems.0
}

fn unique<'a>(
    seen: &mut HashMap<&'a str, String>,
    text: &'a str,
    at: &Path,
    problems: &mut Problems,
) {
    if let Some(first) = seen.insert(text, at.to_string()) {
        problems.add(at, format!("`{text}` is already at {first}"));
    }
}

fn cache(cache: &CacheSettings, at: &Path, problems: &mut Problems) {
    if cache.memory_bytes < 1 << 20 {
        problems.add(&at.key("memoryBytes"), "must be at least 1048576");
    }
    if cache.max_object_bytes == 0 || cache.max_object_bytes > cache.memory_bytes {
        problems.add(&at.key("maxObjectBytes"), "must be from 1 to memoryBytes");
    }
    positive(&[("maxVariants", cache.max_variants.into())], at, problems);
}

fn limits(limits: &Limits, at: &Path, problems: &mut Problems) {
    let fields = [
        ("maxConnections", limits.max_connections.into()),
        ("maxFields", limits.max_fields.into()),
        ("headTimeoutMs", limits.head_timeout_ms),
        ("betweenBytesTimeoutMs", limits.between_bytes_timeout_ms),
        ("idleTimeoutMs", limits.idle_timeout_ms),
        ("drainTimeoutMs", limits.drain_timeout_ms),
    ];
    positive(&fields, at, problems);
    if !(1 << 10..=1 << 20).contains(&limits.max_head_bytes) {
        problems.add(&at.key("maxHeadBytes"), "must be from 1024 to 1048576");
    }
}

fn check_site(site: &Site, tier: Tier, at: &Path, problems: &mut Problems) {
    if site.hosts.is_empty() {
        problems.add(&at.key("hosts"), "must have at least one host");
    }
    normal(&site.hosts, &at.key("hosts"), check::host_or_wildcard, problems);
    upstream::upstream(site, tier, at, problems);
    key(&site.key, &at.key("key"), problems);
    freshness(&site.freshness, &at.key("freshness"), problems);
    let collapse = [
        ("timeoutMs", site.collapse.timeout_ms),
        ("hitForMissSeconds", site.collapse.hit_for_miss_seconds.into()),
    ];
    positive(&collapse, &at.key("collapse"), problems);
    if let Some(rules) = &site.compression {
        compression(rules, &at.key("compression"), problems);
    }
    positive(&[("maxRanges", site.max_ranges.into())], at, problems);
}

fn key(rules: &KeyRules, at: &Path, problems: &mut Problems) {
    normal(&rules.headers, &at.key("headers"), check::header, problems);
    normal(&rules.cookies, &at.key("cookies"), check::cookie, problems);
    let (QueryRule::Keep(names) | QueryRule::Drop(names)) = &rules.query else {
        return;
    };
    let kind = if matches!(rules.query, QueryRule::Keep(_)) { "keep" } else { "drop" };
    normal(names, &at.key("query").key(kind), check::parameter, problems);
}

fn freshness(rules: &FreshnessRules, at: &Path, problems: &mut Problems) {
    if let Some(heuristic) = &rules.heuristic
        && !(1..=100).contains(&heuristic.percent)
    {
        problems.add(&at.key("heuristic").key("percent"), "must be from 1 to 100");
    }
    for status in rules.negative_ttl_seconds.keys().filter(|s| !(400..=599).contains(*s)) {
        let at = at.key("negativeTtlSeconds").key(&status.to_string());
        problems.add(&at, "is not an error status, 400 to 599");
    }
}

fn compression(rules: &Compression, at: &Path, problems: &mut Problems) {
    normal(&rules.types, &at.key("types"), check::media_type, problems);
    for (key, level, range) in
        [("br", rules.br, 0..=11), ("zstd", rules.zstd, 1..=19), ("gzip", rules.gzip, 1..=9)]
    {
        if level.is_some_and(|level| !range.contains(&level)) {
            let reason = format!("must be from {} to {}", range.start(), range.end());
            problems.add(&at.key(key), reason);
        }
    }
}

fn positive(fields: &[(&str, u64)], at: &Path, problems: &mut Problems) {
    for (key, _) in fields.iter().filter(|(_, value)| *value == 0) {
        problems.add(&at.key(key), "must be more than 0");
    }
}

type Check = fn(&str) -> Result<String, BadText>;

fn normal(texts: &[String], at: &Path, check: Check, problems: &mut Problems) {
    for (i, text) in texts.iter().enumerate() {
        is_normal(text, &at.index(i), check, problems);
    }
}

/// Valid, and already in the form that comparisons on the request path rely on.
fn is_normal(text: &str, at: &Path, check: Check, problems: &mut Problems) {
    match check(text) {
        Ok(form) if form != text => problems.add(at, BadText::NotNormal(text.to_owned(), form)),
        Ok(_) => {}
        Err(reason) => problems.add(at, reason),
    }
}
