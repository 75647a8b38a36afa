use http::HeaderValue;
use semantics::{Coding, CodingSet, Negotiated, language_match, language_quality, negotiate};

use crate::support::headers;

//= rfc9110#12.4.2
//= rfc9110#12.5.3
//= rfc9110#8.4.1
#[test]
fn codings() {
    use Coding::{Br, Gzip, Identity, Zstd};
    let offered: CodingSet = [Gzip, Br, Zstd].into_iter().collect();
    for (accept, expected) in [
        ("compress, gzip", Some(Gzip)),
        ("", Some(Identity)),
        ("*", Some(Br)),
        ("compress;q=0.5, gzip;q=1.0", Some(Gzip)),
        ("gzip;q=1.0, identity;q=0.5, *;q=0", Some(Gzip)),
        ("gzip;q=0.001, br;q=0.002", Some(Br)),
        ("x-gzip", Some(Gzip)),
        ("br;q=0, zstd;q=0, gzip;q=0", Some(Identity)),
        ("identity;q=0", None),
    ] {
        let found = negotiate(&headers(&[("accept-encoding", accept)]), offered);
        let expected = expected.map_or(Negotiated::NotAcceptable, Negotiated::Coding);
        assert_eq!(found, expected, "{accept}");
    }
    assert_eq!(negotiate(&headers(&[]), offered), Negotiated::Coding(Identity));
}

//= rfc9110#12.5.4
#[test]
fn languages() {
    let danish = HeaderValue::from_static("da");
    for (accept, best, quality) in [
        ("da, en-gb;q=0.8, en;q=0.7", true, 1000),
        ("en, da;q=0.8", false, 800),
        ("da, en", false, 1000),
        ("en", false, 0),
    ] {
        let request = headers(&[("accept-language", accept)]);
        assert_eq!(language_match(&request, &danish), best, "{accept}");
        assert_eq!(language_quality(&request, &danish), quality, "{accept}");
    }
}
