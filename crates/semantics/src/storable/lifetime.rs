//! The lifetime of a response that may be stored: its own word, else the site's short one for
//! errors, else a guess where the site wants guesses.

use std::time::Duration;

use http::{HeaderMap, header};

use super::{Exchange, status};
use crate::conditional::has_validator;
use crate::directives::ResponseDirectives;
use crate::freshness::{Freshness, LifetimeSource, date_value, explicit_lifetime, initial_age};
use crate::policy::{Heuristic, Policy};
use crate::reasons::NoStoreReason;
use crate::targeted::ControlSource;
use crate::time::{Timestamp, parse_http_date};

pub(super) fn freshness(
    x: &Exchange<'_>,
    directives: &ResponseDirectives,
    control: ControlSource,
    policy: &Policy,
) -> Result<Freshness, NoStoreReason> {
    let age = initial_age(x.response, x.request_time, x.response_time);
    let lifetime = lifetime(x, directives, control, policy)?;
    Ok(Freshness::new(&age, lifetime, directives, policy))
}

/// Storing needs a reason: a stated lifetime, `public`, a status that is cacheable by itself, or
/// the site's rule for errors.
//= rfc9111#3
fn lifetime(
    x: &Exchange<'_>,
    directives: &ResponseDirectives,
    control: ControlSource,
    policy: &Policy,
) -> Result<(Duration, LifetimeSource), NoStoreReason> {
    let explicit =
        explicit_lifetime(x.response, directives, control.is_targeted(), x.response_time);
    if let Some(stated) = explicit {
        return Ok(stated);
    }
    //= rfc9111#5.2.2.9
    let by_default = status::heuristically_cacheable(x.status) || directives.public;
    let silent = !directives.no_cache.is_whole() && !directives.no_store;
    if silent
        && let Some(ttl) = policy.negative.get(x.status)
        // By the RFC an error such as 502 is not stored unless it says so itself. The short
        // lifetime is for failures; one that carries a validator was made with more care, and
        // saying nothing about caching then means what the RFC says.
        && (by_default || !has_validator(x.response))
    {
        return Ok((ttl, LifetimeSource::Negative));
    }
    if !by_default {
        return Err(NoStoreReason::Status);
    }
    if silent
        && let Some(rule) = &policy.heuristic
        && let Some(guess) = heuristic(x.response, rule, x.response_time)
    {
        return Ok((guess, LifetimeSource::Heuristic));
    }
    Ok((Duration::ZERO, LifetimeSource::None))
}

/// A share of the time the content had not changed when it was sent.
//= rfc9111#4.2.2
fn heuristic(headers: &HeaderMap, rule: &Heuristic, received: Timestamp) -> Option<Duration> {
    let modified = parse_http_date(headers.get(header::LAST_MODIFIED)?.as_bytes())?;
    let unchanged = date_value(headers, received).since(modified);
    let share = unchanged.as_secs().saturating_mul(rule.percent.into()) / 100;
    Some(Duration::from_secs(share).min(rule.cap))
}
