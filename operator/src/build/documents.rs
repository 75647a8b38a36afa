//! The documents that pods mount, in their ConfigMaps.

use crds::PopSpec;
use serde::{Deserialize, Serialize};
use serde_json::json;
use translate::{Location, Pop, Routing, TranslatedPool};
use wire::{Fleet, Snapshot};

use super::{Key, Kind, Object, OwnerReference};
use crate::names::{WATCHED, WATCHED_VALUE};

/// What a tier runs on.
pub const SNAPSHOT: &str = "snapshot.json";
/// Where a pool's edges are: for an operator that starts while the pool is refused.
pub const POPS: &str = "pops.json";
/// What a GeoDNS runs on.
pub const ZONES: &str = "zones.json";
/// Who is there.
pub const FLEET: &str = "fleet.json";

/// Bytes of a ConfigMap's data at most.
pub const MOST: usize = 1 << 20;

/// What the API server would refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "its configuration has {0} bytes; at most {MOST} fit into a ConfigMap: split its sites over several pools"
)]
pub struct TooLarge(usize);

/// Of what a pool or shield runs on; of a pool with where it is.
///
/// # Errors
/// When it is too large.
pub fn config(
    of: &OwnerReference<'_>,
    snapshot: &Snapshot,
    pool: Option<(&TranslatedPool, &[PopSpec])>,
) -> Result<Object, TooLarge> {
    // Plain data with text keys always has a JSON form.
    let mut data = json!({ SNAPSHOT: serde_json::to_string(snapshot).unwrap_or_default() });
    if let Some((pool, specs)) = pool {
        let places = pool.pops.iter().zip(specs).map(|(pop, spec)| Place::of(pop, spec));
        let kept = Kept { pops: places.collect(), routing: pool.routing.clone() };
        data[POPS] = json!(serde_json::to_string(&kept).unwrap_or_default());
    }
    let bytes = data.to_string().len();
    if bytes > MOST {
        return Err(TooLarge(bytes));
    }
    Ok(Object::owned(Kind::ConfigMap, of.owner.config(), of, json!({ "data": data })))
}

/// Of who is there.
pub fn fleet_map(of: &OwnerReference<'_>, fleet: &Fleet) -> Object {
    let text = serde_json::to_string(fleet).unwrap_or_default();
    let rest = json!({ "data": { FLEET: text } });
    Object::owned(Kind::ConfigMap, of.owner.fleet(), of, rest)
}

/// Of the zones and the rings of edges, as they are written. It is nobody's but the deployment's: whoever installs it
/// takes it away.
pub fn zones_map(namespace: &str, name: &str, zones: String, rings: String) -> Object {
    let key = Key { kind: Kind::ConfigMap, namespace: namespace.to_owned(), name: name.to_owned() };
    let labels = json!({ WATCHED: WATCHED_VALUE });
    let metadata = json!({ "namespace": namespace, "name": name, "labels": labels });
    Object::new(key, metadata, json!({ "data": { ZONES: zones, FLEET: rings } }))
}

/// What a pool's ConfigMap keeps of it besides its snapshot.
#[derive(Debug, Deserialize, Serialize)]
struct Kept {
    pops: Vec<Place>,
    routing: Routing,
}

/// A point of presence in it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<PlaceLocation>,
    weight: u32,
    replicas: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    capacity: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    maintenance: bool,
    /// Those that were written down, not those of a load balancer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<String>,
}

#[derive(Copy, Clone, Debug, PartialEq, Deserialize, Serialize)]
struct PlaceLocation {
    latitude: f64,
    longitude: f64,
}

impl Place {
    fn of(pop: &Pop, spec: &PopSpec) -> Self {
        let location =
            |at: Location| PlaceLocation { latitude: at.latitude, longitude: at.longitude };
        Self {
            name: pop.name.clone(),
            region: pop.region.clone(),
            location: pop.location.map(location),
            weight: pop.weight,
            replicas: pop.replicas,
            capacity: pop.capacity,
            url: pop.url.clone(),
            maintenance: pop.maintenance,
            addresses: spec.addresses.clone(),
        }
    }
}

/// A pool as its ConfigMap has it, its last good state: with the addresses that were written down.
pub fn read_pops(
    name: &str,
    snapshot: Snapshot,
    pops: &str,
) -> Option<(TranslatedPool, Vec<Vec<String>>)> {
    let Kept { pops: places, routing } = serde_json::from_str(pops).ok()?;
    let addresses = places.iter().map(|place| place.addresses.clone()).collect();
    let location = |at: PlaceLocation| Location { latitude: at.latitude, longitude: at.longitude };
    let pops = places.into_iter().map(|place| Pop {
        name: place.name,
        region: place.region,
        location: place.location.map(location),
        weight: place.weight,
        replicas: place.replicas,
        capacity: place.capacity,
        url: place.url,
        maintenance: place.maintenance,
    });
    let pool = TranslatedPool { name: name.to_owned(), snapshot, pops: pops.collect(), routing };
    Some((pool, addresses))
}
