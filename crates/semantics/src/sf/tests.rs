use super::*;
use proptest::prelude::*;

fn integer(value: i64) -> Member {
    Member::Item(Bare::Integer(value))
}

#[test]
fn dictionaries() {
    let parsed =
        dictionary(b"max-age=60, no-store, a=?0;x=1,  b=\"q\\\"\", c=(1 \"2\");p").unwrap();
    assert_eq!(
        parsed,
        [
            ("max-age".to_owned(), integer(60)),
            ("no-store".to_owned(), Member::Item(Bare::Boolean(true))),
            ("a".to_owned(), Member::Item(Bare::Boolean(false))),
            ("b".to_owned(), Member::Item(Bare::String("q\"".to_owned()))),
            ("c".to_owned(), Member::InnerList),
        ]
    );
    assert_eq!(dictionary(b"a=1, a=2").unwrap(), [("a".to_owned(), integer(2))]);
    assert_eq!(dictionary(b"  ").unwrap(), []);
}

#[test]
fn faults_fail_the_whole_field() {
    for bad in [
        "Max-Age=60",
        "max-age=60,",
        "max-age=60 no-store",
        "a=",
        "a=\"open",
        "a=?2",
        "a=1.",
        "a=1.2345",
        "a=--1",
        "a=1234567890123456",
        "a=(1",
        "a=(1\"2\")",
        "a=:x",
        "a=@1.5",
        "=1",
        "a=\"\u{7f}\"",
        "a=\"\\x\"",
        "a;=1",
        "a=%\"%C3\"",
        "a=%\"%c3\"",
        "a= 1",
        "a =1",
        "\ta",
    ] {
        assert_eq!(dictionary(bad.as_bytes()), None, "{bad}");
    }
}

#[test]
fn lists() {
    let token = Member::Item(Bare::Token("t/x:y".to_owned()));
    let string = Member::Item(Bare::String("s".to_owned()));
    assert_eq!(
        list(b"\"s\";a, t/x:y, -7, 1.5, :AA==:, @1, %\"%c3%a4\", ()").unwrap(),
        [
            string,
            token,
            integer(-7),
            Member::Item(Bare::Other),
            Member::Item(Bare::Other),
            Member::Item(Bare::Other),
            Member::Item(Bare::Other),
            Member::InnerList,
        ]
    );
    assert_eq!(list(b"\"a\" \"b\""), None);
}

#[test]
fn the_number_of_members_is_bounded() {
    let keys = |count: usize| {
        let keys: Vec<_> = (0..count).map(|n| format!("k{n}")).collect();
        keys.join(",")
    };
    assert_eq!(dictionary(keys(1024).as_bytes()).map(|members| members.len()), Some(1024));
    assert_eq!(dictionary(keys(1025).as_bytes()), None);
    assert_eq!(list(keys(1025).as_bytes()), None);
}

proptest! {
    #[test]
    fn parsing_never_panics(
        value in proptest::collection::vec(
            prop_oneof![proptest::sample::select(b"a=,;\"\\()?:@%-.0 ".to_vec()), any::<u8>()],
            0..40,
        )
    ) {
        let _ = dictionary(&value);
        let _ = list(&value);
    }

    #[test]
    fn strings_round_trip(text in "[ -~]{0,30}") {
        let encoded = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        prop_assert_eq!(list(encoded.as_bytes()), Some(vec![Member::Item(Bare::String(text))]));
    }
}
