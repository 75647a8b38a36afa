//! Cache-control meant for CDNs (RFC 9213), and its older form `Surrogate-Control`.

use http::{HeaderMap, HeaderName};

use crate::directives::syntax::{Argument, Directive};
use crate::directives::{Delta, FieldScope, ResponseDirectives};
use crate::sf::{self, Bare, Member};

mod surrogate;

pub use surrogate::SURROGATE_ID;

pub(crate) const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");
pub(crate) const SURROGATE_CONTROL: HeaderName = HeaderName::from_static("surrogate-control");

/// Which field the caching of a response is controlled by.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ControlSource {
    /// `CDN-Cache-Control`.
    CdnCacheControl,
    /// `Surrogate-Control`.
    SurrogateControl,
    /// `Cache-Control`.
    CacheControl,
    /// None of them is there.
    None,
}

impl ControlSource {
    /// Whether `Cache-Control` and `Expires` are out of force.
    pub fn is_targeted(self) -> bool {
        matches!(self, Self::CdnCacheControl | Self::SurrogateControl)
    }

    /// The stable kebab-case token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CdnCacheControl => "cdn-cache-control",
            Self::SurrogateControl => "surrogate-control",
            Self::CacheControl => "cache-control",
            Self::None => "none",
        }
    }
}

/// The directives in force: the first targeted field that is there, valid and not empty, else
/// `Cache-Control`. With a targeted one in force the caller ignores `Expires` too.
//= rfc9213#2.2
pub fn effective_directives(headers: &HeaderMap) -> (ResponseDirectives, ControlSource) {
    if headers.contains_key(CDN_CACHE_CONTROL)
        && let Some(directives) = targeted(headers, &CDN_CACHE_CONTROL)
    {
        return (directives, ControlSource::CdnCacheControl);
    }
    if headers.contains_key(SURROGATE_CONTROL)
        && let Some(directives) = surrogate::parse(headers)
    {
        return (directives, ControlSource::SurrogateControl);
    }
    let directives = ResponseDirectives::parse(headers);
    let source = if directives.present { ControlSource::CacheControl } else { ControlSource::None };
    (directives, source)
}

/// Reads a targeted field, a dictionary; `None` when it is absent, faulty or empty and so ignored.
//= rfc9213#2.1
fn targeted(headers: &HeaderMap, name: &HeaderName) -> Option<ResponseDirectives> {
    let value = sf::joined(&headers.get_all(name))?;
    let members = sf::dictionary(&value)?;
    if members.is_empty() {
        return None;
    }
    let mut directives = ResponseDirectives { present: true, ..Default::default() };
    for (key, member) in &members {
        apply(&mut directives, key, member);
    }
    Some(directives)
}

/// One member. Seconds must be an integer that is not negative: nothing else is converted into one,
/// and having such a member leaves the response stale rather than as if it were not there.
fn apply(directives: &mut ResponseDirectives, key: &str, member: &Member) {
    let delta = match member {
        Member::Item(Bare::Integer(seconds)) => clamp_seconds(*seconds),
        _ => Delta::Malformed,
    };
    match key {
        "max-age" => directives.max_age = delta,
        "s-maxage" => directives.s_maxage = delta,
        "stale-while-revalidate" => directives.stale_while_revalidate = delta,
        "stale-if-error" => directives.stale_if_error = delta,
        "no-cache" => directives.no_cache = scope(member),
        "private" => directives.private = scope(member),
        _ => {
            // A directive without a value is the boolean true, and its opposite says nothing.
            if *member != Member::Item(Bare::Boolean(false)) {
                let bare = *member == Member::Item(Bare::Boolean(true));
                let argument = if bare { Argument::None } else { Argument::Malformed };
                directives.apply(&Directive { name: key.as_bytes(), argument });
            }
        }
    }
}

fn clamp_seconds(seconds: i64) -> Delta {
    const MAX: u32 = u32::MAX >> 1;
    match u32::try_from(seconds) {
        Ok(seconds) => Delta::Seconds(seconds.min(MAX)),
        Err(_) if seconds < 0 => Delta::Malformed,
        Err(_) => Delta::Seconds(MAX),
    }
}

fn scope(member: &Member) -> FieldScope {
    match member {
        Member::Item(Bare::Boolean(false)) => FieldScope::None,
        Member::Item(Bare::String(list) | Bare::Token(list)) => {
            FieldScope::parse(&Argument::Token(list.as_bytes()))
        }
        _ => FieldScope::Whole,
    }
}

#[cfg(test)]
mod tests;
