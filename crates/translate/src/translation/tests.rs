use crds::{EdgePoolSpec, OriginShield, OriginShieldSpec};
use proptest::prelude::*;
use wire::snapshot::{
    Breaker, CacheSettings, Collapse, Compression, DebugHeaders, FreshnessRules, KeyRules, Limits,
    Origin, OriginLimits, Peering, Retries, Timeouts,
};

use super::*;
use crate::read_snapshot;

const MINIMAL: &str = include_str!("../../tests/golden/minimal.in.yaml");
const FULL: &str = include_str!("../../tests/golden/full.in.yaml");
const ORDERS: &str = include_str!("../../tests/golden/orders.in.yaml");

fn translated(text: &str) -> Translation {
    translate_all(&[Source { name: "test.yaml", text }])
}

fn spec(json: serde_json::Value) -> EdgePoolSpec {
    serde_json::from_value(json).unwrap()
}

fn pool(name: &str, host: &str) -> Located<EdgePool> {
    let site = serde_json::json!({"hosts": [host], "origins": [{"url": "http://origin"}]});
    let spec = spec(serde_json::json!({"pops": [{"name": "one"}], "sites": [site]}));
    EdgePool::new(name, spec).into()
}

#[test]
fn a_pool_that_says_nothing_has_the_defaults_of_the_wire() {
    let mut translation = translated(MINIMAL);
    assert_eq!(translation.diagnostics, []);
    let snapshot = translation.pools.remove(0).snapshot;
    assert_eq!(snapshot.cache, CacheSettings::default());
    assert_eq!(snapshot.limits, Limits::default());
    assert_eq!(snapshot.trusted_proxies, []);
    let site = &snapshot.sites[0];
    assert_eq!(snapshot.peering, Peering::default());
    assert_eq!(site.shield, None);
    assert_eq!(site.origins, [Origin::at(&site.origins[0].url)]);
    assert_eq!(site.timeouts, Timeouts::default());
    assert_eq!(site.limits, OriginLimits::default());
    assert_eq!(site.breaker, Breaker::default());
    assert_eq!(site.retries, Retries::default());
    assert_eq!(site.key, KeyRules::default());
    assert_eq!(site.freshness, FreshnessRules::default());
    assert_eq!(site.collapse, Collapse::default());
    assert_eq!(site.compression, Some(Compression::default()));
    assert_eq!(site.headers, DebugHeaders::default());
    assert!(!site.upgrade);
    let text = "{name: a, hosts: [a], origins: []}";
    let least: wire::snapshot::Site = serde_saphyr::from_str(text).unwrap();
    assert_eq!(site.max_ranges, least.max_ranges);
}

#[test]
fn the_same_gives_the_same() {
    assert_eq!(translated(FULL), translated(FULL));
}

#[test]
fn an_origin_can_be_put_in_place_of_all() {
    let mut pool = translated(FULL).pools.remove(0);
    let before = pool.clone();
    assert!(with_origin(&mut pool, "http://127.0.0.1:1/path").is_err());
    assert_eq!(pool, before);
    with_origin(&mut pool, "http://127.0.0.1:1/").unwrap();
    assert_ne!(pool.snapshot.version, before.snapshot.version);
    for site in &pool.snapshot.sites {
        assert_eq!(site.origins.len(), 1);
        assert_eq!(site.origins[0].url, "http://127.0.0.1:1");
    }
}

#[test]
fn an_origin_can_be_put_behind_a_shield() {
    let mut shield = translated(FULL).shields.remove(0);
    let before = shield.clone();
    assert!(with_origin_behind(&mut shield, "127.0.0.1").is_err());
    assert_eq!(shield, before);
    with_origin_behind(&mut shield, "http://127.0.0.1:1").unwrap();
    assert_ne!(shield.snapshot.version, before.snapshot.version);
    let origins: Vec<_> = shield.snapshot.sites.iter().flat_map(|site| &site.origins).collect();
    assert_eq!(origins, [&Origin::at("http://127.0.0.1:1")]);
}

#[test]
fn a_health_check_that_says_nothing_has_the_defaults_of_the_wire() {
    let text = MINIMAL.replace("- url: http://origin", "- {url: \"http://origin\", health: {}}");
    let translation = translated(&text);
    assert_eq!(translation.diagnostics, []);
    let origin = &translation.pools[0].snapshot.sites[0].origins[0];
    assert_eq!(origin.health, Some(wire::snapshot::HealthProbe::default()));
}

#[test]
fn while_a_pool_cannot_be_read_no_shield_is_complete() {
    let complete = |text: &str| {
        let shields = translated(text).shields;
        assert_eq!(shields.len(), 1);
        shields[0].complete
    };
    assert!(complete(FULL));
    assert!(!complete(&format!("{FULL}\n---\nbroken: [")));
    assert!(!complete(&FULL.replace("hosts: [plain.example.com]", "hosts: [cdn.example.com]")));
}

#[test]
fn where_no_client_reaches_a_single_edge_they_are_peers() {
    let mut pool = translated(MINIMAL).pools.remove(0);
    let before = pool.clone();
    assert!(!without_redirects(&mut pool));
    assert_eq!(pool, before);
    pool.snapshot.peering.mode = PeeringMode::Redirect;
    assert!(without_redirects(&mut pool));
    assert_eq!(pool.snapshot.peering.mode, PeeringMode::Peer);
    assert_ne!(pool.snapshot.version, before.snapshot.version);
}

#[test]
fn of_two_pools_with_one_host_the_first_has_it() {
    let pools =
        vec![pool("a", "x.example.com"), pool("b", "X.example.com"), pool("c", "y.example.com")];
    let translation = translate(&Resources { pools, ..Resources::default() });
    let names: Vec<_> = translation.pools.iter().map(|pool| pool.name.as_str()).collect();
    assert_eq!(names, ["a", "c"]);
    let [diagnostic] = &translation.diagnostics[..] else {
        panic!("{:?}", translation.diagnostics)
    };
    assert_eq!(
        diagnostic.to_string(),
        "EdgePool/b: spec.sites[0].hosts[0]: `x.example.com` already belongs to EdgePool/a \
         spec.sites[0].hosts[0]; remove it from one of the two"
    );
}

#[test]
fn what_comes_from_a_cluster_is_held_against_the_schema_too() {
    let mut bad = pool("a", "x.example.com");
    bad.value.spec.cache.max_variants = -1;
    bad.value.spec.pops.clear();
    let translation = translate(&Resources { pools: vec![bad], ..Resources::default() });
    let fields: Vec<_> = translation.diagnostics.iter().map(|d| d.field.as_str()).collect();
    assert_eq!(fields, ["spec.cache.maxVariants", "spec.pops"]);
    assert!(translation.pools.is_empty());
}

#[test]
fn no_namespace_is_the_default_one() {
    let spec: OriginShieldSpec =
        serde_json::from_value(serde_json::json!({"origins": [{"url": "http://behind"}]})).unwrap();
    let mut shield = OriginShield::new("main", spec);
    shield.metadata.namespace = Some("default".to_owned());
    let mut pool = pool("a", "x.example.com");
    let site = &mut pool.value.spec.sites[0];
    site.origins.clear();
    site.shield = Some(crds::ShieldRef { name: "main".to_owned() });
    let resources =
        Resources { pools: vec![pool], shields: vec![shield.into()], ..Resources::default() };
    let translation = translate(&resources);
    assert_eq!(translation.diagnostics, []);
    let site = &translation.pools[0].snapshot.sites[0];
    assert_eq!(site.origins[0].url, "http://behind");
    let [shield] = &translation.shields[..] else { panic!("{:?}", translation.shields) };
    assert_eq!((&*shield.name, &*shield.ring), ("default/main", "shield/default/main"));
    assert_eq!(site.shield.as_ref(), Some(&shield.ring));
    assert_eq!(shield.snapshot.sites[0].hosts, site.hosts);
}

#[test]
fn a_shield_whose_ring_would_have_too_long_a_name_is_refused() {
    let spec: OriginShieldSpec =
        serde_json::from_value(serde_json::json!({"origins": [{"url": "http://behind"}]})).unwrap();
    let refused = |length: usize| {
        let shield = OriginShield::new(&"n".repeat(length), spec.clone());
        let resources = Resources { shields: vec![shield.into()], ..Resources::default() };
        let translation = translate(&resources);
        let fields: Vec<_> = translation.diagnostics.iter().map(|d| d.field.clone()).collect();
        assert_eq!(translation.shields.len() + fields.len(), 1);
        fields == ["metadata.name"]
    };
    assert!(!refused(246));
    assert!(refused(247));
}

fn purge(name: &str, spec: serde_json::Value) -> Located<crds::PurgeRequest> {
    crds::PurgeRequest::new(name, serde_json::from_value(spec).unwrap()).into()
}

fn ids(purges: Vec<Located<crds::PurgeRequest>>) -> Vec<String> {
    let translation = translate(&Resources { purges, ..Resources::default() });
    assert_eq!(translation.diagnostics, []);
    translation.orders.into_iter().map(|order| order.invalidation.id).collect()
}

#[test]
fn an_order_has_the_id_of_what_it_says() {
    let tags = |tags: &[&str]| serde_json::json!({ "tags": tags });
    let mut again = purge("a", tags(&["x"]));
    again.value.metadata.uid = Some("2".to_owned());
    let mut edited = again.clone();
    edited.value.metadata.generation = Some(2);
    let mut elsewhere = purge("a", tags(&["x"]));
    elsewhere.value.metadata.namespace = Some("shop".to_owned());
    let mut long = purge(&"n".repeat(253), tags(&["x"]));
    long.value.metadata.namespace = Some("s".repeat(63));
    let different = vec![
        purge("a", tags(&["x"])),
        purge("a", tags(&["y"])),
        purge("b", tags(&["x"])),
        purge("a", serde_json::json!({"tags": ["x"], "soft": true})),
        again,
        edited,
        elsewhere,
        long,
    ];
    let found = ids(different.clone());
    assert_eq!(found, ids(different));
    let distinct: std::collections::HashSet<_> = found.iter().collect();
    assert_eq!(distinct.len(), found.len(), "{found:?}");
    assert!(found[0].starts_with("purge:a:") && found[6].starts_with("purge:shop.a:"));
    for id in found {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        assert!(id.len() <= 64 && id.chars().all(fits), "{id}");
    }
    // Neither a comment nor the time it has changes the order.
    let kept = serde_json::json!({"tags": ["x"], "deadline": "5s", "ttlAfterFinished": "2h"});
    assert_eq!(ids(vec![purge("a", kept)]), ids(vec![purge("a", tags(&["x"]))]));
}

#[test]
fn an_id_says_who_gave_it_in_a_cluster() {
    let mut ban = crds::BanRule::new(
        "news",
        serde_json::from_value(serde_json::json!({ "path": { "prefix": "/x" } })).unwrap(),
    );
    let id = |ban: &crds::BanRule| {
        let bans = vec![ban.clone().into()];
        let translation = translate(&Resources { bans, ..Resources::default() });
        translation.orders[0].invalidation.id.clone()
    };
    assert_eq!(Giver::of(OrderKind::Ban, &id(&ban)), None, "no cluster");
    ban.metadata.uid = Some("u".to_owned());
    ban.metadata.generation = Some(7);
    ban.metadata.namespace = Some("shop".to_owned());
    let given = id(&ban);
    let giver = Giver::of(OrderKind::Ban, &given).unwrap();
    assert_eq!((giver.mark, giver.generation), (mark("u").as_str(), 7));
    assert!(giver.is_in("shop") && !giver.is_in("sho") && !giver.is_in("shop2"));
    assert_eq!(Giver::of(OrderKind::Purge, &given), None);
    ban.metadata.namespace = Some("s".repeat(63));
    let given = id(&ban);
    assert!(given.len() <= 64, "{given}");
    let giver = Giver::of(OrderKind::Ban, &given).unwrap();
    assert!(giver.is_in(&"s".repeat(63)) && !giver.is_in(&"s".repeat(62)));
    for other in ["", "ban", "ban:a:0123456789abcdef", "ban:a:0123456789abcdef:x", "ban:a:0123:1"] {
        assert_eq!(Giver::of(OrderKind::Ban, other), None, "{other}");
    }
}

#[test]
fn hosts_are_judged_only_where_all_pools_are_known() {
    let order = "---\napiVersion: cdn.blueorigin.dev/v1alpha1\nkind: PurgeRequest\n\
                 metadata: {name: a}\nspec: {urls: [\"http://other.example.com/\"]}\n";
    let refused = |before: &str| {
        let translation = translated(&format!("{before}\n{order}"));
        let told = |d: &&Diagnostic| d.field == "spec.urls[0]";
        let refused = translation.diagnostics.iter().filter(told).count();
        assert_eq!(translation.orders.len() + refused, 1);
        refused == 1
    };
    assert!(!refused(""));
    assert!(refused(MINIMAL));
    assert!(!refused(&MINIMAL.replace("example.com", "other.example.com")));
    assert!(!refused(&format!("{MINIMAL}\n---\nbroken: [")));
    assert!(!refused(&format!("{MINIMAL}\n---\n{}", MINIMAL.replace("sites:", "stes:"))));
}

#[test]
fn orders_from_a_cluster_are_checked_too() {
    let purges = vec![
        purge("a", serde_json::json!({"urls": vec!["http://a/"; 1001]})),
        purge("b", serde_json::json!({"tags": ["a b"]})),
        purge("c", serde_json::json!({"all": true})),
    ];
    let translation = translate(&Resources { purges, ..Resources::default() });
    let told: Vec<_> =
        translation.diagnostics.iter().map(|d| (d.name.as_str(), d.field.as_str())).collect();
    assert!(told.contains(&("a", "spec.urls")) && told.contains(&("b", "spec.tags[0]")));
    let names: Vec<_> = translation.orders.iter().map(|order| order.name.as_str()).collect();
    assert_eq!(names, ["c"]);
    assert_eq!((translation.orders[0].file.as_str(), translation.orders[0].line), ("", 0));
}

/// What an order promises to whoever applies it.
fn fit_for_the_log(order: &wire::Invalidation) {
    use wire::invalidation::Target;
    assert!((1..=64).contains(&order.id.len()));
    match &order.target {
        Target::Urls(urls) => {
            assert!((1..=1000).contains(&urls.len()));
            assert!(urls.iter().all(|url| !url.host.is_empty() && url.path.starts_with('/')));
        }
        Target::Tags(tags) => {
            assert!((1..=1000).contains(&tags.len()));
            assert!(tags.iter().all(|tag| semantics::check_tag(tag).is_ok()));
        }
        Target::Prefix(prefix) => assert!(prefix.path.starts_with('/')),
        Target::Ban(ban) => {
            assert_eq!(ban.id, order.id);
            assert!(ban.path.is_some() || !ban.headers.is_empty());
            assert!((1000..=720 * 3_600_000).contains(&ban.ttl_ms));
        }
        Target::All => {}
        Target::Lift(id) => panic!("nothing lifts {id}"),
    }
}

/// Every snapshot that comes out can be read back, and names a place for all that is wrong.
fn sound(text: &str) {
    let translation = translated(text);
    for pool in &translation.pools {
        let yaml = serde_saphyr::to_string(&pool.snapshot).unwrap();
        let back = read_snapshot(Source { name: "back", text: &yaml });
        assert_eq!(back.as_ref(), Ok(&pool.snapshot), "{yaml}");
    }
    for shield in &translation.shields {
        let yaml = serde_saphyr::to_string(&shield.snapshot).unwrap();
        let back = read_snapshot(Source { name: "back", text: &yaml });
        assert_eq!(back.as_ref(), Ok(&shield.snapshot), "{yaml}");
    }
    for order in &translation.orders {
        fit_for_the_log(&order.invalidation);
    }
    // To YAML, a lone carriage return also ends a line.
    let last = u32::try_from(text.matches(['\n', '\r']).count()).unwrap() + 1;
    for diagnostic in &translation.diagnostics {
        assert!((1..=last).contains(&diagnostic.line), "{diagnostic}");
        assert!(!diagnostic.reason.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_survived(text in "(?s).{0,200}") {
        sound(&text);
        let _ = read_snapshot(Source { name: "any", text: &text });
    }

    #[test]
    fn any_damage_is_survived(at in 0..FULL.len(), len in 0..40usize, new in "[-a-z0-9:{}\\[\\]*&\"', \n]{0,6}") {
        let end = (at + len).min(FULL.len());
        if FULL.is_char_boundary(at) && FULL.is_char_boundary(end) {
            sound(&format!("{}{new}{}", &FULL[..at], &FULL[end..]));
        }
    }

    #[test]
    fn any_damage_to_orders_is_survived(at in 0..ORDERS.len(), len in 0..40usize, new in "[-a-z0-9:{}\\[\\]*&\"', \n]{0,6}") {
        let end = (at + len).min(ORDERS.len());
        if ORDERS.is_char_boundary(at) && ORDERS.is_char_boundary(end) {
            sound(&format!("{}{new}{}", &ORDERS[..at], &ORDERS[end..]));
        }
    }

    #[test]
    fn any_lost_line_is_survived(line in 0..FULL.lines().count(), indent in 0..6usize) {
        let mut lines: Vec<String> = FULL.lines().map(str::to_owned).collect();
        lines[line] = format!("{}{}", " ".repeat(indent), lines[line].trim_start());
        sound(&lines.join("\n"));
        lines.remove(line);
        sound(&lines.join("\n"));
    }
}

#[test]
fn the_edges_of_a_pool_are_shared_among_its_places() {
    let shares = |replicas: Option<i32>, pops: serde_json::Value| -> Vec<u32> {
        let mut pool = pool("web", "a.example.com");
        let site = pool.value.spec.sites[0].clone();
        pool.value.spec =
            spec(serde_json::json!({"replicas": replicas, "pops": pops, "sites": [site]}));
        let resources = Resources { pools: vec![pool], ..Resources::default() };
        let translation = translate(&resources);
        assert_eq!(translation.diagnostics, []);
        translation.pools[0].pops.iter().map(|pop| pop.replicas).collect()
    };
    let open = serde_json::json!([{"name": "a"}, {"name": "b"}, {"name": "c"}]);
    let one_fixed = serde_json::json!([{"name": "a", "replicas": 4}, {"name": "b"}, {"name": "c"}]);
    assert_eq!(shares(None, open.clone()), [1, 1, 1]);
    assert_eq!(shares(Some(7), open.clone()), [3, 2, 2]);
    assert_eq!(shares(Some(2), open.clone()), [1, 1, 1]);
    assert_eq!(shares(Some(0), open), [0, 0, 0]);
    assert_eq!(shares(Some(4), one_fixed), [4, 2, 2]);
}

#[test]
fn an_address_that_is_none_is_named() {
    let mut bad = pool("web", "a.example.com");
    bad.value.spec.pops[0].addresses = vec!["192.0.2.1".into(), "192.0.2.256".into()];
    let translation = translate(&Resources { pools: vec![bad], ..Resources::default() });
    assert!(translation.pools.is_empty());
    assert_eq!(translation.diagnostics[0].field, "spec.pops[0].addresses[1]");
    assert!(translation.diagnostics[0].reason.contains("is not an IP address"));
}

/// The minimal pool, whose place says more.
fn with_place(more: &str) -> String {
    MINIMAL.replace("{name: one}", &format!("{{name: one, {more}}}"))
}

#[test]
fn an_address_that_no_client_reaches_is_refused_where_it_is_written() {
    for address in ["0.0.0.0", "::", "255.255.255.255", "224.0.0.1", "ff02::1", "::ffff:0.0.0.0"] {
        let text = with_place(&format!("addresses: ['{address}']"));
        let translation = translated(&text);
        let [told] = &translation.diagnostics[..] else { panic!("{:?}", translation.diagnostics) };
        assert_eq!(told.field, "spec.pops[0].addresses[0]");
        assert!(told.reason.contains("is not an address that a client can reach"), "{told}");
        assert!(told.line > 1, "{told}");
        assert!(translation.pools.is_empty());
    }
}

#[test]
fn what_geodns_would_refuse_of_a_place_is_refused_where_it_is_written() {
    for url in ["https://{host}", "http://{host}:8080", "https://a.{host}.{host}", "http://1.2.3"] {
        let text = with_place(&format!("url: '{url}'"));
        let translation = translated(&text);
        let [told] = &translation.diagnostics[..] else { panic!("{:?}", translation.diagnostics) };
        assert_eq!(told.field, "spec.pops[0].url");
        assert!(told.reason.contains("is not where a place is"), "{told}");
    }
    assert_eq!(translated(&with_place("url: 'https://far.{host}'")).diagnostics, []);
}

#[test]
fn edges_know_the_names_of_places() {
    let names = |url: &str| {
        let translation = translated(&with_place(&format!("url: '{url}'")));
        assert_eq!(translation.diagnostics, [], "{url}");
        translation.pools[0].snapshot.place_names.clone()
    };
    assert_eq!(names("https://far.{host}:8443"), ["far.{host}"]);
    assert_eq!(names("https://far.example.net"), ["far.example.net"]);
    assert_eq!(names("http://[2001:db8::1]:8080"), ["[2001:db8::1]"]);
    assert_eq!(names("http://[2001:db8::1]"), ["[2001:db8::1]"]);
    let text =
        with_place("url: 'https://far.example.net'").replace("hosts: [", "hosts: [b.example.com, ");
    let translation = translated(&text);
    let [told] = &translation.diagnostics[..] else { panic!("{:?}", translation.diagnostics) };
    assert_eq!(told.field, "spec.pops[0].url");
    assert!(told.reason.contains("write `{host}` where the host belongs"), "{told}");
}
