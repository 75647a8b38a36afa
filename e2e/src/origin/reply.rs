//! What an origin answers: a script of bytes and waits.

use std::sync::LazyLock;

use bytes::{Bytes, BytesMut};

use super::Asked;
use crate::gate::Gate;
use crate::http1::Fields;

/// A response to be played.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) status: u16,
    pub(super) fields: Fields,
    pub(super) framing: Framing,
    pub(super) ahead: Vec<Ahead>,
    pub(super) body: Vec<Piece>,
    pub(super) close: bool,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// Of the body's own length.
    Honest,
    /// Whatever the body's length is.
    Length(u64),
    Chunked,
    UntilClose,
}

/// What happens before the head.
#[derive(Clone, Debug)]
pub(super) enum Ahead {
    Interim(u16, Fields),
    Wait(Gate),
    /// Breaks the connection instead of answering.
    Break,
}

/// A step of the body.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Data(Bytes),
    /// So many bytes of [`pattern`], from the body's position on.
    Pattern(u64),
    Wait(Gate),
    /// Breaks the connection here.
    Cut,
    /// Sends back in upper case what comes, until the other side ends.
    Echo,
}

impl Reply {
    /// 200 with `body`.
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self::status(200).then(body)
    }

    /// 200 with `body`, fresh for `seconds`.
    pub fn fresh(seconds: u32, body: impl Into<Bytes>) -> Self {
        Self::ok(body).field("cache-control", &format!("max-age={seconds}"))
    }

    /// Without a body so far.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            fields: Fields::default(),
            framing: Framing::Honest,
            ahead: Vec::new(),
            body: Vec::new(),
            close: false,
        }
    }

    /// 101 to `protocol`, then everything comes back in upper case.
    pub fn upgraded(protocol: &str) -> Self {
        let mut reply = Self::status(101).field("upgrade", protocol).field("connection", "upgrade");
        reply.body.push(Piece::Echo);
        reply
    }

    /// Breaks the connection without a word.
    pub fn broken() -> Self {
        Self::status(200).breaking()
    }

    /// `body` with `etag`, or 304 when the request knows it.
    pub fn validated(asked: &Asked, etag: &str, body: impl Into<Bytes>) -> Self {
        let known = asked.fields.lists("if-none-match", etag);
        let reply = if known { Self::status(304) } else { Self::ok(body) };
        reply.field("etag", etag)
    }

    /// Adds a field.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.add(name, value);
        self
    }

    /// Sends an interim response first.
    #[must_use]
    pub fn early<const N: usize>(mut self, status: u16, fields: [(&str, &str); N]) -> Self {
        self.ahead.push(Ahead::Interim(status, fields.into()));
        self
    }

    /// The head (or what of `early` follows) waits for `gate`.
    #[must_use]
    pub fn after(mut self, gate: &Gate) -> Self {
        self.ahead.push(Ahead::Wait(gate.clone()));
        self
    }

    /// Breaks the connection instead of a head.
    #[must_use]
    pub fn breaking(mut self) -> Self {
        self.ahead.push(Ahead::Break);
        self
    }

    /// Adds to the body.
    #[must_use]
    pub fn then(mut self, data: impl Into<Bytes>) -> Self {
        self.body.push(Piece::Data(data.into()));
        self
    }

    /// Adds `length` bytes of [`pattern`].
    #[must_use]
    pub fn then_pattern(mut self, length: u64) -> Self {
        self.body.push(Piece::Pattern(length));
        self
    }

    /// What follows of the body waits for `gate`.
    #[must_use]
    pub fn then_after(mut self, gate: &Gate) -> Self {
        self.body.push(Piece::Wait(gate.clone()));
        self
    }

    /// Breaks the connection here.
    #[must_use]
    pub fn then_cut(mut self) -> Self {
        self.body.push(Piece::Cut);
        self
    }

    /// In chunks, one for each piece.
    #[must_use]
    pub fn chunked(mut self) -> Self {
        self.framing = Framing::Chunked;
        self
    }

    /// Without a length: the end of the connection ends the body.
    #[must_use]
    pub fn until_close(mut self) -> Self {
        self.framing = Framing::UntilClose;
        self.closing()
    }

    /// Says this length, whatever it is.
    #[must_use]
    pub fn announcing(mut self, length: u64) -> Self {
        self.framing = Framing::Length(length);
        self
    }

    /// Closes the connection afterwards.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    /// The body's length, waits left out.
    pub(super) fn length(&self) -> u64 {
        let length = |piece: &Piece| match piece {
            Piece::Data(data) => data.len() as u64,
            Piece::Pattern(length) => *length,
            Piece::Wait(_) | Piece::Cut | Piece::Echo => 0,
        };
        self.body.iter().map(length).sum()
    }
}

/// Of a prime length, so that no piece of a power of two's size looks like another.
static PATTERN: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let byte = |i: u32| (i.wrapping_mul(167) ^ (i >> 8)).to_le_bytes()[0];
    (0..65_521).map(byte).collect()
});

/// Bytes `start..start + length` of a body whose every byte follows from its position.
pub fn pattern(start: u64, length: usize) -> Bytes {
    let period = PATTERN.len();
    let mut at = usize::try_from(start % period as u64).unwrap_or_default();
    let mut bytes = BytesMut::with_capacity(length);
    while bytes.len() < length {
        let most = (period - at).min(length - bytes.len());
        bytes.extend_from_slice(&PATTERN[at..at + most]);
        at = (at + most) % period;
    }
    bytes.freeze()
}
