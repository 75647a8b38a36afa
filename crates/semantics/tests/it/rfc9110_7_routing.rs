use http::Version;
use semantics::{append_via, asked_upgrade, join_cookies, strip_hop_by_hop, strip_nominated};

use crate::support::headers;

//= rfc9110#7.6.1
#[test]
fn the_connections_fields_end_with_it() {
    let mut fields = headers(&[
        ("connection", "close, X-Mine"),
        ("x-mine", "1"),
        ("x-other", "2"),
        ("keep-alive", "timeout=5"),
        ("te", "trailers"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "websocket"),
        ("proxy-connection", "close"),
    ]);
    strip_hop_by_hop(&mut fields);
    assert_eq!(fields, headers(&[("x-other", "2")]));
    // Naming what says where a message goes and ends does not take it away.
    let kept = [("host", "h"), ("content-length", "3"), ("cdn-loop", "other")];
    for strip in [strip_hop_by_hop, |fields: &mut _| assert!(!strip_nominated(fields))] {
        let mut fields = headers(&kept);
        fields.insert("connection", "host, content-length, CDN-Loop".parse().unwrap());
        strip(&mut fields);
        fields.remove("connection");
        assert_eq!(fields, headers(&kept));
    }
}

//= rfc9110#7.6.1
#[test]
fn what_a_client_names_is_no_part_of_its_request() {
    let mut fields = headers(&[
        ("connection", "Accept-Language, upgrade"),
        ("connection", "authorization,keep-alive"),
        ("accept-language", "de"),
        ("authorization", "Basic eA=="),
        ("upgrade", "websocket"),
        ("te", "trailers"),
        ("accept", "a/b"),
    ]);
    assert!(strip_nominated(&mut fields));
    let connection = fields.remove("connection");
    assert_eq!(connection.unwrap(), "Accept-Language, upgrade");
    // Whoever takes the others away must still be able to read them.
    let left = [("upgrade", "websocket"), ("te", "trailers"), ("accept", "a/b")];
    assert_eq!(fields, headers(&left));
}

//= rfc9110#7.8
#[test]
fn an_upgrade_counts_in_http_1_1_with_the_connections_option() {
    for (version, connection, upgrade, asked) in [
        (Version::HTTP_11, "upgrade", "websocket", Some("websocket")),
        (Version::HTTP_11, "keep-alive, Upgrade", "a/1, b", Some("a/1, b")),
        (Version::HTTP_11, "upgrade", "h2c, foo,H2C", Some("foo")),
        (Version::HTTP_11, "upgrade", "h2c", None),
        (Version::HTTP_11, "upgrade", "", None),
        (Version::HTTP_11, "keep-alive", "websocket", None),
        (Version::HTTP_10, "upgrade", "websocket", None),
        (Version::HTTP_2, "upgrade", "websocket", None),
    ] {
        let fields = headers(&[("connection", connection), ("upgrade", upgrade)]);
        let found = asked_upgrade(version, &fields);
        let found = found.as_ref().map(|value| value.to_str().unwrap());
        assert_eq!(found, asked, "{version:?} {connection} {upgrade}");
    }
    assert_eq!(asked_upgrade(Version::HTTP_11, &headers(&[("upgrade", "websocket")])), None);
}

//= rfc9113#8.2.3
#[test]
fn cookies_are_one_line() {
    for (lines, joined) in [
        (&["a=1"][..], &["a=1"][..]),
        (&["a=1", "b=2; c=3", "d=4"], &["a=1; b=2; c=3; d=4"]),
        (&[], &[]),
    ] {
        let cookies = |lines: &[&'static str]| {
            let pairs: Vec<_> = lines.iter().map(|line| ("cookie", *line)).collect();
            headers(&pairs)
        };
        let mut fields = cookies(lines);
        join_cookies(&mut fields);
        assert_eq!(fields, cookies(joined));
    }
}

//= rfc9110#7.6.3
#[test]
fn via_names_each_hop() {
    let mut fields = headers(&[]);
    append_via(&mut fields, Version::HTTP_10, "edge");
    append_via(&mut fields, Version::HTTP_2, "shield");
    assert_eq!(fields, headers(&[("via", "1.0 edge, 2 shield")]));
}
