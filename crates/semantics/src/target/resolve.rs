//! Resolving a reference against a request's target (RFC 3986 §5.2), for the same origin only.

use crate::key::{normalize_host, remove_dot_segments};

/// The absolute URL `reference` names when it is on the same origin, without its fragment; `None`
/// when it is on another, or cannot be read.
//= rfc9110#10.2.2
//= rfc9110#4.3.1
pub fn resolve_same_origin(
    scheme: &str,
    authority: &str,
    path_and_query: &str,
    reference: &str,
) -> Option<String> {
    let reference = reference.trim();
    if reference.bytes().any(|b| b <= b' ' || b == 0x7f || b == b'\\') {
        return None;
    }
    let reference = reference.split('#').next().unwrap_or_default();
    let base_path = path_and_query.split('?').next().unwrap_or_default();
    let path = if let Some((other, rest)) = split_scheme(reference) {
        if !other.eq_ignore_ascii_case(scheme) {
            return None;
        }
        same_authority(scheme, authority, rest.strip_prefix("//")?)?
    } else if let Some(rest) = reference.strip_prefix("//") {
        same_authority(scheme, authority, rest)?
    } else if reference.starts_with('/') {
        reference.to_owned()
    } else if reference.is_empty() {
        path_and_query.to_owned()
    } else if reference.starts_with('?') {
        format!("{base_path}{reference}")
    } else {
        let directory = &base_path[..base_path.rfind('/').map_or(0, |slash| slash + 1)];
        let directory = if directory.is_empty() { "/" } else { directory };
        format!("{directory}{reference}")
    };
    let (path, query) = match path.find('?') {
        Some(mark) => path.split_at(mark),
        None => (path.as_str(), ""),
    };
    let path = remove_dot_segments(path);
    Some(format!("{scheme}://{authority}{path}{query}"))
}

/// A scheme ends at the first colon, if that comes before any slash, question mark or hash.
fn split_scheme(reference: &str) -> Option<(&str, &str)> {
    let colon = reference.find([':', '/', '?', '#'])?;
    let (scheme, rest) = reference.split_at(colon);
    let valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    rest.strip_prefix(':').filter(|_| valid).map(|rest| (scheme, rest))
}

/// The path after an authority that is the same as ours.
fn same_authority(scheme: &str, authority: &str, rest: &str) -> Option<String> {
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (other, path) = rest.split_at(end);
    let same = normalize_host(other, scheme).ok()? == normalize_host(authority, scheme).ok()?;
    let slash = if path.starts_with('/') { "" } else { "/" };
    same.then(|| format!("{slash}{path}"))
}
