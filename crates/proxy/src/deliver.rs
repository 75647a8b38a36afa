//! `deliver`: from a stored or relayed response to what the client gets.

use std::sync::Arc;

use cache::Object;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Response, StatusCode};
use http_body::Body as _;
use semantics::{Coding, Precondition, Timestamp, evaluate, not_modified_headers};

use crate::body::Body;
use crate::compress;
use crate::config::Node;
use crate::intake::Received;
use crate::outcome::Outcome;
use crate::tiers::{self, Word};

pub(crate) mod marks;
mod ranges;

/// A response and what became of its request, on the way to the log.
pub(crate) struct Answer {
    pub(crate) response: Response<Body>,
    pub(crate) outcome: Outcome,
}

/// For this network only; consumed here unless the site shows debug fields.
pub(crate) const BORDER: [HeaderName; 5] = [
    HeaderName::from_static("surrogate-control"),
    HeaderName::from_static("cdn-cache-control"),
    HeaderName::from_static("surrogate-key"),
    HeaderName::from_static("cache-tag"),
    HeaderName::from_static("cache-groups"),
];

/// Answers from `object`: conditions first, then ranges, then the coding that the client takes.
pub(crate) fn deliver(
    node: &Arc<Node>,
    received: &Received,
    object: &Arc<Object>,
    outcome: Outcome,
    upstream_status: Option<StatusCode>,
) -> Answer {
    let now = node.now();
    let debug = received.site.shows_debug(received.seen.debug);
    let mut headers = HeaderMap::with_capacity(16);
    object.copy_headers(&mut headers);
    //= rfc9111#5.1
    let age = object.freshness.age(now);
    if outcome.is_from_store() || age > 0 {
        headers.insert(header::AGE, HeaderValue::from(age));
    }
    let (status, body) = select(node, received, object, &mut headers, now);
    if !debug && received.below.is_none() {
        remove_border(&mut headers);
    }
    // Of what was purged softly the tier below could not know it from anything but this silence.
    if !object.freshness.is_invalidated() {
        tiers::vouch(&mut headers, received);
    }
    if outcome.saves() {
        node.metrics.saved.inc_by(body.size_hint().exact().unwrap_or(0));
    }
    let ttl = Some(object.freshness.remaining(now));
    outcome.cache_status(&node.name, ttl, upstream_status).append_to(&mut headers);
    marks::mark(&mut headers, node, received, outcome, debug.then_some(&**object));
    let mut response = Response::new(body.counted(&node.metrics.served));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Answer { response, outcome }
}

/// Which status and body `object` gives for this request; completes `headers` accordingly.
fn select(
    node: &Arc<Node>,
    received: &Received,
    object: &Arc<Object>,
    headers: &mut HeaderMap,
    now: Timestamp,
) -> (StatusCode, Body) {
    let request = &received.head;
    if received.seen.conditions {
        match evaluate(&request.method, &request.headers, object.status, headers, now) {
            Precondition::Proceed => {}
            Precondition::NotModified => {
                // The 304 speaks of the representation that this client would get.
                let length = content_length(object, headers);
                if compress::vary(received, object.status, headers, length) != Coding::Identity {
                    semantics::weaken_etag(headers);
                }
                let mut kept = not_modified_headers(headers);
                if let Some(age) = headers.remove(header::AGE) {
                    kept.insert(header::AGE, age);
                }
                *headers = kept;
                return (StatusCode::NOT_MODIFIED, Body::empty());
            }
            Precondition::Failed => return failed_precondition(headers),
        }
    }
    let length = content_length(object, headers);
    // Also where a part is sent: the whole would depend on it.
    //= rfc9110#15.3.7
    let coding = compress::vary(received, object.status, headers, length);
    //= rfc9110#9.3.2
    if request.method == Method::HEAD {
        if coding != Coding::Identity {
            say_coding(headers, coding);
            headers.remove(header::CONTENT_LENGTH);
        } else if !object.head_only
            && let Some(length) = length
        {
            headers.insert(header::CONTENT_LENGTH, length.into());
        }
        return (object.status, Body::empty());
    }
    if received.seen.range
        && object.status == StatusCode::OK
        && let Some(length) = length
        && let Some(part) = ranges::cut(node, received, object, headers, length)
    {
        return part;
    }
    if coding != Coding::Identity {
        say_coding(headers, coding);
        let body = compress::transformed(node, &received.site, object, coding);
        return (object.status, whole(&body));
    }
    (object.status, whole(object.body()))
}

/// Bytes of what a GET would get uncoded, if that is known; what a HEAD stored has no body, but its word.
fn content_length(object: &Object, headers: &HeaderMap) -> Option<u64> {
    if object.head_only {
        return headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
    }
    object.body().expected_len()
}

/// All of a stored body: in one piece where it is, else as it is read or still comes in.
fn whole(body: &Arc<cache::Body>) -> Body {
    match body.complete() {
        Some(bytes) => Body::whole(bytes.clone()),
        None => Body::stored(body.reader(None), body.expected_len()),
    }
}

/// What is stored is sent in `coding`: no longer the same bytes, nor a length that is known, nor cut into ranges.
fn say_coding(headers: &mut HeaderMap, coding: Coding) {
    semantics::weaken_etag(headers);
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.as_str()));
    headers.remove(header::ACCEPT_RANGES);
}

fn failed_precondition(headers: &mut HeaderMap) -> (StatusCode, Body) {
    without_content(headers);
    (StatusCode::PRECONDITION_FAILED, Body::empty())
}

/// Removes what describes the stored content, and how long it may be used, from the head of an error.
fn without_content(headers: &mut HeaderMap) {
    for name in [
        header::CONTENT_TYPE,
        header::CONTENT_ENCODING,
        header::CONTENT_LANGUAGE,
        header::CONTENT_LOCATION,
        header::LAST_MODIFIED,
        header::CACHE_CONTROL,
        header::EXPIRES,
        header::AGE,
    ] {
        headers.remove(name);
    }
}

/// Hands on a response that is this request's alone.
pub(crate) fn relay(
    node: &Arc<Node>,
    received: &Received,
    response: Response<upstream::Body>,
    outcome: Outcome,
    word: &Word,
) -> Answer {
    let (mut parts, body) = response.into_parts();
    let debug = received.site.shows_debug(received.seen.debug);
    if !debug && received.below.is_none() {
        remove_border(&mut parts.headers);
    }
    tiers::vouch(&mut parts.headers, received);
    word.instead(&mut parts.headers, received);
    let status = parts.status;
    outcome.cache_status(&node.name, None, Some(status)).append_to(&mut parts.headers);
    marks::mark(&mut parts.headers, node, received, outcome, None);
    let mut response =
        Response::new(Body::upstream(body, &node.unsent).counted(&node.metrics.served));
    *response.status_mut() = status;
    *response.headers_mut() = parts.headers;
    Answer { response, outcome }
}

/// What is for this network alone.
pub(crate) fn remove_border(headers: &mut HeaderMap) {
    tiers::take(headers);
    for name in &BORDER {
        headers.remove(name);
    }
}
