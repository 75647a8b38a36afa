//! Purges and bans: each gets a task that gives it to the log and tells what became of it.
//!
//! `translate` says what a resource orders, `bus` keeps the order until every node has it; here is what that means for
//! the resource: `order` finds the order, `purge` and `ban` are the tasks, `status` is what they say; `forget` tells the
//! log of pods that are gone, `lift` of BanRules that are.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, Sender};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Client;
use kube::runtime::events::Recorder;
use runtime::Clock;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};

use crate::conditions::time;
use crate::metrics::Counts;
use crate::world::{Id, Seen, World};

mod ban;
mod forget;
mod lift;
mod order;
mod purge;
mod status;

pub use forget::forget_gone;
pub use lift::lift_gone;

/// How often resources that are over are looked through, if nothing else happens.
const LOOK: Duration = Duration::from_secs(10);

/// What the tasks need.
pub struct OrdersContext {
    /// The API server.
    pub client: Client,
    /// What is seen.
    pub world: Arc<World>,
    /// The log, where there is one.
    pub log: Option<Log>,
    /// For events.
    pub recorder: Recorder,
    /// For deadlines and times.
    pub clock: Clock,
    /// For `/metrics`.
    pub counts: Counts,
    /// So that a thousand orders at once do not stand in the way of everything else: of writes to the API server
    /// that are on their way.
    pub writing: Semaphore,
    /// The same of translations.
    pub translating: Semaphore,
}

/// Writes on their way at once.
pub const WRITES: usize = 8;

/// The invalidation log.
#[derive(Clone)]
pub struct Log {
    /// It.
    pub bus: Arc<dyn Bus>,
    /// Keeps orders until all nodes have them. It must never call an order partial by itself: each has its own
    /// deadline.
    pub sender: Arc<Sender>,
}

impl OrdersContext {
    fn now(&self) -> Time {
        time(self.clock.now_millis())
    }
}

/// Which order.
type Name = (Kind, Id);

/// The kinds of orders.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Purge,
    Ban,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Purge => "purge",
            Self::Ban => "ban",
        }
    }
}

/// What a task works on; another uid, spec or a deletion is other work.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Work {
    uid: String,
    generation: i64,
    leaving: bool,
}

/// How a task ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// There is nothing to do until the resource changes.
    Settled,
    /// Nothing can be done before the pools are others than they were in this revision.
    Refused(u64),
    /// It is to be begun anew.
    Again,
}

/// Where a resource stands here.
struct Task {
    work: Work,
    handle: AbortHandle,
    outcome: Option<Outcome>,
}

/// Looks after orders for ever. Everything must have been listed before.
pub async fn run(context: Arc<OrdersContext>) {
    let mut changes = context.world.order_changes();
    let mut tasks: HashMap<Name, Task> = HashMap::new();
    let mut running: JoinSet<(Name, Work, Outcome)> = JoinSet::new();
    loop {
        changes.mark_unchanged();
        begin(&context, &mut tasks, &mut running);
        tokio::select! {
            _ = changes.changed() => {}
            Some(ended) = running.join_next() => {
                // A task that was stopped on purpose ends as cancelled.
                if let Ok((name, work, outcome)) = ended
                    && let Some(task) = tasks.get_mut(&name).filter(|task| task.work == work)
                {
                    task.outcome = Some(outcome);
                }
            }
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

fn wanted(seen: &Seen) -> HashMap<Name, Work> {
    let mut wanted = HashMap::new();
    for (id, one) in &seen.purges {
        let work = Work { uid: one.uid.clone(), generation: one.generation, leaving: one.leaving };
        wanted.insert((Kind::Purge, id.clone()), work);
    }
    for (id, one) in &seen.bans {
        let work = Work { uid: one.uid.clone(), generation: one.generation, leaving: one.leaving };
        wanted.insert((Kind::Ban, id.clone()), work);
    }
    wanted
}

/// Begins what is to be begun, and stops what is no longer wanted.
fn begin(
    context: &Arc<OrdersContext>,
    tasks: &mut HashMap<Name, Task>,
    running: &mut JoinSet<(Name, Work, Outcome)>,
) {
    let (wanted, revision) = context.world.look(|seen| (wanted(seen), seen.revision));
    tasks.retain(|name, task| {
        let stays = wanted.get(name) == Some(&task.work);
        if !stays {
            task.handle.abort();
        }
        stays
    });
    for (name, work) in wanted {
        let due = tasks.get(&name).is_none_or(|task| match task.outcome {
            None | Some(Outcome::Settled) => false,
            Some(Outcome::Refused(then)) => then != revision,
            Some(Outcome::Again) => true,
        });
        if !due {
            continue;
        }
        let (context, of, given) = (Arc::clone(context), name.clone(), work.clone());
        let handle = running.spawn(async move {
            let began = context.clock.monotonic();
            let outcome = match of.0 {
                Kind::Purge => purge::run(&context, &of.1).await,
                Kind::Ban => ban::run(&context, &of.1).await,
            };
            let took = context.clock.monotonic().saturating_sub(began).as_secs_f64();
            context.counts.reconciled(of.0.as_str(), outcome != Outcome::Again, took);
            if outcome == Outcome::Again {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            (of, given, outcome)
        });
        tasks.insert(name, Task { work, handle, outcome: None });
    }
}

#[cfg(test)]
mod tests;
