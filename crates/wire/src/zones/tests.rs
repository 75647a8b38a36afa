use super::*;

const SHORT: &str = r#"{
  "format": 1, "version": "v1",
  "zones": {"cdn.example.com": {
    "nameServers": [{"name": "ns1.cdn.example.com", "v4": ["192.0.2.1"]}],
    "hosts": {"cdn.example.com": "web", "*.cdn.example.com": "web"}
  }},
  "pools": {"web": {
    "pops": [
      {"name": "fra", "location": {"latitude": 50.1, "longitude": 8.7}, "v4": ["192.0.2.10"]},
      {"name": "nyc", "v4": ["192.0.2.20"], "v6": ["2001:db8::20"]}
    ],
    "networks": [
      {"network": "10.0.0.0/8", "pops": ["nyc", "fra"]},
      {"network": "2001:db8::/32", "location": {"latitude": 0, "longitude": 0}}
    ],
    "rules": [{"country": "CH", "pops": ["fra"]}]
  }}
}"#;

pub(super) fn zones() -> Zones {
    serde_json::from_str(SHORT).expect("a document")
}

/// What the check says of the document after `change`.
pub(super) fn wrong(change: impl FnOnce(&mut Zones)) -> String {
    let mut zones = zones();
    change(&mut zones);
    zones.check().unwrap_err().to_string()
}

pub(super) fn zone(zones: &mut Zones) -> &mut Zone {
    zones.zones.get_mut("cdn.example.com").unwrap()
}

pub(super) fn pool(zones: &mut Zones) -> &mut Pool {
    zones.pools.get_mut("web").unwrap()
}

#[test]
fn a_short_document_has_the_defaults() {
    let mut zones = zones();
    assert_eq!(zones.check(), Ok(()));
    assert_eq!(zones.limits, AnswerLimits::default());
    assert_eq!(zone(&mut zones).soa, Soa::default());
    assert_eq!(pool(&mut zones).steering, Steering::default());
    assert_eq!(pool(&mut zones).pops[0].weight, 100);
}

#[test]
fn what_is_written_is_read_again() {
    let text = serde_json::to_string(&zones()).expect("plain data");
    assert_eq!(serde_json::from_str::<Zones>(&text).expect("its own text"), zones());
    assert!(text.contains(r#""nameServers":[{"name":"ns1.cdn.example.com","v4":["192.0.2.1"]"#));
}

#[test]
fn nothing_can_be_added() {
    for place in ["\"hosts\"", "\"pops\": [", "\"network\"", "\"country\"", "\"name\"", "\"zones\""]
    {
        let with = SHORT.replacen(place, &format!("\"more\": 1, {place}"), 1);
        assert!(serde_json::from_str::<Zones>(&with).is_err(), "{place}");
    }
}

#[test]
fn names_are_checked() {
    let long = format!("{}.example.com", "a".repeat(64));
    for name in ["", ".", "a..b", "CDN.example.com", "cdn.example.com.", "a b", "ü.de", &long] {
        assert!(!is_domain(name), "{name}");
        let error = wrong(|z| {
            let zone = z.zones.pop_first().unwrap().1;
            z.zones.insert(name.into(), zone);
        });
        assert!(error.contains("is not a domain name"), "{error}");
    }
    let long = |last: usize| format!("{}{}", "a.".repeat(100), "b".repeat(last));
    assert!(is_domain(&long(53)), "253 bytes");
    assert!(!is_domain(&long(54)), "254 bytes");
    assert!(is_domain("_x.a-1"));
    let host = |name: &str| {
        let name = name.to_owned();
        wrong(|z| {
            zone(z).hosts.insert(name, "web".into());
        })
    };
    assert_eq!(
        host("xcdn.example.com"),
        "zone cdn.example.com: host xcdn.example.com is not within it"
    );
    assert!(host("a.*.cdn.example.com").contains("is not a domain name"));
    assert!(host("ns1.cdn.example.com").contains("is a host too"));
}

#[test]
fn pools_and_pops_that_are_named_are_there() {
    let error = wrong(|z| {
        z.pools.clear();
    });
    assert!(error.ends_with("names pool \"web\", which is not there"), "{error}");
    let error = wrong(|z| pool(z).rules[0].pops.push("fra".into()));
    assert_eq!(error, "pool web: rules[0]: pop \"fra\" is not in the pool, or named twice");
    let error = wrong(|z| pool(z).networks[0].pops.push("lon".into()));
    assert_eq!(
        error,
        "pool web: network 10.0.0.0/8: pop \"lon\" is not in the pool, or named twice"
    );
    let error = wrong(|z| pool(z).pops[1].name = "fra".into());
    assert_eq!(error, "pool web: fra is there twice");
}

#[test]
fn networks_and_rules_are_clear() {
    let error = wrong(|z| pool(z).networks[0].network = "10.0.0.1/8".parse().unwrap());
    assert!(error.ends_with("has bits behind the prefix, is 10.0.0.0/8 meant"), "{error}");
    let error = wrong(|z| pool(z).networks[1].network = "10.0.0.0/8".parse().unwrap());
    assert_eq!(error, "pool web: 10.0.0.0/8 is there twice");
    let here = Location { latitude: 0.0, longitude: 0.0 };
    for error in [
        wrong(|z| pool(z).networks[0].location = Some(here)),
        wrong(|z| pool(z).networks[1].location = None),
    ] {
        assert!(error.ends_with("must have either pops or a location"), "{error}");
    }
    for country in ["ch", "CHE", ""] {
        let error = wrong(|z| pool(z).rules[0].country = Some(country.into()));
        assert!(error.contains("two capital letters"), "{error}");
    }
    assert!(wrong(|z| pool(z).rules[0].country = None).contains("rules[0]: must have"));
}

#[test]
fn places_and_addresses_are_of_this_world() {
    for (latitude, longitude) in [(90.1, 0.0), (0.0, -180.1), (f64::NAN, 0.0), (0.0, f64::INFINITY)]
    {
        let error = wrong(|z| pool(z).pops[0].location = Some(Location { latitude, longitude }));
        assert!(error.starts_with("pool web: pop fra: latitude"), "{error}");
    }
    for address in ["0.0.0.0", "224.0.0.1", "255.255.255.255"] {
        let error = wrong(|z| pool(z).pops[0].v4[0] = address.parse().unwrap());
        assert!(error.contains("is not one that a client can reach"), "{error}");
    }
    for address in ["::", "ff02::1", "::ffff:192.0.2.1"] {
        let error = wrong(|z| pool(z).pops[1].v6[0] = address.parse().unwrap());
        assert!(error.contains("is not one that a client can reach"), "{error}");
    }
    let error = wrong(|z| pool(z).pops[0].v4.clear());
    assert_eq!(error, "pool web: pop fra: 0 addresses, must be 1 to 16");
    let error = wrong(|z| pool(z).pops[0].v4.push(Ipv4Addr::new(192, 0, 2, 10)));
    assert_eq!(error, "pool web: pop fra: 192.0.2.10 is there twice");
}

#[test]
fn numbers_have_ranges() {
    assert_eq!(wrong(|z| z.format = 2), "zones format 2 is not 1");
    let errors = [
        wrong(|z| pool(z).steering.answers = 0),
        wrong(|z| pool(z).steering.answers = 4),
        wrong(|z| pool(z).steering.ttl = 0),
        wrong(|z| pool(z).steering.pending_ttl = 31),
        wrong(|z| pool(z).steering.ramp = 3_601),
        wrong(|z| pool(z).pops[0].weight = 1_001),
        wrong(|z| pool(z).pops[0].capacity = Some(0)),
        wrong(|z| zone(z).soa.ttl = MAX_SECONDS + 1),
        wrong(|z| z.limits.window = 0),
        wrong(|z| z.limits.v4_prefix = 33),
        wrong(|z| z.limits.slip = 11),
        wrong(|z| zone(z).name_servers.clear()),
        wrong(|z| pool(z).pops.clear()),
    ];
    for error in errors {
        assert!(error.contains(" must be "), "{error}");
    }
}

#[test]
fn probes_can_be_sent() {
    let probed = |text: &str| {
        let probe: Probe = serde_json::from_str(text).expect("a probe");
        wrong(|z| pool(z).probe = Some(probe))
    };
    for text in [r#"{"path": "health"}"#, r#"{"path": "/a b"}"#, r#"{"host": "a\r\nb"}"#] {
        assert!(probed(text).starts_with("pool web: probe "), "{text}");
    }
    for text in [r#"{"port": 0}"#, r#"{"doubtIntervalMs": 751}"#, r#"{"timeoutMs": 9}"#] {
        assert!(probed(text).contains(" must be "), "{text}");
    }
    for (address, to) in [("192.0.2.20", "127.0.0.1:80"), ("192.0.2.10", "127.0.0.1:0")] {
        let error = wrong(|z| {
            let (address, to) = (address.parse().unwrap(), to.parse().unwrap());
            pool(z).pops[0].probe_at.insert(address, to);
        });
        assert!(error.starts_with("pool web: pop fra: probe "), "{error}");
    }
    let mut good = zones();
    pool(&mut good).probe = Some(Probe::default());
    let to = "127.0.0.1:8080".parse().unwrap();
    pool(&mut good).pops[0].probe_at.insert("192.0.2.10".parse().unwrap(), to);
    assert_eq!(good.check(), Ok(()));
}
