use std::ops::Range;

use semantics::{
    ContentRange, RangeIgnored, RangeRequest, Resolved, multipart, parse_range, resolve,
};

use crate::support::headers;

fn ranges(value: &str, length: u64) -> Result<Vec<Range<u64>>, Option<RangeIgnored>> {
    match parse_range(&headers(&[("range", value)]), 3) {
        RangeRequest::None => unreachable!(),
        RangeRequest::Ignored(reason) => Err(Some(reason)),
        RangeRequest::Specs(specs) => match resolve(&specs, length) {
            Resolved::Satisfiable(ranges) => Ok(ranges.to_vec()),
            Resolved::Unsatisfiable => Err(None),
        },
    }
}

//= rfc9110#14.1.1
//= rfc9110#14.1.2
//= rfc9110#14.2
#[test]
#[expect(clippy::single_range_in_vec_init, reason = "one range is a list of ranges")]
fn byte_ranges() {
    for (value, expected) in [
        ("bytes=0-499", Ok(vec![0..500])),
        ("bytes=500-999", Ok(vec![500..1000])),
        ("bytes=-500", Ok(vec![9500..10000])),
        ("bytes=9500-", Ok(vec![9500..10000])),
        ("bytes=0-0,-1", Ok(vec![0..1, 9999..10000])),
        ("bytes=500-700,601-999", Ok(vec![500..1000])),
        ("bytes=9999-20000", Ok(vec![9999..10000])),
        ("bytes=-20000", Ok(vec![0..10000])),
        ("bytes=10000-", Err(None)),
        ("bytes=-0", Err(None)),
        ("bytes=5-4", Err(Some(RangeIgnored::Malformed))),
        ("bytes 0-4", Err(Some(RangeIgnored::Malformed))),
        ("lines=0-4", Err(Some(RangeIgnored::Unit))),
        ("bytes=0-0,2-2,4-4,6-6", Err(Some(RangeIgnored::TooMany))),
    ] {
        assert_eq!(ranges(value, 10000), expected, "{value}");
    }
}

//= rfc9110#14.4
//= rfc9110#15.5.17
#[test]
fn content_range() {
    let part = ContentRange { first: 42, last: 1233, complete: Some(1234) };
    assert_eq!(part.to_string(), "bytes 42-1233/1234");
    assert_eq!(ContentRange::parse(b"bytes 42-1233/1234"), Some(part));
    assert_eq!(ContentRange::parse(b"bytes 42-1233/1233"), None);
    assert_eq!(ContentRange::unsatisfied(1234), "bytes */1234");
    assert_eq!(ContentRange::parse_unsatisfied(b"bytes */1234"), Some(1234));
}

//= rfc9110#14.6
//= rfc9110#15.3.7.2
#[test]
fn several_parts_in_one_body() {
    let part = multipart::part_header("SEP", Some("application/pdf"), &(500..1000), 8000);
    assert_eq!(
        part,
        "\r\n--SEP\r\nContent-Type: application/pdf\r\nContent-Range: bytes 500-999/8000\r\n\r\n"
    );
    let bare = multipart::part_header("SEP", None, &(0..1), 8000);
    assert_eq!(bare, "\r\n--SEP\r\nContent-Range: bytes 0-0/8000\r\n\r\n");
    assert_eq!(multipart::closing("SEP"), "\r\n--SEP--\r\n");
    assert_eq!(ranges("bytes=8-9,0-1,2-4", 10), Ok(vec![8..10, 0..5]));
}
