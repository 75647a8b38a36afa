//! Which tags there are: one node for each, shared by all objects that have it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use hashbrown::HashTable;
use parking_lot::Mutex;
use semantics::Timestamp;
use wire::Seq;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::Tags;
use crate::accounts::{ARC, Accounts, INDEX_SLOT, rounding};
use crate::invalidation::{Generation, Mark, Matched};

/// A power of two.
const SHARDS: usize = 64;

/// All tags that an object has, or that an order is remembered for.
pub(crate) struct TagIndex {
    shards: Box<[Mutex<HashTable<Arc<Tag>>>]>,
    seed: u64,
    accounts: Arc<Accounts>,
    bytes: AtomicU64,
}

/// One tag.
pub(crate) struct Tag {
    text: Box<[u8]>,
    hash: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The orders about it; none for nearly all tags.
    generation: Option<Box<Generation>>,
    /// Listed objects that have it and that no order about it took away.
    live: u32,
    /// How often all of them were taken away.
    round: u32,
}

impl TagIndex {
    pub(crate) fn new(seed: u64, accounts: Arc<Accounts>) -> Arc<Self> {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Arc::new(Self { shards, seed, accounts, bytes: AtomicU64::new(0) })
    }

    /// The node of a tag, made if need be.
    pub(crate) fn intern(self: &Arc<Self>, text: &[u8]) -> TagHold {
        TagHold { tag: Some(self.node(text)), index: self.clone() }
    }

    /// How many live objects have a tag.
    pub(crate) fn live(&self, text: &[u8]) -> u64 {
        let hash = xxh3_64_with_seed(text, self.seed);
        let shard = self.shard(hash).lock();
        shard.find(hash, |tag| *tag.text == *text).map_or(0, |tag| u64::from(tag.state.lock().live))
    }

    fn node(&self, text: &[u8]) -> Arc<Tag> {
        let hash = xxh3_64_with_seed(text, self.seed);
        let mut shard = self.shard(hash).lock();
        if let Some(tag) = shard.find(hash, |tag| *tag.text == *text) {
            return tag.clone();
        }
        let tag = Arc::new(Tag { text: text.into(), hash, state: Mutex::default() });
        self.accounts.charge(tag.bytes_used());
        self.bytes.fetch_add(tag.bytes_used(), Relaxed);
        shard.insert_unique(hash, tag.clone(), |tag| tag.hash);
        tag
    }

    /// Bytes of all of them.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    fn shard(&self, hash: u64) -> &Mutex<HashTable<Arc<Tag>>> {
        &self.shards[(hash >> 40) as usize % SHARDS]
    }

    /// A holder lets go of a tag; with the last one it leaves the index.
    fn release(&self, tag: Arc<Tag>) {
        // Every holder is dropped under the lock, so that of two who leave at once one is the last.
        let mut shard = self.shard(tag.hash).lock();
        let last = Arc::strong_count(&tag) == 2;
        if last && let Ok(entry) = shard.find_entry(tag.hash, |other| Arc::ptr_eq(other, &tag)) {
            entry.remove();
            self.accounts.release(tag.bytes_used());
            self.bytes.fetch_sub(tag.bytes_used(), Relaxed);
            if shard.is_empty() {
                *shard = HashTable::new();
            }
        }
        drop(tag);
    }
}

impl Tag {
    fn bytes_used(&self) -> u64 {
        let text = self.text.len() as u64;
        size_of::<Self>() as u64 + ARC + INDEX_SLOT + text + rounding(text) + ARC
    }

    /// What the orders about it say of an object that was held against all up to `since`.
    pub(crate) fn judge(&self, since: u64, vouched: Seq) -> Matched {
        let state = self.state.lock();
        state.generation.as_ref().map_or_else(Matched::default, |g| g.judge(since, vouched))
    }

    /// A hard order; how many objects it takes away.
    pub(crate) fn take_all(&self, mark: Mark) -> u64 {
        let mut state = self.state.lock();
        state.generation.get_or_insert_default().hard(mark);
        state.round = state.round.wrapping_add(1);
        u64::from(std::mem::take(&mut state.live))
    }

    /// A soft order; how many objects it softens.
    pub(crate) fn soften_all(&self, mark: Mark, at: Timestamp) -> u64 {
        let mut state = self.state.lock();
        state.generation.get_or_insert_default().soft(mark, at);
        u64::from(state.live)
    }
}

/// Keeps a tag's node alive.
pub(crate) struct TagHold {
    /// None only while it is dropped.
    tag: Option<Arc<Tag>>,
    index: Arc<TagIndex>,
}

impl TagHold {
    pub(crate) fn tag(&self) -> Option<&Tag> {
        self.tag.as_deref()
    }
}

impl Drop for TagHold {
    fn drop(&mut self) {
        if let Some(tag) = self.tag.take() {
            self.index.release(tag);
        }
    }
}

/// The tags of one object. Nothing at all when there are none, one thin pointer else.
#[derive(Default)]
pub(crate) struct Tagged(Option<Box<Inner>>);

struct Inner {
    tags: Box<[Member]>,
    index: Arc<TagIndex>,
}

struct Member {
    tag: Arc<Tag>,
    /// The round in which the object was counted.
    round: AtomicU32,
}

impl Tagged {
    pub(crate) fn new(names: &Tags, index: &Arc<TagIndex>) -> Self {
        let member = |text| Member { tag: index.node(text), round: AtomicU32::new(0) };
        let tags: Box<[Member]> = names.iter().map(member).collect();
        Self((!tags.is_empty()).then(|| Box::new(Inner { tags, index: index.clone() })))
    }

    /// The same once more, for a successor of the object.
    pub(crate) fn again(&self) -> Self {
        let copy = |inner: &Inner| {
            let member = |m: &Member| Member { tag: m.tag.clone(), round: AtomicU32::new(0) };
            let tags = inner.tags.iter().map(member).collect();
            Box::new(Inner { tags, index: inner.index.clone() })
        };
        Self(self.0.as_deref().map(copy))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.members().iter().map(|member| &*member.tag.text)
    }

    /// The object is in the index of the store from now on.
    pub(crate) fn list(&self) {
        for member in self.members() {
            let mut state = member.tag.state.lock();
            state.live += 1;
            member.round.store(state.round, Relaxed);
        }
    }

    /// It is so no more.
    pub(crate) fn unlist(&self) {
        for member in self.members() {
            let mut state = member.tag.state.lock();
            if state.round == member.round.load(Relaxed) {
                state.live = state.live.saturating_sub(1);
            }
        }
    }

    /// What the orders about its tags say of it.
    pub(crate) fn judge(&self, since: u64, vouched: Seq) -> Matched {
        let judged = self.members().iter().map(|member| member.tag.judge(since, vouched));
        judged.fold(Matched::default(), Matched::and)
    }

    /// Bytes on the heap, without the nodes.
    pub(crate) fn heap(&self) -> u64 {
        let list = |inner: &Inner| size_of_val(&*inner.tags) + size_of::<Inner>();
        self.0.as_deref().map_or(0, |inner| list(inner) as u64 + 2 * ARC)
    }

    fn members(&self) -> &[Member] {
        self.0.as_deref().map_or(&[], |inner| &inner.tags)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for member in std::mem::take(&mut self.tags) {
            self.index.release(member.tag);
        }
    }
}
