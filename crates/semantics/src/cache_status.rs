//! `Cache-Status` (RFC 9211): what this cache did, for whoever reads the response.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::reasons::reasons;

mod write;

/// The field's name.
pub const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

reasons! {
    /// Why a request went forward (RFC 9211 §2.2).
    Fwd {
        /// The cache was told not to handle it.
        Bypass => "bypass",
        /// The method required it.
        Method => "method",
        /// Nothing is stored under the URL.
        UriMiss => "uri-miss",
        /// No stored variant matched.
        VaryMiss => "vary-miss",
        /// Nothing stored could be used, and no finer reason is known.
        Miss => "miss",
        /// Something fresh is stored, but the request asked to go further.
        Request => "request",
        /// What is stored is stale.
        Stale => "stale",
        /// What is stored is a part, and not all of what was asked for.
        Partial => "partial",
    }
}

/// One cache's member of the field.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct CacheStatus<'a> {
    /// The cache's name.
    pub cache: &'a str,
    /// Whether it was answered without going forward.
    pub hit: bool,
    /// Why it went forward.
    pub fwd: Option<Fwd>,
    /// The status the forwarded request got.
    pub fwd_status: Option<StatusCode>,
    /// Seconds of freshness left; negative when stale.
    pub ttl: Option<i64>,
    /// Whether the forwarded response was stored.
    pub stored: bool,
    /// Whether it was collapsed with others.
    pub collapsed: bool,
    /// The cache key.
    pub key: Option<&'a str>,
    /// Anything else; a reason's token.
    pub detail: Option<&'a str>,
}

impl<'a> CacheStatus<'a> {
    /// Nothing known yet.
    pub const fn new(cache: &'a str) -> Self {
        Self {
            cache,
            hit: false,
            fwd: None,
            fwd_status: None,
            ttl: None,
            stored: false,
            collapsed: false,
            key: None,
            detail: None,
        }
    }

    /// A plain hit with so many seconds of freshness left.
    pub const fn hit(cache: &'a str, ttl: i64) -> Self {
        Self { hit: true, ttl: Some(ttl), ..Self::new(cache) }
    }

    /// The member as text.
    //= rfc9211#2
    pub fn to_header_value(&self) -> HeaderValue {
        let mut text = write::Text::new();
        self.write(&mut text);
        // What is written is visible ASCII by construction.
        HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static("cache"))
    }

    /// Adds the member after those of the caches nearer to the origin. They may be several lines;
    /// the result is one.
    //= rfc9211#2
    pub fn append_to(&self, headers: &mut HeaderMap) {
        if !headers.contains_key(CACHE_STATUS) {
            headers.insert(CACHE_STATUS, self.to_header_value());
            return;
        }
        let mut text = write::Text::new();
        for line in headers.get_all(CACHE_STATUS) {
            if !line.is_empty() {
                text.extend_from_slice(line.as_bytes());
                text.extend_from_slice(b", ");
            }
        }
        self.write(&mut text);
        let value = HeaderValue::from_bytes(&text).unwrap_or_else(|_| self.to_header_value());
        headers.insert(CACHE_STATUS, value);
    }

    //= rfc9211#2.1
    //= rfc9211#2.2
    //= rfc9211#2.3
    //= rfc9211#2.4
    //= rfc9211#2.5
    //= rfc9211#2.6
    //= rfc9211#2.7
    //= rfc9211#2.8
    fn write(&self, out: &mut write::Text) {
        write::name(out, self.cache);
        if self.hit {
            // `hit` and `fwd` exclude each other.
            out.extend_from_slice(b"; hit");
        } else if let Some(fwd) = self.fwd {
            out.extend_from_slice(b"; fwd=");
            out.extend_from_slice(fwd.as_str().as_bytes());
        }
        if let Some(status) = self.fwd_status {
            out.extend_from_slice(b"; fwd-status=");
            out.extend_from_slice(status.as_str().as_bytes());
        }
        if let Some(ttl) = self.ttl {
            out.extend_from_slice(b"; ttl=");
            write::integer(out, ttl);
        }
        if self.stored {
            out.extend_from_slice(b"; stored");
        }
        if self.collapsed {
            out.extend_from_slice(b"; collapsed");
        }
        if let Some(key) = self.key {
            out.extend_from_slice(b"; key=");
            write::string(out, key);
        }
        if let Some(detail) = self.detail {
            out.extend_from_slice(b"; detail=");
            write::token_or_string(out, detail);
        }
    }
}

#[cfg(test)]
mod tests;
