//! The pods of a tier: what they run, as whom, with how much, and where.

use std::collections::BTreeMap;

use crds::{CacheSpec, PodsSpec, TolerationSpec};
use serde_json::{Value, json};

use super::{Kind, Object, OwnerReference, Settings, extend};
use crate::names::{ADMIN, TierName};

/// Seconds that a stop may take beyond notice and drain: to say goodbye to the log.
const MARGIN: u64 = 10;

/// Nobody in particular: the image has no such user, and needs none.
const USER: u32 = 65532;

const MIB: u64 = 1 << 20;

/// Where documents and secrets are in a pod.
const FOLDER: &str = "/etc/blue-origin";

/// The pods of one Deployment.
pub(super) struct Pods<'a> {
    pub(super) of: OwnerReference<'a>,
    pub(super) name: String,
    pub(super) selector: BTreeMap<String, String>,
    pub(super) replicas: u32,
    pub(super) spec: &'a PodsSpec,
    pub(super) cache: &'a CacheSpec,
    /// How long a stop waits for what is in flight.
    pub(super) drain_ms: u64,
    /// Beside those that each server has.
    pub(super) arguments: Vec<String>,
    /// Names and numbers, the admin port not among them.
    pub(super) ports: Vec<(&'static str, u16)>,
    /// Beside those of `spec`.
    pub(super) node_selector: BTreeMap<String, String>,
    pub(super) tolerations: &'a [TolerationSpec],
}

/// Seconds that a pod has between SIGTERM and SIGKILL: the notice, what is in flight, and a margin.
pub fn grace(settings: &Settings, drain_ms: u64) -> u64 {
    settings.drain_notice.saturating_add(drain_ms.div_ceil(1000)).saturating_add(MARGIN)
}

impl Pods<'_> {
    pub(super) fn deployment(&self, settings: &Settings) -> Object {
        let owner = self.of.owner;
        let mut labels = json!(self.spec.labels);
        // What pods are found by cannot be overridden.
        extend(&mut labels, &owner.labels());
        extend(&mut labels, &self.selector);
        let mut metadata = json!({ "labels": labels });
        if !self.spec.annotations.is_empty() {
            metadata["annotations"] = json!(self.spec.annotations);
        }
        let body = json!({ "spec": {
            "replicas": self.replicas,
            "revisionHistoryLimit": 3,
            "selector": { "matchLabels": self.selector },
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": 0 },
            },
            "template": { "metadata": metadata, "spec": self.pod(settings) },
        }});
        Object::owned(Kind::Deployment, self.name.clone(), &self.of, body)
            .with(|body| extend(&mut body["metadata"]["labels"], &self.selector))
    }

    fn pod(&self, settings: &Settings) -> Value {
        let owner = self.of.owner;
        let mut pod = json!({
            "serviceAccountName": owner.object(),
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "terminationGracePeriodSeconds": grace(settings, self.drain_ms),
            "securityContext": {
                "runAsNonRoot": true,
                "runAsUser": USER,
                "runAsGroup": USER,
                "fsGroup": USER,
                "seccompProfile": { "type": "RuntimeDefault" },
            },
            "containers": [self.container(settings)],
            "volumes": self.volumes(settings),
            "topologySpreadConstraints": self.spread(),
        });
        let mut machines = self.spec.node_selector.clone();
        machines.extend(self.node_selector.clone());
        let tolerations: Vec<_> = self.spec.tolerations.iter().chain(self.tolerations).collect();
        let secrets: Vec<_> =
            settings.pull_secrets.iter().map(|name| json!({ "name": name })).collect();
        let optional = [
            ("nodeSelector", (!machines.is_empty()).then(|| json!(machines))),
            ("tolerations", (!tolerations.is_empty()).then(|| json!(tolerations))),
            ("affinity", self.spec.affinity.clone()),
            ("priorityClassName", self.spec.priority_class_name.as_ref().map(|name| json!(name))),
            ("imagePullSecrets", (!secrets.is_empty()).then(|| json!(secrets))),
        ];
        for (key, value) in optional {
            if let Some(value) = value {
                pod[key] = value;
            }
        }
        pod
    }

    fn container(&self, settings: &Settings) -> Value {
        let tier = self.of.owner.tier.as_str();
        let image = match self.of.owner.tier {
            TierName::Edge => &settings.edge_image,
            TierName::Shield => &settings.shield_image,
        };
        let port = |(name, number): (&str, u16)| json!({ "name": name, "containerPort": number, "protocol": "TCP" });
        let ports: Vec<_> =
            self.ports.iter().copied().chain([("admin", ADMIN)]).map(port).collect();
        let probe = |path: &str, period: u32, failures: u32| {
            json!({
                "httpGet": { "path": path, "port": "admin" },
                "periodSeconds": period,
                "timeoutSeconds": 2,
                "failureThreshold": failures,
            })
        };
        let mut container = json!({
            "name": tier,
            "image": image,
            "args": self.arguments(settings),
            "ports": ports,
            // A Secret or document that comes late is waited for; then it is there within a second or two.
            "startupProbe": probe("/healthz", 1, 60),
            "readinessProbe": probe("/readyz", 2, 1),
            "livenessProbe": probe("/healthz", 10, 3),
            "resources": self.resources(),
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": { "drop": ["ALL"] },
            },
            "volumeMounts": self.mounts(settings),
        });
        if let Some(policy) = &settings.pull_policy {
            container["imagePullPolicy"] = json!(policy);
        }
        container
    }

    fn arguments(&self, settings: &Settings) -> Vec<String> {
        let mut arguments = vec![
            format!("--config={FOLDER}/config/{}", super::SNAPSHOT),
            format!("--fleet={FOLDER}/fleet/{}", super::documents::FLEET),
            format!("--admin=[::]:{ADMIN}"),
            format!("--drain-notice={}", settings.drain_notice),
        ];
        arguments.extend(self.arguments.iter().cloned());
        if settings.log_secret.is_some() {
            arguments.push(format!("--log-file={FOLDER}/log/url"));
            arguments.push(format!("--log-prefix={}", settings.log_prefix));
            if settings.log_ca {
                arguments.push(format!("--log-ca={FOLDER}/log/ca.crt"));
            }
        }
        if settings.admin_secret.is_some() {
            arguments.push(format!("--admin-token-file={FOLDER}/admin/token"));
        }
        arguments
    }

    /// Memory for the store, the connections and what is on its way; it is bounded, so what is asked for is
    /// what is allowed but for a margin.
    fn resources(&self) -> Value {
        let store = self.cache.memory.bytes();
        let asked = store.saturating_add(store / 8).saturating_add(64 * MIB);
        let most = store.saturating_add(store / 2).saturating_add(256 * MIB);
        let mebibytes = |bytes: u64| format!("{}Mi", bytes.div_ceil(MIB));
        let mut requests = json!({ "cpu": "100m", "memory": mebibytes(asked) });
        let mut limits = json!({ "memory": mebibytes(most) });
        for (name, amount) in &self.spec.resources.requests {
            requests[name] = json!(amount);
        }
        for (name, amount) in &self.spec.resources.limits {
            limits[name] = json!(amount);
        }
        json!({ "requests": requests, "limits": limits })
    }

    fn spread(&self) -> Value {
        let selector = json!({ "matchLabels": self.selector });
        if self.spec.topology_spread_constraints.is_empty() {
            return json!([{
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": selector,
            }]);
        }
        let constraints = self.spec.topology_spread_constraints.iter().cloned().map(|mut given| {
            if let Some(given) = given.as_object_mut() {
                given.entry("labelSelector").or_insert_with(|| selector.clone());
            }
            given
        });
        constraints.collect()
    }

    fn volumes(&self, settings: &Settings) -> Value {
        let owner = self.of.owner;
        let map = |volume: &str, name: String, key: &str| {
            let items = json!([{ "key": key, "path": key }]);
            json!({ "name": volume, "configMap": { "name": name, "items": items } })
        };
        let mut volumes = vec![
            map("config", owner.config(), super::SNAPSHOT),
            map("fleet", owner.fleet(), super::documents::FLEET),
        ];
        for (volume, secret) in secrets(settings) {
            volumes.push(json!({
                "name": volume,
                // 0440: the user of the pod reads it by its group.
                "secret": { "secretName": secret, "defaultMode": 0o440 },
            }));
        }
        json!(volumes)
    }

    fn mounts(&self, settings: &Settings) -> Value {
        let volumes = ["config", "fleet"].into_iter();
        let volumes = volumes.chain(secrets(settings).into_iter().map(|(volume, _)| volume));
        let mount = |volume| {
            let path = format!("{FOLDER}/{volume}");
            json!({ "name": volume, "mountPath": path, "readOnly": true })
        };
        volumes.map(mount).collect()
    }
}

fn secrets(settings: &Settings) -> Vec<(&'static str, &String)> {
    let log = settings.log_secret.as_ref().map(|name| ("log", name));
    let admin = settings.admin_secret.as_ref().map(|name| ("admin", name));
    log.into_iter().chain(admin).collect()
}

/// Who the pods are in the API: nobody with rights.
pub(super) fn account(of: &OwnerReference<'_>) -> Object {
    let rest = json!({ "automountServiceAccountToken": false });
    Object::owned(Kind::ServiceAccount, of.owner.object(), of, rest)
}

/// One pod of a place goes at a time, when machines are emptied. A place of one pod has none: a budget that lets it go
/// protects nothing, and one that does not would stop each drain of its machine for ever.
pub(super) fn budget(
    of: &OwnerReference<'_>,
    name: String,
    selector: &BTreeMap<String, String>,
    replicas: u32,
) -> Option<Object> {
    let rest = json!({ "spec": {
        "maxUnavailable": 1,
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
        "selector": { "matchLabels": selector },
    }});
    (replicas > 1).then(|| Object::owned(Kind::PodDisruptionBudget, name, of, rest))
}
