use http::{Method, StatusCode};
use semantics::{cache_group_invalidation, cache_groups};

use crate::support::headers;

//= rfc9875#2
#[test]
fn groups_are_a_list_of_strings() {
    let groups = |value: &str| cache_groups(&headers(&[("cache-groups", value)])).to_vec();
    assert_eq!(groups("\"scripts\", \"styles\", \"scripts\""), ["scripts", "styles"]);
    assert!(groups("scripts").is_empty());
    assert!(groups("\"a\", 1").is_empty());
    let lines = headers(&[("cache-groups", "\"a\""), ("cache-groups", "\"b\"")]);
    assert_eq!(cache_groups(&lines).to_vec(), ["a", "b"]);
    // As many and as long as the RFC asks for.
    let many: Vec<_> = (0..32).map(|n| format!("\"{n:0>32}\"")).collect();
    assert_eq!(groups(&many.join(", ")).len(), 32);
}

//= rfc9875#3
#[test]
fn only_unsafe_methods_that_succeed_invalidate_groups() {
    let fields = headers(&[("cache-group-invalidation", "\"a\"")]);
    for (method, status, expected) in [
        (Method::POST, StatusCode::OK, 1),
        (Method::DELETE, StatusCode::NO_CONTENT, 1),
        (Method::POST, StatusCode::BAD_REQUEST, 0),
        (Method::GET, StatusCode::OK, 0),
    ] {
        let found = cache_group_invalidation(&method, status, &fields).len();
        assert_eq!(found, expected, "{method} {status}");
    }
}
