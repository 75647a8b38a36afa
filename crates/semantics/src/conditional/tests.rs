use super::*;
use http::HeaderValue;
use proptest::prelude::*;

use super::etag::tags;

#[test]
fn tags_are_read() {
    for (text, expected) in [
        ("\"a\"", Some((false, "a"))),
        ("W/\"a\"", Some((true, "a"))),
        ("\"\"", Some((false, ""))),
        ("\"a,b\"", Some((false, "a,b"))),
        ("abc", Some((false, "abc"))),
        ("w/\"a\"", Some((false, "w/\"a\""))),
        ("\"a", None),
        ("\"a b\"", None),
        ("\"a\"b", None),
        ("a, b", None),
        ("", None),
    ] {
        let found = EntityTag::parse(text.as_bytes());
        let expected = expected.map(|(weak, tag)| EntityTag { weak, opaque: tag.as_bytes() });
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn lists_of_tags() {
    let read = |text: &str| {
        tags(text.as_bytes())
            .map(|tag| String::from_utf8_lossy(tag.opaque).into_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(read("\"a\", W/\"b,c\" ,,d"), ["a", "b,c", "d"]);
    assert_eq!(read("\"a\"\"b\", \"c\""), ["a"]);
    assert_eq!(read("\"a\", \"open, \"c\""), ["a"]);
}

proptest! {
    #[test]
    fn reading_never_panics_and_ends(line in "[ -~]{0,60}") {
        prop_assert!(tags(line.as_bytes()).count() <= line.len());
        let _ = EntityTag::parse(line.as_bytes());
    }

    #[test]
    fn tags_round_trip(opaque in "[!#-~]{0,20}", weak in any::<bool>()) {
        let text = format!("{}\"{opaque}\"", if weak { "W/" } else { "" });
        let expected = EntityTag { weak, opaque: opaque.as_bytes() };
        prop_assert_eq!(EntityTag::parse(text.as_bytes()), Some(expected));
        let mut request = HeaderMap::new();
        request.insert(header::IF_NONE_MATCH, HeaderValue::from_str(&text).unwrap());
        let found = matches_any(&request, &header::IF_NONE_MATCH, |tag| tag.weak_eq(&expected));
        prop_assert!(found);
    }
}
