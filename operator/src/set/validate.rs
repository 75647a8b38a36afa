//! The second step: what is sound, what is refused and why, and what goes on serving. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crds::{EdgePool, OriginShield};
use kube::Resource;
use translate::{Diagnostic, Resources as Texts, Source, TranslatedPool};

use super::{Judged, Problem, Reason, Serving, Sound};
use crate::build::{POPS, SNAPSHOT, read_pops};
use crate::names::{Owner, TierName};
use crate::world::{Custom, Id};

/// Why a document that was kept cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValidateError {
    /// Nothing was kept, or not all of it.
    #[error("there is no former state")]
    Nothing,
    /// It is of another version of the operator, or somebody changed it.
    #[error("the former state cannot be read: {0}")]
    Unreadable(String),
}

/// Everything to be judged.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The pools.
    pub pools: BTreeMap<Id, Custom<EdgePool>>,
    /// The shields.
    pub shields: BTreeMap<Id, Custom<OriginShield>>,
    /// What is missing for pods, by namespace.
    pub missing: BTreeMap<String, String>,
}

/// Judges all. `kept` gives a text of the ConfigMap that a pool or shield has now, by its key.
pub fn validate(asked: &Asked, kept: impl Fn(&Owner, &str) -> Option<String>) -> Vec<Judged> {
    let mut texts = Texts::default();
    let lost = asked.pools.values().any(|pool| pool.value.is_err());
    texts.lost_pools = lost;
    texts.pools =
        by_age(&asked.pools).into_iter().map(|pool| EdgePool::clone(pool).into()).collect();
    texts.shields = by_age(&asked.shields)
        .into_iter()
        .map(|shield| OriginShield::clone(shield).into())
        .collect();
    let translation = translate::translate(&texts);
    let mut problems: HashMap<(String, String), Vec<String>> = HashMap::new();
    for diagnostic in translation.diagnostics {
        let Diagnostic { kind, name, field, reason, .. } = diagnostic;
        let told = if field.is_empty() { reason } else { format!("{field}: {reason}") };
        problems.entry((kind, name)).or_default().push(told);
    }
    let mut pools: HashMap<_, _> =
        translation.pools.into_iter().map(|pool| (pool.name.clone(), pool)).collect();
    let mut shields: HashMap<_, _> =
        translation.shields.into_iter().map(|shield| (shield.name.clone(), shield)).collect();
    let mut judged = Vec::new();
    for (id, pool) in &asked.pools {
        let owner = owner(id, TierName::Edge);
        let mut found = judge(&owner, pool, asked, &mut problems);
        match (&found.problem, &pool.value, pools.remove(&owner.full_name())) {
            (None, Ok(resource), Some(translated)) => {
                let written = resource.spec.pops.iter().map(|pop| pop.addresses.clone()).collect();
                found.serving = Some(Serving::pool(&owner, &translated, written));
                found.sound = Some(Sound::Pool(Arc::clone(resource), translated));
            }
            _ => {
                found.serving = former_pool(&owner, &kept).ok();
                unexplained(&mut found);
            }
        }
        judged.push(found);
    }
    // What refused pools come through in their last good state, whatever they ask for now.
    let refused = judged.iter().filter(|one| one.problem.is_some());
    let needed: BTreeSet<Owner> =
        refused.filter_map(|one| one.serving.as_ref()).flat_map(|s| s.shields.clone()).collect();
    for (id, shield) in &asked.shields {
        let owner = owner(id, TierName::Shield);
        let mut found = judge(&owner, shield, asked, &mut problems);
        let former = former_shield(&owner, &kept).ok();
        match (&found.problem, &shield.value, shields.remove(&owner.full_name())) {
            (None, Ok(_), Some(translated))
                if former.is_some() && (!translated.complete || needed.contains(&owner)) =>
            {
                found.serving = former.map(|version| Serving::shield(version, translated.replicas));
                found.sound = Some(Sound::Held);
            }
            (None, Ok(resource), Some(translated)) => {
                let version = translated.snapshot.version.clone();
                found.serving = Some(Serving::shield(version, translated.replicas));
                found.sound = Some(Sound::Shield(Arc::clone(resource), translated));
            }
            _ => {
                let replicas = shield.value.as_ref().map_or(0, |shield| shield.spec.replicas);
                let replicas = u32::try_from(replicas).unwrap_or_default();
                found.serving = former.map(|version| Serving::shield(version, replicas));
                unexplained(&mut found);
            }
        }
        judged.push(found);
    }
    judged
}

/// The oldest first: what somebody has, nobody takes away by asking for it later.
fn by_age<T: Resource>(all: &BTreeMap<Id, Custom<T>>) -> Vec<&Arc<T>> {
    let mut sound: Vec<_> = all.values().filter_map(|one| one.value.as_ref().ok()).collect();
    sound.sort_by_key(|one| one.meta().creation_timestamp.clone().map(|time| time.0));
    sound
}

fn owner(id: &Id, tier: TierName) -> Owner {
    Owner { namespace: id.0.clone(), tier, name: id.1.clone() }
}

fn judge<T>(
    owner: &Owner,
    one: &Custom<T>,
    asked: &Asked,
    problems: &mut HashMap<(String, String), Vec<String>>,
) -> Judged {
    let told = problems.remove(&(owner.tier.kind().to_owned(), owner.full_name()));
    let problem = |reason, message| Some(Problem { reason, message });
    let problem = match (&one.value, told, asked.missing.get(&owner.namespace)) {
        (Err(reason), _, _) => problem(Reason::Unreadable, reason.clone()),
        (_, Some(told), _) => problem(Reason::Invalid, told.join("; ")),
        (_, _, Some(missing)) => problem(Reason::SecretMissing, missing.clone()),
        _ => None,
    };
    Judged {
        owner: owner.clone(),
        uid: one.uid.clone(),
        generation: one.generation,
        leaving: one.leaving,
        problem,
        sound: None,
        serving: None,
    }
}

/// What is neither sound nor named among the diagnostics must not look accepted.
fn unexplained(judged: &mut Judged) {
    judged.problem.get_or_insert_with(|| Problem {
        reason: Reason::Invalid,
        message: "it cannot be translated".to_owned(),
    });
}

fn former_pool(
    owner: &Owner,
    kept: &impl Fn(&Owner, &str) -> Option<String>,
) -> Result<Serving, ValidateError> {
    let snapshot = snapshot(owner, kept)?;
    let pops = kept(owner, POPS).ok_or(ValidateError::Nothing)?;
    let (pool, addresses): (TranslatedPool, _) = read_pops(&owner.full_name(), snapshot, &pops)
        .ok_or_else(|| ValidateError::Unreadable(POPS.to_owned()))?;
    Ok(Serving::pool(owner, &pool, addresses))
}

fn former_shield(
    owner: &Owner,
    kept: &impl Fn(&Owner, &str) -> Option<String>,
) -> Result<String, ValidateError> {
    snapshot(owner, kept).map(|snapshot| snapshot.version)
}

fn snapshot(
    owner: &Owner,
    kept: &impl Fn(&Owner, &str) -> Option<String>,
) -> Result<wire::Snapshot, ValidateError> {
    let text = kept(owner, SNAPSHOT).ok_or(ValidateError::Nothing)?;
    let source = Source { name: SNAPSHOT, text: &text };
    translate::read_snapshot(source).map_err(|error| ValidateError::Unreadable(error.to_string()))
}

#[cfg(test)]
mod tests;
