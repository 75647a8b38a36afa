//! How a PoP's share of its clients follows its capacity.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Of a PoP's capacity this much is used before it gets fewer clients: between two plans, and as answers are counted,
/// not requests, it can be a little more than meant.
const FULL: f64 = 0.95;
/// How fast a share follows.
const FOLLOW: Duration = Duration::from_secs(2);
/// Answers longer ago than that count little.
const MEMORY: Duration = Duration::from_secs(1);
/// All load is taken for what it was for so long, then follows slowly: what a PoP had that is gone comes back at the
/// others as clients ask again.
const HOLD: Duration = Duration::from_secs(60);
/// The least that is left to a PoP above its capacity.
const LEAST: f64 = 0.001;

/// What a PoP has and may have.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traffic {
    /// Requests per second that it may get.
    pub(super) capacity: Option<u32>,
    /// Requests per second that it gets.
    pub(super) load: Option<f64>,
    /// Answers with it since the last time.
    pub(super) answers: f64,
    /// Clients may get it.
    pub(super) open: bool,
}

/// The PoPs of a pool, by their names.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    by_pop: HashMap<String, Room>,
    /// Requests per second of all clients, the most of the last time.
    load: f64,
    /// For how long it was less than that.
    below: Duration,
}

#[derive(Debug)]
struct Room {
    /// Of its clients it gets this part.
    part: f64,
    /// Answers per second, the recent ones the most.
    rate: f64,
}

impl Rooms {
    /// The part of its clients that a PoP may have for its capacity, 0 to 1.
    pub(super) fn part(&self, pop: &str) -> f64 {
        self.by_pop.get(pop).map_or(1.0, |room| room.part)
    }

    /// Goes on by `step`. What counts are the answers given now, which become load once the clients have them, not
    /// the load itself, which is of answers that clients still remember: so it does not run past where it should end.
    pub(super) fn update(&mut self, pops: &BTreeMap<&str, Traffic>, step: Duration) {
        self.by_pop.retain(|name, _| pops.contains_key(name.as_str()));
        self.below = self.below.saturating_add(step);
        let step = step.as_secs_f64();
        for (name, traffic) in pops {
            let new = || Room { part: 1.0, rate: 0.0 };
            let room = self.by_pop.entry((*name).to_owned()).or_insert_with(new);
            let rate = if step > 0.0 { traffic.answers / step } else { room.rate };
            room.rate += (rate - room.rate) * step / (step + MEMORY.as_secs_f64());
        }
        let all: f64 = self.by_pop.values().map(|room| room.rate).sum();
        let load: f64 = pops.values().filter_map(|traffic| traffic.load).sum();
        if self.below > HOLD {
            self.load += (load - self.load) * step / (step + FOLLOW.as_secs_f64());
        }
        if load >= self.load {
            (self.load, self.below) = (load, Duration::ZERO);
        }
        let gain = step / (step + FOLLOW.as_secs_f64());
        let mut most: f64 = 0.0;
        for (name, room) in &mut self.by_pop {
            let traffic = &pops[name.as_str()];
            room.part = match traffic.capacity.zip(traffic.load) {
                Some((capacity, own)) => {
                    let expected = if all > 0.0 { self.load * room.rate / all } else { own };
                    let ratio = f64::from(capacity) * FULL / expected.max(f64::MIN_POSITIVE);
                    (room.part * ratio.min(2.0).powf(gain)).clamp(LEAST, 1.0)
                }
                None => 1.0,
            };
            most = if traffic.open { most.max(room.part) } else { most };
        }
        // Where all have too much, none turns away more than the others make it.
        if most > 0.0 {
            self.by_pop.values_mut().for_each(|room| room.part = (room.part / most).min(1.0));
        }
    }
}
