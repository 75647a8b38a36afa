//! The numbers of zones, pools and limits, and what they are when nobody says.

use serde::{Deserialize, Serialize};

use super::{MAX_ANSWERS, MAX_SECONDS, ZonesError, name::is_domain};

/// The fields of a zone's SOA record (RFC 1035, section 3.3.13). Times are in seconds, at most [`MAX_SECONDS`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Soa {
    /// The mailbox of whoever is responsible, with a dot for the `@`; without, `hostmaster` of the zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<String>,
    /// The number of this content.
    pub serial: u32,
    /// For secondaries, which there are none of.
    pub refresh: u32,
    /// Likewise.
    pub retry: u32,
    /// Likewise.
    pub expire: u32,
    /// How long it may be remembered that something does not exist (RFC 2308).
    pub negative_ttl: u32,
    /// The time to live of the NS and SOA records, and of name servers' addresses.
    pub ttl: u32,
}

impl Default for Soa {
    fn default() -> Self {
        Self {
            mailbox: None,
            serial: 1,
            refresh: 7_200,
            retry: 900,
            expire: 604_800,
            negative_ttl: 60,
            ttl: 3_600,
        }
    }
}

/// How a pool answers. Times are in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Steering {
    /// PoPs in one answer, 1 to [`MAX_ANSWERS`].
    pub answers: u32,
    /// The time to live of an address while nothing changes, 1 to [`MAX_SECONDS`].
    pub ttl: u32,
    /// The same while a change is pending, 1 to `ttl`.
    pub pending_ttl: u32,
    /// Over how long clients move to a PoP that returns or joins, and away from one that leaves, at most an hour.
    pub ramp: u32,
}

impl Default for Steering {
    fn default() -> Self {
        Self { answers: 2, ttl: 30, pending_ttl: 5, ramp: 20 }
    }
}

/// Response rate limiting: how often one network may get the same answer over UDP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AnswerLimits {
    /// Answers per second, at most 1,000,000; 0 = no limit at all.
    pub answers_per_second: u32,
    /// Errors, refusals and answers that nothing exists, per second, at most 1,000,000; 0 = as answers.
    pub errors_per_second: u32,
    /// Seconds' worth that may come at once, 1 to 60.
    pub window: u32,
    /// Every so manieth answer over the limit is sent without content, so that who really asked asks by TCP;
    /// 0 = never, 10 at most.
    pub slip: u32,
    /// Bits of an IPv4 address that make a network, 8 to 32.
    pub v4_prefix: u8,
    /// Bits of an IPv6 address that make a network, 16 to 128.
    pub v6_prefix: u8,
}

impl Default for AnswerLimits {
    /// Resolvers with many clients ask some hundred times a second for a popular name with a short time to live.
    fn default() -> Self {
        Self {
            answers_per_second: 1_000,
            errors_per_second: 100,
            window: 5,
            slip: 2,
            v4_prefix: 24,
            v6_prefix: 56,
        }
    }
}

/// Where a number is out of its range.
pub(super) fn range(
    at: &str,
    field: &'static str,
    value: u32,
    least: u32,
    most: u32,
) -> Result<(), ZonesError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(ZonesError::Range { at: at.to_owned(), field, value, least, most })
}

impl Soa {
    pub(super) fn check(&self, at: &str) -> Result<(), ZonesError> {
        range(at, "soa.refresh", self.refresh, 0, MAX_SECONDS)?;
        range(at, "soa.retry", self.retry, 0, MAX_SECONDS)?;
        range(at, "soa.expire", self.expire, 0, MAX_SECONDS)?;
        range(at, "soa.negativeTtl", self.negative_ttl, 0, MAX_SECONDS)?;
        range(at, "soa.ttl", self.ttl, 0, MAX_SECONDS)?;
        match &self.mailbox {
            Some(name) if !is_domain(name) => {
                Err(ZonesError::Domain { at: at.to_owned(), name: name.clone() })
            }
            _ => Ok(()),
        }
    }
}

impl Steering {
    pub(super) fn check(&self, at: &str) -> Result<(), ZonesError> {
        range(at, "steering.answers", self.answers, 1, MAX_ANSWERS)?;
        range(at, "steering.ttl", self.ttl, 1, MAX_SECONDS)?;
        range(at, "steering.pendingTtl", self.pending_ttl, 1, self.ttl)?;
        range(at, "steering.ramp", self.ramp, 0, 3_600)
    }
}

impl AnswerLimits {
    pub(super) fn check(&self) -> Result<(), ZonesError> {
        let at = "limits";
        range(at, "answersPerSecond", self.answers_per_second, 0, 1_000_000)?;
        range(at, "errorsPerSecond", self.errors_per_second, 0, 1_000_000)?;
        range(at, "window", self.window, 1, 60)?;
        range(at, "slip", self.slip, 0, 10)?;
        range(at, "v4Prefix", self.v4_prefix.into(), 8, 32)?;
        range(at, "v6Prefix", self.v6_prefix.into(), 16, 128)
    }
}
