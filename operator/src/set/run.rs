//! The loop: something changed, a round over all, and rest.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use kube::runtime::events::Recorder;
use parking_lot::Mutex;
use runtime::Clock;
use translate::Authority;

use super::apply::Writer;
use super::build::{Prepared, fleets, prepare, service_of, zones};
use super::dereference::{AGAIN, Secrets};
use super::validate::{Asked, validate};
use super::{Judged, Resources, status};
use crate::build::{self, Key, Kind, Object, Settings};
use crate::conditions::time;
use crate::metrics::Counts;
use crate::names::{Owner, TierName};
use crate::page::Shown;
use crate::world::World;

/// Changes come in bursts: how long the rest of one is waited for.
const GATHER: Duration = Duration::from_millis(50);
/// How often all is looked at when nothing seems to happen.
const REST: Duration = Duration::from_secs(300);

/// How long a place that left its pool serves on, where there is a GeoDNS: twice the usual life of an answer.
const NOTICE: Duration = Duration::from_secs(60);

/// What the loop needs.
pub struct SetContext {
    /// The API server.
    pub client: Client,
    /// What is seen.
    pub world: Arc<World>,
    /// What was told.
    pub settings: Settings,
    /// The zones, where there is a GeoDNS: the ConfigMap's namespace and name, and what is answered for.
    pub zones: Option<(String, String, Authority)>,
    /// For events.
    pub recorder: Recorder,
    /// For conditions.
    pub clock: Clock,
    /// For `/metrics`.
    pub counts: Counts,
    /// For `/debug/snapshot`.
    pub shown: Arc<Mutex<Shown>>,
}

/// What a round leaves to the next.
struct Kept {
    secrets: Secrets,
    writer: Writer,
    /// For what it was prepared.
    key: Option<(u64, std::collections::BTreeMap<String, String>)>,
    prepared: Resources<Prepared>,
}

/// Reconciles for ever. Everything must have been listed before.
pub async fn run(context: SetContext) {
    let mut changes = context.world.set_changes();
    let notice = if context.zones.is_some() { NOTICE } else { Duration::ZERO };
    let (client, world) = (context.client.clone(), context.world.clone());
    let writer = Writer::new(client, world, notice, context.counts.clone());
    let nothing = Resources { judged: Arc::default(), state: Prepared::default() };
    let mut kept = Kept { secrets: Secrets::default(), writer, key: None, prepared: nothing };
    loop {
        changes.mark_unchanged();
        let began = context.clock.monotonic();
        let well = round(&context, &mut kept).await;
        let took = context.clock.monotonic().saturating_sub(began);
        context.counts.reconciled("set", well, took.as_secs_f64());
        let rest = if well { REST } else { AGAIN };
        tokio::select! {
            // The sender lives in the world, and that in the context.
            _ = changes.changed() => tokio::time::sleep(GATHER).await,
            () = tokio::time::sleep(rest) => {}
        }
    }
}

/// One round. `false`: something is to be tried again soon.
async fn round(context: &SetContext, kept: &mut Kept) -> bool {
    let (revision, namespaces) = context.world.look(|seen| {
        let ids = seen.pools.keys().chain(seen.shields.keys());
        (seen.revision, ids.map(|id| id.0.clone()).collect::<BTreeSet<_>>())
    });
    let now = context.clock.monotonic();
    let asked = kept.secrets.dereference(&context.client, &namespaces, &context.settings, now);
    let mut well = true;
    if let Err(error) = asked.await {
        tracing::warn!(%error, "not dereferenced");
        well = false;
    }
    let missing = kept.secrets.missing();
    well &= missing.is_empty();
    let key = (revision, missing.clone());
    if kept.key.as_ref() != Some(&key) {
        let asked = context.world.look(|seen| Asked {
            pools: seen.pools.clone(),
            shields: seen.shields.clone(),
            missing,
        });
        let former = |owner: &Owner, text: &str| {
            context.world.look(|seen| {
                let namespace = owner.namespace.clone();
                let key = Key { kind: Kind::ConfigMap, namespace, name: owner.config() };
                seen.live.get(&key)?.data(text)
            })
        };
        let mut judged = validate(&asked, former);
        serve_on(&mut judged, &kept.prepared.judged);
        kept.prepared = prepare(judged, &context.settings);
        kept.key = Some(key);
        count(&context.counts, &kept.prepared.judged);
    }
    let pods = context.world.look(|seen| seen.pods_by_owner());
    let mut more = fleets(&kept.prepared.judged, &pods);
    more.extend(zones_object(context, &kept.prepared.judged));
    show(context, &kept.prepared.judged, &more);
    let applied = kept.writer.apply(&kept.prepared, more, &pods, now).await;
    well &= applied.state.errors.is_empty() && !applied.state.retiring;
    let now = time(context.clock.now_millis());
    let updates = status::look(&context.world, &applied, &pods, &now);
    let (client, recorder) = (&context.client, &context.recorder);
    if let Err(error) = status::update_status(client, recorder, &context.counts, updates).await {
        tracing::warn!(%error, "not told");
        well = false;
    }
    well
}

/// What was applied a moment ago is the last good state, too, though it was not seen yet.
fn serve_on(judged: &mut [Judged], before: &[Judged]) {
    for one in judged.iter_mut().filter(|one| one.problem.is_some() && one.serving.is_none()) {
        let former = before.iter().find(|former| former.uid == one.uid);
        one.serving = former.and_then(|former| former.serving.clone());
    }
}

fn zones_object(context: &SetContext, judged: &[Judged]) -> Option<Object> {
    let (namespace, name, authority) = context.zones.as_ref()?;
    let service = |owner: &Owner, pop: &str| {
        let key = service_of(owner, pop);
        context.world.look(|seen| seen.services.get(&(key.namespace, key.name)).cloned())
    };
    match zones(judged, authority, &service) {
        Ok(zones) => Some(build::zones_map(namespace, name, &zones)),
        Err(error) => {
            tracing::error!(%error, "new zones refused; the last good ones go on");
            None
        }
    }
}

fn count(counts: &Counts, judged: &[Judged]) {
    for tier in [TierName::Edge, TierName::Shield] {
        for accepted in [true, false] {
            let here = |one: &&Judged| one.owner.tier == tier && one.problem.is_none() == accepted;
            counts.resources(tier.kind(), accepted, judged.iter().filter(here).count());
        }
    }
}

fn show(context: &SetContext, judged: &[Judged], documents: &[Object]) {
    *context.shown.lock() = Shown::of(judged, documents);
}

#[cfg(test)]
mod tests;
