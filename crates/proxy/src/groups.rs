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

/// A change that came by this node ends the groups that its answer names, here. How many orders that took.
//= rfc9875#3
pub(crate) fn invalidate<T>(node: &Node, received: &Received, response: &Response<T>) -> u64 {
    let method = &received.head.method;
    let groups = cache_group_invalidation(method, response.status(), response.headers());
    let tag =
        |group: &String| of_origin(received.scheme.as_bytes(), received.host.as_bytes(), group);
    groups.iter().map(|group| end(node, &tag(group))).sum()
}

/// Ends a tag, here. How many orders that took.
fn end(node: &Node, tag: &[u8]) -> u64 {
    match node.apply_here(&Order::tag(tag)) {
        Ok(_) => 1,
        Err(error) => {
            tracing::warn!(%error, "what a change ends is not invalidated");
            0
        }
    }
}

/// A change of the URL of `key` ends what is stored for it under this key and all others that it has. How many
/// orders that took: none where the URL has one key.
//= rfc9111#4.4
pub(crate) fn url_changed(node: &Node, key: &[u8], now: Timestamp) -> u64 {
    let Some(tag) = of_url(key) else {
        node.cache.invalidate(key, Invalidate::Hard, now);
        return 0;
    };
    end(node, &tag)
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
