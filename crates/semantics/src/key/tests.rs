use super::*;
use http::HeaderValue;
use proptest::prelude::*;

fn key_with(rules: &KeyRules, url: (&str, &str, &str), fields: &[(&'static str, &str)]) -> String {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    let mut out = b"left over".to_vec();
    write_cache_key(&mut out, url.0, url.1, url.2, &headers, rules);
    String::from_utf8(out).unwrap()
}

fn key(scheme: &str, authority: &str, path: &str) -> String {
    key_with(&KeyRules::default(), (scheme, authority, path), &[])
}

#[test]
fn urls_that_mean_the_same_have_one_key() {
    for (scheme, authority, path, expected) in [
        ("https", "example.com", "/a/b?x=1", "https://example.com/a/b?x=1"),
        ("HTTPS", "Example.COM:443", "/", "https://example.com/"),
        ("http", "example.com.:80", "", "http://example.com/"),
        ("http", "example.com:8080", "/", "http://example.com:8080/"),
        ("https", "example.com:80", "/", "https://example.com:80/"),
        ("http", "[::0:1]:80", "/", "http://[::1]/"),
        ("http", "h", "/%41%7e%2f%3F", "http://h/A~%2F%3F"),
        ("http", "h", "/a/./b/../c", "http://h/a/c"),
        ("http", "h", "/a/%2e%2E/c", "http://h/c"),
        ("http", "h", "/../../x", "http://h/x"),
        ("http", "h", "/a/..", "http://h/"),
        ("http", "h", "/a/.", "http://h/a/"),
        ("http", "h", "/a//b", "http://h/a//b"),
        ("http", "h", "/.well-known/x", "http://h/.well-known/x"),
        ("http", "h", "/a.b/c..d", "http://h/a.b/c..d"),
        ("http", "h", "/x?y=/../z", "http://h/x?y=/../z"),
        ("http", "h", "/x?y=%41%2b", "http://h/x?y=A%2B"),
        ("http", "h", "/x#frag?y", "http://h/x"),
        ("http", "h", "/x?a#b", "http://h/x?a"),
        ("http", "h", "/x?", "http://h/x?"),
        ("http", "h", "?x", "http://h/?x"),
        ("http", "h", "*", "http://h*"),
    ] {
        assert_eq!(key(scheme, authority, path), expected, "{scheme} {authority} {path}");
    }
}

#[test]
fn broken_escapes_are_left_alone() {
    assert_eq!(key("http", "h", "/%zz%41"), "http://h/%zz%41");
    // Undoing the inner escape would make this one the key of "/%25".
    assert_ne!(key("http", "h", "/%2%35"), key("http", "h", "/%25"));
    assert_eq!(key("http", "h", "/%"), "http://h/%");
}

#[test]
fn query_rules() {
    let list = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let sorted = KeyRules { sort_query: true, ..Default::default() };
    let none = KeyRules { query: QueryRule::None, ..Default::default() };
    let keep = KeyRules { query: QueryRule::Keep(list(&["a", "c"])), ..Default::default() };
    let drop = KeyRules { query: QueryRule::Drop(list(&["utm"])), ..Default::default() };
    for (rules, path, expected) in [
        (&sorted, "/?b=2&a=2&a=1&c", "http://h/?a=2&a=1&b=2&c"),
        (&sorted, "/?b&%61", "http://h/?a&b"),
        (&none, "/x?b=2", "http://h/x"),
        (&none, "/x", "http://h/x"),
        (&keep, "/x?b=2&a=1&c=3", "http://h/x?a=1&c=3"),
        (&keep, "/x?b=2", "http://h/x"),
        (&drop, "/x?utm=2&a=1", "http://h/x?a=1"),
        (&drop, "/x?utms=2", "http://h/x?utms=2"),
    ] {
        assert_eq!(key_with(rules, ("http", "h", path), &[]), expected);
    }
}

#[test]
fn headers_and_cookies() {
    let rules = KeyRules {
        headers: vec![HeaderName::from_static("x-tenant")],
        cookies: vec!["ab".to_owned()],
        ..Default::default()
    };
    let key = |fields: &[(&'static str, &str)]| key_with(&rules, ("http", "h", "/"), fields);
    assert_eq!(key(&[]), "http://h/\nx-tenant\n;ab");
    assert_eq!(
        key(&[("x-tenant", "a"), ("cookie", "x=1; ab=2; ab=3"), ("cookie", "abc=4")]),
        "http://h/\nx-tenant=1:a\n;ab=1:2=1:3"
    );
    assert_ne!(key(&[("x-tenant", "")]), key(&[]));
    assert_ne!(key(&[("cookie", "ab")]), key(&[]));
}

#[test]
fn a_request_cannot_forge_the_key_of_another() {
    let rules = KeyRules {
        headers: vec![HeaderName::from_static("a"), HeaderName::from_static("b")],
        ..Default::default()
    };
    let key = |path, a: &str, b: &str| key_with(&rules, ("http", "h", path), &[("a", a), ("b", b)]);
    assert_ne!(key("/", "1", "2"), key("/", "1=1:2", ""));
    assert_ne!(key("/\na=1:1", "1", "2"), key("/", "1", "2"));
    assert!(!super::tests::key("http", "a/b", "/c").starts_with("http://a/b"));
    assert!(!super::tests::key("http", "u@h", "/").contains("u@h"));
}

#[test]
fn hosts() {
    for (host, expected) in [
        ("example.com", Ok("example.com")),
        ("EXAMPLE.com.", Ok("example.com")),
        ("example.com:80", Ok("example.com")),
        ("example.com:080", Ok("example.com")),
        ("example.com:", Ok("example.com")),
        ("example.com:81", Ok("example.com:81")),
        ("a_b-c.example", Ok("a_b-c.example")),
        ("127.0.0.1:8080", Ok("127.0.0.1:8080")),
        ("[::1]", Ok("[::1]")),
        ("[0:0::1]:81", Ok("[::1]:81")),
        ("", Err(BadHost::Empty)),
        (".", Err(BadHost::Empty)),
        (":80", Err(BadHost::Empty)),
        ("a b", Err(BadHost::Character)),
        ("a/b", Err(BadHost::Character)),
        ("a%41", Err(BadHost::Character)),
        ("ä.example", Err(BadHost::Character)),
        ("u@h", Err(BadHost::Userinfo)),
        ("u:p@h", Err(BadHost::Userinfo)),
        ("a..b", Err(BadHost::Label)),
        (".a", Err(BadHost::Label)),
        ("a:b", Err(BadHost::Port)),
        ("a:0", Err(BadHost::Port)),
        ("a:65536", Err(BadHost::Port)),
        ("a:80:80", Err(BadHost::Port)),
        ("::1", Err(BadHost::Port)),
        ("[::1", Err(BadHost::Ipv6)),
        ("[x]", Err(BadHost::Ipv6)),
        ("[fe80::1%25eth0]", Err(BadHost::Ipv6)),
        ("[::1]80", Err(BadHost::Port)),
    ] {
        assert_eq!(normalize_host(host, "http").as_deref(), expected.as_deref(), "{host}");
    }
    assert_eq!(normalize_host(&"a".repeat(64), "http"), Err(BadHost::Label));
    assert_eq!(normalize_host(&"a.".repeat(127), "http").as_deref().map(str::len), Ok(253));
    assert_eq!(normalize_host(&"a.".repeat(128), "http"), Err(BadHost::Label));
}

#[test]
fn common_hosts_are_not_copied() {
    use std::borrow::Cow;
    for host in ["example.com", "example.com:8443", "127.0.0.1"] {
        assert!(matches!(normalize_host(host, "https"), Ok(Cow::Borrowed(_))), "{host}");
    }
}

#[test]
fn the_target_sent_upstream_is_the_one_in_the_key() {
    assert_eq!(normalize_target("/a/../b?c#d"), "/b?c");
}

#[test]
fn a_prefix_in_normal_form() {
    for (prefix, expected) in [
        ("/", "/"),
        ("/img/", "/img/"),
        ("/%7euser/%2f", "/~user/%2F"),
        ("/a/../b/", "/b/"),
        ("/a/.", "/a/."),
        ("/a/..", "/a/.."),
        ("/a?b=%41", "/a?b=A"),
        ("/a%4", "/a%4"),
        ("/a%", "/a%"),
        ("/a#b", "/a"),
    ] {
        assert_eq!(normalize_prefix(prefix), expected, "{prefix}");
    }
}

#[test]
fn a_key_comes_apart() {
    let parts = split_key(b"https://h:81/a/b?x=/1?2\nx-tenant=1:a\n;ab").unwrap();
    assert_eq!(parts.scheme, b"https");
    assert_eq!(parts.authority, b"h:81");
    assert_eq!(parts.target, b"/a/b?x=/1?2");
    assert_eq!(parts.path, b"/a/b");
    assert_eq!(parts.query, Some(&b"x=/1?2"[..]));
    assert_eq!(parts.rest, b"x-tenant=1:a\n;ab");
    let parts = split_key(b"http://[::1]*").unwrap();
    assert_eq!((parts.authority, parts.path), (&b"[::1]"[..], &b"*"[..]));
    assert_eq!((parts.query, parts.rest), (None, &b""[..]));
    assert_eq!(split_key(b"http://h/?").unwrap().query, Some(&b""[..]));
    for no_key in ["", "h/", "http:/h/", "http://h", "http://h\n/"] {
        assert_eq!(split_key(no_key.as_bytes()), None, "{no_key:?}");
    }
}

proptest! {
    #[test]
    fn a_key_is_its_parts(
        scheme in "http|https|HTTP",
        authority in "\\PC{0,20}|[A-Za-z0-9.:/*?\\n-]{0,20}",
        path in "\\*|(/[\\PC\\n]{0,30}(\\?[\\PC\\n]{0,20})?)?|/[a%/.?#]{0,20}",
        header in proptest::option::of("[ -~]{0,20}"),
    ) {
        let rules = KeyRules {
            headers: vec![HeaderName::from_static("a")],
            cookies: vec!["c".to_owned()],
            ..Default::default()
        };
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert("a", HeaderValue::from_str(&header).unwrap());
        }
        let mut key = Vec::new();
        write_cache_key(&mut key, &scheme, &authority, &path, &headers, &rules);
        let parts = split_key(&key).unwrap();
        prop_assert_eq!(parts.scheme.to_vec(), scheme.to_ascii_lowercase().into_bytes());
        prop_assert_eq!(parts.target.to_vec(), normalize_target(&path).into_bytes());
        prop_assert!(parts.rest.starts_with(b"a"));
        let mut again = [parts.scheme, b"://", parts.authority, parts.path].concat();
        if let Some(query) = parts.query {
            again.push(b'?');
            again.extend_from_slice(query);
        }
        again.push(b'\n');
        again.extend_from_slice(parts.rest);
        prop_assert_eq!(again, key);
    }

    #[test]
    fn any_bytes_come_apart_or_not(key in proptest::collection::vec(any::<u8>(), 0..60)) {
        if let Some(parts) = split_key(&key) {
            prop_assert!(parts.target.starts_with(parts.path));
        }
    }
}

proptest! {
    #[test]
    fn never_panics(authority in "\\PC{0,30}", path in "\\PC{0,60}") {
        let rules = KeyRules { sort_query: true, ..Default::default() };
        let mut out = Vec::new();
        write_cache_key(&mut out, "http", &authority, &path, &HeaderMap::new(), &rules);
        let _ = normalize_host(&authority, "http");
    }

    #[test]
    fn normalising_twice_changes_nothing(path in "/[a-b./%2eEfF?&=#]{0,30}") {
        let once = normalize_target(&path);
        prop_assert_eq!(normalize_target(&once), once);
    }

    #[test]
    fn a_normal_host_stays(host in "[a-z0-9.:\\[\\]-]{0,20}") {
        if let Ok(once) = normalize_host(&host, "http") {
            let twice = normalize_host(&once, "http").map(|host| host.into_owned());
            prop_assert_eq!(twice, Ok(once.into_owned()));
        }
    }

    #[test]
    fn dot_segments_never_remain(path in "(/[.a]{0,3}){0,6}") {
        let out = remove_dot_segments(&path);
        prop_assert!(out.split('/').all(|s| s != "." && s != ".."), "{}", out);
    }
}
