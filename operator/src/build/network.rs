//! How servers are reached: Services, who may come, and what scrapes them.

use std::collections::BTreeMap;

use crds::{ServiceSpec, TrafficPolicy};
use serde_json::{Value, json};

use super::{Kind, Object, OwnerReference, extend};
use crate::names::{ADMIN, CLIENTS, COMPONENT, PEERS, TIERS, TierName};

/// What clients of one place connect to.
pub(super) fn clients(
    of: &OwnerReference<'_>,
    name: String,
    selector: &BTreeMap<String, String>,
    spec: &ServiceSpec,
) -> Object {
    let mut service = json!({
        "type": spec.type_.as_str(),
        "selector": selector,
        "ports": [{ "name": "http", "port": spec.port, "targetPort": "http", "protocol": "TCP" }],
    });
    let policy = spec.external_traffic_policy.map(|policy| match policy {
        TrafficPolicy::Cluster => "Cluster",
        TrafficPolicy::Local => "Local",
    });
    // Kubernetes refuses these where they mean nothing.
    if spec.type_ != crds::ServiceType::ClusterIP
        && let Some(policy) = policy
    {
        service["externalTrafficPolicy"] = json!(policy);
    }
    if spec.type_ == crds::ServiceType::LoadBalancer
        && let Some(class) = &spec.load_balancer_class
    {
        service["loadBalancerClass"] = json!(class);
    }
    Object::owned(Kind::Service, name, of, json!({ "spec": service })).with(|body| {
        let metadata = &mut body["metadata"];
        let own = metadata["labels"].clone();
        extend(&mut metadata["labels"], &spec.labels);
        extend(&mut metadata["labels"], selector);
        if let (Some(labels), Value::Object(own)) = (metadata["labels"].as_object_mut(), own) {
            labels.extend(own);
        }
        extend(&mut metadata["annotations"], &spec.annotations);
    })
}

/// A name of all servers, also of those that are not ready: what is watched is watched then, too.
pub(super) fn headless(of: &OwnerReference<'_>, name: String) -> Object {
    let tiers = match of.owner.tier {
        TierName::Edge => ("peers", PEERS),
        TierName::Shield => ("tiers", TIERS),
    };
    let port = |(name, number): (&str, u16)| json!({ "name": name, "port": number, "targetPort": name, "protocol": "TCP" });
    let rest = json!({ "spec": {
        "type": "ClusterIP",
        "clusterIP": "None",
        "publishNotReadyAddresses": true,
        "selector": of.owner.selector(),
        "ports": [port(tiers), port(("admin", ADMIN))],
    }});
    // The label by which a ServiceMonitor tells it from the Services for clients.
    Object::owned(Kind::Service, name, of, rest)
        .with(|body| body["metadata"]["labels"][HEADLESS] = json!("true"))
}

/// Marks the Services that are scraped.
const HEADLESS: &str = "cdn.blueorigin.dev/headless";

/// Whoever comes to the port for tiers is believed: none but edges of the namespace may.
pub(super) fn policy(of: &OwnerReference<'_>) -> Object {
    let port = |number: u16| json!([{ "port": number, "protocol": "TCP" }]);
    let admin = json!({ "ports": port(ADMIN) });
    let ingress = match of.owner.tier {
        TierName::Edge => json!([
            { "ports": port(CLIENTS) },
            {
                "ports": port(PEERS),
                "from": [{ "podSelector": { "matchLabels": of.owner.selector() } }],
            },
            admin,
        ]),
        TierName::Shield => json!([
            {
                "ports": port(TIERS),
                "from": [
                    { "podSelector": { "matchLabels": { COMPONENT: TierName::Edge.as_str() } } },
                    { "podSelector": { "matchLabels": of.owner.selector() } },
                ],
            },
            admin,
        ]),
    };
    let rest = json!({ "spec": {
        "podSelector": { "matchLabels": of.owner.selector() },
        "policyTypes": ["Ingress"],
        "ingress": ingress,
    }});
    Object::owned(Kind::NetworkPolicy, of.owner.object(), of, rest)
}

/// Has Prometheus scrape all servers.
pub(super) fn monitor(of: &OwnerReference<'_>) -> Object {
    let mut labels = of.owner.selector();
    labels.insert(HEADLESS.to_owned(), "true".to_owned());
    let rest = json!({ "spec": {
        "selector": { "matchLabels": labels },
        "endpoints": [{ "port": "admin", "path": "/metrics" }],
        "podTargetLabels": [crate::names::INSTANCE, crate::names::POP],
    }});
    Object::owned(Kind::ServiceMonitor, of.owner.object(), of, rest)
}
