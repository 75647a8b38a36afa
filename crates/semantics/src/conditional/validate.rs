//! Validation by the cache (RFC 9111 §4.3.1, §4.3.3).

use http::{HeaderMap, header};

use super::EntityTag;
use crate::time::parse_http_date;

/// Whether a response has something to ask the origin with.
pub fn has_validator(stored: &HeaderMap) -> bool {
    stored.contains_key(header::ETAG)
        || stored
            .get(header::LAST_MODIFIED)
            .is_some_and(|v| parse_http_date(v.as_bytes()).is_some())
}

/// Puts the validators of `stored` into a request, in place of whatever conditions the client sent:
/// the answer must be about the stored response. `If-Range` goes too. False when there are none,
/// and then the request is unconditional.
//= rfc9111#4.3.1
pub fn add_validators(stored: &HeaderMap, outgoing: &mut HeaderMap) -> bool {
    for name in [
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
        header::IF_UNMODIFIED_SINCE,
        header::IF_RANGE,
    ] {
        outgoing.remove(name);
    }
    let etag = stored.get(header::ETAG);
    if let Some(etag) = etag {
        outgoing.insert(header::IF_NONE_MATCH, etag.clone());
    }
    let modified =
        stored.get(header::LAST_MODIFIED).filter(|v| parse_http_date(v.as_bytes()).is_some());
    if let Some(modified) = modified {
        outgoing.insert(header::IF_MODIFIED_SINCE, modified.clone());
    }
    etag.is_some() || modified.is_some()
}

/// Whether a 304, the answer to a request with the validators of `stored` and no others, is about
/// `stored` and may freshen it.
///
/// RFC 9111 §4.3.3 lets a strong tag in the 304 select only a response with the same tag. Origins
/// that compress send their 304 under another tag than the 200 (with or without `-gzip`); as the
/// request named one tag only, such a 304 still says that this one holds. So a differing tag alone
/// is forgiven, and never taken over; a differing modification date as well is not.
//= rfc9111#4.3.3
pub fn validates(stored: &HeaderMap, not_modified: &HeaderMap) -> bool {
    let tag = |headers: &HeaderMap| {
        let value = headers.get(header::ETAG)?;
        Some(EntityTag::parse(value.as_bytes())?.opaque.to_vec())
    };
    let date =
        |headers: &HeaderMap| parse_http_date(headers.get(header::LAST_MODIFIED)?.as_bytes());
    let tags = (tag(stored), tag(not_modified));
    let same_date = match (date(stored), date(not_modified)) {
        (Some(old), Some(new)) => old == new,
        _ => true,
    };
    match tags {
        (Some(old), Some(new)) if old == new => true,
        // Asked by date, answered with a tag nobody asked about: the date must vouch for it.
        (None, Some(_)) => same_date && date(stored).is_some(),
        _ => same_date,
    }
}
