//! What is where: shards of hash tables from keys to objects, flights and marks.

use std::ops::Deref;
use std::sync::Arc;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as TableEntry;
use parking_lot::RwLock;
use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::accounts::{ARC, Accounts, INDEX_SLOT};
use crate::flight::Flight;
use crate::mark::Mark;
use crate::object::Object;

/// A power of two; each is locked for well under a microsecond at a time.
const SHARDS: usize = 256;

pub(crate) struct Index {
    shards: Box<[Shard]>,
    seed: u64,
}

/// On its own cache line: readers of one must not slow readers of the next.
#[repr(align(128))]
#[derive(Default)]
pub(crate) struct Shard(pub(crate) RwLock<Table>);

/// A table that tells when its slots moved.
#[derive(Default)]
pub(crate) struct Table {
    slots: HashTable<Slot>,
    /// Grows whenever buckets may have changed places.
    pub(crate) moves: u64,
}

impl Deref for Table {
    type Target = HashTable<Slot>;

    fn deref(&self) -> &HashTable<Slot> {
        &self.slots
    }
}

impl Table {
    /// Everything, with the memory.
    pub(crate) fn take_all(&mut self) -> HashTable<Slot> {
        self.moves += 1;
        std::mem::take(&mut self.slots)
    }
}

/// What a key leads to. Most have one object and nothing else, which costs no further allocation.
pub(crate) enum Slot {
    One(Arc<Object>),
    Many(Box<Entry>),
}

/// All that is known of a key.
pub(crate) struct Entry {
    key: Box<[u8]>,
    hash: u64,
    /// The newest last.
    pub(crate) objects: SmallVec<[Arc<Object>; 2]>,
    pub(crate) flights: SmallVec<[Arc<Flight>; 1]>,
    pub(crate) marks: SmallVec<[Arc<Mark>; 1]>,
    accounts: Arc<Accounts>,
}

impl Index {
    pub(crate) fn new(seed: u64) -> Self {
        Self { shards: (0..SHARDS).map(|_| Shard::default()).collect(), seed }
    }

    pub(crate) fn hash(&self, key: &[u8]) -> u64 {
        xxh3_64_with_seed(key, self.seed)
    }

    pub(crate) fn shards(&self) -> &[Shard] {
        &self.shards
    }

    pub(crate) fn shard(&self, hash: u64) -> &RwLock<Table> {
        // Not the bits the table itself selects by: those are the lowest and the highest seven.
        &self.shards[(hash >> 40) as usize % SHARDS].0
    }
}

/// The slot of a key. The hash is never trusted: keys are compared in full.
pub(crate) fn find<'a>(table: &'a Table, hash: u64, key: &[u8]) -> Option<&'a Slot> {
    table.find(hash, |slot| slot.key() == key)
}

/// Changes what is known of a key, making or removing its entry as needed.
pub(crate) fn edit<R>(
    table: &mut Table,
    hash: u64,
    key: &[u8],
    accounts: &Arc<Accounts>,
    change: impl FnOnce(&mut Entry) -> R,
) -> R {
    // Only a full table is built anew, larger or in place.
    if table.slots.len() == table.slots.capacity() {
        table.moves += 1;
    }
    match table.slots.entry(hash, |slot| slot.key() == key, Slot::hash) {
        TableEntry::Occupied(mut occupied) => {
            if let Slot::Many(entry) = occupied.get_mut() {
                let result = change(entry);
                if entry.is_empty() {
                    occupied.remove();
                } else if let Some(object) = entry.only_object() {
                    *occupied.into_mut() = Slot::One(object);
                }
                return result;
            }
            let (slot, vacant) = occupied.remove();
            let mut entry = slot.into_entry(accounts);
            let result = change(&mut entry);
            if let Some(slot) = Slot::of(entry) {
                vacant.insert(slot);
            }
            result
        }
        TableEntry::Vacant(vacant) => {
            let mut entry = Entry::new(hash, key, accounts);
            let result = change(&mut entry);
            if let Some(slot) = Slot::of(entry) {
                vacant.insert(slot);
            }
            result
        }
    }
}

/// Takes a key out altogether.
pub(crate) fn take(
    table: &mut Table,
    hash: u64,
    key: &[u8],
    accounts: &Arc<Accounts>,
) -> Option<Box<Entry>> {
    let occupied = table.slots.find_entry(hash, |slot| slot.key() == key).ok()?;
    Some(occupied.remove().0.into_entry(accounts))
}

impl Slot {
    pub(crate) fn key(&self) -> &[u8] {
        match self {
            Self::One(object) => object.key(),
            Self::Many(entry) => &entry.key,
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        match self {
            Self::One(object) => object.hash,
            Self::Many(entry) => entry.hash,
        }
    }

    pub(crate) fn objects(&self) -> &[Arc<Object>] {
        match self {
            Self::One(object) => std::slice::from_ref(object),
            Self::Many(entry) => &entry.objects,
        }
    }

    pub(crate) fn flights(&self) -> &[Arc<Flight>] {
        match self {
            Self::One(_) => &[],
            Self::Many(entry) => &entry.flights,
        }
    }

    pub(crate) fn marks(&self) -> &[Arc<Mark>] {
        match self {
            Self::One(_) => &[],
            Self::Many(entry) => &entry.marks,
        }
    }

    pub(crate) fn into_entry(self, accounts: &Arc<Accounts>) -> Box<Entry> {
        match self {
            Self::One(object) => {
                let mut entry = Entry::new(object.hash, object.key(), accounts);
                entry.objects.push(object);
                entry
            }
            Self::Many(entry) => entry,
        }
    }

    fn of(entry: Box<Entry>) -> Option<Self> {
        if entry.is_empty() {
            None
        } else if let Some(object) = entry.only_object() {
            Some(Self::One(object))
        } else {
            Some(Self::Many(entry))
        }
    }
}

impl Entry {
    fn new(hash: u64, key: &[u8], accounts: &Arc<Accounts>) -> Box<Self> {
        accounts.charge(Self::cost(key));
        Box::new(Self {
            key: key.into(),
            hash,
            objects: SmallVec::new(),
            flights: SmallVec::new(),
            marks: SmallVec::new(),
            accounts: accounts.clone(),
        })
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.flights.is_empty() && self.marks.is_empty()
    }

    fn only_object(&self) -> Option<Arc<Object>> {
        match &*self.objects {
            [object] if self.flights.is_empty() && self.marks.is_empty() => Some(object.clone()),
            _ => None,
        }
    }

    fn cost(key: &[u8]) -> u64 {
        size_of::<Self>() as u64 + key.len() as u64 + ARC + INDEX_SLOT
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.accounts.release(Self::cost(&self.key));
    }
}
