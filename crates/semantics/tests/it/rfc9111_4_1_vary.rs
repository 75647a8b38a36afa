use http::HeaderMap;
use semantics::{Coding, VariantRules, VaryField, parse_vary, variant_key};

use crate::support::{Fields, headers};

fn same(vary: &str, stored: Fields<'_>, asked: Fields<'_>, rules: &VariantRules) -> bool {
    let VaryField::Fields(vary) = parse_vary(&headers(&[("vary", vary)])) else {
        return false;
    };
    variant_key(Some(&vary), &headers(stored), rules)
        == variant_key(Some(&vary), &headers(asked), rules)
}

//= rfc9111#4.1
#[test]
fn a_variant_answers_requests_like_the_one_it_was_made_for() {
    let plain = VariantRules::default();
    let codings = VariantRules { encodings: [Coding::Gzip, Coding::Br].into_iter().collect() };
    let one = [("foo", "1")];
    let table: &[(&str, Fields<'_>, Fields<'_>, bool, &VariantRules)] = &[
        ("foo", &one, &one, true, &plain),
        ("foo", &one, &[("foo", "2")], false, &plain),
        ("foo", &one, &[], false, &plain),
        ("foo", &[], &one, false, &plain),
        ("foo", &[], &[], true, &plain),
        ("foo", &one, &[("foo", "1"), ("bar", "2")], true, &plain),
        ("foo, bar", &one, &[("foo", "1"), ("bar", "2")], false, &plain),
        ("bar, foo, baz", &one, &one, true, &plain),
        ("*", &one, &one, false, &plain),
        ("foo, *", &one, &one, false, &plain),
        ("foo", &[("foo", "1, 2")], &[("foo", "1"), ("foo", "2")], true, &plain),
        ("foo", &[("foo", "1,2")], &[("foo", "  1 ,  2 ")], true, &plain),
        (
            "accept-language",
            &[("accept-language", "en, de")],
            &[("accept-language", "De,EN")],
            true,
            &plain,
        ),
        (
            "accept-language",
            &[("accept-language", "en, de")],
            &[("accept-language", "de")],
            false,
            &plain,
        ),
        (
            "accept-encoding",
            &[("accept-encoding", "gzip, x")],
            &[("accept-encoding", "y, gzip")],
            true,
            &codings,
        ),
        (
            "accept-encoding",
            &[("accept-encoding", "gzip")],
            &[("accept-encoding", "br")],
            false,
            &codings,
        ),
        (
            "accept-encoding",
            &[("accept-encoding", "gzip")],
            &[("accept-encoding", "x, gzip")],
            false,
            &plain,
        ),
    ];
    for (vary, stored, asked, expected, rules) in table {
        assert_eq!(same(vary, stored, asked, rules), *expected, "{vary}: {stored:?} / {asked:?}");
    }
}

//= rfc9110#12.5.5
//= rfc9111#4.1
#[test]
fn vary_is_one_list_and_a_star_decides() {
    let parse = |fields: Fields<'_>| parse_vary(&headers(fields));
    assert_eq!(parse_vary(&HeaderMap::new()), VaryField::None);
    assert_eq!(parse(&[("vary", "a"), ("vary", "B")]), parse(&[("vary", "b, a, A")]));
    for fields in [
        &[("vary", "*")][..],
        &[("vary", "a, *")],
        &[("vary", ""), ("vary", "*")],
        &[("vary", "a b")],
    ] {
        assert_eq!(parse(fields), VaryField::Star, "{fields:?}");
    }
}
