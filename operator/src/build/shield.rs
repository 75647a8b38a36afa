//! All objects of a shield but its fleet document.

use std::collections::BTreeMap;

use crds::OriginShield;
use translate::TranslatedShield;

use super::documents::{self, TooLarge};
use super::pods::{self, Pods};
use super::{Object, OwnerReference, Settings, network};
use crate::names::TIERS;

/// The objects of `shield`, which is `translated`.
///
/// # Errors
/// When its configuration does not fit into a ConfigMap.
pub fn shield(
    of: &OwnerReference<'_>,
    shield: &OriginShield,
    translated: &TranslatedShield,
    settings: &Settings,
) -> Result<Vec<Object>, TooLarge> {
    let (name, selector) = (of.owner.object(), of.owner.selector());
    let pods = Pods {
        of: of.clone(),
        name: name.clone(),
        selector: selector.clone(),
        replicas: translated.replicas,
        spec: &shield.spec.pods,
        cache: &shield.spec.cache,
        drain_ms: translated.snapshot.limits.drain_timeout_ms,
        arguments: vec![format!("--listen=[::]:{TIERS}")],
        ports: vec![("tiers", TIERS)],
        node_selector: BTreeMap::new(),
        tolerations: &[],
    };
    let mut objects = vec![
        pods::account(of),
        documents::config(of, &translated.snapshot, None)?,
        network::policy(of),
        network::headless(of, name.clone()),
        pods.deployment(settings),
    ];
    objects.extend(pods::budget(of, name, &selector, translated.replicas));
    if settings.monitors {
        objects.push(network::monitor(of));
    }
    Ok(objects)
}
