//! Addresses of loopback for single edges, so that what DNS says is where the site really answers. Pure.
//!
//! The whole of 127.0.0.0/8 is this machine, on Linux without any setup. The nth edge of the mth PoP is
//! 127.m.0.n; all are on one port, as the edges of the world all are on port 80.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4};

use translate::{Reached, TranslatedPool};

use crate::plan::ServerPlan;

/// Numbers that fit into a part of an address and are neither 0 nor 255.
const SPAN: u16 = 254;

/// The numbers of PoPs, by the names of their rings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers(BTreeMap<String, u16>);

impl Numbers {
    /// PoPs that have a number in `held` keep it. Others get the least from 1 on that nobody has or had: who leaves
    /// is still there for a while.
    pub(crate) fn new(pools: &[TranslatedPool], held: &Self) -> Self {
        let taken: BTreeSet<u16> = held.0.values().copied().collect();
        let mut free = (1..=u16::MAX).filter(|number| !taken.contains(number));
        let rings = pools
            .iter()
            .flat_map(|pool| pool.pops.iter().map(|pop| format!("pop/{}/{}", pool.name, pop.name)));
        // Without a number left, that is after 65,535 PoPs, they have no addresses.
        let number =
            |ring: String| Some((held.0.get(&ring).copied().or_else(|| free.next())?, ring));
        Self(rings.filter_map(number).map(|(number, ring)| (ring, number)).collect())
    }

    /// Gives each edge its address.
    pub(crate) fn assign(&self, edges: &mut [ServerPlan], port: u16) {
        for ServerPlan { id, own, .. } in edges {
            // There are fewer edges than ports.
            let nth = u16::try_from(id.replica + 1).unwrap_or(u16::MAX);
            *own = self.0.get(&id.ring).map(|pop| SocketAddrV4::new(v4(*pop, nth), port));
        }
    }
}

fn v4(pop: u16, edge: u16) -> Ipv4Addr {
    let [pop, edge] = [pop.saturating_sub(1), edge.saturating_sub(1)];
    let part = |number: u16| u8::try_from(number % SPAN + 1).unwrap_or(u8::MAX);
    let over = u8::try_from(pop / SPAN).unwrap_or(u8::MAX);
    Ipv4Addr::new(127, part(pop), over, part(edge))
}

/// Where DNS says that an edge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its address of its own.
    pub own: SocketAddrV4,
    /// Where it is really found: there, or on its own port where there are no such addresses.
    pub found: SocketAddr,
}

impl Published {
    /// Its address in IPv6, of a unique local network (RFC 4193). It shows what is answered and leads nowhere:
    /// there is but one such address of loopback.
    pub fn v6(&self) -> Ipv6Addr {
        let [_, pop, over, edge] = self.own.ip().octets();
        let pop = u16::from(over).saturating_mul(SPAN).saturating_add(pop.into());
        Ipv6Addr::new(0xfd00, 0xb10e, self.own.port(), 0, 0, 0, pop, edge.into())
    }

    /// The same for the zones.
    pub(crate) fn reached(&self) -> [Reached; 2] {
        [IpAddr::V4(*self.own.ip()), IpAddr::V6(self.v6())]
            .map(|address| Reached { address, probe: Some(self.found) })
    }
}

#[cfg(test)]
mod tests;
