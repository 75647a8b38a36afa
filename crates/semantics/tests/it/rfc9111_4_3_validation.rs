use http::{Method, StatusCode};
use semantics::{Precondition, add_validators, evaluate, head_matches, validates};

use crate::support::{NOW, headers};

//= rfc9111#4.3.1
#[test]
fn validators_of_the_stored_response_replace_the_clients() {
    for (stored, sent, any) in [
        (&[("etag", "\"a\"")][..], &[("if-none-match", "\"a\""), ("x", "1")][..], true),
        (&[("etag", "W/\"a\"")], &[("if-none-match", "W/\"a\""), ("x", "1")], true),
        (&[("last-modified", "@-9")], &[("if-modified-since", "@-9"), ("x", "1")], true),
        (
            &[("last-modified", "@-9"), ("etag", "\"a\"")],
            &[("if-modified-since", "@-9"), ("if-none-match", "\"a\""), ("x", "1")],
            true,
        ),
        (&[("last-modified", "once")], &[("x", "1")], false),
        (&[], &[("x", "1")], false),
    ] {
        let mut outgoing = headers(&[
            ("x", "1"),
            ("if-none-match", "\"client\""),
            ("if-modified-since", "@-1"),
            ("if-match", "\"client\""),
            ("if-unmodified-since", "@-1"),
            ("if-range", "\"client\""),
        ]);
        assert_eq!(add_validators(&headers(stored), &mut outgoing), any, "{stored:?}");
        assert_eq!(outgoing, headers(sent), "{stored:?}");
    }
}

//= rfc9111#4.3.2
#[test]
fn clients_are_answered_from_the_cache() {
    for (stored, since, expected) in [
        (&[("last-modified", "@-3000")][..], "@-3000", Precondition::NotModified),
        (&[("last-modified", "@-3000")], "@-2000", Precondition::NotModified),
        (&[("last-modified", "@-3000")], "@-3001", Precondition::Proceed),
        // Without a date of change, when it was sent: nothing since then is unknown.
        (&[("date", "@0")], "@0", Precondition::NotModified),
        (&[("date", "@0")], "@-3000", Precondition::Proceed),
        (&[], "@0", Precondition::NotModified),
        (&[], "@-1", Precondition::Proceed),
    ] {
        let request = headers(&[("if-modified-since", since)]);
        let found = evaluate(&Method::GET, &request, StatusCode::OK, &headers(stored), NOW);
        assert_eq!(found, expected, "{stored:?} {since}");
    }
}

//= rfc9111#4.3.3
#[test]
fn which_304_is_about_the_stored_response() {
    let tag = ("etag", "\"a\"");
    let weak = ("etag", "W/\"a\"");
    let other = ("etag", "\"b\"");
    let date = ("last-modified", "@-9");
    let later = ("last-modified", "@-8");
    for (stored, update, expected) in [
        (&[tag][..], &[tag][..], true),
        (&[tag], &[weak], true),
        (&[tag], &[], true),
        (&[tag, date], &[tag, later], true),
        // Compressing origins name another tag; the request named one only.
        (&[tag], &[other], true),
        (&[tag, date], &[other, date], true),
        (&[tag, date], &[other, later], false),
        (&[tag, date], &[later], false),
        (&[date], &[date], true),
        (&[date], &[], true),
        (&[date], &[later], false),
        (&[date], &[tag, date], true),
        (&[], &[tag], false),
    ] {
        assert_eq!(
            validates(&headers(stored), &headers(update)),
            expected,
            "{stored:?} {update:?}"
        );
    }
}

//= rfc9111#4.3.5
#[test]
fn a_head_response_freshens_what_it_describes() {
    let stored = headers(&[("etag", "\"a\""), ("last-modified", "@-9"), ("content-length", "5")]);
    for (status, head, expected) in [
        (200, &[][..], true),
        (200, &[("etag", "\"a\""), ("content-length", "5"), ("last-modified", "@-9")], true),
        (200, &[("etag", "\"b\"")], false),
        (200, &[("etag", "W/\"a\"")], false),
        (200, &[("content-length", "6")], false),
        (200, &[("last-modified", "@-8")], false),
        (404, &[], false),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(head_matches(&stored, None, status, &headers(head)), expected, "{head:?}");
    }
    let part = headers(&[("content-range", "bytes 0-4/10"), ("content-length", "5")]);
    let ten = headers(&[("content-length", "10")]);
    assert!(head_matches(&part, None, StatusCode::OK, &ten));
    assert!(!head_matches(&part, Some(11), StatusCode::OK, &ten));
}
