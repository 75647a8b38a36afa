//! Hosts in normal form.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use crate::reasons::reasons;

reasons! {
    /// Why a `Host` or authority is refused.
    BadHost {
        /// There is nothing.
        Empty => "empty-host",
        /// A user name or password.
        Userinfo => "userinfo",
        /// A character no host name has.
        Character => "bad-host-character",
        /// An empty or overlong label, or a name longer than 253.
        Label => "bad-host-label",
        /// The port is not a number from 1 to 65535.
        Port => "bad-port",
        /// What stands between brackets is no IPv6 address.
        Ipv6 => "bad-ipv6",
    }
}

impl std::error::Error for BadHost {}

/// The port a scheme has when none is given.
//= rfc9110#4.2.1
//= rfc9110#4.2.2
pub fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        _ if scheme.eq_ignore_ascii_case("http") => Some(80),
        _ if scheme.eq_ignore_ascii_case("https") => Some(443),
        _ => None,
    }
}

/// A host with its port, if that is not the scheme's, in lower case and without trailing dot.
//= rfc9110#7.2
//= rfc9112#3.2
pub fn normalize_host<'a>(host: &'a str, scheme: &str) -> Result<Cow<'a, str>, BadHost> {
    if is_plain(host.as_bytes()) {
        return Ok(Cow::Borrowed(host));
    }
    if host.is_empty() {
        return Err(BadHost::Empty);
    }
    if host.contains('@') {
        return Err(BadHost::Userinfo);
    }
    let (name, port) = split_port(host)?;
    let port = parse_port(port)?.filter(|port| default_port(scheme) != Some(*port));
    let name = if let Some(inner) = name.strip_prefix('[') {
        let inner = inner.strip_suffix(']').ok_or(BadHost::Ipv6)?;
        let address: Ipv6Addr = inner.parse().map_err(|_| BadHost::Ipv6)?;
        Cow::Owned(format!("[{address}]"))
    } else {
        check_name(name)?
    };
    let Some(port) = port else {
        return Ok(name);
    };
    let text = format!("{name}:{port}");
    Ok(if text == host { Cow::Borrowed(host) } else { Cow::Owned(text) })
}

/// Whether a host is in normal form at a glance, as nearly all are: a short name in lower case.
pub(crate) fn is_plain(host: &[u8]) -> bool {
    let mut label = false;
    for byte in host {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => label = true,
            b'.' if label => label = false,
            _ => return false,
        }
    }
    label && host.len() <= 63
}

fn split_port(host: &str) -> Result<(&str, &str), BadHost> {
    if host.starts_with('[') {
        let end = host.find(']').ok_or(BadHost::Ipv6)? + 1;
        return match host[end..].strip_prefix(':') {
            Some(port) => Ok((&host[..end], port)),
            None if end == host.len() => Ok((host, "")),
            None => Err(BadHost::Port),
        };
    }
    Ok(host.split_once(':').unwrap_or((host, "")))
}

/// An empty port is none.
fn parse_port(port: &str) -> Result<Option<u16>, BadHost> {
    if port.is_empty() {
        return Ok(None);
    }
    if port.len() > 5 || !port.bytes().all(|b| b.is_ascii_digit()) {
        return Err(BadHost::Port);
    }
    match port.parse() {
        Ok(0) | Err(_) => Err(BadHost::Port),
        Ok(port) => Ok(Some(port)),
    }
}

fn check_name(name: &str) -> Result<Cow<'_, str>, BadHost> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() {
        return Err(BadHost::Empty);
    }
    let mut upper = false;
    let mut label = 0;
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => label += 1,
            b'A'..=b'Z' => {
                upper = true;
                label += 1;
            }
            b'.' if label == 0 => return Err(BadHost::Label),
            b'.' => label = 0,
            _ => return Err(BadHost::Character),
        }
        if label > 63 {
            return Err(BadHost::Label);
        }
    }
    if label == 0 || name.len() > 253 {
        return Err(BadHost::Label);
    }
    Ok(if upper { Cow::Owned(name.to_ascii_lowercase()) } else { Cow::Borrowed(name) })
}

/// Writes an authority that has been checked, or not: what cannot be in a host is escaped, so that
/// no authority can reach into the path.
pub(super) fn write_authority(out: &mut Vec<u8>, scheme: &str, authority: &str) {
    if is_plain(authority.as_bytes()) {
        out.extend_from_slice(authority.as_bytes());
        return;
    }
    let normal = normalize_host(authority, scheme);
    for byte in normal.as_deref().unwrap_or(authority).bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b':' | b'[' | b']' => out.push(byte),
            b'A'..=b'Z' => out.push(byte.to_ascii_lowercase()),
            _ => super::path::write_escaped(out, byte),
        }
    }
}
