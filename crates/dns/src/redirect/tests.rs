use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::fleet::Fleet;
use crate::steer::{Planner, PopState, Seen};

fn document(router: &Value) -> Value {
    let pop = |name: &str, last: u8, latitude: f64, longitude: f64| {
        json!({
            "name": name, "location": {"latitude": latitude, "longitude": longitude},
            "v4": [format!("192.0.2.{last}")], "url": format!("https://{name}.edges.example.net"),
        })
    };
    let mut nyc = pop("nyc", 2, 40.7, -74.0);
    nyc["url"] = json!("http://127.0.0.1:8402");
    let mut tokyo = pop("tyo", 3, 35.7, 139.7);
    tokyo.as_object_mut().unwrap().remove("url");
    json!({
        "format": 1, "version": "v",
        "zones": {"example.com": {
            "nameServers": [{"name": "ns.example.com", "v4": ["192.0.2.53"]}],
            "hosts": {"cdn.example.com": "web", "*.w.example.com": "web", "old.example.com": "old"},
        }},
        "pools": {
            "old": {"pops": [pop("one", 9, 0.0, 0.0)]},
            "web": {
                "pops": [pop("fra", 1, 50.1, 8.7), nyc, tokyo],
                "networks": [
                    {"network": "10.1.0.0/16", "pops": ["fra"]},
                    {"network": "10.2.0.0/16", "pops": ["nyc"]},
                    {"network": "10.3.0.0/16", "pops": ["tyo"]},
                ],
                "router": router,
            },
        },
    })
}

fn view_of(document: Value, states: &[(&str, PopState)]) -> View {
    let zones = serde_json::from_value(document).expect("a document");
    let fleet = Arc::new(Fleet::new(&zones).expect("a fleet"));
    Planner::default().plan(&fleet, Duration::ZERO, |_, _, target| {
        let state = states.iter().find(|(name, _)| *name == target.name);
        Seen::new(state.map_or(PopState::Healthy, |(_, state)| *state))
    })
}

fn view(router: &Value) -> View {
    view_of(document(router), &[])
}

fn trusting() -> View {
    view(&json!({"trustedProxies": ["172.16.0.0/12", "2001:db8::/32"], "allowOverride": true}))
}

fn ask(asked: &Asked<'_>, peer: &str, view: &View) -> Result<Redirect, RefusalReason> {
    redirect(asked, peer.parse().expect("an address"), view, None).map_err(|no| no.reason)
}

/// Where a client of `peer` is sent that asks for a path.
fn location(path: &str, peer: &str, view: &View) -> String {
    let asked = Asked { host: "cdn.example.com", path, ..Asked::default() };
    ask(&asked, peer, view).expect("a redirect").location
}

fn refused(host: &str, path: &str, view: &View) -> RefusalReason {
    ask(&Asked { host, path, ..Asked::default() }, "10.1.1.1", view).expect_err("a refusal")
}

#[test]
fn clients_are_sent_to_the_nearest_with_their_path() {
    let view = view(&json!({}));
    assert_eq!(location("/", "10.1.1.1", &view), "https://fra.edges.example.net/");
    let path = "/a%2Fb/../c;d?q=%20&pop=fra&x=http://evil/?y#"; // `#` is no part of a path.
    assert_eq!(refused("cdn.example.com", path, &view), RefusalReason::BadTarget);
    let path = path.trim_end_matches('#');
    assert_eq!(location(path, "10.2.1.1", &view), format!("http://127.0.0.1:8402{path}"));
    assert_eq!(location("/grün", "10.1.1.1", &view), "https://fra.edges.example.net/gr%C3%BCn");
}

//= rfc9110#15.5.20
#[test]
fn hosts_are_those_of_the_pool_and_the_routers_names() {
    let view = view(&json!({"names": ["router.example.net:8454", "192.0.2.80"]}));
    for host in [
        "cdn.example.com",
        "CDN.Example.COM.",
        "cdn.example.com:8454",
        "x.y.w.example.com",
        "router.example.net",
        "router.example.net:8454",
        "192.0.2.80:1",
        "192.0.2.80",
    ] {
        let asked = Asked { host, path: "/x", ..Asked::default() };
        let sent = ask(&asked, "10.1.1.1", &view).expect(host);
        assert_eq!(sent.location, "https://fra.edges.example.net/x", "{host}");
    }
    for host in ["example.com", "old.example.com", "other.net", "router.example.net:80", "[::1]"] {
        assert_eq!(refused(host, "/", &view), RefusalReason::UnknownHost, "{host}");
    }
    for host in [
        "",
        "a@cdn.example.com",
        "cdn.example.com:x",
        "cdn.example.com:0",
        "a b",
        "[::1",
        "a..b",
        "cdn.example.com/",
        "cdn.example.com\\x",
        "..",
        "ü.example.com",
        "cdn.example.com:80:80",
    ] {
        assert_eq!(refused(host, "/", &view), RefusalReason::BadHost, "{host}");
    }
}

#[test]
fn no_request_opens_another_target() {
    let view = trusting();
    for path in [
        "//evil.net/x",
        "/\\evil.net",
        "/\\\\evil.net",
        "/@evil.net",
        "/.evil.net",
        "/%0d%0aset-cookie:x",
    ] {
        let sent = location(path, "10.1.1.1", &view);
        assert_eq!(sent, format!("https://fra.edges.example.net{path}"));
    }
    for path in [
        "",
        "*",
        "x",
        "@evil.net",
        ".evil.net/",
        ":8080",
        "http://evil.net/",
        "\\evil",
        "/\r\nx: y",
        "/a b",
        "/\u{7f}",
        "/\0",
        "?x",
    ] {
        assert_eq!(refused("cdn.example.com", path, &view), RefusalReason::BadTarget, "{path:?}");
    }
}

#[test]
fn pops_without_a_url_are_reached_by_their_address_if_somebody_says_so() {
    let without = view(&json!({}));
    assert_ne!(location("/", "10.3.1.1", &without), "http://192.0.2.3/");
    let with = view(&json!({"port": 8080}));
    assert_eq!(location("/x", "10.3.1.1", &with), "http://192.0.2.3:8080/x");
}

#[test]
fn of_several_addresses_one_that_is_well_is_taken() {
    let mut document = document(&json!({"port": 80}));
    document["pools"]["web"]["pops"][2]["v4"] = json!(["192.0.2.3", "192.0.2.4", "192.0.2.5"]);
    let zones = serde_json::from_value(document).expect("a document");
    let fleet = Arc::new(Fleet::new(&zones).expect("a fleet"));
    for (left_out, last) in [(0, 3), (1, 4), (3, 5), (7, 3)] {
        let seen = Seen { left_out, ..Seen::new(PopState::Healthy) };
        let view = Planner::default().plan(&fleet, Duration::ZERO, |_, _, _| seen);
        let sent = location("/", "10.3.1.1", &view);
        assert_eq!(sent, format!("http://192.0.2.{last}:80/"), "{left_out}");
    }
}

#[test]
fn the_host_stands_in_the_url_where_it_says_so() {
    let mut document = document(&json!({"names": ["192.0.2.80"]}));
    document["zones"]["example.com"]["hosts"] = json!({"cdn.example.com": "web"});
    document["pools"]["web"]["pops"][0]["url"] = json!("https://fra.{host}:8443");
    let view = view_of(document, &[]);
    assert_eq!(location("/x", "10.1.1.1", &view), "https://fra.cdn.example.com:8443/x");
    let asked = Asked { host: "192.0.2.80", path: "/x", ..Asked::default() };
    let other = ask(&asked, "10.1.1.1", &view).expect("the other one").location;
    assert_eq!(other, "http://127.0.0.1:8402/x", "nothing stands in front of an address");
}

#[test]
fn the_dead_get_nobody_and_the_last_word_is_503() {
    let dead = [("fra", PopState::Unhealthy)];
    let view = view_of(document(&json!({})), &dead);
    assert_eq!(location("/", "10.1.1.1", &view), "http://127.0.0.1:8402/");
    let all = ["fra", "nyc", "tyo"].map(|name| (name, PopState::Unhealthy));
    let view = view_of(document(&json!({"retryAfter": 7})), &all);
    let asked = Asked { host: "cdn.example.com", path: "/", ..Asked::default() };
    let no = redirect(&asked, "10.1.1.1".parse().unwrap(), &view, None).unwrap_err();
    assert_eq!((no.reason, no.retry_after), (RefusalReason::AllBad, Some(7)));
    assert_eq!(no.reason.status(), 503);
    let only_tokyo = [("fra", PopState::Unhealthy), ("nyc", PopState::Maintenance)];
    let view = view_of(document(&json!({})), &only_tokyo);
    assert_eq!(refused("cdn.example.com", "/", &view), RefusalReason::NoTarget);
}

#[test]
fn clients_of_the_other_family_are_sent_on_too() {
    let view = view(&json!({}));
    let sent = location("/", "2001:db8::1", &view);
    assert!(sent.starts_with("https://fra.") || sent.starts_with("http://127"), "{sent}");
    assert_eq!(location("/", "::ffff:10.2.1.1", &view), "http://127.0.0.1:8402/");
}

#[test]
fn a_client_can_choose_where_that_is_allowed() {
    let open = trusting();
    let chosen = |path: &str, cookie: &str, view: &View| {
        let cookies = [cookie.as_bytes()];
        let asked = Asked { host: "cdn.example.com", path, cookies: &cookies, ..Asked::default() };
        let sent = ask(&asked, "10.1.1.1", view).expect("a redirect");
        (sent.location, sent.reason)
    };
    let (fra, nyc) = ("https://fra.edges.example.net", "http://127.0.0.1:8402");
    let told = |at: &str, path: &str| (format!("{at}{path}"), RedirectReason::Override);
    assert_eq!(chosen("/x?a=b&pop=nyc", "", &open), told(nyc, "/x?a=b&pop=nyc"));
    assert_eq!(chosen("/x?pop=%6Eyc", "", &open), told(nyc, "/x?pop=%6Eyc"));
    assert_eq!(chosen("/x", "a=b; pop=nyc", &open), told(nyc, "/x"));
    assert_eq!(chosen("/x?pop=fra", "pop=nyc", &open), told(fra, "/x?pop=fra"));
    for (path, cookie) in
        [("/?pop=none", "pop=nyc2"), ("/?pop=tyo", ""), ("/?pop=%zz", "nyc"), ("/?apop=nyc", "")]
    {
        assert_eq!(chosen(path, cookie, &open).1, RedirectReason::Nearest, "{path}");
    }
    let closed = view(&json!({}));
    assert_eq!(
        chosen("/?pop=nyc", "pop=nyc", &closed),
        (format!("{fra}/?pop=nyc"), RedirectReason::Nearest)
    );
    let out = view_of(document(&json!({"allowOverride": true})), &[("nyc", PopState::Maintenance)]);
    assert_eq!(chosen("/?pop=nyc", "", &out), told(nyc, "/?pop=nyc"));
}

fn seen_from(peer: &str, x_forwarded_for: &[&str], forwarded: &[&str], view: &View) -> String {
    let bytes = |lines: &[&str]| lines.iter().map(|l| l.as_bytes().to_vec()).collect::<Vec<_>>();
    let (x, f) = (bytes(x_forwarded_for), bytes(forwarded));
    let (x, f): (Vec<_>, Vec<_>) =
        (x.iter().map(Vec::as_slice).collect(), f.iter().map(Vec::as_slice).collect());
    let asked = Asked {
        host: "cdn.example.com",
        path: "/",
        x_forwarded_for: &x,
        forwarded: &f,
        ..Asked::default()
    };
    ask(&asked, peer, view).expect("a redirect").client.to_string()
}

#[test]
fn only_trusted_proxies_are_believed() {
    let view = trusting();
    let from = |peer: &str, lines: &[&str]| seen_from(peer, lines, &[], &view);
    assert_eq!(from("10.1.1.1", &["10.2.1.1"]), "10.1.1.1", "a peer that nobody trusts");
    assert_eq!(from("172.16.0.1", &[]), "172.16.0.1");
    assert_eq!(from("172.16.0.1", &["10.2.1.1"]), "10.2.1.1");
    assert_eq!(from("::ffff:172.16.0.1", &["::ffff:10.2.1.1"]), "10.2.1.1");
    assert_eq!(
        from("172.16.0.1", &["10.3.1.1, 10.2.1.1"]),
        "10.2.1.1",
        "what the client says of itself"
    );
    assert_eq!(from("172.16.0.1", &["9.9.9.9", "10.2.1.1, 172.17.0.1", "172.18.0.1"]), "10.2.1.1");
    assert_eq!(from("172.16.0.1", &["10.2.1.1, unknown, 172.17.0.1"]), "172.17.0.1");
    assert_eq!(from("172.16.0.1", &["172.17.0.1, 172.18.0.1"]), "172.17.0.1", "all are trusted");
    assert_eq!(from("2001:db8::1", &["[2001:db9::2]:4711"]), "2001:db9::2");
    assert_eq!(from("172.16.0.1", &["10.2.1.1:4711"]), "10.2.1.1");
    assert_eq!(from("172.16.0.1", &["10.2.1.1\""]), "172.16.0.1");
    let other = seen_from("172.16.0.1", &["10.2.1.1"], &["for=10.3.1.1"], &view);
    assert_eq!(other, "10.2.1.1", "the proxies do not write this field, so a client did");
    let longest = vec!["172.17.0.1"; 1_000].join(",");
    assert_eq!(from("172.16.0.1", &["10.2.1.1", &longest]), "172.17.0.1", "not for ever");
}

//= rfc7239#4
//= rfc7239#6
#[test]
fn forwarded_is_read_as_defined_or_not_at_all() {
    let view = view(&json!({"trustedProxies": ["172.16.0.0/12"], "clientFrom": "forwarded"}));
    let from = |lines: &[&str]| seen_from("172.16.0.1", &["9.9.9.9"], lines, &view);
    assert_eq!(from(&[]), "172.16.0.1");
    assert_eq!(from(&["for=10.2.1.1"]), "10.2.1.1");
    assert_eq!(from(&["for=9.9.9.9, FOR=\"10.2.1.1:47\";proto=https;by=_x"]), "10.2.1.1");
    assert_eq!(from(&["proto=http;For=\"[2001:db8:cafe::17]:4711\""]), "2001:db8:cafe::17");
    assert_eq!(from(&["for=10.2.1.1 , for=172.17.0.1", "for=172.18.0.1"]), "10.2.1.1");
    assert_eq!(from(&["for=10.2.1.1;host=\"a,b;for=1.2.3.4\""]), "10.2.1.1");
    for hidden in
        ["for=unknown", "for=_hidden", "for=\"_x:80\"", "proto=http", "for=10.2.1.1;for=9.9.9.9"]
    {
        assert_eq!(from(&["for=9.9.9.9", hidden]), "172.16.0.1", "{hidden}");
    }
    // What a client wrote must not swallow what the proxy added.
    for forged in [
        "for=9.9.9.9;x=\", for=10.2.1.1",
        "for=9.9.9.9;x=\", for=\"10.2.1.1\"",
        "\", for=10.2.1.1",
        "for=\"9.9.9.9\\, for=\"10.2.1.1\"",
        "for=9.9.9.9 for=10.2.1.1",
        "for 9.9.9.9",
        "=9.9.9.9",
        "for=",
    ] {
        assert_eq!(from(&[forged]), "172.16.0.1", "{forged}");
    }
}

//= rfc8586#2
#[test]
fn the_pools_own_edges_are_sent_nowhere() {
    let view = view(&json!({}));
    let asked = |line: &str| {
        let lines = [line.as_bytes()];
        let asked =
            Asked { host: "cdn.example.com", path: "/", cdn_loop: &lines, ..Asked::default() };
        ask(&asked, "10.1.1.1", &view).map(|sent| sent.location)
    };
    for ours in ["web.blue-origin", "x, WEB.Blue-Origin; a=b", "web.shield.blue-origin"] {
        assert_eq!(asked(ours), Err(RefusalReason::Loop), "{ours}");
    }
    for other in ["", "other.blue-origin", "web.example", "xweb.blue-origin", "web"] {
        assert!(asked(other).is_ok(), "{other}");
    }
    assert_eq!(RefusalReason::Loop.status(), 508);
}

#[test]
fn whoever_would_come_back_is_not_sent_on() {
    // The document's check tries the hosts; what comes of the router's own names shows when they are asked for.
    let mut document =
        document(&json!({"names": ["router.example.net", "fra.router.example.net:8443"]}));
    document["zones"]["example.com"]["hosts"] = json!({"cdn.example.com": "web"});
    document["pools"]["web"]["pops"][0]["url"] = json!("https://fra.{host}:8443");
    let view = view_of(document.clone(), &[]);
    assert_eq!(refused("router.example.net", "/", &view), RefusalReason::Loop);
    assert_eq!(location("/", "10.1.1.1", &view), "https://fra.cdn.example.com:8443/");
    document["pools"]["web"]["pops"][0]["url"] = json!("https://cdn.example.com");
    let zones: wire::Zones = serde_json::from_value(document).expect("a document");
    let error = Fleet::new(&zones).unwrap_err().to_string();
    assert!(error.starts_with("pool web: pop fra: clients sent to cdn.example.com"), "{error}");
}

fn lines() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let odd = proptest::collection::vec(any::<u8>(), 0..60);
    let like =
        "(for=|;|,| |\"|\\\\|10\\.2\\.1\\.1|172\\.16\\.0\\.9|\\[|\\]|::1|:80|proto|=|_){0,20}";
    proptest::collection::vec(prop_oneof![odd, like.prop_map(String::into_bytes)], 0..4)
}

fn slices(lines: &[Vec<u8>]) -> Vec<&[u8]> {
    lines.iter().map(Vec::as_slice).collect()
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_and_none_lead_elsewhere(
        host in prop_oneof![Just("cdn.example.com".to_owned()), ".{0,30}", "[a-z0-9.:@\\[\\]\\\\-]{0,30}"],
        path in prop_oneof![".{0,40}", "/[ -~]{0,40}", "(/|\\\\|@|:|%0d|%0a|\\.|evil|http:|\\?pop=|nyc|\r\n){0,12}"],
        x in lines(), f in lines(), cookies in lines(), cdn_loop in lines(),
        from in prop_oneof![Just("forwarded"), Just("x-forwarded-for")],
        trusted in any::<bool>(),
    ) {
        let (x, f, cookies, cdn_loop) = (slices(&x), slices(&f), slices(&cookies), slices(&cdn_loop));
        let asked = Asked {
            host: &host, path: &path, x_forwarded_for: &x, forwarded: &f, cookies: &cookies, cdn_loop: &cdn_loop,
        };
        let proxies = if trusted { vec!["172.16.0.0/12"] } else { vec![] };
        let view = view(&json!({
            "trustedProxies": proxies, "clientFrom": from, "allowOverride": true, "port": 80,
        }));
        let peer: IpAddr = "172.16.0.1".parse().unwrap();
        if let Ok(sent) = redirect(&asked, peer, &view, None) {
            prop_assert!(sent.location.bytes().all(|byte| byte.is_ascii_graphic()));
            let own = ["https://fra.edges.example.net/", "http://127.0.0.1:8402/", "http://192.0.2.3:80/"];
            prop_assert!(own.iter().any(|own| sent.location.starts_with(own)), "{}", sent.location);
            prop_assert!(trusted || sent.client == peer);
            let rest = sent.location.splitn(4, '/').nth(3).unwrap_or_default();
            prop_assert!(!path.is_ascii() || path[1..] == *rest);
        }
    }
}
