//! What edges say of themselves in the heartbeats of the log.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, Member};
use parking_lot::Mutex;
use runtime::Stage;
use tokio::time::sleep;

use crate::service::Service;

/// Between two looks: edges say something every second.
const EVERY: Duration = Duration::from_secs(1);
/// Who has said nothing for so long has no load any more.
const SILENT: Duration = Duration::from_secs(4);
/// While the log is away, what was known last counts for so long.
const MEMORY: Duration = Duration::from_secs(60);

/// Requests per second of PoPs, by pool and PoP.
#[derive(Debug, Default)]
pub struct Loads(Mutex<HashMap<String, HashMap<String, f64>>>);

impl Loads {
    /// Requests per second that a PoP gets, if its edges say so.
    #[must_use]
    pub fn of(&self, pool: &str, pop: &str) -> Option<f64> {
        self.0.lock().get(pool)?.get(pop).copied()
    }

    /// Takes what nodes say now instead of what they said before.
    fn take(&self, members: &[Member]) {
        let mut loads: HashMap<String, HashMap<String, f64>> = HashMap::new();
        for Member { beat, unheard, .. } in members {
            let (Some(pop), Some(rate)) = (&beat.pop, beat.requests_per_second) else { continue };
            if *unheard <= SILENT {
                let pops = loads.entry(beat.pool.clone()).or_default();
                *pops.entry(pop.clone()).or_default() += f64::from(rate);
            }
        }
        *self.0.lock() = loads;
    }
}

/// Reads the members of a log until the process is closed.
pub async fn follow_loads(service: Arc<Service>, bus: Arc<dyn Bus>) {
    let mut heard = service.clock.monotonic();
    loop {
        let now = service.clock.monotonic();
        match bus.members().await {
            Ok(members) => {
                heard = now;
                service.loads.take(&members);
            }
            Err(_) if now.saturating_sub(heard) > MEMORY => service.loads.take(&[]),
            // The log says itself that it is away.
            Err(_) => {}
        }
        tokio::select! {
            () = sleep(EVERY) => {}
            () = service.drain.reached(Stage::Closed) => return,
        }
    }
}

#[cfg(test)]
mod tests;
