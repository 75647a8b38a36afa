//! Where a client of the HTTP router is sent: from what it asked and what is known of the PoPs to a URL.
//!
//! Pure. The target begins with what the document says, so nothing that a client sends can lead to anywhere else.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use wire::fleet::HOST;

use crate::fleet::{Family, Pool, Target};
use crate::place::{Client, Database, PlaceSource};
use crate::steer::{View, nearest};

mod address;
mod host;
mod reason;
mod wanted;

pub use address::real_client;
pub use host::Authority;
pub use reason::{RedirectReason, RefusalReason};

/// The lines of one header field, in their order.
pub type Lines<'a> = &'a [&'a [u8]];

/// What a client asked. Any bytes will do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// The host as the client wrote it, with or without a port.
    pub host: &'a str,
    /// The path with the query, as the client wrote it.
    pub path: &'a str,
    /// The lines of `X-Forwarded-For`.
    pub x_forwarded_for: Lines<'a>,
    /// The lines of `Forwarded`.
    pub forwarded: Lines<'a>,
    /// The lines of `Cookie`.
    pub cookies: Lines<'a>,
    /// The lines of `CDN-Loop`.
    pub cdn_loop: Lines<'a>,
}

/// Where a client is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The pool, as the fleet counts them.
    pub pool: usize,
    /// Which of its sides.
    pub family: Family,
    /// The PoP's place in that.
    pub target: usize,
    /// The URL: visible ASCII.
    pub location: String,
    /// Why this PoP.
    pub reason: RedirectReason,
    /// Who asked, as far as those can tell who are trusted.
    pub client: IpAddr,
    /// From where its place is known.
    pub source: PlaceSource,
}

/// That a client is sent nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: RefusalReason,
    /// The pool, where the host is one's.
    pub pool: Option<usize>,
    /// When to come again, in seconds.
    pub retry_after: Option<u32>,
}

impl Refusal {
    fn new(reason: RefusalReason) -> Self {
        Self { reason, pool: None, retry_after: None }
    }
}

/// Where a client is sent that came from `peer`.
///
/// # Errors
/// Why it is sent nowhere.
pub fn redirect(
    asked: &Asked<'_>,
    peer: IpAddr,
    view: &View,
    database: Option<&Database>,
) -> Result<Redirect, Refusal> {
    let no = |reason| Err(Refusal::new(reason));
    let Some(host) = Authority::read(asked.host) else { return no(RefusalReason::BadHost) };
    let Some(path) = written(asked.path) else { return no(RefusalReason::BadTarget) };
    let Some(nth) = view.fleet().routed(&host) else { return no(RefusalReason::UnknownHost) };
    let Some(pool) = view.fleet().pools().get(nth) else { return no(RefusalReason::UnknownHost) };
    let Some(router) = &pool.router else { return no(RefusalReason::UnknownHost) };
    let of = |reason| Refusal { reason, pool: Some(nth), retry_after: None };
    if has_been_here(asked.cdn_loop, &pool.name) {
        return Err(of(RefusalReason::Loop));
    }
    let real = real_client(asked, peer, router);
    let client = Client::peer(real);
    let reachable = |target: &Target| way(target, 0, pool, &host).is_some();
    let wanted = router.settings.allow_override.then(|| wanted::pop(asked, pool)).flatten();
    let wanted = wanted
        .filter(|(family, place)| pool.side(*family).targets.get(*place).is_some_and(reachable));
    let (family, target, source, reason) = match wanted {
        Some((family, place)) => (family, place, PlaceSource::Needless, RedirectReason::Override),
        None => {
            let (family, place, source) =
                best(nth, view, &client, database, reachable).map_err(|reason| {
                    let retry_after = Some(router.settings.retry_after);
                    Refusal { reason, pool: Some(nth), retry_after }
                })?;
            (family, place, source, RedirectReason::Nearest)
        }
    };
    let standing = view.side(nth, family).and_then(|(_, side)| side.standings.get(target));
    let left_out = standing.map_or(0, |standing| standing.left_out);
    let chosen = pool.side(family).targets.get(target);
    let chosen = chosen.and_then(|to| way(to, left_out, pool, &host));
    let Some(to) = chosen else { return Err(of(RefusalReason::NoTarget)) };
    let authority = to.split_once("://").map_or("", |(_, authority)| authority);
    let port = if to.starts_with("https:") { 443 } else { 80 };
    // What a document's check could not see: who is sent there would be back with the next request.
    let there = Authority::read(authority).map(|there| there.or_port(port));
    if there.is_none_or(|there| view.fleet().routed(&there).is_some()) {
        return Err(of(RefusalReason::Loop));
    }
    let location = format!("{to}{path}");
    Ok(Redirect { pool: nth, family, target, location, reason, client: real, source })
}

/// The best PoP of the family that the client uses, or of the other one.
fn best(
    pool: usize,
    view: &View,
    client: &Client,
    database: Option<&Database>,
    reachable: impl Fn(&Target) -> bool,
) -> Result<(Family, usize, PlaceSource), RefusalReason> {
    let families = match client.address() {
        IpAddr::V4(_) => [Family::V4, Family::V6],
        IpAddr::V6(_) => [Family::V6, Family::V4],
    };
    let mut reason = RefusalReason::NoTarget;
    for family in families {
        let Some((of, side)) = view.side(pool, family) else { continue };
        let targets = &of.side(family).targets;
        if targets.is_empty() {
            continue;
        }
        // A name server has to say something, and then says everything. Here a client is better told to come again.
        if side.all_bad {
            reason = RefusalReason::AllBad;
            continue;
        }
        let fits = |nth: usize| targets.get(nth).is_some_and(&reachable);
        if let Some((nth, source)) = nearest(of, family, side, client, database, fits) {
            return Ok((family, nth, source));
        }
    }
    Err(reason)
}

/// The beginning of the URL of a PoP for clients that ask for `host`: scheme and authority. Of its addresses those with a
/// bit in `left_out` are not well.
fn way<'a>(
    target: &'a Target,
    left_out: u8,
    pool: &Pool,
    host: &Authority,
) -> Option<Cow<'a, str>> {
    match &target.url {
        Some(url) if url.contains(HOST) => {
            host.is_name().then(|| Cow::Owned(url.replacen(HOST, &host.host, 1)))
        }
        Some(url) => Some(Cow::Borrowed(url.as_str())),
        None => {
            let port = pool.router.as_ref()?.settings.port?;
            let is_well = |bit: u32| left_out.checked_shr(bit).unwrap_or(0) & 1 == 0;
            let mut addresses = target.addresses.iter().zip(0u32..);
            let well = addresses.find(|(_, bit)| is_well(*bit)).map(|(address, _)| address);
            let address = *well.or(target.addresses.first())?;
            Some(Cow::Owned(format!("http://{}", SocketAddr::new(address, port))))
        }
    }
}

/// The path as it may stand in a URL: as it came, but for bytes that no URL has, which are escaped.
fn written(path: &str) -> Option<Cow<'_, str>> {
    if !path.starts_with('/') || path.bytes().any(|b| b <= b' ' || b == b'#' || b == 0x7F) {
        return None;
    }
    if path.is_ascii() {
        return Some(Cow::Borrowed(path));
    }
    let mut escaped = String::with_capacity(path.len() + 16);
    for character in path.chars() {
        if character.is_ascii() {
            escaped.push(character);
            continue;
        }
        let mut bytes = [0; 4];
        for byte in character.encode_utf8(&mut bytes).bytes() {
            let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or('0');
            escaped
                .extend(['%', digit(byte >> 4), digit(byte & 15)].map(|c| c.to_ascii_uppercase()));
        }
    }
    Some(Cow::Owned(escaped))
}

/// Whether one of the pool's own edges or shields asks: then the router stands where an origin should, and whoever is
/// sent on from here would have the same edge ask again.
//= rfc8586#2
fn has_been_here(lines: Lines<'_>, pool: &str) -> bool {
    let ends = |byte: &u8| matches!(byte, b',' | b';' | b' ' | b'\t' | b'"');
    let ours = |id: &[u8]| {
        let Some((head, rest)) = id.split_at_checked(pool.len()) else { return false };
        let lower = rest.to_ascii_lowercase();
        head.eq_ignore_ascii_case(pool.as_bytes())
            && lower.starts_with(b".")
            && lower.ends_with(b".blue-origin")
    };
    lines.iter().any(|line| line.split(ends).any(ours))
}

#[cfg(test)]
mod tests;
