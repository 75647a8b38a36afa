//! From the bytes of a query to the bytes of its answer.

use std::net::IpAddr;

use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_64;

use crate::fleet::{Family, Lookup, Owner, Side, Zone};
use crate::limit::Kind;
use crate::packet::{
    CLASS_IN, Edns, FormatFault, Full, MAX_DOMAIN, Name, Query, Rcode, Refused, Section, Silence,
    Unanswered, Writer, read, rtype,
};
use crate::place::{Client, Database};
use crate::steer::{Choice, SideView, View, choose};

/// Bytes that an answer over TCP may have, more than any needs.
pub const MAX_TCP: usize = 16_384;

/// Addresses in one answer at most.
const MAX_RECORDS: usize = 8;

/// Says that there is no answer to ANY (RFC 8482): the CPU `RFC8482`, no system.
const NO_ANY: &[u8] = b"\x07RFC8482\0";
const NO_ANY_TTL: u32 = 3_600;

/// How a query came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// In one packet, from whoever it says.
    Udp,
    /// Over a connection.
    Tcp,
}

/// What a query got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Addresses of a pool's PoPs.
    Pops,
    /// Addresses of a single PoP, asked for by a name of its own.
    Place,
    /// Addresses of a name server.
    Server,
    /// The zone's name servers.
    Servers,
    /// The zone's SOA record.
    Soa,
    /// A word that ANY is not answered.
    Any,
    /// The name exists, but nothing of the type.
    NoData,
    /// The name does not exist.
    NxDomain,
    /// Not ours, another class, or a transfer.
    Refused,
    /// Not something that is done here.
    NotImp,
    /// It could not be read.
    FormErr,
    /// A later version of EDNS.
    BadVers,
    /// Nothing.
    Silent,
}

impl Outcome {
    /// All of them, for metrics.
    pub const ALL: [Self; 13] = [
        Self::Pops,
        Self::Place,
        Self::Server,
        Self::Servers,
        Self::Soa,
        Self::Any,
        Self::NoData,
        Self::NxDomain,
        Self::Refused,
        Self::NotImp,
        Self::FormErr,
        Self::BadVers,
        Self::Silent,
    ];

    /// A stable token for metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pops => "pops",
            Self::Place => "place",
            Self::Server => "server",
            Self::Servers => "servers",
            Self::Soa => "soa",
            Self::Any => "any",
            Self::NoData => "nodata",
            Self::NxDomain => "nxdomain",
            Self::Refused => "refused",
            Self::NotImp => "notimp",
            Self::FormErr => "formerr",
            Self::BadVers => "badvers",
            Self::Silent => "silent",
        }
    }

    /// As what it counts for the rate limit.
    pub fn kind(self) -> Kind {
        match self {
            Self::Pops | Self::Place | Self::Server | Self::Servers | Self::Soa | Self::Any => {
                Kind::Answer
            }
            _ => Kind::Error,
        }
    }
}

/// The PoPs that an answer named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The pool, as the fleet counts them.
    pub pool: usize,
    /// Which of its sides.
    pub family: Family,
    /// The PoPs, and from where the client's place is known.
    pub choice: Choice,
    /// All are bad, so all are served.
    pub all_bad: bool,
}

/// What became of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Bytes of the answer; 0 = none is sent.
    pub length: usize,
    /// What it got.
    pub outcome: Outcome,
    /// The type that it asked for, if it could be read.
    pub qtype: Option<u16>,
    /// What was wrong with it, for `FormErr`.
    pub fault: Option<FormatFault>,
    /// Why there is none, for `Silent`.
    pub silence: Option<Silence>,
    /// The PoPs, for `Pops`.
    pub sent: Option<Sent>,
    /// The resolver said for whom it asks.
    pub has_subnet: bool,
    /// There was more than fits.
    pub truncated: bool,
    /// Tells answers apart for the rate limit.
    pub bucket: u64,
}

/// Answers a query. `out` has room for [`MAX_UDP`](crate::packet::MAX_UDP) bytes, or [`MAX_TCP`]; with less, more is
/// truncated. No bytes make it panic.
#[must_use]
pub fn answer(
    packet: &[u8],
    peer: IpAddr,
    transport: Transport,
    view: &View,
    database: Option<&Database>,
    out: &mut [u8],
) -> Answered {
    let query = match read(packet) {
        Ok(query) => query,
        Err(Unanswered::Silent(silence)) => {
            return Answered { silence: Some(silence), ..Answered::of(Outcome::Silent) };
        }
        Err(Unanswered::Refused(refused)) => return error(&refused, out),
    };
    let limit = match transport {
        Transport::Udp => query.udp_limit(),
        Transport::Tcp => MAX_TCP,
    };
    let mut answered = Answered::of(Outcome::Silent);
    answered.qtype = Some(query.question.qtype);
    answered.has_subnet = query.edns.is_some_and(|edns| edns.subnet.is_some());
    let writer = Writer::new(out, limit, query.head, Some(&query.question));
    let Ok(mut writer) = writer else { return answered };
    writer.reserve(query.edns.as_ref().map_or(0, Writer::opt_length));
    let client = Client::of(query.edns.as_ref().and_then(|edns| edns.subnet.as_ref()), peer);
    let mut reply = Reply { query: &query, view, database, client, writer, answered, scope: 0 };
    let rcode = match reply.fill() {
        Ok(rcode) => rcode,
        Err(Full) => {
            reply.writer.truncate();
            reply.answered.truncated = true;
            Rcode::NoError
        }
    };
    reply.finish(rcode)
}

/// For whose address a query will be answered, if it can be read.
#[must_use]
pub fn asks_for(packet: &[u8], peer: IpAddr) -> Option<IpAddr> {
    let query = read(packet).ok()?;
    Some(Client::of(query.edns.as_ref().and_then(|edns| edns.subnet.as_ref()), peer).address())
}

/// Makes an answer one without content, so that the client asks by TCP. Says how many bytes it has then.
#[must_use]
pub fn slip(answer: &mut [u8]) -> usize {
    let Some((head, rest)) = answer.split_first_chunk_mut::<12>() else { return 0 };
    head[2] |= 2;
    head[6..].fill(0);
    match Name::read(rest) {
        Some(name) if head[5] == 1 => 12 + name.bytes().len() + 4,
        _ => 12,
    }
}

fn error(refused: &Refused<'_>, out: &mut [u8]) -> Answered {
    let outcome = match refused.rcode {
        Rcode::NotImp => Outcome::NotImp,
        Rcode::BadVers => Outcome::BadVers,
        _ => Outcome::FormErr,
    };
    let mut answered = Answered::of(outcome);
    answered.fault = refused.fault;
    answered.qtype = refused.question.map(|question| question.qtype);
    let limit = crate::packet::PLAIN_UDP;
    let writer = Writer::new(out, limit, refused.head, refused.question.as_ref());
    let Ok(mut writer) = writer else { return answered };
    if refused.edns && writer.opt(refused.rcode, None, 0).is_err() {
        return answered;
    }
    answered.length = writer.finish(refused.rcode);
    answered
}

impl Answered {
    fn of(outcome: Outcome) -> Self {
        Self {
            length: 0,
            outcome,
            qtype: None,
            fault: None,
            silence: None,
            sent: None,
            has_subnet: false,
            truncated: false,
            bucket: 0,
        }
    }
}

struct Reply<'a, 'b> {
    query: &'a Query<'a>,
    view: &'a View,
    database: Option<&'a Database>,
    client: Client,
    writer: Writer<'b>,
    answered: Answered,
    /// What of the client's subnet the answer depends on.
    scope: u8,
}

impl Reply<'_, '_> {
    fn fill(&mut self) -> Result<Rcode, Full> {
        let question = &self.query.question;
        let transfer = matches!(question.qtype, rtype::AXFR | rtype::IXFR);
        self.answered.outcome = Outcome::Refused;
        if question.class != CLASS_IN || transfer {
            return Ok(Rcode::Refused);
        }
        let mut lower = [0; MAX_DOMAIN];
        let name = question.name.lower(&mut lower);
        let (zone, owner, apex) = match self.view.fleet().lookup(name) {
            Lookup::Outside => return Ok(Rcode::Refused),
            Lookup::Missing { zone } => {
                self.writer.authoritative();
                self.nothing(zone, Outcome::NxDomain)?;
                return Ok(Rcode::NxDomain);
            }
            Lookup::Found { zone, owner, apex } => (zone, owner, apex),
        };
        self.writer.authoritative();
        self.answered.bucket = xxh3_64(name.bytes()) ^ u64::from(question.qtype);
        match (question.qtype, owner) {
            (rtype::A, Owner::Pool(pool)) => self.pops(zone, pool, Family::V4)?,
            (rtype::AAAA, Owner::Pool(pool)) => self.pops(zone, pool, Family::V6)?,
            (rtype::A, Owner::Place(place)) => self.place(zone, place, Family::V4)?,
            (rtype::AAAA, Owner::Place(place)) => self.place(zone, place, Family::V6)?,
            (rtype::A | rtype::AAAA, Owner::Server(server)) => self.server(zone, server)?,
            (rtype::SOA, _) if apex => self.soa(zone)?,
            (rtype::NS, _) if apex => self.servers(zone)?,
            //= rfc8482#4.2
            (rtype::ANY, owner) if apex || owner != Owner::Nothing => {
                self.answered.outcome = Outcome::Any;
                self.writer.record(Section::Answer, 0, rtype::HINFO, NO_ANY_TTL, NO_ANY)?;
            }
            _ => self.nothing(zone, Outcome::NoData)?,
        }
        Ok(Rcode::NoError)
    }

    /// That something does not exist, and how long that may be remembered.
    //= rfc2308#2
    fn nothing(&mut self, zone: usize, outcome: Outcome) -> Result<(), Full> {
        self.answered.outcome = outcome;
        let Some(zone) = self.view.fleet().zones().get(zone) else { return Ok(()) };
        // All that does not exist counts as one, or each name could be asked for at the full rate.
        self.answered.bucket = xxh3_64(&zone.apex);
        let owner = self.apex_at(zone);
        self.writer.record(Section::Authority, owner, rtype::SOA, zone.negative_ttl, &zone.soa)
    }

    fn soa(&mut self, zone: usize) -> Result<(), Full> {
        self.answered.outcome = Outcome::Soa;
        let Some(zone) = self.view.fleet().zones().get(zone) else { return Ok(()) };
        self.writer.record(Section::Answer, 0, rtype::SOA, zone.ttl, &zone.soa)
    }

    fn servers(&mut self, zone: usize) -> Result<(), Full> {
        self.answered.outcome = Outcome::Servers;
        let Some(zone) = self.view.fleet().zones().get(zone) else { return Ok(()) };
        for server in &zone.servers {
            self.writer.record(Section::Answer, 0, rtype::NS, zone.ttl, &server.name)?;
        }
        for server in zone.servers.iter().filter(|server| server.within) {
            let v4 = server.v4.iter().map(|v4| IpAddr::V4(*v4));
            for address in v4.chain(server.v6.iter().map(|v6| IpAddr::V6(*v6))) {
                // Only a help: what does not fit is asked for.
                if self.address(Section::Additional, Some(&server.name), zone.ttl, address).is_err()
                {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn server(&mut self, zone: usize, server: usize) -> Result<(), Full> {
        let Some(of) = self.view.fleet().zones().get(zone) else { return Ok(()) };
        let Some(found) = of.servers.get(server) else { return Ok(()) };
        let v4 = found.v4.iter().map(|v4| IpAddr::V4(*v4));
        let v6 = found.v6.iter().map(|v6| IpAddr::V6(*v6));
        let addresses: SmallVec<[IpAddr; 4]> = match self.query.question.qtype {
            rtype::A => v4.collect(),
            _ => v6.collect(),
        };
        if addresses.is_empty() {
            return self.nothing(zone, Outcome::NoData);
        }
        self.answered.outcome = Outcome::Server;
        let ttl = of.ttl;
        addresses.into_iter().try_for_each(|a| self.address(Section::Answer, None, ttl, a))
    }

    fn pops(&mut self, zone: usize, pool: usize, family: Family) -> Result<(), Full> {
        let Some((of, side)) = self.view.side(pool, family) else {
            return self.nothing(zone, Outcome::NoData);
        };
        let choice = choose(of, family, side, &self.client, self.database);
        if choice.picked().is_empty() {
            return self.nothing(zone, Outcome::NoData);
        }
        self.answered.outcome = Outcome::Pops;
        self.answered.sent = Some(Sent { pool, family, choice, all_bad: side.all_bad });
        if self.client.is_told() {
            self.scope = self.client.scope(choice.bits);
        }
        let mut room = MAX_RECORDS;
        for picked in choice.picked() {
            let addresses = well(of.side(family), side, *picked);
            let many = addresses.len();
            let first = if many > 1 { self.turn(&choice) % many as u64 } else { 0 };
            for address in addresses.iter().cycle().skip(first as usize).take(many.min(room)) {
                self.address(Section::Answer, None, side.ttl, *address)?;
            }
            room = room.saturating_sub(many);
        }
        Ok(())
    }

    /// A PoP by its own name: whoever asks wants this one, however it is.
    fn place(&mut self, zone: usize, place: usize, family: Family) -> Result<(), Full> {
        let found = self.view.fleet().place(place).and_then(|(pool, places)| {
            let (of, side) = self.view.side(pool, family)?;
            Some((well(of.side(family), side, places[family as usize]?), side.ttl))
        });
        let Some((addresses, ttl)) = found else { return self.nothing(zone, Outcome::NoData) };
        self.answered.outcome = Outcome::Place;
        addresses.into_iter().try_for_each(|a| self.address(Section::Answer, None, ttl, a))
    }

    /// At which of a PoP's addresses a client's answer begins. It depends on no more of a subnet than the choice does.
    fn turn(&self, choice: &Choice) -> u64 {
        let bits = if self.client.is_told() { choice.bits } else { self.client.hash_bits() };
        self.client.hash(bits)
    }

    fn address(
        &mut self,
        section: Section,
        owner: Option<&[u8]>,
        ttl: u32,
        address: IpAddr,
    ) -> Result<(), Full> {
        let mut bytes = [0; 16];
        let (rtype, data) = match address {
            IpAddr::V4(v4) => {
                bytes[..4].copy_from_slice(&v4.octets());
                (rtype::A, &bytes[..4])
            }
            IpAddr::V6(v6) => {
                bytes = v6.octets();
                (rtype::AAAA, &bytes[..])
            }
        };
        match owner {
            Some(owner) => self.writer.record_of(section, owner, rtype, ttl, data),
            None => self.writer.record(section, 0, rtype, ttl, data),
        }
    }

    /// Where the zone's name begins in the question's.
    fn apex_at(&self, zone: &Zone) -> usize {
        self.query.question.name.bytes().len().saturating_sub(zone.apex.len())
    }

    fn finish(mut self, rcode: Rcode) -> Answered {
        let edns: Option<&Edns> = self.query.edns.as_ref();
        if edns.is_some() && self.writer.opt(rcode, edns, self.scope).is_err() {
            // Room was held back for it.
            return self.answered;
        }
        self.answered.length = self.writer.finish(rcode);
        self.answered
    }
}

/// The addresses of a PoP without those that are not well, unless none is.
fn well(side: &Side, view: &SideView, place: u16) -> SmallVec<[IpAddr; 8]> {
    let nth = usize::from(place);
    let addresses = &side.targets[nth].addresses;
    let mask = view.standings[nth].left_out;
    let in_use = |bit: u32| mask.checked_shr(bit).unwrap_or(0) & 1 == 0;
    let well: SmallVec<[IpAddr; 8]> =
        addresses.iter().zip(0u32..).filter(|(_, bit)| in_use(*bit)).map(|(a, _)| *a).collect();
    if well.is_empty() { addresses.iter().copied().collect() } else { well }
}

#[cfg(test)]
mod tests;
