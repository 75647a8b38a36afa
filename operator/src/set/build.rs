//! The third step: the objects that there should be. Pure.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::{Judged, Problem, Reason, Resources, Serving, Sound};
use crate::build::{self, Key, Kind, Object, OwnerReference, Settings};
use crate::fleet::fleet;
use crate::names::Owner;
use crate::reached::{SeenService, reached};
use crate::world::Pods;

/// What there should be.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    /// All objects, in the order in which they are applied.
    pub objects: Vec<Object>,
    /// Whose objects are known in full: what else they have is to go.
    pub whole: HashSet<(Owner, String)>,
}

/// The objects that do not depend on who is there: to be built once for what is asked for.
pub fn prepare(mut judged: Vec<Judged>, settings: &Settings) -> Resources<Prepared> {
    let mut prepared = Prepared::default();
    for one in judged.iter_mut().filter(|one| !one.leaving) {
        let of = OwnerReference { owner: &one.owner, uid: &one.uid };
        let objects = match &one.sound {
            Some(Sound::Pool(pool, translated)) => build::edge(&of, pool, translated, settings),
            Some(Sound::Shield(shield, translated)) => {
                build::shield(&of, shield, translated, settings)
            }
            Some(Sound::Held) | None => continue,
        };
        match objects {
            Ok(objects) => {
                prepared.objects.extend(objects);
                prepared.whole.insert((one.owner.clone(), one.uid.clone()));
            }
            Err(error) => {
                one.problem =
                    Some(Problem { reason: Reason::TooLarge, message: error.to_string() });
                one.sound = None;
            }
        }
    }
    prepared.objects.sort_by(|a, b| a.key.cmp(&b.key));
    Resources { judged: Arc::new(judged), state: prepared }
}

/// The fleet documents of all that serve.
pub fn fleets(judged: &[Judged], pods: &Pods) -> Vec<Object> {
    let serving = judged.iter().filter(|one| !one.leaving);
    let serving = serving.filter_map(|one| Some((one, one.serving.as_ref()?)));
    let object = |(one, serving): (&Judged, &Serving)| {
        let fleet = fleet(&one.owner, &serving.pops(), &serving.shields, |owner| pods.of(owner));
        build::fleet_map(&OwnerReference { owner: &one.owner, uid: &one.uid }, &fleet)
    };
    serving.map(object).collect()
}

/// Where clients reach each place of a pool that serves.
pub fn addresses<'a>(
    one: &'a Judged,
    service: &impl Fn(&Owner, &str) -> Option<SeenService>,
) -> Vec<(&'a translate::Pop, Vec<std::net::IpAddr>)> {
    let Some((serving, pool)) =
        one.serving.as_ref().and_then(|serving| Some((serving, serving.pool.as_ref()?)))
    else {
        return Vec::new();
    };
    let nothing = Vec::new();
    let places = pool.pops.iter().enumerate().map(|(i, pop)| {
        let written = serving.addresses.get(i).unwrap_or(&nothing);
        (pop, reached(written, service(&one.owner, &pop.name).as_ref()))
    });
    places.collect()
}

/// Of the objects that are there, by whom they are of: those that are to go.
pub fn gone<'a>(
    prepared: &Prepared,
    desired: &HashSet<&Key>,
    there: impl Iterator<Item = (&'a Key, &'a Option<(Owner, String)>)>,
) -> BTreeMap<Key, Owner> {
    let surplus = there.filter_map(|(key, owner)| {
        let owner = owner.as_ref().filter(|owner| prepared.whole.contains(owner))?;
        (!desired.contains(key)).then(|| (key.clone(), owner.0.clone()))
    });
    surplus.collect()
}

/// Where a place's Service is.
pub fn service_of(owner: &Owner, pop: &str) -> Key {
    Key { kind: Kind::Service, namespace: owner.namespace.clone(), name: owner.object_at(pop) }
}
