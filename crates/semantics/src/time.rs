//! Points in time and HTTP dates (RFC 9110 §5.6.7).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time: milliseconds since the Unix epoch, as the caller's clock tells it.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// From whole seconds since the Unix epoch.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This much later; stops at the end of the representable range.
    pub fn saturating_add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(clamp_millis(by)))
    }

    /// This much earlier; stops at the end of the representable range.
    pub fn saturating_sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(clamp_millis(by)))
    }

    /// Time since `earlier`; zero when that lies ahead (a clock that was set back).
    pub fn since(self, earlier: Self) -> Duration {
        let millis = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

fn clamp_millis(by: Duration) -> i64 {
    i64::try_from(by.as_millis()).unwrap_or(i64::MAX)
}

/// Parses the three formats of an HTTP date: IMF-fixdate, RFC 850 and asctime. Strict: anything
/// else, a wrong weekday included, is no date.
//= rfc9110#5.6.7
pub fn parse_http_date(value: &[u8]) -> Option<Timestamp> {
    // The longest form, an RFC 850 date on a Wednesday, has 33 bytes.
    if value.len() > 33 {
        return None;
    }
    let text = std::str::from_utf8(value).ok()?;
    let time = SystemTime::from(text.parse::<httpdate::HttpDate>().ok()?);
    let secs = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    Some(Timestamp::from_secs(i64::try_from(secs).ok()?))
}

/// Formats an IMF-fixdate, the only form that may be generated. Times outside the years 1970 to
/// 9999, which the format cannot carry, become its first and last second.
//= rfc9110#5.6.7
pub fn format_http_date(at: Timestamp) -> String {
    const LAST: i64 = 253_402_300_799;
    let secs = u64::try_from(at.as_secs().clamp(0, LAST)).unwrap_or(0);
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(secs))
}

#[cfg(test)]
mod tests;
