use super::*;

#[test]
fn what_is_no_api_is_told() {
    for (url, part) in [
        ("127.0.0.1:8400", "write http://host:port"),
        ("/x", "write http://host:port"),
        ("http://a?b", "write http://host:port"),
        ("https://a", "kubectl port-forward"),
        ("", "write http://host:port"),
    ] {
        let said = Api::new(url, None).map(|_| ()).unwrap_err();
        assert!(said.contains(part), "{url}: {said}");
    }
    assert_eq!(
        Api::new("http://a:1/edges/fra-0/", None).map(|api| api.base).unwrap(),
        "http://a:1/edges/fra-0"
    );
}

#[test]
fn a_token_is_trimmed_and_kept_to_itself() {
    let api = Api::new("http://a", Some(" secret\n")).map_err(|e| panic!("{e}")).unwrap();
    let token = api.token.unwrap();
    assert_eq!(token, "Bearer secret");
    assert!(!format!("{token:?}").contains("secret"));
    assert!(Api::new("http://a", Some(" ")).is_ok_and(|api| api.token.is_none()));
    assert!(Api::new("http://a", Some("a\nb")).is_err());
}

#[test]
fn segments_cannot_leave_their_place() {
    assert_eq!(segment("purge:a.b-1_~"), "purge:a.b-1_~");
    assert_eq!(segment("a/b?c d%ü"), "a%2Fb%3Fc%20d%25%C3%BC");
}
