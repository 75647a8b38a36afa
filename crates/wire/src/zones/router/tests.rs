use super::super::tests::{pool, wrong, zone, zones};
use super::*;

fn routed(zones: &mut Zones) -> &mut Router {
    pool(zones).router.get_or_insert_with(Router::default)
}

/// What the check says of a URL of a PoP in a pool with a router.
fn with_url(url: &str) -> Result<(), ZonesError> {
    let mut zones = zones();
    routed(&mut zones).names = vec!["router.example.net".into(), "192.0.2.80:8454".into()];
    pool(&mut zones).pops[0].url = Some(url.into());
    zones.check()
}

#[test]
fn a_router_that_says_nothing_has_the_defaults() {
    let router: Router = serde_json::from_str("{}").unwrap();
    assert_eq!(router, Router::default());
    assert_eq!((router.retry_after, router.allow_override), (5, false));
    let forwarded: Router = serde_json::from_str(r#"{"clientFrom": "forwarded"}"#).unwrap();
    assert_eq!(forwarded.client_from, ClientFrom::Forwarded);
}

#[test]
fn urls_are_a_scheme_and_an_authority() {
    for good in [
        "https://fra.cdn.example.net",
        "http://127.0.0.1:8401",
        "http://[2001:db8::1]:8080",
        "https://fra.example.net:8443",
        "http://192.0.2.80:80",
        "https://fra.{host}.cdn.example.net",
    ] {
        assert_eq!(with_url(good), Ok(()), "{good}");
    }
    for bad in [
        "",
        "fra.example.net",
        "ftp://fra.example.net",
        "HTTPS://fra.example.net",
        "https://",
        "https://fra.example.net/",
        "https://fra.example.net/x",
        "https://fra.example.net?x",
        "https://fra.example.net#x",
        "https://u@fra.example.net",
        "https://u:p@fra.example.net",
        "https://FRA.example.net",
        "https://fra.example.net.",
        "https://fra.example.net:",
        "https://fra.example.net:0",
        "https://fra.example.net:65536",
        "https://fra.example.net:+1",
        "https://[fra]",
        "https://[2001:DB8::1]",
        "https://[2001:db8::1]x",
        "https://a b.net",
        "https://{host}",
        "https://{host}:8443",
        "https://1.2.3.{host}.{host}",
        "https://\\evil",
        "https://999.1.1.1",
        "https://fra.example.net\r\nx: y",
        "//fra.example.net",
    ] {
        let error = with_url(bad).expect_err(bad).to_string();
        assert!(error.starts_with("pool web: pop fra: url"), "{bad}: {error}");
    }
}

#[test]
fn nobody_is_sent_to_where_a_router_is() {
    let says = |url: &str| with_url(url).expect_err(url).to_string();
    let start = "pool web: pop fra: clients sent to ";
    assert_eq!(
        says("https://cdn.example.com"),
        format!(
            "{start}cdn.example.com would come back: it is served by cdn.example.com of pool \
                 web, whose clients come to the router"
        )
    );
    let wild = says("http://fra.eu.cdn.example.com:8080");
    assert!(wild.contains("served by *.cdn.example.com"), "{wild}");
    assert!(says("https://fra.{host}").contains("served by *.cdn.example.com"));
    assert!(
        says("https://router.example.net:1234").contains("is a name of the router of pool web")
    );
    assert!(says("http://192.0.2.80:8454").contains("is a name of the router of pool web"));
}

#[test]
fn addresses_lead_back_too() {
    let mut alone = zones();
    routed(&mut alone).names = vec!["192.0.2.20".into()];
    assert_eq!(alone.check(), Ok(()), "without a port nobody is sent to addresses");
    let loops = wrong(|zones| {
        *routed(zones) =
            Router { names: vec!["[2001:db8::20]:80".into()], port: Some(80), ..Router::default() };
    });
    assert!(loops.starts_with("pool web: pop nyc: clients sent to [2001:db8::20]"), "{loops}");
}

#[test]
fn a_host_of_a_pool_without_a_router_can_be_a_pops() {
    let mut zones = zones();
    routed(&mut zones);
    let mut single = pool(&mut zones).clone();
    single.pops.truncate(1);
    (single.router, single.rules, single.networks) = (None, Vec::new(), Vec::new());
    zones.pools.insert("only-fra".into(), single);
    zone(&mut zones).hosts.insert("fra.cdn.example.com".into(), "only-fra".into());
    pool(&mut zones).pops[0].url = Some("https://fra.cdn.example.com".into());
    assert_eq!(zones.check(), Ok(()));
}

#[test]
fn settings_are_checked() {
    let says = |change: fn(&mut Router)| wrong(|zones| change(routed(zones)));
    assert_eq!(
        says(|router| router.retry_after = 0),
        "pool web: router.retryAfter 0 must be 1 to 3600"
    );
    assert_eq!(says(|router| router.port = Some(0)), "pool web: router.port 0 must be 1 to 65535");
    let bits = says(|router| router.trusted_proxies = vec!["10.0.0.1/8".parse().unwrap()]);
    assert!(
        bits.contains("trustedProxies: 10.0.0.1/8") && bits.ends_with("10.0.0.0/8 meant"),
        "{bits}"
    );
    for name in ["", "Router.example.com", "a b", "x:0", "[::1", "u@x", "http://x"] {
        let error = wrong(|zones| routed(zones).names = vec![name.into()]);
        assert!(error.starts_with("pool web: router.names: "), "{name}: {error}");
    }
    let twice = wrong(|zones| routed(zones).names = vec!["a.net".into(), "a.net".into()]);
    assert_eq!(twice, "pool web: router.names: a.net is there twice");
}
