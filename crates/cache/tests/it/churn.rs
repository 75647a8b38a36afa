//! Many more tagged objects than fit: what is left of them when the store is empty.

use std::sync::Arc;
use std::time::Duration;

use cache::{Cache, EvictionPolicy, Keys, Order, Swept};
use wire::invalidation::{How, Target};
use wire::{Invalidation, Seq};

use crate::support::*;

/// Fills a store with `objects`, five tags each, of which one is its own.
fn churn(cache: &Arc<Cache>, objects: usize) {
    for n in 0..objects {
        let tags = format!("own-{n} a-{} b-{} c-{} all", n % 7, n % 1_000, n / 50);
        let fields = [("cache-control", "max-age=60"), ("surrogate-key", &*tags)];
        Ask::get(&format!("http://h/{n}")).fill(cache, &fields, b"body");
    }
}

/// Empties it as an order does.
fn empty(cache: &Cache) {
    let (id, target, how) = ("o".into(), Target::All, How::Hard);
    let all = Invalidation { format: 1, id, target, how, dry_run: false, issued_ms: 0 };
    let all = Order::new(&all, |_| Keys::default()).unwrap();
    cache.apply(Seq { ms: 1, n: 0 }, &all, NOW).unwrap();
    let mut sweep = cache.begin_sweep(Duration::ZERO, NOW);
    while matches!(cache.sweep(&mut sweep, NOW), Swept::More) {}
    assert!(!cache.forget(NOW));
}

#[test]
fn nothing_is_left_of_what_went_through() {
    for kind in [EvictionPolicy::Lru, EvictionPolicy::Lfu, EvictionPolicy::S3Fifo] {
        let cache = store_with(kind, 1 << 20, 1 << 20);
        churn(&cache, 20_000);
        let stats = cache.stats();
        assert!(stats.evictions > 15_000 && stats.bytes <= 1 << 20, "{kind:?}: {stats:?}");
        empty(&cache);
        let stats = cache.stats();
        assert_eq!((stats.objects, stats.tags, stats.orders), (0, 0, 0), "{kind:?}");
        assert_eq!((stats.tag_bytes, stats.order_bytes), (0, 0), "{kind:?}");
        // What the policy remembers of those that are gone; LFU's counters stay as large as they were.
        cache.clear();
        let counters = if kind == EvictionPolicy::Lfu { 8 << 10 } else { 0 };
        assert_eq!(cache.stats().bytes, counters, "{kind:?}");
    }
}
