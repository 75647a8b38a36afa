//! Orders in the user's files: each is given once, and a ban is lifted when its file goes.

use std::collections::HashMap;
use std::time::Duration;

use proxy::admin::invalidation::DeskError;
use translate::{OrderKind, TranslatedOrder};
use wire::Invalidation;
use wire::invalidation::{How, Phase, PurgeReport, Target};

use crate::world::World;

/// The longest wait for an order before what became of it is shown; it goes on all the same.
const WAIT: Duration = Duration::from_secs(5);

/// Bytes of an order's id.
const LONGEST_ID: usize = 64;

/// What was given so far.
#[derive(Debug, Default)]
pub struct Orders {
    /// By the id that the translator gave: what a resource says, under its name.
    given: HashMap<String, Given>,
    /// How often an id was given, for those that come again.
    times: HashMap<String, u32>,
}

#[derive(Debug)]
struct Given {
    what: String,
    /// A ban to lift when its resource goes.
    ban: Option<String>,
}

impl Orders {
    /// Gives what is new in `orders` and lifts the bans that are gone; a line about each.
    pub async fn take_over(&mut self, world: &World, orders: &[TranslatedOrder]) -> Vec<String> {
        let mut lines = Vec::new();
        let stays = |id: &String| orders.iter().any(|order| order.invalidation.id == *id);
        let gone: Vec<_> = self.given.extract_if(|id, _| !stays(id)).collect();
        for (_, given) in gone {
            if let Some(ban) = given.ban {
                let id = self.another(&format!("lift:{ban}"));
                let lift = order(id, Target::Lift(ban), world);
                lines.push(
                    told(&format!("{} is gone, its ban lifted", given.what), world, lift).await,
                );
            }
        }
        for order in orders {
            if self.given.contains_key(&order.invalidation.id) {
                continue;
            }
            let kind = match order.kind {
                OrderKind::Purge => "PurgeRequest",
                OrderKind::Ban => "BanRule",
            };
            let what = format!("{kind} {}", order.name);
            let mut invalidation = order.invalidation.clone();
            invalidation.id = self.another(&order.invalidation.id);
            invalidation.issued_ms = world.now_millis();
            if let Target::Ban(ban) = &mut invalidation.target {
                ban.id.clone_from(&invalidation.id);
            }
            let lasting = order.kind == OrderKind::Ban && !invalidation.dry_run;
            let ban = lasting.then(|| invalidation.id.clone());
            lines.push(told(&what, world, invalidation).await);
            self.given.insert(order.invalidation.id.clone(), Given { what, ban });
        }
        lines
    }

    /// The id under which an order is given this time: a file that comes back is a new order.
    fn another(&mut self, id: &str) -> String {
        let times = self.times.entry(id.to_owned()).or_default();
        *times += 1;
        let suffix = if *times > 1 { format!(".{times}") } else { String::new() };
        let text = format!("{id}{suffix}");
        // What makes an id another one is at its end.
        text.get(text.len().saturating_sub(LONGEST_ID)..).unwrap_or(&text).to_owned()
    }
}

fn order(id: String, target: Target, world: &World) -> Invalidation {
    Invalidation {
        format: wire::invalidation::FORMAT,
        id,
        target,
        how: How::Hard,
        dry_run: false,
        issued_ms: world.now_millis(),
    }
}

async fn told(what: &str, world: &World, order: Invalidation) -> String {
    match world.log.desk().send(order, WAIT).await {
        Ok(report) => format!("{what}: {}", summary(&report)),
        Err(DeskError::QueueFull) => format!("{what}: not accepted, too many orders wait"),
        Err(error) => format!("{what}: {error}"),
    }
}

fn summary(report: &PurgeReport) -> String {
    let nodes = report.nodes.len();
    let matched = report.matched;
    match report.phase {
        Phase::Complete if report.counting => {
            format!("complete on {nodes} nodes in {} ms, still counting", report.took_ms)
        }
        Phase::Complete => {
            format!("complete on {nodes} nodes in {} ms, {matched} matched", report.took_ms)
        }
        Phase::Pending | Phase::Applying | Phase::Partial | Phase::Failed => {
            let open = report
                .nodes
                .iter()
                .filter(|node| node.state != wire::invalidation::NodeState::Done);
            let names: Vec<_> = open.map(|node| node.name.as_str()).collect();
            format!("{:?}, waiting for {}", report.phase, names.join(", "))
        }
    }
}
