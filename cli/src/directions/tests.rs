use super::*;

#[test]
fn hosts_of_urls_and_hosts() {
    for (what, expected) in [
        ("https://cdn.example.com/a?b", Some("cdn.example.com")),
        ("http://cdn.example.com:8480", Some("cdn.example.com")),
        ("cdn.example.com.", Some("cdn.example.com")),
        ("cdn.example.com:80", Some("cdn.example.com")),
        ("/a", None),
        ("", None),
        ("a b", None),
    ] {
        assert_eq!(host(what).as_deref(), expected, "{what}");
    }
}
