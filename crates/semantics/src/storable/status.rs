//! What the status means for storing.

use http::StatusCode;

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
