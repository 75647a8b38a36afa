//! `Prefer`: how long a caller wants to wait for an order's completion.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};

const PREFER: HeaderName = HeaderName::from_static("prefer");
/// For callers that do not say.
const DEFAULT: Duration = Duration::from_secs(5);
/// For nobody longer: connections must not pile up.
const MOST: Duration = Duration::from_secs(60);

/// How long `headers` say to wait: `wait=10` seconds, or not at all with `respond-async` alone. The first of
/// several counts; what is malformed or unknown is as if it were not there.
//= rfc7240#2
//= rfc7240#4.1
//= rfc7240#4.3
pub(super) fn wait(headers: &HeaderMap) -> Duration {
    let mut wait = None;
    let mut at_once = false;
    for line in headers.get_all(PREFER) {
        for preference in split_outside_quotes(line.as_bytes(), b',') {
            let own = split_outside_quotes(preference, b';').next().unwrap_or_default();
            let equals = own.iter().position(|b| *b == b'=');
            let (name, value) = own.split_at(equals.unwrap_or(own.len()));
            let name = name.trim_ascii();
            if name.eq_ignore_ascii_case(b"wait") && wait.is_none() {
                wait = seconds(value.get(1..).unwrap_or_default());
            }
            at_once |= name.eq_ignore_ascii_case(b"respond-async");
        }
    }
    match wait {
        Some(seconds) => Duration::from_secs(seconds).min(MOST),
        None if at_once => Duration::ZERO,
        None => DEFAULT,
    }
}

/// A number of seconds, quoted or not; more than fit are as many as do.
fn seconds(value: &[u8]) -> Option<u64> {
    let value = value.trim_ascii();
    let bare = value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(value);
    if bare.is_empty() || !bare.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(std::str::from_utf8(bare).ok()?.parse().unwrap_or(u64::MAX))
}

fn split_outside_quotes(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => return !quoted && *byte == separator,
        }
        false
    })
}

#[cfg(test)]
mod tests;
