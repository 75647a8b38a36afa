//! Several ranges in one body: `multipart/byteranges` (RFC 9110 §14.6).

use std::ops::Range;

use super::ContentRange;

/// The `Content-Type` of the whole.
//= rfc9110#14.6
pub fn content_type(boundary: &str) -> String {
    format!("multipart/byteranges; boundary={boundary}")
}

/// What precedes the bytes of a part. `boundary` is the caller's to choose so that no part holds
/// it; a range that is empty has no place in a body.
//= rfc9110#14.6
//= rfc9110#15.3.7.2
pub fn part_header(
    boundary: &str,
    content_type: Option<&str>,
    range: &Range<u64>,
    complete: u64,
) -> String {
    let mut header = format!("\r\n--{boundary}\r\n");
    if let Some(content_type) = content_type {
        header.push_str("Content-Type: ");
        header.push_str(content_type);
        header.push_str("\r\n");
    }
    if let Some(place) = ContentRange::of(range, Some(complete)) {
        header.push_str("Content-Range: ");
        header.push_str(&place.to_string());
        header.push_str("\r\n");
    }
    header.push_str("\r\n");
    header
}

/// What follows the last part.
pub fn closing(boundary: &str) -> String {
    format!("\r\n--{boundary}--\r\n")
}

/// The length of the whole body.
pub fn total_length(
    boundary: &str,
    content_type: Option<&str>,
    ranges: &[Range<u64>],
    complete: u64,
) -> u64 {
    let parts = ranges.iter().map(|range| {
        let header = part_header(boundary, content_type, range, complete);
        header.len() as u64 + range.end.saturating_sub(range.start)
    });
    parts.sum::<u64>() + closing(boundary).len() as u64
}
