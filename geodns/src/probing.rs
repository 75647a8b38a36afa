//! Finds out over HTTP whether PoPs are well, each address by a task of its own.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use dns::fleet::{Family, Fleet};
use dns::health::HealthSettings;
use runtime::Stage;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use wire::zones::Probe;

use crate::healths::Subject;
use crate::service::Service;

mod ask;

/// Between two looks whether there is another fleet.
const LOOK: Duration = Duration::from_millis(100);

/// Where and how an address is probed.
pub(crate) type Way = (SocketAddr, Probe);

/// Probes what is in `fleet` until the process is closed.
pub(crate) async fn probe_on(service: Arc<Service>, fleet: Arc<ArcSwap<Fleet>>) {
    let mut running: HashMap<Subject, (Way, JoinHandle<()>)> = HashMap::new();
    let mut last: Option<Arc<Fleet>> = None;
    loop {
        let current = fleet.load_full();
        if last.as_ref().is_none_or(|last| !Arc::ptr_eq(last, &current)) {
            let wanted = ways(&current);
            running.retain(|subject, (way, task)| {
                let stays = wanted.get(subject) == Some(&*way);
                if !stays {
                    task.abort();
                }
                if !wanted.contains_key(subject) {
                    service.healths.forget(subject);
                    service.metrics.forget(subject);
                }
                stays
            });
            for (subject, way) in wanted {
                running.entry(subject).or_insert_with_key(|subject| {
                    service.healths.begin(subject, service.clock.monotonic());
                    let watching = watch(Arc::clone(&service), subject.clone(), way.clone());
                    (way, tokio::spawn(watching))
                });
            }
            last = Some(current);
        }
        tokio::select! {
            () = sleep(LOOK) => {}
            () = service.drain.reached(Stage::Closed) => break,
        }
    }
    running.values().for_each(|(_, task)| task.abort());
}

/// All addresses of a fleet that are probed.
pub(crate) fn ways(fleet: &Fleet) -> HashMap<Subject, Way> {
    let mut ways = HashMap::new();
    for pool in fleet.pools() {
        let Some(probe) = &pool.probe else { continue };
        for target in Family::ALL.iter().flat_map(|family| &pool.side(*family).targets) {
            for (address, to) in target.addresses.iter().zip(&target.probed_at) {
                let (pool, pop) = (pool.name.clone(), target.name.clone());
                ways.insert(Subject { pool, pop, address: *address }, (*to, probe.clone()));
            }
        }
    }
    ways
}

async fn watch(service: Arc<Service>, subject: Subject, (to, probe): Way) {
    let settings = HealthSettings::from(&probe);
    // Without random numbers observers probe in step, which is not worth to stop for.
    let random = || getrandom::u64().unwrap_or_default();
    // Not all at once at the start.
    sleep(settings.interval_in_doubt.mul_f64(part(random()))).await;
    loop {
        let began = service.clock.monotonic();
        let answer = timeout(settings.timeout, ask::ask(to, &probe)).await;
        let now = service.clock.monotonic();
        let took = now.saturating_sub(began);
        let (is_well, word) = match answer {
            Ok(Ok(())) => (Some(true), "well"),
            Ok(Err(failure)) => (Some(false), failure.as_str()),
            // Who was too busy to look at the clock was too busy to look for an answer.
            Err(_) if took > settings.timeout * 2 => (None, "late"),
            Err(_) => (Some(false), "timeout"),
        };
        service.metrics.probed(&subject, word, took.as_secs_f64());
        let mut pause = settings.interval_in_doubt;
        if let Some(is_well) = is_well {
            let observed = service.healths.observe(&subject, is_well, &settings, now, random());
            let Some(observed) = observed else { return };
            pause = observed.pause;
            service.metrics.state(&subject, observed.condition);
            if let Some(reason) = observed.changed {
                service.metrics.changed(&subject, reason);
                let (state, reason) = (observed.condition.as_str(), reason.as_str());
                let Subject { pool, pop, address } = &subject;
                tracing::info!(pool, pop, %address, state, reason, probe = word, "address changed");
            }
        }
        let rest = pause.saturating_sub(took);
        tokio::select! {
            () = sleep(rest) => {}
            // Not at once: whoever hears of it too probes now.
            () = service.healths.suspected(&subject) => {
                sleep(rest.min(settings.interval_in_doubt).mul_f64(part(random()))).await;
            }
        }
    }
}

/// From 64 random bits, something from 0 to 1.
fn part(random: u64) -> f64 {
    (random >> 11) as f64 / 2f64.powi(53)
}
