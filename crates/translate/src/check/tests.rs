use super::*;
use regex::Regex;

#[test]
fn where_a_place_is_has_a_scheme_and_a_name_alone() {
    let check = |text| by_pattern(crds::pattern::PLACE_URL, text).unwrap();
    for good in ["https://fra.example.com", "http://192.0.2.1:8080", "https://fra.{host}"] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
    for bad in
        ["fra.example.com", "https://Fra.example.com", "https://fra.example.com/", "https://a b"]
    {
        let words = check(bad).unwrap_err().to_string();
        assert!(words.contains("no path"), "{words}");
    }
}

#[test]
fn hosts() {
    for (text, normal) in [
        ("example.com", "example.com"),
        ("CDN.Example.COM", "cdn.example.com"),
        ("localhost", "localhost"),
        ("10.0.0.1", "10.0.0.1"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("*.Example.com", "*.example.com"),
        ("*.com", "*.com"),
    ] {
        assert_eq!(host_or_wildcard(text).unwrap(), normal);
    }
    let long = format!("{}.com", "a".repeat(64));
    for text in [
        "",
        "*",
        "*.",
        "a.*",
        "a.*.com",
        "*a.com",
        "*.*.com",
        "a..com",
        ".a.com",
        "a.com.",
        "-a.com",
        "a-.com",
        "a_b.com",
        "a.com:80",
        "http://a.com",
        "a.com/x",
        "u@a.com",
        "[::1]",
        "ü.com",
        "a b",
        &long,
    ] {
        assert!(host_or_wildcard(text).is_err(), "{text}");
    }
    assert_eq!(host("*.a.com"), Err(BadText::NoWildcard("*.a.com".to_owned())));
}

#[test]
fn origin_urls() {
    for (text, normal) in [
        ("http://web", "http://web"),
        ("http://web/", "http://web"),
        ("HTTPS://Web.Example.com:8443", "https://web.example.com:8443"),
        ("http://my_service:3000", "http://my_service:3000"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://[::1]:65535", "http://[::1]:65535"),
    ] {
        assert_eq!(origin_url(text).unwrap(), normal);
    }
    for text in [
        "",
        "web",
        "web:80",
        "//web",
        "/",
        "ftp://web",
        "http://",
        "http:///x",
        "http://web/path",
        "http://web?q",
        "http://web/?",
        "http://web#f",
        "http://u@web",
        "http://u:p@web",
        "http://:80",
        "http://web:",
        "http://web:0",
        "http://web:65536",
        "http://web:+80",
        "http://a..b",
        "http://a b",
        "http://[::1",
        "http://[web]",
        "http://we%20b",
        "http://ü",
    ] {
        assert!(origin_url(text).is_err(), "{text}");
    }
}

#[test]
fn networks() {
    for text in ["10.0.0.0/8", "0.0.0.0/0", "192.0.2.1/32", "2001:db8::/32", "::/0"] {
        assert_eq!(network(text).unwrap().to_string(), text);
    }
    for text in ["", "10.0.0.0", "10.0.0.0/33", "10.0.0.1/8", "10/8", "a/8", "::1/64"] {
        assert!(network(text).is_err(), "{text}");
    }
}

#[test]
fn names() {
    assert_eq!(header("X-Country").unwrap(), "x-country");
    assert_eq!(media_type("Text/*").unwrap(), "text/*");
    assert_eq!(media_type("image/svg+xml").unwrap(), "image/svg+xml");
    assert_eq!(parameter("utm_source[]").unwrap(), "utm_source[]");
    for text in ["", "a b", "a:", "a\n", "ä"] {
        assert!(header(text).is_err() && cookie(text).is_err(), "{text:?}");
    }
    for text in
        ["", "*/*", "*", "text", "text/", "/html", "text/h*", "text/html;q=1", "a b/c", "*/html"]
    {
        assert!(media_type(text).is_err(), "{text}");
    }
    for text in ["", "a=b", "a&b", "a#", "a b"] {
        assert!(parameter(text).is_err(), "{text}");
    }
    for text in ["", "Fra", "-a", "a-", "a.b", "a_b"] {
        assert!(label(text).is_err(), "{text}");
    }
}

#[test]
fn paths_and_statuses() {
    for text in ["/", "/healthz", "/a/b?c=d&e"] {
        assert_eq!(path(text).unwrap(), text);
    }
    for text in ["", "healthz", "http://a/", "/a b", "/a#b", "/\u{7f}"] {
        assert_eq!(path(text), Err(BadText::Path(text.to_owned())));
    }
    assert_eq!(statuses("204"), Ok((204, 204)));
    assert_eq!(statuses("100-599"), Ok((100, 599)));
    for text in
        ["", "-", "99", "600", "0200", "+20", "2xx", "200-", "-200", "200-299-399", "200 - 399"]
    {
        assert_eq!(statuses(text), Err(BadText::Statuses(text.to_owned())));
    }
    let turned = BadText::StatusesTurned("399-200".to_owned(), "200-399".to_owned());
    assert_eq!(statuses("399-200"), Err(turned));
}

#[test]
fn certificate_bundles() {
    let one = "-----BEGIN CERTIFICATE-----\nMIIB+/==\n-----END CERTIFICATE-----\n";
    assert_eq!(certificates(one), Ok(()));
    assert_eq!(certificates(&format!("# CA\n{one}{one}")), Ok(()));
    assert_eq!(certificates("MIIB"), Err(BadText::NoCertificate));
    assert_eq!(certificates(&format!("{one}{}", &one[..40])), Err(BadText::Certificate(2)));
    assert_eq!(certificates(&one.replace("MIIB", "!")), Err(BadText::Certificate(1)));
}

/// What the API server lets through may still be refused here, but not the other way round.
#[test]
fn patterns_allow_what_the_checks_allow() {
    let texts = [
        "",
        "a",
        "A",
        "*.a.com",
        "a.b-c.d",
        "A.com",
        "a_b",
        "http://a",
        "https://A:1/",
        "HTTP://a.b",
        "http://[::1]:8080",
        "http://my_service",
        "10.0.0.0/8",
        "::/0",
        "::1",
        "2001:db8::/32",
        "x-country",
        "a*b",
        "text/*",
        "Text/html",
        "image/svg+xml",
        "application/vnd.a.b-c+d",
        "1h30m",
        "500ms",
        "256Mi",
        "0",
        "12k",
        "1.5",
        "1.",
        "500m",
        "xn--bcher-kva.example",
        "*.com",
        "::ffff:10.0.0.0/104",
        "https://a.b:8/c?d",
        "HTTPS://a?b",
        "/a/b?c",
        "204",
        "200-399",
    ];
    let schemas = [
        pattern::HOST,
        pattern::EXACT_HOST,
        pattern::ORIGIN,
        pattern::LABEL,
        pattern::PATH,
        pattern::STATUSES,
        pattern::NETWORK,
        pattern::ADDRESS,
        pattern::HEADER,
        pattern::COOKIE,
        pattern::MEDIA_TYPE,
        pattern::URL,
        pattern::URL_PREFIX,
        pattern::TAG,
        Duration::PATTERN,
        ByteQuantity::PATTERN,
        Amount::PATTERN,
    ];
    for schema in schemas {
        let regex = Regex::new(schema).unwrap();
        let mut matched = 0;
        for text in texts {
            if by_pattern(schema, text).unwrap().is_ok() {
                assert!(regex.is_match(text), "{schema} does not let `{text}` through");
                matched += 1;
            }
        }
        assert!(matched > 0, "nothing tried for {schema}");
    }
}
