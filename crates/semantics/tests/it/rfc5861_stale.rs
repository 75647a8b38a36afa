use semantics::{RequestDirectives, StaleReason, Verdict};

use crate::support::{at, get, headers};

//= rfc5861#3
#[test]
fn served_at_once_while_refreshing() {
    let quiet = RequestDirectives::default();
    let fresh =
        get(&[("cache-control", "max-age=10, stale-while-revalidate=20")]).unwrap().freshness;
    let stale = Verdict::StaleWhileRevalidate(StaleReason::Expired);
    for (seconds, verdict) in [
        (9, Verdict::Fresh),
        (10, stale),
        (29, stale),
        (30, Verdict::MustValidate(StaleReason::Expired)),
    ] {
        assert_eq!(fresh.judge(&quiet, at(seconds)), verdict, "{seconds}");
    }
    let forbidden =
        get(&[("cache-control", "max-age=10, must-revalidate, stale-while-revalidate=20")]);
    assert_eq!(
        forbidden.unwrap().freshness.judge(&quiet, at(11)),
        Verdict::MustValidate(StaleReason::Expired)
    );
}

//= rfc5861#4
#[test]
fn stands_in_for_errors() {
    // Response, request, last second at which it may.
    for (response, request, last) in [
        ("max-age=10, stale-if-error=20", "", Some(30)),
        ("max-age=10", "", Some(10 + 3600)),
        ("max-age=10", "stale-if-error=5", Some(15)),
        ("max-age=10, s-maxage=10, stale-if-error=20", "", Some(30)),
        ("max-age=10, stale-if-error=20, must-revalidate", "", None),
        ("max-age=10, stale-if-error=20", "no-cache", None),
    ] {
        let fresh = get(&[("cache-control", response)]).unwrap().freshness;
        let said = RequestDirectives::parse(&headers(&[("cache-control", request)]));
        match last {
            Some(last) => {
                assert!(fresh.may_serve_on_error(&said, at(last)), "{response} / {request}");
                assert!(!fresh.may_serve_on_error(&said, at(last + 1)), "{response} / {request}");
            }
            None => assert!(!fresh.may_serve_on_error(&said, at(10)), "{response} / {request}"),
        }
    }
}
