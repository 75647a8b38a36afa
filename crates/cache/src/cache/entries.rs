//! The store as an operator sees it: what is there, without bodies, a bounded look at a time.

use std::sync::Arc;

use http::StatusCode;
use semantics::{Freshness, Timestamp};
use wire::Seq;

use super::Cache;
use crate::index::{self, Slot};
use crate::object::Object;

/// Buckets looked at under one lock.
const STRIDE: usize = 256;
/// Buckets looked at in one call, however few of them are in use.
const REACH: usize = 64 * STRIDE;

/// Where a listing goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    shard: usize,
    bucket: usize,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.shard, self.bucket)
    }
}

/// The text was not a cursor that a listing gave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadCursor;

impl std::fmt::Display for BadCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not a cursor that a listing gave out")
    }
}

impl std::error::Error for BadCursor {}

impl std::str::FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let (shard, bucket) = text.split_once('.').ok_or(BadCursor)?;
        let number = |text: &str| text.parse::<usize>().map_err(|_| BadCursor);
        Ok(Self { shard: number(shard)?, bucket: number(bucket)? })
    }
}

/// One key.
#[derive(Clone, Debug)]
pub struct EntryInfo {
    /// The cache key.
    pub key: Box<[u8]>,
    /// Its stored responses, the oldest first.
    pub variants: Vec<VariantInfo>,
    /// Obligations under way.
    pub flights: usize,
    /// Requests waiting for them.
    pub waiting: usize,
    /// Until when it is marked uncacheable, as a whole or in one of its variants.
    pub marked_until: Option<Timestamp>,
}

/// One stored response.
#[derive(Clone, Debug)]
pub struct VariantInfo {
    /// The normalised values of the fields it varies on.
    pub variant: Box<[u8]>,
    /// The fields it varies on.
    pub vary: Vec<http::HeaderName>,
    /// Its status.
    pub status: StatusCode,
    /// Stored by a HEAD request.
    pub head_only: bool,
    /// Until when and how it may be used.
    pub freshness: Freshness,
    /// When its head was stored.
    pub stored_at: Timestamp,
    /// The position in the invalidation log it is valid for.
    pub vouched: Seq,
    /// Its surrogate keys.
    pub tags: Vec<Box<[u8]>>,
    /// Everything it takes.
    pub bytes: u64,
    /// The length of its body, where known.
    pub body_len: Option<u64>,
    /// How often it was found.
    pub hits: u32,
    /// Its body is still being written.
    pub in_flight: bool,
}

impl Cache {
    /// Up to about `limit` keys and where to go on; no order is promised, and a key that comes or
    /// goes meanwhile may be missed or told twice. Each call does bounded work, so it may bring
    /// less than `limit`, even nothing, and yet not be the last.
    pub fn entries(&self, after: Option<Cursor>, limit: usize) -> (Vec<EntryInfo>, Option<Cursor>) {
        let mut found = Vec::new();
        let mut at = after.unwrap_or(Cursor { shard: 0, bucket: 0 });
        let mut seen = 0;
        while let Some(shard) = self.index.shards().get(at.shard) {
            if found.len() >= limit.max(1) || seen >= REACH {
                return (found, Some(at));
            }
            let table = shard.0.read();
            let end = table.num_buckets().min(at.bucket + STRIDE);
            let slots = (at.bucket..end).filter_map(|bucket| table.get_bucket(bucket));
            found.extend(slots.map(describe));
            // An empty shard, too, is work.
            seen += (end.saturating_sub(at.bucket)).max(16);
            at = if end >= table.num_buckets() {
                Cursor { shard: at.shard + 1, bucket: 0 }
            } else {
                Cursor { bucket: end, ..at }
            };
        }
        (found, None)
    }

    /// What is known of one key: nothing or one entry.
    pub fn inspect(&self, key: &[u8]) -> Vec<EntryInfo> {
        let hash = self.index.hash(key);
        let table = self.index.shard(hash).read();
        index::find(&table, hash, key).map(describe).into_iter().collect()
    }
}

fn describe(slot: &Slot) -> EntryInfo {
    EntryInfo {
        key: slot.key().into(),
        variants: slot.objects().iter().map(variant).collect(),
        flights: slot.flights().len(),
        waiting: slot.flights().iter().map(|flight| flight.waiting()).sum(),
        marked_until: slot.marks().iter().map(|mark| mark.until).max(),
    }
}

fn variant(object: &Arc<Object>) -> VariantInfo {
    VariantInfo {
        variant: object.variant().into(),
        vary: object.vary().map_or_else(Vec::new, |vary| vary.names().to_vec()),
        status: object.status,
        head_only: object.head_only,
        freshness: object.freshness,
        stored_at: object.stored_at,
        vouched: object.vouched,
        tags: object.tags().map(Box::from).collect(),
        bytes: object.bytes_used(),
        body_len: object.body().expected_len(),
        hits: object.hits(),
        in_flight: !object.body().is_complete(),
    }
}
