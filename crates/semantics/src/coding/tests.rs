use super::*;
use http::{Method, StatusCode};
use proptest::prelude::*;

fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn all() -> CodingSet {
    Coding::ALL.into_iter().collect()
}

#[test]
fn negotiation() {
    use Coding::{Br, Gzip, Identity, Zstd};
    let gzip_only = CodingSet::EMPTY.with(Gzip);
    for (accept, offered, expected) in [
        ("gzip, br, zstd", all(), Some(Br)),
        ("gzip, zstd", all(), Some(Zstd)),
        ("gzip, br", gzip_only, Some(Gzip)),
        ("x-gzip", all(), Some(Gzip)),
        ("GZIP", all(), Some(Gzip)),
        ("gzip;q=1, br;q=0.5", all(), Some(Gzip)),
        ("br;q=0, gzip;q=0", all(), Some(Identity)),
        ("deflate", all(), Some(Identity)),
        ("", all(), Some(Identity)),
        ("*", all(), Some(Br)),
        ("*;q=0.1, gzip", all(), Some(Gzip)),
        ("br;q=0, *", all(), Some(Zstd)),
        ("identity, gzip;q=0.5", all(), Some(Identity)),
        ("identity;q=0.5, gzip;q=0.5", all(), Some(Gzip)),
        ("identity;q=0, gzip", all(), Some(Gzip)),
        ("identity;q=0, deflate", all(), None),
        ("*;q=0", all(), None),
        ("*;q=0, identity", all(), Some(Identity)),
        ("gzip;q=bad", all(), Some(Identity)),
    ] {
        let found = negotiate(&headers(&[("accept-encoding", accept)]), offered);
        let expected = expected.map_or(Negotiated::NotAcceptable, Negotiated::Coding);
        assert_eq!(found, expected, "{accept}");
    }
    assert_eq!(negotiate(&HeaderMap::new(), all()), Negotiated::Coding(Identity));
    let lines = headers(&[("accept-encoding", "gzip;q=0.5"), ("accept-encoding", "zstd")]);
    assert_eq!(negotiate(&lines, all()), Negotiated::Coding(Zstd));
}

#[test]
fn acceptable_codings() {
    let set = |accept: &str| acceptable(&headers(&[("accept-encoding", accept)]), all());
    assert_eq!(set("gzip, br;q=0"), [Coding::Gzip, Coding::Identity].into_iter().collect());
    assert_eq!(set("*"), all());
    assert_eq!(set("*;q=0"), CodingSet::EMPTY);
    assert_eq!(acceptable(&HeaderMap::new(), all()), CodingSet::EMPTY.with(Coding::Identity));
}

#[test]
fn what_is_compressed() {
    use NoTransformReason::*;
    let rules = CompressionRules::default();
    let html = ("content-type", "text/HTML; charset=utf-8");
    let check = |status: u16, fields: &[(&'static str, &str)], length| {
        let status = StatusCode::from_u16(status).unwrap();
        compressible(status, &Method::GET, &headers(fields), &rules, length)
    };
    assert_eq!(check(200, &[html], Some(1024)), Ok(()));
    assert_eq!(check(404, &[html], None), Ok(()));
    assert_eq!(check(200, &[("content-type", "application/ld+json")], None), Ok(()));
    assert_eq!(check(200, &[html, ("content-encoding", "identity")], None), Ok(()));
    for (status, fields, length, reason) in [
        (200, &[html][..], Some(1023), Size),
        (204, &[html], None, NoBody),
        (304, &[html], None, NoBody),
        (206, &[html], None, Partial),
        (416, &[html], None, Status),
        (200, &[html, ("content-encoding", "gzip")], None, Encoded),
        (200, &[html, ("content-encoding", "identity"), ("content-encoding", "br")], None, Encoded),
        (200, &[html, ("content-range", "bytes 0-1/2")], None, Partial),
        (200, &[html, ("cache-control", "x, No-Transform")], None, NoTransform),
        (200, &[html, ("content-digest", "sha-256=::")], None, Digest),
        (200, &[html, ("repr-digest", "sha-256=::")], None, Digest),
        (200, &[html, ("cdn-cache-control", "no-transform")], None, NoTransform),
        (
            200,
            &[html, ("cdn-cache-control", "a"), ("cache-control", "no-transform")],
            None,
            NoTransform,
        ),
        (200, &[("content-type", "image/png")], None, Type),
        (200, &[("content-type", "application/jsonx")], None, Type),
        (200, &[], None, Type),
    ] {
        assert_eq!(check(status, fields, length), Err(reason), "{fields:?}");
    }
}

#[test]
fn etags_become_weak() {
    for (before, after) in [
        (Some("\"a\""), Some("W/\"a\"")),
        (Some("W/\"a\""), Some("W/\"a\"")),
        (Some("\"a"), None),
        (None, None),
    ] {
        let mut fields = HeaderMap::new();
        if let Some(tag) = before {
            fields.insert(header::ETAG, HeaderValue::from_static(tag));
        }
        weaken_etag(&mut fields);
        assert_eq!(fields.get(header::ETAG).map(|v| v.to_str().unwrap()), after);
    }
}

proptest! {
    #[test]
    fn what_is_chosen_is_acceptable(accept in "(gzip|br|zstd|identity|\\*|x|[ -~]{0,5})(;q=(0|1|0\\.[0-9]{1,3}))?(, ?(gzip|br|\\*|identity)(;q=0(\\.5)?)?){0,4}") {
        let request = headers(&[("accept-encoding", &accept)]);
        match negotiate(&request, all()) {
            Negotiated::Coding(coding) => prop_assert!(acceptable(&request, all()).contains(coding)),
            Negotiated::NotAcceptable => prop_assert!(acceptable(&request, all()).is_empty()),
        }
    }
}
