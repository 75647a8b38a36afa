use semantics::{CacheStatus, ControlSource, cache_groups, effective_directives};

use crate::support::headers;

//= rfc9651#4.2.2
//= rfc9651#4.2.3.1
#[test]
fn one_fault_voids_a_dictionary() {
    for (value, valid) in [
        (
            "a, b=1, c=1.5, d=\"x\", e=tok/en, f=:AA==:, g=?1, h=(1 2);p=1, i=@1, j=%\"%c3%a4\"",
            true,
        ),
        ("a=1,", false),
        ("A=1", false),
        ("a=1 b", false),
        ("a=01.", false),
        ("a=\"x", false),
        ("a=(1", false),
        ("a=?2", false),
        ("a==1", false),
    ] {
        let fields = headers(&[("cdn-cache-control", value)]);
        let source = effective_directives(&fields).1;
        assert_eq!(source == ControlSource::CdnCacheControl, valid, "{value}");
    }
}

//= rfc9651#4.2.1
#[test]
fn one_fault_voids_a_list() {
    let groups = |value| cache_groups(&headers(&[("cache-groups", value)])).to_vec();
    assert_eq!(groups("\"a\";x, \"b \\\"c\\\"\""), ["a", "b \"c\""]);
    assert!(groups("\"a\", \"b").is_empty());
    assert!(groups("\"a\" \"b\"").is_empty());
}

//= rfc9651#4.1.4
//= rfc9651#4.1.6
//= rfc9651#4.1.7
#[test]
fn what_is_written_can_be_read() {
    let status = CacheStatus {
        ttl: Some(i64::MAX),
        key: Some("a\\b\u{e4}"),
        detail: Some("to:ken/"),
        ..CacheStatus::new("1 edge")
    };
    assert_eq!(
        status.to_header_value(),
        "\"1 edge\"; ttl=999999999999999; key=\"a\\\\b??\"; detail=to:ken/"
    );
}
