//! Amounts of bytes, as Kubernetes writes them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

/// An amount of bytes: `512`, `64Ki`, `256Mi`, `1Gi` (powers of 1024) or `64k`, `256M`, `1G` (of 1000).
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteQuantity(u64);

/// Why a text is not an amount of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseQuantityError {
    /// Not digits with one of the suffixes.
    Syntax(String),
    /// More than 2⁶³−1 bytes.
    TooLarge(String),
}

impl std::error::Error for ParseQuantityError {}

impl fmt::Display for ParseQuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(text) => write!(
                f,
                "`{text}` is not an amount of bytes; write a whole number with a suffix of Ki, Mi, \
                 Gi, Ti, k, M, G or T, such as `256Mi`"
            ),
            Self::TooLarge(text) => write!(f, "`{text}` is more bytes than can be counted"),
        }
    }
}

/// Longest suffix first, so that `Ki` is not read as `k` with a rest.
const UNITS: [(&str, u64); 8] = [
    ("Ti", 1 << 40),
    ("Gi", 1 << 30),
    ("Mi", 1 << 20),
    ("Ki", 1 << 10),
    ("T", 1_000_000_000_000),
    ("G", 1_000_000_000),
    ("M", 1_000_000),
    ("k", 1_000),
];

impl ByteQuantity {
    /// What the schema requires of a text.
    pub const PATTERN: &str = "^[0-9]{1,19}(Ki|Mi|Gi|Ti|k|M|G|T)?$";

    /// So many bytes.
    #[must_use]
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// So many times 1024 bytes.
    #[must_use]
    pub const fn kib(n: u32) -> Self {
        Self((n as u64) << 10)
    }

    /// So many times 1024² bytes.
    #[must_use]
    pub const fn mib(n: u32) -> Self {
        Self((n as u64) << 20)
    }

    /// So many times 1024³ bytes.
    #[must_use]
    pub const fn gib(n: u32) -> Self {
        Self((n as u64) << 30)
    }

    /// The amount.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteQuantity {
    type Err = ParseQuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (digits, factor) = UNITS
            .iter()
            .find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor)))
            .unwrap_or((text, 1));
        if digits.is_empty() || digits.len() > 19 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ParseQuantityError::Syntax(text.to_owned()));
        }
        digits
            .parse::<u64>()
            .ok()
            .and_then(|n| n.checked_mul(factor))
            .filter(|n| *n <= i64::MAX as u64)
            .map(Self)
            .ok_or_else(|| ParseQuantityError::TooLarge(text.to_owned()))
    }
}

/// The shortest exact form: a power of 1024 where it divides, else plain bytes.
impl fmt::Display for ByteQuantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS[..4].iter().find(|(_, factor)| self.0 > 0 && self.0.is_multiple_of(*factor)) {
            Some((suffix, factor)) => write!(f, "{}{suffix}", self.0 / factor),
            None => write!(f, "{}", self.0),
        }
    }
}

impl Serialize for ByteQuantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteQuantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Quantity;

        impl Visitor<'_> for Quantity {
            type Value = ByteQuantity;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount of bytes such as 256Mi")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ByteQuantity, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<ByteQuantity, E> {
                self.visit_str(&bytes.to_string())
            }

            fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<ByteQuantity, E> {
                self.visit_str(&bytes.to_string())
            }
        }

        deserializer.deserialize_any(Quantity)
    }
}

impl JsonSchema for ByteQuantity {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ByteQuantity".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "pattern": Self::PATTERN,
            "minimum": 0,
            "maxLength": 21,
            "nullable": false,
        })
    }
}

#[cfg(test)]
mod tests;
