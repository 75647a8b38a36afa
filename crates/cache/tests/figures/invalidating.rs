//! What orders cost, and what is left of them.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};
use std::time::{Duration, Instant};

use cache::{Cache, EvictionPolicy, Keys, Order, Swept};
use http::HeaderMap;
use semantics::Timestamp;
use wire::invalidation::{Ban, How, Pattern, Target};
use wire::{Invalidation, Seq};

use crate::support::*;
use crate::{clock, key, look};

fn order(target: Target) -> Order {
    let (id, how) = ("o".into(), How::Hard);
    let order = Invalidation { format: 1, id, target, how, dry_run: false, issued_ms: 0 };
    Order::new(&order, |_| Keys::default()).unwrap()
}

fn seq(n: u64) -> Seq {
    Seq { ms: n, n: 0 }
}

/// A round of the sweeper, which lets others run after each piece as it does in a node.
fn sweep(cache: &Cache, now: Timestamp) {
    let mut sweep = cache.begin_sweep(Duration::ZERO, now);
    while matches!(cache.sweep(&mut sweep, now), Swept::More) {
        std::thread::yield_now();
    }
}

fn tagged(cache: &Arc<Cache>, n: usize, tags: &str) {
    let fields = [("cache-control", "max-age=86400"), ("surrogate-key", tags)];
    Ask::get(&key(n)).fill(cache, &fields, b"body");
}

/// Nanoseconds that lookups took until `stop`: before the order, and after it, of what it is not about
/// and of what it is about, which are the keys below half of all.
fn watch(cache: &Arc<Cache>, phase: &AtomicU8, stop: &AtomicBool, objects: usize) -> [Vec<u32>; 3] {
    let keys: Vec<_> = (0..objects).step_by(7).map(|n| (n < objects / 2, key(n))).collect();
    let request = HeaderMap::new();
    let mut took = [const { Vec::new() }; 3];
    // Now one, now the other.
    let (tagged, others) = keys.split_at(keys.len() / 2);
    for (named, key) in tagged.iter().zip(others).flat_map(|(a, b)| [a, b]).cycle() {
        if stop.load(Relaxed) {
            break;
        }
        let start = clock();
        black_box(look(cache, key.as_bytes(), &request));
        let nanos = u32::try_from(start.elapsed().as_nanos()).unwrap_or(u32::MAX);
        let during = phase.load(Relaxed) != 0;
        took[usize::from(during) + usize::from(during && *named)].push(nanos);
        // As far apart as requests are.
        std::thread::sleep(Duration::from_micros(20));
    }
    took
}

fn quantile(took: &mut [u32], per_mille: usize) -> u32 {
    took.sort_unstable();
    took[took.len() * per_mille / 1_000]
}

#[test]
#[ignore = "prints figures"]
fn a_tag_on_many() {
    const OBJECTS: usize = 100_000;
    let cache = store_with(EvictionPolicy::S3Fifo, 1 << 30, 1 << 20);
    for n in 0..OBJECTS {
        tagged(&cache, n, "all");
    }
    // Half of what is looked up has the tag, so that hits, too, go on.
    for n in OBJECTS..2 * OBJECTS {
        tagged(&cache, n, "other");
    }
    let (phase, stop) = (AtomicU8::new(0), AtomicBool::new(false));
    let (took, [mut before, mut during, mut named]) = std::thread::scope(|scope| {
        let readers: Vec<_> =
            (0..2).map(|_| scope.spawn(|| watch(&cache, &phase, &stop, 2 * OBJECTS))).collect();
        std::thread::sleep(Duration::from_secs(1));
        phase.store(1, Relaxed);
        let start = clock();
        let applied = cache.apply(seq(1), &order(Target::Tags(vec!["all".into()])), NOW).unwrap();
        let took = start.elapsed();
        assert_eq!(applied.matched, Some(OBJECTS as u64));
        sweep(&cache, NOW);
        let swept = start.elapsed();
        std::thread::sleep(Duration::from_secs(1).saturating_sub(swept));
        stop.store(true, Relaxed);
        println!("a tag on {OBJECTS} objects: swept after {swept:?}");
        let mut all = [const { Vec::new() }; 3];
        for reader in readers {
            let took = reader.join().unwrap();
            all.iter_mut().zip(took).for_each(|(all, took)| all.extend(took));
        }
        (took, all)
    });
    let figures = |took: &mut [u32]| [500, 990, 999].map(|at| quantile(took, at));
    let (before, during) = (figures(&mut before), figures(&mut during));
    println!("applied in {took:?}; lookups, p50 p99 p99.9 in ns:");
    println!("before {before:?}, in the second after it {during:?} of what it is not about");
    println!("and of what it is about, misses by then: {:?}", figures(&mut named));
    println!("p99 during / before: {:.2}", f64::from(during[1]) / f64::from(before[1]));
    assert!(took < Duration::from_millis(10), "{took:?}");
    assert_eq!(cache.stats().tags, 1);
}

#[test]
#[ignore = "prints figures"]
fn a_million_tagged_objects() {
    const OBJECTS: usize = 1_000_000;
    let cache = store_with(EvictionPolicy::S3Fifo, 32 << 20, 1 << 20);
    let mut most = 0;
    for n in 0..OBJECTS {
        let tags = format!("own-{n} a-{} b-{} c-{} all", n % 7, n % 1_000, n / 50);
        tagged(&cache, n, &tags);
        if n % 1_000 == 0 {
            most = most.max(cache.stats().tags);
        }
    }
    let stats = cache.stats();
    println!(
        "{} objects of {OBJECTS} are left, {} tags, at most {most}",
        stats.objects, stats.tags
    );
    cache.apply(seq(1), &order(Target::All), NOW).unwrap();
    sweep(&cache, NOW);
    cache.forget(NOW);
    let stats = cache.stats();
    println!(
        "emptied: {} objects, {} tags of {} bytes, {} bytes in all",
        stats.objects, stats.tags, stats.tag_bytes, stats.bytes
    );
    assert_eq!((stats.objects, stats.tags, stats.orders), (0, 0, 0));
    assert_eq!((stats.tag_bytes, stats.order_bytes), (0, 0));
    // What the policy remembers of those that are gone.
    cache.clear();
    assert_eq!(cache.stats().bytes, 0);
}

fn ban(n: usize) -> Order {
    let path = match n % 10 {
        0..5 => Pattern::Glob(format!("/none/{n}/*.jpg")),
        5..8 => Pattern::Prefix(format!("/none/{n}/")),
        _ => Pattern::Regex(format!("^/none/{n}/[a-z]+[0-9]*$")),
    };
    let (id, ttl_ms) = (format!("b{n}"), 60_000 + n as u64);
    let spec = Ban { id, host: None, path: Some(path), headers: Vec::new(), ttl_ms };
    order(Target::Ban(spec))
}

/// Lookups per second.
fn throughput(cache: &Arc<Cache>, keys: &[String]) -> f64 {
    const ROUNDS: usize = 50;
    let request = HeaderMap::new();
    let start: Instant = clock();
    for _ in 0..ROUNDS {
        for key in keys {
            black_box(look(cache, key.as_bytes(), &request));
        }
    }
    (ROUNDS * keys.len()) as f64 / start.elapsed().as_secs_f64()
}

#[test]
#[ignore = "prints figures"]
fn many_bans() {
    const BANS: usize = 10_000;
    let cache = store_with(EvictionPolicy::S3Fifo, 256 << 20, 1 << 20);
    for n in 0..20_000 {
        tagged(&cache, n, "t");
    }
    let keys: Vec<String> = (0..20_000).map(key).collect();
    throughput(&cache, &keys);
    let without = throughput(&cache, &keys);
    for n in 0..BANS {
        cache.apply(seq(n as u64 + 1), &ban(n), NOW).unwrap();
    }
    let start = clock();
    throughput_once(&cache, &keys);
    let first = start.elapsed();
    let with = throughput(&cache, &keys);
    println!(
        "lookups per second: {without:.0} without bans, {with:.0} with {BANS}, once every object was held against them"
    );
    println!(
        "ratio {:.3}; holding 20000 objects against {BANS} bans took {first:?}",
        with / without
    );
    assert_eq!(cache.bans(NOW).len(), BANS);
    let bytes = cache.stats().bytes;
    assert!(!cache.forget(at(71)));
    assert_eq!((cache.bans(at(71)).len(), cache.stats().orders), (0, 0));
    println!("their end gives back {} bytes", bytes - cache.stats().bytes);
    assert!(with / without >= 0.9);
}

fn throughput_once(cache: &Arc<Cache>, keys: &[String]) {
    let request = HeaderMap::new();
    for key in keys {
        black_box(look(cache, key.as_bytes(), &request));
    }
}
