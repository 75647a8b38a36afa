//! Tags of a response: those it has, cache groups (RFC 9875), which are tags that belong to one origin, and its URL
//! where that alone is no key.

use cache::{Invalidate, Order, Tags};
use http::{HeaderMap, Response};
use semantics::key::split_key;
use semantics::{TagLimits, Timestamp, cache_group_invalidation, cache_groups, tags};

use crate::config::Node;
use crate::intake::Received;

/// What the response stored under `key` is tagged with. A group is there twice: by its name, for purges
/// by tag, and with its origin, whose responses invalidate it there and nowhere else.
//= rfc9875#2
pub(crate) fn tags(key: &[u8], headers: &HeaderMap) -> Tags {
    let mut all = tags::all_tags(headers, TagLimits::default());
    if let Some(parts) = split_key(key) {
        let groups = cache_groups(headers);
        all.extend(groups.iter().map(|group| of_origin(parts.scheme, parts.authority, group)));
    }
    all.extend(of_url(key));
    Tags::new(all.iter().map(Vec::as_slice))
}

/// A change that came by this node ends the groups that its answer names, here.
//= rfc9875#3
pub(crate) fn invalidate<T>(node: &Node, received: &Received, response: &Response<T>) {
    let method = &received.head.method;
    let groups = cache_group_invalidation(method, response.status(), response.headers());
    for group in groups {
        let tag = of_origin(received.scheme.as_bytes(), received.host.as_bytes(), &group);
        if let Err(error) = node.apply_here(&Order::tag(&tag)) {
            tracing::warn!(%error, "a cache group is not invalidated");
        }
    }
}

/// A change of the URL of `key` ends what is stored for it under this key and all others that it has.
//= rfc9111#4.4
pub(crate) fn url_changed(node: &Node, key: &[u8], now: Timestamp) {
    let Some(tag) = of_url(key) else {
        node.cache.invalidate(key, Invalidate::Hard, now);
        return;
    };
    if let Err(error) = node.apply_here(&Order::tag(&tag)) {
        tracing::warn!(%error, "a changed URL is not invalidated");
    }
}

/// What all keys of a URL share, if it can have several. No group: an authority has no slash.
fn of_url(key: &[u8]) -> Option<Vec<u8>> {
    let end = key.iter().position(|b| *b == b'\n')?;
    Some(key[..=end].to_vec())
}

/// With a line feed, which no field can hold: no tag is taken for a group.
fn of_origin(scheme: &[u8], authority: &[u8], group: &str) -> Vec<u8> {
    [scheme, b"://", authority, b"\n", group.as_bytes()].concat()
}
