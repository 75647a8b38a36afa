use super::*;
use crate::{Source, translate_all};

const POOLS: &str = r#"
apiVersion: cdn.blueorigin.dev/v1alpha1
kind: EdgePool
metadata: {name: web, namespace: prod}
spec:
  pops:
  - {name: fra, region: eu, latitude: 50.1, longitude: 8.7, weight: 50, capacity: 900}
  - {name: nyc}
  - {name: nowhere}
  routing:
    answers: 3
    networks:
    - {cidr: 192.0.2.0/25, pops: [nowhere, nyc]}
    - {cidr: 198.51.100.0/24, pops: [nowhere]}
    - {cidr: "2001:db8::/32", latitude: 1, longitude: 2}
    rules:
    - {country: CH, pops: [fra, nowhere]}
    - {country: AT, pops: [nowhere]}
  sites:
  - hosts: ["*.example.com", example.com, 192.0.2.80]
    origins: [{url: "http://origin"}]
---
apiVersion: cdn.blueorigin.dev/v1alpha1
kind: EdgePool
metadata: {name: api}
spec:
  pops: [{name: fra}]
  sites:
  - hosts: [v1.api.example.com, cdn.example.org]
    origins: [{url: "http://origin"}]
---
apiVersion: cdn.blueorigin.dev/v1alpha1
kind: EdgePool
metadata: {name: planned}
spec:
  pops: [{name: later}]
  sites: [{hosts: [planned.example.com], origins: [{url: "http://origin"}]}]
"#;

fn server(name: &str) -> NameServer {
    NameServer { name: name.into(), v4: vec![Ipv4Addr::new(192, 0, 2, 53)], v6: vec![] }
}

fn authority() -> Authority {
    let zone = Zone { name_servers: vec![server("ns1.example.com")], ..Zone::default() };
    Authority {
        zones: BTreeMap::from([("example.com".to_owned(), zone)]),
        name_server: server("ns.example.net"),
        probe: Some(Probe::default()),
        ..Authority::default()
    }
}

fn reached(pool: &str, pop: &str) -> Vec<Reached> {
    let at = |address: &str, probe: Option<&str>| Reached {
        address: address.parse().unwrap(),
        probe: probe.map(|probe| probe.parse().unwrap()),
    };
    match (pool, pop) {
        ("prod/web", "fra") => {
            vec![at("192.0.2.1", Some("127.0.0.1:8081")), at("2001:db8::1", None)]
        }
        ("prod/web", "nyc") => vec![at("::ffff:192.0.2.2", None), at("192.0.2.2", None)],
        ("api", _) => vec![at("192.0.2.3", None)],
        _ => vec![],
    }
}

fn made(authority: &Authority) -> Zones {
    let translation = translate_all(&[Source { name: "pools.yaml", text: POOLS }]);
    assert_eq!(translation.diagnostics, []);
    zones(&translation.pools, authority, reached).expect("a usable document")
}

#[test]
fn pops_have_their_place_weight_and_addresses() {
    let zones = made(&authority());
    assert_eq!(zones.pools.keys().collect::<Vec<_>>(), ["api", "prod/web"]);
    let web = &zones.pools["prod/web"];
    assert_eq!(web.probe, Some(Probe::default()));
    let [fra, nyc] = &web.pops[..] else { panic!("two have addresses: {:?}", web.pops) };
    assert_eq!((fra.weight, nyc.weight, fra.region.as_deref()), (50, 100, Some("eu")));
    assert_eq!(fra.location, Some(Location { latitude: 50.1, longitude: 8.7 }));
    assert_eq!((fra.v4.len(), fra.v6.len()), (1, 1));
    let to: SocketAddr = "127.0.0.1:8081".parse().unwrap();
    assert_eq!(fra.probe_at, BTreeMap::from([("192.0.2.1".parse().unwrap(), to)]));
    assert_eq!((fra.capacity, nyc.capacity), (Some(900), None));
    assert_eq!(nyc.v4, [Ipv4Addr::new(192, 0, 2, 2)], "once");
}

#[test]
fn routing_names_only_pops_that_are_there() {
    let zones = made(&authority());
    let web = &zones.pools["prod/web"];
    assert_eq!((web.steering.answers, zones.pools["api"].steering.answers), (3, 2));
    let networks: Vec<_> = web
        .networks
        .iter()
        .map(|n| (n.network.to_string(), n.pops.clone(), n.location.is_some()))
        .collect();
    let expected = [
        ("192.0.2.0/25".to_owned(), vec!["nyc".to_owned()], false),
        ("2001:db8::/32".to_owned(), vec![], true),
    ];
    assert_eq!(networks, expected);
    let [rule] = &web.rules[..] else { panic!("one has PoPs: {:?}", web.rules) };
    assert_eq!((rule.country.as_deref(), &rule.pops[..]), (Some("CH"), &["fra".to_owned()][..]));
}

#[test]
fn wildcards_reach_as_far_as_at_an_edge() {
    let zones = made(&authority());
    let hosts = |zone: &str| {
        let hosts = zones.zones[zone].hosts.iter();
        hosts.map(|(host, pool)| (host.as_str(), pool.as_str())).collect::<Vec<_>>()
    };
    assert_eq!(
        hosts("example.com"),
        [
            ("*.api.example.com", "prod/web"),
            ("*.example.com", "prod/web"),
            ("*.ns1.example.com", "prod/web"),
            ("*.v1.api.example.com", "prod/web"),
            ("api.example.com", "prod/web"),
            ("example.com", "prod/web"),
            ("v1.api.example.com", "api"),
        ]
    );
    assert_eq!(hosts("cdn.example.org"), [("cdn.example.org", "api")], "a zone of its own");
    assert_eq!(zones.zones["cdn.example.org"].name_servers, [server("ns.example.net")]);
    assert_eq!(zones.zones.len(), 2, "none for an address, none for a pool without PoPs");
}

#[test]
fn the_version_names_the_content() {
    let mut other = authority();
    assert_eq!(made(&other), made(&authority()));
    other.limits.slip = 3;
    assert_ne!(made(&other).version, made(&authority()).version);
    other.name_server.name = "NS".into();
    let pools = translate_all(&[Source { name: "pools.yaml", text: POOLS }]).pools;
    let error = zones(&pools, &other, reached).unwrap_err();
    assert!(matches!(error, ZonesError::Domain { .. }), "{error}");
}

#[test]
fn what_is_wrong_with_all_is_found_before_any_pool_is_blamed() {
    authority().check().unwrap();
    let mut other = authority();
    other.name_server.name = "NS".into();
    assert!(matches!(other.check(), Err(ZonesError::Domain { .. })));
    let probe = Some(Probe { path: Some("no".into()), ..Probe::default() });
    assert!(Authority { probe, ..authority() }.check().is_err());
    let router = Some(Router { port: Some(0), ..Router::default() });
    assert!(Authority { router, ..authority() }.check().is_err());
}

#[test]
fn a_written_host_waits_for_its_pool() {
    let mut other = authority();
    let zone = other.zones.get_mut("example.com").unwrap();
    zone.hosts.insert("www.example.com".into(), "prod/web".into());
    zone.hosts.insert("later.example.com".into(), "not/there".into());
    other.check().unwrap();
    let hosts = made(&other).zones["example.com"].hosts.clone();
    assert_eq!(hosts.get("www.example.com").map(String::as_str), Some("prod/web"));
    assert!(!hosts.contains_key("later.example.com"));
}
