//! Real threads.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use cache::{Cache, EvictionPolicy, Failure, Invalidate, Lookup, Outcome};
use http::HeaderMap;
use parking_lot::Mutex;
use semantics::NoStoreReason;

use crate::support::*;

/// What a client does: look up until there is a body or a final word.
fn client(cache: &Arc<Cache>, ask: &Ask<'_>, fetches: &AtomicUsize) -> Option<Vec<u8>> {
    loop {
        match ask.of(cache) {
            Lookup::Hit(found) => return read(found.object.body().reader(None)).ok(),
            Lookup::Miss(_, obligation) => {
                fetches.fetch_add(1, SeqCst);
                thread::yield_now();
                let mut fill = obligation.begin(ask.answer(FRESH));
                for piece in [b"one ".as_slice(), b"two ", b"three"] {
                    thread::yield_now();
                    block_on(fill.append(piece));
                }
                let object = fill.object().clone();
                let _ = fill.finish();
                return read(object.body().reader(None)).ok();
            }
            Lookup::Wait(mut waiter) => {
                match block_on(waiter.outcome(&HeaderMap::new(), &rules())) {
                    Outcome::Filled(found) => return read(found.object.body().reader(None)).ok(),
                    Outcome::Retry => {}
                    Outcome::Uncacheable | Outcome::Failed(_) => return None,
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_thousand_misses_make_one_obligation() {
    let cache = store(16 << 20);
    let fetches = AtomicUsize::new(0);
    let barrier = Barrier::new(1_000);
    thread::scope(|scope| {
        for _ in 0..1_000 {
            thread::Builder::new()
                .stack_size(128 << 10)
                .spawn_scoped(scope, || {
                    barrier.wait();
                    let body = client(&cache, &Ask::get("hot"), &fetches);
                    assert_eq!(body.unwrap(), b"one two three");
                })
                .unwrap();
        }
    });
    assert_eq!(fetches.load(SeqCst), 1);
    assert_eq!(cache.stats().flights, 0);
    cache.clear();
    assert_eq!(cache.stats().bytes, 0);
}

#[test]
fn every_wait_ends_whatever_the_holder_does() {
    for round in 0..200 {
        let cache = store(16 << 20);
        let (obligations, ends) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let barrier = Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    loop {
                        match Ask::get("k").of(&cache) {
                            Lookup::Miss(_, obligation) => {
                                // The first few give up in different ways.
                                match obligations.fetch_add(1, SeqCst) {
                                    0 => drop(obligation),
                                    1 => {
                                        let mut fill =
                                            obligation.begin(Ask::get("k").answer(FRESH));
                                        write(&mut fill, b"x");
                                        drop(fill);
                                    }
                                    2 if round % 2 == 0 => {
                                        obligation.fail(Failure {
                                            status: 502,
                                            reason: "reset",
                                            retry_after: None,
                                        });
                                    }
                                    2 => obligation.decline(NoStoreReason::Private, Some(at(1))),
                                    _ => {
                                        let mut fill =
                                            obligation.begin(Ask::get("k").answer(FRESH));
                                        write(&mut fill, b"x");
                                        fill.finish().unwrap();
                                    }
                                }
                            }
                            Lookup::Wait(mut waiter) => {
                                block_on(waiter.outcome(&HeaderMap::new(), &rules()));
                            }
                            _ => break,
                        }
                        if ends.fetch_add(1, SeqCst) > 10_000 {
                            panic!("no end");
                        }
                    }
                });
            }
        });
        assert_eq!(cache.stats().flights, 0);
    }
}

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn a_dropped_obligation_is_handed_to_exactly_one() {
    let cache = store(16 << 20);
    let mut holder = Some(Ask::get("k").miss(&cache));
    let mut waiters: Vec<_> = (0..100).map(|_| Ask::get("k").wait(&cache)).collect();
    // Half of those who wait have been polled, some of them are cancelled.
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(count.clone());
    for waiter in waiters.iter_mut().step_by(2) {
        let (map, rules) = (HeaderMap::new(), rules());
        let future = std::pin::pin!(waiter.outcome(&map, &rules));
        assert!(future.poll(&mut Context::from_waker(&waker)).is_pending());
    }
    waiters.truncate(60);
    holder.take();
    assert_eq!(count.0.load(SeqCst), 30);
    let mut next = Vec::new();
    for mut waiter in waiters {
        let outcome = poll_once(waiter.outcome(&HeaderMap::new(), &rules()));
        assert!(matches!(outcome, Poll::Ready(Outcome::Retry)));
        match Ask::get("k").of(&cache) {
            Lookup::Miss(_, obligation) => next.push(obligation),
            Lookup::Wait(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(next.len(), 1);
}

#[test]
fn churn_from_many_threads_leaves_the_books_balanced() {
    for kind in [EvictionPolicy::Lru, EvictionPolicy::Lfu, EvictionPolicy::S3Fifo] {
        let cache = store_with(kind, 1 << 20, 1 << 18);
        // Never two holders of one key at a time.
        let held: Mutex<HashMap<u64, ()>> = Mutex::default();
        thread::scope(|scope| {
            for seed in 0..8_u64 {
                let (cache, held) = (&cache, &held);
                scope.spawn(move || churn(cache, held, seed));
            }
        });
        let stats = cache.stats();
        assert!(stats.bytes <= stats.capacity, "{kind:?} {stats:?}");
        assert_eq!((stats.flights, stats.in_flight_bytes), (0, 0), "{kind:?}");
        let listed: usize = {
            let (mut count, mut cursor) = (0, None);
            loop {
                let (found, next) = cache.entries(cursor, 1_000);
                count += found.iter().map(|entry| entry.variants.len()).sum::<usize>();
                cursor = next;
                if cursor.is_none() {
                    break count;
                }
            }
        };
        assert_eq!(stats.objects, listed as u64, "{kind:?}");
        cache.clear();
        let stats = cache.stats();
        assert_eq!((stats.objects, stats.marks), (0, 0), "{kind:?}");
        assert!(stats.bytes <= 16 << 10, "{kind:?} {stats:?}");
    }
}

fn churn(cache: &Arc<Cache>, held: &Mutex<HashMap<u64, ()>>, seed: u64) {
    let mut random = bytes(30_000, seed * 2 + 1).into_iter();
    let mut next = move || u64::from(random.next().unwrap());
    for step in 0..4_000_i64 {
        let number = next() % 64 * if next() < 128 { 1 } else { 64 };
        let key = number.to_string();
        let ask = Ask::get(&key).at(step / 40);
        match ask.of(cache) {
            Lookup::Hit(found) => {
                let body = read(found.object.body().reader(None));
                assert!(body.is_err() || body.unwrap().iter().all(|b| *b == number as u8));
            }
            Lookup::Miss(_, obligation) | Lookup::Stale(_, _, _, Some(obligation)) => {
                let fresh = held.lock().insert(number, ()).is_none();
                // An invalidated one is out of the books: two may be held then.
                let purged = next() < 16;
                assert!(fresh || number % 2 == 0, "two obligations for {number}");
                held.lock().remove(&number);
                if purged && number % 2 == 0 {
                    cache.invalidate(key.as_bytes(), Invalidate::Hard, ask.now);
                }
                match next() {
                    0..16 => drop(obligation),
                    16..32 => {
                        obligation.fail(Failure { status: 502, reason: "reset", retry_after: None })
                    }
                    32..48 => obligation.decline(NoStoreReason::Private, Some(at(step / 40 + 1))),
                    48..80 if obligation.stale().is_some() => {
                        obligation.freshen(renewed(FRESH, ask.now));
                    }
                    _ => {
                        let mut fill = obligation.begin(ask.answer(FRESH));
                        for _ in 0..next() % 4 {
                            block_on(fill.append(&vec![number as u8; next() as usize * 8]));
                        }
                        if next() > 20 {
                            let _ = fill.finish();
                        }
                    }
                }
            }
            Lookup::Wait(mut waiter) if next() < 200 => {
                block_on(waiter.outcome(&ask.fields, &rules()));
            }
            _ => {}
        }
        if next() == 0 {
            cache.invalidate(key.as_bytes(), Invalidate::Soft, ask.now);
        }
    }
}
