//! Who really asks: from the peer back through those that are trusted.

use std::net::{IpAddr, SocketAddr};

use wire::zones::ClientFrom;

use super::{Asked, Lines};
use crate::fleet::Router;

/// So many proxies are believed at most.
const MOST_HOPS: usize = 32;

/// The first on the way back from `peer` that is not a trusted proxy. Who wrote what stands further to the left nobody
/// trusted knows, so a client cannot say that it is somebody else.
#[must_use]
pub fn real_client(asked: &Asked<'_>, peer: IpAddr, router: &Router) -> IpAddr {
    let lines = match router.settings.client_from {
        ClientFrom::XForwardedFor => asked.x_forwarded_for,
        ClientFrom::Forwarded => asked.forwarded,
    };
    let mut client = peer.to_canonical();
    let mut hops = Hops::new(lines, router.settings.client_from);
    for _ in 0..MOST_HOPS {
        if !router.trusts(client) {
            break;
        }
        // Whoever stands behind something unreadable is not known: it counts as if the proxy itself asked.
        match hops.next() {
            Some(Some(before)) => client = before.to_canonical(),
            _ => break,
        }
    }
    client
}

/// The members of the lines from the last to the first; `None` for one that is no address.
struct Hops<'a> {
    lines: std::iter::Rev<std::slice::Iter<'a, &'a [u8]>>,
    from: ClientFrom,
    /// Of the line in hand those members that are left.
    left: Vec<Option<IpAddr>>,
}

impl<'a> Hops<'a> {
    fn new(lines: Lines<'a>, from: ClientFrom) -> Self {
        Self { lines: lines.iter().rev(), from, left: Vec::new() }
    }
}

impl Iterator for Hops<'_> {
    type Item = Option<IpAddr>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.left.is_empty() {
            let line = std::str::from_utf8(self.lines.next()?).unwrap_or("?");
            self.left = match self.from {
                ClientFrom::XForwardedFor => {
                    let members = line.rsplit(',').map(str::trim).filter(|m| !m.is_empty());
                    let mut last: Vec<_> = members.take(MOST_HOPS).map(node).collect();
                    last.reverse();
                    last
                }
                ClientFrom::Forwarded => elements(line).unwrap_or_else(|| vec![None]),
            };
        }
        self.left.pop()
    }
}

/// An address, perhaps with a port.
//= rfc7239#6
fn node(text: &str) -> Option<IpAddr> {
    if let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return inner.parse().ok().filter(IpAddr::is_ipv6);
    }
    let address = text.parse().ok();
    address.or_else(|| text.parse::<SocketAddr>().ok().map(|with_port| with_port.ip()))
}

/// The `for` of each element of a line of `Forwarded`; `None` where the line is not as it should be: then it is not
/// known where what a client wrote ends and what a proxy added begins.
//= rfc7239#4
fn elements(line: &str) -> Option<Vec<Option<IpAddr>>> {
    let mut found = Vec::new();
    let mut rest = line.trim_matches([' ', '\t']);
    let mut whose = None;
    let (mut any, mut told) = (false, false);
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        let name = rest.split(|c: char| !is_token(c)).next().unwrap_or_default();
        if !name.is_empty() {
            let (value, after) = value(rest[name.len()..].strip_prefix('=')?)?;
            rest = after.trim_start_matches([' ', '\t']);
            any = true;
            if name.eq_ignore_ascii_case("for") {
                if told {
                    return None;
                }
                (told, whose) = (true, node(&value));
            }
        }
        let separator = rest.chars().next();
        if separator == Some(';') && any {
            rest = &rest[1..];
            continue;
        }
        if any {
            found.push(whose);
        }
        (any, told, whose) = (false, false, None);
        match separator {
            Some(',') => rest = &rest[1..],
            Some(_) => return None,
            None => return Some(found),
        }
    }
}

/// A token or a quoted string, without its quotes, and what follows.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| !is_token(c)).unwrap_or(text.len());
        return (end > 0).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let mut inner = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((inner, &quoted[at + 1..])),
            '\\' => inner.push(characters.next()?.1),
            other => inner.push(other),
        }
    }
    None
}

/// RFC 9110, section 5.6.2.
fn is_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
}
