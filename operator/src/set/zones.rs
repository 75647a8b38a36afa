//! What GeoDNS runs on: the zones of all pools that it can send clients to, and who is there. Pure.

use std::collections::BTreeMap;

use translate::{Authority, TranslatedPool};
use wire::zones::ZonesError;
use wire::{Fleet, Zones};

use super::build::addresses;
use super::{Judged, Serving};
use crate::build::MOST;
use crate::fleet::{fleet, named};
use crate::names::{Owner, TierName};
use crate::reached::{SeenService, probed};
use crate::world::Pods;

/// Bytes of the ConfigMap that are not the zones' at least.
const REST: usize = 16 << 10;

/// Why zones cannot be built.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AnswerError {
    /// A GeoDNS would refuse them.
    #[error("{0}")]
    Zones(#[from] ZonesError),
    /// The API server would.
    #[error("the zones of all pools would have {0} bytes, which do not fit into a ConfigMap")]
    TooLarge(usize),
}

/// What is answered for.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// A GeoDNS takes them.
    pub zones: Zones,
    /// The pools that had to be left out so that it does, and why.
    pub left_out: BTreeMap<Owner, String>,
}

/// The zones of as many pools as can be. Those that are `settled` come first, as they run already, then the oldest: what
/// somebody has, nobody takes away by asking later.
///
/// # Errors
/// When there would be none without any pool either.
pub fn zones(
    judged: &[Judged],
    authority: &Authority,
    service: &impl Fn(&Owner, &str) -> Option<SeenService>,
    settled: impl Fn(&Judged) -> bool,
) -> Result<Answered, AnswerError> {
    authority.check()?;
    let mut places = BTreeMap::new();
    let mut pools: Vec<(&Judged, TranslatedPool)> = Vec::new();
    for one in judged.iter().filter(|one| one.owner.tier == TierName::Edge && !one.leaving) {
        for (pop, found) in addresses(one, service) {
            places.insert((one.owner.full_name(), pop.name.clone()), found);
        }
        if let Some(Serving { pool: Some(pool), .. }) = &one.serving {
            pools.push((one, pool.clone()));
        }
    }
    pools.sort_by_key(|(one, _)| (one.problem.is_none(), !settled(one), one.age));
    let (owners, pools): (Vec<_>, Vec<_>) =
        pools.into_iter().map(|(one, pool)| (&one.owner, pool)).unzip();
    let build = |pools: &[TranslatedPool]| {
        let find = |pool: &str, pop: &str| {
            let found = places.get(&(pool.to_owned(), pop.to_owned()));
            found.map(|found| probed(found)).unwrap_or_default()
        };
        let zones = translate::zones(pools, authority, find)?;
        let bytes = text(&zones).len();
        if bytes.saturating_add(REST) > MOST {
            return Err(AnswerError::TooLarge(bytes));
        }
        Ok(zones)
    };
    let (zones, wrong) = as_many_as_can_be(&pools, build)?;
    let wrong = wrong.into_iter().map(|(nth, error)| (owners[nth].clone(), error.to_string()));
    Ok(Answered { zones, left_out: wrong.collect() })
}

/// What `build` makes of as many of `all` as it can, and why it cannot of the others.
///
/// # Errors
/// When it cannot of none.
fn as_many_as_can_be<T: Clone, B, E>(
    all: &[T],
    build: impl Fn(&[T]) -> Result<B, E>,
) -> Result<(B, Vec<(usize, E)>), E> {
    let mut error = match build(all) {
        Ok(built) => return Ok((built, Vec::new())),
        Err(error) => error,
    };
    let mut best = build(&[])?;
    let (mut good, mut wrong) = (Vec::new(), Vec::new());
    let mut from = 0;
    while from < all.len() {
        // All of them fail together, and the good ones alone do not: one between is the first that is wrong.
        let (mut fits, mut fails) = (from, all.len());
        while fails - fits > 1 {
            let middle = fits.midpoint(fails);
            match build(&[&good, &all[from..middle]].concat()) {
                Ok(built) => (fits, best) = (middle, built),
                Err(other) => (fails, error) = (middle, other),
            }
        }
        good.extend_from_slice(&all[from..fits]);
        wrong.push((fits, error));
        from = fits + 1;
        match build(&[&good, &all[from..]].concat()) {
            Ok(built) => return Ok((built, wrong)),
            Err(other) => error = other,
        }
    }
    Ok((best, wrong))
}

/// The rings of the edges in all places, so that `/where` can name the owner of a URL.
pub fn rings(judged: &[Judged], pods: &Pods) -> Fleet {
    let pools = judged.iter().filter(|one| one.owner.tier == TierName::Edge && !one.leaving);
    let serving = pools.filter_map(|one| Some((&one.owner, one.serving.as_ref()?)));
    let rings = serving.flat_map(|(owner, serving)| {
        fleet(owner, &serving.pops(), &[].into(), |owner| pods.of(owner)).rings
    });
    named(rings.collect())
}

/// As it is written.
pub fn text(document: &impl serde::Serialize) -> String {
    // Plain data with text keys always has a JSON form.
    serde_json::to_string(document).unwrap_or_default()
}

#[cfg(test)]
mod tests;
