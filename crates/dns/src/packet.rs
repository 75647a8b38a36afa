//! DNS packets: queries read, answers written, without an allocation.
//!
//! Reads only what an authoritative server needs to know of a query, but checks all of it: [`read`]. Compression is
//! never followed: the only name that matters, the question's, is the first of a packet and has nothing to point to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

mod frame;
mod name;
mod read;
mod write;

pub use frame::{Frame, MAX_QUERY, frame};
pub use name::{MAX_DOMAIN, Name};
pub use read::{FormatFault, Refused, Silence, Unanswered, read};
pub use write::{Full, Section, Writer};

/// The bytes of an answer over UDP at most, whatever the client could take: what passes everywhere in one piece
/// (RFC 9715).
pub const MAX_UDP: usize = 1_232;

/// What a client without EDNS takes over UDP.
pub const PLAIN_UDP: usize = 512;

/// The class of the Internet.
pub const CLASS_IN: u16 = 1;

/// Types of records and of questions, as far as they are told apart.
pub mod rtype {
    #![allow(missing_docs, reason = "the names are the standard's")]

    pub const A: u16 = 1;
    pub const NS: u16 = 2;
    pub const SOA: u16 = 6;
    pub const HINFO: u16 = 13;
    pub const AAAA: u16 = 28;
    pub const OPT: u16 = 41;
    pub const TKEY: u16 = 249;
    pub const TSIG: u16 = 250;
    pub const IXFR: u16 = 251;
    pub const AXFR: u16 = 252;
    pub const MAILB: u16 = 253;
    pub const MAILA: u16 = 254;
    pub const ANY: u16 = 255;
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rcode {
    /// Answered, perhaps with nothing.
    NoError,
    /// The query cannot be read.
    FormErr,
    /// The name does not exist.
    NxDomain,
    /// Not something that this server does.
    NotImp,
    /// Not something that this server answers.
    Refused,
    /// A version of EDNS that this server does not know.
    BadVers,
}

impl Rcode {
    /// All of them, for metrics.
    pub const ALL: [Self; 6] =
        [Self::NoError, Self::FormErr, Self::NxDomain, Self::NotImp, Self::Refused, Self::BadVers];

    /// A stable token for metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoError => "noerror",
            Self::FormErr => "formerr",
            Self::NxDomain => "nxdomain",
            Self::NotImp => "notimp",
            Self::Refused => "refused",
            Self::BadVers => "badvers",
        }
    }

    /// Its number; what does not fit four bits goes into the OPT record.
    pub fn number(self) -> u16 {
        match self {
            Self::NoError => 0,
            Self::FormErr => 1,
            Self::NxDomain => 3,
            Self::NotImp => 4,
            Self::Refused => 5,
            Self::BadVers => 16,
        }
    }
}

/// What of a query's head comes back in the answer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The query's number.
    pub id: u16,
    /// What kind of query; 0 is the usual one.
    pub opcode: u8,
    /// The client would like recursion, which is not offered.
    pub recursion_desired: bool,
    /// The client checks signatures itself.
    pub checking_disabled: bool,
}

/// What a query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// As the client wrote it.
    pub name: Name<'a>,
    /// The type of records.
    pub qtype: u16,
    /// Their class.
    pub class: u16,
}

/// What the client says by EDNS(0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edns {
    /// Bytes that it takes over UDP, at least [`PLAIN_UDP`].
    pub payload: u16,
    /// It would like signatures, which there are none of.
    pub dnssec_ok: bool,
    /// For whom it asks.
    pub subnet: Option<Subnet>,
}

/// The network of the client for whom a resolver asks (RFC 7871).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// 1 = IPv4, 2 = IPv6, 0 = none said.
    pub family: u16,
    /// How many bits of the address it tells; 0 = it does not want to tell.
    pub source: u8,
    /// As it came, zeros behind the prefix.
    pub address: [u8; 16],
}

impl Subnet {
    /// How many bytes of the address stand in a packet.
    pub fn octets(&self) -> usize {
        usize::from(self.source).div_ceil(8).min(16)
    }

    /// The address; `None` when the client does not want to be told apart.
    pub fn ip(&self) -> Option<IpAddr> {
        let [a, b, c, d, ..] = self.address;
        match (self.family, self.source) {
            (_, 0) => None,
            (1, _) => Some(Ipv4Addr::new(a, b, c, d).into()),
            (2, _) => Some(Ipv6Addr::from(self.address).into()),
            _ => None,
        }
    }
}

/// A query that can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<'a> {
    /// What comes back as it is.
    pub head: Head,
    /// The one question.
    pub question: Question<'a>,
    /// Said by EDNS, if the client speaks it.
    pub edns: Option<Edns>,
}

impl Query<'_> {
    /// Bytes that an answer over UDP may have.
    pub fn udp_limit(&self) -> usize {
        match &self.edns {
            Some(edns) => usize::from(edns.payload).clamp(PLAIN_UDP, MAX_UDP),
            None => PLAIN_UDP,
        }
    }
}

#[cfg(test)]
mod tests;
