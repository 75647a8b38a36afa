//! What a site may choose. Plain data; the defaults are the safe ones.

use std::time::Duration;

use http::StatusCode;
use smallvec::SmallVec;

/// What a site chooses about storing and serving.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Heuristic freshness (RFC 9111 §4.2.2); `None` by default: only what the origin says counts.
    pub heuristic: Option<Heuristic>,
    /// What becomes of responses with `Set-Cookie`.
    pub set_cookie: SetCookie,
    /// Short lifetimes of error answers the origin said nothing about.
    pub negative: NegativeTtls,
    /// How long past its lifetime a response may stand in for an error, unless it says itself.
    pub default_stale_if_error: Duration,
    /// How long past its lifetime a response may be served while it is refreshed, unless it says.
    pub default_stale_while_revalidate: Duration,
    /// No lifetime, and no time past it, is longer than this.
    pub max_lifetime: Duration,
    /// Whether clients' `Cache-Control` is obeyed. The caller reads it: where it is off, judge with
    /// `RequestDirectives::default()`. A request's `no-store` prevents storing either way.
    pub honor_request_directives: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            heuristic: None,
            set_cookie: SetCookie::RequirePermission,
            negative: NegativeTtls::default(),
            default_stale_if_error: Duration::from_secs(3600),
            default_stale_while_revalidate: Duration::ZERO,
            max_lifetime: Duration::from_secs(365 * 24 * 3600),
            honor_request_directives: true,
        }
    }
}

/// Freshness guessed from the age since `Last-Modified`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Heuristic {
    /// The share of that age, in percent.
    pub percent: u8,
    /// The longest guess.
    pub cap: Duration,
}

impl Default for Heuristic {
    /// Ten percent, at most a day.
    fn default() -> Self {
        Self { percent: 10, cap: Duration::from_secs(24 * 3600) }
    }
}

/// What becomes of responses with `Set-Cookie`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum SetCookie {
    /// Stored only with a permission meant for shared caches: `public`, `s-maxage` or a targeted
    /// field. Stricter than RFC 9111 §7.3, which leaves it to the origin to say `private`.
    #[default]
    RequirePermission,
    /// Stored like any other response.
    AsRfc,
    /// Stored without its cookies.
    Strip,
}

/// Lifetimes of error answers that say nothing about caching themselves, by status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NegativeTtls {
    ttls: SmallVec<[(u16, Duration); 8]>,
}

impl NegativeTtls {
    /// The failures that may come from a tier in between, not from the resource.
    const SERVER_ERRORS: [u16; 4] = [500, 502, 503, 504];

    /// Nothing is cached negatively.
    pub fn off() -> Self {
        Self { ttls: SmallVec::new() }
    }

    /// The lifetime for `status`, if that is cached negatively.
    pub fn get(&self, status: StatusCode) -> Option<Duration> {
        let found = self.ttls.iter().find(|(s, _)| *s == status.as_u16())?;
        Some(found.1).filter(|ttl| !ttl.is_zero())
    }

    /// Sets the lifetime for one status; zero turns it off. Only errors can be set: a 2xx or 3xx
    /// would turn negative caching into heuristic freshness, and is ignored.
    pub fn set(&mut self, status: StatusCode, ttl: Duration) {
        if status.as_u16() < 400 {
            return;
        }
        self.ttls.retain(|(s, _)| *s != status.as_u16());
        self.ttls.push((status.as_u16(), ttl));
    }

    /// Sets 500, 502, 503 and 504 at once.
    pub fn set_server_errors(&mut self, ttl: Duration) {
        self.ttls.retain(|(s, _)| !Self::SERVER_ERRORS.contains(s));
        self.ttls.extend(Self::SERVER_ERRORS.map(|s| (s, ttl)));
    }
}

impl Default for NegativeTtls {
    /// Ten seconds for 404, 405, 410 and 501; one second for 500, 502, 503 and 504.
    fn default() -> Self {
        let mut ttls = Self::off();
        for status in [404, 405, 410, 501] {
            ttls.ttls.push((status, Duration::from_secs(10)));
        }
        ttls.set_server_errors(Duration::from_secs(1));
        ttls
    }
}

#[cfg(test)]
mod tests;
