//! The last step: says in each resource how it is, and tells in an event what is new about what is wrong.

use std::collections::BTreeMap;

use crds::{EdgePoolStatus, OriginShieldStatus, PeeringMode, PopStatus};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::runtime::events::{Event, EventType, Recorder};
use kube::{Api, Client};
use serde_json::{Value, json};

use super::apply::Applied;
use super::{Judged, Resources, Sound, build};
use crate::conditions::{Wanted, conditions, cut, said};
use crate::metrics::Counts;
use crate::names::{MANAGER, Owner, TierName, selector_text};
use crate::reached::SeenService;
use crate::world::{Pods, Seen, World};

/// Why a status could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the status of {} {} cannot be written: {error}", owner.tier.kind(), owner.full_name())]
pub struct StatusError {
    owner: Owner,
    error: Box<kube::Error>,
}

/// A status to be written, with what is new about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// Of whom.
    pub owner: Owner,
    /// Its uid.
    pub uid: String,
    /// All of it.
    pub status: Value,
    /// What an event should tell: whether it is a warning, a reason, a text.
    pub event: Option<(bool, String, String)>,
}

/// The statuses that are not what they should be. Pure but for `now`.
pub fn updates(
    resources: &Resources<Applied>,
    seen: &Seen,
    pods: &Pods,
    service: &impl Fn(&Owner, &str) -> Option<SeenService>,
    now: &Time,
) -> Vec<Update> {
    let mut refused: BTreeMap<&Owner, Vec<String>> = BTreeMap::new();
    for error in &resources.state.errors {
        if let Some(owner) = resources.state.of.get(error.key()) {
            refused.entry(owner).or_default().push(error.to_string());
        }
    }
    let mut updates = Vec::new();
    for one in resources.judged.iter() {
        let trouble = refused.get(&one.owner).map(|reasons| reasons.join("; "));
        let id = (one.owner.namespace.clone(), one.owner.name.clone());
        let update = match one.owner.tier {
            TierName::Edge => {
                let pool = seen.pools.get(&id).and_then(|pool| pool.value.as_ref().ok());
                let former = pool.and_then(|pool| pool.status.clone()).unwrap_or_default();
                let status = pool_status(one, &former.conditions, trouble, pods, service, now);
                compare(one, &former, &status, &former.conditions, &status.conditions)
            }
            TierName::Shield => {
                let shield = seen.shields.get(&id).and_then(|shield| shield.value.as_ref().ok());
                let former = shield.and_then(|shield| shield.status.clone()).unwrap_or_default();
                let status = shield_status(one, &former.conditions, trouble, pods, now);
                compare(one, &former, &status, &former.conditions, &status.conditions)
            }
        };
        updates.extend(update);
    }
    updates
}

fn compare<T: PartialEq + serde::Serialize>(
    one: &Judged,
    former: &T,
    status: &T,
    before: &[Condition],
    after: &[Condition],
) -> Option<Update> {
    if former == status {
        return None;
    }
    let event = match (said(before, "Accepted"), said(after, "Accepted")) {
        (before, Some((false, message))) if before != Some((false, message)) => {
            let reason = after.iter().find(|c| c.type_ == "Accepted").map(|c| c.reason.clone());
            Some((true, reason.unwrap_or_default(), message.to_owned()))
        }
        (Some((false, _)), Some((true, message))) => {
            Some((false, "Accepted".to_owned(), message.to_owned()))
        }
        _ => None,
    };
    let status = serde_json::to_value(status).unwrap_or_default();
    Some(Update { owner: one.owner.clone(), uid: one.uid.clone(), status, event })
}

/// Of a pool or shield with `up` servers out of `wanted`.
fn wanted(one: &Judged, trouble: Option<String>, up: i32, wanted: i32) -> Vec<Wanted> {
    let serving = one.serving.is_some();
    let servers = match one.owner.tier {
        TierName::Edge => "edges",
        TierName::Shield => "servers",
    };
    let accepted = match &one.problem {
        Some(problem) => Wanted {
            type_: "Accepted",
            holds: Some(false),
            reason: problem.reason.as_str(),
            message: problem.message.clone(),
        },
        None => Wanted {
            type_: "Accepted",
            holds: Some(true),
            reason: "Accepted",
            message: match &one.sound {
                Some(Sound::Held) => {
                    "it stays as it is while nobody knows what a refused pool runs on".to_owned()
                }
                Some(Sound::Pool(pool, _)) if pool.spec.peering.mode == PeeringMode::Redirect => {
                    "it is in effect; peering mode `Redirect` is `Peer` here: no pod has a name that clients reach"
                        .to_owned()
                }
                _ => "it is in effect".to_owned(),
            },
        },
    };
    let (holds, reason, message) = match (&one.problem, trouble) {
        (Some(problem), _) if serving => (
            false,
            "NotAccepted",
            format!("the last accepted configuration serves on: {}", problem.message),
        ),
        (Some(problem), _) => (false, "NotAccepted", problem.message.clone()),
        (None, Some(trouble)) => (false, "NotApplied", trouble),
        (None, None) if up < wanted => {
            (false, "Progressing", format!("{up} of {wanted} {servers} take requests"))
        }
        (None, None) => (true, "Ready", format!("{up} of {wanted} {servers} take requests")),
    };
    vec![accepted, Wanted { type_: "Ready", holds: Some(holds), reason, message }]
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn small(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn pool_status(
    one: &Judged,
    former: &[Condition],
    trouble: Option<String>,
    pods: &Pods,
    service: &impl Fn(&Owner, &str) -> Option<SeenService>,
    now: &Time,
) -> EdgePoolStatus {
    let ready = |pop: &str| {
        let here = pods.of(&one.owner).iter();
        count(here.filter(|pod| pod.ready && pod.pop.as_deref() == Some(pop)).count())
    };
    let pops: Vec<PopStatus> = build::addresses(one, service)
        .into_iter()
        .map(|(pop, addresses)| PopStatus {
            name: pop.name.clone(),
            replicas: small(pop.replicas),
            ready_replicas: ready(&pop.name),
            addresses: addresses.iter().map(ToString::to_string).collect(),
        })
        .collect();
    let sum = |of: fn(&PopStatus) -> i32| pops.iter().map(of).fold(0, i32::saturating_add);
    let there_should_be = sum(|pop| pop.replicas);
    // Those that are too many in one place make up for none that lack in another.
    let up = sum(|pop| pop.ready_replicas.min(pop.replicas));
    let serving = one.serving.as_ref();
    EdgePoolStatus {
        observed_generation: Some(one.generation),
        replicas: Some(there_should_be),
        ready_replicas: Some(sum(|pop| pop.ready_replicas)),
        selector: Some(selector_text(&one.owner.selector())),
        version: serving.map(|serving| serving.version.clone()),
        conditions: conditions(
            wanted(one, trouble, up, there_should_be),
            former,
            one.generation,
            now,
        ),
        pops,
    }
}

fn shield_status(
    one: &Judged,
    former: &[Condition],
    trouble: Option<String>,
    pods: &Pods,
    now: &Time,
) -> OriginShieldStatus {
    let ready = count(pods.of(&one.owner).iter().filter(|pod| pod.ready).count());
    let serving = one.serving.as_ref();
    let there_should_be = serving.map_or(0, |serving| small(serving.replicas));
    OriginShieldStatus {
        observed_generation: Some(one.generation),
        replicas: Some(there_should_be),
        ready_replicas: Some(ready),
        selector: Some(selector_text(&one.owner.selector())),
        version: serving.map(|serving| serving.version.clone()),
        conditions: conditions(
            wanted(one, trouble, ready, there_should_be),
            former,
            one.generation,
            now,
        ),
    }
}

/// Writes what is not as it should be.
///
/// # Errors
/// The first that could not be written; the others are written all the same.
pub async fn update_status(
    client: &Client,
    recorder: &Recorder,
    counts: &Counts,
    updates: Vec<Update>,
) -> Result<(), StatusError> {
    use futures_util::{StreamExt, stream};
    let writes = updates.into_iter().map(|update| async move {
        let resource = resource(update.owner.tier);
        let written =
            write(client, &resource, &update.owner.namespace, &update.owner.name, update.status);
        let written = written.await;
        counts.wrote(update.owner.tier.kind(), written.is_ok());
        if let (Ok(()), Some((warning, reason, note))) = (&written, update.event) {
            let about = ObjectReference {
                api_version: Some(crds::API_VERSION.to_owned()),
                kind: Some(update.owner.tier.kind().to_owned()),
                namespace: Some(update.owner.namespace.clone()),
                name: Some(update.owner.name.clone()),
                uid: Some(update.uid),
                ..ObjectReference::default()
            };
            tell(recorder, &about, warning, reason, note).await;
        }
        written.map_err(|error| StatusError { owner: update.owner, error: Box::new(error) })
    });
    let results: Vec<_> = stream::iter(writes).buffer_unordered(8).collect().await;
    results.into_iter().collect()
}

fn resource(tier: TierName) -> ApiResource {
    match tier {
        TierName::Edge => ApiResource::erase::<crds::EdgePool>(&()),
        TierName::Shield => ApiResource::erase::<crds::OriginShield>(&()),
    }
}

/// Applies a whole status; what it no longer says goes. A resource that is gone has none.
pub(crate) async fn write(
    client: &Client,
    resource: &ApiResource,
    namespace: &str,
    name: &str,
    status: Value,
) -> Result<(), kube::Error> {
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, resource);
    let body = json!({
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": { "name": name },
        "status": status,
    });
    let how = PatchParams::apply(MANAGER).force();
    match api.patch_status(name, &how, &Patch::Apply(&body)).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        other => other.map(drop),
    }
}

/// Bytes of an event's text at most.
const NOTE: usize = 1000;

/// Tells in an event. One that cannot be told is no reason to stop.
pub(crate) async fn tell(
    recorder: &Recorder,
    about: &ObjectReference,
    warning: bool,
    reason: String,
    note: String,
) {
    let type_ = if warning { EventType::Warning } else { EventType::Normal };
    let event = Event {
        type_,
        reason,
        note: Some(cut(note, NOTE)),
        action: "Reconcile".to_owned(),
        secondary: None,
    };
    if let Err(error) = recorder.publish(&event, about).await {
        tracing::warn!(%error, "an event cannot be told");
    }
}

/// What the world has, for [`updates`].
pub(super) fn look(
    world: &World,
    resources: &Resources<Applied>,
    pods: &Pods,
    now: &Time,
) -> Vec<Update> {
    world.look(|seen| {
        let service = |owner: &Owner, pop: &str| {
            let id = (owner.namespace.clone(), owner.object_at(pop));
            seen.services.get(&id).cloned()
        };
        updates(resources, seen, pods, &service, now)
    })
}

#[cfg(test)]
mod tests;
