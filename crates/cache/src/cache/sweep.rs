//! The sweeper's rounds: objects that nobody asks for are held against orders, too, so that memory
//! comes back and orders can be forgotten.

use std::sync::Arc;
use std::time::Duration;

use semantics::Timestamp;

use super::Cache;
use crate::invalidation::Counted;
use crate::object::Object;

/// Buckets looked at under one lock.
const STRIDE: usize = 512;
/// Buckets looked at in one piece of work.
const PIECE: usize = 4 * STRIDE;

/// Where a round stands.
#[derive(Debug)]
pub struct Sweep {
    until: u64,
    bans_until: u64,
    shard: usize,
    bucket: usize,
    /// How often the table had moved its slots when the shard was begun.
    moves: u64,
}

/// What a piece of a round came to.
#[derive(Debug)]
pub enum Swept {
    /// There is more to do.
    More,
    /// The round is through; these orders are counted by now.
    Done(Vec<Counted>),
}

impl Cache {
    /// Whether a round is due: now (`Some(None)`), at a time, or when something was ordered. Bans are
    /// left to lazy checks for `grace`, so that lifting one is worth something.
    pub fn sweep_due(&self, grace: Duration) -> Option<Option<Timestamp>> {
        self.orders.due(grace)
    }

    /// Begins a round against everything ordered so far, but for bans younger than `grace`.
    pub fn begin_sweep(&self, grace: Duration, now: Timestamp) -> Sweep {
        let (until, bans_until) = self.orders.sweep_until(grace, now);
        Sweep { until, bans_until, shard: 0, bucket: 0, moves: self.moves(0) }
    }

    /// One piece of a round: well under a millisecond.
    pub fn sweep(&self, sweep: &mut Sweep, now: Timestamp) -> Swept {
        let mut seen = 0;
        let mut found: Vec<Arc<Object>> = Vec::new();
        while let Some(shard) = self.index.shards().get(sweep.shard) {
            if seen >= PIECE {
                return Swept::More;
            }
            {
                let table = shard.0.read();
                // Slots that moved may have been passed over: the shard is begun again.
                if table.moves != sweep.moves {
                    (sweep.bucket, sweep.moves) = (0, table.moves);
                }
                let end = table.num_buckets().min(sweep.bucket + STRIDE);
                let slots = (sweep.bucket..end).filter_map(|bucket| table.get_bucket(bucket));
                let behind = |object: &&Arc<Object>| object.checked() < sweep.until;
                found.extend(slots.flat_map(|slot| slot.objects()).filter(behind).cloned());
                seen += (end - sweep.bucket.min(end)).max(16);
                sweep.bucket = end;
                if end >= table.num_buckets() {
                    drop(table);
                    sweep.shard += 1;
                    (sweep.bucket, sweep.moves) = (0, self.moves(sweep.shard));
                }
            }
            for object in found.drain(..) {
                match self.judge(&object, sweep.bans_until, now) {
                    // It changes anyway: then against everything.
                    Some(judged)
                        if !judged.bans.is_empty() || judged.matched.newest().is_some() =>
                    {
                        self.settle(&object, now);
                    }
                    Some(judged) => self.carry_through(&object, &judged, now),
                    None => {}
                }
            }
        }
        let counted = self.orders.swept(sweep.until, sweep.bans_until);
        self.forget(now);
        Swept::Done(counted)
    }

    /// Forgets orders that nothing is subject to any more; whether any are left.
    pub fn forget(&self, now: Timestamp) -> bool {
        self.orders.forget(now);
        self.orders.remembered() > 0
    }

    fn moves(&self, shard: usize) -> u64 {
        self.index.shards().get(shard).map_or(0, |shard| shard.0.read().moves)
    }
}
