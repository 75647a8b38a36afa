//! Content codings: what a client accepts and what may be compressed (RFC 9110 §8.4, §12.5.3).

use http::{HeaderMap, HeaderValue, header};

use crate::conditional::EntityTag;
use crate::lists::{members, with_quality};

mod compress;

pub use compress::{CompressionRules, NoTransformReason, compressible};

/// A content coding this CDN can produce.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Coding {
    /// None.
    Identity,
    /// gzip (RFC 1952).
    Gzip,
    /// Brotli (RFC 7932).
    Br,
    /// Zstandard (RFC 8878).
    Zstd,
}

impl Coding {
    /// Every coding, least preferred first.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Gzip, Self::Zstd, Self::Br];

    /// The name in `Content-Encoding`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Br => "br",
            Self::Zstd => "zstd",
        }
    }

    /// Reads a coding's name; `x-gzip` is the same as `gzip`.
    //= rfc9110#8.4.1
    pub fn parse(name: &[u8]) -> Option<Self> {
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        match name {
            _ if is(b"gzip") || is(b"x-gzip") => Some(Self::Gzip),
            _ if is(b"br") => Some(Self::Br),
            _ if is(b"zstd") => Some(Self::Zstd),
            _ if is(b"identity") => Some(Self::Identity),
            _ => None,
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Identity => 1,
            Self::Gzip => 1 << 1,
            Self::Br => 1 << 2,
            Self::Zstd => 1 << 3,
        }
    }
}

/// A set of codings.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct CodingSet(u8);

impl CodingSet {
    /// None of them.
    pub const EMPTY: Self = Self(0);

    /// With `coding` added.
    #[must_use]
    pub const fn with(self, coding: Coding) -> Self {
        Self(self.0 | coding.bit())
    }

    /// Whether `coding` is in it.
    pub const fn contains(self, coding: Coding) -> bool {
        self.0 & coding.bit() != 0
    }

    /// Whether it is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// As a number, one bit a coding: stable within a process.
    pub const fn bits(self) -> u8 {
        self.0
    }
}

impl FromIterator<Coding> for CodingSet {
    fn from_iter<I: IntoIterator<Item = Coding>>(codings: I) -> Self {
        codings.into_iter().fold(Self::EMPTY, Self::with)
    }
}

/// What negotiation comes to.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Negotiated {
    /// Send this one.
    Coding(Coding),
    /// The client takes neither any coding offered nor identity. A server may answer 406 or send
    /// identity all the same; the latter is what clients that say so by mistake need.
    NotAcceptable,
}

/// Chooses the coding of a response among those `offered`, identity always being one: the client's
/// quality decides, at equal quality br before zstd before gzip before identity.
//= rfc9110#12.5.3
pub fn negotiate(request: &HeaderMap, offered: CodingSet) -> Negotiated {
    if !request.contains_key(header::ACCEPT_ENCODING) {
        // Any coding would do, but a client that says nothing may well understand none.
        return Negotiated::Coding(Coding::Identity);
    }
    let qualities = Qualities::read(request);
    let offered = offered.with(Coding::Identity);
    Coding::ALL
        .into_iter()
        .filter(|coding| offered.contains(*coding))
        .map(|coding| (qualities.of(coding), coding))
        .filter(|(quality, _)| *quality > 0)
        // Of equals the last wins, and identity counts below any coding named with more than zero.
        .max_by_key(|(quality, _)| *quality)
        .map_or(Negotiated::NotAcceptable, |(_, coding)| Negotiated::Coding(coding))
}

/// Which of the codings `offered`, and of identity, a request accepts at all.
//= rfc9110#12.5.3
pub fn acceptable(request: &HeaderMap, offered: CodingSet) -> CodingSet {
    if !request.contains_key(header::ACCEPT_ENCODING) {
        return CodingSet::EMPTY.with(Coding::Identity);
    }
    let qualities = Qualities::read(request);
    let offered = offered.with(Coding::Identity);
    Coding::ALL
        .into_iter()
        .filter(|coding| offered.contains(*coding) && qualities.of(*coding) > 0)
        .collect()
}

struct Qualities {
    named: [Option<u16>; 4],
    any: Option<u16>,
}

impl Qualities {
    fn read(request: &HeaderMap) -> Self {
        let mut qualities = Self { named: [None; 4], any: None };
        for line in request.get_all(header::ACCEPT_ENCODING) {
            for member in members(line.as_bytes()) {
                let (name, quality) = with_quality(member);
                if name == b"*" {
                    qualities.any = Some(quality);
                } else if let Some(coding) = Coding::parse(name) {
                    qualities.named[coding.bit().trailing_zeros() as usize] = Some(quality);
                }
            }
        }
        qualities
    }

    fn of(&self, coding: Coding) -> u16 {
        let named = self.named[coding.bit().trailing_zeros() as usize];
        match coding {
            // Identity is acceptable unless it, or everything unnamed, is excluded.
            Coding::Identity => named.unwrap_or(if self.any == Some(0) { 0 } else { 1 }),
            _ => named.or(self.any).unwrap_or(0),
        }
    }
}

/// Makes the tag of a response weak, as it must be once the body's bytes are not the origin's. One
/// that cannot be read goes.
//= rfc9110#8.8.1
//= rfc9110#8.8.3
pub fn weaken_etag(headers: &mut HeaderMap) {
    let Some(value) = headers.get(header::ETAG) else {
        return;
    };
    let weak = match EntityTag::parse(value.as_bytes()) {
        Some(tag) if tag.weak => return,
        Some(tag) => {
            let text = [b"W/\"", tag.opaque, b"\""].concat();
            HeaderValue::from_bytes(&text).ok()
        }
        None => None,
    };
    match weak {
        Some(weak) => {
            headers.insert(header::ETAG, weak);
        }
        None => {
            headers.remove(header::ETAG);
        }
    }
}

#[cfg(test)]
mod tests;
