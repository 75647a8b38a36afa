//! Connections at once: of all clients together, and of each network of them (RFC 7766, section 6.2.2), so that one alone
//! cannot keep the others out.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

/// Of one network at most: its /24 or its /56, as the rate limit has them.
pub(crate) const EACH: usize = 100;

/// How many connections each network has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seats(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A connection's seat, free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Seats,
    network: IpAddr,
}

impl Seats {
    /// A seat for a client, unless its network has all that it may have.
    pub(crate) fn take(&self, client: IpAddr) -> Option<Seat> {
        let network = network(client);
        let mut taken = self.0.lock();
        let count = taken.entry(network).or_default();
        if *count >= EACH {
            return None;
        }
        *count += 1;
        drop(taken);
        Some(Seat { seats: self.clone(), network })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock();
        if let Some(count) = taken.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.network);
            }
        }
    }
}

fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & (u32::MAX << 8)).into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 72)).into(),
    }
}

#[cfg(test)]
mod tests;
