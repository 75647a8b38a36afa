//! The loop: something changed, a round over all, and rest.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use kube::runtime::events::Recorder;
use parking_lot::Mutex;
use runtime::Clock;

use super::apply::Writer;
use super::build::{Prepared, fleets, prepare, service_of};
use super::dereference::{AGAIN, Secrets};
use super::geodns::{GeoDns, Told};
use super::validate::{Asked, Past, validate};
use super::zones::{Answered, rings, zones};
use super::{Judged, Problem, Reason, Refused, Resources, status};
use crate::build::{Key, Kind, Object, Settings};
use crate::conditions::time;
use crate::metrics::Counts;
use crate::names::{Owner, TierName};
use crate::page::Shown;
use crate::world::{Pods, Seen, World};

/// Changes come in bursts: how long the rest of one is waited for.
const GATHER: Duration = Duration::from_millis(50);
/// How often all is looked at when nothing seems to happen.
const REST: Duration = Duration::from_secs(300);

/// How often all are judged anew for what was found out about some of them.
const JUDGED: usize = 3;

/// What the loop needs.
pub struct SetContext {
    /// The API server.
    pub client: Client,
    /// What is seen.
    pub world: Arc<World>,
    /// What was told.
    pub settings: Settings,
    /// Where there is a GeoDNS.
    pub geodns: Option<GeoDns>,
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
    /// For what it was prepared, and for which addresses.
    key: Option<(u64, BTreeMap<String, String>)>,
    reached: u64,
    prepared: Resources<Prepared>,
    /// What was found out when all was put together.
    refused: Refused,
    /// What GeoDNS is to answer, if it can.
    answered: Option<Answered>,
    told: Told,
    /// How long what leaves a pool serves on.
    notices: HashMap<Owner, Duration>,
}

/// How a round went.
struct Went {
    /// `false`: something is to be tried again soon.
    well: bool,
    /// Something could not be written.
    refused: bool,
    /// When to look again though nothing happens.
    again: Option<Duration>,
}

impl Kept {
    fn new(context: &SetContext) -> Self {
        let (client, world) = (context.client.clone(), context.world.clone());
        Self {
            secrets: Secrets::default(),
            writer: Writer::new(client, world, context.counts.clone()),
            key: None,
            reached: 0,
            prepared: Resources { judged: Arc::default(), state: Prepared::default() },
            refused: Refused::default(),
            answered: None,
            told: Told::default(),
            notices: HashMap::new(),
        }
    }
}

/// Reconciles for ever. Everything must have been listed before.
pub async fn run(context: SetContext) {
    let mut changes = context.world.set_changes();
    let mut kept = Kept::new(&context);
    let mut failed = 0;
    loop {
        changes.mark_unchanged();
        let began = context.clock.monotonic();
        let Went { well, refused, again } = round(&context, &mut kept).await;
        failed = if refused { failed + 1 } else { 0 };
        let took = context.clock.monotonic().saturating_sub(began);
        context.counts.reconciled("set", well, took.as_secs_f64());
        let rest = if well { REST } else { next_try(failed) };
        let rest = again.map_or(rest, |again| again.min(rest));
        tokio::select! {
            // The sender lives in the world, and that in the context.
            _ = changes.changed() => tokio::time::sleep(GATHER).await,
            () = tokio::time::sleep(rest) => {}
        }
    }
}

/// What the API server refused again and again is tried more and more seldom, if nothing changes.
fn next_try(failed: u32) -> Duration {
    AGAIN.saturating_mul(1 << failed.saturating_sub(1).min(4))
}

async fn round(context: &SetContext, kept: &mut Kept) -> Went {
    let (client, counts) = (&context.client, &context.counts);
    let namespaces = context.world.look(|seen| {
        let ids = seen.pools.keys().chain(seen.shields.keys());
        ids.map(|id| id.0.clone()).collect::<BTreeSet<_>>()
    });
    let now = context.clock.monotonic();
    let asked = kept.secrets.dereference(client, &namespaces, &context.settings, now);
    let mut well = true;
    if let Err(error) = asked.await {
        tracing::warn!(%error, "not dereferenced");
        well = false;
    }
    let missing = kept.secrets.missing();
    well &= missing.is_empty();
    judge(context, kept, missing);
    let pods = context.world.look(|seen| seen.pods_by_owner());
    let judged = Arc::clone(&kept.prepared.judged);
    let mut more = fleets(&judged, &pods);
    let (document, waits) = document(context, kept, &pods, now);
    more.extend(document.clone());
    *context.shown.lock() = Shown::of(&judged, &more);
    let mut applied = kept.writer.apply(&kept.prepared, &more, &pods).await;
    let told = match (&context.geodns, document) {
        (Some(of), Some(document)) => {
            let failed = applied.state.errors.iter().any(|error| *error.key() == document.key);
            !failed && kept.told.nudge(client, of, &document, counts).await
        }
        // What GeoDNS goes by nobody knows.
        (Some(_), None) => false,
        (None, _) => true,
    };
    let (state, notices) = (&kept.prepared.state, &kept.notices);
    let notice = |owner: &Owner| notices.get(owner).copied().unwrap_or_default();
    kept.writer.retire(state, &more, &mut applied.state, notice, (told, now)).await;
    let refused = !applied.state.errors.is_empty();
    well &= !refused && told;
    let again = [waits, applied.state.retiring].into_iter().flatten().min();
    let now = time(context.clock.now_millis());
    let updates = status::look(&context.world, &applied, &pods, &now);
    if let Err(error) = status::update_status(client, &context.recorder, counts, updates).await {
        tracing::warn!(%error, "not told");
        well = false;
    }
    Went { well, refused, again }
}

/// Judges all if anything changed, and again for what comes out only when all is put together: what does not fit into
/// its ConfigMap, and who would make the zones of all useless.
fn judge(context: &SetContext, kept: &mut Kept, missing: BTreeMap<String, String>) {
    let (revision, reached) = context.world.look(|seen| (seen.revision, seen.reached));
    let key = Some((revision, missing));
    let moved = kept.reached != reached;
    let mut due = kept.key != key || moved && !kept.refused.is_empty();
    if !due && !moved {
        return;
    }
    if due {
        kept.refused.clear();
    }
    let before = Arc::clone(&kept.prepared.judged);
    for _ in 0..JUDGED {
        if due {
            let asked = context.world.look(|seen| Asked {
                pools: seen.pools.clone(),
                shields: seen.shields.clone(),
                missing: key.as_ref().map(|(_, missing)| missing.clone()).unwrap_or_default(),
                refused: kept.refused.clone(),
            });
            let past = Past {
                judged: &before,
                kept: |owner: &Owner, text: &str| {
                    context.world.look(|seen| {
                        let namespace = owner.namespace.clone();
                        let key = Key { kind: Kind::ConfigMap, namespace, name: owner.config() };
                        seen.live.get(&key)?.data(text)
                    })
                },
            };
            kept.prepared = prepare(validate(&asked, &past), &context.settings);
        }
        answer(context, kept, &before);
        let found = found_out(&kept.prepared.judged, kept.answered.as_ref());
        let known = kept.refused.len();
        kept.refused.extend(found);
        due = kept.refused.len() > known;
        if !due {
            break;
        }
    }
    (kept.key, kept.reached) = (key, reached);
    kept.notices = notices(context.geodns.as_ref(), &before, &kept.prepared.judged);
    count(&context.counts, &kept.prepared.judged);
    let left_out = kept.answered.as_ref().map(|answered| answered.left_out.clone());
    let left_out = left_out.unwrap_or_default();
    context.counts.left_out.set(i64::try_from(left_out.len()).unwrap_or(i64::MAX));
    kept.told.complain(&left_out);
}

fn answer(context: &SetContext, kept: &mut Kept, before: &[Judged]) {
    let Some(geodns) = &context.geodns else { return };
    let Resources { judged, state } = &kept.prepared;
    let settled = |one: &Judged| {
        let was = before.iter().find(|was| was.uid == one.uid);
        was.is_some_and(|was| was.serving == one.serving) || is_applied(context, state, &one.owner)
    };
    let service = |owner: &Owner, pop: &str| {
        let key = service_of(owner, pop);
        context.world.look(|seen| seen.services.get(&(key.namespace, key.name)).cloned())
    };
    match zones(judged, &geodns.authority, &service, settled) {
        Ok(answered) => kept.answered = Some(answered),
        Err(error) => tracing::error!(%error, "new zones refused; the last good ones go on"),
    }
}

/// Whether a pool runs as it is to.
fn is_applied(context: &SetContext, prepared: &Prepared, owner: &Owner) -> bool {
    let namespace = owner.namespace.clone();
    let key = Key { kind: Kind::ConfigMap, namespace, name: owner.config() };
    let found = prepared.objects.binary_search_by(|object| object.key.cmp(&key));
    let Some(object) = found.ok().and_then(|nth| prepared.objects.get(nth)) else { return false };
    let applied = |seen: &Seen| seen.live.get(&key)?.applied.clone();
    context.world.look(applied).as_ref() == Some(&object.hash)
}

/// What is wrong with those that looked sound by themselves.
fn found_out(judged: &[Judged], answered: Option<&Answered>) -> Refused {
    let mut found = Refused::new();
    for one in judged {
        match &one.problem {
            Some(problem) if problem.reason == Reason::TooLarge => {
                found.insert(one.owner.clone(), problem.clone());
            }
            Some(_) => {}
            None => {
                let reason = answered.and_then(|answered| answered.left_out.get(&one.owner));
                found.extend(reason.map(|reason| {
                    let message = format!("GeoDNS cannot send clients to it: {reason}");
                    (one.owner.clone(), Problem { reason: Reason::Unroutable, message })
                }));
            }
        }
    }
    found
}

/// Answers that were given before count, too.
fn notices(
    geodns: Option<&GeoDns>,
    before: &[Judged],
    judged: &[Judged],
) -> HashMap<Owner, Duration> {
    let mut notices = HashMap::new();
    let Some(geodns) = geodns else { return notices };
    for one in before.iter().chain(judged) {
        if let Some(pool) = one.serving.as_ref().and_then(|serving| serving.pool.as_ref()) {
            let notice: &mut Duration = notices.entry(one.owner.clone()).or_default();
            *notice = geodns.notice(pool).max(*notice);
        }
    }
    notices
}

/// What GeoDNS runs on, and when there may be more.
fn document(
    context: &SetContext,
    kept: &mut Kept,
    pods: &Pods,
    now: Duration,
) -> (Option<Object>, Option<Duration>) {
    let (Some(geodns), Some(answered)) = (&context.geodns, &kept.answered) else {
        return (None, None);
    };
    let rings = rings(&kept.prepared.judged, pods);
    let (document, waits) = kept.told.document(geodns, answered, &rings, now);
    (Some(document), waits)
}

fn count(counts: &Counts, judged: &[Judged]) {
    for tier in [TierName::Edge, TierName::Shield] {
        for accepted in [true, false] {
            let here = |one: &&Judged| one.owner.tier == tier && one.problem.is_none() == accepted;
            counts.resources(tier.kind(), accepted, judged.iter().filter(here).count());
        }
    }
}

#[cfg(test)]
mod tests;
