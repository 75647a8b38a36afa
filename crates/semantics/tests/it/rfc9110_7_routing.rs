use http::Version;
use semantics::{append_via, strip_hop_by_hop};

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
    let mut fields =
        headers(&[("connection", "host, content-length"), ("host", "h"), ("content-length", "3")]);
    strip_hop_by_hop(&mut fields);
    assert_eq!(fields, headers(&[("host", "h"), ("content-length", "3")]));
}

//= rfc9110#7.6.3
#[test]
fn via_names_each_hop() {
    let mut fields = headers(&[]);
    append_via(&mut fields, Version::HTTP_10, "edge");
    append_via(&mut fields, Version::HTTP_2, "shield");
    assert_eq!(fields, headers(&[("via", "1.0 edge, 2 shield")]));
}
