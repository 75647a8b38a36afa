//! Shields: what edges need to know of each, and what each runs on.

use std::collections::{HashMap, HashSet};

use crds::OriginShield;
use serde::Serialize;
use wire::Snapshot;
use wire::snapshot::CacheSettings;

use super::{TranslatedPool, against_schema, diagnose};
use crate::convert::{self, Behind, Shield};
use crate::diagnostic::Diagnostic;
use crate::path::Problems;
use crate::resources::Located;
use crate::snapshot;

/// What a shield runs on.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TranslatedShield {
    /// `namespace/name`, or `name` if it has no namespace.
    pub name: String,
    /// What fleets call the ring of its servers, and sites that come through it their `shield`:
    /// `shield/` and the name.
    pub ring: String,
    /// What its servers run on: the sites of all pools that come through it, perhaps none; of a refused pool
    /// those that it serves on with.
    pub snapshot: Snapshot,
    /// Its servers.
    pub replicas: u32,
    /// Whether all sites are known that come through it. If not, some may be missing here that edges of a refused
    /// pool still serve: whoever runs the shield already should leave it as it is.
    pub complete: bool,
}

type Identity = (String, String);
type Parts = (CacheSettings, Behind);

/// All shields by identity, and what stands behind those that are sound.
pub(super) struct Shields<'a> {
    in_order: Vec<(&'a Located<OriginShield>, Option<Parts>)>,
    by_identity: HashMap<Identity, usize>,
    /// What refused pools serve on with.
    kept: Vec<Snapshot>,
    /// The namespaces of refused pools of which that is not known: it may come through any shield there.
    unknown: HashSet<String>,
}

impl<'a> Shields<'a> {
    pub(super) fn of(
        shields: &'a [Located<OriginShield>],
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Self {
        let (mut in_order, mut by_identity) = (Vec::new(), HashMap::new());
        for shield in shields {
            let mut problems = Problems::default();
            against_schema(shield, &mut problems);
            let parts = convert::shield(&shield.value, &mut problems);
            by_identity.insert(shield.identity(), in_order.len());
            in_order.push((shield, problems.0.is_empty().then_some(parts)));
            diagnose(shield, problems, diagnostics);
        }
        Self { in_order, by_identity, kept: Vec::new(), unknown: HashSet::new() }
    }

    pub(super) fn find(&self, namespace: &str, name: &str) -> Option<Shield<'_>> {
        let index = self.by_identity.get(&(namespace.to_owned(), name.to_owned()))?;
        Some(match &self.in_order[*index].1 {
            Some((_, behind)) => Shield::Sound(behind),
            None => Shield::Broken,
        })
    }

    /// A pool of this namespace is refused, and nobody knows what it serves on with: what it asks for now says
    /// nothing about that.
    pub(super) fn miss(&mut self, namespace: &str) {
        self.unknown.insert(namespace.to_owned());
    }

    /// A pool is refused that serves on with this.
    pub(super) fn keep(&mut self, snapshot: Snapshot) {
        self.kept.push(snapshot);
    }

    /// The sites of refused pools whose hosts nobody else has by now.
    fn kept(&self, sound: &[&Snapshot]) -> Vec<Snapshot> {
        let hosts = sound.iter().flat_map(|pool| &pool.sites).flat_map(|site| &site.hosts);
        let mut taken: HashSet<String> = hosts.cloned().collect();
        let mut kept = self.kept.clone();
        for site in kept.iter_mut().flat_map(|pool| &mut pool.sites) {
            site.hosts.retain(|host| taken.insert(host.clone()));
        }
        for pool in &mut kept {
            pool.sites.retain(|site| !site.hosts.is_empty());
        }
        kept
    }

    /// What those that are sound run on, in the order of the resources.
    pub(super) fn translated(
        &self,
        pools: &[TranslatedPool],
        lost_pools: bool,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Vec<TranslatedShield> {
        let mut pools: Vec<_> = pools.iter().map(|pool| &pool.snapshot).collect();
        let kept = self.kept(&pools);
        pools.extend(&kept);
        // One way to write them, whoever is refused just now.
        pools.sort_by(|one, other| one.pool.cmp(&other.pool));
        let mut translated = Vec::new();
        for (shield, parts) in &self.in_order {
            let Some((cache, behind)) = parts else { continue };
            let name = shield.full_name();
            let mut snapshot = convert::shield_snapshot(&name, cache, behind, &pools);
            snapshot.version = snapshot::version_of(&snapshot);
            let problems = Problems(snapshot::check(&snapshot));
            if !problems.0.is_empty() {
                diagnose(shield, problems, diagnostics);
                continue;
            }
            translated.push(TranslatedShield {
                name,
                ring: behind.ring.clone(),
                snapshot,
                replicas: u32::try_from(shield.value.spec.replicas).unwrap_or_default(),
                complete: !lost_pools && !self.unknown.contains(&shield.identity().0),
            });
        }
        translated
    }
}

#[cfg(test)]
mod tests;
