//! Each policy keeps what is used and loses what is not.

use cache::{EvictionPolicy, Lookup};

use crate::support::*;

/// Runs requests for `keys` and says how many of the last half were hits.
fn hits(kind: EvictionPolicy, keys: impl Iterator<Item = usize>, count: usize) -> usize {
    let cache = store_with(kind, 1 << 20, 1 << 20);
    let mut hits = 0;
    for (n, key) in keys.take(count).enumerate() {
        let key = format!("key-{key}");
        match Ask::get(&key).of(&cache) {
            Lookup::Hit(_) => hits += usize::from(n >= count / 2),
            Lookup::Miss(_, obligation) => {
                let mut fill = obligation.begin(Ask::get(&key).answer(FRESH));
                write(&mut fill, &[0; 600]);
                fill.finish().unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
    hits
}

#[test]
fn a_scan_does_not_flush_what_is_popular() {
    // Every other request is to one of 200 popular keys, the rest never come again.
    let keys = || (0..).map(|n| if n % 2 == 0 { (n / 2 * 7) % 200 } else { 1_000 + n });
    for kind in [EvictionPolicy::Lfu, EvictionPolicy::S3Fifo] {
        let hits = hits(kind, keys(), 20_000);
        assert!(hits > 4_900, "{kind:?}: {hits} of 5000");
    }
}

#[test]
fn a_change_of_mind_is_followed() {
    for kind in [EvictionPolicy::Lru, EvictionPolicy::Lfu, EvictionPolicy::S3Fifo] {
        let keys = (0..).map(|n: usize| (n / 10_000) * 1_000 + (n * 7) % 300);
        let hits = hits(kind, keys, 40_000);
        assert!(hits > 18_500, "{kind:?}: {hits} of 20000");
    }
}
