//! A new view some times a second.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use dns::fleet::{Family, Fleet};
use dns::steer::Planner;
use runtime::Stage;

use crate::command::drained;
use crate::metrics::Maintained;
use crate::service::{Service, Serving};

/// Between two views.
const STEP: Duration = Duration::from_millis(200);

/// Plans from `fleet` until the process is closed.
pub(crate) async fn plan_on(service: Arc<Service>, fleet: Arc<ArcSwap<Fleet>>) {
    let mut planner = Planner::default();
    let mut shown = Maintained::new();
    let mut ticks = tokio::time::interval(STEP);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = service.drain.reached(Stage::Closed) => return,
        }
        let before = service.serving.load_full();
        let served = before.view.fleet();
        let mut answers = HashMap::new();
        for (nth, pool) in served.pools().iter().enumerate() {
            for family in Family::ALL {
                for (place, target) in pool.side(family).targets.iter().enumerate() {
                    let count = before.take(nth, family, place);
                    service.metrics.named(&pool.name, &target.name, count);
                    answers.insert((&pool.name, &target.name, family as usize), count as f64);
                }
            }
        }
        let now = service.clock.monotonic();
        let fleet = fleet.load();
        decide(&service, &fleet, now);
        let known = service.healths.lock();
        let view = planner.plan(&fleet, now, |pool, family, target| {
            let mut seen = known.of(pool, target, &service.observers);
            seen.load = service.loads.of(&pool.name, &target.name);
            let answered = answers.get(&(&pool.name, &target.name, family as usize));
            seen.answers = answered.copied().unwrap_or_default();
            seen.maintenance =
                target.maintenance || service.maintenance.has(&pool.name, &target.name);
            seen
        });
        drop(known);
        let serving = Arc::new(before.with(view));
        let out = in_maintenance(&serving);
        service.metrics.maintained(&out, &shown);
        shown = out;
        service.serving.store(serving);
    }
}

/// What this observer and the others make of what they see.
fn decide(service: &Service, fleet: &Fleet, now: Duration) {
    let own = service.healths.lock().conditions();
    let (standpoint, is_new) = service.observers.decide(&own, fleet, now);
    let others = service.observers.live(now).len();
    service.metrics.stands(standpoint, others);
    if is_new {
        tracing::info!(standpoint = standpoint.as_str(), others, "standpoint changed");
    }
}

fn in_maintenance(serving: &Serving) -> Maintained {
    let mut out = Maintained::new();
    for (nth, pool) in serving.view.fleet().pools().iter().enumerate() {
        for target in Family::ALL.iter().flat_map(|family| &pool.side(*family).targets) {
            if let Some(quiet) = drained(serving, nth, &target.name) {
                out.insert((pool.name.clone(), target.name.clone()), quiet);
            }
        }
    }
    out
}
