//! Texts of orders to invalidate.

use crds::PatternSpec;

use semantics::pattern::{Kind, Pattern};
use semantics::{check_tag, normalize_prefix, normalize_target};
use wire::invalidation as wire;

use super::{BadText, host};

/// Host and target of an http or https URL. The port is left out: what is stored has none.
pub(crate) fn purge_url(text: &str) -> Result<wire::Url, BadText> {
    let bad = || BadText::PurgeUrl(text.to_owned());
    let (host, target) = split(text).ok_or_else(bad)??;
    if !is_visible(target) {
        return Err(bad());
    }
    Ok(wire::Url { host, path: normalize_target(&rooted(target)) })
}

/// A path, or a URL of which everything below is meant.
pub(crate) fn url_prefix(text: &str) -> Result<wire::Prefix, BadText> {
    let bad = || BadText::Prefix(text.to_owned());
    let (host, target) = match split(text) {
        Some(parts) => parts.map(|(host, target)| (Some(host), target))?,
        None if text.starts_with('/') => (None, text),
        None => return Err(bad()),
    };
    if !is_visible(target) {
        return Err(bad());
    }
    Ok(wire::Prefix { host, path: normalize_prefix(&rooted(target)) })
}

/// A tag that somebody can have given.
pub(crate) fn tag(text: &str) -> Result<String, BadText> {
    check_tag(text).map(|()| text.to_owned()).map_err(|_| match text {
        "" => BadText::Empty,
        text => BadText::Tag(text.chars().take(60).collect()),
    })
}

/// The one of the four that is given, if it compiles.
pub(crate) fn pattern(spec: &PatternSpec) -> Result<wire::Pattern, BadText> {
    compiled(spec).map(|(_, wire)| wire)
}

fn compiled(spec: &PatternSpec) -> Result<(Pattern, wire::Pattern), BadText> {
    type Make = fn(String) -> wire::Pattern;
    let all: [(Kind, &Option<String>, Make); 4] = [
        (Kind::Glob, &spec.glob, wire::Pattern::Glob),
        (Kind::Prefix, &spec.prefix, wire::Pattern::Prefix),
        (Kind::Exact, &spec.exact, wire::Pattern::Exact),
        (Kind::Regex, &spec.regex, wire::Pattern::Regex),
    ];
    let mut given =
        all.into_iter().filter_map(|(kind, text, make)| Some((kind, text.as_ref()?, make)));
    let (Some((kind, text, make)), None) = (given.next(), given.next()) else {
        return Err(BadText::OnePattern);
    };
    let compiled =
        Pattern::compile(kind, text).map_err(|e| BadText::Pattern(kind.as_str(), e.to_string()))?;
    Ok((compiled, make(text.clone())))
}

/// A pattern for paths: one that no path can match is a slip of the pen.
pub(crate) fn path_pattern(spec: &PatternSpec) -> Result<wire::Pattern, BadText> {
    let (compiled, wire) = compiled(spec)?;
    let head = compiled.literal_head();
    if !head.is_empty() && head[0] != b'/' {
        return Err(BadText::NoPath);
    }
    if head.contains(&b'?') {
        return Err(BadText::PathQuery);
    }
    Ok(wire)
}

/// The host of a URL in normal form, and what follows; `None` if it is none.
fn split(text: &str) -> Option<Result<(String, &str), BadText>> {
    let (scheme, rest) = text.split_once("://")?;
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return None;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    if authority.contains('@') {
        return None;
    }
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => authority,
    };
    Some(host(name).map(|host| (host, target)))
}

/// Without spaces, control characters and a fragment.
fn is_visible(target: &str) -> bool {
    !target.contains(|c: char| c.is_whitespace() || c.is_control() || c == '#')
}

fn rooted(target: &str) -> String {
    if target.starts_with('/') { target.to_owned() } else { format!("/{target}") }
}

#[cfg(test)]
mod tests;
