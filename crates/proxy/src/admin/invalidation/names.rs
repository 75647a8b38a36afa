//! What orders name: hosts, URLs, prefixes, tags, ids. Checked here, so that nothing reaches the log that a
//! node could not apply.

use axum::http::Uri;
use semantics::pattern::{Kind, Pattern};
use semantics::tags::{BadTag, check_tag};
use semantics::{normalize_host, normalize_prefix, normalize_target};
use wire::invalidation::{Prefix, Url};

use super::desk::Desk;
use crate::admin::answer::BadField;
use crate::intake::without_port;

/// The host called `name` as its site names it; a port makes no difference.
pub(super) fn host(
    name: &str,
    scheme: &str,
    field: &str,
    desk: &dyn Desk,
) -> Result<String, BadField> {
    let bad = |reason: String| BadField::new(field, reason);
    let normal = normalize_host(name, scheme)
        .map_err(|error| bad(format!("{name:?} is not a host name ({error})")))?;
    let bare = without_port(&normal);
    desk.site_host(bare).ok_or_else(|| bad(format!("no site of this pool serves host {bare:?}")))
}

/// An absolute URL, in the form that keys have.
pub(super) fn url(text: &str, field: &str, desk: &dyn Desk) -> Result<Url, BadField> {
    let bad = |reason: String| BadField::new(field, reason);
    let form = "must be an absolute URL, such as https://cdn.example.com/path";
    let uri: Uri = text.parse().map_err(|error| bad(format!("{form}: {error}")))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(bad(form.to_owned()));
    };
    if !is_http(scheme) {
        return Err(bad(format!("{form}; {scheme} is neither http nor https")));
    }
    let host = host(authority.as_str(), scheme, field, desk)?;
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    Ok(Url { host, path: normalize_target(path) })
}

/// The head of URLs: `/path` on every host, `https://host/path` on one.
pub(super) fn prefix(text: &str, field: &str, desk: &dyn Desk) -> Result<Prefix, BadField> {
    let bad = |reason: &str| BadField::new(field, reason);
    let (on, path) = match text.split_once("://") {
        Some((scheme, rest)) if is_http(scheme) => {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            let on = host(authority, scheme, field, desk)?;
            (Some(on), if path.is_empty() { "/" } else { path })
        }
        _ => (None, text),
    };
    if !path.starts_with('/') {
        return Err(bad("must be /path or https://host/path"));
    }
    if path.chars().any(|c| c.is_whitespace() || c.is_control() || c == '#') {
        return Err(bad("has white space, a control character or a fragment, which no URL has"));
    }
    Pattern::compile(Kind::Prefix, path).map_err(|error| bad(&error.to_string()))?;
    Ok(Prefix { host: on, path: normalize_prefix(path) })
}

/// A surrogate key.
pub(super) fn tag(text: String, field: &str) -> Result<String, BadField> {
    match check_tag(&text) {
        Ok(()) => Ok(text),
        Err(error) => Err(BadField::new(
            field,
            match error {
                BadTag::Empty => "is empty; a tag has 1 to 1024 bytes",
                BadTag::TooLong => "is too long; a tag has 1 to 1024 bytes",
                BadTag::Character => {
                    "has white space, a comma or a control character, which no tag can have"
                }
            },
        )),
    }
}

/// The name of an order or a ban.
pub(super) fn id(text: String, field: &str) -> Result<String, BadField> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
    if (1..=64).contains(&text.len()) && text.bytes().all(fits) {
        return Ok(text);
    }
    Err(BadField::new(field, "must be 1 to 64 letters, digits, '-', '_', '.' or ':'"))
}

fn is_http(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}
