use http::{Method, StatusCode};
use semantics::invalidated_targets;

use crate::support::{Fields, headers};

fn targets(method: &str, status: u16, response: Fields<'_>) -> Vec<String> {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let status = StatusCode::from_u16(status).unwrap();
    invalidated_targets(&method, status, "https", "h", "/a/b?q", &headers(response)).to_vec()
}

const TARGET: &str = "https://h/a/b?q";

//= rfc9111#4.4
//= rfc9110#9.2.1
#[test]
fn unsafe_methods_that_succeed_invalidate_their_target() {
    for (method, status, expected) in [
        ("POST", 200, true),
        ("POST", 302, true),
        ("PUT", 204, true),
        ("DELETE", 200, true),
        ("PATCH", 200, true),
        ("M-SEARCH", 200, true),
        ("POST", 404, false),
        ("POST", 500, false),
        ("GET", 200, false),
        ("HEAD", 200, false),
        ("OPTIONS", 200, false),
        ("TRACE", 200, false),
    ] {
        let found = targets(method, status, &[]);
        let expected: &[&str] = if expected { &[TARGET] } else { &[] };
        assert_eq!(found, expected, "{method} {status}");
    }
}

//= rfc9111#4.4
//= rfc9110#10.2.2
//= rfc9110#4.3.1
#[test]
fn and_what_they_name_on_the_same_origin() {
    for (fields, also) in [
        (&[("location", "/x")][..], &["https://h/x"][..]),
        (&[("content-location", "https://H:443/y#z")], &["https://h/y"]),
        (&[("location", "c"), ("content-location", "../d")], &["https://h/a/c", "https://h/d"]),
        (&[("location", "/x"), ("content-location", "/x")], &["https://h/x"]),
        (&[("location", "https://h/a/b?q")], &[]),
        (&[("location", "https://other/x")], &[]),
        (&[("location", "http://h/x")], &[]),
        (&[("location", "https://h:8443/x")], &[]),
        (&[("location", "//other/x")], &[]),
        (&[("location", "https://h@other/x")], &[]),
    ] {
        let found = targets("POST", 201, fields);
        assert_eq!(found[0], TARGET);
        assert_eq!(&found[1..], also, "{fields:?}");
        assert!(targets("POST", 500, fields).is_empty());
    }
}
