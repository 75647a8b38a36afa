//! Messages of a TCP connection: each behind its length in two bytes.

/// Bytes of a query at most. An honest one has a name, a few options and perhaps a signature.
pub const MAX_QUERY: usize = 4_096;

/// What the bytes of a connection begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A message, and how many bytes it took with its length.
    Whole(&'a [u8], usize),
    /// Not yet a message: it has so many bytes with its length, or at least so many.
    Part(usize),
    /// Too long, or without anything: the connection is of no use.
    Bad,
}

/// The first message of what came.
//= rfc7766#8
#[must_use]
pub fn frame(bytes: &[u8]) -> Frame<'_> {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else { return Frame::Part(2) };
    let length = usize::from(u16::from_be_bytes(*length));
    if length == 0 || length > MAX_QUERY {
        return Frame::Bad;
    }
    match rest.get(..length) {
        Some(message) => Frame::Whole(message, 2 + length),
        None => Frame::Part(2 + length),
    }
}
