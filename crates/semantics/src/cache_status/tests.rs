use super::*;
use proptest::prelude::*;

use crate::sf;

#[test]
fn members_as_text() {
    let base = CacheStatus::new("edge-1");
    for (status, expected) in [
        (CacheStatus::hit("edge-1", 30), "edge-1; hit; ttl=30"),
        (
            CacheStatus { detail: Some("expired"), ..CacheStatus::hit("edge-1", -5) },
            "edge-1; hit; ttl=-5; detail=expired",
        ),
        (base, "edge-1"),
        (
            CacheStatus {
                fwd: Some(Fwd::UriMiss),
                fwd_status: Some(StatusCode::OK),
                ttl: Some(0),
                stored: true,
                collapsed: true,
                key: Some("a\"b"),
                detail: Some("not a token"),
                ..base
            },
            "edge-1; fwd=uri-miss; fwd-status=200; ttl=0; stored; collapsed; key=\"a\\\"b\"; detail=\"not a token\"",
        ),
        (CacheStatus { hit: true, fwd: Some(Fwd::Stale), ..base }, "edge-1; hit"),
        (CacheStatus::new("my edge"), "\"my edge\""),
        (CacheStatus::new("1edge"), "\"1edge\""),
        (CacheStatus::new(""), "cache"),
        (CacheStatus { key: Some("k\nä"), ..base }, "edge-1; key=\"k???\""),
        (CacheStatus::hit("e", i64::MIN), "e; hit; ttl=-999999999999999"),
    ] {
        assert_eq!(status.to_header_value(), expected);
    }
}

#[test]
fn each_tier_adds_itself_last() {
    let mut headers = HeaderMap::new();
    CacheStatus::hit("shield", 5).append_to(&mut headers);
    CacheStatus { fwd: Some(Fwd::Stale), ..CacheStatus::new("edge") }.append_to(&mut headers);
    assert_eq!(headers[CACHE_STATUS], "shield; hit; ttl=5, edge; fwd=stale");

    let mut lines = HeaderMap::new();
    for line in ["a; hit", "", "b"] {
        lines.append(CACHE_STATUS, HeaderValue::from_static(line));
    }
    CacheStatus::new("c").append_to(&mut lines);
    assert_eq!(lines.get_all(CACHE_STATUS).iter().collect::<Vec<_>>(), ["a; hit, b, c"]);
}

proptest! {
    #[test]
    fn always_a_structured_list(
        cache in "\\PC{0,12}", detail in "\\PC{0,20}", key in "\\PC{0,20}", ttl in any::<i64>()
    ) {
        let status = CacheStatus {
            ttl: Some(ttl), key: Some(&key), detail: Some(&detail), ..CacheStatus::new(&cache)
        };
        let value = status.to_header_value();
        prop_assert_eq!(sf::list(value.as_bytes()).map(|list| list.len()), Some(1));
    }
}
