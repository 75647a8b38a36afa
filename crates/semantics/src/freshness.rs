//! How long a response may be used, and whether it may be now (RFC 9111 §4.2, RFC 5861).

use std::time::Duration;

use http::HeaderMap;

use crate::directives::{MaxStale, RequestDirectives, ResponseDirectives};
use crate::policy::Policy;
use crate::reasons::{StaleReason, reasons};
use crate::time::Timestamp;

mod age;

pub(crate) use age::{InitialAge, date_value, initial_age};

reasons! {
    /// Where a lifetime comes from.
    LifetimeSource {
        /// `max-age` or `s-maxage` of a targeted field (RFC 9213).
        Targeted => "targeted",
        /// `s-maxage`.
        SMaxage => "s-maxage",
        /// `max-age`.
        MaxAge => "max-age",
        /// `Expires` less `Date`.
        Expires => "expires",
        /// A share of the age since `Last-Modified`.
        Heuristic => "heuristic",
        /// The site's short lifetime for errors.
        Negative => "negative",
        /// Nothing gives one: it is stale from the start.
        None => "none",
    }
}

/// What may be done with a stored response.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Use it.
    Fresh,
    /// It is stale; use it at once and refresh it behind (RFC 5861 §3).
    StaleWhileRevalidate(StaleReason),
    /// It is stale, and the request's `max-stale` takes it so: no refresh is asked for.
    StaleAllowed(StaleReason),
    /// Ask the origin first.
    MustValidate(StaleReason),
}

/// The freshness of one stored response.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// When its age was zero, by the local clock.
    born: Timestamp,
    /// Seconds from there to its expiry.
    lifetime: u32,
    /// Seconds past expiry in which it may be served while it is refreshed.
    swr: u32,
    /// Seconds past expiry in which it may stand in for an error.
    sie: u32,
    source: LifetimeSource,
    flags: u8,
}

/// `no-cache`: never used without asking.
const NO_CACHE: u8 = 1;
/// `must-revalidate` or `proxy-revalidate`: never used stale.
const MUST_REVALIDATE: u8 = 1 << 1;
/// `s-maxage`: not used stale but where the response itself says so.
const SHARED_REVALIDATE: u8 = 1 << 2;
/// Purged softly.
const INVALIDATED: u8 = 1 << 3;

impl Freshness {
    /// Puts together lifetime, initial age and the directives about staleness.
    pub(crate) fn new(
        age: &InitialAge,
        (lifetime, source): (Duration, LifetimeSource),
        directives: &ResponseDirectives,
        policy: &Policy,
    ) -> Self {
        let cap = secs(policy.max_lifetime);
        let mut flags = 0;
        if directives.no_cache.is_whole() {
            flags |= NO_CACHE;
        }
        //= rfc9111#5.2.2.2
        //= rfc9111#5.2.2.8
        if directives.must_revalidate || directives.proxy_revalidate {
            flags |= MUST_REVALIDATE;
        }
        //= rfc9111#5.2.2.10
        if directives.s_maxage.is_present() {
            flags |= SHARED_REVALIDATE;
        }
        let grace = |explicit: Option<u32>, default: Duration| match explicit {
            _ if flags & (NO_CACHE | MUST_REVALIDATE) != 0 => 0,
            Some(seconds) => seconds.min(cap),
            None if flags & SHARED_REVALIDATE != 0 => 0,
            None => secs(default).min(cap),
        };
        let swr = directives.stale_while_revalidate.seconds();
        let sie = directives.stale_if_error.seconds();
        // An age nobody can read may be any age: nothing is fresh then, nor just past it.
        let swr = if age.unknown { 0 } else { grace(swr, policy.default_stale_while_revalidate) };
        Self {
            born: age.born,
            lifetime: if age.unknown { 0 } else { secs(lifetime).min(cap) },
            swr,
            sie: grace(sie, policy.default_stale_if_error),
            source,
            flags,
        }
    }

    /// Of a response that is this one answer and not stored: it has an age, and no time in which it may be used.
    pub fn of_one_answer(
        response: &HeaderMap,
        request_time: Timestamp,
        response_time: Timestamp,
    ) -> Self {
        let age = initial_age(response, request_time, response_time);
        let source = LifetimeSource::None;
        Self { born: age.born, lifetime: 0, swr: 0, sie: 0, source, flags: NO_CACHE }
    }

    /// The age in whole seconds (RFC 9111 §4.2.3), as the `Age` field carries it.
    //= rfc9111#4.2.3
    //= rfc9111#5.1
    pub fn age(&self, now: Timestamp) -> u32 {
        u32::try_from(self.age_millis(now) / 1000).unwrap_or(u32::MAX).min(u32::MAX >> 1)
    }

    /// Seconds until expiry, rounded down; negative when it has passed.
    pub fn remaining(&self, now: Timestamp) -> i64 {
        (self.lifetime_millis() - self.age_millis(now)).div_euclid(1000)
    }

    /// Whether this response may answer a request that says `request`.
    //= rfc9111#4.2
    //= rfc9111#4.2.4
    pub fn judge(&self, request: &RequestDirectives, now: Timestamp) -> Verdict {
        use Verdict::{Fresh, MustValidate, StaleAllowed, StaleWhileRevalidate};
        if self.flags & NO_CACHE != 0 {
            return MustValidate(StaleReason::NoCache);
        }
        if request.no_cache {
            return MustValidate(StaleReason::RequestNoCache);
        }
        let age = self.age_millis(now);
        if request.max_age.is_some_and(|max| max == 0 || age / 1000 > i64::from(max)) {
            return MustValidate(StaleReason::RequestMaxAge);
        }
        let past = age - self.lifetime_millis();
        if request.min_fresh.is_some_and(|min| past + i64::from(min) * 1000 > 0) {
            return MustValidate(StaleReason::RequestMinFresh);
        }
        if past < 0 {
            return Fresh;
        }
        let reason = self.stale_reason();
        if self.flags & MUST_REVALIDATE != 0 {
            return MustValidate(reason);
        }
        //= rfc5861#3
        if past < i64::from(self.swr) * 1000 {
            return StaleWhileRevalidate(reason);
        }
        if self.flags & (SHARED_REVALIDATE | INVALIDATED) == 0 && takes(request.max_stale, past) {
            return StaleAllowed(reason);
        }
        MustValidate(reason)
    }

    /// Whether it may stand in for an error of the origin (RFC 5861 §4). The request may ask for
    /// less or more than the response and the site grant, but not for what they forbid.
    //= rfc5861#4
    pub fn may_serve_on_error(&self, request: &RequestDirectives, now: Timestamp) -> bool {
        if self.flags & NO_CACHE != 0 || request.no_cache {
            return false;
        }
        let past = self.age_millis(now) - self.lifetime_millis();
        if past < 0 {
            return true;
        }
        if self.flags & MUST_REVALIDATE != 0 {
            return false;
        }
        let shared = self.flags & SHARED_REVALIDATE != 0;
        let bound = match request.stale_if_error {
            Some(asked) if !shared => asked,
            _ => self.sie,
        };
        past <= i64::from(bound) * 1000
    }

    /// Whether each use needs its own answer from the origin, so that waiting for another
    /// request's answer and sharing it is not allowed.
    pub fn always_revalidate(&self) -> bool {
        let never_fresh = self.lifetime == 0 && self.swr == 0 && !self.is_invalidated();
        self.flags & NO_CACHE != 0 || never_fresh
    }

    /// The same, purged softly: stale from `at` on, but within what it was good for still servable
    /// while one refresh runs. The ends of its time as a fallback do not move.
    pub fn invalidated_soft(self, at: Timestamp) -> Self {
        let age = u32::try_from(self.age_millis(at) / 1000).unwrap_or(u32::MAX);
        let lifetime = self.lifetime.min(age);
        let cut = self.lifetime - lifetime;
        let usable = self.flags & MUST_REVALIDATE == 0;
        let extend = |grace: u32| if usable { grace.saturating_add(cut) } else { 0 };
        Self {
            lifetime,
            swr: extend(self.swr),
            sie: extend(self.sie),
            flags: self.flags | INVALIDATED,
            ..self
        }
    }

    /// Whether it was purged softly.
    pub fn is_invalidated(&self) -> bool {
        self.flags & INVALIDATED != 0
    }

    /// When it stops, or stopped, being fresh.
    pub fn expires_at(&self) -> Timestamp {
        self.born.saturating_add(Duration::from_secs(self.lifetime.into()))
    }

    /// When it stops being of use even to stand in for an error. Its validator may be used later.
    pub fn retain_until(&self) -> Timestamp {
        self.expires_at().saturating_add(Duration::from_secs(self.swr.max(self.sie).into()))
    }

    /// Where the lifetime comes from.
    pub fn source(&self) -> LifetimeSource {
        self.source
    }

    /// The lifetime in seconds.
    pub fn lifetime(&self) -> u32 {
        self.lifetime
    }

    /// Why it would be called stale.
    pub fn stale_reason(&self) -> StaleReason {
        if self.is_invalidated() { StaleReason::Invalidated } else { StaleReason::Expired }
    }

    fn age_millis(&self, now: Timestamp) -> i64 {
        // A clock that was set back makes nothing younger than new.
        now.as_millis().saturating_sub(self.born.as_millis()).clamp(0, i64::MAX >> 1)
    }

    fn lifetime_millis(&self) -> i64 {
        i64::from(self.lifetime) * 1000
    }
}

//= rfc9111#5.2.1
fn takes(max_stale: MaxStale, past_millis: i64) -> bool {
    match max_stale {
        MaxStale::None => false,
        MaxStale::Any => true,
        MaxStale::Seconds(seconds) => past_millis <= i64::from(seconds) * 1000,
    }
}

fn secs(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX).min(u32::MAX >> 1)
}

/// The lifetime a response states itself, first that applies; `None` when it states none.
//= rfc9111#4.2.1
pub(crate) fn explicit_lifetime(
    headers: &HeaderMap,
    directives: &ResponseDirectives,
    targeted: bool,
    received: Timestamp,
) -> Option<(Duration, LifetimeSource)> {
    let seconds = |secs: u32| Duration::from_secs(secs.into());
    //= rfc9111#5.2.2.10
    if let Some(shared) = directives.s_maxage.seconds() {
        let source = if targeted { LifetimeSource::Targeted } else { LifetimeSource::SMaxage };
        return Some((seconds(shared), source));
    }
    //= rfc9111#5.2.2.1
    if let Some(age) = directives.max_age.seconds() {
        let source = if targeted { LifetimeSource::Targeted } else { LifetimeSource::MaxAge };
        return Some((seconds(age), source));
    }
    if targeted || !headers.contains_key(http::header::EXPIRES) {
        return None;
    }
    Some((age::expires_lifetime(headers, received), LifetimeSource::Expires))
}

#[cfg(test)]
mod tests;
