//! Cache-Control of responses and requests (RFC 9111 §5.2).
//!
//! All lines of a field are one list, names ignore case and quoted strings are honoured. Where a
//! message contradicts itself the safer reading wins: the smaller of two lifetimes, a malformed
//! value over a good one, and a restriction counts whatever argument it carries, while a permission
//! counts only when it stands bare.

use http::{HeaderMap, HeaderName, header};
use smallvec::SmallVec;

use crate::lists::{delta_seconds, members, trim_ows};

mod request;
pub(crate) mod syntax;

pub use request::{MaxStale, RequestDirectives};
use syntax::{Argument, Directive};

/// The argument of a directive that takes seconds.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Delta {
    /// The directive is not there.
    #[default]
    Absent,
    /// Clamped to 2147483647 (RFC 9111 §1.2.2).
    Seconds(u32),
    /// Anything but digits: negative, a fraction, empty, oddly quoted.
    Malformed,
}

impl Delta {
    /// Whether the directive is there, well-formed or not.
    pub fn is_present(self) -> bool {
        self != Self::Absent
    }

    /// The seconds. A malformed value is zero: what cannot be read makes stale.
    pub fn seconds(self) -> Option<u32> {
        match self {
            Self::Absent => None,
            Self::Seconds(seconds) => Some(seconds),
            Self::Malformed => Some(0),
        }
    }

    pub(crate) fn parse(argument: &Argument<'_>) -> Self {
        let text = match argument {
            Argument::Token(text) | Argument::Quoted(text) => text,
            Argument::None | Argument::Malformed => return Self::Malformed,
        };
        delta_seconds(text).map_or(Self::Malformed, Self::Seconds)
    }

    /// Another occurrence of the same directive: the safer of the two stays.
    //= rfc9111#4.2.1
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Absent, x) | (x, Self::Absent) => x,
            (Self::Seconds(a), Self::Seconds(b)) => Self::Seconds(a.min(b)),
            _ => Self::Malformed,
        }
    }
}

/// How much of a response a `no-cache` or `private` covers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum FieldScope {
    /// The directive is not there.
    #[default]
    None,
    /// The qualified form: only these fields.
    Fields(SmallVec<[HeaderName; 2]>),
    /// The whole response; also what an unreadable qualified form means.
    Whole,
}

impl FieldScope {
    /// Whether the whole response is covered.
    pub fn is_whole(&self) -> bool {
        *self == Self::Whole
    }

    /// The fields of the qualified form.
    pub fn fields(&self) -> &[HeaderName] {
        match self {
            Self::Fields(fields) => fields,
            Self::None | Self::Whole => &[],
        }
    }

    /// Reads the argument: nothing covers all, a list of field names just those.
    //= rfc9111#5.2.2.4
    //= rfc9111#5.2.2.7
    pub(crate) fn parse(argument: &Argument<'_>) -> Self {
        let list = match argument {
            Argument::Token(text) | Argument::Quoted(text) => trim_ows(text),
            Argument::None | Argument::Malformed => return Self::Whole,
        };
        let mut fields = SmallVec::new();
        for name in members(list) {
            match HeaderName::from_bytes(name) {
                Ok(name) => fields.push(name),
                Err(_) => return Self::Whole,
            }
        }
        if fields.is_empty() { Self::Whole } else { Self::Fields(fields) }
    }

    /// Another occurrence of the same directive: both apply.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, x) | (x, Self::None) => x,
            (Self::Fields(mut a), Self::Fields(b)) => {
                a.extend(b);
                Self::Fields(a)
            }
            _ => Self::Whole,
        }
    }
}

/// What a response says about its caching (RFC 9111 §5.2.2, RFC 5861, RFC 8246).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ResponseDirectives {
    /// `no-store`.
    pub no_store: bool,
    /// `no-cache`, perhaps for some fields only.
    pub no_cache: FieldScope,
    /// `private`, perhaps for some fields only.
    pub private: FieldScope,
    /// `public`.
    pub public: bool,
    /// `must-revalidate`.
    pub must_revalidate: bool,
    /// `proxy-revalidate`.
    pub proxy_revalidate: bool,
    /// `must-understand`.
    pub must_understand: bool,
    /// `no-transform`.
    pub no_transform: bool,
    /// `immutable` (RFC 8246): passed through; this cache never validates what is fresh anyway.
    pub immutable: bool,
    /// `max-age`.
    pub max_age: Delta,
    /// `s-maxage`.
    pub s_maxage: Delta,
    /// `stale-while-revalidate` (RFC 5861 §3).
    pub stale_while_revalidate: Delta,
    /// `stale-if-error` (RFC 5861 §4).
    pub stale_if_error: Delta,
    /// Whether the field was there at all.
    pub present: bool,
}

impl ResponseDirectives {
    /// Reads `Cache-Control`, all lines together.
    pub fn parse(headers: &HeaderMap) -> Self {
        let mut directives = Self::default();
        for line in headers.get_all(header::CACHE_CONTROL) {
            directives.present = true;
            for member in members(line.as_bytes()) {
                directives.apply(&Directive::parse(member));
            }
        }
        directives
    }

    //= rfc9111#5.2
    pub(crate) fn apply(&mut self, directive: &Directive<'_>) {
        let argument = &directive.argument;
        let bare = matches!(argument, Argument::None);
        let delta = |old: Delta| old.and(Delta::parse(argument));
        let mut name = [0; 24];
        match directive.lowercase_name(&mut name) {
            b"no-store" => self.no_store = true,
            b"no-cache" => {
                self.no_cache = std::mem::take(&mut self.no_cache).and(FieldScope::parse(argument));
            }
            b"private" => {
                self.private = std::mem::take(&mut self.private).and(FieldScope::parse(argument));
            }
            b"must-revalidate" => self.must_revalidate = true,
            b"proxy-revalidate" => self.proxy_revalidate = true,
            b"no-transform" => self.no_transform = true,
            b"must-understand" => self.must_understand = true,
            b"public" => self.public |= bare,
            //= rfc8246#2
            b"immutable" => self.immutable |= bare,
            b"max-age" => self.max_age = delta(self.max_age),
            b"s-maxage" => self.s_maxage = delta(self.s_maxage),
            b"stale-while-revalidate" => {
                self.stale_while_revalidate = delta(self.stale_while_revalidate);
            }
            b"stale-if-error" => self.stale_if_error = delta(self.stale_if_error),
            //= rfc9111#5.2.3
            // Unknown directives are ignored.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
