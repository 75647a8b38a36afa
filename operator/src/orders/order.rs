//! From a resource to its order.

use std::sync::Arc;

use crds::{BanRule, EdgePool, PurgeRequest};
use translate::{Resources, TranslatedOrder};

use super::OrdersContext;
use crate::conditions::said;
use crate::world::{Custom, Id, Seen};

/// What `purge` orders; or what is wrong with it.
pub(super) async fn of_purge(
    context: &OrdersContext,
    purge: &PurgeRequest,
) -> Result<TranslatedOrder, String> {
    let texts: Vec<String> = purge.spec.urls.iter().chain(&purge.spec.prefix).cloned().collect();
    let purge = purge.clone();
    let add = move |resources: &mut Resources| resources.purges = vec![purge.into()];
    order(context, texts, "PurgeRequest", add).await
}

/// What `ban` orders; or what is wrong with it.
pub(super) async fn of_ban(
    context: &OrdersContext,
    ban: &BanRule,
) -> Result<TranslatedOrder, String> {
    let texts = ban.spec.host.iter().cloned().collect();
    let ban = ban.clone();
    let add = move |resources: &mut Resources| resources.bans = vec![ban.into()];
    order(context, texts, "BanRule", add).await
}

/// Not among the tasks that wait for answers: a translation takes a while.
async fn order(
    context: &OrdersContext,
    texts: Vec<String>,
    kind: &'static str,
    add: impl FnOnce(&mut Resources) + Send + 'static,
) -> Result<TranslatedOrder, String> {
    // It is never closed.
    let _turn = context.translating.acquire().await;
    let world = Arc::clone(&context.world);
    let translation = tokio::task::spawn_blocking(move || {
        let mut resources = world.look(|seen| resources(seen, &texts));
        add(&mut resources);
        translated(&resources, kind)
    });
    translation.await.unwrap_or_else(|error| Err(format!("it cannot be translated: {error}")))
}

fn translated(resources: &Resources, kind: &str) -> Result<TranslatedOrder, String> {
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
fn resources(seen: &Seen, texts: &[String]) -> Resources {
    let texts: Vec<_> = texts.iter().map(|text| text.to_ascii_lowercase()).collect();
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
        lost_pools: seen.pools.values().any(is_refused),
        ..Resources::default()
    }
}

/// It serves on in its last good state, of which nobody knows the hosts here.
fn is_refused(pool: &Custom<EdgePool>) -> bool {
    let Ok(pool) = &pool.value else { return true };
    let conditions = pool.status.as_ref().map(|status| &status.conditions[..]);
    matches!(said(conditions.unwrap_or_default(), "Accepted"), Some((false, _)))
}

/// What a resource is, with how it was last seen.
pub(super) fn purge(seen: &Seen, id: &Id) -> Option<Result<Arc<PurgeRequest>, String>> {
    seen.purges.get(id).map(|purge| purge.value.clone())
}

/// As [`purge`].
pub(super) fn ban(seen: &Seen, id: &Id) -> Option<Result<Arc<BanRule>, String>> {
    seen.bans.get(id).map(|ban| ban.value.clone())
}
