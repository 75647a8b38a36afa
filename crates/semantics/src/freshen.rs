//! Updating a stored response from a newer head (RFC 9111 §3.2, §4.3.4, §4.3.5).

use http::{HeaderMap, HeaderName, StatusCode, header};

use crate::conditional::EntityTag;
use crate::fields::{connection_fields, is_hop_by_hop};
use crate::range::ContentRange;
use crate::time::parse_http_date;

/// Updates the fields of a stored response with those of a 304 or a HEAD response: each field the
/// update has replaces all stored lines of that name. What describes the stored body (its coding,
/// length, range and digest) and its tag stay, and the connection's fields are not taken.
///
/// `Age` and `Date` of the old answer go even when the update has none, for they would make a
/// response that has just been vouched for as old as it was; the caller adds a `Date` as it does
/// for any response that comes without.
//= rfc9111#3.2
//= rfc9111#4.3.4
pub fn freshen_headers(stored: &mut HeaderMap, update: &HeaderMap) {
    stored.remove(header::AGE);
    stored.remove(header::DATE);
    let connection = connection_fields(update);
    for name in update.keys() {
        if keeps_stored(name, stored) || is_hop_by_hop(name) || connection.contains(name) {
            continue;
        }
        stored.remove(name);
        for value in update.get_all(name) {
            stored.append(name, value.clone());
        }
    }
}

fn keeps_stored(name: &HeaderName, stored: &HeaderMap) -> bool {
    // A tag that only the update has is the first this response gets.
    (*name == header::ETAG && stored.contains_key(header::ETAG))
        || *name == header::CONTENT_ENCODING
        || *name == header::CONTENT_LENGTH
        || *name == header::CONTENT_RANGE
        || matches!(name.as_str(), "content-md5" | "content-digest" | "repr-digest" | "digest")
}

/// Whether a HEAD response describes the stored GET response, so that it may freshen it: a success
/// whose validators and length, as far as it gives them, are the same. If not, the stored response
/// is out of date and should be treated as stale. `stored_length` is the complete length of the
/// stored body.
//= rfc9111#4.3.5
pub fn head_matches(
    stored: &HeaderMap,
    stored_length: Option<u64>,
    head_status: StatusCode,
    head: &HeaderMap,
) -> bool {
    if head_status != StatusCode::OK {
        return false;
    }
    let same_tag = match (stored.get(header::ETAG), head.get(header::ETAG)) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(old), Some(new)) => {
            match (EntityTag::parse(old.as_bytes()), EntityTag::parse(new.as_bytes())) {
                (Some(old), Some(new)) => old == new,
                _ => old == new,
            }
        }
    };
    let date =
        |headers: &HeaderMap| parse_http_date(headers.get(header::LAST_MODIFIED)?.as_bytes());
    let same_date = !head.contains_key(header::LAST_MODIFIED) || date(stored) == date(head);
    let stated = |headers: &HeaderMap| -> Option<u64> {
        headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
    };
    let complete = stored_length.or_else(|| {
        let range = stored.get(header::CONTENT_RANGE);
        match range.and_then(|v| ContentRange::parse(v.as_bytes())) {
            Some(range) => range.complete,
            None => stated(stored),
        }
    });
    let same_length = match (complete, stated(head)) {
        (Some(old), Some(new)) => old == new,
        _ => true,
    };
    same_tag && same_date && same_length
}
