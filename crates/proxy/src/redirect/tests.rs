use super::*;

#[test]
fn a_name_of_ones_own_names_the_sites_host() {
    let of = |public, host| behind(public, host, "http");
    assert_eq!(of("e0.{host}", "e0.www.example.com"), Some("www.example.com"));
    assert_eq!(of("E0.{host}", "e0.www.example.com"), Some("www.example.com"));
    assert_eq!(of("e0.{host}:8001", "e0.www.example.com:8001"), Some("www.example.com"));
    assert_eq!(of("{host}.e0.cdn.net", "www.example.com.e0.cdn.net"), Some("www.example.com"));
    assert_eq!(of("127.0.0.1:8001", "127.0.0.1:8001"), Some(""));
    assert_eq!(of("e0.example.com:80", "e0.example.com"), Some(""));
    assert_eq!(behind("e0.{host}:443", "e0.a.b", "https"), Some("a.b"));
}

#[test]
fn other_names_are_not() {
    for (public, host) in [
        ("e0.{host}", "www.example.com"),
        ("e0.{host}", "e1.www.example.com"),
        ("e0.{host}", "e0."),
        ("e0.{host}", "e0.www.example.com:8001"),
        ("e0.{host}:8001", "e0.www.example.com"),
        ("127.0.0.1:8001", "127.0.0.1:8002"),
        ("127.0.0.1:8001", "127.0.0.1"),
        ("e0.{host}:443", "e0.a.b"),
    ] {
        assert_eq!(behind(public, host, "http"), None, "{public} {host}");
    }
}
