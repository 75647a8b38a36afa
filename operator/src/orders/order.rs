//! From a resource to its order. Pure.

use std::sync::Arc;

use crds::{BanRule, EdgePool, PurgeRequest};
use translate::{Resources, TranslatedOrder};

use crate::world::{Id, Seen, World};

/// What `purge` orders; or what is wrong with it.
pub(super) fn of_purge(world: &World, purge: &PurgeRequest) -> Result<TranslatedOrder, String> {
    let spec = &purge.spec;
    let texts = spec.urls.iter().chain(&spec.prefix);
    let mut resources = world.look(|seen| resources(seen, texts.map(String::as_str)));
    resources.purges = vec![purge.clone().into()];
    order(&resources, "PurgeRequest")
}

/// What `ban` orders; or what is wrong with it.
pub(super) fn of_ban(world: &World, ban: &BanRule) -> Result<TranslatedOrder, String> {
    let hosts = ban.spec.host.iter().map(String::as_str);
    let mut resources = world.look(|seen| resources(seen, hosts));
    resources.bans = vec![ban.clone().into()];
    order(&resources, "BanRule")
}

fn order(resources: &Resources, kind: &str) -> Result<TranslatedOrder, String> {
    let mut translation = translate::translate(resources);
    match translation.orders.pop() {
        Some(order) => Ok(order),
        None => {
            let about = translation.diagnostics.iter().filter(|d| d.kind == kind);
            let told = about.map(|d| {
                if d.field.is_empty() {
                    d.reason.clone()
                } else {
                    format!("{}: {}", d.field, d.reason)
                }
            });
            Err(told.collect::<Vec<_>>().join("; "))
        }
    }
}

/// The pools that an order with `texts` may be about. Which hosts are served is all that an order asks of
/// pools, and translating a thousand for each of a thousand orders takes minutes.
fn resources<'a>(seen: &Seen, texts: impl Iterator<Item = &'a str>) -> Resources {
    let texts: Vec<_> = texts.map(str::to_ascii_lowercase).collect();
    let about = |pool: &EdgePool| {
        let hosts = pool.spec.sites.iter().flat_map(|site| &site.hosts);
        let bases = hosts.map(|host| host.trim_start_matches("*.").to_ascii_lowercase());
        bases.into_iter().any(|base| texts.iter().any(|text| text.contains(&base)))
    };
    let sound = seen.pools.values().filter_map(|pool| pool.value.as_ref().ok());
    let mut pools: Vec<&Arc<EdgePool>> = sound.clone().filter(|pool| about(pool)).collect();
    if pools.is_empty() {
        // So that it is known that there are pools, and none of them serves this.
        pools.extend(sound.take(1));
    }
    Resources {
        pools: pools.into_iter().map(|pool| EdgePool::clone(pool).into()).collect(),
        lost_pools: seen.pools.values().any(|pool| pool.value.is_err()),
        ..Resources::default()
    }
}

/// What a resource is, with how it was last seen.
pub(super) fn purge(seen: &Seen, id: &Id) -> Option<Result<Arc<PurgeRequest>, String>> {
    seen.purges.get(id).map(|purge| purge.value.clone())
}

/// As [`purge`].
pub(super) fn ban(seen: &Seen, id: &Id) -> Option<Result<Arc<BanRule>, String>> {
    seen.bans.get(id).map(|ban| ban.value.clone())
}
