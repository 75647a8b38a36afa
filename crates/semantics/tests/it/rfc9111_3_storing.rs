use http::{HeaderName, Method};
use semantics::NoStoreReason as No;
use semantics::{LifetimeSource, Policy, SetCookie};

use crate::support::{Fields, get, lifetime, rfc_policy, secs, store};

const FRESH: (&str, &str) = ("cache-control", "max-age=60");

//= rfc9111#3
#[test]
fn what_may_be_stored() {
    let get = Method::GET;
    let table: &[(&Method, Fields<'_>, u16, Fields<'_>, Option<No>)] = &[
        (&get, &[], 200, &[FRESH], None),
        (&Method::HEAD, &[], 200, &[FRESH], None),
        (&Method::POST, &[], 200, &[FRESH], Some(No::Method)),
        (&Method::PUT, &[], 200, &[FRESH], Some(No::Method)),
        (&get, &[], 100, &[FRESH], Some(No::Status)),
        (&get, &[], 103, &[FRESH], Some(No::Status)),
        (&get, &[], 304, &[FRESH], Some(No::Status)),
        (&get, &[], 299, &[FRESH], None),
        (&get, &[], 302, &[FRESH], None),
        (&get, &[], 400, &[FRESH], None),
        (&get, &[], 500, &[FRESH], None),
        (&get, &[], 599, &[FRESH], None),
        (&get, &[], 302, &[("expires", "@60")], None),
        (&get, &[], 302, &[("etag", "\"a\"")], Some(No::Status)),
        (&get, &[], 201, &[("last-modified", "@-9999")], Some(No::Status)),
        (&get, &[], 403, &[("last-modified", "@-9999")], Some(No::Status)),
        (&get, &[], 599, &[("last-modified", "@-9999")], Some(No::Status)),
        (&get, &[("cache-control", "no-store")], 200, &[FRESH], Some(No::RequestNoStore)),
        (&get, &[], 200, &[FRESH, ("cache-control", "no-store")], Some(No::ResponseNoStore)),
        (&get, &[], 200, &[FRESH, ("cache-control", "private")], Some(No::Private)),
        (&get, &[], 200, &[FRESH, ("vary", "*")], Some(No::VaryStar)),
    ];
    for (method, request, status, response, reason) in table {
        let found = store(method, request, *status, response, &rfc_policy());
        assert_eq!(found.err(), *reason, "{method} {request:?} -> {status} {response:?}");
    }
}

//= rfc9111#3
#[test]
fn what_could_never_be_used_is_not_kept() {
    for (response, reason) in [
        (&[][..], Some(No::NoLifetime)),
        (&[("cache-control", "max-age=0")], Some(No::NoLifetime)),
        (&[("cache-control", "no-cache, max-age=60")], Some(No::NoLifetime)),
        (&[("etag", "\"a\"")], None),
        (&[("cache-control", "no-cache"), ("etag", "\"a\"")], None),
        (&[("cache-control", "no-cache"), ("last-modified", "@-60")], None),
        (&[("cache-control", "no-cache"), ("last-modified", "yesterday")], Some(No::NoLifetime)),
        (&[("cache-control", "max-age=0, stale-while-revalidate=9")], None),
        (&[("cache-control", "max-age=0, stale-if-error=9")], None),
    ] {
        let reason_found = get(response).err();
        assert_eq!(reason_found, reason, "{response:?}");
    }
}

//= rfc9110#15.1
#[test]
fn statuses_cacheable_without_a_word() {
    let guessed = [("last-modified", "@-1000")];
    let policy = Policy { negative: semantics::NegativeTtls::off(), ..rfc_policy() };
    for status in 200..600 {
        let expected = [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501].contains(&status);
        let stored = store(&Method::GET, &[], status, &guessed, &policy);
        assert_eq!(stored.is_ok(), expected, "{status}");
        if let Ok(stored) = stored {
            assert_eq!(stored.freshness.source(), LifetimeSource::Heuristic);
            assert_eq!(stored.freshness.lifetime(), 100);
        }
    }
}

//= rfc9111#5.2.2.9
#[test]
fn public_makes_any_status_cacheable() {
    let response = [("last-modified", "@-1000"), ("cache-control", "public")];
    let stored = store(&Method::GET, &[], 599, &response, &rfc_policy()).unwrap();
    assert_eq!(stored.freshness.lifetime(), 100);
}

//= rfc9111#3.5
#[test]
fn authorized_requests_need_leave() {
    for (cache_control, allowed) in [
        ("max-age=60", false),
        ("max-age=60, public", true),
        ("max-age=60, must-revalidate", true),
        ("s-maxage=60", true),
        ("max-age=60, proxy-revalidate", false),
        ("max-age=60, public=yes", false),
    ] {
        let found = store(
            &Method::GET,
            &[("authorization", "Basic eA==")],
            200,
            &[("cache-control", cache_control)],
            &Policy::default(),
        );
        assert_eq!(found.is_ok(), allowed, "{cache_control}");
    }
}

//= rfc9111#3.3
#[test]
fn parts_are_not_stored() {
    for fields in [
        &[FRESH, ("content-range", "bytes 4-9/10")][..],
        &[FRESH],
        &[FRESH, ("content-type", "multipart/byteranges; boundary=x")],
    ] {
        let found = store(&Method::GET, &[], 206, fields, &rfc_policy());
        assert_eq!(found.err(), Some(No::PartialContent), "{fields:?}");
    }
    // On another status the field means nothing.
    assert!(store(&Method::GET, &[], 200, &[FRESH, ("content-range", "x")], &rfc_policy()).is_ok());
}

//= rfc9111#3.1
#[test]
fn the_connections_fields_are_not_stored() {
    let stored = get(&[FRESH, ("connection", "a, close"), ("a", "1"), ("b", "2"), ("te", "x")]);
    let mut strip: Vec<_> =
        stored.unwrap().strip.iter().map(|name| name.as_str().to_owned()).collect();
    strip.sort_unstable();
    assert_eq!(strip, ["a", "connection", "te"]);
}

//= rfc9111#7.3
#[test]
fn cookies() {
    let response = |cache_control| [("cache-control", cache_control), ("set-cookie", "a=b")];
    let with = |set_cookie, cache_control| {
        let policy = Policy { set_cookie, ..Policy::default() };
        store(&Method::GET, &[], 200, &response(cache_control), &policy)
    };
    assert!(with(SetCookie::AsRfc, "max-age=60").unwrap().strip.is_empty());
    let stripped = with(SetCookie::Strip, "max-age=60").unwrap().strip;
    assert_eq!(stripped.as_slice(), [HeaderName::from_static("set-cookie")]);
    let careful = |cache_control| with(SetCookie::RequirePermission, cache_control);
    assert_eq!(careful("max-age=60").unwrap_err(), No::SetCookie);
    assert!(careful("max-age=60, public").is_ok());
    assert!(careful("s-maxage=60").is_ok());
    let named = careful("max-age=60, no-cache=\"Set-Cookie\"").unwrap();
    assert_eq!(named.strip.len(), 1);
    let targeted = [("cdn-cache-control", "max-age=60"), ("set-cookie", "a=b")];
    assert!(store(&Method::GET, &[], 200, &targeted, &Policy::default()).is_ok());
}

//= rfc9111#3
#[test]
fn errors_are_kept_briefly_unless_they_say_otherwise() {
    let with = |status, fields: Fields<'_>| {
        store(&Method::GET, &[], status, fields, &Policy::default()).map(|stored| {
            let freshness = stored.freshness;
            (freshness.source(), freshness.lifetime())
        })
    };
    use LifetimeSource::{Expires, MaxAge, Negative};
    for (status, fields, expected) in [
        (404, &[][..], Ok((Negative, 10))),
        (404, &[("etag", "\"a\"")], Ok((Negative, 10))),
        (501, &[], Ok((Negative, 10))),
        (503, &[], Ok((Negative, 1))),
        (503, &[("last-modified", "@-9999")], Err(No::Status)),
        (505, &[], Err(No::Status)),
        (403, &[], Err(No::Status)),
        (404, &[FRESH], Ok((MaxAge, 60))),
        (404, &[("expires", "@30")], Ok((Expires, 30))),
        (404, &[("cache-control", "max-age=x")], Err(No::NoLifetime)),
        (404, &[("cache-control", "no-store")], Err(No::ResponseNoStore)),
        (404, &[("cache-control", "private")], Err(No::Private)),
        (404, &[("cache-control", "no-cache")], Err(No::NoLifetime)),
    ] {
        assert_eq!(with(status, fields), expected, "{status} {fields:?}");
    }
}

//= rfc9111#3
#[test]
fn a_site_bounds_every_lifetime() {
    let policy = Policy { max_lifetime: secs(30), ..rfc_policy() };
    let stored = store(&Method::GET, &[], 200, &[FRESH], &policy).unwrap();
    assert_eq!(stored.freshness.lifetime(), 30);
    assert_eq!(lifetime(&[("cache-control", "max-age=99999999999")]), Some(365 * 86400));
}

//= rfc9111#4.1
#[test]
fn what_varies_on_a_field_that_every_hop_writes_is_not_stored() {
    for (vary, allowed) in [
        ("accept, Forwarded", false),
        ("x-forwarded-for", false),
        ("X-Request-ID", false),
        ("x-forwarded-proto, x-forwarded-host", true),
    ] {
        let found = store(&Method::GET, &[], 200, &[FRESH, ("vary", vary)], &rfc_policy());
        let expected = if allowed { None } else { Some(No::VaryStar) };
        assert_eq!(found.err(), expected, "{vary}");
    }
}
