use super::*;
use proptest::prelude::*;

fn split(line: &str) -> Vec<String> {
    members(line.as_bytes()).map(|m| String::from_utf8_lossy(m).into_owned()).collect()
}

#[test]
fn members_split_at_commas_outside_quotes() {
    assert_eq!(split("a, b ,c"), ["a", "b", "c"]);
    assert_eq!(split(" ,, a,\t,"), ["a"]);
    assert_eq!(split(r#"x="a,b", c"#), [r#"x="a,b""#, "c"]);
    assert_eq!(split(r#"x="a\",b", c"#), [r#"x="a\",b""#, "c"]);
    assert_eq!(split(""), [""; 0]);
}

#[test]
fn an_open_quote_hides_nothing() {
    assert_eq!(split(r#"x="oops, no-store"#), [r#"x="oops"#, "no-store"]);
    assert_eq!(split(r#"x="oops\"#), [r#"x="oops\"#]);
}

#[test]
fn delta_seconds_are_digits_and_clamp() {
    assert_eq!(delta_seconds(b"0"), Some(0));
    assert_eq!(delta_seconds(b"003600"), Some(3600));
    assert_eq!(delta_seconds(b"2147483648"), Some(2_147_483_647));
    assert_eq!(delta_seconds(b"99999999999999999999"), Some(2_147_483_647));
    for bad in ["", "-1", "1.0", "+1", "1 ", "a", "1a"] {
        assert_eq!(delta_seconds(bad.as_bytes()), None, "{bad}");
    }
}

#[test]
fn qualities_have_three_digits_at_most() {
    assert_eq!(quality(b"1"), Some(1000));
    assert_eq!(quality(b"0"), Some(0));
    assert_eq!(quality(b"0.5"), Some(500));
    assert_eq!(quality(b"1.000"), Some(1000));
    assert_eq!(quality(b"0.001"), Some(1));
    for bad in ["", "2", "1.001", "0.0001", ".5", "-1", "0,5", "1.x"] {
        assert_eq!(quality(bad.as_bytes()), None, "{bad}");
    }
    assert_eq!(with_quality(b"gzip ; q=0.25"), (&b"gzip"[..], 250));
    assert_eq!(with_quality(b"text/html;level=1;Q=0"), (&b"text/html"[..], 0));
    assert_eq!(with_quality(b"br;q=bad"), (&b"br"[..], 0));
    assert_eq!(with_quality(b"br"), (&b"br"[..], 1000));
}

proptest! {
    #[test]
    fn splitting_never_panics_and_members_lie_in_the_line(
        line in proptest::collection::vec(prop_oneof![Just(b','), Just(b'"'), Just(b'\\'), Just(b' '), any::<u8>()], 0..60)
    ) {
        let total: usize = members(&line).map(<[u8]>::len).sum();
        prop_assert!(total <= line.len());
        for member in members(&line) {
            let _ = with_quality(member);
            let _ = quoted_length(member);
        }
    }
}
