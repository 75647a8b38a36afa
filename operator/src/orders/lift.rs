//! Bans that are in force though no BanRule gives them any more. Found by comparing the log with what there is, and not
//! held back by finalizers: nobody waits for an operator to delete a BanRule or its namespace, and a ban is lifted as
//! well whose BanRule went while there was no operator.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crds::BanRule;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, ListParams};
use translate::{Giver, OrderKind, mark};
use wire::Invalidation;
use wire::invalidation::{FORMAT, How, Target};

use super::{Log, OrdersContext};
use crate::world::Seen;

/// How often is looked, if nothing changes.
const LOOK: Duration = Duration::from_secs(10);
/// How long more changes are waited for.
const SETTLE: Duration = Duration::from_millis(200);
/// How long the log has for one order.
const ANSWER: Duration = Duration::from_secs(2);
/// Bytes of an order's id.
const LONGEST_ID: usize = 64;

/// Lifts for ever, in `namespaces` (none: in all). Everything must have been listed before.
pub async fn lift_gone(context: Arc<OrdersContext>, namespaces: Vec<String>) {
    let Some(log) = &context.log else { return };
    let mut changes = context.world.order_changes();
    let mut told = None;
    loop {
        changes.mark_unchanged();
        let error = look(&context, log, &namespaces).await.err();
        if let (Some(error), true) = (&error, error != told) {
            tracing::warn!(error, "bans whose BanRule is gone cannot be lifted");
        }
        told = error;
        tokio::select! {
            _ = changes.changed() => tokio::time::sleep(SETTLE).await,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

async fn look(context: &OrdersContext, log: &Log, namespaces: &[String]) -> Result<(), String> {
    let seen = context.world.look(standing);
    // What was given here and never came into the log must not come there now.
    for id in gone(&log.sender.waiting(), &seen, namespaces) {
        log.sender.withdraw(id);
    }
    let listed = log.bus.bans().await.map_err(|error| error.to_string())?;
    let seen = context.world.look(standing);
    if gone(&listed, &seen, namespaces).is_empty() {
        return Ok(());
    }
    // What is new may have been in the log before it was seen here: another operator gave it.
    let there = ask(context, namespaces).await.map_err(|error| error.to_string())?;
    for id in gone(&listed, &there, namespaces) {
        if !lift(context, log, id).await {
            return Err("the log does not take it".to_owned());
        }
        tracing::info!(ban = id, "its BanRule is gone: lifted");
        context.counts.lifted.inc();
    }
    Ok(())
}

/// What a BanRule says is in force, by the mark of its uid.
type Standing = HashMap<String, (i64, Option<String>)>;

fn standing(seen: &Seen) -> Standing {
    let one = |ban: &crate::world::Custom<BanRule>| {
        let status = ban.value.as_ref().ok().and_then(|ban| ban.status.as_ref());
        (mark(&ban.uid), (ban.generation, status.and_then(|status| status.id.clone())))
    };
    seen.bans.values().map(one).collect()
}

/// As [`standing`], of what there is now.
async fn ask(context: &OrdersContext, namespaces: &[String]) -> Result<Standing, kube::Error> {
    let kind = ApiResource::erase::<BanRule>(&());
    let client = &context.client;
    let places: Vec<Api<DynamicObject>> = match namespaces {
        [] => vec![Api::all_with(client.clone(), &kind)],
        named => named.iter().map(|n| Api::namespaced_with(client.clone(), n, &kind)).collect(),
    };
    let mut standing = Standing::new();
    for place in places {
        // Without a version to be content with: the answer is what there is.
        for ban in place.list(&ListParams::default()).await?.items {
            let said = ban.data.pointer("/status/id").and_then(serde_json::Value::as_str);
            let generation = ban.metadata.generation.unwrap_or_default();
            let uid = ban.metadata.uid.unwrap_or_default();
            standing.insert(mark(&uid), (generation, said.map(str::to_owned)));
        }
    }
    Ok(standing)
}

/// Those of `listed` that a BanRule in `namespaces` (none: in any) gave and that none gives now. What one said before
/// it was edited stays until it says that it is something else.
fn gone<'a>(listed: &'a [String], standing: &Standing, namespaces: &[String]) -> Vec<&'a str> {
    let is_gone = |id: &&'a String| {
        let Some(giver) = Giver::of(OrderKind::Ban, id) else { return false };
        let here = namespaces.is_empty() || namespaces.iter().any(|name| giver.is_in(name));
        here && standing.get(giver.mark).is_none_or(|(generation, said)| {
            *generation != giver.generation && said.as_ref() != Some(*id)
        })
    };
    listed.iter().filter(is_gone).map(String::as_str).collect()
}

/// Ends the ban `id` on all nodes. Whether the log has that order: then every node finds it there.
pub(super) async fn lift(context: &OrdersContext, log: &Log, id: &str) -> bool {
    let text = format!("lift:{id}");
    // What makes an id another one is at its end.
    let own = text.get(text.len().saturating_sub(LONGEST_ID)..).unwrap_or(&text).to_owned();
    // Neither the ban nor an older word about it may come after this.
    log.sender.withdraw(id);
    if log.sender.report(&own).is_some_and(|report| report.position.is_some()) {
        log.sender.withdraw(&own);
    }
    let order = Invalidation {
        format: FORMAT,
        id: own.clone(),
        target: Target::Lift(id.to_owned()),
        how: How::Hard,
        dry_run: false,
        issued_ms: context.clock.now_millis(),
    };
    let sent = tokio::time::timeout(ANSWER, log.sender.send(order)).await;
    let report = match sent {
        Ok(Ok(report)) => Some(report),
        Ok(Err(error)) => {
            tracing::warn!(%error, ban = id, "not lifted");
            None
        }
        Err(_) => log.sender.report(&own),
    };
    report.is_some_and(|report| report.position.is_some())
}

#[cfg(test)]
mod tests;
