use http::Method;
use semantics::{
    CompressionRules, NoStoreReason, RequestDirectives, StaleReason, Verdict, compressible,
};

use crate::support::{NOW, at, get, headers, lifetime, rfc_policy, store};

fn said(fields: &[(&str, &str)]) -> RequestDirectives {
    RequestDirectives::parse(&headers(fields))
}

//= rfc9111#5.2
#[test]
fn names_ignore_case_and_quotes_are_honoured() {
    for (cache_control, seconds) in [
        ("MaX-aGe=60", Some(60)),
        ("max-age=\"60\"", Some(60)),
        ("x=\"max-age=3600\", max-age=60", Some(60)),
        ("max-age=60, x=\"max-age=1, no-store\"", Some(60)),
        ("max-age=060", Some(60)),
        ("max-age='60'", Some(0)),
        ("max-age=-60", Some(0)),
        ("max-age =60", Some(0)),
        ("No-StOrE, max-age=60", None),
    ] {
        let fields = [("cache-control", cache_control), ("etag", "\"a\"")];
        assert_eq!(lifetime(&fields), seconds, "{cache_control}");
    }
}

//= rfc9111#5.2.3
#[test]
fn unknown_directives_change_nothing() {
    assert_eq!(lifetime(&[("cache-control", "foo, bar=baz, max-age=60, q=\"x\"")]), Some(60));
}

//= rfc9111#5.2.1
#[test]
fn requests_may_ask_for_more() {
    let fresh = get(&[("cache-control", "max-age=100")]).unwrap().freshness;
    for (asked, seconds, expected) in [
        ("no-cache", 0, Err(StaleReason::RequestNoCache)),
        ("max-age=0", 1, Err(StaleReason::RequestMaxAge)),
        ("max-age=10", 10, Ok(())),
        ("max-age=10", 11, Err(StaleReason::RequestMaxAge)),
        ("min-fresh=50", 50, Ok(())),
        ("min-fresh=50", 51, Err(StaleReason::RequestMinFresh)),
        ("max-stale=1000, x", 50, Ok(())),
    ] {
        let verdict = fresh.judge(&said(&[("cache-control", asked)]), at(seconds));
        let found = match verdict {
            Verdict::Fresh => Ok(()),
            Verdict::MustValidate(reason) => Err(reason),
            other => panic!("{other:?}"),
        };
        assert_eq!(found, expected, "{asked} at {seconds}");
    }
    let stale = fresh.judge(&said(&[("cache-control", "max-stale=1000")]), at(1000));
    assert_eq!(stale, Verdict::StaleAllowed(StaleReason::Expired));
    assert!(said(&[("cache-control", "Only-If-Cached")]).only_if_cached);
    let unstorable = store(
        &Method::GET,
        &[("cache-control", "no-store")],
        200,
        &[("cache-control", "max-age=60")],
        &rfc_policy(),
    );
    assert_eq!(unstorable.unwrap_err(), NoStoreReason::RequestNoStore);
}

//= rfc9111#5.4
#[test]
fn pragma_stands_in_for_cache_control() {
    assert!(said(&[("pragma", "no-cache")]).no_cache);
    assert!(!said(&[("pragma", "no-cache"), ("cache-control", "foo")]).no_cache);
    assert!(!said(&[("pragma", "foo")]).no_cache);
    // In a response it means nothing.
    let pragma = [("pragma", "no-cache"), ("cache-control", "max-age=60")];
    assert_eq!(lifetime(&pragma), Some(60));
}

//= rfc9111#5.2.2.3
#[test]
fn must_understand() {
    let response = |value| [("cache-control", value)];
    let known = store(
        &Method::GET,
        &[],
        200,
        &response("must-understand, no-store, max-age=9"),
        &rfc_policy(),
    );
    assert!(known.is_ok());
    let unknown =
        store(&Method::GET, &[], 599, &response("must-understand, max-age=9"), &rfc_policy());
    assert_eq!(unknown.unwrap_err(), NoStoreReason::MustUnderstand);
}

//= rfc9111#5.2.2.4
//= rfc9111#5.2.2.7
#[test]
fn qualified_forms_take_fields_out() {
    for (cache_control, strip) in [
        ("max-age=60, no-cache=\"a\"", &["a"][..]),
        ("max-age=60, no-cache=\"a, B\"", &["a", "b"]),
        ("max-age=60, private=\"a\"", &["a"]),
    ] {
        let stored = get(&[("cache-control", cache_control), ("a", "1"), ("b", "2")]).unwrap();
        let names: Vec<_> = stored.strip.iter().map(|name| name.as_str()).collect();
        assert_eq!(names, strip, "{cache_control}");
        assert_eq!(stored.freshness.judge(&RequestDirectives::default(), NOW), Verdict::Fresh);
    }
    let whole = get(&[("cache-control", "max-age=60, no-cache"), ("etag", "\"a\"")]).unwrap();
    assert_eq!(
        whole.freshness.judge(&RequestDirectives::default(), NOW),
        Verdict::MustValidate(StaleReason::NoCache)
    );
    assert!(whole.freshness.always_revalidate());
    assert_eq!(get(&[("cache-control", "private=\"a b\"")]).unwrap_err(), NoStoreReason::Private);
}

//= rfc9111#5.2.2.5
#[test]
fn no_store_wins() {
    for lines in [
        &["no-store"][..],
        &["max-age=60, no-store"],
        &["max-age=60", "no-store"],
        &["public, s-maxage=60, no-store"],
        &["x=\"open, no-store"],
    ] {
        let fields: Vec<_> = lines.iter().map(|line| ("cache-control", *line)).collect();
        assert_eq!(get(&fields).unwrap_err(), NoStoreReason::ResponseNoStore, "{lines:?}");
    }
}

//= rfc9111#5.2.2.6
//= rfc9110#7.7
#[test]
fn no_transform_keeps_the_body_as_it_is() {
    let rules = CompressionRules::default();
    let check = |cache_control| {
        let fields = headers(&[("content-type", "text/html"), ("cache-control", cache_control)]);
        compressible(http::StatusCode::OK, &Method::GET, &fields, &rules, None)
    };
    assert!(check("max-age=60").is_ok());
    assert!(check("max-age=60, no-transform").is_err());
}
