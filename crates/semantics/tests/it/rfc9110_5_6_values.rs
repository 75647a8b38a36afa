use semantics::{Timestamp, format_http_date, parse_http_date};

use crate::support::{Fields, lifetime};

//= rfc9110#5.6.7
#[test]
fn dates_come_in_three_forms() {
    let at = Some(Timestamp::from_secs(784_111_777));
    for (text, expected) in [
        ("Sun, 06 Nov 1994 08:49:37 GMT", at),
        ("Sunday, 06-Nov-94 08:49:37 GMT", at),
        ("Sun Nov  6 08:49:37 1994", at),
        ("Mon, 06 Nov 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 08:49:37 UTC", None),
        ("Sun, 06 Nov 1994 08:49:37 +0000", None),
        ("Sun, 6 Nov 1994 08:49:37 GMT", None),
        ("Sun, 06 nov 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 94 08:49:37 GMT", None),
        ("Sun 06 Nov 1994 08:49:37 GMT", None),
        ("Sun, 31 Feb 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 24:00:00 GMT", None),
        ("0", None),
        ("", None),
    ] {
        assert_eq!(parse_http_date(text.as_bytes()), expected, "{text}");
    }
    let formatted = format_http_date(Timestamp::from_secs(784_111_777));
    assert_eq!(formatted, "Sun, 06 Nov 1994 08:49:37 GMT");
}

//= rfc9110#5.6.1
//= rfc9110#5.6.4
#[test]
fn lists_skip_empty_members_and_respect_quotes() {
    let table: &[(Fields<'_>, u64)] = &[
        (&[("cache-control", ", ,max-age=60 ,")], 60),
        (&[("cache-control", ""), ("cache-control", "max-age=60")], 60),
        (&[("cache-control", "x=\"a\\\", max-age=1\", max-age=60")], 60),
    ];
    for (fields, expected) in table {
        assert_eq!(lifetime(fields), Some(*expected), "{fields:?}");
    }
}
