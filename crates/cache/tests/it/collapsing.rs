//! Many requests, one fetch: what those who wait are told.

use std::task::Poll;

use cache::{Failure, Going, Lookup, Outcome};
use http::HeaderMap;
use semantics::{NoStoreReason, Verdict};

use crate::support::*;

fn told(waiter: &mut cache::Waiter) -> Option<Outcome> {
    match poll_once(waiter.outcome(&HeaderMap::new(), &rules())) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}

#[test]
fn the_second_waits_and_reads_along() {
    let cache = store(1 << 20);
    let obligation = Ask::get("k").miss(&cache);
    let mut waiter = Ask::get("k").wait(&cache);
    assert!(told(&mut waiter).is_none());
    let mut fill = obligation.begin(Ask::get("k").answer(FRESH));
    write(&mut fill, b"half");
    let Some(Outcome::Filled(found)) = told(&mut waiter) else { panic!("not filled") };
    let mut reader = found.object.body().reader(None);
    let piece = block_on(reader.chunk()).unwrap().unwrap();
    assert_eq!(piece, "half");
    // A third finds it in the index.
    let third = Ask::get("k").hit(&cache);
    write(&mut fill, b" and half");
    let stored = fill.finish().unwrap();
    assert_eq!(block_on(reader.chunk()).unwrap().unwrap(), " and half");
    assert!(block_on(reader.chunk()).is_none());
    assert_eq!(read(third.object.body().reader(None)).unwrap(), b"half and half");
    assert_eq!(stored.body().complete().unwrap(), "half and half".as_bytes());
    assert_eq!(cache.stats().collapsed, 2);
}

#[test]
fn what_is_let_go_at_its_end_was_for_those_who_asked_meanwhile() {
    let cache = store(1 << 20);
    let obligation = Ask::get("k").miss(&cache);
    let mut waiter = Ask::get("k").wait(&cache);
    let mut fill = obligation.begin(Ask::get("k").answer(FRESH));
    write(&mut fill, b"half");
    let Some(Outcome::Filled(waited)) = told(&mut waiter) else { panic!("not filled") };
    let came_later = Ask::get("k").hit(&cache);
    write(&mut fill, b" and half");
    assert_eq!(fill.let_go(NoStoreReason::PeerOwns), Err(NoStoreReason::PeerOwns));
    for reading in [waited, came_later] {
        assert_eq!(read(reading.object.body().reader(None)).unwrap(), b"half and half");
    }
    drop(waiter);
    let bytes = cache.stats().bytes;
    let _next = Ask::get("k").miss(&cache);
    assert_eq!((cache.stats().objects, bytes), (0, 0));
}

#[test]
fn what_is_let_go_and_was_not_whole_is_truncated() {
    let cache = store(1 << 20);
    let answer = Ask::get("k").answer(FRESH);
    let answer = cache::NewObject { content_length: Some(9), ..answer };
    let mut fill = Ask::get("k").miss(&cache).begin(answer);
    write(&mut fill, b"half");
    let reader = Ask::get("k").hit(&cache).object.body().reader(None);
    assert_eq!(fill.let_go(NoStoreReason::PeerOwns), Err(NoStoreReason::Truncated));
    assert!(read(reader).is_err());
    let _next = Ask::get("k").miss(&cache);
}

/// Two nodes that take each other for the owner of a key would wait for each other.
#[test]
fn who_is_asked_by_a_peer_does_not_wait_for_what_went_to_one() {
    let cache = store(1 << 20);
    let (yes, no) = (|| true, || false);
    let ask = |key, going| {
        let (fields, directives) = (HeaderMap::new(), semantics::RequestDirectives::default());
        cache.lookup(&cache::Query {
            key,
            head: false,
            request: &fields,
            rules: &rules(),
            directives: &directives,
            now: at(0),
            arrived: cache.position(),
            unvouched: false,
            going,
        })
    };
    let Lookup::Miss(_, across) = ask(b"a", Going::Across(&yes)) else { panic!("not a miss") };
    assert!(across.is_across());
    let Lookup::Miss(_, up) = ask(b"a", Going::UpForPeer) else { panic!("the peer waits") };
    assert!(!up.is_across());
    assert!(matches!(ask(b"a", Going::UpForPeer), Lookup::Wait(_)), "but for its like it does");
    assert!(matches!(ask(b"a", Going::Across(&no)), Lookup::Wait(_)));
    let Lookup::Miss(_, own) = ask(b"b", Going::Across(&no)) else { panic!("not a miss") };
    assert!(!own.is_across());
    assert!(matches!(ask(b"b", Going::UpForPeer), Lookup::Wait(_)));
}

#[test]
fn a_dropped_obligation_passes_on() {
    let cache = store(1 << 20);
    let obligation = Ask::get("k").miss(&cache);
    let mut waiters = [Ask::get("k").wait(&cache), Ask::get("k").wait(&cache)];
    drop(obligation);
    for waiter in &mut waiters {
        assert!(matches!(told(waiter), Some(Outcome::Retry)));
    }
    let _next = Ask::get("k").miss(&cache);
    Ask::get("k").wait(&cache);
}

#[test]
fn a_dropped_fill_truncates_and_passes_on() {
    let cache = store(1 << 20);
    let mut fill = Ask::get("k").miss(&cache).begin(Ask::get("k").answer(FRESH));
    write(&mut fill, b"begin");
    let reader = Ask::get("k").hit(&cache).object.body().reader(None);
    drop(fill);
    assert!(read(reader).is_err());
    Ask::get("k").miss(&cache);
    assert_eq!(cache.stats().objects, 0);
}

#[test]
fn waiters_share_a_failure_and_a_refusal() {
    let cache = store(1 << 20);
    let obligation = Ask::get("k").miss(&cache);
    let mut waiter = Ask::get("k").wait(&cache);
    obligation.fail(Failure { status: 504, reason: "timeout", retry_after: None });
    assert!(matches!(told(&mut waiter), Some(Outcome::Failed(f)) if f.status == 504));
    let obligation = Ask::get("k").miss(&cache);
    let mut waiter = Ask::get("k").wait(&cache);
    obligation.decline(NoStoreReason::Private, Some(at(10)));
    assert!(matches!(told(&mut waiter), Some(Outcome::Uncacheable)));
    assert!(matches!(Ask::get("k").of(&cache), Lookup::HitForMiss));
    assert!(matches!(Ask::get("k").at(10).of(&cache), Lookup::Miss(..)));
}

#[test]
fn cancelled_waiters_leave_nothing() {
    let cache = store(1 << 20);
    let obligation = Ask::get("k").miss(&cache);
    let mut waiter = Ask::get("k").wait(&cache);
    assert!(told(&mut waiter).is_none());
    assert_eq!(cache.inspect(b"k")[0].waiting, 1);
    drop(waiter);
    assert_eq!(cache.inspect(b"k")[0].waiting, 0);
    drop(obligation);
    assert!(cache.inspect(b"k").is_empty());
    assert_eq!(cache.stats().bytes, 0);
}

#[test]
fn stale_while_revalidate_refreshes_once() {
    let cache = store(1 << 20);
    let response = [("cache-control", "max-age=10, stale-while-revalidate=60")];
    Ask::get("k").fill(&cache, &response, b"old");
    let (_, first) = Ask::get("k").at(20).stale(&cache);
    let (found, second) = Ask::get("k").at(20).stale(&cache);
    assert!(first.is_some() && second.is_none());
    let renewed = first.unwrap().freshen(renewed(&response, at(20)));
    assert!(renewed.body().complete() == found.object.body().complete());
    Ask::get("k").at(25).hit(&cache);
    assert_eq!(cache.stats().objects, 1);
}

#[test]
fn what_must_be_validated_is_waited_for() {
    let cache = store(1 << 20);
    Ask::get("k").fill(&cache, FRESH, b"old");
    let (_, obligation) = Ask::get("k").at(100).stale(&cache);
    let mut waiter = Ask::get("k").at(100).wait(&cache);
    assert_eq!(waiter.stale().unwrap().body().complete().unwrap(), "old".as_bytes());
    let obligation = obligation.unwrap();
    assert!(obligation.stale().is_some() && !obligation.is_solo());
    obligation.freshen(renewed(FRESH, at(100)));
    assert!(matches!(told(&mut waiter), Some(Outcome::Filled(_))));
}

#[test]
fn a_reload_revalidates_and_others_hit() {
    let cache = store(1 << 20);
    Ask::get("k").fill(&cache, FRESH, b"old");
    let reload = Ask::get("k").with("cache-control", "no-cache");
    let (_, obligation) = reload.stale(&cache);
    assert!(obligation.is_some());
    reload.wait(&cache);
    Ask::get("k").hit(&cache);
}

#[test]
fn what_always_needs_the_origin_is_never_shared() {
    let cache = store(1 << 20);
    let response = [("cache-control", "no-cache"), ("etag", "\"1\"")];
    let obligation = Ask::get("k").miss(&cache);
    let mut waiter = Ask::get("k").wait(&cache);
    let mut fill = obligation.begin(Ask::get("k").answer(&response));
    assert!(matches!(told(&mut waiter), Some(Outcome::Retry)));
    write(&mut fill, b"body");
    let solos: Vec<_> = (0..3).map(|_| Ask::get("k").stale(&cache).1.unwrap()).collect();
    assert!(solos.iter().all(|solo| solo.is_solo()));
    fill.finish().unwrap();
    for solo in solos {
        solo.freshen(renewed(&response, NOW));
    }
    assert_eq!(cache.stats().objects, 1);
    assert_eq!(cache.stats().flights, 0);
}

#[test]
fn a_mark_beside_a_stale_object_lets_everybody_ask() {
    let cache = store(1 << 20);
    Ask::get("k").fill(&cache, FRESH, b"old");
    let (_, obligation) = Ask::get("k").at(100).stale(&cache);
    obligation.unwrap().decline(NoStoreReason::SetCookie, Some(at(200)));
    let (_, first) = Ask::get("k").at(101).stale(&cache);
    let (_, second) = Ask::get("k").at(101).stale(&cache);
    assert!(first.unwrap().is_solo() && second.unwrap().is_solo());
}

#[test]
fn discarding_the_stale_one_leaves_the_mark_alone() {
    let cache = store(1 << 20);
    Ask::get("k").fill(&cache, FRESH, b"old");
    let (_, obligation) = Ask::get("k").at(100).stale(&cache);
    let mut obligation = obligation.unwrap();
    obligation.discard_stale();
    assert!(obligation.stale().is_none());
    obligation.decline(NoStoreReason::SetCookie, Some(at(200)));
    assert!(matches!(Ask::get("k").at(101).of(&cache), Lookup::HitForMiss));
    assert_eq!(cache.stats().objects, 0);
}

#[test]
fn max_stale_takes_it_as_it_is() {
    let cache = store(1 << 20);
    Ask::get("k").fill(&cache, FRESH, b"old");
    let ask = Ask::get("k").with("cache-control", "max-stale").at(100);
    match ask.of(&cache) {
        Lookup::Stale(_, _, Verdict::StaleAllowed(_), None) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fill_that_expires_on_the_way_can_be_renewed() {
    let cache = store(1 << 20);
    let mut fill = Ask::get("k").miss(&cache).begin(Ask::get("k").answer(FRESH));
    write(&mut fill, b"slow ");
    let (_, obligation) = Ask::get("k").at(100).stale(&cache);
    obligation.unwrap().freshen(renewed(FRESH, at(100)));
    write(&mut fill, b"body");
    let stored = fill.finish().unwrap();
    assert_eq!(stored.stored_at, at(100));
    let found = Ask::get("k").at(120).hit(&cache);
    assert_eq!(found.object.body().complete().unwrap(), "slow body".as_bytes());
}
