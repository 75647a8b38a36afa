use super::*;

#[test]
fn defaults_are_the_safe_ones() {
    let policy = Policy::default();
    assert_eq!(policy.heuristic, None);
    assert_eq!(policy.set_cookie, SetCookie::RequirePermission);
    assert_eq!(policy.default_stale_if_error, Duration::from_secs(3600));
    assert!(policy.default_stale_while_revalidate.is_zero());
}

#[test]
fn negative_lifetimes_by_status() {
    let mut ttls = NegativeTtls::default();
    assert_eq!(ttls.get(StatusCode::NOT_FOUND), Some(Duration::from_secs(10)));
    assert_eq!(ttls.get(StatusCode::BAD_GATEWAY), Some(Duration::from_secs(1)));
    assert_eq!(ttls.get(StatusCode::FORBIDDEN), None);

    ttls.set(StatusCode::NOT_FOUND, Duration::ZERO);
    ttls.set_server_errors(Duration::ZERO);
    assert_eq!(ttls.get(StatusCode::NOT_FOUND), None);
    assert_eq!(ttls.get(StatusCode::SERVICE_UNAVAILABLE), None);
    assert_eq!(ttls.get(StatusCode::GONE), Some(Duration::from_secs(10)));
}

#[test]
fn success_is_never_negative() {
    let mut ttls = NegativeTtls::off();
    ttls.set(StatusCode::OK, Duration::from_secs(5));
    assert_eq!(ttls.get(StatusCode::OK), None);
}
