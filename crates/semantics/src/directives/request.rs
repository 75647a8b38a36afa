//! Cache-Control and Pragma of requests (RFC 9111 §5.2.1, §5.4).

use http::{HeaderMap, header};

use super::Delta;
use super::syntax::{Argument, Directive};
use crate::lists::members;

/// How stale a response the client would still take.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum MaxStale {
    /// Not at all.
    #[default]
    None,
    /// However stale.
    Any,
    /// At most this many seconds past its lifetime.
    Seconds(u32),
}

/// What a request says about caching. The default is to say nothing.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct RequestDirectives {
    /// `no-store`.
    pub no_store: bool,
    /// `no-cache`, or `Pragma: no-cache` where there is no `Cache-Control`.
    pub no_cache: bool,
    /// `no-transform`.
    pub no_transform: bool,
    /// `only-if-cached`.
    pub only_if_cached: bool,
    /// `max-age`; a malformed one is zero.
    pub max_age: Option<u32>,
    /// `min-fresh`; a malformed one is ignored.
    pub min_fresh: Option<u32>,
    /// `max-stale`; a malformed one is ignored.
    pub max_stale: MaxStale,
    /// `stale-if-error` (RFC 5861 §4); a malformed one is ignored.
    pub stale_if_error: Option<u32>,
}

impl RequestDirectives {
    /// Reads `Cache-Control`, and `Pragma` only in its absence.
    //= rfc9111#5.2.1
    //= rfc9111#5.4
    pub fn parse(headers: &HeaderMap) -> Self {
        let mut directives = Self::default();
        if headers.contains_key(header::CACHE_CONTROL) {
            for line in headers.get_all(header::CACHE_CONTROL) {
                for member in members(line.as_bytes()) {
                    directives.apply(&Directive::parse(member));
                }
            }
        } else if headers.contains_key(header::PRAGMA) {
            directives.no_cache = headers
                .get_all(header::PRAGMA)
                .iter()
                .flat_map(|line| members(line.as_bytes()))
                .any(|member| member.eq_ignore_ascii_case(b"no-cache"));
        }
        directives
    }

    fn apply(&mut self, directive: &Directive<'_>) {
        let argument = &directive.argument;
        let smaller = |old: Option<u32>, new: u32| Some(old.map_or(new, |old| old.min(new)));
        let mut name = [0; 24];
        match directive.lowercase_name(&mut name) {
            b"no-store" => self.no_store = true,
            b"no-cache" => self.no_cache = true,
            b"no-transform" => self.no_transform = true,
            b"only-if-cached" => self.only_if_cached = true,
            b"max-age" => {
                let seconds = Delta::parse(argument).seconds().unwrap_or(0);
                self.max_age = smaller(self.max_age, seconds);
            }
            b"min-fresh" => {
                if let Delta::Seconds(seconds) = Delta::parse(argument) {
                    self.min_fresh = Some(self.min_fresh.map_or(seconds, |old| old.max(seconds)));
                }
            }
            b"max-stale" => self.max_stale = self.max_stale.and(argument),
            b"stale-if-error" => {
                if let Delta::Seconds(seconds) = Delta::parse(argument) {
                    self.stale_if_error = smaller(self.stale_if_error, seconds);
                }
            }
            _ => {}
        }
    }
}

impl MaxStale {
    /// A bare directive takes any staleness, a number bounds it; of several the tightest counts.
    fn and(self, argument: &Argument<'_>) -> Self {
        match (self, argument) {
            (Self::None, Argument::None) => Self::Any,
            (old, Argument::None) => old,
            (old, argument) => match (old, Delta::parse(argument)) {
                (Self::Seconds(a), Delta::Seconds(b)) => Self::Seconds(a.min(b)),
                (_, Delta::Seconds(b)) => Self::Seconds(b),
                (old, _) => old,
            },
        }
    }
}
