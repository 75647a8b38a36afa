//! What a client asked a router for.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Bytes of a host at most.
const MAX_HOST: usize = 253;

/// A host, in lower case and without a dot at the end, an IPv6 address in brackets and its shortest form; and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Authority {
    /// The host.
    pub host: String,
    /// The port, if one is said.
    pub port: Option<u16>,
}

impl Authority {
    /// Reads `host` or `host:port`; `None` for everything else, as with a user name.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (host, port) = match text.starts_with('[') {
            true => text.split_at(text.find(']')? + 1),
            false => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            // RFC 3986 lets a port be empty.
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok().filter(|port| *port > 0)?)
            }
            _ => return None,
        };
        if let Some(inner) = host.strip_prefix('[') {
            let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
            return Some(Self { host: format!("[{address}]"), port });
        }
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let label = |label: &str| {
            let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            (1..=63).contains(&label.len()) && label.bytes().all(known)
        };
        (host.len() <= MAX_HOST && host.split('.').all(label)).then_some(Self { host, port })
    }

    /// The same with this port, if it says none.
    #[must_use]
    pub fn or_port(self, port: u16) -> Self {
        Self { port: self.port.or(Some(port)), ..self }
    }

    /// Whether it is a name and no address.
    #[must_use]
    pub fn is_name(&self) -> bool {
        !self.host.starts_with('[') && self.host.parse::<Ipv4Addr>().is_err()
    }
}
