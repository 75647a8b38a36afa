//! Fields of the connection and of the way a message took (RFC 9110 §7.6, RFC 7239, RFC 8586).

use http::{HeaderMap, HeaderName, HeaderValue, Version, header};
use smallvec::SmallVec;

use crate::lists::members;

mod cdn_loop;
mod forwarded;

pub use cdn_loop::{CDN_LOOP, LoopVerdict, append_cdn_loop, cdn_loop_check, cdn_loop_hops};
pub use forwarded::append_forwarded;

/// The longest request id taken over from a client.
const MAX_REQUEST_ID: usize = 128;

/// Fields that belong to one connection whether `Connection` names them or not.
//= rfc9110#7.6.1
pub fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "keep-alive"
            | "proxy-connection"
            | "proxy-authenticate"
            | "proxy-authentication-info"
            | "proxy-authorization"
            | "te"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Fields of a request that go on as this hop writes them, and otherwise for every client or request.
pub(crate) fn is_rewritten(name: &HeaderName) -> bool {
    *name == header::FORWARDED || matches!(name.as_str(), "x-forwarded-for" | "x-request-id")
}

/// What `Connection` may not take away: the fields that say where a message goes, where it ends and
/// where it has been. A client that names them would make the next server read another message than
/// this one did, or send it round in circles. Everything else a peer names is its own to keep back.
fn is_indispensable(name: &HeaderName) -> bool {
    *name == header::HOST || *name == header::CONTENT_LENGTH || *name == CDN_LOOP
}

/// Removes the fields that `Connection` names and leaves those that always belong to the connection,
/// and [those it may not take away](strip_hop_by_hop). A request is read without them: what the next
/// server never sees must not decide what is stored or found. Whether there was one.
//= rfc9110#7.6.1
pub fn strip_nominated(headers: &mut HeaderMap) -> bool {
    let mut any = false;
    for name in nominated(headers) {
        if !is_hop_by_hop(&name) {
            any |= headers.remove(name).is_some();
        }
    }
    any
}

/// The protocols that a request asks to go on in, of those that may be asked for on behalf of a client:
/// HTTP/2 is between a client and its server, and not going over to it is always right. `None` when it asks
/// for none, in a version or without the connection option that make it count.
//= rfc9110#7.8
pub fn asked_upgrade(version: Version, headers: &HeaderMap) -> Option<HeaderValue> {
    let options = headers.get_all(header::CONNECTION);
    if version != Version::HTTP_11
        || !options.iter().any(|line| {
            members(line.as_bytes()).any(|option| option.eq_ignore_ascii_case(b"upgrade"))
        })
    {
        return None;
    }
    let mut protocols: Vec<u8> = Vec::new();
    for line in headers.get_all(header::UPGRADE) {
        for protocol in members(line.as_bytes()) {
            if protocol.eq_ignore_ascii_case(b"h2c") {
                continue;
            }
            if !protocols.is_empty() {
                protocols.extend_from_slice(b", ");
            }
            protocols.extend_from_slice(protocol);
        }
    }
    let value = HeaderValue::from_bytes(&protocols).ok()?;
    (!value.is_empty()).then_some(value)
}

/// Makes one line of a `Cookie` that came over HTTP/2 in several.
//= rfc9113#8.2.3
pub fn join_cookies(headers: &mut HeaderMap) {
    if headers.get_all(header::COOKIE).iter().nth(1).is_none() {
        return;
    }
    let crumbs: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(|c| c.as_bytes()).collect();
    if let Ok(whole) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
        headers.insert(header::COOKIE, whole);
    }
}

/// The fields in `headers` that `Connection` names and may take away.
fn nominated(headers: &HeaderMap) -> SmallVec<[HeaderName; 4]> {
    let mut fields: SmallVec<[HeaderName; 4]> = SmallVec::new();
    for line in headers.get_all(header::CONNECTION) {
        for member in members(line.as_bytes()) {
            if let Ok(name) = HeaderName::from_bytes(member)
                && headers.contains_key(&name)
                && !is_indispensable(&name)
                && !fields.contains(&name)
            {
                fields.push(name);
            }
        }
    }
    fields
}

/// The connection's fields that are in `headers`.
pub(crate) fn connection_fields(headers: &HeaderMap) -> SmallVec<[HeaderName; 4]> {
    let mut fields = nominated(headers);
    for name in headers.keys() {
        if is_hop_by_hop(name) && !fields.contains(name) {
            fields.push(name.clone());
        }
    }
    fields
}

/// Removes the connection's fields: those that always are, and those `Connection` names, except
/// `Host`, `Content-Length` and `CDN-Loop`. `Trailer` stays: it is about the message, and trailers are relayed.
//= rfc9110#7.6.1
pub fn strip_hop_by_hop(headers: &mut HeaderMap) {
    for name in connection_fields(headers) {
        headers.remove(name);
    }
}

/// Adds this hop to `Via`: the version the message came by, and the name of this tier.
//= rfc9110#7.6.3
pub fn append_via(headers: &mut HeaderMap, version: Version, pseudonym: &str) {
    let version = match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    };
    let hop = format!("{version} {pseudonym}");
    append_member(headers, &header::VIA, hop.as_bytes());
}

/// Adds a member to a list field, as one line. A member that is no field value is left out.
pub(crate) fn append_member(headers: &mut HeaderMap, name: &HeaderName, member: &[u8]) {
    let mut text: SmallVec<[u8; 256]> = SmallVec::new();
    for line in headers.get_all(name) {
        if !line.is_empty() {
            text.extend_from_slice(line.as_bytes());
            text.extend_from_slice(b", ");
        }
    }
    text.extend_from_slice(member);
    if let Ok(value) = HeaderValue::from_bytes(&text) {
        headers.insert(name, value);
    }
}

/// The request id a client sent, if there is one that can be passed on and logged as it is: at most
/// 128 visible ASCII characters.
pub fn request_id(headers: &HeaderMap) -> Option<&str> {
    let mut lines = headers.get_all("x-request-id").iter();
    let id = lines.next()?.to_str().ok()?;
    let valid = lines.next().is_none()
        && (1..=MAX_REQUEST_ID).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_graphic());
    valid.then_some(id)
}

#[cfg(test)]
mod tests;
