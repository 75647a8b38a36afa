//! What probes found, for who plans and who explains.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use dns::fleet::{Pool, Target};
use dns::health::{Condition, Health, HealthReason, HealthSettings, combine};
use dns::steer::Seen;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::observers::Observers;

/// An address that is probed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The pool.
    pub pool: String,
    /// Its PoP.
    pub pop: String,
    /// The address that clients use.
    pub address: IpAddr,
}

/// The health of all addresses that are probed.
#[derive(Debug, Default)]
pub struct Healths {
    known: Mutex<Known>,
    news: Notify,
    suspicions: Notify,
}

/// The same, for as long as nobody changes it.
#[derive(Debug, Default)]
pub struct Known(HashMap<Subject, Health>);

/// What a probe changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observed {
    pub(crate) condition: Condition,
    /// Why, if it is another one than before.
    pub(crate) changed: Option<HealthReason>,
    /// From the start of this probe to that of the next.
    pub(crate) pause: Duration,
}

impl Healths {
    /// Looks at all; keep it short.
    pub fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock()
    }

    /// Waits until an address changes.
    pub(crate) async fn changed(&self) {
        self.news.notified().await;
    }

    /// An address is probed from `now` on.
    pub(crate) fn begin(&self, subject: &Subject, now: Duration) {
        self.lock().0.entry(subject.clone()).or_insert_with(|| Health::new(now));
    }

    /// An address is probed no more.
    pub(crate) fn forget(&self, subject: &Subject) {
        self.lock().0.remove(subject);
    }

    /// Something else than a probe speaks against all addresses of a PoP.
    pub(crate) fn suspect(&self, pool: &str, pop: &str, settings: &HealthSettings, now: Duration) {
        let mut known = self.lock();
        let own = known.0.iter_mut().filter(|(one, _)| one.pool == pool && one.pop == pop);
        for (_, health) in own {
            health.observe_passive(settings, now);
        }
        drop(known);
        self.suspicions.notify_waiters();
    }

    /// Waits until something else than a probe speaks against an address.
    pub(crate) async fn suspected(&self, subject: &Subject) {
        loop {
            self.suspicions.notified().await;
            if self.lock().0.get(subject).is_some_and(Health::is_suspected) {
                return;
            }
        }
    }

    /// A probe ended; `None` if the address is probed no more.
    pub(crate) fn observe(
        &self,
        subject: &Subject,
        is_well: bool,
        settings: &HealthSettings,
        now: Duration,
        random: u64,
    ) -> Option<Observed> {
        let mut known = self.lock();
        let health = known.0.get_mut(subject)?;
        let changed = health.observe(is_well, settings, now);
        let pause = health.pause(settings, random);
        if changed.is_some() {
            self.news.notify_one();
        }
        Some(Observed { condition: health.condition(), changed, pause })
    }
}

impl Known {
    /// The health of an address.
    #[must_use]
    pub fn health(&self, pool: &str, pop: &str, address: IpAddr) -> Option<&Health> {
        self.0.get(&Subject { pool: pool.to_owned(), pop: pop.to_owned(), address })
    }

    /// Where this observer sees all addresses.
    pub(crate) fn conditions(&self) -> Vec<(Subject, Condition)> {
        let condition =
            |(subject, health): (&Subject, &Health)| (subject.clone(), health.condition());
        self.0.iter().map(condition).collect()
    }

    /// What is known of a PoP by its addresses of one family, and what was decided on them.
    pub(crate) fn of(&self, pool: &Pool, target: &Target, observers: &Observers) -> Seen {
        let subject = |address: &IpAddr| Subject {
            pool: pool.name.clone(),
            pop: target.name.clone(),
            address: *address,
        };
        let subjects: Vec<_> = target.addresses.iter().map(subject).collect();
        let conditions: Vec<_> = subjects.iter().map(|one| observers.condition(one)).collect();
        let healths = subjects.iter().map(|subject| self.0.get(subject));
        let (state, left_out) = combine(&conditions, HealthSettings::default().degraded_share);
        let mut seen = Seen::new(state);
        seen.left_out = left_out;
        seen.in_doubt = healths.flatten().any(Health::is_in_doubt);
        seen
    }
}
