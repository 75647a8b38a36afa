//! How DNS sends clients to the places of a pool.

use ::wire::zones::{self as wire, Network, Rule, Steering};
use crds::{Duration, NetworkSpec, RoutingSpec, RuleSpec};

use super::amount::{seconds, small, some_seconds, within};
use super::location;
use crate::check;
use crate::path::{Path, Problems};
use crate::translation::{Pop, Routing};

pub(super) fn routing(
    spec: &RoutingSpec,
    pops: &[Pop],
    at: &Path,
    problems: &mut Problems,
) -> Routing {
    let named = |names: &[String], at: &Path, problems: &mut Problems| -> Vec<String> {
        for (i, name) in names.iter().enumerate() {
            if !pops.iter().any(|pop| pop.name == *name) {
                let reason = format!("`{name}` is none of the pool's `pops`");
                problems.add(&at.index(i), reason);
            }
        }
        names.to_vec()
    };
    let mut networks = Vec::<Network>::new();
    for (i, spec) in spec.networks.iter().enumerate() {
        let at = at.key("networks").index(i);
        let Some(network) = network(spec, &at, &named, problems) else { continue };
        // The same network can be written in several ways (RFC 5952).
        match networks.iter().find(|other| other.network == network.network) {
            Some(other) => {
                let reason = format!("`{}` is given twice", other.network);
                problems.add(&at.key("cidr"), reason);
            }
            None => networks.push(network),
        }
    }
    let rules = spec.rules.iter().enumerate();
    let rules =
        rules.map(|(i, spec)| rule(spec, &at.key("rules").index(i), &named, problems)).collect();
    Routing { steering: steering(spec, at, problems), networks, rules }
}

fn steering(spec: &RoutingSpec, at: &Path, problems: &mut Problems) -> Steering {
    const WEEK: Duration = Duration::from_hours(168);
    let second = Duration::from_secs(1);
    within(spec.ttl, second..=WEEK, &at.key("ttl"), problems);
    within(spec.pending_ttl, second..=spec.ttl.max(second), &at.key("pendingTTL"), problems);
    let hour = Duration::from_hours(1);
    within(spec.ramp, Duration::from_secs(0)..=hour, &at.key("ramp"), problems);
    Steering {
        answers: small(spec.answers),
        ttl: some_seconds(spec.ttl, &at.key("ttl"), problems),
        pending_ttl: some_seconds(spec.pending_ttl, &at.key("pendingTTL"), problems),
        ramp: seconds(spec.ramp, &at.key("ramp"), problems),
    }
}

/// Checks a list of names of PoPs.
type Named<'a> = &'a dyn Fn(&[String], &Path, &mut Problems) -> Vec<String>;

fn network(
    spec: &NetworkSpec,
    at: &Path,
    named: Named<'_>,
    problems: &mut Problems,
) -> Option<Network> {
    let network = problems.take(&at.key("cidr"), check::network(&spec.cidr));
    let location = location(spec.latitude, spec.longitude, at, problems);
    let has_place = spec.latitude.is_some() || spec.longitude.is_some();
    if has_place != spec.pops.is_empty() {
        problems.add(at, "give either `pops` or `latitude` and `longitude`");
    }
    Some(Network {
        network: network?,
        pops: named(&spec.pops, &at.key("pops"), problems),
        location: location
            .map(|place| wire::Location { latitude: place.latitude, longitude: place.longitude }),
    })
}

fn rule(spec: &RuleSpec, at: &Path, named: Named<'_>, problems: &mut Problems) -> Rule {
    if spec.continent.is_none() && spec.country.is_none() && spec.region.is_none() {
        problems.add(at, "give at least one of `continent`, `country` and `region`");
    }
    Rule {
        continent: spec.continent.clone(),
        country: spec.country.clone(),
        region: spec.region.clone(),
        pops: named(&spec.pops, &at.key("pops"), problems),
    }
}
