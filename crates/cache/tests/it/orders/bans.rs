//! Bans: lazy, lifted, swept late, counted in the end.

use super::*;

#[test]
fn a_ban_works_lazily_and_can_be_lifted() {
    let cache = store(1 << 20);
    tagged(&cache, A, "t");
    tagged(&cache, B, "t");
    let spec = ban("b1", Pattern::Glob("/*".into()));
    assert_eq!(apply(&cache, 1, &order(Target::Ban(spec), How::Hard)), None);
    // An eager round for something else leaves it to be lifted.
    apply(&cache, 2, &prefix("/zzz"));
    round(&cache, GRACE, NOW);
    Ask::get(A).miss(&cache);
    let bans = cache.bans(NOW);
    assert_eq!((bans.len(), bans[0].matched, bans[0].exhausted), (1, 1, false));
    assert_eq!(apply(&cache, 3, &order(Target::Lift("b1".into()), How::Hard)), Some(1));
    assert_eq!(apply(&cache, 4, &order(Target::Lift("b1".into()), How::Hard)), None);
    Ask::get(B).hit(&cache);
    assert!(cache.bans(NOW).is_empty());
    assert_eq!(cache.take_gone(), [Counted { seq: seq(1), matched: 1 }]);
    assert_eq!(cache.take_gone(), []);
}

#[test]
fn a_ban_that_ends_before_it_is_swept_is_counted() {
    let cache = store(1 << 20);
    tagged(&cache, A, "t");
    let spec = ban("b1", Pattern::Glob("/*".into()));
    let over = NOW.saturating_add(Duration::from_millis(spec.ttl_ms));
    apply(&cache, 1, &order(Target::Ban(spec), How::Hard));
    Ask::get(A).miss(&cache);
    cache.forget(over);
    assert_eq!(cache.take_gone(), [Counted { seq: seq(1), matched: 1 }]);
    // One that was swept told so then.
    let spec = ban("b2", Pattern::Glob("/*".into()));
    apply(&cache, 2, &order(Target::Ban(spec), How::Hard));
    assert_eq!(round(&cache, Duration::ZERO, NOW), [Counted { seq: seq(2), matched: 0 }]);
    cache.forget(over);
    assert_eq!(cache.take_gone(), []);
}

#[test]
fn a_ban_is_swept_after_its_grace_listed_until_its_end_and_then_forgotten() {
    let cache = store(1 << 20);
    tagged(&cache, A, "t");
    apply(&cache, 1, &order(Target::Ban(ban("b1", Pattern::Regex("^/[ab]$".into()))), How::Hard));
    assert_eq!(cache.sweep_due(GRACE), Some(Some(at(30))));
    assert_eq!(round(&cache, GRACE, at(10)), []);
    assert_eq!(round(&cache, GRACE, at(31)), [Counted { seq: seq(1), matched: 1 }]);
    assert_eq!(cache.stats().objects, 0);
    assert!(cache.bans(at(31))[0].exhausted);
    assert_eq!(cache.sweep_due(GRACE), Some(Some(at(60))));
    assert!(!cache.forget(at(61)));
    assert_eq!(cache.sweep_due(GRACE), None);
    assert!(cache.stats().bytes < 1 << 10, "{:?}", cache.stats());
}

#[test]
fn a_ban_whose_time_is_over_matches_no_more() {
    let cache = store(1 << 20);
    Ask::get(A).fill(&cache, &[("cache-control", "max-age=600")], b"x");
    apply(&cache, 1, &order(Target::Ban(ban("b1", Pattern::Exact("/a".into()))), How::Hard));
    Ask::get(A).at(60).hit(&cache);
}

#[test]
fn a_ban_looks_at_fields_of_the_response() {
    let cache = store(1 << 20);
    let with = |kind| [("cache-control", "max-age=60"), ("content-type", kind)];
    Ask::get(A).fill(&cache, &with("image/png"), b"x");
    Ask::get(B).fill(&cache, &with("text/html"), b"x");
    let headers = vec![HeaderCondition {
        name: "content-type".into(),
        value: Some(Pattern::Prefix("image/".into())),
    }];
    let spec = Ban { id: "b".into(), host: Some("h".into()), path: None, headers, ttl_ms: 9_000 };
    apply(&cache, 1, &order(Target::Ban(spec), How::Soft));
    assert!(matches!(Ask::get(A).of(&cache), Lookup::Stale(_, StaleReason::Invalidated, _, _)));
    Ask::get(B).hit(&cache);
}
