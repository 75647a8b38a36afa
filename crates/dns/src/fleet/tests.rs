use serde_json::json;

use super::*;

/// A document with two zones, one within the other, for tests of all this crate.
pub(crate) fn document() -> wire::Zones {
    let pop = |name: &str, latitude: f64, longitude: f64, last: u8| {
        json!({
            "name": name, "location": {"latitude": latitude, "longitude": longitude},
            "v4": [format!("192.0.2.{last}")], "v6": [format!("2001:db8::{last}")],
        })
    };
    let zones = json!({
        "format": 1, "version": "v1",
        "zones": {
            "cdn.example.com": {
                "nameServers": [
                    {"name": "ns1.cdn.example.com", "v4": ["192.0.2.53"], "v6": ["2001:db8::53"]},
                    {"name": "ns.other.net"},
                ],
                "hosts": {
                    "cdn.example.com": "web", "*.cdn.example.com": "web",
                    "a.deep.cdn.example.com": "web", "x.eu.cdn.example.com": "web",
                },
            },
            "eu.cdn.example.com": {
                "nameServers": [{"name": "ns.other.net"}],
                "soa": {"negativeTtl": 300, "ttl": 120},
                "hosts": {"eu.cdn.example.com": "old", "*.w.eu.cdn.example.com": "old"},
            },
        },
        "pools": {
            "old": {"pops": [{"name": "one", "v4": ["192.0.2.99", "192.0.2.98"]}]},
            "web": {
                "pops": [
                    pop("fra", 50.1, 8.7, 1), pop("nyc", 40.7, -74.0, 2), pop("sin", 1.3, 103.8, 3),
                    pop("par", 48.9, 2.4, 4),
                ],
                "networks": [
                    {"network": "10.0.0.0/8", "pops": ["sin", "nyc"]},
                    {"network": "172.16.0.0/12", "location": {"latitude": 48.0, "longitude": 2.0}},
                ],
                "rules": [
                    {"country": "US", "region": "HI", "pops": ["sin"]},
                    {"continent": "NA", "pops": ["nyc", "fra"]},
                ],
            },
        },
    });
    serde_json::from_value(zones).expect("a document")
}

fn lookup(name: &str) -> Lookup {
    let fleet = Fleet::new(&document()).expect("a fleet");
    let name = Name::encode(name).expect("a name");
    fleet.lookup(Name::read(&name).expect("a name"))
}

#[test]
fn names_are_found_with_what_is_there() {
    let found = |zone, owner, apex| Lookup::Found { zone, owner, apex };
    assert_eq!(lookup("cdn.example.com"), found(0, Owner::Pool(1), true));
    assert_eq!(lookup("ns1.cdn.example.com"), found(0, Owner::Server(0), false));
    assert_eq!(lookup("a.deep.cdn.example.com"), found(0, Owner::Pool(1), false));
    assert_eq!(lookup("eu.cdn.example.com"), found(1, Owner::Pool(0), true));
    assert_eq!(lookup("example.com"), Lookup::Outside);
    assert_eq!(lookup("xcdn.example.com"), Lookup::Outside);
    assert_eq!(lookup(""), Lookup::Outside);
}

//= rfc4592#3.3.1
#[test]
fn a_wildcard_is_for_what_does_not_exist_otherwise() {
    let found = |zone, owner| Lookup::Found { zone, owner, apex: false };
    assert_eq!(lookup("any.cdn.example.com"), found(0, Owner::Pool(1)));
    assert_eq!(lookup("any.thing.cdn.example.com"), found(0, Owner::Pool(1)));
    assert_eq!(lookup(&format!("{}cdn.example.com", "x.".repeat(100))), found(0, Owner::Pool(1)));
    assert_eq!(lookup("deep.cdn.example.com"), found(0, Owner::Nothing), "it has names below");
    assert_eq!(lookup("b.deep.cdn.example.com"), Lookup::Missing { zone: 0 });
    assert_eq!(lookup("w.eu.cdn.example.com"), found(1, Owner::Nothing));
    assert_eq!(lookup("y.w.eu.cdn.example.com"), found(1, Owner::Pool(0)));
}

#[test]
fn a_zone_within_a_zone_has_its_names_for_itself() {
    assert_eq!(lookup("x.eu.cdn.example.com"), Lookup::Missing { zone: 1 });
    assert_eq!(lookup("z.eu.cdn.example.com"), Lookup::Missing { zone: 1 });
}

#[test]
fn a_place_has_the_names_in_its_url() {
    let mut document = document();
    let pops = &mut document.pools.get_mut("web").unwrap().pops;
    for (pop, url) in [
        ("fra", "https://{host}.fra.cdn.example.com:8443"),
        ("nyc", "http://nyc.cdn.example.com"),
        ("par", "https://ns1.cdn.example.com"),
        ("sin", "https://sin.example.org"),
    ] {
        pops.iter_mut().find(|one| one.name == pop).unwrap().url = Some(url.into());
    }
    let fleet = Fleet::new(&document).unwrap();
    let place = |name: &str| {
        let name = Name::encode(name).unwrap();
        match fleet.lookup(Name::read(&name).unwrap()) {
            Lookup::Found { owner: Owner::Place(nth), .. } => {
                let (pool, [v4, _]) = fleet.place(nth).unwrap();
                let pool = &fleet.pools()[pool];
                let target = &pool.side(Family::V4).targets[usize::from(v4.unwrap())];
                Some((pool.name.as_str(), target.name.as_str()))
            }
            _ => None,
        }
    };
    assert_eq!(place("cdn.example.com.fra.cdn.example.com"), Some(("web", "fra")));
    assert_eq!(place("a.deep.cdn.example.com.fra.cdn.example.com"), Some(("web", "fra")));
    assert_eq!(place("nyc.cdn.example.com"), Some(("web", "nyc")), "a wildcard is for others");
    assert_eq!(place("ns1.cdn.example.com"), None, "it is a name server");
    assert_eq!(place("sin.example.org"), None, "in no zone");
    assert_eq!(place("eu.cdn.example.com.fra.cdn.example.com"), None, "another pool's host");
}

#[test]
fn records_are_made_ready() {
    let fleet = Fleet::new(&document()).expect("a fleet");
    let [outer, inner] = fleet.zones() else { panic!("two zones") };
    assert_eq!((outer.ttl, outer.negative_ttl), (3_600, 60));
    assert_eq!((inner.ttl, inner.negative_ttl), (120, 120), "not longer than the record itself");
    assert!(outer.soa.starts_with(b"\x03ns1\x03cdn\x07example\x03com\0\x0ahostmaster\x03cdn"));
    assert!(outer.soa.ends_with(&60u32.to_be_bytes()));
    assert!(outer.servers[0].within && !outer.servers[1].within);
}

#[test]
fn a_pool_has_a_side_for_each_family() {
    let fleet = Fleet::new(&document()).expect("a fleet");
    let [old, web] = fleet.pools() else { panic!("two pools") };
    assert_eq!(old.side(Family::V4).targets.len(), 1);
    assert_eq!(old.side(Family::V6).targets.len(), 0);
    let names: Vec<_> = web.side(Family::V6).targets.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["fra", "nyc", "par", "sin"]);
    let (listed, bits) = web.network("10.1.1.1".parse().unwrap());
    assert!(matches!(listed, Some(Listed::Pops([v4, _])) if v4[..] == [3, 1]));
    assert_eq!(bits, 8);
    let place = |continent, country, region| Place { spot: None, continent, country, region };
    let rule = |place: &Place<'_>| match web.rule(place) {
        Some(Listed::Pops([v4, _])) => v4.to_vec(),
        _ => vec![],
    };
    assert_eq!(rule(&place(Some("NA"), Some("US"), Some("HI"))), [3]);
    assert_eq!(rule(&place(Some("NA"), Some("US"), Some("CA"))), [1, 0]);
    assert_eq!(rule(&place(None, Some("US"), None)), [0u16; 0]);
}

use crate::place::Place;

#[test]
fn a_document_that_is_wrong_makes_no_fleet() {
    let mut document = document();
    document.format = 7;
    assert_eq!(Fleet::new(&document).err(), Some(ZonesError::Format(7)));
}
