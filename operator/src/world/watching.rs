//! Watches the cluster into a [`World`].

use std::collections::HashSet;
use std::sync::Arc;

use crds::{BanRule, EdgePool, OriginShield, PurgeRequest};
use futures_util::{StreamExt, pin_mut};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ApiResource, DynamicObject};
use kube::runtime::watcher::{self, Event, watcher};
use kube::runtime::{WatchStreamExt, watcher::Error};
use kube::{Api, Client};
use runtime::ready::Gate;

use super::{Id, Watched, World, id};
use crate::metrics::Counts;
use crate::names::{WATCHED, WATCHED_VALUE};

impl Watched {
    fn resource(self) -> ApiResource {
        match self {
            Self::Pools => ApiResource::erase::<EdgePool>(&()),
            Self::Shields => ApiResource::erase::<OriginShield>(&()),
            Self::Purges => ApiResource::erase::<PurgeRequest>(&()),
            Self::Bans => ApiResource::erase::<BanRule>(&()),
            Self::Pods => ApiResource::erase::<Pod>(&()),
            Self::Objects(kind) => kind.resource(),
        }
    }

    fn config(self) -> watcher::Config {
        // The usual page of 500 is megabytes of pods.
        let config = watcher::Config::default().page_size(200);
        match self {
            Self::Pools | Self::Shields | Self::Purges | Self::Bans => config,
            Self::Pods | Self::Objects(_) => config.labels(&format!("{WATCHED}={WATCHED_VALUE}")),
        }
    }
}

/// Watches for ever `what` in `namespace`, or in all; `gate` opens when it was listed once. An API server that
/// is away is asked again and again; until it is back, what was seen stays.
pub async fn watch(
    client: Client,
    world: Arc<World>,
    what: Watched,
    namespace: Option<String>,
    counts: Counts,
    gate: Gate,
) {
    let resource = what.resource();
    let api: Api<DynamicObject> = match &namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    };
    let events = watcher(api, what.config()).default_backoff();
    pin_mut!(events);
    let mut listed: HashSet<Id> = HashSet::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(object)) => {
                listed.extend(id(&object));
                world.put(what, object);
            }
            Ok(Event::InitDone) => {
                world.keep_only(what, namespace.as_deref(), &listed);
                listed = HashSet::new();
                gate.open();
            }
            Ok(Event::Apply(object)) => world.put(what, object),
            Ok(Event::Delete(object)) => {
                if let Some(id) = id(&object) {
                    world.remove(what, &id);
                }
            }
            Err(error) => {
                counts.watch_failed(what.as_str());
                complain(what, &error);
            }
        }
    }
}

/// That a watch ends now and then is nothing to speak of.
fn complain(what: Watched, error: &Error) {
    match error {
        Error::WatchError(status) if status.code == 410 => {
            tracing::debug!(what = what.as_str(), %error, "watch begins anew");
        }
        _ => tracing::warn!(what = what.as_str(), %error, "cannot watch"),
    }
}
