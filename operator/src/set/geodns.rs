//! Keeps GeoDNS told: what its ConfigMap says, and that its pods look at it.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;
use translate::Authority;
use wire::Fleet;

use super::zones::{Answered, text};
use crate::build::{self, Object};
use crate::metrics::Counts;
use crate::names::{MANAGER, NUDGE, Owner};

/// Bytes that zones and rings may have together: etcd and the API server take a little more.
const MOST: usize = 900 << 10;

/// How long new rings wait for more news: a rollout of many pods is not a write of all zones for each.
const PAUSE: Duration = Duration::from_secs(10);

/// How long a place that left its pool serves on at least.
const NOTICE: Duration = Duration::from_secs(60);
/// How long it takes at most until a pod of GeoDNS goes by a new document: the kubelet of one that was made to look
/// takes a second or two, any other up to a minute and more.
const TOLD: Duration = Duration::from_secs(5);
const FOUND: Duration = Duration::from_secs(90);

/// The GeoDNS of a deployment.
#[derive(Clone, Debug)]
pub struct GeoDns {
    /// The namespace of its pods and of the ConfigMap.
    pub namespace: String,
    /// The ConfigMap.
    pub configmap: String,
    /// What is answered for.
    pub authority: Authority,
    /// The labels by which its pods are found; without, nobody makes them look.
    pub selector: Option<String>,
}

/// What it was told.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The rings, and when they were new.
    rings: Option<(String, Duration)>,
    too_large: bool,
    /// The hash of the document that all pods were made to look at.
    document: Option<String>,
    left_out: BTreeMap<Owner, String>,
}

impl GeoDns {
    /// How long a place that left a pool has to serve on: until nobody goes by an answer with it any more.
    pub(super) fn notice(&self, pool: &translate::TranslatedPool) -> Duration {
        let steering = &pool.routing.steering;
        let answers = Duration::from_secs(u64::from(steering.ttl) + u64::from(steering.ramp));
        let told = if self.selector.is_some() { TOLD } else { FOUND };
        NOTICE.max(told.saturating_add(answers))
    }
}

impl Told {
    /// The ConfigMap with the zones and the rings, and when to look again, if rings wait.
    pub(super) fn document(
        &mut self,
        of: &GeoDns,
        answered: &Answered,
        rings: &Fleet,
        now: Duration,
    ) -> (Object, Option<Duration>) {
        let zones = text(&answered.zones);
        let mut new = text(rings);
        let too_large = zones.len().saturating_add(new.len()) > MOST;
        if too_large {
            new = text(&crate::fleet::named(BTreeMap::new()));
            if !self.too_large {
                tracing::warn!(
                    "the rings of all edges are too large for GeoDNS: it names no owner"
                );
            }
        }
        self.too_large = too_large;
        let wait = match &self.rings {
            Some((old, since)) if *old != new => PAUSE.checked_sub(now.saturating_sub(*since)),
            _ => None,
        };
        let wait = wait.filter(|wait| !wait.is_zero());
        match &mut self.rings {
            Some((old, _)) if wait.is_some() => new.clone_from(old),
            Some((old, _)) if *old == new => {}
            other => *other = Some((new.clone(), now)),
        }
        // Old rings beside larger zones.
        if zones.len().saturating_add(new.len()) > MOST {
            new = text(&crate::fleet::named(BTreeMap::new()));
        }
        (build::zones_map(&of.namespace, &of.configmap, zones, new), wait)
    }

    /// Says once who is left out.
    pub(super) fn complain(&mut self, left_out: &BTreeMap<Owner, String>) {
        if self.left_out == *left_out {
            return;
        }
        for (owner, reason) in left_out {
            if self.left_out.get(owner) != Some(reason) {
                tracing::error!(pool = owner.full_name(), reason, "left out of the zones");
            }
        }
        self.left_out.clone_from(left_out);
    }

    /// Has the pods of GeoDNS look at a document that was written. `false`: not all of them could be told.
    pub(super) async fn nudge(
        &mut self,
        client: &Client,
        of: &GeoDns,
        document: &Object,
        counts: &Counts,
    ) -> bool {
        let Some(selector) = &of.selector else { return true };
        if self.document.as_ref() == Some(&document.hash) {
            return true;
        }
        let pods: Api<Pod> = Api::namespaced(client.clone(), &of.namespace);
        let found = match pods.list_metadata(&ListParams::default().labels(selector)).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "cannot list the pods of GeoDNS");
                return false;
            }
        };
        let due = found.items.into_iter().filter(|pod| {
            let annotations = pod.metadata.annotations.as_ref();
            annotations.and_then(|all| all.get(NUDGE)) != Some(&document.hash)
        });
        let patch = json!({ "metadata": { "annotations": { NUDGE: document.hash } } });
        let how = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let (pods, how, patch) = (&pods, &how, &Patch::Merge(&patch));
        let patches = due.filter_map(|pod| pod.metadata.name).map(|name| async move {
            match pods.patch_metadata(&name, how, patch).await {
                Err(kube::Error::Api(status)) if status.code == 404 => true,
                Err(error) => {
                    tracing::warn!(pod = name, %error, "cannot tell a pod of new documents");
                    counts.wrote("Pod", false);
                    false
                }
                Ok(_) => {
                    counts.wrote("Pod", true);
                    counts.nudges.inc();
                    true
                }
            }
        });
        let told: Vec<bool> = stream::iter(patches).buffer_unordered(4).collect().await;
        let all = told.into_iter().all(|told| told);
        self.document = all.then(|| document.hash.clone());
        all
    }
}

#[cfg(test)]
mod tests;
