use super::*;
use http::HeaderValue;
use proptest::prelude::*;

fn parse(value: &str) -> RangeRequest {
    let mut headers = HeaderMap::new();
    headers.insert(header::RANGE, HeaderValue::from_str(value).unwrap());
    parse_range(&headers, 4)
}

fn specs(list: &[ByteSpec]) -> RangeRequest {
    RangeRequest::Specs(list.iter().copied().collect())
}

#[test]
fn ranges_are_read() {
    use ByteSpec::{From, Suffix};
    assert_eq!(parse_range(&HeaderMap::new(), 4), RangeRequest::None);
    assert_eq!(parse("bytes=0-1"), specs(&[From(0, Some(1))]));
    assert_eq!(parse("Bytes=5-"), specs(&[From(5, None)]));
    assert_eq!(parse("bytes=-5"), specs(&[Suffix(5)]));
    assert_eq!(parse("bytes= 0-0 , ,-1"), specs(&[From(0, Some(0)), Suffix(1)]));
    let huge = "bytes=0-99999999999999999999999";
    assert_eq!(parse(huge), specs(&[From(0, Some(u64::MAX))]));
}

#[test]
fn what_is_not_followed_says_why() {
    use RangeIgnored::{Malformed, TooMany, Unit};
    for (value, reason) in [
        ("items=0-1", Unit),
        ("bytes", Malformed),
        ("bytes=", Malformed),
        ("bytes=1-0", Malformed),
        ("bytes=-", Malformed),
        ("bytes=a-b", Malformed),
        ("bytes=0-1-2", Malformed),
        ("bytes=0-1,x", Malformed),
        ("bytes=+1-2", Malformed),
        ("bytes=0-0,1-1,2-2,3-3,4-4", TooMany),
    ] {
        assert_eq!(parse(value), RangeRequest::Ignored(reason), "{value}");
    }
    let mut twice = HeaderMap::new();
    twice.append(header::RANGE, HeaderValue::from_static("bytes=0-1"));
    twice.append(header::RANGE, HeaderValue::from_static("bytes=2-3"));
    assert_eq!(parse_range(&twice, 4), RangeRequest::Ignored(Malformed));
}

fn resolved(value: &str, length: u64) -> Option<Vec<Range<u64>>> {
    let RangeRequest::Specs(specs) = parse(value) else { panic!("{value}") };
    match resolve(&specs, length) {
        Resolved::Satisfiable(ranges) => Some(ranges.to_vec()),
        Resolved::Unsatisfiable => None,
    }
}

#[test]
#[expect(clippy::single_range_in_vec_init, reason = "one range is a list of ranges")]
fn ranges_meet_a_body() {
    for (value, length, expected) in [
        ("bytes=0-1", 11, Some(vec![0..2])),
        ("bytes=1-", 11, Some(vec![1..11])),
        ("bytes=-1", 11, Some(vec![10..11])),
        ("bytes=-99", 11, Some(vec![0..11])),
        ("bytes=5-99", 11, Some(vec![5..11])),
        ("bytes=11-", 11, None),
        ("bytes=-0", 11, None),
        ("bytes=0-", 0, None),
        ("bytes=-5", 0, None),
        ("bytes=99-,0-0", 11, Some(vec![0..1])),
        ("bytes=8-9,0-1", 11, Some(vec![8..10, 0..2])),
        ("bytes=0-3,2-5", 11, Some(vec![0..6])),
        ("bytes=0-1,2-3", 11, Some(vec![0..4])),
        ("bytes=8-9,0-1,5-8", 11, Some(vec![5..10, 0..2])),
        ("bytes=0-1,6-7,0-9", 11, Some(vec![0..10])),
    ] {
        assert_eq!(resolved(value, length), expected, "{value}/{length}");
    }
}

#[test]
fn content_range() {
    let parsed = |text: &str| ContentRange::parse(text.as_bytes());
    let range = ContentRange { first: 4, last: 9, complete: Some(10) };
    assert_eq!(parsed("bytes 4-9/10"), Some(range));
    assert_eq!(parsed("bytes 4-9/*"), Some(ContentRange { complete: None, ..range }));
    assert_eq!(range.range(), 4..10);
    assert_eq!(range.length(), 6);
    for bad in [
        "bytes 4-9",
        "bytes 9-4/10",
        "bytes 4-10/10",
        "bytes */10",
        "items 4-9/10",
        "4-9/10",
        "bytes 4-9/x",
        "bytes -9/10",
        "bytes 4-/10",
        "bytes 99999999999999999999-1/*",
        "",
    ] {
        assert_eq!(parsed(bad), None, "{bad}");
    }
    assert_eq!(ContentRange::parse_unsatisfied(b"bytes */10"), Some(10));
    assert_eq!(ContentRange::parse_unsatisfied(b"bytes */*"), None);
    assert_eq!(ContentRange::unsatisfied(7), "bytes */7");
    assert_eq!(ContentRange::of(&(3..3), None), None);
}

#[test]
fn multipart_adds_up() {
    let ranges = [0..2u64, 5..9];
    let mut body = String::new();
    for range in &ranges {
        body += &multipart::part_header("B", Some("text/plain"), range, 20);
        body += &"x".repeat((range.end - range.start) as usize);
    }
    body += &multipart::closing("B");
    assert_eq!(
        body,
        "\r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/20\r\n\r\nxx\
         \r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 5-8/20\r\n\r\nxxxx\
         \r\n--B--\r\n"
    );
    assert_eq!(multipart::total_length("B", Some("text/plain"), &ranges, 20), body.len() as u64);
    assert_eq!(multipart::content_type("B"), "multipart/byteranges; boundary=B");
}

proptest! {
    #[test]
    fn parsing_never_panics(value in "[ -~]{0,40}", length in any::<u64>()) {
        if let RangeRequest::Specs(specs) = parse(&value) {
            let _ = resolve(&specs, length);
        }
        let _ = ContentRange::parse(value.as_bytes());
        let _ = ContentRange::parse_unsatisfied(value.as_bytes());
    }

    #[test]
    fn resolved_ranges_are_disjoint_and_in_the_body(
        raw in proptest::collection::vec((0u64..60, proptest::option::of(0u64..60)), 1..6),
        length in 0u64..50,
    ) {
        let specs: Vec<_> = raw.iter().map(|(a, b)| match b {
            Some(b) => ByteSpec::From(*a, Some(a + b)),
            None => ByteSpec::Suffix(*a),
        }).collect();
        if let Resolved::Satisfiable(ranges) = resolve(&specs, length) {
            let mut covered = std::collections::HashSet::new();
            for range in &ranges {
                prop_assert!(range.start < range.end && range.end <= length);
                for byte in range.clone() {
                    prop_assert!(covered.insert(byte));
                }
            }
        }
    }

    #[test]
    fn content_range_round_trips(first in 0u64..1000, more in 0u64..1000, rest in proptest::option::of(1u64..9)) {
        let last = first + more;
        let range = ContentRange { first, last, complete: rest.map(|r| last + r) };
        prop_assert_eq!(ContentRange::parse(range.to_string().as_bytes()), Some(range));
    }
}
