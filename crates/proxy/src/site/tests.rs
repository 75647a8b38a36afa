use wire::snapshot::Origin;

use super::*;

fn spec(name: &str, hosts: &[&str]) -> snapshot::Site {
    snapshot::Site {
        name: name.into(),
        hosts: hosts.iter().map(|h| (*h).to_owned()).collect(),
        origins: vec![Origin::at("http://127.0.0.1:1")],
        shield: None,
        timeouts: Default::default(),
        limits: Default::default(),
        breaker: Default::default(),
        retries: Default::default(),
        key: Default::default(),
        freshness: Default::default(),
        collapse: Default::default(),
        compression: None,
        headers: DebugHeaders::OnRequest,
        upgrade: false,
        max_ranges: 16,
    }
}

fn name_of<'a>(sites: &'a Sites, host: &'a str) -> Option<(&'a str, Option<&'a str>)> {
    sites.find(host).map(|(site, known_as)| (site.spec.name.as_str(), known_as))
}

#[test]
fn the_most_specific_host_wins_and_others_are_not_served() {
    let specs = [
        spec("www", &["www.example.com", "*.img.example.com"]),
        spec("all", &["*.example.com"]),
        spec("one", &["a.img.example.com"]),
    ];
    let sites = Sites::new(&specs, &["127.0.0.1".into()], &[]);
    assert_eq!(name_of(&sites, "www.example.com"), Some(("www", None)));
    assert_eq!(name_of(&sites, "b.img.example.com"), Some(("www", None)));
    assert_eq!(name_of(&sites, "a.img.example.com"), Some(("one", None)));
    assert_eq!(name_of(&sites, "x.y.example.com"), Some(("all", None)));
    assert_eq!(name_of(&sites, "example.com"), None);
    assert_eq!(name_of(&sites, "example.org"), None);
    assert_eq!(name_of(&sites, "127.0.0.1"), Some(("www", Some("www.example.com"))));
}

#[test]
fn names_of_places_stand_for_the_hosts_within_them() {
    let specs = [
        spec("www", &["www.example.com", "*.img.example.com"]),
        spec("shop", &["shop.example.com", "fra.shop.example.com"]),
    ];
    let places = ["fra.{host}", "{host}.eu.example.net", "syd.example.org"].map(str::to_owned);
    let sites = Sites::new(&specs, &[], &places);
    let known_as = |host| Some(("www", Some(host)));
    assert_eq!(name_of(&sites, "fra.www.example.com"), known_as("www.example.com"));
    assert_eq!(name_of(&sites, "www.example.com.eu.example.net"), known_as("www.example.com"));
    assert_eq!(name_of(&sites, "syd.example.org"), known_as("www.example.com"));
    assert_eq!(name_of(&sites, "fra.shop.example.com"), Some(("shop", None)), "a host itself");
    assert_eq!(name_of(&sites, "fra.b.img.example.com"), Some(("www", None)), "the wildcard's");
    assert_eq!(name_of(&sites, "fra.fra.www.example.com"), None);
    assert_eq!(name_of(&sites, "fra."), None);
}

#[test]
fn debug_fields_follow_the_rule() {
    let site = Site::new(spec("www", &["www.example.com"]));
    assert!(site.shows_debug(true) && !site.shows_debug(false));
}

#[test]
fn a_site_that_compresses_does_not_vary_by_the_clients_codings() {
    let mut with = spec("www", &["www.example.com"]);
    with.compression = Some(Compression { zstd: None, ..Compression::default() });
    let site = Site::new(with);
    assert!(site.variants.encodings.contains(Coding::Identity));
    let (_, offered) = site.compression.unwrap();
    assert!(offered.contains(Coding::Br) && !offered.contains(Coding::Zstd));
}
