//! All objects of a pool but its fleet document.

use crds::EdgePool;
use translate::TranslatedPool;

use super::documents::{self, TooLarge};
use super::pods::{self, Pods};
use super::{Object, OwnerReference, Settings, network};
use crate::names::{CLIENTS, PEERS};

/// The objects of `pool`, which is `translated`.
///
/// # Errors
/// When its configuration does not fit into a ConfigMap.
pub fn edge(
    of: &OwnerReference<'_>,
    pool: &EdgePool,
    translated: &TranslatedPool,
    settings: &Settings,
) -> Result<Vec<Object>, TooLarge> {
    let owner = of.owner;
    let mut objects = vec![
        pods::account(of),
        documents::config(of, &translated.snapshot, Some((translated, &pool.spec.pops)))?,
        network::policy(of),
        network::headless(of, owner.object()),
    ];
    for (spec, pop) in pool.spec.pops.iter().zip(&translated.pops) {
        let (name, selector) = (owner.object_at(&pop.name), owner.selector_at(&pop.name));
        let pods = Pods {
            of: of.clone(),
            name: name.clone(),
            selector: selector.clone(),
            replicas: pop.replicas,
            spec: &pool.spec.pods,
            cache: &pool.spec.cache,
            drain_ms: translated.snapshot.limits.drain_timeout_ms,
            arguments: vec![
                format!("--listen=[::]:{CLIENTS}"),
                format!("--pop={}", pop.name),
                format!("--peer-listen=[::]:{PEERS}"),
            ],
            ports: vec![("http", CLIENTS), ("peers", PEERS)],
            node_selector: spec.node_selector.clone(),
            tolerations: &spec.tolerations,
        };
        objects.push(network::clients(of, name.clone(), &selector, &pool.spec.service));
        objects.extend(pods::budget(of, name, &selector, pop.replicas));
        objects.push(pods.deployment(settings));
    }
    if settings.monitors {
        objects.push(network::monitor(of));
    }
    Ok(objects)
}
