//! What probes found, for who plans and who explains.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use dns::fleet::{Pool, Target};
use dns::health::{Condition, Health, HealthReason, HealthSettings, combine};
use dns::steer::Seen;
use parking_lot::{Mutex, MutexGuard};

/// An address that is probed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
pub struct Healths(Mutex<Known>);

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
        self.0.lock()
    }

    /// An address is probed from `now` on.
    pub(crate) fn begin(&self, subject: &Subject, now: Duration) {
        self.lock().0.entry(subject.clone()).or_insert_with(|| Health::new(now));
    }

    /// An address is probed no more.
    pub(crate) fn forget(&self, subject: &Subject) {
        self.lock().0.remove(subject);
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
        Some(Observed { condition: health.condition(), changed, pause })
    }
}

impl Known {
    /// The health of an address.
    #[must_use]
    pub fn health(&self, pool: &str, pop: &str, address: IpAddr) -> Option<&Health> {
        self.0.get(&Subject { pool: pool.to_owned(), pop: pop.to_owned(), address })
    }

    /// What is known of a PoP by its addresses of one family.
    #[must_use]
    pub fn of(&self, pool: &Pool, target: &Target) -> Seen {
        let health = |address: &IpAddr| self.health(&pool.name, &target.name, *address);
        let healths: Vec<_> = target.addresses.iter().map(health).collect();
        let condition =
            |health: &Option<&Health>| health.map_or(Condition::Unknown, Health::condition);
        let conditions: Vec<_> = healths.iter().map(condition).collect();
        let (state, left_out) = combine(&conditions, HealthSettings::default().degraded_share);
        let mut seen = Seen::new(state);
        seen.left_out = left_out;
        seen.in_doubt = healths.iter().flatten().any(|health| health.is_in_doubt());
        seen
    }
}
