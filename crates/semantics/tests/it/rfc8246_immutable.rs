use semantics::{RequestDirectives, ResponseDirectives, Verdict};

use crate::support::{at, get, headers};

//= rfc8246#2
#[test]
fn immutable_is_read_and_changes_no_lifetime() {
    let fields = [("cache-control", "max-age=10, immutable")];
    assert!(ResponseDirectives::parse(&headers(&fields)).immutable);
    let fresh = get(&fields).unwrap().freshness;
    let quiet = RequestDirectives::default();
    assert_eq!(fresh.judge(&quiet, at(9)), Verdict::Fresh);
    assert_ne!(fresh.judge(&quiet, at(10)), Verdict::Fresh);
}
