use semantics::{EntityTag, if_range_matches, weaken_etag};

use crate::support::headers;

fn tag(text: &'static str) -> EntityTag<'static> {
    EntityTag::parse(text.as_bytes()).unwrap()
}

//= rfc9110#8.8.3
//= rfc9110#8.8.3.2
#[test]
fn comparison() {
    for (a, b, strong, weak) in [
        ("W/\"1\"", "W/\"1\"", false, true),
        ("W/\"1\"", "W/\"2\"", false, false),
        ("W/\"1\"", "\"1\"", false, true),
        ("\"1\"", "\"1\"", true, true),
    ] {
        assert_eq!(tag(a).strong_eq(&tag(b)), strong, "{a} {b}");
        assert_eq!(tag(a).weak_eq(&tag(b)), weak, "{a} {b}");
    }
}

//= rfc9110#8.8.3
#[test]
fn tags_outside_ascii_are_bytes() {
    let text = "\"abcdef\u{fc}\"".as_bytes();
    let tag = EntityTag::parse(text).unwrap();
    assert_eq!(tag.opaque, "abcdef\u{fc}".as_bytes());
    assert!(tag.strong_eq(&EntityTag::parse(text).unwrap()));
    assert!(EntityTag::parse(b"\"a\x7f\"").is_none());
}

//= rfc9110#8.8.1
#[test]
fn other_bytes_under_a_strong_tag_would_lie() {
    let mut fields = headers(&[("etag", "\"1\"")]);
    weaken_etag(&mut fields);
    assert_eq!(fields, headers(&[("etag", "W/\"1\"")]));
}

//= rfc9110#8.8.2.2
//= rfc9110#13.1.5
#[test]
fn if_range_wants_a_strong_match() {
    let tagged = [("etag", "\"1\""), ("last-modified", "@-60"), ("date", "@0")];
    for (if_range, stored, expected) in [
        ("\"1\"", &tagged[..], true),
        ("\"2\"", &tagged, false),
        ("W/\"1\"", &tagged, false),
        ("W/\"1\"", &[("etag", "W/\"1\"")], false),
        ("\"1\"", &[], false),
        ("@-60", &tagged, true),
        ("@-59", &tagged, false),
        ("@-61", &tagged, false),
        ("@0", &[("last-modified", "@0"), ("date", "@0")], false),
        ("@-60", &[("last-modified", "@-60")], false),
        ("\"open", &tagged, false),
    ] {
        let request = headers(&[("if-range", if_range)]);
        assert_eq!(if_range_matches(&request, &headers(stored)), expected, "{if_range}");
    }
    assert!(if_range_matches(&headers(&[]), &headers(&[])));
}
