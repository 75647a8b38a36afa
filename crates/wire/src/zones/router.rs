//! How clients are sent on over HTTP, where DNS cannot reach them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::name::is_domain;
use super::settings::range;
use super::{MAX_NAME, MAX_NAME_SERVERS, MAX_NETWORKS, Pool, Pop, Zones, ZonesError};
use crate::fleet::HOST;

/// So many names that URLs stand for are tried for a loop; who has more of them is told by the first loop.
const MOST_TRIED: usize = 100_000;

/// How the router of a pool answers: for the pool's hosts, and for `names`, with the URL of the PoP that suits the
/// client best.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Router {
    /// Where clients reach the router beside the pool's hosts: `router.example.com`, `192.0.2.80:8454`; without a port,
    /// at any. At most [`MAX_NAME_SERVERS`], and no other pool has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Where PoPs without a URL listen for HTTP at their addresses, 1 or more; without, nobody is sent to them. They
    /// have to know the sites by these addresses then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Who is believed about the client's address; at most [`MAX_NETWORKS`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trusted_proxies: Vec<IpNet>,
    /// In which field they tell it.
    pub client_from: ClientFrom,
    /// Whether clients may choose the PoP by `pop=NAME`, as a query parameter or a cookie.
    pub allow_override: bool,
    /// When to come again where nobody can serve, in seconds, 1 to 3,600.
    pub retry_after: u32,
}

/// The field in which trusted proxies tell of the client. One of them only: a proxy that writes one passes on what
/// clients write into the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientFrom {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl Default for Router {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            port: None,
            trusted_proxies: Vec::new(),
            client_from: ClientFrom::default(),
            allow_override: false,
            retry_after: 5,
        }
    }
}

impl Router {
    fn check(&self, at: &str) -> Result<(), ZonesError> {
        range(at, "router.retryAfter", self.retry_after, 1, 3_600)?;
        if let Some(port) = self.port {
            range(at, "router.port", port.into(), 1, u16::MAX.into())?;
        }
        let most = |what, count, most| match count {
            count if count > most => {
                Err(ZonesError::Count { at: at.to_owned(), what, count, least: 0, most })
            }
            _ => Ok(()),
        };
        most("router.names", self.names.len(), MAX_NAME_SERVERS)?;
        most("router.trustedProxies", self.trusted_proxies.len(), MAX_NETWORKS)?;
        if let Some(bad) = self.names.iter().find(|name| split(name).is_none()) {
            return Err(ZonesError::Authority {
                at: format!("{at}: router.names"),
                text: bad.clone(),
            });
        }
        let bits = |network: &&IpNet| **network != network.trunc();
        match self.trusted_proxies.iter().find(bits) {
            Some(network) => Err(ZonesError::Bits {
                at: format!("{at}: router.trustedProxies: {network}"),
                network: network.trunc().to_string(),
            }),
            None => Ok(()),
        }
    }

    /// Whether clients that ask for `host` at `port` may reach the router.
    fn is_at(&self, host: &str, port: u16) -> bool {
        let here = |name: &String| {
            split(name).is_some_and(|(own, at)| own == host && at.is_none_or(|at| at == port))
        };
        self.names.iter().any(here)
    }
}

/// Whether a PoP's `url` has the form of one: `https://fra.example.com`, `http://192.0.2.1:8080`, `https://fra.{host}`.
pub(super) fn check_url(at: &str, pop: &Pop) -> Result<(), ZonesError> {
    let Some(url) = &pop.url else { return Ok(()) };
    let wrong = || ZonesError::Url { at: at.to_owned(), url: url.clone() };
    let (_, authority) = cut(url).ok_or_else(wrong)?;
    let example = authority.replacen(HOST, "host", 1);
    let (host, _) = split(&example).ok_or_else(wrong)?;
    // Alone it is the very host that led to the router, and an address has nothing in front of it.
    let alone = host == "host" || host.starts_with('[') || host.parse::<IpAddr>().is_ok();
    if authority.contains(HOST) && alone { Err(wrong()) } else { Ok(()) }
}

/// The usual port of the scheme, and the authority.
fn cut(url: &str) -> Option<(u16, &str)> {
    let secure = url.strip_prefix("https://").map(|authority| (443, authority));
    secure.or_else(|| url.strip_prefix("http://").map(|authority| (80, authority)))
}

/// A host in the form of these documents, an IPv6 address in brackets, and a port.
fn split(authority: &str) -> Option<(&str, Option<u16>)> {
    if authority.len() > MAX_NAME {
        return None;
    }
    let (host, port) = match authority.find(']') {
        Some(end) => authority.split_at(end + 1),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = match port.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().ok().filter(|port| *port > 0)?)
        }
        Some(_) => return None,
        None if port.is_empty() => None,
        None => return None,
    };
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let fits = match inner {
        Some(inner) => inner.parse::<Ipv6Addr>().is_ok_and(|address| address.to_string() == inner),
        // What ends in a number is an address, or browsers refuse it.
        None if host
            .rsplit('.')
            .next()
            .is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) =>
        {
            host.parse::<Ipv4Addr>().is_ok()
        }
        None => is_domain(host),
    };
    fits.then_some((host, port))
}

impl Zones {
    /// That no router sends clients to where a router is.
    pub(super) fn check_routers(&self) -> Result<(), ZonesError> {
        let mut seen: Vec<&String> = Vec::new();
        for (name, pool) in &self.pools {
            let at = format!("pool {name}");
            let Some(router) = &pool.router else { continue };
            router.check(&at)?;
            for own in &router.names {
                if seen.contains(&own) {
                    return Err(ZonesError::Twice {
                        at: format!("{at}: router.names"),
                        name: own.clone(),
                    });
                }
                seen.push(own);
            }
        }
        for (name, pool) in self.pools.iter().filter(|(_, pool)| pool.router.is_some()) {
            for pop in &pool.pops {
                self.check_way(name, pool, pop)?;
            }
        }
        Ok(())
    }

    fn check_way(&self, name: &str, pool: &Pool, pop: &Pop) -> Result<(), ZonesError> {
        let at = || format!("pool {name}: pop {}", pop.name);
        let back = |host: &str, port: u16| {
            let reason = self.routed(host, port)?;
            Some(ZonesError::Loop { at: at(), to: host.to_owned(), reason })
        };
        let Some(url) = &pop.url else {
            let Some(port) = pool.router.as_ref().and_then(|router| router.port) else {
                return Ok(());
            };
            let v4 = pop.v4.iter().map(Ipv4Addr::to_string);
            let mut all = v4.chain(pop.v6.iter().map(|address| format!("[{address}]")));
            return all.find_map(|host| back(&host, port)).map_or(Ok(()), Err);
        };
        let Some((usual, authority)) = cut(url) else { return Ok(()) };
        let look = |authority: &str| {
            let (host, port) = split(authority)?;
            back(host, port.unwrap_or(usual))
        };
        if !authority.contains(HOST) {
            return look(authority).map_or(Ok(()), Err);
        }
        let hosts = self.zones.values().flat_map(|zone| &zone.hosts).filter(|(_, of)| *of == name);
        let mut hosts = hosts.take(MOST_TRIED / pool.pops.len().max(1));
        let for_host = |host: &str| authority.replacen(HOST, &host.replacen('*', "x", 1), 1);
        hosts.find_map(|(host, _)| look(&for_host(host))).map_or(Ok(()), Err)
    }

    /// By what clients that ask for `host` reach a router, if they may.
    fn routed(&self, host: &str, port: u16) -> Option<String> {
        let named = |(name, pool): (&String, &Pool)| {
            let at = pool.router.as_ref().is_some_and(|router| router.is_at(host, port));
            at.then(|| format!("is a name of the router of pool {name}"))
        };
        if let Some(reason) = self.pools.iter().find_map(named) {
            return Some(reason);
        }
        let (found, pool) = self.host(host)?;
        self.pools.get(pool)?.router.as_ref()?;
        Some(format!("is served by {found} of pool {pool}, whose clients come to the router"))
    }

    /// The host that stands for a name, and its pool. Of names that others hide from a wildcard none can be the name of
    /// a PoP, so it does not matter that they are taken for hosts here.
    fn host(&self, name: &str) -> Option<(String, &str)> {
        let find = |host: &str| self.zones.values().find_map(|zone| zone.hosts.get(host));
        if let Some(pool) = find(name) {
            return Some((name.to_owned(), pool));
        }
        let mut rest = name;
        while let Some((_, parent)) = rest.split_once('.') {
            let wild = format!("*.{parent}");
            if let Some(pool) = find(&wild) {
                return Some((wild, pool));
            }
            rest = parent;
        }
        None
    }
}

#[cfg(test)]
mod tests;
