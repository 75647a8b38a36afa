use super::*;
use http::HeaderValue;
use http::header;
use proptest::prelude::*;

const T0: Timestamp = Timestamp::from_secs(1_700_000_000);

fn after(seconds: i64) -> Timestamp {
    Timestamp::from_millis(T0.as_millis() + seconds * 1000)
}

fn fresh(cache_control: &str) -> Freshness {
    with_policy(cache_control, &Policy::default())
}

fn with_policy(cache_control: &str, policy: &Policy) -> Freshness {
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_str(cache_control).unwrap());
    let directives = ResponseDirectives::parse(&headers);
    let age = initial_age(&headers, T0, T0);
    let lifetime = explicit_lifetime(&headers, &directives, false, T0)
        .unwrap_or((Duration::ZERO, LifetimeSource::None));
    Freshness::new(&age, lifetime, &directives, policy)
}

fn request(cache_control: &str) -> RequestDirectives {
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_str(cache_control).unwrap());
    RequestDirectives::parse(&headers)
}

#[test]
fn it_is_small() {
    assert!(size_of::<Freshness>() <= 40);
}

#[test]
fn judged_over_time() {
    use StaleReason::Expired;
    use Verdict::{Fresh, MustValidate, StaleWhileRevalidate};
    let quiet = RequestDirectives::default();
    let plain = fresh("max-age=10, stale-while-revalidate=5");
    for (at, verdict) in [
        (0, Fresh),
        (9, Fresh),
        (10, StaleWhileRevalidate(Expired)),
        (14, StaleWhileRevalidate(Expired)),
        (15, MustValidate(Expired)),
    ] {
        assert_eq!(plain.judge(&quiet, after(at)), verdict, "{at}");
    }
    assert_eq!(plain.remaining(after(4)), 6);
    assert_eq!(plain.remaining(after(12)), -2);
    assert_eq!(plain.expires_at(), after(10));
}

#[test]
fn staleness_needs_leave() {
    let quiet = RequestDirectives::default();
    let site =
        Policy { default_stale_while_revalidate: Duration::from_secs(60), ..Policy::default() };
    // Directive, served while revalidating at 12 s, on error at 12 s.
    for (cache_control, swr, sie) in [
        ("max-age=10", true, true),
        ("max-age=10, must-revalidate", false, false),
        ("max-age=10, proxy-revalidate", false, false),
        ("max-age=10, must-revalidate, stale-while-revalidate=9, stale-if-error=9", false, false),
        ("s-maxage=10", false, false),
        ("s-maxage=10, stale-while-revalidate=9", true, false),
        ("s-maxage=10, stale-if-error=9", false, true),
        ("max-age=10, stale-while-revalidate=0, stale-if-error=0", false, false),
        ("max-age=10, stale-while-revalidate=x, stale-if-error=-1", false, false),
        ("max-age=10, no-cache", false, false),
    ] {
        let freshness = with_policy(cache_control, &site);
        let verdict = freshness.judge(&quiet, after(12));
        assert_eq!(matches!(verdict, Verdict::StaleWhileRevalidate(_)), swr, "{cache_control}");
        assert_eq!(freshness.may_serve_on_error(&quiet, after(12)), sie, "{cache_control}");
    }
}

#[test]
fn error_fallback_ends() {
    let quiet = RequestDirectives::default();
    let plain = fresh("max-age=10");
    assert!(plain.may_serve_on_error(&quiet, after(10 + 3600)));
    assert!(!plain.may_serve_on_error(&quiet, after(10 + 3601)));
    assert_eq!(plain.retain_until(), after(10 + 3600));
    let asked = |text| fresh("max-age=10").may_serve_on_error(&request(text), after(20));
    assert!(asked("stale-if-error=10"));
    assert!(!asked("stale-if-error=9"));
    assert!(!asked("no-cache"));
    // Fresh, and fetched only because the request wanted it newer.
    assert!(plain.may_serve_on_error(&request("max-age=0"), after(1)));
}

#[test]
fn requests_can_ask_for_fresher_or_staler() {
    use StaleReason::{Expired, NoCache, RequestMaxAge, RequestMinFresh, RequestNoCache};
    use Verdict::{Fresh, MustValidate, StaleAllowed};
    for (response, asks, at, verdict) in [
        ("max-age=10", "no-cache", 1, MustValidate(RequestNoCache)),
        ("max-age=10", "max-age=0", 0, MustValidate(RequestMaxAge)),
        ("max-age=10", "max-age=1", 1, Fresh),
        ("max-age=10", "max-age=1", 2, MustValidate(RequestMaxAge)),
        ("max-age=10", "min-fresh=9", 1, Fresh),
        ("max-age=10", "min-fresh=10", 1, MustValidate(RequestMinFresh)),
        ("max-age=10", "max-stale", 9999, StaleAllowed(Expired)),
        ("max-age=10", "max-stale=5", 15, StaleAllowed(Expired)),
        ("max-age=10", "max-stale=5", 16, MustValidate(Expired)),
        ("max-age=10, must-revalidate", "max-stale", 11, MustValidate(Expired)),
        ("s-maxage=10", "max-stale", 11, MustValidate(Expired)),
        ("max-age=10, no-cache", "max-stale", 1, MustValidate(NoCache)),
    ] {
        let found = fresh(response).judge(&request(asks), after(at));
        assert_eq!(found, verdict, "{response} / {asks} at {at}");
    }
}

#[test]
fn soft_purge() {
    use StaleReason::Invalidated;
    let quiet = RequestDirectives::default();
    let purged = fresh("max-age=100, stale-while-revalidate=10").invalidated_soft(after(20));
    assert!(purged.is_invalidated());
    assert_eq!(purged.judge(&quiet, after(20)), Verdict::StaleWhileRevalidate(Invalidated));
    assert_eq!(purged.judge(&quiet, after(109)), Verdict::StaleWhileRevalidate(Invalidated));
    assert_eq!(purged.judge(&quiet, after(110)), Verdict::MustValidate(Invalidated));
    assert_eq!(purged.judge(&request("max-stale"), after(110)), Verdict::MustValidate(Invalidated));
    assert_eq!(purged.retain_until(), fresh("max-age=100").retain_until());

    let strict = fresh("max-age=100, must-revalidate").invalidated_soft(after(20));
    assert_eq!(strict.judge(&quiet, after(20)), Verdict::MustValidate(Invalidated));
    assert!(!strict.may_serve_on_error(&quiet, after(20)));
    // What was stale already does not become fresher by it.
    let late = fresh("max-age=10").invalidated_soft(after(50));
    assert_eq!(late.expires_at(), after(10));
}

#[test]
fn sharing_between_waiters() {
    for (cache_control, each) in [
        ("max-age=1", false),
        ("max-age=0", true),
        ("max-age=0, stale-while-revalidate=5", false),
        ("no-cache, max-age=5", true),
        ("public", true),
    ] {
        assert_eq!(fresh(cache_control).always_revalidate(), each, "{cache_control}");
    }
}

#[test]
fn lifetimes_are_capped() {
    let policy = Policy { max_lifetime: Duration::from_secs(60), ..Policy::default() };
    let freshness = with_policy("max-age=999, stale-while-revalidate=999", &policy);
    assert_eq!((freshness.lifetime(), freshness.retain_until()), (60, after(120)));
    assert_eq!(fresh("max-age=2147483648").lifetime(), 365 * 24 * 3600);
}

proptest! {
    #[test]
    fn age_never_falls_as_time_passes(
        max_age in any::<u32>(), told in any::<u32>(), start in any::<i64>(), step in 0i64..i64::MAX
    ) {
        let mut headers = HeaderMap::new();
        headers.insert(header::AGE, told.into());
        let received = Timestamp::from_millis(start);
        let age = initial_age(&headers, received, received);
        let lifetime = (Duration::from_secs(max_age.into()), LifetimeSource::MaxAge);
        let freshness =
            Freshness::new(&age, lifetime, &ResponseDirectives::default(), &Policy::default());
        let later = Timestamp::from_millis(start.saturating_add(step));
        prop_assert!(freshness.age(later) >= freshness.age(received));
        prop_assert!(freshness.remaining(later) <= freshness.remaining(received));
        let quiet = RequestDirectives::default();
        if freshness.judge(&quiet, received) != Verdict::Fresh {
            prop_assert_ne!(freshness.judge(&quiet, later), Verdict::Fresh);
        }
        let soft = freshness.invalidated_soft(later);
        prop_assert_ne!(soft.judge(&quiet, later), Verdict::Fresh);
        let _ = (soft.expires_at(), soft.retain_until());
    }
}
