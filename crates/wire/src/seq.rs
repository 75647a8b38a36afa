//! Positions in the invalidation log.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A position in the invalidation log: the id of an entry, ordered as the log is.
///
/// Written `ms-n` as a Redis stream id is. [`Seq::ZERO`] is before every entry.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Seq {
    /// Milliseconds part of the id; only its order matters, never its value as a time.
    pub ms: u64,
    /// Number within the same millisecond.
    pub n: u64,
}

impl Seq {
    /// Before every entry of every log.
    pub const ZERO: Self = Self { ms: 0, n: 0 };
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.n)
    }
}

/// The text was not `ms-n` with two decimal numbers.
#[derive(Debug, PartialEq, Eq)]
pub struct BadSeq;

impl fmt::Display for BadSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a log position must be written as `milliseconds-number`")
    }
}

impl std::error::Error for BadSeq {}

impl FromStr for Seq {
    type Err = BadSeq;

    fn from_str(s: &str) -> Result<Self, BadSeq> {
        let (ms, n) = s.split_once('-').ok_or(BadSeq)?;
        let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        if !digits(ms) || !digits(n) {
            return Err(BadSeq);
        }
        Ok(Self { ms: ms.parse().map_err(|_| BadSeq)?, n: n.parse().map_err(|_| BadSeq)? })
    }
}

impl Serialize for Seq {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Seq {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
