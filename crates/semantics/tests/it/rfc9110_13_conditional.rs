use http::{Method, StatusCode};
use semantics::{Precondition, evaluate, not_modified_headers};

use crate::support::{Fields, NOW, headers};

use Precondition::{Failed, NotModified, Proceed};

const STORED: Fields<'static> = &[("etag", "\"a\""), ("last-modified", "@-60"), ("date", "@0")];
const WEAK: Fields<'static> = &[("etag", "W/\"a\"")];

fn check(table: &[(&Method, Fields<'_>, Fields<'_>, Precondition)]) {
    for (method, request, stored, expected) in table {
        let found = evaluate(method, &headers(request), StatusCode::OK, &headers(stored), NOW);
        assert_eq!(found, *expected, "{method} {request:?} {stored:?}");
    }
}

//= rfc9110#13.1.1
#[test]
fn if_match() {
    let get = &Method::GET;
    check(&[
        (get, &[("if-match", "\"a\"")], STORED, Proceed),
        (get, &[("if-match", "\"b\", \"a\"")], STORED, Proceed),
        (get, &[("if-match", "*")], STORED, Proceed),
        (get, &[("if-match", "\"b\"")], STORED, Failed),
        (get, &[("if-match", "W/\"a\"")], STORED, Failed),
        (get, &[("if-match", "W/\"a\"")], WEAK, Failed),
        (get, &[("if-match", "\"a\"")], &[], Failed),
    ]);
}

//= rfc9110#13.1.2
#[test]
fn if_none_match() {
    let (get, put) = (&Method::GET, &Method::PUT);
    check(&[
        (get, &[("if-none-match", "\"a\"")], STORED, NotModified),
        (&Method::HEAD, &[("if-none-match", "\"a\"")], STORED, NotModified),
        (get, &[("if-none-match", "\"1\", \"a\", \"2\"")], STORED, NotModified),
        (get, &[("if-none-match", "\"1\""), ("if-none-match", "\"a\"")], STORED, NotModified),
        (get, &[("if-none-match", "*")], STORED, NotModified),
        (get, &[("if-none-match", "W/\"a\"")], STORED, NotModified),
        (get, &[("if-none-match", "\"a\"")], WEAK, NotModified),
        (get, &[("if-none-match", "\"b\"")], STORED, Proceed),
        (get, &[("if-none-match", "\"a\"")], &[], Proceed),
        (put, &[("if-none-match", "\"a\"")], STORED, Failed),
        (put, &[("if-none-match", "*")], STORED, Failed),
    ]);
}

//= rfc9110#13.1.3
//= rfc9110#13.1.4
#[test]
fn dates() {
    let (get, put) = (&Method::GET, &Method::PUT);
    check(&[
        (get, &[("if-modified-since", "@-60")], STORED, NotModified),
        (get, &[("if-modified-since", "@-61")], STORED, Proceed),
        (get, &[("if-modified-since", "once")], STORED, Proceed),
        (get, &[("if-modified-since", "@-60"), ("if-modified-since", "@-60")], STORED, Proceed),
        (put, &[("if-modified-since", "@-60")], STORED, Proceed),
        (get, &[("if-unmodified-since", "@-60")], STORED, Proceed),
        (get, &[("if-unmodified-since", "@-61")], STORED, Failed),
        (put, &[("if-unmodified-since", "@-61")], STORED, Failed),
        (get, &[("if-unmodified-since", "once")], STORED, Proceed),
        (get, &[("if-unmodified-since", "@-61")], &[], Proceed),
    ]);
}

//= rfc9110#13.2.1
//= rfc9110#13.2.2
#[test]
fn what_counts_before_what() {
    let get = &Method::GET;
    check(&[
        (get, &[("if-none-match", "\"a\""), ("if-modified-since", "@-99")], STORED, NotModified),
        (get, &[("if-none-match", "\"b\""), ("if-modified-since", "@0")], STORED, Proceed),
        (get, &[("if-match", "\"a\""), ("if-unmodified-since", "@-99")], STORED, Proceed),
        (get, &[("if-match", "\"b\""), ("if-none-match", "\"a\"")], STORED, Failed),
        (get, &[("if-match", "\"a\""), ("if-none-match", "\"a\"")], STORED, NotModified),
        (get, &[("if-unmodified-since", "@-99"), ("if-none-match", "\"a\"")], STORED, Failed),
        (&Method::OPTIONS, &[("if-match", "\"b\"")], STORED, Proceed),
    ]);
    let request = headers(&[("if-none-match", "\"a\"")]);
    let missing = evaluate(&Method::GET, &request, StatusCode::NOT_FOUND, &headers(STORED), NOW);
    assert_eq!(missing, Proceed);
}

//= rfc9110#15.4.5
#[test]
fn what_a_304_carries() {
    let stored = headers(&[
        ("cache-control", "max-age=60"),
        ("content-location", "/x"),
        ("date", "@0"),
        ("etag", "\"a\""),
        ("expires", "@60"),
        ("vary", "foo"),
        ("x-own", "1"),
        ("age", "5"),
        ("last-modified", "@-60"),
        ("content-type", "text/html"),
        ("content-length", "5"),
        ("content-encoding", "gzip"),
        ("content-language", "de"),
    ]);
    let expected = headers(&[
        ("cache-control", "max-age=60"),
        ("content-location", "/x"),
        ("date", "@0"),
        ("etag", "\"a\""),
        ("expires", "@60"),
        ("vary", "foo"),
        ("x-own", "1"),
    ]);
    assert_eq!(not_modified_headers(&stored), expected);
    let dated = headers(&[("last-modified", "@-60"), ("content-type", "text/html")]);
    assert_eq!(not_modified_headers(&dated), headers(&[("last-modified", "@-60")]));
}
