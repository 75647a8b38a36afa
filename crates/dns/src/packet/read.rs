//! From bytes to a query, or to why there is none.

use super::{Edns, Head, Name, PLAIN_UDP, Query, Question, Rcode, Subnet, rtype};

const HEAD: usize = 12;
/// Type, class, time to live and length of a record.
const FIXED: usize = 10;
const OPTION_SUBNET: u16 = 8;

/// Packets that get no answer at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Silence {
    /// Too short to have a head: nothing to answer to.
    Short,
    /// A response. To answer it could begin an endless exchange.
    Response,
}

impl Silence {
    /// All of them, for metrics.
    pub const ALL: [Self; 2] = [Self::Short, Self::Response];

    /// A stable token for metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Response => "response",
        }
    }
}

/// Why a query cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FormatFault {
    /// Not exactly one question.
    Questions,
    /// The question's name is none, or compressed.
    Name,
    /// A record goes beyond the end.
    Record,
    /// There is more behind the last record.
    Trailing,
    /// Two OPT records, one out of its section, or one with a name.
    Opt,
    /// An EDNS option goes beyond its record.
    Option,
    /// The client's subnet is not written as it must be.
    Subnet,
    /// The question is for a type that is no type of data.
    Type,
}

impl FormatFault {
    /// All of them, for metrics.
    pub const ALL: [Self; 8] = [
        Self::Questions,
        Self::Name,
        Self::Record,
        Self::Trailing,
        Self::Opt,
        Self::Option,
        Self::Subnet,
        Self::Type,
    ];

    /// A stable token for metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Questions => "questions",
            Self::Name => "name",
            Self::Record => "record",
            Self::Trailing => "trailing",
            Self::Opt => "opt",
            Self::Option => "option",
            Self::Subnet => "subnet",
            Self::Type => "type",
        }
    }
}

/// A query that gets an error for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused<'a> {
    /// Comes back.
    pub head: Head,
    /// Comes back too, if it could be read.
    pub question: Option<Question<'a>>,
    /// The error.
    pub rcode: Rcode,
    /// What is wrong, for `FormErr`.
    pub fault: Option<FormatFault>,
    /// Whether the client speaks EDNS, so that the error may say so too.
    pub edns: bool,
}

/// What has no proper answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered<'a> {
    /// No answer at all.
    Silent(Silence),
    /// An error.
    Refused(Refused<'a>),
}

/// Reads a query.
///
/// # Errors
/// Why it gets an error, or silence.
pub fn read(packet: &[u8]) -> Result<Query<'_>, Unanswered<'_>> {
    let Some((head, rest)) = packet.split_first_chunk::<HEAD>() else {
        return Err(Unanswered::Silent(Silence::Short));
    };
    let [i, d, flags, more, counts @ ..] = *head;
    if flags & 0x80 != 0 {
        return Err(Unanswered::Silent(Silence::Response));
    }
    let head = Head {
        id: u16::from_be_bytes([i, d]),
        opcode: flags >> 3 & 0x0F,
        recursion_desired: flags & 1 != 0,
        checking_disabled: more & 0x10 != 0,
    };
    let mut refused =
        Refused { head, question: None, rcode: Rcode::NotImp, fault: None, edns: false };
    //= rfc1035#4.1.1
    if head.opcode != 0 {
        return Err(Unanswered::Refused(refused));
    }
    refused.rcode = Rcode::FormErr;
    let [questions, answers, authorities, additional] =
        [0, 2, 4, 6].map(|at| u16::from_be_bytes([counts[at], counts[at + 1]]));
    //= rfc9619#4
    if questions != 1 {
        return fail(refused, FormatFault::Questions);
    }
    let Some((question, used)) = read_question(rest) else {
        return fail(refused, FormatFault::Name);
    };
    refused.question = Some(question);
    let mut records = Records { packet, at: HEAD + used };
    for _ in 0..u32::from(answers) + u32::from(authorities) {
        match records.next() {
            Ok(record) if record.rtype == rtype::OPT => return fail(refused, FormatFault::Opt),
            Ok(_) => {}
            Err(fault) => return fail(refused, fault),
        }
    }
    let mut opt: Option<Record<'_>> = None;
    for _ in 0..additional {
        let record = match records.next() {
            Ok(record) => record,
            Err(fault) => return fail(refused, fault),
        };
        if record.rtype == rtype::OPT {
            //= rfc6891#6.1.1
            if opt.is_some() || !record.of_root {
                return fail(refused, FormatFault::Opt);
            }
            opt = Some(record);
        }
    }
    refused.edns = opt.is_some();
    if records.at != packet.len() {
        return fail(refused, FormatFault::Trailing);
    }
    let edns = match opt {
        None => None,
        //= rfc6891#6.1.3
        Some(opt) if opt.ttl[1] != 0 => {
            return Err(Unanswered::Refused(Refused { rcode: Rcode::BadVers, ..refused }));
        }
        Some(opt) => match read_options(&opt) {
            Ok(edns) => Some(edns),
            Err(fault) => return fail(refused, fault),
        },
    };
    match question.qtype {
        // It belongs to a message, not to a name.
        rtype::OPT => fail(refused, FormatFault::Type),
        rtype::TKEY | rtype::TSIG | rtype::MAILA | rtype::MAILB => {
            Err(Unanswered::Refused(Refused { rcode: Rcode::NotImp, ..refused }))
        }
        _ => Ok(Query { head, question, edns }),
    }
}

fn fail(refused: Refused<'_>, fault: FormatFault) -> Result<Query<'_>, Unanswered<'_>> {
    Err(Unanswered::Refused(Refused { fault: Some(fault), ..refused }))
}

/// The question and how many bytes it took.
fn read_question(bytes: &[u8]) -> Option<(Question<'_>, usize)> {
    let name = Name::read(bytes)?;
    let (fixed, _) = bytes.get(name.bytes().len()..)?.split_first_chunk::<4>()?;
    let [t, u, c, d] = *fixed;
    let question =
        Question { name, qtype: u16::from_be_bytes([t, u]), class: u16::from_be_bytes([c, d]) };
    Some((question, name.bytes().len() + 4))
}

struct Record<'a> {
    of_root: bool,
    rtype: u16,
    class: u16,
    ttl: [u8; 4],
    data: &'a [u8],
}

/// The records of a packet from `at` on.
struct Records<'a> {
    packet: &'a [u8],
    at: usize,
}

impl<'a> Records<'a> {
    fn next(&mut self) -> Result<Record<'a>, FormatFault> {
        let name = Name::skip(self.packet, self.at).ok_or(FormatFault::Record)?;
        let rest = self.packet.get(self.at + name..).ok_or(FormatFault::Record)?;
        let (fixed, rest) = rest.split_first_chunk::<FIXED>().ok_or(FormatFault::Record)?;
        let [t, u, c, d, ttl @ .., l, m] = *fixed;
        let length = usize::from(u16::from_be_bytes([l, m]));
        let data = rest.get(..length).ok_or(FormatFault::Record)?;
        let of_root = self.packet.get(self.at) == Some(&0);
        self.at += name + FIXED + length;
        let (rtype, class) = (u16::from_be_bytes([t, u]), u16::from_be_bytes([c, d]));
        Ok(Record { of_root, rtype, class, ttl, data })
    }
}

//= rfc6891#6.1.2
fn read_options(opt: &Record<'_>) -> Result<Edns, FormatFault> {
    let mut edns = Edns {
        payload: opt.class.max(PLAIN_UDP as u16),
        dnssec_ok: opt.ttl[2] & 0x80 != 0,
        subnet: None,
    };
    let mut rest = opt.data;
    while !rest.is_empty() {
        let ([c, d, l, m], after) = rest.split_first_chunk::<4>().ok_or(FormatFault::Option)?;
        let length = usize::from(u16::from_be_bytes([*l, *m]));
        let data = after.get(..length).ok_or(FormatFault::Option)?;
        rest = &after[length..];
        // Others, known to somebody or not, are passed over.
        if u16::from_be_bytes([*c, *d]) == OPTION_SUBNET {
            let subnet = read_subnet(data).filter(|_| edns.subnet.is_none());
            edns.subnet = Some(subnet.ok_or(FormatFault::Subnet)?);
        }
    }
    Ok(edns)
}

//= rfc7871#6
fn read_subnet(data: &[u8]) -> Option<Subnet> {
    let ([f, g, source, scope], octets) = data.split_first_chunk::<4>()?;
    let family = u16::from_be_bytes([*f, *g]);
    let longest = match family {
        0 => 0,
        1 => 32,
        2 => 128,
        _ => return None,
    };
    let mut subnet = Subnet { family, source: *source, address: [0; 16] };
    if *source > longest || *scope != 0 || octets.len() != subnet.octets() {
        return None;
    }
    subnet.address[..octets.len()].copy_from_slice(octets);
    let behind = (8 - source % 8) % 8;
    let last = octets.last().copied().unwrap_or(0);
    (last.trailing_zeros() >= u32::from(behind)).then_some(subnet)
}
