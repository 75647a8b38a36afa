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

#[test]
fn references_resolve_on_the_same_origin_only() {
    for (reference, expected) in [
        ("/x", Some("https://h/x")),
        ("y", Some("https://h/a/y")),
        ("./y", Some("https://h/a/y")),
        ("../y?z", Some("https://h/y?z")),
        ("", Some("https://h/a/b?q")),
        ("?r", Some("https://h/a/b?r")),
        ("/x#f", Some("https://h/x")),
        ("https://h/x/../y", Some("https://h/y")),
        ("HTTPS://H:443/x", Some("https://h/x")),
        ("//h/x", Some("https://h/x")),
        ("//h?x", Some("https://h/?x")),
        ("https://h", Some("https://h/")),
        ("x:y/z", None),
        ("http://h/x", None),
        ("https://h:444/x", None),
        ("https://other/x", None),
        ("//other/x", None),
        ("https://h@other/x", None),
        ("https:/x", None),
        ("mailto:a@h", None),
        ("/a b", None),
        ("\\\\other/x", None),
    ] {
        let found = resolve_same_origin("https", "h", "/a/b?q", reference);
        assert_eq!(found.as_deref(), expected, "{reference}");
    }
}

proptest! {
    #[test]
    fn resolving_never_leaves_the_origin(reference in "[ -~]{0,40}") {
        if let Some(url) = resolve_same_origin("http", "h", "/a", &reference) {
            prop_assert!(url.starts_with("http://h/"), "{}", url);
        }
    }

    #[test]
    fn groups_never_panic(value in "[ -~]{0,60}") {
        let _ = cache_groups(&headers(&[("cache-groups", &value)]));
    }
}
