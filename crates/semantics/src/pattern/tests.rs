use super::*;
use proptest::prelude::*;

fn compile(kind: Kind, text: &str) -> Pattern {
    Pattern::compile(kind, text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn refused(kind: Kind, text: &str) -> BadPattern {
    Pattern::compile(kind, text).expect_err(text)
}

#[test]
fn globs() {
    for (glob, text, expected) in [
        ("/a", "/a", true),
        ("/a", "/ab", false),
        ("/a", "/", false),
        ("/img/*.jpg", "/img/a.jpg", true),
        ("/img/*.jpg", "/img/.jpg", true),
        ("/img/*.jpg", "/img/a/b.jpg", false),
        ("/img/**.jpg", "/img/a/b.jpg", true),
        ("/img/**.jpg", "/img/a/b.jpeg", false),
        ("/img/**", "/img/", true),
        ("/img/**", "/img", false),
        ("/img/***", "/img/a/b", true),
        ("**", "", true),
        ("*", "", true),
        ("*", "a/b", false),
        ("?", "a", true),
        ("?", "/", false),
        ("?", "", false),
        ("/a?c", "/abc", true),
        ("/**/x/*/y", "/1/2/x/3/y", true),
        ("/**/x/*/y", "/1/x/2/3/x/4/y", true),
        ("/**/x/*/y", "/1/x/2/3/y", false),
        ("/*/*", "/a/b", true),
        ("/*/*", "/a/b/c", false),
        ("*a*", "xax", true),
        ("*a", "aab", false),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("\\*", "*", true),
        ("\\*", "x", false),
        ("\\\\?", "\\x", true),
        ("/\\a", "/a", true),
        ("/ü*", "/üx", true),
        ("[a]", "a", false),
    ] {
        assert_eq!(compile(Kind::Glob, glob).matches(text.as_bytes()), expected, "{glob} {text}");
    }
    assert!(compile(Kind::Glob, "/*").matches(b"/\xff\xfe"));
}

#[test]
fn a_glob_over_several_words_of_places() {
    let long = "ab".repeat(150);
    let glob = compile(Kind::Glob, &format!("/*{long}*?x"));
    assert!(glob.matches(format!("/q{long}qqx").as_bytes()));
    assert!(glob.matches(format!("/abab{long}1x").as_bytes()));
    assert!(!glob.matches(format!("/{}aqqx", &long[..299]).as_bytes()));
}

#[test]
fn the_other_kinds() {
    for (kind, pattern, text, expected) in [
        (Kind::Prefix, "/a", "/ab", true),
        (Kind::Prefix, "/a", "/", false),
        (Kind::Prefix, "/*", "/a", false),
        (Kind::Exact, "/a", "/a", true),
        (Kind::Exact, "/a", "/ab", false),
        (Kind::Regex, "^/a[0-9]+$", "/a12", true),
        (Kind::Regex, "^/a[0-9]+$", "/a12/", false),
        (Kind::Regex, "b", "abc", true),
        (Kind::Regex, "(?i)json", "application/JSON", true),
    ] {
        assert_eq!(compile(kind, pattern).matches(text.as_bytes()), expected, "{pattern} {text}");
    }
    assert!(compile(Kind::Regex, "\\xff.").matches(b"/\xff\xfe"));
    assert!(!compile(Kind::Regex, "^.$").matches("ü".as_bytes()));
    assert!(compile(Kind::Regex, "(?u)^.$").matches("ü".as_bytes()));
    assert!(compile(Kind::Regex, "ü$").matches("xü".as_bytes()));
}

#[test]
fn heads() {
    for (kind, pattern, head) in [
        (Kind::Glob, "/img/*.jpg", "/img/"),
        (Kind::Glob, "/\\*a?", "/*a"),
        (Kind::Glob, "/plain", "/plain"),
        (Kind::Glob, "**", ""),
        (Kind::Prefix, "/a", "/a"),
        (Kind::Exact, "/a", "/a"),
        (Kind::Regex, "^/a", ""),
    ] {
        assert_eq!(compile(kind, pattern).literal_head(), head.as_bytes(), "{pattern}");
    }
}

#[test]
fn what_is_refused() {
    for kind in [Kind::Glob, Kind::Prefix, Kind::Exact, Kind::Regex] {
        assert_eq!(refused(kind, ""), BadPattern::Empty);
        let limit = if kind == Kind::Regex { MAX_REGEX } else { MAX_TEXT };
        assert_eq!(refused(kind, &"a".repeat(limit + 1)), BadPattern::TooLong(limit));
        assert!(compile(kind, &"a".repeat(limit)).matches("a".repeat(limit).as_bytes()));
    }
    assert_eq!(refused(Kind::Glob, &"*/".repeat(33)), BadPattern::TooManyWildcards);
    assert!(compile(Kind::Glob, &"*/".repeat(32)).matches("a/".repeat(32).as_bytes()));
    assert_eq!(refused(Kind::Regex, "(?u)\\w{10}"), BadPattern::TooCostly);
    assert_eq!(refused(Kind::Regex, "a{1000}{1000}"), BadPattern::TooCostly);
    assert_eq!(
        refused(Kind::Glob, "/a\\").to_string(),
        "the pattern does not compile: a backslash with nothing after it"
    );
    for regex in ["(", "[a", "a{2,1}", "\\1", "(?=a)", "*"] {
        let said = refused(Kind::Regex, regex).to_string();
        let reason = said.strip_prefix("the pattern does not compile: ").unwrap_or_default();
        assert!(!reason.is_empty() && !reason.contains('\n'), "{regex}: {said}");
    }
    assert_eq!(
        refused(Kind::Regex, "(").to_string(),
        "the pattern does not compile: unclosed group"
    );
}

#[test]
fn what_it_keeps_is_counted() {
    let bytes = |kind, text: &str| compile(kind, text).bytes_used();
    assert!(bytes(Kind::Exact, "/a") < 200);
    assert!(bytes(Kind::Prefix, &"a".repeat(2000)) >= 2000);
    assert!(bytes(Kind::Glob, "/a*b") < 700);
    assert!(bytes(Kind::Glob, &format!("*{}*", "ab".repeat(1000))) > 4 * 8 * 2000 / 64);
    assert!(bytes(Kind::Regex, "^/a") < 16 << 10);
    let large = bytes(Kind::Regex, "[a-z0-9/]{200}");
    assert!(large > bytes(Kind::Regex, "a") && large <= (128 << 10) + 200, "{large}");
}

/// Going back would take exponential time for these.
#[test]
fn no_text_makes_a_glob_slow() {
    let texts = ["a".repeat(8000), "ab/".repeat(2500), "a/".repeat(4000)];
    for glob in
        ["*a*a*a*b", "**a*a**a*a**b?", &"*a".repeat(32), &"**?".repeat(16), &"?*".repeat(16)]
    {
        let Inner::Glob(compiled) = compile(Kind::Glob, glob).0 else { panic!("a glob") };
        for text in &texts {
            let steps = compiled.steps(text.as_bytes());
            assert!(steps <= text.len() * glob.len().div_ceil(64), "{glob}: {steps}");
            assert!(!compiled.matches(format!("{text}x").as_bytes()) || !glob.ends_with('b'));
        }
    }
}

/// The same pattern as a regular expression, the slow and sure way.
fn as_regex(glob: &str) -> Regex {
    let mut out = String::from("(?s-u)^");
    let mut chars = glob.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '*' if chars.peek() == Some(&'*') => {
                while chars.next_if_eq(&'*').is_some() {}
                out.push_str(".*");
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '\\' => out.push_str(&regex::escape(&chars.next().unwrap().to_string())),
            other => out.push_str(&regex::escape(&other.to_string())),
        }
    }
    Regex::new(&(out + "$")).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_glob_is_its_regex(glob in "([ab/*?]|\\*\\*|\\\\[ab/*?]){1,12}", texts in prop::collection::vec("[ab/*?]{0,12}", 1..8)) {
        let (compiled, regex) = (compile(Kind::Glob, &glob), as_regex(&glob));
        for text in &texts {
            let text = text.as_bytes();
            prop_assert_eq!(compiled.matches(text), regex.is_match(text), "{} {:?}", glob, text);
            if compiled.matches(text) {
                prop_assert!(text.starts_with(compiled.literal_head()));
            }
        }
    }

    #[test]
    fn never_panics(pattern in "\\PC{0,60}|[*?a\\\\/]{0,200}|[\\[\\](){}|*+?^$a0-9,-]{0,20}", text in prop::collection::vec(any::<u8>(), 0..200)) {
        for kind in [Kind::Glob, Kind::Prefix, Kind::Exact, Kind::Regex] {
            match Pattern::compile(kind, &pattern) {
                Ok(compiled) => {
                    let matched = compiled.matches(&text);
                    prop_assert!(!matched || text.starts_with(compiled.literal_head()));
                }
                Err(bad) => prop_assert!(!bad.to_string().contains('\n')),
            }
        }
    }
}
