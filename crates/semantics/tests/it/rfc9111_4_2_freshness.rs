use http::{HeaderMap, Method, StatusCode};
use semantics::{
    Exchange, Freshness, LifetimeSource, Policy, RequestDirectives, Timestamp, Verdict, storable,
};

use crate::support::{NOW, at, get, headers, lifetime, rfc_policy};

const QUIET: RequestDirectives = RequestDirectives {
    no_store: false,
    no_cache: false,
    no_transform: false,
    only_if_cached: false,
    max_age: None,
    min_fresh: None,
    max_stale: semantics::MaxStale::None,
    stale_if_error: None,
};

//= rfc9111#4.2.1
//= rfc9111#5.2.2.1
//= rfc9111#5.2.2.10
//= rfc9111#5.3
#[test]
fn the_first_lifetime_that_applies() {
    use LifetimeSource::{Expires, Heuristic, MaxAge, None, SMaxage, Targeted};
    let tag = ("etag", "\"a\"");
    let modified = ("last-modified", "@-1000");
    for (fields, source, seconds) in [
        (&[("cache-control", "max-age=60"), tag][..], MaxAge, 60),
        (&[("cache-control", "max-age=60, s-maxage=5"), tag], SMaxage, 5),
        (&[("cache-control", "s-maxage=60"), ("cache-control", "max-age=5"), tag], SMaxage, 60),
        (&[("cache-control", "max-age=0, s-maxage=60"), ("expires", "@-9"), tag], SMaxage, 60),
        (&[("cache-control", "max-age=60"), ("expires", "@-9"), tag], MaxAge, 60),
        (&[("cache-control", "max-age=0"), ("expires", "@99"), ("date", "@0"), tag], MaxAge, 0),
        (&[("cache-control", "s-maxage=x, max-age=60"), tag], SMaxage, 0),
        (&[("cache-control", "max-age=1, max-age=60"), tag], MaxAge, 1),
        (&[("cache-control", "public"), ("expires", "@99"), tag], Expires, 99),
        (&[("expires", "@99"), ("date", "@0"), modified], Expires, 99),
        (&[("expires", "@99"), ("date", "@9"), tag], Expires, 90),
        (&[("expires", "@99"), ("date", "foo"), tag], Expires, 99),
        (&[("expires", "@300"), ("date", "@400"), tag], Expires, 0),
        (&[("expires", "@0"), ("date", "@0"), tag], Expires, 0),
        (&[("expires", "0"), modified, tag], Expires, 0),
        (&[("expires", "@60"), ("expires", "@90"), tag], Expires, 0),
        (&[("expires", "@60"), ("expires", "@60"), tag], Expires, 60),
        (&[modified], Heuristic, 100),
        (&[tag], None, 0),
        (&[("cdn-cache-control", "max-age=7"), ("cache-control", "s-maxage=60"), tag], Targeted, 7),
        (&[("cdn-cache-control", "x"), ("expires", "@99"), tag], None, 0),
    ] {
        let freshness = get(fields).unwrap().freshness;
        assert_eq!((freshness.source(), freshness.lifetime()), (source, seconds), "{fields:?}");
    }
}

//= rfc9111#4.2.2
#[test]
fn guesses_only_where_wanted_and_bounded() {
    assert_eq!(lifetime(&[("last-modified", "@-1000"), ("date", "@0")]), Some(100));
    assert_eq!(lifetime(&[("last-modified", "@-99"), ("date", "@0")]), Some(9));
    assert_eq!(lifetime(&[("last-modified", "@-99999999"), ("date", "@0")]), Some(86400));
    // The time it had not changed is counted to when it was sent, not to when it came.
    let late = get(&[("last-modified", "@-1000"), ("date", "@-500")]).unwrap().freshness;
    assert_eq!((late.lifetime(), late.age(NOW)), (50, 500));
    assert_eq!(lifetime(&[("last-modified", "@10"), ("date", "@0")]), Some(0));

    let response = headers(&[("last-modified", "@-1000"), ("date", "@0")]);
    let quiet = exchange(&HeaderMap::new(), &response, NOW, NOW, &Policy::default());
    assert_eq!((quiet.source(), quiet.lifetime()), (LifetimeSource::None, 0));
}

fn exchange(
    request: &HeaderMap,
    response: &HeaderMap,
    sent: Timestamp,
    received: Timestamp,
    policy: &Policy,
) -> Freshness {
    let exchange = Exchange {
        method: &Method::GET,
        request,
        request_directives: &QUIET,
        status: StatusCode::OK,
        response,
        request_time: sent,
        response_time: received,
    };
    storable(&exchange, policy).unwrap().freshness
}

//= rfc9111#4.2.3
//= rfc9111#5.1
//= rfc9110#6.6.1
#[test]
fn ages() {
    // Age, Date, seconds the exchange took; age on arrival and five seconds later.
    for (age, date, took, expected) in [
        (None, None, 0, 0),
        (None, Some("@0"), 0, 0),
        (None, Some("@-30"), 0, 30),
        (None, Some("@30"), 0, 0),
        (None, Some("foo"), 0, 0),
        (Some("20"), Some("@0"), 0, 20),
        (Some("20"), Some("@-30"), 0, 30),
        (Some("20"), None, 4, 24),
        (Some("20"), Some("@-22"), 4, 24),
        (Some("99999999999"), None, 0, 2_147_483_647),
    ] {
        let mut fields = vec![("cache-control", "max-age=60"), ("etag", "\"a\"")];
        fields.extend(age.map(|age| ("age", age)));
        fields.extend(date.map(|date| ("date", date)));
        let freshness =
            exchange(&HeaderMap::new(), &headers(&fields), at(-took), NOW, &rfc_policy());
        assert_eq!(freshness.age(NOW), expected, "{age:?} {date:?} {took}");
        let later = expected.saturating_add(5).min(2_147_483_647);
        assert_eq!(freshness.age(at(5)), later, "{age:?} {date:?} {took}");
    }
}

//= rfc9111#5.1
#[test]
fn an_age_that_cannot_be_told_makes_stale() {
    let fresh = |ages: &[&str]| {
        let mut fields = vec![("cache-control", "max-age=3600"), ("date", "@0"), ("etag", "\"a\"")];
        fields.extend(ages.iter().map(|age| ("age", *age)));
        get(&fields).unwrap().freshness.judge(&QUIET, NOW) == Verdict::Fresh
    };
    for (ages, expected) in [
        (&["0"][..], true),
        (&["0,7200"], true),
        (&["7200"], false),
        (&["7200,0"], false),
        (&["7200, 0"], false),
        (&["0, 0"], false),
        (&["0", "0"], false),
        (&["0", "7200"], false),
        (&["abc"], false),
        (&["-7200"], false),
        (&["0.0"], false),
        (&["0;x=1"], false),
        (&[""], false),
    ] {
        assert_eq!(fresh(ages), expected, "{ages:?}");
    }
}

//= rfc9111#1.2.2
#[test]
fn numbers_too_large_are_the_largest() {
    for text in ["2147483647", "2147483648", "99999999999", "99999999999999999999999999"] {
        let value = format!("max-age={text}");
        let policy = Policy { max_lifetime: std::time::Duration::MAX, ..rfc_policy() };
        let response = headers(&[("cache-control", &value)]);
        let freshness = exchange(&HeaderMap::new(), &response, NOW, NOW, &policy);
        assert_eq!(freshness.lifetime(), 2_147_483_647, "{text}");
    }
}

//= rfc9111#4.2
#[test]
fn fresh_while_younger_than_the_lifetime() {
    let freshness = get(&[("cache-control", "max-age=10"), ("date", "@-4")]).unwrap().freshness;
    assert_eq!(freshness.judge(&QUIET, at(5)), Verdict::Fresh);
    assert_ne!(freshness.judge(&QUIET, at(6)), Verdict::Fresh);
    let almost = Timestamp::from_millis(at(6).as_millis() - 1);
    assert_eq!(freshness.judge(&QUIET, almost), Verdict::Fresh);
    // A date made before the second was over does not cost a response that second.
    let response = headers(&[("cache-control", "max-age=1"), ("date", "@0")]);
    let received = Timestamp::from_millis(NOW.as_millis() + 900);
    let freshness = exchange(&HeaderMap::new(), &response, received, received, &rfc_policy());
    assert_eq!(freshness.judge(&QUIET, at(1)), Verdict::Fresh);
}

//= rfc9111#4.2.4
//= rfc9111#5.2.2.2
//= rfc9111#5.2.2.8
#[test]
fn stale_answers_need_leave() {
    for (cache_control, on_error) in [
        ("max-age=10", true),
        ("max-age=10, must-revalidate", false),
        ("max-age=10, proxy-revalidate", false),
        ("max-age=10, no-cache", false),
        ("max-age=10, s-maxage=10", false),
    ] {
        let fields = [("cache-control", cache_control), ("etag", "\"a\"")];
        let freshness = get(&fields).unwrap().freshness;
        assert!(
            matches!(freshness.judge(&QUIET, at(11)), Verdict::MustValidate(_)),
            "{cache_control}"
        );
        assert_eq!(freshness.may_serve_on_error(&QUIET, at(11)), on_error, "{cache_control}");
    }
}
