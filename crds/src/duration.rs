//! Lengths of time, as Kubernetes writes them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

/// A length of time in the strict form that the Gateway API set (GEP-2257): whole numbers with `h`,
/// `m`, `s` or `ms`, such as `500ms`, `30s` or `1h30m`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration(std::time::Duration);

/// Why a text is not a length of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseDurationError {
    /// A number without a unit.
    NoUnit(String),
    /// Anything else that is not of the form.
    Syntax(String),
}

impl std::error::Error for ParseDurationError {}

impl fmt::Display for ParseDurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUnit(text) => {
                write!(f, "`{text}` has no unit; write `{text}s` for seconds, or use h, m or ms")
            }
            Self::Syntax(text) => write!(
                f,
                "`{text}` is not a length of time; write whole numbers with h, m, s or ms, such as \
                 `30s` or `1h30m`"
            ),
        }
    }
}

impl Duration {
    /// What the schema requires of a text.
    pub const PATTERN: &str = "^([0-9]{1,5}(h|m|s|ms)){1,4}$";

    /// So many seconds.
    #[must_use]
    pub const fn from_secs(seconds: u32) -> Self {
        Self(std::time::Duration::from_secs(seconds as u64))
    }

    /// So many minutes.
    #[must_use]
    pub const fn from_mins(minutes: u32) -> Self {
        Self(std::time::Duration::from_secs(60 * minutes as u64))
    }

    /// So many hours.
    #[must_use]
    pub const fn from_hours(hours: u32) -> Self {
        Self(std::time::Duration::from_secs(3600 * hours as u64))
    }

    /// So many milliseconds.
    #[must_use]
    pub const fn from_millis(milliseconds: u32) -> Self {
        Self(std::time::Duration::from_millis(milliseconds as u64))
    }

    /// The same, as the standard library has it.
    #[must_use]
    pub const fn get(self) -> std::time::Duration {
        self.0
    }

    /// In milliseconds; the form allows no more than fit.
    #[must_use]
    pub fn as_millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }

    /// In seconds, if there is no rest.
    #[must_use]
    pub fn whole_seconds(self) -> Option<u64> {
        (self.0.subsec_nanos() == 0).then_some(self.0.as_secs())
    }
}

impl FromStr for Duration {
    type Err = ParseDurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let syntax = || ParseDurationError::Syntax(text.to_owned());
        let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
        if !text.is_empty() && digits(text) == text.len() {
            return Err(ParseDurationError::NoUnit(text.to_owned()));
        }
        let mut rest = text;
        let mut parts = 0;
        let mut milliseconds = 0;
        while !rest.is_empty() {
            let (number, tail) = rest.split_at(digits(rest));
            let factor = if let Some(tail) = tail.strip_prefix("ms") {
                rest = tail;
                1
            } else {
                let mut chars = tail.chars();
                let factor = match chars.next() {
                    Some('h') => 3_600_000,
                    Some('m') => 60_000,
                    Some('s') => 1_000,
                    _ => return Err(syntax()),
                };
                rest = chars.as_str();
                factor
            };
            parts += 1;
            if number.len() > 5 || parts > 4 {
                return Err(syntax());
            }
            milliseconds += number.parse::<u64>().map_err(|_| syntax())? * factor;
        }
        if parts == 0 {
            return Err(syntax());
        }
        Ok(Self(std::time::Duration::from_millis(milliseconds)))
    }
}

/// The units in order, zero ones left out; `0s` for nothing.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.as_millis();
        if rest == 0 {
            return f.write_str("0s");
        }
        for (unit, factor) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
            if rest >= factor {
                write!(f, "{}{unit}", rest / factor)?;
                rest %= factor;
            }
        }
        Ok(())
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Duration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length of time such as 30s")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

impl JsonSchema for Duration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": Self::PATTERN, "maxLength": 28 })
    }
}

#[cfg(test)]
mod tests;
