use http::HeaderMap;
use semantics::{BadHost, KeyRules, QueryRule, normalize_host, write_cache_key};

use crate::support::headers;

fn key(
    scheme: &str,
    authority: &str,
    target: &str,
    rules: &KeyRules,
    request: &HeaderMap,
) -> String {
    let mut out = Vec::new();
    write_cache_key(&mut out, scheme, authority, target, request, rules);
    String::from_utf8(out).unwrap()
}

//= rfc9110#4.2.1
//= rfc9110#4.2.2
//= rfc9110#4.2.3
#[test]
fn equivalent_uris_share_a_key() {
    let rules = KeyRules::default();
    for (scheme, authority, target, expected) in [
        ("http", "EXAMPLE.com", "", "http://example.com/"),
        ("http", "example.com:80", "/", "http://example.com/"),
        ("https", "example.com:443", "/%7Esmith/home.html", "https://example.com/~smith/home.html"),
        (
            "https",
            "example.com:",
            "/%7esmith/./x/../home.html",
            "https://example.com/~smith/home.html",
        ),
        ("https", "example.com", "/a%2fb", "https://example.com/a%2Fb"),
        ("https", "example.com", "/a/b", "https://example.com/a/b"),
        ("http", "example.com:443", "/", "http://example.com:443/"),
    ] {
        let found = key(scheme, authority, target, &rules, &HeaderMap::new());
        assert_eq!(found, expected, "{scheme} {authority} {target}");
    }
}

//= rfc9111#2
#[test]
fn the_key_holds_the_whole_url_and_what_a_site_adds() {
    let plain = KeyRules::default();
    let empty = HeaderMap::new();
    assert_ne!(key("http", "a", "/x", &plain, &empty), key("http", "b", "/x", &plain, &empty));
    assert_ne!(key("http", "a", "/x", &plain, &empty), key("https", "a", "/x", &plain, &empty));
    assert_ne!(key("http", "a", "/x?1", &plain, &empty), key("http", "a", "/x?2", &plain, &empty));
    let rules = KeyRules {
        query: QueryRule::Drop(vec!["utm_source".to_owned()]),
        sort_query: true,
        headers: vec![http::HeaderName::from_static("x-country")],
        cookies: vec!["tier".to_owned()],
    };
    let one = headers(&[("x-country", "de"), ("cookie", "x=1; tier=gold")]);
    let two = headers(&[("cookie", "tier=gold"), ("x-country", "de"), ("other", "y")]);
    let three = headers(&[("x-country", "fr"), ("cookie", "tier=gold")]);
    let target = "/x?b=1&utm_source=y&a=2";
    assert_eq!(
        key("http", "a", target, &rules, &one),
        key("http", "a", "/x?a=2&b=1", &rules, &two)
    );
    assert_ne!(key("http", "a", target, &rules, &one), key("http", "a", target, &rules, &three));
}

//= rfc9110#7.2
#[test]
fn a_host_is_a_host() {
    for (host, expected) in [
        ("Example.COM.:80", Ok("example.com")),
        ("", Err(BadHost::Empty)),
        ("user@example.com", Err(BadHost::Userinfo)),
        ("exa mple.com", Err(BadHost::Character)),
        ("example.com:x", Err(BadHost::Port)),
        ("[::g]", Err(BadHost::Ipv6)),
    ] {
        assert_eq!(normalize_host(host, "http").as_deref(), expected.as_deref(), "{host}");
    }
}
