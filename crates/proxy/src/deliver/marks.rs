//! The fields that say what happened: `X-Cache` and its kin (O4), and the mark of a stale answer (E7).

use cache::Object;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

use crate::config::Node;
use crate::intake::Received;
use crate::outcome::Outcome;

const X_CACHE: HeaderName = HeaderName::from_static("x-cache");
const X_CACHE_KEY: HeaderName = HeaderName::from_static("x-cache-key");
const X_CACHE_TTL: HeaderName = HeaderName::from_static("x-cache-ttl");
const X_CACHE_VARY: HeaderName = HeaderName::from_static("x-cache-vary");
const X_EDGE_NODE: HeaderName = HeaderName::from_static("x-edge-node");
const X_CDN_STALE: HeaderName = HeaderName::from_static("x-cdn-stale");

/// Takes out the marks of a tier above: this one makes its own. Gives what it says of staleness.
pub(crate) fn unmark(headers: &mut HeaderMap) -> Option<HeaderValue> {
    for name in [X_CACHE, X_CACHE_KEY, X_CACHE_TTL, X_CACHE_VARY, X_EDGE_NODE] {
        headers.remove(name);
    }
    headers.remove(X_CDN_STALE)
}

/// Says what a tier above said.
pub(crate) fn say_stale(headers: &mut HeaderMap, mark: &HeaderValue) {
    headers.insert(X_CDN_STALE, mark.clone());
}

/// Adds the marks; those for debugging where the site shows them, with what the object knows.
pub(crate) fn mark(
    headers: &mut HeaderMap,
    node: &Node,
    received: &Received,
    outcome: Outcome,
    object: Option<&Object>,
) {
    if let Some(reason) = outcome.stale() {
        headers.insert(X_CDN_STALE, HeaderValue::from_static(reason.as_str()));
    }
    if !received.site.shows_debug(received.seen.debug) {
        return;
    }
    headers.insert(X_CACHE, HeaderValue::from_static(outcome.word()));
    if let Ok(name) = HeaderValue::from_str(&node.name) {
        headers.insert(X_EDGE_NODE, name);
    }
    let Some(object) = object else { return };
    // A key may hold separators that no field value can.
    let key = object.key().escape_ascii().to_string();
    if let Ok(key) = HeaderValue::from_str(&key) {
        headers.insert(X_CACHE_KEY, key);
    }
    headers.insert(X_CACHE_TTL, HeaderValue::from(object.freshness.remaining(node.now())));
    if let Some(vary) = object.vary() {
        let names: Vec<&str> = vary.names().iter().map(HeaderName::as_str).collect();
        if let Ok(names) = HeaderValue::from_str(&names.join(", ")) {
            headers.insert(X_CACHE_VARY, names);
        }
    }
}
