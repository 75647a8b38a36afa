use proptest::prelude::*;

use super::*;

#[test]
fn urls() {
    for (text, host, path) in [
        ("https://cdn.example.com/a.css", "cdn.example.com", "/a.css"),
        ("HTTP://CDN.Example.com:8080/A?b=1&c", "cdn.example.com", "/A?b=1&c"),
        ("http://a", "a", "/"),
        ("http://a?b", "a", "/?b"),
        ("http://a/%7eb/../c%2f", "a", "/c%2F"),
        ("http://a/http://b/", "a", "/http://b/"),
    ] {
        let expected = wire::Url { host: host.to_owned(), path: path.to_owned() };
        assert_eq!(purge_url(text), Ok(expected), "{text}");
    }
    for text in [
        "",
        "/a",
        "a.com/b",
        "ftp://a/b",
        "//a/b",
        "http:///b",
        "http://",
        "http://u@a/b",
        "http://a/b c",
        "http://a/b#c",
        "http://a\n/b",
        "http://*.a/b",
        "http://a:b:1/",
        "http://[::1]/",
    ] {
        assert!(purge_url(text).is_err(), "{text}");
    }
}

#[test]
fn prefixes() {
    for (text, host, path) in [
        ("/", None, "/"),
        ("/a/.", None, "/a/."),
        ("https://A.com/img/", Some("a.com"), "/img/"),
        ("https://a.com", Some("a.com"), "/"),
        ("/%7ea?b=", None, "/~a?b="),
        ("/a?u=http://b/", None, "/a?u=http://b/"),
    ] {
        let expected = wire::Prefix { host: host.map(str::to_owned), path: path.to_owned() };
        assert_eq!(url_prefix(text), Ok(expected), "{text}");
    }
    for text in ["", "a", "*", "ftp://a/", "/a b", "/a#b", "https:///a", "https://u@a/"] {
        assert!(url_prefix(text).is_err(), "{text}");
    }
}

#[test]
fn patterns() {
    let glob = |text: &str| PatternSpec { glob: Some(text.to_owned()), ..PatternSpec::default() };
    let prefix =
        |text: &str| PatternSpec { prefix: Some(text.to_owned()), ..PatternSpec::default() };
    for spec in [glob("/a/*"), glob("**.jpg"), glob("?a"), glob("\\/a"), prefix("/")] {
        assert!(path_pattern(&spec).is_ok(), "{spec:?}");
    }
    for (spec, reason) in [
        (PatternSpec::default(), BadText::OnePattern),
        (PatternSpec { exact: Some("/".to_owned()), ..glob("/") }, BadText::OnePattern),
        (glob("img/*"), BadText::NoPath),
        (prefix("a"), BadText::NoPath),
        (prefix("/a?b"), BadText::PathQuery),
        (glob("/a\\?b"), BadText::PathQuery),
        (glob(""), BadText::Pattern("glob", "the pattern is empty".to_owned())),
    ] {
        assert_eq!(path_pattern(&spec), Err(reason), "{spec:?}");
    }
    assert!(pattern(&prefix("text/")).is_ok());
}

proptest! {
    #[test]
    fn never_panic(text in "\\PC{0,40}|https?://[a-z:@/?#%.]{0,20}|/[a-z%./?]{0,20}") {
        let url = purge_url(&text);
        let prefix = url_prefix(&text);
        for path in url.into_iter().map(|url| url.path).chain(prefix.into_iter().map(|p| p.path)) {
            prop_assert!(path.starts_with('/') && is_visible(&path), "{}", path);
        }
        let spec = PatternSpec { regex: Some(text.clone()), ..PatternSpec::default() };
        if let Ok(wire) = path_pattern(&spec) {
            prop_assert_eq!(wire, wire::Pattern::Regex(text));
        }
    }
}
