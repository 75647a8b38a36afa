//! What a response to an unsafe request invalidates (RFC 9111 §4.4, RFC 9875).

use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use smallvec::SmallVec;

use crate::sf::{self, Bare, Member};

mod resolve;

pub use resolve::resolve_same_origin;

const CACHE_GROUPS: HeaderName = HeaderName::from_static("cache-groups");
const CACHE_GROUP_INVALIDATION: HeaderName = HeaderName::from_static("cache-group-invalidation");

/// Whether a method is known not to change anything (RFC 9110 §9.2.1). Unknown ones are not.
//= rfc9110#9.2.1
pub fn is_safe(method: &Method) -> bool {
    matches!(
        method.as_str(),
        "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PROPFIND" | "REPORT" | "SEARCH" | "QUERY"
    )
}

/// The URLs a response invalidates: after an unsafe method that did not fail the target itself, and
/// what `Location` and `Content-Location` name on the same origin. Absolute, fit for
/// [`write_cache_key`](crate::write_cache_key) once taken apart.
//= rfc9111#4.4
pub fn invalidated_targets(
    method: &Method,
    status: StatusCode,
    scheme: &str,
    authority: &str,
    path_and_query: &str,
    response: &HeaderMap,
) -> SmallVec<[String; 2]> {
    let mut targets = SmallVec::new();
    if !invalidates(method, status) {
        return targets;
    }
    targets.push(format!("{scheme}://{authority}{path_and_query}"));
    for name in [header::LOCATION, header::CONTENT_LOCATION] {
        let named = response
            .get(name)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| resolve_same_origin(scheme, authority, path_and_query, value));
        if let Some(url) = named
            && !targets.contains(&url)
        {
            targets.push(url);
        }
    }
    targets
}

fn invalidates(method: &Method, status: StatusCode) -> bool {
    !is_safe(method) && (status.is_success() || status.is_redirection())
}

/// The groups a response belongs to. Groups are an origin's own: the caller keeps those of
/// different sites apart.
//= rfc9875#2
pub fn cache_groups(headers: &HeaderMap) -> SmallVec<[String; 4]> {
    group_list(headers, &CACHE_GROUPS)
}

/// The groups a response invalidates; only one to an unsafe method that did not fail does.
//= rfc9875#3
pub fn cache_group_invalidation(
    method: &Method,
    status: StatusCode,
    headers: &HeaderMap,
) -> SmallVec<[String; 4]> {
    if !invalidates(method, status) {
        return SmallVec::new();
    }
    group_list(headers, &CACHE_GROUP_INVALIDATION)
}

/// A list of strings; anything else in it makes all of it void. The RFC asks caches for at least 32
/// groups of at least 32 characters each; what exceeds 128 groups or characters is left out.
//= rfc9875#2
fn group_list(headers: &HeaderMap, name: &HeaderName) -> SmallVec<[String; 4]> {
    const MOST: usize = 128;
    if !headers.contains_key(name) {
        return SmallVec::new();
    }
    let Some(members) = sf::joined(&headers.get_all(name)).and_then(|value| sf::list(&value))
    else {
        return SmallVec::new();
    };
    let mut groups: SmallVec<[String; 4]> = SmallVec::new();
    for member in members {
        let Member::Item(Bare::String(group)) = member else {
            return SmallVec::new();
        };
        if groups.len() < MOST && group.len() <= MOST && !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

#[cfg(test)]
mod tests;
