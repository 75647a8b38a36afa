//! What all threads share.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};
use dns::answer::{Answered, Sent, Transport, answer};
use dns::fleet::{Family, Fleet};
use dns::place::Database;
use dns::steer::View;
use runtime::{Clock, Drain};

use crate::healths::Healths;
use crate::loads::Loads;
use crate::maintenance::Maintenance;
use crate::metrics::DnsMetrics;
use crate::observers::Observers;
use crate::rings::Rings;

/// What all threads share: the view that answers come from, and what counts them.
#[derive(Debug)]
pub struct Service {
    /// Replaced some times a second.
    pub serving: ArcSwap<Serving>,
    /// Where clients are, if that is known.
    pub places: ArcSwapOption<Database>,
    /// What probes found.
    pub healths: Healths,
    /// The same together with what others found.
    pub observers: Observers,
    /// What edges say of themselves.
    pub loads: Loads,
    /// Who was taken out by command.
    pub maintenance: Maintenance,
    /// The edges of the PoPs, if they are known.
    pub rings: ArcSwapOption<Rings>,
    /// Tells the time.
    pub clock: Clock,
    /// Counts.
    pub metrics: DnsMetrics,
    /// How the process ends.
    pub drain: Drain,
}

/// A view and the answers given from it and those before it, of the same fleet.
#[derive(Clone, Debug)]
pub struct Serving {
    /// How all PoPs stand.
    pub view: View,
    tally: Arc<Tally>,
}

/// Answers by pool, family and target.
type Tally = Vec<[Vec<AtomicU64>; 2]>;

impl Service {
    /// A service for a fleet of which nothing is known yet.
    pub fn new(fleet: Arc<Fleet>, clock: Clock, metrics: DnsMetrics, drain: Drain) -> Arc<Self> {
        let serving = Serving::new(View::calm(fleet));
        Arc::new(Self {
            serving: ArcSwap::from_pointee(serving),
            places: ArcSwapOption::empty(),
            healths: Healths::default(),
            observers: Observers::default(),
            loads: Loads::default(),
            maintenance: Maintenance::default(),
            rings: ArcSwapOption::empty(),
            clock,
            metrics,
            drain,
        })
    }

    /// Answers a query into `out` from what is in force, and counts the query. Whoever sends the answer says so with
    /// [`Serving::sent`].
    pub fn answer(
        &self,
        serving: &Serving,
        places: Option<&Database>,
        packet: &[u8],
        peer: IpAddr,
        transport: Transport,
        out: &mut [u8],
    ) -> Answered {
        let answered = answer(packet, peer, transport, &serving.view, places, out);
        self.metrics.count(&answered);
        answered
    }
}

impl Serving {
    /// A view of a fleet that was not served before.
    pub fn new(view: View) -> Self {
        let side = |len| (0..len).map(|_| AtomicU64::new(0)).collect::<Vec<_>>();
        let tally = view.fleet().pools().iter();
        let tally = tally
            .map(|pool| Family::ALL.map(|family| side(pool.side(family).targets.len())))
            .collect();
        Self { view, tally: Arc::new(tally) }
    }

    /// A later view; the counts go on if the fleet is the same.
    pub fn with(&self, view: View) -> Self {
        if Arc::ptr_eq(view.fleet(), self.view.fleet()) {
            return Self { view, tally: Arc::clone(&self.tally) };
        }
        Self::new(view)
    }

    /// An answer was sent. Each PoP of it is credited with the whole answer: clients have all of them.
    pub fn sent(&self, answered: &Answered) {
        let Some(Sent { pool, family, choice, .. }) = &answered.sent else { return };
        let Some(sides) = self.tally.get(*pool) else { return };
        for picked in choice.picked() {
            if let Some(count) = sides[*family as usize].get(usize::from(*picked)) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Answers with a target since the last time this was asked.
    pub(crate) fn take(&self, pool: usize, family: Family, target: usize) -> u64 {
        let sides = self.tally.get(pool);
        let count = sides.and_then(|sides| sides[family as usize].get(target));
        count.map_or(0, |count| count.swap(0, Ordering::Relaxed))
    }
}
