//! Conditions of a status, as Kubernetes has them. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;

/// A condition as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// `Accepted`, `Ready`, …
    pub type_: &'static str,
    /// Whether it holds; `None`: nobody knows.
    pub holds: Option<bool>,
    /// In a word.
    pub reason: &'static str,
    /// In words.
    pub message: String,
}

/// Bytes of a message at most.
const MESSAGE: usize = 8192;

/// `wanted` as conditions. The time of each that stays what it was stays.
pub fn conditions(
    wanted: Vec<Wanted>,
    former: &[Condition],
    generation: i64,
    now: &Time,
) -> Vec<Condition> {
    let made = wanted.into_iter().map(|wanted| {
        let status = match wanted.holds {
            Some(true) => "True",
            Some(false) => "False",
            None => "Unknown",
        };
        let same = former.iter().find(|c| c.type_ == wanted.type_ && c.status == status);
        Condition {
            type_: wanted.type_.to_owned(),
            status: status.to_owned(),
            reason: wanted.reason.to_owned(),
            message: cut(wanted.message, MESSAGE),
            observed_generation: Some(generation),
            last_transition_time: same
                .map_or_else(|| now.clone(), |c| c.last_transition_time.clone()),
        }
    });
    made.collect()
}

/// What a former condition said: whether it held, and why.
pub fn said<'a>(former: &'a [Condition], type_: &str) -> Option<(bool, &'a str)> {
    let found = former.iter().find(|condition| condition.type_ == type_)?;
    Some((found.status == "True", &found.message))
}

/// `millis` since 1970, in whole seconds, as conditions have it.
pub fn time(millis: i64) -> Time {
    Time(Timestamp::from_second(millis.div_euclid(1000)).unwrap_or_default())
}

/// The first `most` bytes of a text, whole characters of it.
pub fn cut(mut text: String, most: usize) -> String {
    if text.len() > most {
        let mut end = most.saturating_sub(3);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests;
