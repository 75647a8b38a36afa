use super::*;
use proptest::prelude::*;
use std::net::IpAddr;

fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

#[test]
fn the_connections_fields_go() {
    let mut fields = headers(&[
        ("connection", "a, B, keep-alive"),
        ("connection", "Host, content-length, close, not-there, b ad"),
        ("a", "1"),
        ("b", "2"),
        ("c", "3"),
        ("host", "h"),
        ("content-length", "4"),
        ("cache-control", "max-age=5"),
        ("keep-alive", "x"),
        ("proxy-authenticate", "x"),
        ("proxy-authentication-info", "x"),
        ("proxy-authorization", "x"),
        ("proxy-connection", "x"),
        ("te", "trailers"),
        ("trailer", "x-sum"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
    ]);
    strip_hop_by_hop(&mut fields);
    let mut left: Vec<_> = fields.keys().map(HeaderName::as_str).collect();
    left.sort_unstable();
    assert_eq!(left, ["c", "cache-control", "content-length", "host", "trailer"]);
}

#[test]
fn via() {
    let mut fields = headers(&[("via", "1.0 a"), ("via", "2 b")]);
    append_via(&mut fields, Version::HTTP_11, "edge");
    assert_eq!(fields[header::VIA], "1.0 a, 2 b, 1.1 edge");
    let mut fields = HeaderMap::new();
    append_via(&mut fields, Version::HTTP_2, "edge");
    assert_eq!(fields[header::VIA], "2 edge");
}

#[test]
fn forwarded() {
    let v4: IpAddr = "192.0.2.1".parse().unwrap();
    let v6: IpAddr = "2001:db8::1".parse().unwrap();
    let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
    let sent = [
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-host", "evil"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=10.0.0.1"),
    ];
    let mut fields = headers(&sent);
    append_forwarded(&mut fields, v4, "h:81", "http", false);
    assert_eq!(fields["x-forwarded-for"], "192.0.2.1");
    assert_eq!(fields["x-forwarded-host"], "h:81");
    assert_eq!(fields["x-forwarded-proto"], "http");
    assert_eq!(fields["forwarded"], "for=192.0.2.1;host=\"h:81\";proto=http");

    let mut fields = headers(&sent);
    append_forwarded(&mut fields, v6, "h", "http", true);
    assert_eq!(fields["x-forwarded-for"], "10.0.0.1, 2001:db8::1");
    assert_eq!(fields["x-forwarded-host"], "evil");
    assert_eq!(fields["forwarded"], "for=10.0.0.1, for=\"[2001:db8::1]\";host=h;proto=http");
    let mut fields = HeaderMap::new();
    append_forwarded(&mut fields, mapped, "a\"b", "http", true);
    assert_eq!(fields["forwarded"], "for=192.0.2.1;host=\"a\\\"b\";proto=http");
}

#[test]
fn loops() {
    for (value, verdict) in [
        ("other", LoopVerdict::Ok),
        ("blue, other", LoopVerdict::Ok),
        ("blue-origin", LoopVerdict::Loop),
        ("a, BLUE-Origin;v=1, b", LoopVerdict::Loop),
        ("a; \"blue-origin", LoopVerdict::Loop),
        ("a blue-origin", LoopVerdict::Loop),
        ("blue-origin2", LoopVerdict::Ok),
    ] {
        assert_eq!(
            cdn_loop_check(&headers(&[("cdn-loop", value)]), "blue-origin"),
            verdict,
            "{value}"
        );
    }
    let two = headers(&[("cdn-loop", "a"), ("cdn-loop", "blue-origin")]);
    assert_eq!(cdn_loop_check(&two, "blue-origin"), LoopVerdict::Loop);
    assert_eq!(cdn_loop_hops(&two), 2);
    let mut fields = headers(&[("cdn-loop", "a;x=\"1,2\""), ("cdn-loop", "b")]);
    append_cdn_loop(&mut fields, "blue-origin");
    assert_eq!(fields["cdn-loop"], "a;x=\"1,2\", b, blue-origin");
    assert_eq!(cdn_loop_hops(&fields), 3);
}

#[test]
fn request_ids() {
    let id = |value: &str| request_id(&headers(&[("x-request-id", value)])).map(str::to_owned);
    assert_eq!(id("abc-123"), Some("abc-123".to_owned()));
    assert_eq!(id(""), None);
    assert_eq!(id("a b"), None);
    assert_eq!(id(&"x".repeat(128)).map(|id| id.len()), Some(128));
    assert_eq!(id(&"x".repeat(129)), None);
    assert_eq!(request_id(&headers(&[("x-request-id", "a"), ("x-request-id", "b")])), None);
    assert_eq!(request_id(&HeaderMap::new()), None);
}

proptest! {
    #[test]
    fn stripping_never_panics_and_is_final(connection in "[ -~]{0,40}") {
        let mut fields = headers(&[("connection", &connection), ("host", "h"), ("a", "1")]);
        strip_hop_by_hop(&mut fields);
        prop_assert!(fields.contains_key("host") && !fields.contains_key("connection"));
        let once = fields.clone();
        strip_hop_by_hop(&mut fields);
        prop_assert_eq!(once, fields);
    }

    #[test]
    fn an_id_added_is_found(before in "[ -~]{0,40}") {
        let mut fields = headers(&[("cdn-loop", &before)]);
        append_cdn_loop(&mut fields, "blue-origin");
        prop_assert_eq!(cdn_loop_check(&fields, "blue-origin"), LoopVerdict::Loop);
    }
}
