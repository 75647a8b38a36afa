//! `Content-Range` (RFC 9110 §14.4).

use std::fmt;
use std::ops::Range;

use super::position;
use crate::lists::trim_ows;

/// Where a part lies: both ends included, and the complete length where it is known.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct ContentRange {
    /// Position of the first byte.
    pub first: u64,
    /// Position of the last byte.
    pub last: u64,
    /// The complete length.
    pub complete: Option<u64>,
}

impl ContentRange {
    /// Of a range that is not empty; `None` for one that is.
    pub fn of(range: &Range<u64>, complete: Option<u64>) -> Option<Self> {
        let last = range.end.checked_sub(1)?;
        (range.start <= last).then_some(Self { first: range.start, last, complete })
    }

    /// Reads the field's value; `None` unless it is a range of bytes that makes sense.
    //= rfc9110#14.4
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (range, complete) = halves(value)?;
        let dash = memchr::memchr(b'-', range)?;
        let first = exact(&range[..dash])?;
        let last = exact(&range[dash + 1..])?;
        let complete = if complete == b"*" { None } else { Some(exact(complete)?) };
        let sound = first <= last && complete.is_none_or(|complete| last < complete);
        sound.then_some(Self { first, last, complete })
    }

    /// Reads the form a 416 carries, `bytes */N`: the complete length.
    //= rfc9110#14.4
    pub fn parse_unsatisfied(value: &[u8]) -> Option<u64> {
        let (range, complete) = halves(value)?;
        (range == b"*").then(|| exact(complete)).flatten()
    }

    /// The form a 416 carries.
    //= rfc9110#15.5.17
    pub fn unsatisfied(complete: u64) -> String {
        format!("bytes */{complete}")
    }

    /// The range with its end excluded.
    pub fn range(&self) -> Range<u64> {
        self.first..self.last.saturating_add(1)
    }

    /// How many bytes it has.
    pub fn length(&self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }
}

impl fmt::Display for ContentRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bytes {}-{}/", self.first, self.last)?;
        match self.complete {
            Some(complete) => write!(f, "{complete}"),
            None => f.write_str("*"),
        }
    }
}

fn halves(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let value = trim_ows(value);
    let (unit, rest) = value.split_at_checked(6)?;
    if !unit.eq_ignore_ascii_case(b"bytes ") {
        return None;
    }
    let slash = memchr::memchr(b'/', rest)?;
    Some((&rest[..slash], &rest[slash + 1..]))
}

/// A position that is what it says: here too large a number is no number.
fn exact(digits: &[u8]) -> Option<u64> {
    position(digits).filter(|value| *value < u64::MAX)
}
