//! What edges say of themselves in the heartbeats of the log.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, Member};
use dns::health::HealthSettings;
use parking_lot::Mutex;
use runtime::Stage;
use tokio::time::sleep;

use crate::service::Service;
use crate::signals::{SILENT, Signal, Signals};

/// Between two looks: edges say something every second.
const EVERY: Duration = Duration::from_secs(1);
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
    let mut signals = Signals::default();
    loop {
        let now = service.clock.monotonic();
        match bus.members().await {
            Ok(members) => {
                heard = now;
                service.loads.take(&members);
                signals.take(&members).iter().for_each(|signal| suspect(&service, signal));
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

/// Lets the addresses of a PoP be probed soon. A heartbeat does not say through which of them clients come.
fn suspect(service: &Service, Signal { pool, pop, why }: &Signal) {
    let serving = service.serving.load();
    let mut pools = serving.view.fleet().pools().iter();
    let probe = pools.find(|known| known.name == *pool).and_then(|pool| pool.probe.as_ref());
    let Some(probe) = probe else { return };
    tracing::info!(pool, pop, why = why.as_str(), "an edge of the pop is to be doubted");
    service.metrics.signalled(*why);
    service.healths.suspect(pool, pop, &HealthSettings::from(probe), service.clock.monotonic());
}

#[cfg(test)]
mod tests;
