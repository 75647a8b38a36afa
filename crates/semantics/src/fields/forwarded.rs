//! Who asked, over which host and protocol: `Forwarded` (RFC 7239) and its `X-` elders.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::append_member;
use crate::sf::is_tchar;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Adds this hop to `Forwarded` and `X-Forwarded-For`, and sets `X-Forwarded-Host` and `-Proto`
/// where no trusted peer has. What comes from a peer that is not trusted is dropped first: it could
/// say anything.
//= rfc7239#4
pub fn append_forwarded(
    headers: &mut HeaderMap,
    client: IpAddr,
    host: &str,
    proto: &str,
    trusted: bool,
) {
    if !trusted {
        for name in [header::FORWARDED, X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO] {
            headers.remove(name);
        }
    }
    let client = client.to_canonical();
    append_member(headers, &X_FORWARDED_FOR, client.to_string().as_bytes());
    for (name, value) in [(X_FORWARDED_HOST, host), (X_FORWARDED_PROTO, proto)] {
        if !headers.contains_key(&name)
            && let Ok(value) = HeaderValue::from_str(value)
        {
            headers.insert(name, value);
        }
    }
    //= rfc7239#6
    let node = match client {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("\"[{v6}]\""),
    };
    let hop = format!("for={node};host={};proto={}", quoted(host), quoted(proto));
    append_member(headers, &header::FORWARDED, hop.as_bytes());
}

/// A token, or a quoted string where it has to be one.
fn quoted(value: &str) -> String {
    if !value.is_empty() && value.bytes().all(is_tchar) {
        return value.to_owned();
    }
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for c in value.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\') {
            text.push('\\');
        }
        text.push(c);
    }
    text.push('"');
    text
}
