use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use proptest::prelude::*;
use wire::zones::Location;

use super::index::Builder;
use super::*;
use crate::packet::Subnet;

pub(crate) mod mmdb;

use mmdb::{Value, database, flat, nested};

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn spot(latitude: f64, longitude: f64) -> Spot {
    Spot::new(Location { latitude, longitude }).expect("a place")
}

#[test]
fn distances_are_those_of_the_earth() {
    let (frankfurt, new_york, sydney) =
        (spot(50.11, 8.68), spot(40.71, -74.01), spot(-33.87, 151.21));
    let near = |a: f64, b: f64| (a - b).abs() < 10.0;
    assert!(near(frankfurt.kilometres(&new_york), 6_206.0));
    assert!(near(frankfurt.kilometres(&sydney), 16_489.0));
    assert!(near(spot(90.0, 0.0).kilometres(&spot(-90.0, 77.0)), 20_015.0));
    assert!(spot(10.0, 180.0).kilometres(&spot(10.0, -180.0)) < 0.001, "over the date line");
    assert_eq!(spot(3.0, 4.0).kilometres(&spot(3.0, 4.0)), 0.0);
    assert_eq!(Spot::new(Location { latitude: f64::NAN, longitude: 0.0 }), None);
    assert_eq!(Spot::new(Location { latitude: 90.5, longitude: 0.0 }), None);
}

fn networks(list: &[&str]) -> Networks {
    Networks::new(list.iter().map(|text| text.parse::<IpNet>().expect("a network")))
}

#[test]
fn the_longest_network_counts() {
    let all = networks(&["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "2001:db8::/32", "0.0.0.0/0"]);
    let find = |address: &str| all.find(ip(address)).0;
    assert_eq!(find("10.2.0.1"), Some(0));
    assert_eq!(find("10.1.9.9"), Some(1));
    assert_eq!(find("10.1.2.3"), Some(2));
    assert_eq!(find("::ffff:10.1.2.3"), Some(2));
    assert_eq!(find("192.0.2.1"), Some(4));
    assert_eq!(find("2001:db8::1"), Some(3));
    assert_eq!(find("2001:db9::1"), None);
}

//= rfc7871#7.2.1
#[test]
fn the_scope_is_what_was_looked_at() {
    let bits = |list: &[&str], address: &str| networks(list).find(ip(address)).1;
    assert_eq!(bits(&[], "10.0.0.1"), 0);
    assert_eq!(bits(&["2001:db8::/32"], "10.0.0.1"), 0);
    assert_eq!(bits(&["0.0.0.0/0"], "10.0.0.1"), 0);
    assert_eq!(bits(&["10.0.0.0/8"], "10.0.0.1"), 8);
    assert_eq!(bits(&["10.0.0.0/8"], "128.0.0.1"), 1, "the first bit tells");
    assert_eq!(bits(&["10.0.0.0/8", "10.1.0.0/16"], "10.0.0.1"), 16, "not the one within");
    assert_eq!(bits(&["10.0.0.0/8", "10.1.0.0/16"], "10.128.0.1"), 9);
    assert_eq!(bits(&["10.1.2.3/32"], "10.1.2.3"), 32);
    assert_eq!(bits(&["2001:db8::/32"], "2001:db8::1"), 32);
}

#[test]
fn clients_are_told_by_their_subnet_else_by_their_resolver() {
    let peer = ip("192.0.2.53");
    let mut address = [0; 16];
    address[..3].copy_from_slice(&[10, 1, 2]);
    let subnet = Subnet { family: 1, source: 24, address };
    let told = Client::of(Some(&subnet), peer);
    assert_eq!((told.address(), told.is_told(), told.hash_bits()), (ip("10.1.2.0"), true, 24));
    let hidden = Client::of(Some(&Subnet { source: 0, ..subnet }), peer);
    assert_eq!((hidden.address(), hidden.is_told()), (peer, false));
    assert_eq!(Client::of(None, peer), hidden);
    let short = Client::of(Some(&Subnet { source: 16, ..subnet }), peer);
    assert_eq!(short.hash_bits(), 16);
    assert_eq!(Client::peer(ip("2001:db8::1")).hash_bits(), 56);
    let mapped = Client::peer(ip("::ffff:10.1.2.3"));
    assert_eq!((mapped.address(), mapped.scope(24)), (ip("10.1.2.3"), 120));
    assert_eq!(told.scope(24), 24);
}

#[test]
fn clients_of_one_prefix_have_one_hash() {
    let hash = |address: &str, bits| Client::peer(ip(address)).hash(bits);
    assert_eq!(hash("10.1.2.3", 24), hash("10.1.2.99", 24));
    assert_ne!(hash("10.1.2.3", 24), hash("10.1.3.3", 24));
    assert_eq!(hash("10.1.2.3", 0), hash("99.1.2.3", 0));
    assert_ne!(hash("0.0.0.0", 0), hash("::", 0), "families differ");
    assert_eq!(hash("2001:db8::1", 56), hash("2001:db8:0:ff::1", 56));
    assert_ne!(hash("2001:db8::1", 64), hash("2001:db8:0:ff::1", 64));
    assert_ne!(hash("10.1.2.3", 99), hash("10.1.2.4", 99));
}

fn two_layouts() -> Database {
    let bytes = database(&[
        ("8.8.8.0/24", nested("NA", "US", "CA", 37.5, -122.25)),
        ("194.158.0.0/16", flat("AD", "Andorra la Vella", 42.5, 1.5)),
        ("2001:db8::/32", nested("EU", "CH", "ZH", 47.25, 8.5)),
        ("5.0.0.0/8", Value::Map(vec![("country_code", Value::Text("DE"))])),
        ("6.0.0.0/8", Value::Map(vec![("latitude", Value::Text("north"))])),
        ("7.0.0.0/8", Value::Text("no map")),
    ]);
    Database::new(vec![bytes]).expect("a database")
}

#[test]
fn both_layouts_of_databases_are_read() {
    let database = two_layouts();
    assert!(database.kinds().eq(["Test"]));
    let found = database.find(ip("8.8.8.8"));
    assert_eq!(found.bits, 24);
    assert_eq!(found.place.spot, Some(spot(37.5, -122.25)));
    assert_eq!(
        (found.place.continent, found.place.country, found.place.region),
        (Some("NA"), Some("US"), Some("CA"))
    );
    let found = database.find(ip("194.158.1.1"));
    assert_eq!(found.bits, 16);
    assert_eq!(found.place.spot, Some(spot(42.5, 1.5)));
    assert_eq!((found.place.country, found.place.region), (Some("AD"), Some("Andorra la Vella")));
    let found = database.find(ip("2001:db8::1"));
    assert_eq!((found.bits, found.place.country), (32, Some("CH")));
    assert_eq!(database.find(ip("::ffff:8.8.8.8")).place.country, Some("US"));
}

#[test]
fn a_database_that_was_prepared_has_the_same() {
    let list = [
        ("8.8.8.0/24", nested("NA", "US", "CA", 37.5, -122.25)),
        ("9.9.0.0/16", flat("US", "CA", 1.5, 2.5)),
        ("194.158.0.0/16", flat("AD", "NA", 42.5, 1.5)),
        ("5.0.0.0/8", Value::Map(vec![("country_code", Value::Text("DE"))])),
    ];
    let plain = Database::new(vec![database(&list)]).expect("a database");
    let mut ready = Database::new(vec![database(&list)]).expect("a database");
    ready.prepare().expect("whole");
    for address in ["8.8.8.8", "9.9.1.1", "194.158.1.1", "5.1.1.1", "99.1.1.1", "2001:db8::1"] {
        assert_eq!(plain.find(ip(address)), ready.find(ip(address)), "{address}");
    }
    assert_eq!(ready.find(ip("194.158.1.1")).place.region, Some("NA"));
}

proptest! {
    #[test]
    fn networks_of_ipv4_laid_out_are_the_same(
        list in prop::collection::vec((any::<u32>(), 1u8..=32), 1..30), address: u32,
    ) {
        let mut networks: Vec<String> = Vec::new();
        let mut taken: Vec<Ipv4Net> = Vec::new();
        for (number, bits) in list {
            let net = Ipv4Net::new(number.into(), bits).unwrap().trunc();
            if taken.iter().all(|other| !other.contains(&net) && !net.contains(other)) {
                taken.push(net);
                networks.push(net.to_string());
            }
        }
        let list: Vec<_> = (networks.iter().zip(0u8..))
            .map(|(network, nth)| (network.as_str(), flat("AD", "", f32::from(nth), 1.5)))
            .collect();
        let plain = Database::new(vec![database(&list)]).expect("a database");
        let mut ready = Database::new(vec![database(&list)]).expect("a database");
        ready.prepare().expect("whole");
        prop_assert!(ready.is_laid_out());
        let edges = taken.iter().flat_map(|net| {
            let (first, last) = (u32::from(net.network()), u32::from(net.broadcast()));
            [first, last, first.wrapping_sub(1), last.wrapping_add(1)]
        });
        for address in edges.chain([address, 0, u32::MAX]) {
            let address = IpAddr::V4(address.into());
            prop_assert_eq!(plain.find(address), ready.find(address), "{}", address);
        }
    }
}

#[test]
fn what_is_warmed_is_what_will_be_found() {
    let mut builder = Builder::default();
    for (first, length, record) in
        [("0.0.0.0", 1, None), ("128.0.0.0", 2, Some(7)), ("192.0.0.0", 3, Some(0))]
    {
        assert!(builder.push(first.parse().unwrap(), length, record));
    }
    assert!(!builder.push("225.0.0.0".parse().unwrap(), 8, None), "a gap");
    assert!(!builder.push("224.0.0.0".parse().unwrap(), 33, None), "no such length");
    assert!(!builder.push("224.0.0.0".parse().unwrap(), 4, Some(1 << 26)), "too many records");
    assert!(builder.push("224.0.0.0".parse().unwrap(), 3, Some(9)));
    let index = builder.finish().expect("all of IPv4");
    let addresses: Vec<u32> = (0..32).map(|nth: u32| nth << 27 | 0xABCD).collect();
    let mut warmed = [0; 32];
    index.warm(&addresses, &mut warmed);
    for (address, record) in addresses.into_iter().zip(warmed) {
        let (found, length) = index.find(address.into());
        assert_eq!(found.unwrap_or((1 << 26) - 1), record, "{address:x}");
        let (record, bits) = match address >> 29 {
            0..4 => (None, 1),
            4 | 5 => (Some(7), 2),
            6 => (Some(0), 3),
            _ => (Some(9), 3),
        };
        assert_eq!((found, length), (record, bits), "{address:x}");
    }
    assert!(Builder::default().finish().is_none());
}

#[test]
fn what_a_database_does_not_have_is_none() {
    let database = two_layouts();
    let found = database.find(ip("5.1.1.1"));
    assert_eq!((found.place.spot, found.place.country), (None, Some("DE")));
    assert_eq!(database.find(ip("6.1.1.1")).place, Place::default());
    assert_eq!(database.find(ip("7.1.1.1")).place, Place::default());
    let found = database.find(ip("99.1.1.1"));
    assert_eq!(found.place, Place::default());
    assert!((1..=8).contains(&found.bits), "{}", found.bits);
}

#[test]
fn the_first_file_that_has_an_address_counts() {
    let first = database(&[("8.8.8.0/24", flat("US", "", 1.0, 1.0))]);
    let second = database(&[
        ("8.8.0.0/16", flat("CA", "", 1.0, 1.0)),
        ("2001:db8::/32", flat("CH", "", 1.0, 1.0)),
    ]);
    let both = Database::new(vec![first, second]).expect("two files");
    let country = |address: &str| both.find(ip(address)).place.country;
    assert_eq!(country("8.8.8.8"), Some("US"));
    assert_eq!(country("8.8.9.9"), Some("CA"));
    assert_eq!(both.find(ip("8.8.9.9")).bits, 24, "the first had to be looked at to know");
    assert_eq!(country("2001:db8::1"), Some("CH"));
    let none = Database::new(Vec::new()).expect("no file");
    assert_eq!(none.find(ip("8.8.8.8")), Found { place: Place::default(), bits: 0 });
}

#[test]
fn a_broken_database_is_refused_or_empty() {
    assert!(Database::new(vec![Vec::new()]).is_err());
    assert!(Database::new(vec![vec![7; 4_096]]).is_err());
    let whole = database(&[("8.8.8.0/24", nested("NA", "US", "CA", 37.5, -122.25))]);
    let mut database = Database::new(vec![whole.clone()]).expect("a database");
    database.prepare().expect("whole");
    let mut damaged = 0;
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 0xFF;
        if let Ok(mut database) = Database::new(vec![bytes]) {
            damaged += u32::from(database.prepare().is_err());
            for address in ["8.8.8.8", "1.1.1.1", "2001:db8::1", "::"] {
                let _ = database.find(ip(address));
            }
        }
    }
    assert!(damaged > 100, "{damaged}");
}

proptest! {
    #[test]
    fn a_trie_finds_what_a_list_does(
        list in prop::collection::vec((any::<u32>(), 0u8..=32), 0..40), address: u32, near: bool,
    ) {
        let nets: Vec<IpNet> = list
            .iter()
            .map(|(number, bits)| IpNet::new(IpAddr::from(number.to_be_bytes()), *bits).unwrap().trunc())
            .collect();
        // Next to one of them, so that they are hit.
        let address = match list.first() {
            Some((number, _)) if near => number ^ (address & 0xFFF),
            _ => address,
        };
        let address = IpAddr::from(address.to_be_bytes());
        let longest = |address: IpAddr| {
            (0..nets.len())
                .filter(|nth| nets[*nth].contains(&address))
                .max_by_key(|nth| (nets[*nth].prefix_len(), *nth))
        };
        let (found, bits) = Networks::new(nets.iter().copied()).find(address);
        prop_assert_eq!(found, longest(address));
        // The scope is true: whoever shares the bits finds the same.
        let scope = IpNet::new(address, bits).unwrap();
        for other in [scope.network(), scope.broadcast()] {
            prop_assert_eq!(longest(other), found);
        }
    }
}
