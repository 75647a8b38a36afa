//! How long a ban lasts.

use super::body::Tree;
use crate::admin::answer::BadField;

/// For bans that do not say: an hour.
pub(super) const DEFAULT_MS: u64 = 3_600_000;
const LEAST_MS: u64 = 1_000;
const MOST_MS: u64 = 30 * 86_400_000;

const FORM: &str =
    "must be 1 second to 30 days: \"90s\", \"5m\", \"1h30m\", \"30d\" or a number of seconds";

/// The milliseconds that `tree` says, a text with units or a whole number of seconds.
pub(super) fn milliseconds(tree: &Tree, field: &str) -> Result<u64, BadField> {
    let said = match tree {
        Tree::Number(seconds) => seconds.as_u64().and_then(|s| s.checked_mul(1_000)),
        Tree::Text(text) => with_units(text),
        _ => None,
    };
    let fits = |ms: &u64| (LEAST_MS..=MOST_MS).contains(ms);
    said.filter(fits).ok_or_else(|| BadField::new(field, FORM))
}

/// `1h30m`: numbers, each with its unit.
fn with_units(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0u64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = rest.split_at(end);
        let after = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
        let (unit, next) = unit.split_at(after);
        let scale = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        sum = number.parse::<u64>().ok()?.checked_mul(scale)?.checked_add(sum)?;
        rest = next;
    }
    Some(sum)
}

#[cfg(test)]
mod tests;
