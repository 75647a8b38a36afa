//! Tells the other observers what this one sees, and hears what they do, over the log's Redis.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bus::{BusError, RedisBus, Sighting};
use runtime::Stage;
use tokio::time::{sleep, timeout};
use wire::observers::{FORMAT, MAX_BYTES, MAX_OBSERVERS, Report};

use crate::metrics::Exchanged;
use crate::observers::{KEEP, heard, report};
use crate::service::Service;

/// Between two exchanges. What changes is told at once.
const EVERY: Duration = Duration::from_millis(200);
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// This observer's part of the exchange.
struct Exchange {
    service: Arc<Service>,
    bus: Arc<RedisBus>,
    name: String,
    instance: u64,
    /// By the others' names: the stamp of what was heard last.
    stamps: HashMap<String, i64>,
    /// Those whose ballots counted.
    live: Vec<String>,
    /// Something of this name was told before.
    told: bool,
    /// What goes wrong, and what went wrong in the turn before, so that it is logged once.
    wrong: [Vec<Exchanged>; 2],
}

/// Exchanges until the process is closed, then says goodbye. `name` must be no other observer's.
pub async fn exchange_on(service: Arc<Service>, bus: Arc<RedisBus>, name: String) {
    // Without random numbers nobody is found to have the same name.
    let instance = getrandom::u64().unwrap_or_default();
    service.observers.meet(service.clock.monotonic());
    let (stamps, live, drain) = (HashMap::new(), Vec::new(), service.drain.clone());
    let mut exchange = Exchange {
        service,
        bus,
        name,
        instance,
        stamps,
        live,
        told: false,
        wrong: Default::default(),
    };
    loop {
        let service = Arc::clone(&exchange.service);
        tokio::select! {
            () = sleep(EVERY) => {}
            () = service.healths.changed() => {}
            () = drain.reached(Stage::Closed) => break,
        }
        exchange.turn(false).await;
    }
    // Whoever does not hear it waits for the end of a lease.
    let _ = timeout(GOODBYE, exchange.turn(true)).await;
}

impl Exchange {
    async fn turn(&mut self, leaves: bool) {
        self.wrong.swap(0, 1);
        self.wrong[0].clear();
        let service = Arc::clone(&self.service);
        let report = report(&service.healths.lock().conditions(), self.instance, leaves);
        let text = serde_json::to_string(&report).ok().filter(|text| text.len() <= MAX_BYTES);
        let Some(text) = text else { return self.complain(Exchanged::TooLarge) };
        let asked = service.clock.monotonic();
        let mut left = Vec::new();
        match self.bus.observe(&self.name, &text, KEEP, MAX_OBSERVERS).await {
            Ok(said) => {
                service.metrics.exchanged(Exchanged::Told);
                service.observers.meet(asked);
                self.stamps.retain(|name, _| said.iter().any(|one| one.observer == *name));
                left.extend(said.into_iter().filter_map(|one| self.take(one, asked)));
                self.told = true;
            }
            Err(BusError::Away(_)) => self.complain(Exchanged::Away),
            Err(BusError::Refused(_)) => self.complain(Exchanged::Refused),
        }
        let live = service.observers.live(service.clock.monotonic());
        for gone in self.live.iter().filter(|name| !live.contains(name) && !left.contains(name)) {
            service.metrics.exchanged(Exchanged::Late);
            tracing::warn!(observer = gone, "an observer is not heard any more");
        }
        self.live = live;
    }

    /// Takes what somebody said, heard when it was `asked` for; the name of who said goodbye.
    fn take(&mut self, said: Sighting, asked: Duration) -> Option<String> {
        let Sighting { observer, stamp, age, report } = said;
        // The same again says nothing of whether it is still there.
        if self.stamps.insert(observer.clone(), stamp) == Some(stamp) {
            return None;
        }
        let Some(report) = report_of(&report) else {
            self.complain(Exchanged::Unread);
            return None;
        };
        if observer == self.name {
            // What the process before this one left is not another's.
            if report.instance != self.instance && self.told {
                self.complain(Exchanged::Namesake);
            }
            return None;
        }
        if report.leaves {
            self.service.observers.leave(&observer);
            return Some(observer);
        }
        self.service.metrics.exchanged(Exchanged::Heard);
        self.service.observers.hear(&observer, heard(report), asked.saturating_sub(age));
        None
    }

    fn complain(&mut self, result: Exchanged) {
        self.service.metrics.exchanged(result);
        if self.wrong.iter().flatten().all(|wrong| *wrong != result) {
            let (observer, result) = (&self.name, result.as_str());
            tracing::warn!(observer, result, "observers do not hear each other as they should");
        }
        self.wrong[0].push(result);
    }
}

fn report_of(text: &str) -> Option<Report> {
    let fits = text.len() <= MAX_BYTES;
    let report: Report = fits.then(|| serde_json::from_str(text).ok()).flatten()?;
    (report.format == FORMAT).then_some(report)
}
