//! What a hit costs, what an object takes, whether memory stays within bounds. Not run by default:
//! `cargo test --release -p cache --test figures -- --ignored --nocapture --test-threads 1`.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../it/support.rs"]
mod support;

mod invalidating;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use cache::{Cache, EvictionPolicy, Lookup, Query};
use http::HeaderMap;
use semantics::{RequestDirectives, VariantRules};
use support::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HEADERS: &[(&str, &str)] = &[
    ("cache-control", "max-age=3600"),
    ("content-type", "text/html; charset=utf-8"),
    ("content-length", "300"),
    ("date", "Fri, 15 Jan 2027 08:00:00 GMT"),
    ("etag", "\"33a64df551425fcc55e4d42a148795d9f25f89d4\""),
    ("last-modified", "Tue, 15 Nov 1994 08:12:31 GMT"),
    ("x-powered-by", "somebody"),
    ("server", "origin"),
];

#[expect(clippy::disallowed_methods, reason = "figures take time")]
fn clock() -> Instant {
    Instant::now()
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

fn key(n: usize) -> String {
    format!("https://www.example.com/articles/{n:08}")
}

fn look(cache: &Arc<Cache>, key: &[u8], request: &HeaderMap) -> Lookup {
    cache.lookup(&Query {
        key,
        head: false,
        request,
        rules: &VariantRules::default(),
        directives: &RequestDirectives::default(),
        now: NOW,
        arrived: cache::Position::default(),
        unvouched: false,
        going: cache::Going::Up,
    })
}

#[test]
#[ignore = "prints figures"]
fn hits() {
    const ROUNDS: usize = 2_000_000;
    for kind in [EvictionPolicy::Lru, EvictionPolicy::Lfu, EvictionPolicy::S3Fifo] {
        let cache = store_with(kind, 256 << 20, 1 << 20);
        let keys: Vec<String> = (0..1_000).map(key).collect();
        for key in &keys {
            Ask::get(key).fill(&cache, HEADERS, &[0; 300]);
        }
        let request = HeaderMap::new();
        let start = clock();
        for round in 0..ROUNDS {
            black_box(look(&cache, keys[round % 1_000].as_bytes(), &request));
        }
        let lookup = start.elapsed().as_nanos() / ROUNDS as u128;
        let start = clock();
        for round in 0..ROUNDS {
            let Lookup::Hit(found) = look(&cache, keys[round % 1_000].as_bytes(), &request) else {
                panic!("no hit")
            };
            let mut headers = HeaderMap::with_capacity(16);
            found.object.copy_headers(&mut headers);
            black_box((headers, found.object.body().complete().cloned()));
        }
        let whole = start.elapsed().as_nanos() / ROUNDS as u128;
        println!(
            "{kind:?}: lookup {lookup} ns, with {} headers and body {whole} ns",
            HEADERS.len()
        );
    }
}

#[test]
#[ignore = "prints figures"]
fn memory_per_object() {
    const OBJECTS: usize = 300_000;
    for kind in [EvictionPolicy::S3Fifo, EvictionPolicy::Lfu] {
        let cache = store_with(kind, 1 << 30, 1 << 20);
        let before = resident();
        for n in 0..OBJECTS {
            Ask::get(&key(n)).fill(&cache, HEADERS, &[7; 300]);
        }
        // Hit each once: that is when a shared buffer makes its counter.
        for n in 0..OBJECTS {
            let found = Ask::get(&key(n)).hit(&cache);
            black_box((found.object.header_map(), found.object.body().complete().cloned()));
        }
        let header_bytes: usize =
            HEADERS.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        let payload = (key(0).len() + header_bytes + 300) as i64;
        // Less than nothing where the memory of an earlier figure is used again.
        let measured = (resident() as i64 - before as i64) / OBJECTS as i64;
        let counted = cache.stats().bytes as i64 / OBJECTS as i64;
        println!(
            "{kind:?}: {payload} bytes of key, headers, body; beyond that measured {}, counted {}",
            measured - payload,
            counted - payload
        );
    }
}

#[test]
#[ignore = "prints figures"]
fn memory_under_churn() {
    let capacity = 256 << 20;
    for kind in [EvictionPolicy::S3Fifo, EvictionPolicy::Lfu, EvictionPolicy::Lru] {
        let before = resident();
        let cache = store_with(kind, capacity, 32 << 20);
        let mut random = bytes(400_000, 3).into_iter();
        let mut next = || usize::from(random.next().unwrap());
        let body = bytes(8 << 20, 9);
        let (mut worst, mut total) = (0, 0);
        for n in 0..60_000 {
            let len = match next() {
                0 => next() * 32_768,
                1..16 => next() * 1_024,
                _ => next() * 64,
            };
            total += len;
            Ask::get(&key(n)).fill(&cache, HEADERS, &body[..len.min(body.len())]);
            if n % 500 == 0 {
                worst = worst.max(resident().saturating_sub(before));
                assert!(cache.stats().bytes <= capacity);
            }
        }
        println!(
            "{kind:?}: {} MiB through {} MiB, resident at worst {:.2} of capacity, now {:.2}",
            total >> 20,
            capacity >> 20,
            worst as f64 / capacity as f64,
            resident().saturating_sub(before) as f64 / capacity as f64
        );
    }
}
