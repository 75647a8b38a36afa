use super::*;
use http::HeaderValue;
use proptest::prelude::*;

fn effective(fields: &[(&'static str, &str)]) -> (ResponseDirectives, ControlSource) {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    effective_directives(&headers)
}

#[test]
fn the_first_valid_targeted_field_wins() {
    use ControlSource::{CacheControl, CdnCacheControl, None, SurrogateControl};
    type Case = (&'static [(&'static str, &'static str)], Delta, ControlSource);
    let cases: &[Case] = &[
        (&[], Delta::Absent, None),
        (&[("cache-control", "max-age=1")], Delta::Seconds(1), CacheControl),
        (
            &[("cache-control", "no-store, max-age=1"), ("cdn-cache-control", "max-age=2")],
            Delta::Seconds(2),
            CdnCacheControl,
        ),
        (
            &[("surrogate-control", "max-age=3"), ("cdn-cache-control", "max-age=2")],
            Delta::Seconds(2),
            CdnCacheControl,
        ),
        (
            &[("surrogate-control", "max-age=3"), ("cdn-cache-control", "")],
            Delta::Seconds(3),
            SurrogateControl,
        ),
        (
            &[("cache-control", "max-age=1"), ("cdn-cache-control", "Max-Age=2")],
            Delta::Seconds(1),
            CacheControl,
        ),
        (
            &[("cache-control", "max-age=1"), ("cdn-cache-control", "max-age=2,")],
            Delta::Seconds(1),
            CacheControl,
        ),
        (
            &[("cache-control", "max-age=1"), ("cdn-cache-control", "x")],
            Delta::Absent,
            CdnCacheControl,
        ),
    ];
    for (fields, max_age, source) in cases {
        let (directives, found) = effective(fields);
        assert_eq!((directives.max_age, found), (*max_age, *source), "{fields:?}");
        assert!(!directives.no_store, "{fields:?}");
    }
}

#[test]
fn targeted_values_keep_their_type() {
    for (value, expected) in [
        ("max-age=60", Delta::Seconds(60)),
        ("max-age=60;x=1", Delta::Seconds(60)),
        ("max-age=999999999999999", Delta::Seconds(2_147_483_647)),
        ("max-age=-1", Delta::Malformed),
        ("max-age=60.0", Delta::Malformed),
        ("max-age=\"60\"", Delta::Malformed),
        ("max-age", Delta::Malformed),
        ("max-age=1, max-age=9", Delta::Seconds(9)),
    ] {
        assert_eq!(effective(&[("cdn-cache-control", value)]).0.max_age, expected, "{value}");
    }
    let (two_lines, _) =
        effective(&[("cdn-cache-control", "max-age=60"), ("cdn-cache-control", "no-cache=\"a\"")]);
    assert_eq!(two_lines.max_age, Delta::Seconds(60));
    assert_eq!(two_lines.no_cache.fields().len(), 1);
    let (flags, _) = effective(&[("cdn-cache-control", "public, no-store=?0, private=(a)")]);
    assert!(flags.public && !flags.no_store && flags.private.is_whole());
}

#[test]
fn surrogate_control() {
    for (value, max_age, swr) in [
        ("max-age=3600", Some(3600), None),
        ("MaX-aGe=3600", Some(3600), None),
        ("foobar, max-age=3600", Some(3600), None),
        ("max-age=3600+600", Some(3600), Some(600)),
        ("max-age=3600+x", Some(0), None),
        ("max-age=99999999999", Some(2_147_483_647), None),
        ("max-age=3600;blue-origin", Some(3600), None),
        ("max-age=60, max-age=3600;Blue-Origin", Some(3600), None),
        ("max-age =100", Some(0), None),
    ] {
        let (directives, source) = effective(&[("surrogate-control", value)]);
        assert_eq!(source, ControlSource::SurrogateControl, "{value}");
        assert_eq!(directives.max_age.seconds(), max_age, "{value}");
        assert_eq!(directives.stale_while_revalidate.seconds(), swr, "{value}");
    }
    assert!(effective(&[("surrogate-control", "no-store")]).0.no_store);
    assert!(effective(&[("surrogate-control", "no-store-remote")]).0.no_store);
}

#[test]
fn surrogate_control_that_is_not_for_us_is_not_in_force() {
    for value in ["max-age=3600;not-for-you", "content=\"ESI/1.0\"", "", "no-store;other"] {
        let fields = [("surrogate-control", value), ("cache-control", "max-age=7")];
        let (directives, source) = effective(&fields);
        assert_eq!(source, ControlSource::CacheControl, "{value}");
        assert_eq!(directives.max_age, Delta::Seconds(7), "{value}");
    }
}

proptest! {
    #[test]
    fn parsing_never_panics(a in "[ -~]{0,60}", b in "[ -~]{0,60}") {
        let _ = effective(&[("cdn-cache-control", &a), ("surrogate-control", &b)]);
    }
}
