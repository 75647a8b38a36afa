//! Ready only when it has seen the places: until then everything would count as well.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use dns::fleet::Fleet;
use dns::health::Condition;
use runtime::Stage;
use runtime::ready::Gate;
use tokio::time::{sleep, timeout};

use crate::probing;
use crate::service::Service;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// A place that cannot be judged in that time is not waited for: answers that may be wrong are better than none.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens `gate` once every address of the first zones was judged.
pub(crate) async fn look(service: Arc<Service>, fleet: Arc<ArcSwap<Fleet>>, gate: Gate) {
    let nothing = |fleet: &Fleet| fleet.version().is_empty() && fleet.zones().is_empty();
    while nothing(&fleet.load()) {
        tokio::select! {
            () = sleep(LOOK) => {}
            () = service.drain.reached(Stage::Draining) => return,
        }
    }
    let wanted = probing::ways(&fleet.load()).len();
    let judged = || {
        let conditions = service.healths.lock().conditions();
        conditions.iter().filter(|(_, condition)| *condition != Condition::Unknown).count()
    };
    let all = async {
        while judged() < wanted {
            sleep(LOOK).await;
        }
    };
    tokio::select! {
        looked = timeout(PATIENCE, all) => {
            if looked.is_err() {
                tracing::warn!(judged = judged(), of = wanted, "ready without having seen all places");
            }
        }
        () = service.drain.reached(Stage::Draining) => {}
    }
    gate.open();
}

#[cfg(test)]
mod tests;
