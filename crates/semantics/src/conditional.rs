//! Conditional requests (RFC 9110 §13): those clients send, and those the cache sends to validate.

use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use smallvec::SmallVec;

use crate::freshness::date_value;
use crate::lists::trim_ows;
use crate::time::{Timestamp, parse_http_date};

mod etag;
mod validate;

pub use etag::{EntityTag, matches_any};
pub use validate::{add_validators, has_validator, validates};

/// What a request's conditions come to.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Precondition {
    /// There are none, or they hold: perform the method.
    Proceed,
    /// The client has it already: answer 304.
    NotModified,
    /// Answer 412.
    Failed,
}

/// Evaluates a request's conditions against a selected response with `status` and the fields
/// `response`, in the order of RFC 9110 §13.2.2. Conditions apply to what would be a success only.
/// `received` stands in for the `Date` of a response that has none.
//= rfc9110#13.2.1
//= rfc9110#13.2.2
pub fn evaluate(
    method: &Method,
    request: &HeaderMap,
    status: StatusCode,
    response: &HeaderMap,
    received: Timestamp,
) -> Precondition {
    if !status.is_success() || *method == Method::OPTIONS || *method == Method::CONNECT {
        return Precondition::Proceed;
    }
    let etag = || {
        let value = response.get(header::ETAG)?;
        EntityTag::parse(value.as_bytes())
    };
    if request.contains_key(header::IF_MATCH) {
        //= rfc9110#13.1.1
        let etag = etag();
        let same = |tag: &EntityTag<'_>| etag.is_some_and(|etag| etag.strong_eq(tag));
        if !matches_any(request, &header::IF_MATCH, same) {
            return Precondition::Failed;
        }
    } else if let Some(date) = request_date(request, &header::IF_UNMODIFIED_SINCE) {
        //= rfc9110#13.1.4
        if last_modified(response).is_some_and(|modified| modified > date) {
            return Precondition::Failed;
        }
    }
    let readable = *method == Method::GET || *method == Method::HEAD;
    if request.contains_key(header::IF_NONE_MATCH) {
        //= rfc9110#13.1.2
        let etag = etag();
        let same = |tag: &EntityTag<'_>| etag.is_some_and(|etag| etag.weak_eq(tag));
        return match matches_any(request, &header::IF_NONE_MATCH, same) {
            true if readable => Precondition::NotModified,
            true => Precondition::Failed,
            false => Precondition::Proceed,
        };
    }
    if readable && let Some(since) = request_date(request, &header::IF_MODIFIED_SINCE) {
        //= rfc9110#13.1.3
        //= rfc9111#4.3.2
        let modified = last_modified(response).unwrap_or_else(|| date_value(response, received));
        if modified <= since {
            return Precondition::NotModified;
        }
    }
    Precondition::Proceed
}

/// The fields a 304 made from a stored response carries: what it needs to find and update the
/// client's copy, plus everything that is not about the representation. The caller adds `Age`.
//= rfc9110#15.4.5
pub fn not_modified_headers(stored: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    for (name, value) in stored {
        if carried_by_304(name) {
            headers.append(name, value.clone());
        }
    }
    // Metadata says what a client already knows, unless there is no tag to tell it by.
    if !headers.contains_key(header::ETAG)
        && let Some(modified) = stored.get(header::LAST_MODIFIED)
    {
        headers.insert(header::LAST_MODIFIED, modified.clone());
    }
    headers
}

fn carried_by_304(name: &HeaderName) -> bool {
    let metadata = [
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::CONTENT_ENCODING,
        header::CONTENT_LANGUAGE,
        header::CONTENT_RANGE,
        header::LAST_MODIFIED,
        header::ACCEPT_RANGES,
        header::TRANSFER_ENCODING,
        header::TRAILER,
        header::AGE,
        HeaderName::from_static("content-md5"),
        HeaderName::from_static("content-digest"),
        HeaderName::from_static("repr-digest"),
        HeaderName::from_static("digest"),
    ];
    !metadata.contains(name)
}

fn last_modified(response: &HeaderMap) -> Option<Timestamp> {
    parse_http_date(trim_ows(response.get(header::LAST_MODIFIED)?.as_bytes()))
}

/// A date condition; one that is malformed or repeated is ignored.
fn request_date(request: &HeaderMap, name: &HeaderName) -> Option<Timestamp> {
    let values: SmallVec<[_; 2]> = request.get_all(name).iter().take(2).collect();
    match values.as_slice() {
        [value] => parse_http_date(trim_ows(value.as_bytes())),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
