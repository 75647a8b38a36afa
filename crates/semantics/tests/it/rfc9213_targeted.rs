use semantics::{ControlSource, LifetimeSource, effective_directives};

use crate::support::{Fields, get, headers, lifetime};

//= rfc9213#2.1
#[test]
fn values_keep_their_type() {
    for (value, seconds) in [
        ("max-age=60", Some(60)),
        ("max-age=60;ext=1, foo=?0", Some(60)),
        ("max-age=60.0", Some(0)),
        ("max-age=\"60\"", Some(0)),
        ("max-age=-60", Some(0)),
        ("max-age=60, no-store", None),
        ("max-age=60, no-store=?0", Some(60)),
    ] {
        let fields = [("cdn-cache-control", value), ("etag", "\"a\"")];
        assert_eq!(lifetime(&fields), seconds, "{value}");
    }
}

//= rfc9213#2.2
#[test]
fn a_targeted_field_replaces_cache_control_and_expires() {
    let tag = ("etag", "\"a\"");
    let table: &[(Fields<'_>, ControlSource, Option<u64>)] = &[
        (
            &[("cdn-cache-control", "max-age=60"), ("cache-control", "no-store")],
            ControlSource::CdnCacheControl,
            Some(60),
        ),
        (
            &[("surrogate-control", "max-age=60"), ("cache-control", "no-store")],
            ControlSource::SurrogateControl,
            Some(60),
        ),
        (
            &[("cdn-cache-control", "no-store"), ("cache-control", "max-age=60")],
            ControlSource::CdnCacheControl,
            None,
        ),
        (
            &[("cdn-cache-control", "max-age=5"), ("surrogate-control", "max-age=60")],
            ControlSource::CdnCacheControl,
            Some(5),
        ),
        // Empty or faulty: as if it were not there.
        (
            &[("cdn-cache-control", ""), ("cache-control", "max-age=60")],
            ControlSource::CacheControl,
            Some(60),
        ),
        (
            &[("cdn-cache-control", "max-age=5, =, x"), ("cache-control", "max-age=60")],
            ControlSource::CacheControl,
            Some(60),
        ),
        (
            &[("cdn-cache-control", "public"), ("expires", "@60"), tag],
            ControlSource::CdnCacheControl,
            Some(0),
        ),
        (&[("expires", "@60")], ControlSource::None, Some(60)),
    ];
    for (fields, source, seconds) in table {
        assert_eq!(effective_directives(&headers(fields)).1, *source, "{fields:?}");
        assert_eq!(lifetime(fields), *seconds, "{fields:?}");
    }
    let stored = get(&[("cdn-cache-control", "max-age=60")]).unwrap();
    assert_eq!(stored.freshness.source(), LifetimeSource::Targeted);
}
