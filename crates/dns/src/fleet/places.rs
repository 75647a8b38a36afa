//! Names of single PoPs, from the URLs to which HTTP routers send clients.

use wire::Zones;
use wire::fleet::HOST;

use super::{Family, Names, Owner, Pool};
use crate::packet::Name;
use crate::redirect::Authority;

/// Names at most: those of some hundred hosts at some hundred PoPs. Who has more names the rest elsewhere.
const MOST: usize = 100_000;

/// Gives each PoP the names in its URL that lie within a zone and are nobody else's. `pools` are those of the document.
pub(super) fn name(
    zones: &Zones,
    pools: &[Pool],
    names: &mut Names,
) -> Vec<(usize, [Option<u16>; 2])> {
    let mut places = Vec::new();
    let mut left = MOST;
    for (nth, (pool, (of, document))) in pools.iter().zip(&zones.pools).enumerate() {
        let hosts: Vec<&str> = (zones.zones.values().flat_map(|zone| &zone.hosts))
            .filter(|(host, owner)| *owner == of && !host.starts_with("*."))
            .map(|(host, _)| host.as_str())
            .collect();
        for pop in &document.pops {
            let Some((_, authority)) = pop.url.as_deref().and_then(|url| url.split_once("://"))
            else {
                continue;
            };
            let own = Owner::Place(places.len());
            places.push((nth, Family::ALL.map(|family| pool.side(family).place(&pop.name))));
            let wanted: Vec<String> = match authority.contains(HOST) {
                true => hosts.iter().map(|host| authority.replacen(HOST, host, 1)).collect(),
                false => vec![authority.to_owned()],
            };
            for name in wanted.into_iter().take(left) {
                left -= 1;
                let host = Authority::read(&name).filter(Authority::is_name);
                let Some(bytes) = host.and_then(|host| Name::encode(&host.host)) else { continue };
                if let Some(zone) = names.zone_of(&bytes) {
                    names.own_if_free(&bytes, zone, own);
                }
            }
        }
    }
    places
}
