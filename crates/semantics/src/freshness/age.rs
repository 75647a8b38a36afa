//! The dates and ages a lifetime is reckoned from.

use std::time::Duration;

use http::{HeaderMap, header};

use crate::lists::{delta_seconds, trim_ows};
use crate::time::{Timestamp, parse_http_date};

/// How old a response was when it arrived, as the moment its age was zero.
pub(crate) struct InitialAge {
    pub(crate) born: Timestamp,
    /// There is an `Age`, and it cannot be read or trusted.
    pub(crate) unknown: bool,
}

/// When the origin made the response: `Date`, or the time it arrived when there is no valid one.
//= rfc9110#6.6.1
pub(crate) fn date_value(headers: &HeaderMap, received: Timestamp) -> Timestamp {
    single(headers, &header::DATE).and_then(parse_http_date).unwrap_or(received)
}

/// The corrected initial age, counted back from local receipt: a wrong clock elsewhere can age a
/// response, never make it younger.
//= rfc9111#4.2.3
pub(crate) fn initial_age(
    headers: &HeaderMap,
    request_time: Timestamp,
    response_time: Timestamp,
) -> InitialAge {
    // `Date` has whole seconds, so the difference counts in whole seconds too: a response that
    // took no time is not up to a second old for having been made at 0.9.
    let date = date_value(headers, response_time);
    let apparent = Duration::from_secs(response_time.since(date).as_secs());
    let delay = response_time.since(request_time);
    let (told, unknown) = match age_value(headers) {
        Age::Absent => (Duration::ZERO, false),
        Age::Seconds(age) => (Duration::from_secs(age.into()), false),
        Age::Unknown => (Duration::ZERO, true),
    };
    InitialAge { born: response_time.saturating_sub(apparent.max(told + delay)), unknown }
}

enum Age {
    Absent,
    Seconds(u32),
    Unknown,
}

/// `Age` should be one number. RFC 9111 §5.1 would take the first of a list and ignore what it
/// cannot read; both can turn an old response into a new one, so here what cannot be read leaves
/// the age unknown, and so do several lines, also once an intermediary has joined them (with comma
/// and space, as RFC 9110 §5.3 says). Only a list its sender wrote as such counts by its first
/// member.
//= rfc9111#5.1
fn age_value(headers: &HeaderMap) -> Age {
    let mut lines = headers.get_all(header::AGE).iter();
    let Some(line) = lines.next() else {
        return Age::Absent;
    };
    if lines.next().is_some() {
        return Age::Unknown;
    }
    let value = trim_ows(line.as_bytes());
    let first = match memchr::memchr(b',', value) {
        Some(comma) if matches!(value.get(comma + 1), Some(b' ' | b'\t') | None) => {
            return Age::Unknown;
        }
        Some(comma) => &value[..comma],
        None => value,
    };
    delta_seconds(first).map_or(Age::Unknown, Age::Seconds)
}

/// `Expires` less `Date`; zero when it lies before that, is malformed or stands there twice.
//= rfc9111#5.3
pub(super) fn expires_lifetime(headers: &HeaderMap, received: Timestamp) -> Duration {
    match single(headers, &header::EXPIRES).and_then(parse_http_date) {
        Some(expires) => expires.since(date_value(headers, received)),
        None => Duration::ZERO,
    }
}

/// The value of a field that may stand there once; several different ones are none.
fn single<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a [u8]> {
    let mut lines = headers.get_all(name).iter();
    let first = lines.next()?;
    lines.all(|line| line == first).then(|| trim_ows(first.as_bytes()))
}
