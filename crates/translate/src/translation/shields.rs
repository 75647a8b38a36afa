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
use crate::resources::{Located, Resources};
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
    /// What its servers run on: the sites of all sound pools that come through it, perhaps none.
    pub snapshot: Snapshot,
    /// Its servers.
    pub replicas: u32,
    /// Whether all pools that may use it are sound. If not, sites may be missing here that edges still
    /// serve in their last good state: whoever runs the shield already should leave it as it is.
    pub complete: bool,
}

type Identity = (String, String);
type Parts = (CacheSettings, Behind);

/// All shields by identity, and what stands behind those that are sound.
pub(super) struct Shields<'a> {
    in_order: Vec<(&'a Located<OriginShield>, Option<Parts>)>,
    by_identity: HashMap<Identity, usize>,
    wanted_by_refused: HashSet<Identity>,
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
        Self { in_order, by_identity, wanted_by_refused: HashSet::new() }
    }

    pub(super) fn find(&self, namespace: &str, name: &str) -> Option<Shield<'_>> {
        let index = self.by_identity.get(&(namespace.to_owned(), name.to_owned()))?;
        Some(match &self.in_order[*index].1 {
            Some((_, behind)) => Shield::Sound(behind),
            None => Shield::Broken,
        })
    }

    /// A pool is refused that came through these.
    pub(super) fn miss(&mut self, pool: &Located<crds::EdgePool>) {
        let (namespace, _) = pool.identity();
        let references = pool.value.spec.sites.iter().filter_map(|site| site.shield.as_ref());
        let wanted = references.map(|reference| (namespace.clone(), reference.name.clone()));
        self.wanted_by_refused.extend(wanted);
    }

    /// What those that are sound run on, in the order of the resources.
    pub(super) fn translated(
        &self,
        pools: &[TranslatedPool],
        resources: &Resources,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Vec<TranslatedShield> {
        let pools: Vec<_> = pools.iter().map(|pool| &pool.snapshot).collect();
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
                complete: !resources.lost_pools
                    && !self.wanted_by_refused.contains(&shield.identity()),
            });
        }
        translated
    }
}
