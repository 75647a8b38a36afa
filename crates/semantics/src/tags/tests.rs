use super::*;
use http::HeaderValue;
use proptest::prelude::*;

fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn tags(fields: &[(&'static str, &str)], limits: TagLimits) -> Vec<String> {
    let headers = headers(fields);
    surrogate_tags(&headers, limits).map(|tag| String::from_utf8_lossy(tag).into_owned()).collect()
}

#[test]
fn both_fields_with_their_separators() {
    let fields =
        [("surrogate-key", " a  b\tc,d"), ("surrogate-key", "a e"), ("cache-tag", "x y , ,z,a")];
    assert_eq!(tags(&fields, TagLimits::default()), ["a", "b", "c,d", "e", "x y", "z"]);
    assert!(tags(&[], TagLimits::default()).is_empty());
}

#[test]
fn limits_leave_out() {
    let limits = TagLimits { count: 2, length: 3 };
    assert_eq!(tags(&[("surrogate-key", "toolong abc b c")], limits), ["abc", "b"]);
}

#[test]
fn groups_are_among_all_tags() {
    let fields = headers(&[("surrogate-key", "a b"), ("cache-groups", "\"b\", \"g h\"")]);
    let found = all_tags(&fields, TagLimits::default());
    assert_eq!(found, [&b"a"[..], b"b", b"g h"]);
}

#[test]
fn tags_that_can_be_named() {
    for (tag, expected) in [
        ("a", Ok(())),
        ("product:42/ü", Ok(())),
        (&"a".repeat(1024), Ok(())),
        ("", Err(BadTag::Empty)),
        (&"a".repeat(1025), Err(BadTag::TooLong)),
        ("a b", Err(BadTag::Character)),
        ("a,b", Err(BadTag::Character)),
        ("a\n", Err(BadTag::Character)),
        ("a\u{7f}", Err(BadTag::Character)),
        ("a\u{a0}b", Err(BadTag::Character)),
    ] {
        assert_eq!(check_tag(tag), expected, "{tag:?}");
    }
}

proptest! {
    #[test]
    fn bounded_whatever_comes(value in "[ -~]{0,200}") {
        let limits = TagLimits { count: 5, length: 4 };
        let found = tags(&[("surrogate-key", &value), ("cache-tag", &value)], limits);
        prop_assert!(found.len() <= 5 && found.iter().all(|tag| (1..=4).contains(&tag.len())));
    }
}
