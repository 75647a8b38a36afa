//! For whom a question is asked.

use std::net::{IpAddr, Ipv6Addr};

use xxhash_rust::xxh3::xxh3_64;

use crate::packet::Subnet;

/// Clients of one IPv4 prefix of so many bits are treated alike.
const V4_BITS: u8 = 24;
/// The same for IPv6.
const V6_BITS: u8 = 56;
/// Where IPv4 begins in an IPv6 address that holds one.
const MAPPED: u8 = 96;

/// For whom a question is asked: an address, of which perhaps only the first bits are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    address: IpAddr,
    bits: u8,
    /// Bits in front of the address in the question.
    offset: u8,
    told: bool,
}

impl Client {
    /// The peer itself, as it tells of nobody else.
    #[must_use]
    pub fn peer(address: IpAddr) -> Self {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        Self { told: false, ..Self::new(address, bits) }
    }

    /// Whoever the resolver asks for; its own address if it does not want to tell.
    //= rfc7871#7.1.2
    #[must_use]
    pub fn of(subnet: Option<&Subnet>, peer: IpAddr) -> Self {
        match subnet.and_then(|subnet| Some((subnet.ip()?, subnet.source))) {
            Some((address, bits)) => Self::new(address, bits),
            None => Self::peer(peer),
        }
    }

    fn new(address: IpAddr, bits: u8) -> Self {
        let mapped = match address {
            IpAddr::V6(v6) if bits >= MAPPED => v6.to_ipv4_mapped(),
            _ => None,
        };
        match mapped {
            Some(v4) => {
                Self { address: v4.into(), bits: bits - MAPPED, offset: MAPPED, told: true }
            }
            None => Self { address, bits, offset: 0, told: true },
        }
    }

    /// Its address, an IPv4 one also if it came within IPv6.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Whether a resolver told of it.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.told
    }

    /// How many bits tell clients apart who are treated differently.
    #[must_use]
    pub fn hash_bits(&self) -> u8 {
        let most = if self.address.is_ipv4() { V4_BITS } else { V6_BITS };
        self.bits.min(most)
    }

    /// The same for all clients whose first `bits` bits are the same.
    #[must_use]
    pub fn hash(&self, bits: u8) -> u64 {
        let (number, width) = number(self.address);
        let kept = match bits.min(width) {
            0 => 0,
            bits => number >> (width - bits) << (width - bits),
        };
        let mut bytes = [0; 17];
        bytes[..16].copy_from_slice(&kept.to_be_bytes());
        bytes[16] = width;
        xxh3_64(&bytes)
    }

    /// The scope in the terms of the question, from one in terms of the address.
    #[must_use]
    pub fn scope(&self, bits: u8) -> u8 {
        match bits {
            // All of IPv4 alike still differs from the rest of IPv6.
            bits if self.offset > 0 => bits.saturating_add(self.offset),
            bits => bits,
        }
    }
}

/// The address as a number, and how many bits it has.
pub(super) fn number(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(v4) => (u32::from(v4).into(), 32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    }
}

/// An address in the form in which places are looked up.
pub(super) fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => Ipv6Addr::to_ipv4_mapped(&v6).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}
