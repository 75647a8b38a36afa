//! Orders beside fills, counts, lifts and settings that would undo each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use cache::{
    Cache, Counted, EvictionPolicy, Invalidate, Keys, Lookup, Order, Outcome, Settings, Swept,
};
use wire::invalidation::{Ban, How, Pattern, Prefix, Target};
use wire::{Invalidation, Seq};

use crate::support::*;

const A: &str = "http://h/a";
const GRACE: Duration = Duration::from_secs(30);

fn seq(n: u64) -> Seq {
    Seq { ms: n, n: 0 }
}

fn order(target: Target, dry_run: bool) -> Order {
    let (id, how) = ("o".into(), How::Hard);
    let order = Invalidation { format: 1, id, target, how, dry_run, issued_ms: 0 };
    Order::new(&order, |_| Keys::default()).unwrap()
}

fn tags(names: impl IntoIterator<Item = impl Into<String>>) -> Order {
    order(Target::Tags(names.into_iter().map(Into::into).collect()), false)
}

fn ban(id: &str, path: &str) -> Order {
    let path = Some(Pattern::Prefix(path.into()));
    let ban = Ban { id: id.into(), host: None, path, headers: Vec::new(), ttl_ms: 60_000 };
    order(Target::Ban(ban), false)
}

fn round(cache: &Cache, grace: Duration) -> Vec<Counted> {
    let mut sweep = cache.begin_sweep(grace, NOW);
    loop {
        if let Swept::Done(counted) = cache.sweep(&mut sweep, NOW) {
            return counted;
        }
    }
}

/// The ban stops the sweep of bans, and the count behind it must be made all the same.
#[test]
fn a_dry_run_counts_past_a_ban_that_is_not_swept_yet() {
    let cache = store(1 << 20);
    Ask::get(A).fill(&cache, FRESH, b"x");
    cache.apply(seq(1), &ban("b", "/other"), NOW).unwrap();
    let dry = order(Target::Prefix(Prefix { host: None, path: "/a".into() }), true);
    cache.apply(seq(2), &dry, NOW).unwrap();
    assert_eq!(round(&cache, GRACE), [Counted { seq: seq(2), matched: 1 }]);
    Ask::get(A).hit(&cache);
}

#[test]
fn a_ban_that_came_twice_is_lifted_once() {
    let cache = store(1 << 20);
    Ask::get(A).fill(&cache, FRESH, b"x");
    cache.apply_here(&ban("b", "/a"), NOW).unwrap();
    cache.apply(seq(1), &ban("b", "/a"), NOW).unwrap();
    assert_eq!(cache.bans(NOW).len(), 1);
    cache.apply(seq(2), &order(Target::Lift("b".into()), false), NOW).unwrap();
    assert!(cache.bans(NOW).is_empty());
    Ask::get(A).hit(&cache);
}

/// What several tags match is counted as a ban is, and not to be able to count is no reason to refuse.
#[test]
fn several_tags_are_purged_however_many_bans_there_are() {
    let cache = store(64 << 20);
    Ask::get(A).fill(&cache, &[("cache-control", "max-age=60"), ("surrogate-key", "one")], b"x");
    let refused = (1..).find(|n| cache.apply(seq(*n), &ban(&n.to_string(), "/b"), NOW).is_err());
    cache.apply(seq(refused.unwrap() + 1), &tags(["one", "two"]), NOW).unwrap();
    Ask::get(A).miss(&cache);
}

/// The policy has still to hear of hits on objects that are gone by then.
#[test]
fn a_resize_after_a_purge_keeps_the_books() {
    for kind in [EvictionPolicy::Lru, EvictionPolicy::Lfu, EvictionPolicy::S3Fifo] {
        let cache = store_with(kind, 1 << 20, 1 << 18);
        let keys = ["http://h/0", "http://h/1", "http://h/2", "http://h/3"];
        for key in keys {
            Ask::get(key).fill(&cache, FRESH, b"x");
        }
        for key in &keys[..2] {
            Ask::get(key).hit(&cache);
            cache.invalidate(key.as_bytes(), Invalidate::Hard, NOW);
        }
        cache.resize(Settings { capacity: 2 << 20, ..cache.settings() });
        for i in 10..3000 {
            Ask::get(&format!("http://h/{i}")).fill(&cache, FRESH, &[0; 2000]);
        }
        let stats = cache.stats();
        assert!(stats.bytes <= stats.capacity, "{kind:?} {stats:?}");
        assert!(stats.objects > 500, "{kind:?} {stats:?}");
    }
}

/// A shield says how far it has come, and then looks up: what it finds must be held against all of that.
#[test]
fn a_position_is_told_only_when_its_order_has_taken_effect() {
    let cache = store(64 << 20);
    // The one that matters comes last.
    let order = tags((0..200).map(|i| format!("t{i}")));
    let response = [("cache-control", "max-age=60"), ("surrogate-key", "t199")];
    let (turn, done, checks) = (AtomicU64::new(0), AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 1..1000 {
                // The other one may hold what was to be filled, for a moment.
                let duty = loop {
                    if let Lookup::Miss(_, duty) = Ask::get(A).of(&cache) {
                        break duty;
                    }
                };
                duty.begin(Ask::get(A).answer(&response)).finish().unwrap();
                turn.store(n, SeqCst);
                cache.apply(seq(n), &order, NOW).unwrap();
                thread::yield_now();
                round(&cache, Duration::ZERO);
                cache.clear();
            }
            done.store(true, SeqCst);
        });
        scope.spawn(|| {
            while !done.load(SeqCst) {
                let n = turn.load(SeqCst);
                let applied = cache.applied();
                if n == 0 || applied != seq(n) {
                    continue;
                }
                checks.fetch_add(1, SeqCst);
                let Lookup::Hit(found) = Ask::get(A).of(&cache) else { continue };
                // In the next turn there is a new one.
                let old = found.object.vouched < applied && turn.load(SeqCst) == n;
                assert!(!old, "position {n} was told before its order worked");
            }
        });
    });
    assert!(checks.load(SeqCst) > 0);
}

/// The head is judged before the object is there to be found.
#[test]
fn who_comes_after_an_order_is_not_given_what_was_judged_before_it() {
    let cache = store(64 << 20);
    let order = tags(["one"]);
    // Many fields: time between judging and publishing.
    let names: Vec<String> = (0..150).map(|i| format!("x-f{i}")).collect();
    let value = "v".repeat(200);
    let mut response = vec![("cache-control", "max-age=60"), ("surrogate-key", "one")];
    response.extend(names.iter().map(|name| (name.as_str(), value.as_str())));
    let (turn, answered) = (AtomicU64::new(0), AtomicU64::new(0));
    const TURNS: u64 = 2_000;
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 1..=TURNS {
                cache.clear();
                let mut duty = Ask::get(A).miss(&cache);
                duty.sent(|| Seq::ZERO);
                let answer = Ask::get(A).answer(&response);
                turn.store(n, SeqCst);
                // Stored or not, as the order was there in time or not.
                let _ = duty.begin(answer).finish();
                while answered.load(SeqCst) != n {
                    thread::yield_now();
                }
            }
        });
        scope.spawn(|| {
            for n in 1..=TURNS {
                while turn.load(SeqCst) != n {
                    thread::yield_now();
                }
                for _ in 0..n * 37 % 4000 {
                    std::hint::spin_loop();
                }
                cache.apply(seq(n), &order, NOW).unwrap();
                let given = given_old(&cache);
                answered.store(n, SeqCst);
                assert!(!given, "turn {n}");
            }
        });
    });
}

/// Whether somebody who asks now is given what another fetched.
fn given_old(cache: &Arc<Cache>) -> bool {
    let ask = Ask::get(A);
    match ask.of(cache) {
        Lookup::Wait(mut waiter) => {
            matches!(block_on(waiter.outcome(&ask.fields, &rules())), Outcome::Filled(_))
        }
        Lookup::Hit(_) => true,
        _ => false,
    }
}

/// A soft order in the second of the answer: it is stale, and one refreshes it for all.
#[test]
fn a_soft_order_right_after_the_answer_leaves_one_refresh_for_all() {
    let cache = store(1 << 20);
    let response = [("cache-control", "max-age=60, must-revalidate"), ("etag", "\"1\"")];
    Ask::get(A).fill(&cache, &response, b"x");
    cache.invalidate(A.as_bytes(), Invalidate::Soft, NOW);
    let (_, duty) = Ask::get(A).at(1).stale(&cache);
    assert!(!duty.unwrap().is_solo());
}
