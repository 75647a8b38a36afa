//! What a pool or shield should have in the cluster: pure.

use std::collections::BTreeMap;

use kube::api::ApiResource;
use kube::core::GroupVersionKind;
use serde_json::{Value, json};

use crate::names::{APPLIED, Owner};

mod documents;
mod edge;
mod network;
mod pods;
mod shield;

pub use documents::{FLEET, MOST, POPS, SNAPSHOT, ZONES, config, fleet_map, read_pops, zones_map};
pub use edge::edge;
pub use pods::grace;
pub use shield::shield;

/// What the operator was told that resources do not say.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The image of the program `edge`, which is its entry point.
    pub edge_image: String,
    /// The same of `shield`.
    pub shield_image: String,
    /// When it is fetched; without, what Kubernetes does by default.
    pub pull_policy: Option<String>,
    /// Secrets with which it is fetched.
    pub pull_secrets: Vec<String>,
    /// The Secret, in each pool's namespace, whose `url` is that of the invalidation log.
    pub log_secret: Option<String>,
    /// Its `ca.crt` has certificates to trust for the log.
    pub log_ca: bool,
    /// The head of the log's keys.
    pub log_prefix: String,
    /// The Secret, in each pool's namespace, whose `token` opens the admin API.
    pub admin_secret: Option<String>,
    /// Seconds between a pod's SIGTERM and the end of accepting.
    pub drain_notice: u64,
    /// Whether the cluster knows ServiceMonitors.
    pub monitors: bool,
}

/// The kinds of objects that are made.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "as Kubernetes calls them")]
pub enum Kind {
    ServiceAccount,
    ConfigMap,
    NetworkPolicy,
    Service,
    PodDisruptionBudget,
    Deployment,
    ServiceMonitor,
}

impl Kind {
    /// All, in the order in which they are applied: what pods need comes before them.
    pub const ALL: [Self; 7] = [
        Self::ServiceAccount,
        Self::ConfigMap,
        Self::NetworkPolicy,
        Self::Service,
        Self::PodDisruptionBudget,
        Self::Deployment,
        Self::ServiceMonitor,
    ];

    /// As Kubernetes calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServiceAccount => "ServiceAccount",
            Self::ConfigMap => "ConfigMap",
            Self::NetworkPolicy => "NetworkPolicy",
            Self::Service => "Service",
            Self::PodDisruptionBudget => "PodDisruptionBudget",
            Self::Deployment => "Deployment",
            Self::ServiceMonitor => "ServiceMonitor",
        }
    }

    /// Where the API server has it.
    pub fn resource(self) -> ApiResource {
        let (group, kind) = match self {
            Self::ServiceAccount | Self::ConfigMap | Self::Service => ("", self.as_str()),
            Self::NetworkPolicy => ("networking.k8s.io", self.as_str()),
            Self::PodDisruptionBudget => ("policy", self.as_str()),
            Self::Deployment => ("apps", self.as_str()),
            Self::ServiceMonitor => ("monitoring.coreos.com", self.as_str()),
        };
        ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind))
    }
}

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// An object as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Which.
    pub key: Key,
    /// Whole, as it is applied: a tree of it takes several times as much, and there are thousands.
    text: Box<str>,
    /// Of everything in it but the annotation that says this.
    pub hash: String,
}

/// Whose objects these are: what they are deleted with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerReference<'a> {
    /// The pool or shield.
    pub owner: &'a Owner,
    /// Its uid.
    pub uid: &'a str,
}

impl Object {
    /// An object of `owner`: `rest` is all but kind and metadata.
    pub fn owned(kind: Kind, name: String, of: &OwnerReference<'_>, rest: Value) -> Self {
        let owner = of.owner;
        let metadata = json!({
            "namespace": owner.namespace,
            "name": name,
            "labels": owner.labels(),
            "ownerReferences": [{
                "apiVersion": crds::API_VERSION,
                "kind": owner.tier.kind(),
                "name": owner.name,
                "uid": of.uid,
                "controller": true,
                "blockOwnerDeletion": true,
            }],
        });
        let key = Key { kind, namespace: owner.namespace.clone(), name };
        Self::new(key, metadata, rest)
    }

    /// An object with `metadata`.
    pub fn new(key: Key, metadata: Value, rest: Value) -> Self {
        let resource = key.kind.resource();
        let mut body = json!({ "apiVersion": resource.api_version, "kind": resource.kind });
        body["metadata"] = metadata;
        if let (Some(body), Value::Object(rest)) = (body.as_object_mut(), rest) {
            body.extend(rest);
        }
        Self::sealed(key, body)
    }

    /// Whole, as it is applied.
    pub fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// Changes the body, and what is said of it.
    pub fn with(self, change: impl FnOnce(&mut Value)) -> Self {
        let mut body = self.body();
        change(&mut body);
        Self::sealed(self.key, body)
    }

    fn sealed(key: Key, mut body: Value) -> Self {
        if let Some(annotations) = body["metadata"]["annotations"].as_object_mut() {
            annotations.remove(APPLIED);
        }
        let hash = format!("{:016x}", xxhash_rust::xxh3::xxh3_64(body.to_string().as_bytes()));
        body["metadata"]["annotations"][APPLIED] = json!(hash);
        Self { key, text: body.to_string().into_boxed_str(), hash }
    }
}

/// Adds to a mapping in a body.
fn extend(body: &mut Value, more: &BTreeMap<String, String>) {
    for (key, value) in more {
        body[key] = json!(value);
    }
}

#[cfg(test)]
mod tests;
