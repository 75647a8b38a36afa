use super::*;
use http::HeaderValue;
use proptest::prelude::*;

fn response(lines: &[&str]) -> ResponseDirectives {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(header::CACHE_CONTROL, HeaderValue::from_str(line).unwrap());
    }
    ResponseDirectives::parse(&headers)
}

fn request(fields: &[(&'static str, &str)]) -> RequestDirectives {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    RequestDirectives::parse(&headers)
}

#[test]
fn max_age_forms() {
    for (line, expected) in [
        ("max-age=3600", Delta::Seconds(3600)),
        ("MaX-aGe=3600", Delta::Seconds(3600)),
        ("max-age=\"3600\"", Delta::Seconds(3600)),
        ("max-age=003600", Delta::Seconds(3600)),
        ("max-age=99999999999", Delta::Seconds(2_147_483_647)),
        ("foobar, max-age=1", Delta::Seconds(1)),
        ("foo=\"max-age=3600\", max-age=1", Delta::Seconds(1)),
        ("max-age=1, foo=\"max-age=3600\"", Delta::Seconds(1)),
        ("max-age=1800, max-age=1", Delta::Seconds(1)),
        ("max-age=10, max-age=x", Delta::Malformed),
        ("max-age='3600'", Delta::Malformed),
        ("max-age=-1", Delta::Malformed),
        ("max-age=1.0", Delta::Malformed),
        ("max-age=", Delta::Malformed),
        ("max-age", Delta::Malformed),
        ("max-age =3600", Delta::Malformed),
        ("max-age= 3600", Delta::Malformed),
        ("max-age=3600a", Delta::Malformed),
        ("max-age=\"36\"00", Delta::Malformed),
        ("max-age=\"3\\600\"", Delta::Malformed),
        ("xmax-age=3600", Delta::Absent),
    ] {
        assert_eq!(response(&[line]).max_age, expected, "{line}");
    }
}

#[test]
fn lines_are_one_list() {
    let directives = response(&["max-age=1800", "s-maxage=5, max-age=60", "no-store"]);
    assert_eq!(directives.max_age, Delta::Seconds(60));
    assert_eq!(directives.s_maxage, Delta::Seconds(5));
    assert!(directives.no_store && directives.present);
    assert!(!response(&[]).present);
}

#[test]
fn restrictions_count_with_any_argument_permissions_only_bare() {
    let directives = response(&["no-store=x, must-revalidate=\"y\", public=x, immutable=1"]);
    assert!(directives.no_store && directives.must_revalidate);
    assert!(!directives.public && !directives.immutable);
}

#[test]
fn qualified_forms() {
    let a = HeaderName::from_static("a");
    let b = HeaderName::from_static("set-cookie");
    for (line, expected) in [
        ("no-cache", FieldScope::Whole),
        ("no-cache=\"a\"", FieldScope::Fields([a.clone()].into_iter().collect())),
        ("no-cache=a", FieldScope::Fields([a.clone()].into_iter().collect())),
        ("no-cache=\"a, Set-Cookie\"", FieldScope::Fields([a.clone(), b].into_iter().collect())),
        ("no-cache=\"\"", FieldScope::Whole),
        ("no-cache=\"a b\"", FieldScope::Whole),
        ("no-cache=\"a", FieldScope::Whole),
        ("no-cache =\"a\"", FieldScope::Whole),
        ("no-cache=\"a\", no-cache", FieldScope::Whole),
        ("max-age=1", FieldScope::None),
    ] {
        assert_eq!(response(&[line]).no_cache, expected, "{line}");
        let private = line.replace("no-cache", "private");
        assert_eq!(response(&[&private]).private, expected, "{private}");
    }
}

#[test]
fn request_directives() {
    let all = request(&[(
        "cache-control",
        "no-cache, no-store, no-transform, only-if-cached, max-age=5, min-fresh=6, max-stale=7, \
         stale-if-error=8",
    )]);
    let expected = RequestDirectives {
        no_store: true,
        no_cache: true,
        no_transform: true,
        only_if_cached: true,
        max_age: Some(5),
        min_fresh: Some(6),
        max_stale: MaxStale::Seconds(7),
        stale_if_error: Some(8),
    };
    assert_eq!(all, expected);
    assert_eq!(request(&[]), RequestDirectives::default());
    assert_eq!(request(&[("cache-control", "max-age=x")]).max_age, Some(0));
    assert_eq!(request(&[("cache-control", "max-stale")]).max_stale, MaxStale::Any);
    assert_eq!(request(&[("cache-control", "max-stale=x")]).max_stale, MaxStale::None);
    let tightest = request(&[("cache-control", "max-stale, max-stale=9, max-stale=3")]);
    assert_eq!(tightest.max_stale, MaxStale::Seconds(3));
}

#[test]
fn pragma_counts_only_without_cache_control() {
    assert!(request(&[("pragma", "no-cache")]).no_cache);
    assert!(request(&[("pragma", "x, No-Cache")]).no_cache);
    assert!(!request(&[("pragma", "foo")]).no_cache);
    assert!(!request(&[("pragma", "no-cache"), ("cache-control", "max-age=9")]).no_cache);
}

proptest! {
    #[test]
    fn parsing_never_panics(line in "[ -~]{0,80}") {
        let _ = response(&[&line]);
        let _ = request(&[("cache-control", &line), ("pragma", &line)]);
    }

    #[test]
    fn no_store_is_never_lost(before in "[a-z=,\\\\ ]{0,15}\"?[a-z=,\\\\ ]{0,15}") {
        // A quote that opens and never closes hides nothing behind it.
        let line = format!("{before}, no-store");
        prop_assert!(response(&[&line]).no_store);
    }
}
