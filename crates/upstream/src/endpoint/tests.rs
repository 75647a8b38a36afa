use super::*;

fn endpoint(url: &str, host: Option<&str>) -> Result<Endpoint, EndpointError> {
    Endpoint::new(&Origin { host: host.map(str::to_owned), ..Origin::at(url) })
}

#[test]
fn reads_scheme_authority_and_host() {
    let e = endpoint("https://origin.example:8443", Some("www.example.com")).unwrap();
    assert_eq!(e.scheme, Scheme::HTTPS);
    assert_eq!(e.authority.as_str(), "origin.example:8443");
    assert_eq!(e.server_name(), "www.example.com");
    assert_eq!(endpoint("http://[::1]:80/", None).unwrap().server_name(), "::1");
}

#[test]
fn refuses_what_it_cannot_use() {
    for url in ["", "origin", "ftp://a", "http://a/path", "http://a/?q", "http://u@a", "/x"] {
        assert_eq!(endpoint(url, None), Err(EndpointError::Url(url.into())), "{url}");
    }
    for host in ["", "a b", "u@a", "a/b"] {
        assert_eq!(endpoint("http://a", Some(host)), Err(EndpointError::Host(host.into())));
    }
}
