//! Range requests (RFC 9110 §14), for the unit of bytes.

use std::ops::Range;

use http::{HeaderMap, header};
use smallvec::SmallVec;

use crate::conditional::EntityTag;
use crate::lists::{members, trim_ows};
use crate::reasons::reasons;
use crate::time::parse_http_date;

mod content;
pub mod multipart;

pub use content::ContentRange;

/// What a request's `Range` says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RangeRequest {
    /// There is none.
    None,
    /// There is one that is not followed: the answer is the whole.
    Ignored(RangeIgnored),
    /// The ranges asked for, in order; at least one.
    Specs(SmallVec<[ByteSpec; 2]>),
}

reasons! {
    /// Why a `Range` is not followed.
    RangeIgnored {
        /// It is in another unit.
        Unit => "range-unit",
        /// It is malformed, or stands there twice.
        Malformed => "range-malformed",
        /// It has more parts than are allowed.
        TooMany => "range-too-many",
    }
}

/// One range.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ByteSpec {
    /// From a position to another, included, or to the end.
    From(u64, Option<u64>),
    /// The last so many bytes.
    Suffix(u64),
}

/// Reads `Range`; of more than `max_parts` parts none is followed.
//= rfc9110#14.1.1
//= rfc9110#14.2
pub fn parse_range(headers: &HeaderMap, max_parts: usize) -> RangeRequest {
    let mut lines = headers.get_all(header::RANGE).iter();
    let Some(line) = lines.next() else {
        return RangeRequest::None;
    };
    if lines.next().is_some() {
        return RangeRequest::Ignored(RangeIgnored::Malformed);
    }
    let value = trim_ows(line.as_bytes());
    let Some(equals) = memchr::memchr(b'=', value) else {
        return RangeRequest::Ignored(RangeIgnored::Malformed);
    };
    if !value[..equals].eq_ignore_ascii_case(b"bytes") {
        return RangeRequest::Ignored(RangeIgnored::Unit);
    }
    let mut specs = SmallVec::new();
    for member in members(&value[equals + 1..]) {
        if specs.len() == max_parts {
            return RangeRequest::Ignored(RangeIgnored::TooMany);
        }
        match byte_spec(member) {
            Some(spec) => specs.push(spec),
            None => return RangeRequest::Ignored(RangeIgnored::Malformed),
        }
    }
    if specs.is_empty() {
        return RangeRequest::Ignored(RangeIgnored::Malformed);
    }
    RangeRequest::Specs(specs)
}

//= rfc9110#14.1.2
fn byte_spec(text: &[u8]) -> Option<ByteSpec> {
    let dash = memchr::memchr(b'-', text)?;
    let (first, last) = (&text[..dash], &text[dash + 1..]);
    if first.is_empty() {
        return Some(ByteSpec::Suffix(position(last)?));
    }
    let first = position(first)?;
    if last.is_empty() {
        return Some(ByteSpec::From(first, None));
    }
    let last = position(last)?;
    (first <= last).then_some(ByteSpec::From(first, Some(last)))
}

/// Digits; a number too large for any body is as good as the largest.
fn position(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0u64, |value, digit| {
        value.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
    }))
}

/// Ranges against a body of known length.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resolved {
    /// Those that lie in the body: at least one, not empty, in the order asked for but with those
    /// that touch or overlap made one.
    Satisfiable(SmallVec<[Range<u64>; 2]>),
    /// None does: answer 416.
    Unsatisfiable,
}

/// Resolves ranges against the complete length of the body.
//= rfc9110#14.1.2
//= rfc9110#15.5.17
pub fn resolve(specs: &[ByteSpec], complete_length: u64) -> Resolved {
    let mut ranges: SmallVec<[Range<u64>; 2]> = SmallVec::new();
    for spec in specs {
        let range = match *spec {
            ByteSpec::From(first, last) => {
                let end = last.map_or(complete_length, |last| last.saturating_add(1));
                first..end.min(complete_length)
            }
            ByteSpec::Suffix(length) => complete_length.saturating_sub(length)..complete_length,
        };
        if range.start < range.end {
            merge(&mut ranges, range);
        }
    }
    if ranges.is_empty() { Resolved::Unsatisfiable } else { Resolved::Satisfiable(ranges) }
}

/// Adds a range, taking in all it touches, at the place of the first of them.
//= rfc9110#15.3.7.2
fn merge(ranges: &mut SmallVec<[Range<u64>; 2]>, mut range: Range<u64>) {
    let touches = |a: &Range<u64>, b: &Range<u64>| a.start <= b.end && b.start <= a.end;
    let mut place = ranges.len();
    while let Some(at) = ranges.iter().position(|other| touches(other, &range)) {
        let other = ranges.remove(at);
        range = range.start.min(other.start)..range.end.max(other.end);
        place = place.min(at);
    }
    let place = place.min(ranges.len());
    ranges.insert(place, range);
}

/// Whether a range may be served as far as `If-Range` goes: true without one. A tag must be strong
/// and the same, a date exactly that of the last change and, being strong only then, older than the
/// response by a second at least.
//= rfc9110#13.1.5
//= rfc9110#8.8.2.2
pub fn if_range_matches(request: &HeaderMap, response: &HeaderMap) -> bool {
    let mut lines = request.get_all(header::IF_RANGE).iter();
    let Some(line) = lines.next() else {
        return true;
    };
    if lines.next().is_some() {
        return false;
    }
    let value = trim_ows(line.as_bytes());
    let date = |name| parse_http_date(trim_ows(response.get(name)?.as_bytes()));
    if let Some(asked) = parse_http_date(value) {
        return match (date(header::LAST_MODIFIED), date(header::DATE)) {
            (Some(modified), Some(sent)) => {
                asked == modified && sent.since(modified).as_secs() >= 1
            }
            _ => false,
        };
    }
    let etag = response.get(header::ETAG).and_then(|value| EntityTag::parse(value.as_bytes()));
    match (EntityTag::parse(value), etag) {
        (Some(asked), Some(etag)) => asked.strong_eq(&etag),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
