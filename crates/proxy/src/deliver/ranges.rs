//! Ranges of a stored body (RFC 9110 §14).

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use cache::Object;
use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};
use semantics::{
    ContentRange, RangeRequest, Resolved, if_range_matches, multipart, parse_range, resolve,
};

use crate::body::{Body, Part};
use crate::config::Node;
use crate::intake::Received;

/// The answer to a `Range`, or nothing when the whole is to be sent.
//= rfc9110#14.2
pub(super) fn cut(
    node: &Arc<Node>,
    received: &Received,
    object: &Arc<Object>,
    headers: &mut HeaderMap,
    length: u64,
) -> Option<(StatusCode, Body)> {
    let request = &received.head.headers;
    let RangeRequest::Specs(specs) = parse_range(request, received.site.spec.max_ranges as usize)
    else {
        return None;
    };
    //= rfc9110#13.1.5
    if request.contains_key(header::IF_RANGE) && !if_range_matches(request, headers) {
        return None;
    }
    match resolve(&specs, length) {
        Resolved::Unsatisfiable => {
            super::without_content(headers);
            set(headers, header::CONTENT_RANGE, &ContentRange::unsatisfied(length));
            Some((StatusCode::RANGE_NOT_SATISFIABLE, Body::empty()))
        }
        Resolved::Satisfiable(ranges) => match &ranges[..] {
            [range] => {
                let content_range = ContentRange::of(range, Some(length))?;
                set(headers, header::CONTENT_RANGE, &content_range.to_string());
                Some((StatusCode::PARTIAL_CONTENT, one(object, range)))
            }
            ranges => {
                Some((StatusCode::PARTIAL_CONTENT, several(node, object, headers, ranges, length)))
            }
        },
    }
}

fn one(object: &Arc<Object>, range: &Range<u64>) -> Body {
    if let Some(bytes) = object.body().complete()
        && let (Ok(start), Ok(end)) = (usize::try_from(range.start), usize::try_from(range.end))
        && end <= bytes.len()
    {
        return Body::whole(bytes.slice(start..end));
    }
    Body::stored(object.body().reader(Some(range.clone())), Some(range.end - range.start))
}

/// `multipart/byteranges` (RFC 9110 §14.6).
//= rfc9110#14.6
fn several(
    node: &Arc<Node>,
    object: &Arc<Object>,
    headers: &mut HeaderMap,
    ranges: &[Range<u64>],
    length: u64,
) -> Body {
    let boundary = node.new_request_id();
    let of_type = headers.get(header::CONTENT_TYPE).cloned();
    let of_type = of_type.as_ref().and_then(|t| t.to_str().ok());
    let mut parts = VecDeque::with_capacity(ranges.len() * 2 + 1);
    let mut total = 0;
    for range in ranges {
        let text = Bytes::from(multipart::part_header(&boundary, of_type, range, length));
        total += text.len() as u64 + range.end - range.start;
        parts.push_back(Part::Text(text));
        parts.push_back(Part::Range(object.body().reader(Some(range.clone()))));
    }
    let closing = Bytes::from(multipart::closing(&boundary));
    total += closing.len() as u64;
    parts.push_back(Part::Text(closing));
    set(headers, header::CONTENT_TYPE, &multipart::content_type(&boundary));
    Body::parts(parts, total)
}

fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
