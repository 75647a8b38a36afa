//! What the status means for storing.

use http::{HeaderMap, StatusCode, header};

use crate::range::ContentRange;

/// Whether a response with this status may be stored although it states no lifetime.
//= rfc9110#15.1
pub fn heuristically_cacheable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 206 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501)
}

/// Whether the caching requirements of this status are known and followed here: `must-understand`
/// makes this a condition.
//= rfc9111#5.2.2.3
pub(super) fn understood(status: StatusCode) -> bool {
    heuristically_cacheable(status)
        || matches!(
            status.as_u16(),
            201 | 202 | 205 | 302 | 303 | 307
                | 400..=403 | 406..=409 | 411..=413 | 415..=417 | 421 | 422 | 426
                | 428 | 429 | 431 | 451
                | 500 | 502..=505
        )
}

/// Whether a 206 is one part whose place in the whole is known.
//= rfc9111#3.3
pub(super) fn storable_part(response: &HeaderMap) -> bool {
    let mut lines = response.get_all(header::CONTENT_RANGE).iter();
    match (lines.next(), lines.next()) {
        (Some(line), None) => ContentRange::parse(line.as_bytes()).is_some(),
        _ => false,
    }
}
