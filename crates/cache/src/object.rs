//! A stored response, immutable once its head is known.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicU32, AtomicU64};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use semantics::{Coding, Freshness, Timestamp, Vary};
use wire::Seq;

use crate::accounts::{ARC, INDEX_SLOT, SHARED_BYTES, rounding};
use crate::body::{Body, Derived};
use crate::eviction::{NODE, Tally};
use crate::tags::{Tagged, Tags};

mod headers;
mod names;
mod number;

/// A response that is stored or on its way in.
///
/// Key, variant and header fields lie in one allocation; there is no header map at rest. A
/// revalidation makes a new object that shares the body.
pub struct Object {
    /// The status.
    pub status: StatusCode,
    /// Stored by a HEAD request: there is no body, and GET is not answered by it.
    pub head_only: bool,
    /// Until when and how it may be used.
    pub freshness: Freshness,
    /// The position in the invalidation log it is valid for.
    pub vouched: Seq,
    /// When its head was stored, as told by the request that fetched it.
    pub stored_at: Timestamp,
    tagged: Tagged,
    /// It was held against all orders up to this one.
    checked: AtomicU64,
    pub(crate) hash: u64,
    pub(crate) tally: Tally,
    hits: AtomicU32,
    /// Seconds of the last use: which variant of many is the least useful.
    used: AtomicU32,
    key_len: u32,
    vary: Option<Arc<Vary>>,
    body: Arc<Body>,
    /// Key, length of the variant, variant, header fields.
    block: Bytes,
}

/// The head of a response that may be stored.
#[derive(Debug)]
pub struct NewObject {
    /// The status.
    pub status: StatusCode,
    /// The fields to keep, already free of what must not be stored.
    pub headers: HeaderMap,
    /// Until when and how it may be used.
    pub freshness: Freshness,
    /// The fields of `Vary`.
    pub vary: Option<Vary>,
    /// The request's normalised values of them: `semantics::variant_key(vary, request, rules)`.
    pub variant: Box<[u8]>,
    /// Surrogate keys.
    pub tags: Tags,
    /// The announced length of the body.
    pub content_length: Option<u64>,
    /// The answer to a HEAD request: no body follows.
    pub head_only: bool,
}

/// The head of a stored response after a 304 renewed it; its status and body stay.
#[derive(Debug)]
pub struct NewHead {
    /// The stored fields with those of the 304 merged in.
    pub headers: HeaderMap,
    /// The new freshness.
    pub freshness: Freshness,
    /// The fields of `Vary` in the merged head.
    pub vary: Option<Vary>,
    /// Surrogate keys.
    pub tags: Tags,
}

/// What [`Object::new`] needs beside the head.
pub(crate) struct Identity<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) hash: u64,
    pub(crate) variant: &'a [u8],
    pub(crate) vary: Option<Arc<Vary>>,
    pub(crate) vouched: Seq,
    pub(crate) checked: u64,
    pub(crate) stored_at: Timestamp,
    pub(crate) head_only: bool,
}

impl Object {
    pub(crate) fn new(
        id: Identity<'_>,
        status: StatusCode,
        headers: &HeaderMap,
        freshness: Freshness,
        tagged: Tagged,
        body: Arc<Body>,
    ) -> Arc<Self> {
        let variant = number::len(id.variant.len()) + id.variant.len();
        let fields = headers::encoded_len(headers);
        let mut block = Vec::with_capacity(id.key.len() + variant + fields);
        block.extend_from_slice(id.key);
        number::put(&mut block, id.variant.len() as u32);
        block.extend_from_slice(id.variant);
        headers::encode(headers, &mut block);
        let object = Self {
            status,
            head_only: id.head_only,
            freshness,
            vouched: id.vouched,
            stored_at: id.stored_at,
            tagged,
            checked: AtomicU64::new(id.checked),
            hash: id.hash,
            tally: Tally::new(),
            hits: AtomicU32::new(0),
            used: AtomicU32::new(secs(id.stored_at)),
            key_len: id.key.len() as u32,
            vary: id.vary,
            body,
            block: block.into_boxed_slice().into(),
        };
        object.body.accounts().charge(object.own_bytes());
        Arc::new(object)
    }

    /// The same response with another freshness: a soft invalidation.
    pub(crate) fn with_freshness(&self, freshness: Freshness, checked: u64) -> Arc<Self> {
        let object = Self {
            status: self.status,
            head_only: self.head_only,
            freshness,
            vouched: self.vouched,
            stored_at: self.stored_at,
            tagged: self.tagged.again(),
            checked: AtomicU64::new(checked),
            hash: self.hash,
            tally: Tally::new(),
            hits: AtomicU32::new(self.hits()),
            used: AtomicU32::new(self.used()),
            key_len: self.key_len,
            vary: self.vary.clone(),
            body: self.body.clone(),
            // A copy: both are charged for their block, and the old one goes soon.
            block: Bytes::copy_from_slice(&self.block),
        };
        object.body.accounts().charge(object.own_bytes());
        Arc::new(object)
    }

    /// The cache key it is stored under.
    pub fn key(&self) -> &[u8] {
        &self.block[..self.key_len as usize]
    }

    /// The normalised values of the fields that `Vary` names, of the request that fetched it.
    pub fn variant(&self) -> &[u8] {
        &self.block[self.variant_at()]
    }

    /// The fields that `Vary` names.
    pub fn vary(&self) -> Option<&Vary> {
        self.vary.as_deref()
    }

    /// Appends all stored fields to `into`, without an allocation per field.
    pub fn copy_headers(&self, into: &mut HeaderMap) {
        headers::decode(&self.block, self.headers_at(), into);
    }

    /// The stored fields.
    pub fn header_map(&self) -> HeaderMap {
        let mut map = HeaderMap::new();
        self.copy_headers(&mut map);
        map
    }

    /// The first value of one field.
    pub fn header(&self, name: &HeaderName) -> Option<HeaderValue> {
        headers::find(&self.block, self.headers_at(), name)
    }

    /// Whether a line of a field passes `test`.
    pub(crate) fn any_line(&self, name: &HeaderName, test: impl Fn(&[u8]) -> bool) -> bool {
        headers::any(&self.block, self.headers_at(), name, test)
    }

    /// Its surrogate keys.
    pub fn tags(&self) -> impl Iterator<Item = &[u8]> {
        self.tagged.names()
    }

    pub(crate) fn tagged(&self) -> &Tagged {
        &self.tagged
    }

    /// It was held against all orders up to this one.
    pub(crate) fn checked(&self) -> u64 {
        self.checked.load(Acquire)
    }

    /// It passed them up to `number`; false when somebody else found that first.
    pub(crate) fn check(&self, number: u64) -> bool {
        self.checked.fetch_max(number, AcqRel) < number
    }

    /// The body.
    pub fn body(&self) -> &Arc<Body> {
        &self.body
    }

    /// The body in another coding, made at most once and kept with this object.
    pub fn derived(&self, coding: Coding) -> Derived {
        self.body.derived(coding)
    }

    /// Everything this object takes of the store's capacity.
    pub fn bytes_used(&self) -> u64 {
        self.own_bytes() + self.body.bytes_used()
    }

    /// How often it was found usable; the count of a busy object may miss a few.
    pub fn hits(&self) -> u32 {
        self.hits.load(Relaxed)
    }

    pub(crate) fn used(&self) -> u32 {
        self.used.load(Relaxed)
    }

    /// Notes a use. Plain stores: an exact count is not worth a locked instruction per hit.
    pub(crate) fn note_use(&self, now: Timestamp) {
        self.hits.store(self.hits().wrapping_add(1), Relaxed);
        if self.vary.is_some() {
            self.used.store(secs(now), Relaxed);
        }
    }

    /// The renewed object goes on counting where the old one was.
    pub(crate) fn inherit(&self, old: &Self) {
        self.hits.store(old.hits(), Relaxed);
        self.used.store(old.used().max(self.used()), Relaxed);
    }

    pub(crate) fn vary_shared(&self) -> Option<&Arc<Vary>> {
        self.vary.as_ref()
    }

    pub(crate) fn same_body(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.body, &other.body)
    }

    /// Whether it stands for the same requests as an object with this `vary` and `variant`.
    pub(crate) fn same_variant(&self, vary: Option<&Vary>, variant: &[u8]) -> bool {
        self.vary() == vary && self.variant() == variant
    }

    fn variant_at(&self) -> Range<usize> {
        let mut at = self.key_len as usize;
        let len = number::take(&self.block, &mut at).unwrap_or(0) as usize;
        at..at + len
    }

    fn headers_at(&self) -> usize {
        self.variant_at().end
    }

    /// Without the body.
    fn own_bytes(&self) -> u64 {
        /// Tables that grew leave room behind, and no allocator is free.
        const LOOSE: u64 = 32;
        const FIXED: u64 =
            size_of::<Object>() as u64 + ARC + SHARED_BYTES + INDEX_SLOT + NODE + LOOSE;
        let block = self.block.len() as u64;
        FIXED + block + rounding(block) + self.tagged.heap()
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        self.body.accounts().release(self.own_bytes());
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object")
            .field("key", &String::from_utf8_lossy(self.key()))
            .field("variant", &String::from_utf8_lossy(self.variant()))
            .field("status", &self.status)
            .field("freshness", &self.freshness)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

fn secs(at: Timestamp) -> u32 {
    at.as_secs().clamp(0, i64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests;
