//! From what is known of PoPs to the shares of their clients that they get.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::room::{Rooms, Traffic};
use super::{PopState, Ramp, SideView, Standing, View};
use crate::fleet::{Family, Fleet, Pool, Target};

/// What is known of a PoP, by its addresses of one family.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// What it is.
    pub state: PopState,
    /// Somebody took it out. What it is counts still: who is dead does not leave by degrees.
    pub maintenance: bool,
    /// It may become something else at once: a probe failed, or the first succeeded.
    pub in_doubt: bool,
    /// Its addresses that are not well while others are, a bit for each.
    pub left_out: u8,
    /// Requests per second that it gets now over both families; `None` where it does not say.
    pub load: Option<f64>,
    /// Answers with it since the last plan, those with others too as parts of one.
    pub answers: f64,
}

impl Seen {
    /// A PoP that says nothing of its load.
    #[must_use]
    pub fn new(state: PopState) -> Self {
        let (maintenance, in_doubt) = (false, false);
        Self { state, maintenance, in_doubt, left_out: 0, load: None, answers: 0.0 }
    }

    /// As what it stands in the view.
    fn shown(&self) -> PopState {
        if self.maintenance { PopState::Maintenance } else { self.state }
    }
}

/// Makes views. Remembers what is on its way.
#[derive(Debug, Default)]
pub struct Planner {
    /// By name.
    pools: HashMap<String, Plan>,
    last: Option<Duration>,
}

/// What is on its way in a pool.
#[derive(Debug, Default)]
struct Plan {
    rooms: Rooms,
    /// Of either family, by the PoPs' names.
    tracks: [HashMap<String, Track>; 2],
}

#[derive(Clone, Copy, Debug)]
struct Track {
    ramp: Ramp,
    /// Since when nobody gets it.
    out_since: Option<Duration>,
}

impl Planner {
    /// How all stand at `now`, the time of a monotonic clock. `seen` says what is known of a PoP; it is asked once for
    /// each family. The fleet may be another than last time: PoPs are told by their names.
    #[must_use]
    pub fn plan(
        &mut self,
        fleet: &Arc<Fleet>,
        now: Duration,
        mut seen: impl FnMut(&Pool, Family, &Target) -> Seen,
    ) -> View {
        let step = now.saturating_sub(self.last.unwrap_or(now));
        self.pools.retain(|name, _| fleet.pools().iter().any(|pool| pool.name == *name));
        let views = fleet.pools().iter().map(|pool| {
            let known = Family::ALL.map(|family| {
                let targets = pool.side(family).targets.iter();
                targets.map(|target| seen(pool, family, target)).collect::<Vec<_>>()
            });
            let plan = self.pools.entry(pool.name.clone()).or_default();
            plan.rooms.update(&traffic(pool, &known), step);
            Family::ALL.map(|family| plan.side(pool, family, &known[family as usize], now))
        });
        let view = View::new(Arc::clone(fleet), views.collect());
        self.last = Some(now);
        view
    }
}

/// The traffic of a pool's PoPs, both families together.
fn traffic<'a>(pool: &'a Pool, known: &[Vec<Seen>; 2]) -> BTreeMap<&'a str, Traffic> {
    let mut pops: BTreeMap<&str, Traffic> = BTreeMap::new();
    for family in Family::ALL {
        for (target, seen) in pool.side(family).targets.iter().zip(&known[family as usize]) {
            let pop = pops.entry(&target.name).or_default();
            pop.capacity = target.capacity;
            pop.load = pop.load.or(seen.load).filter(|load| load.is_finite() && *load >= 0.0);
            pop.answers += if seen.answers.is_finite() { seen.answers.max(0.0) } else { 0.0 };
            pop.open |= target.weight > 0 && seen.shown().share() > 0.0;
        }
    }
    pops
}

impl Plan {
    fn side(&mut self, pool: &Pool, family: Family, known: &[Seen], now: Duration) -> SideView {
        let steering = &pool.steering;
        let ttl = Duration::from_secs(steering.ttl.into());
        let targets = &pool.side(family).targets;
        let before = std::mem::take(&mut self.tracks[family as usize]);
        let mut pending = false;
        let mut standings = Vec::with_capacity(targets.len());
        for (target, seen) in targets.iter().zip(known) {
            let wanted = if target.weight > 0 { seen.shown().share() } else { 0.0 };
            let mut track = before.get(&target.name).copied().unwrap_or(Track {
                // Who comes to others starts with nobody; at the start all are there at once.
                ramp: Ramp::still(if before.is_empty() { wanted } else { 0.0 }),
                out_since: None,
            });
            if seen.state == PopState::Unhealthy {
                track.ramp = Ramp::still(0.0);
            } else {
                track.ramp.go(wanted, now, Duration::from_secs(steering.ramp.into()));
            }
            let part = self.rooms.part(&target.name);
            let share = track.ramp.at(now) * part;
            track.out_since = if share > 0.0 { None } else { track.out_since.or(Some(now)) };
            let mut standing = Standing::new(seen.shown(), share, seen.left_out);
            standing.quiet = track.out_since.is_some_and(|since| now.saturating_sub(since) >= ttl);
            standings.push(standing);
            pending |= seen.in_doubt || track.ramp.is_moving(now) || part < 1.0;
            self.tracks[family as usize].insert(target.name.clone(), track);
        }
        let mut view = SideView::new(standings, |nth| targets[nth].weight > 0, steering.ttl);
        if pending || view.all_bad {
            view.ttl = steering.pending_ttl;
        }
        view
    }
}
