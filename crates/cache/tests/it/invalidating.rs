//! Hard, soft, and what is under way meanwhile.

use cache::{Invalidate, Lookup, Outcome, Progress};
use http::HeaderMap;
use semantics::{MissReason, NoStoreReason, StaleReason};

use crate::support::*;

#[test]
fn hard_takes_all_variants_and_marks() {
    let cache = store(1 << 20);
    let varied = [("cache-control", "max-age=60"), ("vary", "x-lang")];
    for lang in ["de", "en"] {
        Ask::get("k").with("x-lang", lang).fill(&cache, &varied, b"x");
    }
    let french = Ask::get("k").with("x-lang", "fr");
    french.miss(&cache).decline(NoStoreReason::SetCookie, Some(at(30)));
    assert_eq!(cache.invalidate(b"k", Invalidate::Hard, NOW), 2);
    assert_eq!(cache.invalidate(b"k", Invalidate::Hard, NOW), 0);
    assert!(matches!(french.of(&cache), Lookup::Miss(MissReason::UriMiss, _)));
    assert_eq!((cache.stats().bytes, cache.stats().objects, cache.stats().marks), (0, 0, 0));
}

#[test]
fn hard_detaches_an_obligation() {
    let cache = store(1 << 20);
    let before = Ask::get("k").miss(&cache);
    let mut early = Ask::get("k").wait(&cache);
    cache.invalidate(b"k", Invalidate::Hard, NOW);
    // Who comes later starts anew.
    let after = Ask::get("k").miss(&cache);
    let mut fill = before.begin(Ask::get("k").answer(FRESH));
    let outcome = block_on(early.outcome(&HeaderMap::new(), &rules()));
    let Outcome::Filled(found) = outcome else { panic!("{outcome:?}") };
    let reader = found.object.body().reader(None);
    assert_eq!(block_on(fill.append(b"old")), Progress::Streaming);
    assert_eq!(fill.finish().unwrap_err(), NoStoreReason::Purged);
    assert_eq!(read(reader).unwrap(), b"old");
    Ask::get("k").wait(&cache);
    let mut fill = after.begin(Ask::get("k").answer(FRESH));
    write(&mut fill, b"new");
    fill.finish().unwrap();
    let found = Ask::get("k").hit(&cache);
    assert_eq!(found.object.body().complete().unwrap(), "new".as_bytes());
}

#[test]
fn hard_detaches_a_fill() {
    let cache = store(1 << 20);
    let mut fill = Ask::get("k").miss(&cache).begin(Ask::get("k").answer(FRESH));
    write(&mut fill, b"ol");
    let reader = Ask::get("k").hit(&cache).object.body().reader(None);
    assert_eq!(cache.invalidate(b"k", Invalidate::Hard, NOW), 1);
    Ask::get("k").miss(&cache);
    assert_eq!(block_on(fill.append(b"d")), Progress::Streaming);
    assert_eq!(fill.finish().unwrap_err(), NoStoreReason::Purged);
    assert_eq!(read(reader).unwrap(), b"old");
    // Not too large: no mark.
    Ask::get("k").miss(&cache);
}

#[test]
fn hard_between_the_last_byte_and_the_end() {
    let cache = store(1 << 20);
    let mut fill = Ask::get("k").miss(&cache).begin(Ask::get("k").answer(FRESH));
    write(&mut fill, b"old");
    cache.invalidate(b"k", Invalidate::Hard, NOW);
    assert_eq!(fill.finish().unwrap_err(), NoStoreReason::Purged);
    Ask::get("k").miss(&cache);
    assert_eq!(cache.stats().bytes, 0);
}

#[test]
fn hard_detaches_solo_obligations_and_revalidations() {
    let cache = store(1 << 20);
    let always = [("cache-control", "no-cache"), ("etag", "\"1\"")];
    Ask::get("k").fill(&cache, &always, b"old");
    let (_, first) = Ask::get("k").stale(&cache);
    let (_, second) = Ask::get("k").stale(&cache);
    cache.invalidate(b"k", Invalidate::Hard, NOW);
    let object = first.unwrap().freshen(renewed(&always, NOW));
    assert_eq!(object.body().complete().unwrap(), "old".as_bytes());
    let mut fill = second.unwrap().begin(Ask::get("k").answer(&always));
    write(&mut fill, b"old");
    assert!(fill.finish().is_err());
    Ask::get("k").miss(&cache);
}

#[test]
fn soft_is_stale_until_one_refresh() {
    let cache = store(1 << 20);
    Ask::get("k").fill(&cache, FRESH, b"old");
    assert_eq!(cache.invalidate(b"k", Invalidate::Soft, NOW), 1);
    let lookup = Ask::get("k").at(1).of(&cache);
    let Lookup::Stale(_, StaleReason::Invalidated, _, Some(obligation)) = lookup else {
        panic!("{lookup:?}")
    };
    let (_, second) = Ask::get("k").at(1).stale(&cache);
    assert!(second.is_none());
    let mut fill = obligation.begin(Ask::get("k").at(1).answer(FRESH));
    write(&mut fill, b"new");
    fill.finish().unwrap();
    let found = Ask::get("k").at(2).hit(&cache);
    assert_eq!(found.object.body().complete().unwrap(), "new".as_bytes());
}

#[test]
fn soft_reaches_what_is_under_way() {
    let cache = store(1 << 20);
    let obligation = Ask::get("a").miss(&cache);
    let mut fill = Ask::get("b").miss(&cache).begin(Ask::get("b").answer(FRESH));
    cache.invalidate(b"a", Invalidate::Soft, at(1));
    cache.invalidate(b"b", Invalidate::Soft, at(1));
    let mut late = obligation.begin(Ask::get("a").answer(FRESH));
    for (key, fill) in [("a", &mut late), ("b", &mut fill)] {
        write(fill, b"old");
        let (_, refresh) = Ask::get(key).at(2).stale(&cache);
        assert!(refresh.is_some());
    }
    late.finish().unwrap();
    fill.finish().unwrap();
    assert!(Ask::get("b").at(2).stale(&cache).1.is_some());
    assert_eq!(cache.stats().objects, 2);
}

#[test]
fn clearing_leaves_nothing() {
    for kind in
        [cache::EvictionPolicy::Lru, cache::EvictionPolicy::Lfu, cache::EvictionPolicy::S3Fifo]
    {
        let cache = store_with(kind, 1 << 20, 1 << 20);
        for i in 0..5_000 {
            Ask::get(&format!("key-{i}")).fill(&cache, FRESH, &bytes(i % 700, 1));
        }
        assert!(cache.stats().evictions > 0);
        let fill = Ask::get("in flight").miss(&cache).begin(Ask::get("in flight").answer(FRESH));
        cache.clear();
        drop(fill);
        let stats = cache.stats();
        // What is left is the policy's smallest sketch and empty tables.
        assert!(stats.bytes <= 16 << 10, "{kind:?} {}", stats.bytes);
        assert_eq!((stats.objects, stats.marks, stats.in_flight_bytes), (0, 0, 0));
        Ask::get("k").fill(&cache, FRESH, b"x");
    }
}

#[test]
fn listing_finds_everything_in_bounded_steps() {
    let cache = store(64 << 20);
    for i in 0..3_000 {
        Ask::get(&format!("key-{i}")).fill(&cache, FRESH, b"x");
    }
    let (mut keys, mut cursor, mut calls) = (std::collections::HashSet::new(), None, 0);
    loop {
        let (found, next) = cache.entries(cursor, 100);
        assert!(found.len() <= 100 + 256);
        keys.extend(found.into_iter().map(|entry| entry.key));
        calls += 1;
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(keys.len(), 3_000);
    assert!(calls >= 10);
    let entry = &cache.inspect(b"key-7")[0];
    assert_eq!(entry.variants[0].body_len, Some(1));
    assert!(entry.variants[0].bytes > 0 && !entry.variants[0].in_flight);
}
