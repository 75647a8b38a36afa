use http::StatusCode;
use semantics::{CacheStatus, Fwd};

use crate::support::headers;

fn text(status: CacheStatus<'_>) -> String {
    status.to_header_value().to_str().unwrap().to_owned()
}

//= rfc9211#2
#[test]
fn members_run_from_origin_to_client() {
    let mut fields = headers(&[]);
    CacheStatus { fwd: Some(Fwd::UriMiss), stored: true, ..CacheStatus::new("shield") }
        .append_to(&mut fields);
    CacheStatus::hit("edge", 30).append_to(&mut fields);
    assert_eq!(fields["cache-status"], "shield; fwd=uri-miss; stored, edge; hit; ttl=30");
}

//= rfc9211#2.1
//= rfc9211#2.4
#[test]
fn hits() {
    assert_eq!(text(CacheStatus::hit("edge", 376)), "edge; hit; ttl=376");
    assert_eq!(text(CacheStatus::hit("edge", -412)), "edge; hit; ttl=-412");
}

//= rfc9211#2.2
#[test]
fn reasons_to_go_forward() {
    let tokens: Vec<_> = Fwd::ALL.iter().map(|fwd| fwd.as_str()).collect();
    let registered =
        ["bypass", "method", "uri-miss", "vary-miss", "miss", "request", "stale", "partial"];
    assert_eq!(tokens, registered);
    // A hit did not go forward.
    let both = CacheStatus { hit: true, fwd: Some(Fwd::Stale), ..CacheStatus::new("edge") };
    assert_eq!(text(both), "edge; hit");
}

//= rfc9211#2.3
//= rfc9211#2.5
//= rfc9211#2.6
//= rfc9211#2.7
//= rfc9211#2.8
#[test]
fn parameters() {
    let status = CacheStatus {
        fwd: Some(Fwd::Stale),
        fwd_status: Some(StatusCode::NOT_MODIFIED),
        stored: true,
        collapsed: true,
        key: Some("https://h/\"x\""),
        detail: Some("expired"),
        ..CacheStatus::new("edge")
    };
    assert_eq!(
        text(status),
        "edge; fwd=stale; fwd-status=304; stored; collapsed; key=\"https://h/\\\"x\\\"\"; detail=expired"
    );
}
