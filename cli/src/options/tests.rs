use clap::CommandFactory;

use super::*;

#[test]
fn the_definition_is_sound() {
    Options::command().debug_assert();
}

#[test]
fn times() {
    for (text, millis) in
        [("60", 60_000), ("90s", 90_000), ("2m", 120_000), ("1h", 3_600_000), ("250ms", 250)]
    {
        assert_eq!(time(text), Ok(Duration::from_millis(millis)), "{text}");
    }
    for text in ["", "s", "1d", "-1s", "1.5s", "0", "99999999999s", "1 s"] {
        assert!(time(text).is_err(), "{text}");
    }
}

#[test]
fn a_ban_needs_one_path_or_some_header() {
    let parsed = |args: &[&str]| {
        Options::try_parse_from(["blue-origin", "ban", "add"].iter().chain(args)).is_ok()
    };
    for args in [
        &["--path-glob", "/a/*"][..],
        &["--header", "x", "--header", "y: z"],
        &["--path-regex", "a", "--header-regex", "x: y", "--host", "a"],
    ] {
        assert!(parsed(args), "{args:?}");
    }
    for args in [&[][..], &["--host", "a"], &["--path-glob", "/", "--path-exact", "/"]] {
        assert!(!parsed(args), "{args:?}");
    }
}

#[test]
fn global_options_may_stand_anywhere() {
    let options =
        Options::try_parse_from(["blue-origin", "status", "--output", "json", "--timeout", "5s"])
            .unwrap();
    assert_eq!((options.output, options.timeout), (Output::Json, Duration::from_secs(5)));
}
