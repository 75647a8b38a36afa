//! The bound in bytes holds, whatever comes.

use cache::{EvictionPolicy, Lookup, Settings};
use semantics::NoStoreReason;

use crate::support::*;

const ALL: [EvictionPolicy; 3] = [EvictionPolicy::Lru, EvictionPolicy::Lfu, EvictionPolicy::S3Fifo];

#[test]
fn the_capacity_holds_under_mixed_sizes() {
    for kind in ALL {
        let cache = store_with(kind, 4 << 20, 2 << 20);
        let mut random = bytes(40_000, 11).into_iter();
        let mut next = || usize::from(random.next().unwrap());
        let mut fullest = 0;
        for _ in 0..4_000 {
            let key = format!("k{}", next() * 8 + next() % 8);
            let len = if next() < 8 { next() * 4_000 } else { next() * 20 };
            if let Lookup::Miss(_, obligation) = Ask::get(&key).of(&cache) {
                let mut fill = obligation.begin(Ask::get(&key).answer(FRESH));
                write(&mut fill, &vec![1; len]);
                let _ = fill.finish();
            }
            let stats = cache.stats();
            assert!(stats.bytes <= stats.capacity, "{kind:?} {stats:?}");
            fullest = fullest.max(stats.bytes);
        }
        // Whoever has just evicted one of the largest has a mebibyte of room, and the rest of a body's last piece.
        assert!(fullest > 7 << 19, "{kind:?}: it was never nearly full, {fullest} B");
        let stats = cache.stats();
        assert!(stats.evictions > 100 && stats.bytes > 11 << 18, "{kind:?} {stats:?}");
    }
}

#[test]
fn marks_of_unique_urls_do_not_leak() {
    for kind in ALL {
        let cache = store_with(kind, 1 << 20, 1 << 20);
        for i in 0..20_000 {
            let obligation = Ask::get(&format!("unique-{i}")).miss(&cache);
            obligation.decline(NoStoreReason::SetCookie, Some(at(60)));
        }
        let stats = cache.stats();
        assert!(stats.bytes <= 1 << 20, "{kind:?} {stats:?}");
        assert!(stats.marks > 1_000 && stats.marks < 10_000, "{kind:?} {stats:?}");
    }
}

#[test]
fn a_body_that_is_read_is_not_evicted_in_vain() {
    for kind in ALL {
        let cache = store_with(kind, 4 << 20, 4 << 20);
        Ask::get("large").fill(&cache, FRESH, &vec![7; 2 << 20]);
        let mut reader = Ask::get("large").hit(&cache).object.body().reader(None);
        assert!(block_on(reader.chunk()).is_some());
        for i in 0..4_000 {
            Ask::get(&format!("k{i}")).fill(&cache, FRESH, &[0; 2_000]);
        }
        assert!(cache.stats().bytes <= 4 << 20);
        Ask::get("large").hit(&cache);
        assert_eq!(read(reader).unwrap().len(), (2 << 20) - (256 << 10));
        if kind != EvictionPolicy::Lru {
            continue; // Against one-time keys one that was used stands for a long time.
        }
        // Read no more, it goes like any other.
        for i in 4_000..30_000 {
            Ask::get(&format!("k{i}")).fill(&cache, FRESH, &[0; 2_000]);
        }
        Ask::get("large").miss(&cache);
    }
}

#[test]
fn settings_change_while_it_runs() {
    let cache = store_with(EvictionPolicy::Lru, 4 << 20, 1 << 20);
    for i in 0..2_000 {
        Ask::get(&format!("k{i}")).fill(&cache, FRESH, &[0; 500]);
    }
    let before = cache.stats().objects;
    for kind in [EvictionPolicy::S3Fifo, EvictionPolicy::Lfu, EvictionPolicy::Lru] {
        let settings = Settings { eviction: kind, ..cache.settings() };
        cache.resize(settings);
        assert_eq!(cache.eviction(), kind);
        assert_eq!(cache.stats().objects, before);
    }
    cache.resize(Settings { capacity: 1 << 19, ..cache.settings() });
    assert!(cache.stats().bytes <= 1 << 19);
    assert!(cache.stats().objects > 300);
}
