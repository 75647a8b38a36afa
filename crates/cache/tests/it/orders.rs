//! Orders from the log: what they take away, from what is stored and from what is under way.

use std::sync::Arc;
use std::time::Duration;

use cache::{Applied, BadOrder, Cache, Counted, Keys, Lookup, Order, Outcome, Progress, Swept};
use http::HeaderMap;
use semantics::{MissReason, NoStoreReason, StaleReason};
use wire::invalidation::{Ban, HeaderCondition, How, Pattern, Prefix, Target, Url};
use wire::{Invalidation, Seq};

use crate::support::*;

mod bans;

const GRACE: Duration = Duration::from_secs(30);

fn seq(n: u64) -> Seq {
    Seq { ms: n, n: 0 }
}

fn order(target: Target, how: How) -> Order {
    let order =
        Invalidation { format: 1, id: "o".into(), target, how, dry_run: false, issued_ms: 0 };
    ready(&order).unwrap()
}

fn ready(order: &Invalidation) -> Result<Order, BadOrder> {
    Order::new(order, |url: &Url| Keys {
        exact: vec![format!("http://{}{}", url.host, url.path).into_bytes()],
        heads: Vec::new(),
    })
}

fn tags(names: &[&str], how: How) -> Order {
    order(Target::Tags(names.iter().map(|name| (*name).to_owned()).collect()), how)
}

fn prefix(path: &str) -> Order {
    order(Target::Prefix(Prefix { host: None, path: path.into() }), How::Hard)
}

fn ban(id: &str, path: Pattern) -> Ban {
    Ban { id: id.into(), host: None, path: Some(path), headers: Vec::new(), ttl_ms: 60_000 }
}

fn apply(cache: &Cache, n: u64, order: &Order) -> Option<u64> {
    let Applied { matched } = cache.apply(seq(n), order, NOW).unwrap();
    matched
}

fn round(cache: &Cache, grace: Duration, now: semantics::Timestamp) -> Vec<Counted> {
    let mut sweep = cache.begin_sweep(grace, now);
    loop {
        match cache.sweep(&mut sweep, now) {
            Swept::More => {}
            Swept::Done(counted) => return counted,
        }
    }
}

fn tagged(cache: &Arc<Cache>, key: &str, keys: &str) {
    Ask::get(key).fill(cache, &[("cache-control", "max-age=60"), ("surrogate-key", keys)], b"x");
}

const A: &str = "http://h/a";
const B: &str = "http://h/b";

#[test]
fn a_tag_takes_exactly_what_has_it_and_counts() {
    let cache = store(1 << 20);
    tagged(&cache, A, "one two");
    tagged(&cache, B, "two");
    tagged(&cache, "http://h/c", "three");
    assert_eq!(apply(&cache, 1, &tags(&["one"], How::Hard)), Some(1));
    Ask::get(A).miss(&cache);
    Ask::get(B).hit(&cache);
    assert_eq!(apply(&cache, 2, &tags(&["two"], How::Hard)), Some(1));
    assert_eq!(apply(&cache, 3, &tags(&["two"], How::Hard)), Some(0));
    assert_eq!(apply(&cache, 4, &tags(&["nobody"], How::Hard)), Some(0));
    Ask::get(B).miss(&cache);
    Ask::get("http://h/c").hit(&cache);
    assert_eq!(cache.applied(), seq(4));
}

#[test]
fn what_is_filled_after_an_order_is_not_subject_to_it() {
    let cache = store(1 << 20);
    tagged(&cache, A, "one");
    apply(&cache, 1, &tags(&["one"], How::Hard));
    tagged(&cache, A, "one");
    Ask::get(A).hit(&cache);
    assert_eq!(apply(&cache, 2, &tags(&["one"], How::Hard)), Some(1));
}

#[test]
fn softly_is_stale_once_and_then_fresh() {
    let cache = store(1 << 20);
    tagged(&cache, A, "one");
    assert_eq!(apply(&cache, 1, &tags(&["one"], How::Soft)), Some(1));
    let Lookup::Stale(found, reason, _, Some(mut duty)) = Ask::get(A).of(&cache) else {
        panic!("a soft order leaves it stale, with somebody to refresh it");
    };
    assert_eq!((reason, duty.sent(|| Seq::ZERO)), (StaleReason::Invalidated, seq(1)));
    assert!(matches!(Ask::get(A).of(&cache), Lookup::Stale(_, _, _, None)));
    let object =
        duty.freshen(renewed(&[("cache-control", "max-age=60"), ("surrogate-key", "one")], NOW));
    assert!(!Arc::ptr_eq(&object, &found.object));
    assert_eq!(Ask::get(A).hit(&cache).object.vouched, seq(1));
    // It counts as tagged still.
    assert_eq!(apply(&cache, 2, &tags(&["one"], How::Hard)), Some(1));
    Ask::get(A).miss(&cache);
}

#[test]
fn several_tags_are_counted_once_by_a_sweep() {
    let cache = store(1 << 20);
    tagged(&cache, A, "one two");
    tagged(&cache, B, "two");
    assert_eq!(apply(&cache, 1, &tags(&["one", "two"], How::Hard)), None);
    Ask::get(A).miss(&cache);
    assert_eq!(round(&cache, GRACE, NOW), [Counted { seq: seq(1), matched: 2 }]);
    Ask::get(B).miss(&cache);
}

#[test]
fn a_prefix_is_swept_at_once_and_counted() {
    let cache = store(1 << 20);
    for key in ["http://h/img/1", "http://h/img/2?x=1", "http://h/imp", "https://h/img/3"] {
        tagged(&cache, key, "t");
    }
    assert_eq!(cache.sweep_due(GRACE), None);
    assert_eq!(apply(&cache, 1, &prefix("/img/")), None);
    Ask::get("http://h/img/1").miss(&cache);
    assert_eq!(cache.sweep_due(GRACE), Some(None));
    assert_eq!(round(&cache, GRACE, NOW), [Counted { seq: seq(1), matched: 3 }]);
    assert_eq!((cache.stats().objects, cache.stats().orders), (1, 0));
    assert_eq!(cache.sweep_due(GRACE), None);
    Ask::get("http://h/imp").hit(&cache);
}

#[test]
fn everything() {
    let cache = store(1 << 20);
    tagged(&cache, A, "one");
    tagged(&cache, B, "two");
    assert_eq!(apply(&cache, 1, &order(Target::All, How::Soft)), Some(2));
    assert!(matches!(Ask::get(A).of(&cache), Lookup::Stale(_, StaleReason::Invalidated, _, _)));
    assert_eq!(apply(&cache, 2, &order(Target::All, How::Hard)), Some(2));
    Ask::get(A).miss(&cache);
    round(&cache, GRACE, NOW);
    assert_eq!((cache.stats().objects, cache.stats().tags), (0, 0));
}

#[test]
fn urls_go_at_once_with_all_variants() {
    let cache = store(1 << 20);
    let varied = [("cache-control", "max-age=60"), ("vary", "x-lang")];
    for lang in ["de", "en"] {
        Ask::get(A).with("x-lang", lang).fill(&cache, &varied, b"x");
    }
    let url = |path: &str| Url { host: "h".into(), path: path.into() };
    let both = order(Target::Urls(vec![url("/a"), url("/none")]), How::Hard);
    assert_eq!(apply(&cache, 1, &both), Some(2));
    assert_eq!(cache.stats().objects, 0);
    let mut later = Ask::get(A).miss(&cache);
    assert_eq!(later.sent(|| Seq::ZERO), seq(1));
}

#[test]
fn urls_whose_keys_hold_more_go_by_their_head() {
    let cache = store(1 << 20);
    tagged(&cache, "http://h/a\nx-country:2:de", "t");
    tagged(&cache, "http://h/a\nx-country:2:fr", "t");
    tagged(&cache, "http://h/ab\nx-country:2:fr", "t");
    let target = Target::Urls(vec![Url { host: "h".into(), path: "/a".into() }]);
    let wire = Invalidation {
        format: 1,
        id: "o".into(),
        target,
        how: How::Hard,
        dry_run: false,
        issued_ms: 0,
    };
    let heads = vec![b"http://h/a".to_vec()];
    let order = Order::new(&wire, |_| Keys { exact: vec![], heads: heads.clone() }).unwrap();
    assert_eq!(apply(&cache, 1, &order), None);
    Ask::get("http://h/a\nx-country:2:de").miss(&cache);
    assert_eq!(round(&cache, GRACE, NOW), [Counted { seq: seq(1), matched: 2 }]);
    Ask::get("http://h/ab\nx-country:2:fr").hit(&cache);
}

#[test]
fn a_dry_run_only_counts() {
    let cache = store(1 << 20);
    tagged(&cache, A, "one two");
    tagged(&cache, B, "two");
    let dry = |target| {
        let wire = Invalidation {
            format: 1,
            id: "o".into(),
            target,
            how: How::Hard,
            dry_run: true,
            issued_ms: 0,
        };
        ready(&wire).unwrap()
    };
    assert_eq!(apply(&cache, 1, &dry(Target::Tags(vec!["two".into()]))), Some(2));
    assert_eq!(apply(&cache, 2, &dry(Target::All)), Some(2));
    let url = Url { host: "h".into(), path: "/a".into() };
    assert_eq!(apply(&cache, 3, &dry(Target::Urls(vec![url]))), Some(1));
    assert_eq!(apply(&cache, 4, &dry(Target::Ban(ban("b", Pattern::Glob("/a".into()))))), None);
    let tags = vec!["one".into(), "two".into()];
    assert_eq!(apply(&cache, 5, &dry(Target::Tags(tags))), None);
    Ask::get(A).hit(&cache);
    let counted = round(&cache, GRACE, NOW);
    let expected = [Counted { seq: seq(4), matched: 1 }, Counted { seq: seq(5), matched: 2 }];
    assert_eq!(counted, expected);
    Ask::get(A).hit(&cache);
    Ask::get(B).hit(&cache);
    assert!(cache.bans(NOW).is_empty());
}

/// The tags of a fill are known only when its head is here.
#[test]
fn a_fill_that_an_order_overtook_goes_to_those_who_came_before_it() {
    let cache = store(1 << 20);
    let mut duty = Ask::get(A).miss(&cache);
    duty.sent(|| Seq::ZERO);
    let mut early = Ask::get(A).wait(&cache);
    apply(&cache, 1, &tags(&["one"], How::Hard));
    let mut late = Ask::get(A).wait(&cache);
    let answer = [("cache-control", "max-age=60"), ("surrogate-key", "one")];
    let mut fill = duty.begin(Ask::get(A).answer(&answer));
    let outcome = block_on(early.outcome(&HeaderMap::new(), &rules()));
    let Outcome::Filled(found) = outcome else { panic!("{outcome:?}") };
    let reader = found.object.body().reader(None);
    assert!(matches!(block_on(late.outcome(&HeaderMap::new(), &rules())), Outcome::Retry));
    assert_eq!(block_on(fill.append(b"old")), Progress::Streaming);
    assert_eq!(fill.finish().unwrap_err(), NoStoreReason::Purged);
    assert_eq!(read(reader).unwrap(), b"old");
    Ask::get(A).miss(&cache);
}

#[test]
fn a_fill_that_a_soft_order_overtook_is_stored_as_stale() {
    let cache = store(1 << 20);
    let duty = Ask::get(A).miss(&cache);
    apply(&cache, 1, &tags(&["one"], How::Soft));
    let mut late = Ask::get(A).wait(&cache);
    let answer = [("cache-control", "max-age=60"), ("surrogate-key", "one")];
    let mut fill = duty.begin(Ask::get(A).answer(&answer));
    write(&mut fill, b"old");
    fill.finish().unwrap();
    assert!(matches!(block_on(late.outcome(&HeaderMap::new(), &rules())), Outcome::Retry));
    assert!(matches!(Ask::get(A).of(&cache), Lookup::Stale(_, StaleReason::Invalidated, _, _)));
}

#[test]
fn nobody_joins_a_fill_that_an_order_by_url_overtook() {
    let cache = store(1 << 20);
    let _old = Ask::get("http://h/img/1").miss(&cache);
    apply(&cache, 1, &prefix("/img/"));
    let new = Ask::get("http://h/img/1").miss(&cache);
    Ask::get("http://h/img/1").wait(&cache);
    drop(new);
    let _other = Ask::get("http://h/other").miss(&cache);
    apply(&cache, 2, &prefix("/img/"));
    Ask::get("http://h/other").wait(&cache);
}

#[test]
fn an_order_during_the_body_takes_it_away() {
    let cache = store(1 << 20);
    let answer = [("cache-control", "max-age=60"), ("surrogate-key", "one")];
    let mut fill = Ask::get(A).miss(&cache).begin(Ask::get(A).answer(&answer));
    write(&mut fill, b"ol");
    assert_eq!(apply(&cache, 1, &tags(&["one"], How::Hard)), Some(1));
    write(&mut fill, b"d");
    assert_eq!(fill.finish().unwrap_err(), NoStoreReason::Purged);
    assert_eq!(cache.stats().objects, 0);
}

/// What another tier's store answers is vouched for as far as that tier says, not as this one asked.
#[test]
fn an_answer_from_a_tier_is_held_against_what_came_after_its_word() {
    let cache = store(1 << 20);
    let fill = |vouched| {
        let mut duty = Ask::get(A).miss(&cache);
        duty.sent(|| Seq::ZERO);
        duty.vouched_by_tier(vouched);
        apply(&cache, 5, &tags(&["one"], How::Hard));
        let answer = [("cache-control", "max-age=60"), ("surrogate-key", "one")];
        duty.begin(Ask::get(A).answer(&answer)).finish().map(|object| object.vouched)
    };
    assert_eq!(fill(seq(4)), Err(NoStoreReason::Purged));
    // It knew the order already.
    assert_eq!(fill(seq(5)), Ok(seq(5)));
    Ask::get(A).hit(&cache);
}

#[test]
fn a_revalidation_vouches_for_what_it_validated_after_the_order() {
    let cache = store(1 << 20);
    let always = [("cache-control", "max-age=1"), ("etag", "\"1\""), ("surrogate-key", "one")];
    Ask::get(A).fill(&cache, &always, b"x");
    let (_, duty) = Ask::get(A).at(5).stale(&cache);
    let mut duty = duty.unwrap();
    duty.sent(|| Seq::ZERO);
    // Sent before the order: the origin may have spoken of what was before.
    apply(&cache, 1, &tags(&["one"], How::Hard));
    duty.freshen(renewed(&always, at(5)));
    Ask::get(A).at(5).miss(&cache);
}

#[test]
fn a_gap_empties_the_store_and_what_is_under_way() {
    let cache = store(1 << 20);
    apply(&cache, 9, &tags(&["x"], How::Hard));
    tagged(&cache, A, "one");
    let duty = Ask::get(B).miss(&cache);
    cache.distrust();
    assert_eq!(cache.applied(), Seq::ZERO);
    Ask::get(A).miss(&cache);
    // Not even those who come now wait for it.
    let _new = Ask::get(B).miss(&cache);
    let fill = duty.begin(Ask::get(B).answer(FRESH));
    assert_eq!(fill.finish().unwrap_err(), NoStoreReason::Purged);
    round(&cache, GRACE, NOW);
    assert_eq!(cache.stats().objects, 0);
    // The new log may begin anywhere.
    tagged(&cache, "http://h/c", "one");
    assert_eq!(apply(&cache, 2, &tags(&["one"], How::Hard)), Some(1));
    Ask::get("http://h/c").miss(&cache);
}

#[test]
fn an_order_of_this_node_alone_ends_with_what_was_there() {
    let cache = store(1 << 20);
    apply(&cache, 3, &tags(&["x"], How::Hard));
    tagged(&cache, A, "one");
    let Applied { matched } = cache.apply_here(&tags(&["one"], How::Hard), NOW).unwrap();
    assert_eq!((matched, cache.applied()), (Some(1), seq(3)));
    Ask::get(A).miss(&cache);
    tagged(&cache, A, "one");
    Ask::get(A).hit(&cache);
}

#[test]
fn cut_off_nothing_is_used_without_validation() {
    let cache = store(1 << 20);
    tagged(&cache, A, "one");
    let cut = Ask { unvouched: true, ..Ask::get(A) };
    let Lookup::Stale(_, StaleReason::LogLoss, _, Some(duty)) = cut.of(&cache) else {
        panic!("it must be validated first");
    };
    // A validation that took off before may be older than an order that nobody told of.
    let Lookup::Stale(_, StaleReason::LogLoss, _, Some(another)) = cut.of(&cache) else {
        panic!("it must be validated for each request");
    };
    drop((duty, another));
    Ask::get(A).hit(&cache);
    let cut = Ask { unvouched: true, ..Ask::get(B) };
    drop((cut.miss(&cache), cut.miss(&cache)));
}

#[test]
fn orders_and_tags_are_forgotten_once_nothing_is_subject_to_them() {
    let cache = store(1 << 20);
    let duty = Ask::get(A).miss(&cache);
    apply(&cache, 1, &tags(&["one"], How::Hard));
    apply(&cache, 2, &prefix("/img/"));
    round(&cache, GRACE, NOW);
    assert_eq!((cache.stats().orders, cache.stats().tags), (2, 1));
    drop(duty);
    assert!(!cache.forget(NOW));
    assert_eq!((cache.stats().orders, cache.stats().tags), (0, 0));
    assert_eq!(cache.stats().bytes, 0);
}

#[test]
fn the_index_of_tags_is_gone_with_the_objects() {
    let cache = store(1 << 20);
    for turn in 0..3 {
        for i in 0..200 {
            tagged(&cache, &format!("http://h/{i}"), &format!("a{i} b{i} all r{turn}"));
        }
        assert_eq!(cache.stats().tags, 402);
        assert!(
            cache.stats().tag_bytes > 402 * 40 && cache.stats().tag_bytes < cache.stats().bytes
        );
        assert_eq!(apply(&cache, turn + 1, &tags(&["all"], How::Hard)), Some(200));
        for i in 0..200 {
            Ask::get(&format!("http://h/{i}")).miss(&cache);
        }
        round(&cache, GRACE, NOW);
        assert_eq!((cache.stats().tags, cache.stats().tag_bytes, cache.stats().bytes), (0, 0, 0));
    }
}

#[test]
fn too_many_bans_are_refused() {
    let cache = store(64 << 20);
    let refused = (0..20_000).find_map(|n| {
        let spec = ban(&format!("b{n}"), Pattern::Exact("/x".into()));
        cache.apply(seq(n + 1), &order(Target::Ban(spec), How::Hard), NOW).err()
    });
    assert_eq!(refused, Some(BadOrder::TooManyBans(16_384)));
}

#[test]
fn a_pattern_that_does_not_compile_is_no_order() {
    let wire = Invalidation {
        format: 1,
        id: "o".into(),
        target: Target::Ban(ban("b", Pattern::Regex("(".into()))),
        how: How::Hard,
        dry_run: false,
        issued_ms: 0,
    };
    let error = ready(&wire).unwrap_err().to_string();
    assert!(error.starts_with("path: "), "{error}");
    assert!(matches!(Ask::get(A).of(&store(1 << 20)), Lookup::Miss(MissReason::UriMiss, _)));
}
