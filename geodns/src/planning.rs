//! A new view some times a second.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use dns::fleet::{Family, Fleet};
use dns::steer::Planner;
use runtime::Stage;

use crate::service::Service;

/// Between two views.
const STEP: Duration = Duration::from_millis(200);

/// Plans from `fleet` until the process is closed.
pub(crate) async fn plan_on(service: Arc<Service>, fleet: Arc<ArcSwap<Fleet>>) {
    let mut planner = Planner::default();
    let mut ticks = tokio::time::interval(STEP);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = service.drain.reached(Stage::Closed) => return,
        }
        let before = service.serving.load_full();
        let served = before.view.fleet();
        for (nth, pool) in served.pools().iter().enumerate() {
            for family in Family::ALL {
                for (place, target) in pool.side(family).targets.iter().enumerate() {
                    let count = before.take(nth, family, place);
                    service.metrics.named(&pool.name, &target.name, count);
                }
            }
        }
        let now = service.clock.monotonic();
        let seen = service.healths.lock();
        let view = planner.plan(&fleet.load(), now, |pool, _, target| seen.of(pool, target));
        drop(seen);
        service.serving.store(Arc::new(before.with(view)));
    }
}
