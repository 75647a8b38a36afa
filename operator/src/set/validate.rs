//! The second step: what is sound, what is refused and why, and what goes on serving. Pure.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crds::{EdgePool, OriginShield};
use kube::Resource;
use translate::{Diagnostic, Former, Resources as Texts, Source, TranslatedPool};

use super::{Judged, Problem, Reason, Refused, Serving, Sound};
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
    /// What was found out only when everything was put together.
    pub refused: Refused,
}

/// What pools and shields ran on before.
pub struct Past<'a, F> {
    /// As they were judged last: what was applied a moment ago counts, though it was not seen yet.
    pub judged: &'a [Judged],
    /// A text of the ConfigMap that a pool or shield has now, by its key.
    pub kept: F,
}

/// Judges all.
pub fn validate<F>(asked: &Asked, past: &Past<'_, F>) -> Vec<Judged>
where
    F: Fn(&Owner, &str) -> Option<String>,
{
    let mut texts = Texts::default();
    for (id, pool) in &asked.pools {
        if pool.value.is_err() || asked.refused.contains_key(&owner(id, TierName::Edge)) {
            texts.refused.push(id.clone());
        }
    }
    let pools = by_age(&asked.pools).into_iter();
    let pools = pools.filter(|(id, _)| !asked.refused.contains_key(&owner(id, TierName::Edge)));
    texts.pools = pools.map(|(_, pool)| EdgePool::clone(pool).into()).collect();
    let shields = by_age(&asked.shields).into_iter();
    texts.shields = shields.map(|(_, shield)| OriginShield::clone(shield).into()).collect();
    let uid = |owner: &Owner| {
        let id = (owner.namespace.clone(), owner.name.clone());
        asked.pools.get(&id).map(|pool| pool.uid.clone()).unwrap_or_default()
    };
    let former = |name: &str| {
        let Some((namespace, name)) = name.split_once('/') else { return Former::Unknown };
        let owner = owner(&(namespace.to_owned(), name.to_owned()), TierName::Edge);
        match past.pool(&owner, &uid(&owner)) {
            Ok(Serving { pool: Some(pool), .. }) => Former::Snapshot(Box::new(pool.snapshot)),
            Err(ValidateError::Nothing) => Former::Nothing,
            _ => Former::Unknown,
        }
    };
    let translation = translate::translate_after(&texts, former);
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
            (None, Ok(resource), Some(mut translated)) => {
                // No pod has a name of its own that clients can reach.
                translate::without_redirects(&mut translated);
                let written = resource.spec.pops.iter().map(|pop| pop.addresses.clone()).collect();
                found.serving = Some(Serving::pool(&owner, &translated, written));
                found.sound = Some(Sound::Pool(Arc::clone(resource), translated));
            }
            _ => {
                found.serving = past.pool(&owner, &found.uid).ok();
                unexplained(&mut found);
            }
        }
        judged.push(found);
    }
    for (id, shield) in &asked.shields {
        let owner = owner(id, TierName::Shield);
        let mut found = judge(&owner, shield, asked, &mut problems);
        let former = past.shield(&owner, &found.uid);
        match (&found.problem, &shield.value, shields.remove(&owner.full_name())) {
            (None, Ok(_), Some(translated)) if former.is_some() && !translated.complete => {
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
fn by_age<T: Resource>(all: &BTreeMap<Id, Custom<T>>) -> Vec<(&Id, &Arc<T>)> {
    let mut sound: Vec<_> =
        all.iter().filter_map(|(id, one)| Some((id, one.value.as_ref().ok()?))).collect();
    sound.sort_by_key(|(_, one)| age(one.as_ref()));
    sound
}

fn age<T: Resource>(one: &T) -> i64 {
    let made = one.meta().creation_timestamp.as_ref();
    made.map(|time| time.0.as_second()).unwrap_or_default()
}

fn owner(id: &Id, tier: TierName) -> Owner {
    Owner { namespace: id.0.clone(), tier, name: id.1.clone() }
}

fn judge<T: Resource>(
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
        _ => asked.refused.get(owner).cloned(),
    };
    Judged {
        owner: owner.clone(),
        uid: one.uid.clone(),
        generation: one.generation,
        leaving: one.leaving,
        age: one.value.as_ref().map(|one| age(one.as_ref())).unwrap_or_default(),
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

impl<F: Fn(&Owner, &str) -> Option<String>> Past<'_, F> {
    /// What a pool ran on.
    fn pool(&self, owner: &Owner, uid: &str) -> Result<Serving, ValidateError> {
        if let Some(serving) = self.judged(uid) {
            return Ok(serving.clone());
        }
        let snapshot = self.snapshot(owner)?;
        let pops = (self.kept)(owner, POPS).ok_or(ValidateError::Nothing)?;
        let (pool, addresses): (TranslatedPool, _) = read_pops(&owner.full_name(), snapshot, &pops)
            .ok_or_else(|| ValidateError::Unreadable(POPS.to_owned()))?;
        Ok(Serving::pool(owner, &pool, addresses))
    }

    /// The version of what a shield ran on.
    fn shield(&self, owner: &Owner, uid: &str) -> Option<String> {
        let judged = self.judged(uid).map(|serving| serving.version.clone());
        judged.or_else(|| self.snapshot(owner).ok().map(|snapshot| snapshot.version))
    }

    fn judged(&self, uid: &str) -> Option<&Serving> {
        self.judged.iter().find(|former| former.uid == uid)?.serving.as_ref()
    }

    fn snapshot(&self, owner: &Owner) -> Result<wire::Snapshot, ValidateError> {
        let text = (self.kept)(owner, SNAPSHOT).ok_or(ValidateError::Nothing)?;
        let source = Source { name: SNAPSHOT, text: &text };
        translate::read_snapshot(source)
            .map_err(|error| ValidateError::Unreadable(error.to_string()))
    }
}

#[cfg(test)]
mod tests;
