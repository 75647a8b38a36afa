use super::*;
use crate::translation::translate_all;

fn source(text: &str) -> Source<'_> {
    Source { name: "edge.yaml", text }
}

/// The example's, as a file.
fn written() -> (Snapshot, String) {
    let text = include_str!("../../tests/golden/full.in.yaml");
    let snapshot = translate_all(&[source(text)]).pools.remove(0).snapshot;
    let yaml = serde_saphyr::to_string(&snapshot).unwrap();
    (snapshot, yaml)
}

fn errors(text: &str) -> Vec<String> {
    let diagnostics = read_snapshot(source(text)).unwrap_err().0;
    diagnostics.iter().map(ToString::to_string).collect()
}

#[test]
fn reads_what_translate_makes() {
    let (snapshot, yaml) = written();
    assert_eq!(read_snapshot(source(&yaml)).unwrap(), snapshot);
    let json = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(read_snapshot(source(&json)).unwrap(), snapshot);
    let least = "format: 1\nversion: x\npool: p\nsites: [{name: a, hosts: [a], origins: [{url: http://o}]}]";
    assert_eq!(
        read_snapshot(source(least)).unwrap().cache,
        wire::snapshot::CacheSettings::default()
    );
}

#[test]
fn the_version_is_that_of_the_content() {
    let (snapshot, _) = written();
    assert_eq!(version_of(&snapshot), snapshot.version);
    let mut other = snapshot.clone();
    other.version = "anything".to_owned();
    assert_eq!(version_of(&other), snapshot.version);
    other.sites[0].max_ranges += 1;
    assert_ne!(version_of(&other), snapshot.version);
}

#[test]
fn wrong_types_have_line_and_field() {
    let (_, yaml) = written();
    let line_of = |part: &str| yaml.lines().position(|line| line.contains(part)).unwrap() + 1;
    for (from, to, field) in [
        ("maxVariants: 8", "maxVariants: many", "cache.maxVariants"),
        ("maxFields: 50", "maxFelds: 50", "limits.maxFelds"),
        ("eviction: lfu", "eviction: fifo", "cache.eviction"),
        ("connectMs: 1000", "connectMs: -1", "sites[0].timeouts.connectMs"),
        ("hitForMissSeconds: 30", "hitForMissSeconds: [30]", "sites[0].collapse.hitForMissSeconds"),
        ("- 10.0.0.0/8", "- 10.0.0.0.0", "trustedProxies[0]"),
    ] {
        let errors = errors(&yaml.replacen(from, to, 1));
        let start = format!("edge.yaml:{}: Snapshot/media/full: {field}: ", line_of(from));
        assert!(errors.len() == 1 && errors[0].starts_with(&start), "{start} {errors:?}");
    }
}

#[test]
fn wrong_values_are_all_told() {
    let (_, yaml) = written();
    let bad = yaml
        .replacen("idleTimeoutMs: 90000", "idleTimeoutMs: 0", 1)
        .replacen("- cdn.example.com", "- CDN.example.com", 1)
        .replacen("- shielded.example.com", "- \"*.img.example.com\"", 1)
        .replacen("https://backup.example.com", "https://backup.example.com/x", 1)
        .replacen("gzip: 1", "gzip: 10", 1)
        .replacen("x-country", "X-Country", 1)
        .replacen("name: plain.example.com", "name: www", 1)
        .replacen("maxRanges: 4", "maxRanges: 0", 1)
        .replacen("weight: 300", "weight: 1001", 1)
        .replacen("path: /healthz?deep", "path: healthz", 1)
        .replacen("leastStatus: 204", "leastStatus: 205", 1)
        .replacen("minConcurrency: 2", "minConcurrency: 33", 1)
        .replacen("openMs: 2000", "openMs: 60001", 1)
        .replacen("attempts: 2", "attempts: 11", 1)
        .replacen("totalMs: 300000", "totalMs: 9999", 1)
        .replacen("boundedLoadPercent: 150", "boundedLoadPercent: 99", 1)
        .replacen("shield: shield/media/main", "shield: \"\"", 1);
    let errors = errors(&bad);
    for part in [
        "limits.idleTimeoutMs: must be more than 0",
        "sites[0].hosts[0]: `CDN.example.com` must be written as `cdn.example.com`",
        "sites[1].hosts[0]: `*.img.example.com` is already at sites[0].hosts[1]",
        "sites[0].origins[1].url: `https://backup.example.com/x` carries a path",
        "sites[0].compression.gzip: must be from 1 to 9",
        "sites[0].key.headers[0]: `X-Country` must be written as `x-country`",
        "sites[2].name: `www` is already at sites[0].name",
        "sites[0].maxRanges: must be more than 0",
        "sites[0].origins[0].weight: must be from 1 to 1000",
        "sites[0].origins[0].health.path: `healthz` is not a path",
        "sites[0].origins[0].health.leastStatus: must not be more than greatestStatus",
        "sites[0].limits.minConcurrency: must not be more than maxConcurrency",
        "sites[0].breaker.openMs: must not be more than maxOpenMs",
        "sites[0].retries.attempts: must be from 1 to 10",
        "sites[0].timeouts.firstByteMs: must not be more than totalMs",
        "peering.boundedLoadPercent: must be from 100 to 1000",
        "sites[1].shield: must not be empty",
    ] {
        assert!(errors.iter().any(|error| error.contains(part)), "{part} {errors:#?}");
    }
    assert_eq!(errors.len(), 17, "{errors:#?}");
    let line = bad.lines().position(|line| line.contains("gzip: 10")).unwrap() + 1;
    assert!(errors.iter().any(|error| error.starts_with(&format!("edge.yaml:{line}: "))));
}

#[test]
fn only_a_shield_may_have_no_sites_and_it_has_no_shield() {
    let none = "format: 1\nversion: x\npool: p\ntier: shield\nsites: []\n";
    assert_eq!(read_snapshot(source(none)).unwrap().sites, []);
    let one = "format: 1\nversion: x\npool: p\ntier: shield\nsites:\n\
               - {name: a, hosts: [a], shield: shield/b, origins: [{url: http://o}]}\n";
    let told = "edge.yaml:6: Snapshot/p: sites[0].shield: a shield has no other behind it";
    assert_eq!(errors(one), [told]);
}

#[test]
fn refuses_what_is_not_a_snapshot() {
    for (text, part) in [
        ("", "edge.yaml:1: Snapshot: "),
        ("a: [", "edge.yaml:1: Snapshot: "),
        ("[]", "edge.yaml:1: Snapshot: "),
        ("format: 2\nversion: x\npool: p\nsites: []\n", "edge.yaml:1: Snapshot/p: format: is 2;"),
        (
            "format: 1\nversion: x\npool: p\nsites: []\n",
            "edge.yaml:4: Snapshot/p: sites: must have",
        ),
        ("format: 1\n---\nformat: 1\n", "Snapshot: "),
    ] {
        let errors = errors(text);
        assert!(errors.len() == 1 && errors[0].contains(part), "{text:?} {errors:?}");
    }
}
