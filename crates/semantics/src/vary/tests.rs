use super::*;
use crate::coding::Coding;
use proptest::prelude::*;

fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn vary(value: &str) -> VaryField {
    parse_vary(&headers(&[("vary", value)]))
}

fn key(names: &str, fields: &[(&'static str, &str)]) -> Box<[u8]> {
    let VaryField::Fields(vary) = vary(names) else { panic!("{names}") };
    variant_key(Some(&vary), &headers(fields), &VariantRules::default())
}

#[test]
fn fields_are_sorted_and_unique() {
    let VaryField::Fields(parsed) = vary("Foo, bar ,FOO,, Baz") else { panic!() };
    let names: Vec<_> = parsed.names().iter().map(HeaderName::as_str).collect();
    assert_eq!(names, ["bar", "baz", "foo"]);
    assert!(parsed.contains(&HeaderName::from_static("foo")));
    assert_eq!(vary("a, b"), vary("B, A"));
    assert_eq!(vary(""), VaryField::None);
    assert_eq!(parse_vary(&HeaderMap::new()), VaryField::None);
}

#[test]
fn a_star_anywhere_decides() {
    for value in ["*", "*, *", ", *", "*, Foo", "Foo, *", "Foo Bar", "Foo;x"] {
        assert_eq!(vary(value), VaryField::Star, "{value}");
    }
    assert_eq!(parse_vary(&headers(&[("vary", ""), ("vary", "*")])), VaryField::Star);
}

#[test]
fn keys_tell_requests_apart_by_nominated_fields_only() {
    let one = key("Foo", &[("foo", "1"), ("other", "2")]);
    assert_eq!(one, key("Foo", &[("foo", "1"), ("other", "3")]));
    assert_ne!(one, key("Foo", &[("foo", "2")]));
    assert_ne!(one, key("Foo", &[]));
    assert_ne!(key("Foo", &[("foo", "")]), key("Foo", &[]));
    assert_ne!(key("a, b", &[("a", "xy")]), key("a, b", &[("a", "x"), ("b", "y")]));
    assert_ne!(key("a, b", &[("a", "x")]), key("a, b", &[("b", "x")]));
    assert!(variant_key(None, &HeaderMap::new(), &VariantRules::default()).is_empty());
}

#[test]
fn unknown_fields_are_lists_without_whitespace() {
    let expected = key("Foo", &[("foo", "1,2")]);
    assert_eq!(expected, key("Foo", &[("foo", " 1 ,\t2 ")]));
    assert_eq!(expected, key("Foo", &[("foo", "1"), ("foo", "2")]));
    assert_ne!(expected, key("Foo", &[("foo", "2,1")]));
    assert_ne!(key("Foo", &[("foo", "\"a , b\"")]), key("Foo", &[("foo", "\"a,b\"")]));
}

#[test]
fn languages_have_one_form() {
    let lang = |value: &str| key("Accept-Language", &[("accept-language", value)]);
    let expected = lang("en, de");
    for same in ["de, en", "eN, De", "  en ,   de", "en;q=1.0, de;q=1", "de,en,de"] {
        assert_eq!(lang(same), expected, "{same}");
    }
    for other in ["en", "en;q=0.5, de", "en, fr", "en-GB, de"] {
        assert_ne!(lang(other), expected, "{other}");
    }
    assert_eq!(lang("de;q=0.5, fr;q=0.9"), lang("fr;q=0.90, DE;q=0.500"));
}

#[test]
fn encodings_count_by_what_the_site_can_send() {
    let rules = VariantRules { encodings: [Coding::Gzip, Coding::Br].into_iter().collect() };
    let VaryField::Fields(vary) = vary("Accept-Encoding") else { panic!() };
    let key =
        |value: &str| variant_key(Some(&vary), &headers(&[("accept-encoding", value)]), &rules);
    assert_eq!(key("gzip, deflate, br, zstd"), key("br;q=0.1, x-gzip"));
    assert_eq!(key("gzip"), key("gzip, deflate"));
    assert_ne!(key("gzip"), key("br"));
    assert_ne!(key("gzip"), key("gzip, identity;q=0"));
    let plain = variant_key(
        Some(&vary),
        &headers(&[("accept-encoding", "gzip, x")]),
        &VariantRules::default(),
    );
    assert_eq!(&plain[5..], b"gzip,x");
}

#[test]
fn languages_select() {
    let content = |value: &str| HeaderValue::from_str(value).unwrap();
    let wants = |value: &str| headers(&[("accept-language", value)]);
    for (accept, language, best, quality) in [
        ("fr;q=0.5, de;q=1.0", "de", true, 1000),
        ("fr;q=0.5, de;q=1.0", "fr", false, 500),
        ("fr, de", "de", false, 1000),
        ("de", "de-CH", true, 1000),
        ("de-CH", "de", false, 0),
        ("de-ch, de;q=0.8", "DE-CH", true, 1000),
        ("*", "de", true, 1000),
        ("de;q=0.2, *", "de", false, 200),
        ("de;q=0", "de", false, 0),
        ("en", "fr, en", true, 1000),
        ("den", "de", false, 0),
    ] {
        let (request, content) = (wants(accept), content(language));
        assert_eq!(language_match(&request, &content), best, "{accept} {language}");
        assert_eq!(language_quality(&request, &content), quality, "{accept} {language}");
    }
    assert_eq!(language_quality(&HeaderMap::new(), &content("de")), 1000);
    assert!(!language_match(&HeaderMap::new(), &content("de")));
}

#[test]
fn debug_value() {
    let request = headers(&[("accept-language", "de, EN;q=0.5"), ("foo", "1 , 2")]);
    let value = |name| normalized_value(&HeaderName::from_static(name), &request);
    assert_eq!(value("foo").unwrap(), "1,2");
    assert_eq!(value("accept-language").unwrap(), "de,en;500");
    assert_eq!(value("bar"), None);
}

proptest! {
    #[test]
    fn never_panics(value in "[ -~]{0,60}", accept in "[ -~]{0,60}") {
        let parsed = vary(&value);
        let request = headers(&[("accept-language", &accept), ("accept-encoding", &accept)]);
        let rules = VariantRules { encodings: [Coding::Gzip].into_iter().collect() };
        if let VaryField::Fields(vary) = &parsed {
            let _ = variant_key(Some(vary), &request, &rules);
        }
        let both = Vary::of([header::ACCEPT_LANGUAGE, header::ACCEPT_ENCODING]).unwrap();
        let _ = variant_key(Some(&both), &request, &rules);
        if let Ok(language) = HeaderValue::from_str(&value) {
            let _ = (language_match(&request, &language), language_quality(&request, &language));
        }
    }
}
