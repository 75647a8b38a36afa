//! Nodes that the log still counts on and whose pods are gone: without this, every purge would wait for a pod
//! that was killed without a goodbye.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bus::Member;

use super::{Log, OrdersContext};
use crate::world::Id;

/// How often is looked.
const LOOK: Duration = Duration::from_secs(2);

/// A pod that is new may be heard of in the log before it is seen here.
const SILENT: Duration = Duration::from_secs(3);

/// Looks for ever. Everything must have been listed before.
pub async fn forget_gone(context: Arc<OrdersContext>, namespaces: Vec<String>) {
    let Some(Log { bus, .. }) = &context.log else { return };
    loop {
        tokio::time::sleep(LOOK).await;
        let members = match bus.members().await {
            Ok(members) => members,
            Err(error) => {
                tracing::debug!(%error, "the nodes of the log cannot be asked for");
                continue;
            }
        };
        let pods: BTreeSet<Id> = context.world.look(|seen| seen.pods.keys().cloned().collect());
        for node in gone(&members, &pods, &namespaces) {
            match bus.leave(node).await {
                Ok(_) => {
                    tracing::info!(node, "its pod is gone: no order waits for it any more");
                    context.counts.forgotten.inc();
                }
                Err(error) => tracing::debug!(%error, node, "not forgotten"),
            }
        }
    }
}

/// The nodes that were pods in `namespaces` (none: in any) and are not among `pods`. A node that says of
/// itself that it is of a pool elsewhere, or is not called as pods are here, is nobody's business.
fn gone<'a>(members: &'a [Member], pods: &BTreeSet<Id>, namespaces: &[String]) -> Vec<&'a str> {
    let gone = members.iter().filter(|member| {
        let Some((namespace, _)) = member.beat.pool.split_once('/') else { return false };
        let here = namespaces.is_empty() || namespaces.iter().any(|name| name == namespace);
        let name = member.beat.node.strip_prefix(&member.beat.role);
        let is_pod = name.is_some_and(|rest| rest.starts_with('-'));
        let there = pods.contains(&(namespace.to_owned(), member.beat.node.clone()));
        here && is_pod && !there && member.unheard >= SILENT
    });
    gone.map(|member| member.beat.node.as_str()).collect()
}

#[cfg(test)]
mod tests;
