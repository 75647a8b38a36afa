use semantics::freshen_headers;

use crate::support::headers;

//= rfc9111#3.2
//= rfc9111#4.3.4
#[test]
fn a_304_updates_all_but_what_describes_the_body() {
    let mut stored = headers(&[
        ("date", "@-99"),
        ("age", "7"),
        ("cache-control", "max-age=2"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=1"),
        ("content-type", "text/plain"),
        ("content-length", "5"),
        ("content-encoding", "x"),
        ("content-range", "y"),
        ("content-md5", "z"),
        ("etag", "\"a\""),
        ("only-stored", "1"),
    ]);
    freshen_headers(
        &mut stored,
        &headers(&[
            ("cache-control", "max-age=60"),
            ("set-cookie", "c=1"),
            ("content-type", "text/html"),
            ("content-length", "0"),
            ("content-encoding", "x2"),
            ("content-range", "y2"),
            ("content-md5", "z2"),
            ("etag", "\"b\""),
            ("only-new", "2"),
            ("connection", "named"),
            ("named", "3"),
            ("keep-alive", "4"),
            ("transfer-encoding", "chunked"),
        ]),
    );
    let expected = headers(&[
        ("cache-control", "max-age=60"),
        ("set-cookie", "c=1"),
        ("content-type", "text/html"),
        ("content-length", "5"),
        ("content-encoding", "x"),
        ("content-range", "y"),
        ("content-md5", "z"),
        ("etag", "\"a\""),
        ("only-stored", "1"),
        ("only-new", "2"),
    ]);
    assert_eq!(stored, expected);
}

//= rfc9111#4.3.4
#[test]
fn what_was_vouched_for_now_is_not_as_old_as_before() {
    let mut stored = headers(&[("date", "@-99"), ("age", "7"), ("etag", "\"a\"")]);
    freshen_headers(&mut stored, &headers(&[("date", "@0")]));
    assert_eq!(stored, headers(&[("date", "@0"), ("etag", "\"a\"")]));
    freshen_headers(&mut stored, &headers(&[("age", "3"), ("date", "@1")]));
    assert_eq!(stored, headers(&[("date", "@1"), ("age", "3"), ("etag", "\"a\"")]));
}

//= rfc9111#3.2
#[test]
fn a_first_tag_is_taken() {
    let mut stored = headers(&[("last-modified", "@-9")]);
    freshen_headers(&mut stored, &headers(&[("etag", "\"a\""), ("last-modified", "@-9")]));
    assert_eq!(stored["etag"], "\"a\"");
}
