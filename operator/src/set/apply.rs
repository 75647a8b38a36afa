//! The fourth step: brings the cluster to what there should be, and writes nothing else.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::Status;
use kube::{Api, Client};
use parking_lot::Mutex;
use serde_json::json;

use super::build::Prepared;
use super::{Judged, Resources, build};
use crate::build::{Key, Kind, Object};
use crate::fleet::SeenPod;
use crate::metrics::Counts;
use crate::names::{MANAGER, NUDGE, Owner};
use crate::world::{Id, Live, Pods, World, version};

/// Requests that are on their way at once.
const AT_ONCE: usize = 12;

/// Why something is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The API server refuses it, and will again.
    #[error("{} {} is refused: {reason}", key.kind.as_str(), key.name)]
    Refused {
        /// What.
        key: Key,
        /// Why.
        reason: String,
    },
    /// Trying again is right.
    #[error("{} {} cannot be written: {reason}", key.kind.as_str(), key.name)]
    Away {
        /// What.
        key: Key,
        /// Why.
        reason: String,
    },
}

impl ApplyError {
    fn of(key: &Key, error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) if (400..500).contains(&status.code) && status.code != 429 => {
                Self::Refused { key: key.clone(), reason: status.message.clone() }
            }
            kube::Error::Api(status) => {
                Self::Away { key: key.clone(), reason: status.message.clone() }
            }
            error => Self::Away { key: key.clone(), reason: error.to_string() },
        }
    }

    /// Whose object it is about.
    pub fn key(&self) -> &Key {
        match self {
            Self::Refused { key, .. } | Self::Away { key, .. } => key,
        }
    }
}

/// What was done.
#[derive(Debug, Default)]
pub struct Applied {
    /// What is not as it should be.
    pub errors: Vec<ApplyError>,
    /// By whom it is of, as far as it is known.
    pub of: HashMap<Key, Owner>,
    /// Writes that succeeded.
    pub writes: usize,
    /// Something is to be deleted, but not before this is over.
    pub retiring: Option<Duration>,
}

/// What was applied by this process, and what it became: the API server writes some things in its own way.
pub type Memory = Mutex<HashMap<Key, (String, u64)>>;

/// What is to be done about an object.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is as it should be.
    Nothing,
    /// It is as it should be, which is to be remembered.
    Note,
    /// It is to be written.
    Write,
}

/// Decides about an object. Pure.
pub fn decide(desired: &Object, live: Option<&Live>, noted: Option<&(String, u64)>) -> Action {
    let noted = noted.filter(|(hash, _)| *hash == desired.hash);
    match (live, noted) {
        // Written just now: it has not been seen yet.
        (None, Some(_)) => Action::Nothing,
        (Some(live), Some((_, version))) if live.version <= *version => Action::Nothing,
        (Some(live), _)
            if live.applied.as_deref() == Some(&desired.hash) && live.holds(&desired.body()) =>
        {
            Action::Note
        }
        _ => Action::Write,
    }
}

/// Whoever writes.
pub struct Writer {
    client: Client,
    world: Arc<World>,
    memory: Arc<Memory>,
    /// What is not wanted any more, since when, and for how long it stays.
    unwanted: HashMap<Key, (Duration, Duration)>,
    counts: Counts,
}

impl Writer {
    /// One that remembers nothing.
    pub fn new(client: Client, world: Arc<World>, counts: Counts) -> Self {
        Self { client, world, memory: Arc::default(), unwanted: HashMap::new(), counts }
    }

    /// Applies what was prepared and `more`, kind by kind; then has `pods` look at new documents.
    pub async fn apply(
        &mut self,
        prepared: &Resources<Prepared>,
        more: &[Object],
        pods: &Pods,
    ) -> Resources<Applied> {
        self.forget_lost();
        let Resources { judged, state } = prepared;
        let judged = Arc::clone(judged);
        let mut applied = Applied::default();
        let mut objects: Vec<&Object> = more.iter().chain(&state.objects).collect();
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        for kind in Kind::ALL {
            let of_kind = objects.iter().filter(|object| object.key.kind == kind);
            let due: Vec<_> = of_kind.filter(|object| self.is_due(object)).collect();
            let writes = due.into_iter().map(|object| self.write(object).boxed()).collect();
            collect(&mut applied, some_at_once(writes).await);
        }
        let hashes: HashMap<(&str, &str), &str> = objects
            .iter()
            .filter(|object| object.key.kind == Kind::ConfigMap)
            .map(|o| ((o.key.namespace.as_str(), o.key.name.as_str()), o.hash.as_str()))
            .collect();
        // In an order that does not change: what is told of it must not differ from round to round.
        applied.errors.sort_by(|one, other| one.key().cmp(other.key()));
        applied.of = blame(&applied.errors, &objects, &judged);
        for one in judged.iter().filter(|one| one.serving.is_some() && !one.leaving) {
            let failed = applied
                .of
                .iter()
                .any(|(key, owner)| key.kind == Kind::ConfigMap && *owner == one.owner);
            if !failed {
                self.nudge(&one.owner, pods.of(&one.owner), &hashes).await;
            }
        }
        Resources { judged, state: applied }
    }

    /// Deletes what is not wanted any more, each after its `notice`: clients that were sent to a place still come
    /// when GeoDNS has forgotten it. That counts only from when GeoDNS was `told`.
    pub async fn retire(
        &mut self,
        prepared: &Prepared,
        more: &[Object],
        applied: &mut Applied,
        notice: impl Fn(&Owner) -> Duration,
        (told, now): (bool, Duration),
    ) {
        let objects = more.iter().chain(&prepared.objects);
        let desired: HashSet<&Key> = objects.map(|object| &object.key).collect();
        let gone = self.world.look(|seen| {
            let there = seen.live.iter().map(|(key, live)| (key, &live.owner));
            build::gone(prepared, &desired, there)
        });
        self.unwanted.retain(|key, _| gone.contains_key(key));
        let mut due = Vec::new();
        for (key, owner) in gone {
            let (since, notice) =
                self.unwanted.entry(key.clone()).or_insert_with(|| (now, notice(&owner)));
            if !told {
                *since = now;
            }
            let left = notice.saturating_sub(now.saturating_sub(*since));
            if left.is_zero() && told {
                due.push(key);
            } else {
                applied.retiring = Some(applied.retiring.map_or(left, |least| least.min(left)));
            }
        }
        let deletions = due.iter().map(|key| self.delete(key).boxed()).collect();
        collect(applied, some_at_once(deletions).await);
    }

    fn is_due(&self, object: &Object) -> bool {
        let mut memory = self.memory.lock();
        self.world.look(|seen| {
            let live = seen.live.get(&object.key);
            match decide(object, live, memory.get(&object.key)) {
                Action::Nothing => false,
                Action::Note => {
                    let version = live.map(|live| live.version).unwrap_or_default();
                    memory.insert(object.key.clone(), (object.hash.clone(), version));
                    false
                }
                Action::Write => true,
            }
        })
    }

    fn api(&self, key: &Key) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &key.namespace, &key.kind.resource())
    }

    async fn write(&self, object: &Object) -> Result<(), ApplyError> {
        let (key, body) = (&object.key, object.body());
        let how = PatchParams::apply(MANAGER).force();
        let mut written = self.api(key).patch(&key.name, &how, &Patch::Apply(&body)).await;
        if matches!(&written, Err(kube::Error::Api(status)) if status.code == 422) {
            // What another put into a list, such as a port of the same name, is in the way: applying leaves it
            // there. A merge replaces whole lists; where that is refused, too, the first answer says more.
            let how =
                PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
            let merged = self.api(key).patch(&key.name, &how, &Patch::Merge(&body)).await;
            written = merged.or(written);
        }
        self.counts.wrote(key.kind.as_str(), written.is_ok());
        match written {
            Ok(written) => {
                tracing::debug!(kind = key.kind.as_str(), name = key.name, "applied");
                let note = (object.hash.clone(), version(&written));
                self.memory.lock().insert(key.clone(), note);
                Ok(())
            }
            Err(kube::Error::Api(status)) if is_ending(&status) => Ok(()),
            Err(error) => Err(ApplyError::of(key, error)),
        }
    }

    async fn delete(&self, key: &Key) -> Result<(), ApplyError> {
        let deleted = self.api(key).delete(&key.name, &DeleteParams::background()).await;
        let ok = match &deleted {
            Err(kube::Error::Api(status)) => status.code == 404,
            other => other.is_ok(),
        };
        self.counts.wrote(key.kind.as_str(), ok);
        self.memory.lock().remove(key);
        match deleted {
            Err(error) if !ok => Err(ApplyError::of(key, error)),
            _ => {
                tracing::info!(kind = key.kind.as_str(), name = key.name, "deleted");
                Ok(())
            }
        }
    }

    /// Forgets what was applied and is no longer there, so that it is applied again.
    fn forget_lost(&self) {
        let lost = self.world.take_lost();
        let mut memory = self.memory.lock();
        for key in lost {
            memory.remove(&key);
        }
    }

    /// Has the pods of a pool or shield look at their documents where those are new.
    async fn nudge(&self, owner: &Owner, pods: &[SeenPod], hashes: &HashMap<(&str, &str), &str>) {
        let hash = |name: String| {
            // Of a pool that is refused, the configuration is the one that is there.
            hashes.get(&(owner.namespace.as_str(), name.as_str())).copied().unwrap_or("kept")
        };
        let wanted = format!("{}.{}", hash(owner.config()), hash(owner.fleet()));
        let due: Vec<Id> = pods
            .iter()
            .filter(|pod| pod.nudged.as_ref() != Some(&wanted))
            .map(|pod| (owner.namespace.clone(), pod.name.clone()))
            .collect();
        let patches = due.iter().map(|id| self.annotate(id, &wanted).boxed()).collect();
        some_at_once(patches).await;
    }

    async fn annotate(&self, (namespace, name): &Id, wanted: &str) {
        use k8s_openapi::api::core::v1::Pod;
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let patch = json!({ "metadata": { "annotations": { NUDGE: wanted } } });
        let how = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let patched = pods.patch_metadata(name, &how, &Patch::Merge(&patch)).await;
        self.counts.wrote("Pod", patched.is_ok());
        match patched {
            Ok(_) => self.counts.nudges.inc(),
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            // Then the kubelet looks by itself within a minute.
            Err(error) => tracing::warn!(pod = name, %error, "cannot tell a pod of new documents"),
        }
    }
}

/// Whether the namespace is being deleted, and its pools with it: nothing is wrong.
fn is_ending(status: &Status) -> bool {
    let details = status.details.as_ref();
    details.is_some_and(|details| details.causes.iter().any(|c| c.reason == "NamespaceTerminating"))
}

/// The results of all, in any order.
async fn some_at_once<T>(futures: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    stream::iter(futures).buffer_unordered(AT_ONCE).collect().await
}

/// Whose the objects are that could not be written.
fn blame(errors: &[ApplyError], objects: &[&Object], judged: &[Judged]) -> HashMap<Key, Owner> {
    let mut of = HashMap::new();
    for key in errors.iter().map(ApplyError::key) {
        let Some(object) = objects.iter().find(|object| object.key == *key) else { continue };
        let body = object.body();
        let uid = body["metadata"]["ownerReferences"][0]["uid"].as_str();
        if let Some(one) = judged.iter().find(|one| Some(one.uid.as_str()) == uid) {
            of.insert(key.clone(), one.owner.clone());
        }
    }
    of
}

fn collect(applied: &mut Applied, results: Vec<Result<(), ApplyError>>) {
    for result in results {
        match result {
            Ok(()) => applied.writes += 1,
            Err(error) => {
                tracing::warn!(%error, "not applied");
                applied.errors.push(error);
            }
        }
    }
}

#[cfg(test)]
mod tests;
