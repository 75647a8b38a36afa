//! An entry of the log, read.

use wire::invalidation::{FORMAT, Invalidation, LogPosition, Target};

use crate::BusError;

/// Most URLs or tags in one order.
const MOST_TARGETS: usize = 1_000;

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands.
    pub position: LogPosition,
    /// The order; what is malformed is to be counted, told once, and acknowledged with its error.
    pub order: Result<Invalidation, Malformed>,
}

/// An entry is no order that this version understands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It has no text at all.
    #[error("the entry has no order")]
    Missing,
    /// It is of another version.
    #[error("the entry has format {0}, this version reads {FORMAT}")]
    Format(u64),
    /// It is not JSON of the right shape.
    #[error("the entry cannot be read: {0}")]
    Shape(String),
    /// A name in it is not 1 to 64 letters, digits, `-`, `_`, `.` or `:`.
    #[error("the entry has a bad id")]
    Id,
    /// It names nothing, or more than 1,000 things.
    #[error("the entry names {0} targets, 1 to {MOST_TARGETS} are allowed")]
    Targets(usize),
}

/// Reads the text of an entry.
pub(crate) fn read(text: &str) -> Result<Invalidation, Malformed> {
    let order: Invalidation = serde_json::from_str(text).map_err(|error| wrong(text, &error))?;
    check(&order)?;
    Ok(order)
}

/// Writes an order as the text of an entry.
pub(crate) fn write(order: &Invalidation, most_bytes: usize) -> Result<String, BusError> {
    check(order).map_err(|error| BusError::Refused(error.to_string()))?;
    let text =
        serde_json::to_string(order).map_err(|error| BusError::Refused(error.to_string()))?;
    if text.len() > most_bytes {
        let bytes = text.len();
        return Err(BusError::Refused(format!("the order has {bytes} bytes of {most_bytes}")));
    }
    Ok(text)
}

/// What an order changes about which bans are in force.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum BanChange<'a> {
    /// A new one is, for so many milliseconds.
    Ordered {
        /// Its id.
        id: &'a str,
        /// For how long.
        ttl_ms: u64,
    },
    /// One no longer is.
    Lifted {
        /// Its id.
        id: &'a str,
    },
}

/// What `order` changes about which bans are in force, if anything.
pub(crate) fn ban(order: &Invalidation) -> Option<BanChange<'_>> {
    match &order.target {
        _ if order.dry_run => None,
        Target::Ban(ban) => Some(BanChange::Ordered { id: &ban.id, ttl_ms: ban.ttl_ms.max(1) }),
        Target::Lift(id) => Some(BanChange::Lifted { id }),
        Target::Urls(_) | Target::Tags(_) | Target::Prefix(_) | Target::All => None,
    }
}

/// Checks what the type alone does not say.
fn check(order: &Invalidation) -> Result<(), Malformed> {
    if order.format != FORMAT {
        return Err(Malformed::Format(order.format.into()));
    }
    let named = match &order.target {
        Target::Ban(ban) => good_id(&ban.id),
        Target::Lift(id) => good_id(id),
        Target::Urls(_) | Target::Tags(_) | Target::Prefix(_) | Target::All => true,
    };
    if !named || !good_id(&order.id) {
        return Err(Malformed::Id);
    }
    let targets = match &order.target {
        Target::Urls(urls) => urls.len(),
        Target::Tags(tags) => tags.len(),
        _ => 1,
    };
    if targets == 0 || targets > MOST_TARGETS {
        return Err(Malformed::Targets(targets));
    }
    Ok(())
}

/// An entry of a later format may well have another shape: its number is the better reason.
fn wrong(text: &str, error: &serde_json::Error) -> Malformed {
    let format = serde_json::from_str::<serde_json::Value>(text)
        .ok()
        .and_then(|value| value.get("format").and_then(serde_json::Value::as_u64));
    match format {
        Some(number) if number != u64::from(FORMAT) => Malformed::Format(number),
        _ => Malformed::Shape(error.to_string()),
    }
}

fn good_id(id: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
    (1..=64).contains(&id.len()) && id.bytes().all(good)
}

#[cfg(test)]
mod tests;
