//! The store as a whole: settings, room, and the paths through it (one file each, in `cache/`).

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};

use parking_lot::Mutex;
use semantics::{Timestamp, Vary};
use smallvec::SmallVec;
use wire::EvictionPolicy;

use crate::accounts::Accounts;
use crate::eviction::{Evictor, Unit};
use crate::index::Index;
use crate::invalidation::Orders;
use crate::object::Object;
use crate::settings::Settings;
use crate::stats::{Counters, Stats, down, up};
use crate::tags::TagIndex;

mod apply;
mod ask;
mod entries;
mod publish;
mod remove;
mod sweep;

pub use entries::{Cursor, EntryInfo, VariantInfo};
pub use remove::Invalidate;
pub use sweep::{Sweep, Swept};

/// How many popular sets of `Vary` fields are kept once for all objects.
const VARIES: usize = 64;

/// The store of an edge or a shield. Shared by all its threads.
pub struct Cache {
    pub(crate) index: Index,
    pub(crate) evictor: Evictor,
    pub(crate) counters: Counters,
    pub(crate) orders: Orders,
    pub(crate) tags: Arc<TagIndex>,
    accounts: Arc<Accounts>,
    capacity: AtomicU64,
    max_object: AtomicU64,
    max_variants: AtomicUsize,
    /// The latest time any miss has told; good enough to date a mark by.
    latest: AtomicI64,
    varies: Mutex<Vec<Arc<Vary>>>,
}

impl Cache {
    /// An empty store.
    pub fn new(settings: Settings) -> Arc<Self> {
        // The hash of keys must not be known to those who choose them.
        let seed = RandomState::new().build_hasher().finish();
        Self::with_seed(settings, seed)
    }

    /// An empty store that hashes keys in a known way. Only for tests that must go the same way again:
    /// who knows the seed can make keys collide.
    pub fn with_seed(settings: Settings, seed: u64) -> Arc<Self> {
        Arc::new_cyclic(|weak| Self::with(settings, seed, Arc::new(Accounts::new(weak.clone()))))
    }

    fn with(settings: Settings, seed: u64, accounts: Arc<Accounts>) -> Self {
        Self {
            index: Index::new(seed),
            evictor: Evictor::new(settings.eviction),
            counters: Counters::default(),
            orders: Orders::new(accounts.clone()),
            tags: TagIndex::new(seed, accounts.clone()),
            accounts,
            capacity: AtomicU64::new(settings.capacity),
            max_object: AtomicU64::new(settings.max_object),
            max_variants: AtomicUsize::new(settings.max_variants),
            latest: AtomicI64::new(i64::MIN),
            varies: Mutex::new(Vec::new()),
        }
    }

    /// Changes bounds and policy at once; what no longer fits goes.
    pub fn resize(&self, settings: Settings) {
        self.capacity.store(settings.capacity, Relaxed);
        self.max_object.store(settings.max_object, Relaxed);
        self.max_variants.store(settings.max_variants, Relaxed);
        self.evictor.resize(settings.eviction);
        self.make_room();
    }

    /// The bounds now in force.
    pub fn settings(&self) -> Settings {
        Settings {
            capacity: self.capacity.load(Relaxed),
            eviction: self.eviction(),
            max_object: self.max_object(),
            max_variants: self.max_variants.load(Relaxed),
        }
    }

    /// The policy now in force.
    pub fn eviction(&self) -> EvictionPolicy {
        self.evictor.kind()
    }

    /// Counters and sizes.
    pub fn stats(&self) -> Stats {
        Stats {
            capacity: self.capacity.load(Relaxed),
            bytes: self.accounts.total(),
            in_flight_bytes: self.accounts.in_flight(),
            tags: self.tags.len() as u64,
            tag_bytes: self.tags.bytes(),
            orders: self.orders.remembered() as u64,
            order_bytes: self.orders.bytes(),
            ..self.counters.read()
        }
    }

    pub(crate) fn max_object(&self) -> u64 {
        self.max_object.load(Relaxed)
    }

    pub(crate) fn accounts(&self) -> &Arc<Accounts> {
        &self.accounts
    }

    /// Evicts until the capacity holds; false when nothing is left to evict.
    ///
    /// Takes shard locks: the caller holds none.
    pub(crate) fn make_room(&self) -> bool {
        let capacity = self.capacity.load(Relaxed);
        while self.accounts.total() > capacity {
            let Some(unit) = self.evictor.victim(&self.accounts) else {
                return false;
            };
            let bytes = unit.bytes_used();
            if self.evict(&unit) {
                up(&self.counters.evictions);
                self.counters.evicted_bytes.fetch_add(bytes, Relaxed);
            }
        }
        true
    }

    /// The same for a fill that grew. Fills together may not take more than three quarters: before
    /// they push out everything there is, they go unstored.
    pub(crate) fn make_room_for_fills(&self) -> bool {
        self.accounts.in_flight() <= self.capacity.load(Relaxed) / 4 * 3 && self.make_room()
    }

    /// One `Vary` for all objects that have the same.
    fn shared_vary(&self, vary: Vary) -> Arc<Vary> {
        let mut varies = self.varies.lock();
        if let Some(same) = varies.iter().find(|shared| ***shared == vary) {
            return same.clone();
        }
        let shared = Arc::new(vary);
        if varies.len() < VARIES && shared.names().len() <= 8 {
            varies.push(shared.clone());
        }
        shared
    }

    fn note_time(&self, now: Timestamp) {
        self.latest.fetch_max(now.as_millis(), Relaxed);
    }

    fn latest(&self) -> Timestamp {
        Timestamp::from_millis(self.latest.load(Relaxed))
    }

    /// Bookkeeping for objects that left the index. Under the shard's lock, so that index and
    /// policy agree; the memory is freed by the caller, without it.
    fn gone(&self, objects: &SmallVec<[Arc<Object>; 2]>) {
        for object in objects {
            down(&self.counters.objects);
            object.tagged().unlist();
            self.evictor.remove(&Unit::Object(object.clone()));
            object.body().detach();
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
