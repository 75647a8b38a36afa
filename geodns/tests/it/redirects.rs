//! The HTTP router, over real sockets.

use crate::stage::{Stage, ZONES};

/// A router that believes nobody on loopback but 127.0.0.0/8, if that.
fn stage(router: &str) -> Stage {
    let zones = ZONES
        .replace("v4: [192.0.2.1],", "v4: [192.0.2.1], url: \"https://fra.example.net\",")
        .replace("v4: [192.0.2.2],", "v4: [192.0.2.2], url: \"http://127.0.0.1:8401\",")
        .replace(
            "    networks:\n",
            &format!(
                "    router: {router}\n    networks:\n      - {{network: 127.0.0.0/8, pops: [syd]}}\n"
            ),
        )
        .replace("ttl: 30}", "ttl: 30, ramp: 0}");
    Stage::new(&zones)
}

fn get(path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: cdn.example.com\r\nconnection: close\r\n{fields}\r\n")
}

fn field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or("none")
}

//= rfc9110#15.4.3
#[test]
fn clients_are_sent_on_with_path_and_query() {
    let stage = stage("{}");
    let path = "/a//b/%2e%2e/c;d?q=a%20b&x=/..//evil.net?";
    let answer = stage.route(&get(path, ""));
    assert_eq!(status(&answer), "302", "{answer}");
    assert_eq!(field(&answer, "location"), Some(&*format!("http://127.0.0.1:8401{path}")));
    assert_eq!(field(&answer, "cache-control"), Some("no-store"));
    assert_eq!(field(&answer, "content-length"), Some("0"));
    let posted = get("/x", "content-length: 5\r\n").replace("GET", "POST") + "hello";
    let answer = stage.route(&posted);
    assert_eq!(
        (status(&answer), field(&answer, "location")),
        ("307", Some("http://127.0.0.1:8401/x"))
    );
    let shown = stage.page("/where?ip=127.0.0.1&name=cdn.example.com").1;
    assert_eq!(shown["candidates"][0]["url"], "http://127.0.0.1:8401");
    let answer = stage.route(&get("/x", "").replace("GET", "HEAD"));
    assert_eq!(status(&answer), "302");
    let line = r#"cdn_router_redirects_total{pool="web",pop="syd",reason="nearest"} 3"#;
    assert!(stage.counts(line), "{}", stage.registry.text());
}

#[test]
fn who_is_not_trusted_cannot_say_that_it_is_somebody_else() {
    let forged = "x-forwarded-for: 10.1.1.1\r\nforwarded: for=10.1.1.1\r\n";
    let (fra, syd) = (Some("https://fra.example.net/"), Some("http://127.0.0.1:8401/"));
    let closed = stage("{}");
    assert_eq!(field(&closed.route(&get("/", forged)), "location"), syd);
    let open = stage("{trustedProxies: [127.0.0.0/8]}");
    assert_eq!(field(&open.route(&get("/", "")), "location"), syd);
    assert_eq!(field(&open.route(&get("/", forged)), "location"), fra);
    let chain = "x-forwarded-for: 10.1.1.1\r\nx-forwarded-for: 10.2.1.1, 127.0.0.9\r\n";
    assert_eq!(field(&open.route(&get("/", chain)), "location"), syd, "the first one forged it");
    let other = stage("{trustedProxies: [192.0.2.0/24]}");
    assert_eq!(field(&other.route(&get("/", forged)), "location"), syd);
}

#[test]
fn a_pop_can_be_chosen_where_that_is_allowed() {
    let stage = stage("{allowOverride: true}");
    let answer = stage.route(&get("/x?pop=fra", ""));
    assert_eq!(field(&answer, "location"), Some("https://fra.example.net/x?pop=fra"));
    let answer = stage.route(&get("/x", "cookie: a=b; pop=fra\r\n"));
    assert_eq!(field(&answer, "location"), Some("https://fra.example.net/x"));
    let line = r#"cdn_router_redirects_total{pool="web",pop="fra",reason="override"} 2"#;
    assert!(stage.counts(line), "{}", stage.registry.text());
}

//= rfc9112#3.2
//= rfc9110#15.5.20
#[test]
fn what_cannot_be_sent_on_is_refused() {
    let stage = stage("{}");
    let to = |request: &str| stage.route(&format!("{request}\r\nconnection: close\r\n\r\n"));
    let host = "HTTP/1.1\r\nhost: cdn.example.com";
    for (request, expected) in [
        ("GET / HTTP/1.1\r\nhost: other.example.com".to_owned(), "421"),
        ("GET / HTTP/1.1".to_owned(), "400"),
        ("GET / HTTP/1.0".to_owned(), "400"),
        (format!("GET / {host}\r\nhost: cdn.example.com"), "400"),
        ("GET / HTTP/1.1\r\nhost: u@cdn.example.com".to_owned(), "400"),
        (format!("GET http://other.net/ {host}"), "421"),
        (format!("GET http://u@cdn.example.com/ {host}"), "400"),
        (format!("GET ftp://cdn.example.com/ {host}"), "400"),
        (format!("OPTIONS * {host}"), "400"),
        (format!("CONNECT cdn.example.com:443 {host}"), "400"),
        (format!("GET evil.net {host}"), "400"),
        (format!("GET / {host}\r\ncdn-loop: web.blue-origin"), "508"),
        (format!("GET /{} {host}", "a".repeat(20_000)), "431"),
        (format!("GET / {host}\r\nx: {}", "a".repeat(20_000)), "431"),
        (format!("GET / {host}{}", "\r\nx: y".repeat(200)), "431"),
    ] {
        let answer = to(&request);
        let shown = &request[..request.len().min(80)];
        let is = status(&answer);
        assert!(is == expected || (expected == "431" && is == "414"), "{shown}: {answer}");
        assert_eq!(field(&answer, "location"), None, "{shown}");
    }
    let absolute = to(&format!("GET http://cdn.example.com/x {}", host.replace("cdn", "other")));
    assert_eq!(field(&absolute, "location"), Some("http://127.0.0.1:8401/x"), "{absolute}");
    let line = r#"cdn_router_refusals_total{pool="web",reason="loop"} 1"#;
    assert!(stage.counts(line), "{}", stage.registry.text());
}

#[test]
fn when_nobody_is_left_it_says_when_to_come_again() {
    let stage = stage("{retryAfter: 9}");
    for pop in ["fra", "syd"] {
        let said = stage.page_with("POST", &format!("/maintenance?pool=web&pop={pop}&on=true"));
        assert_eq!(said.0, 200);
    }
    stage.until(|stage| status(&stage.route(&get("/", ""))) == "503");
    let answer = stage.route(&get("/", ""));
    assert_eq!(field(&answer, "retry-after"), Some("9"));
    assert!(
        answer.ends_with("503 all-bad: no point of presence is well, come again later\n"),
        "{answer}"
    );
}
