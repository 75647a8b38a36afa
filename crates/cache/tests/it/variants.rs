//! `Vary`, HEAD, and how many of a kind are kept.

use cache::{Lookup, Outcome};
use semantics::{MissReason, NoStoreReason};

use crate::support::*;

const VARIED: &[(&str, &str)] = &[("cache-control", "max-age=60"), ("vary", "x-lang")];

#[test]
fn variants_are_kept_apart() {
    let cache = store(1 << 20);
    let (de, en) = (Ask::get("k").with("x-lang", "de"), Ask::get("k").with("x-lang", "en"));
    de.fill(&cache, VARIED, b"ja");
    let Lookup::Miss(reason, obligation) = en.of(&cache) else { panic!("no miss") };
    assert_eq!(reason, MissReason::VaryMiss);
    // Another of the same waits, one of a third kind does not.
    en.wait(&cache);
    let third = Ask::get("k").with("x-lang", "fr").miss(&cache);
    let mut fill = obligation.begin(en.answer(VARIED));
    write(&mut fill, b"yes");
    fill.finish().unwrap();
    drop(third);
    assert_eq!(de.hit(&cache).object.body().complete().unwrap(), "ja".as_bytes());
    assert_eq!(en.hit(&cache).object.body().complete().unwrap(), "yes".as_bytes());
    assert_eq!(cache.inspect(b"k")[0].variants.len(), 2);
}

#[test]
fn waiters_of_another_variant_look_again() {
    let cache = store(1 << 20);
    let (de, en) = (Ask::get("k").with("x-lang", "de"), Ask::get("k").with("x-lang", "en"));
    let obligation = de.miss(&cache);
    let (mut same, mut other) = (de.wait(&cache), en.wait(&cache));
    let _fill = obligation.begin(de.answer(VARIED));
    let outcome = block_on(same.outcome(&de.fields, &rules()));
    assert!(matches!(outcome, Outcome::Filled(_)));
    let outcome = block_on(other.outcome(&en.fields, &rules()));
    assert!(matches!(outcome, Outcome::Retry));
    assert!(matches!(en.of(&cache), Lookup::Miss(MissReason::VaryMiss, _)));
}

#[test]
fn the_least_recently_useful_variant_goes() {
    let cache = store_with(cache::EvictionPolicy::Lru, 1 << 20, 1 << 20);
    let ask = |n: i64| Ask::get("k").with("x-lang", &n.to_string()).at(n);
    for n in 0..4 {
        ask(n).fill(&cache, VARIED, b"x");
    }
    ask(0).at(10).hit(&cache);
    ask(4).fill(&cache, VARIED, b"x");
    ask(0).at(11).hit(&cache);
    ask(1).at(11).miss(&cache);
    assert_eq!(cache.stats().variants_rejected, 1);
    assert_eq!(cache.stats().objects, 4);
}

#[test]
fn a_response_that_no_longer_varies_takes_all_places() {
    let cache = store(1 << 20);
    let ask = |lang: &str| Ask::get("k").with("x-lang", lang);
    ask("de").fill(&cache, VARIED, b"ja");
    ask("en").fill(&cache, FRESH, b"same for all");
    assert_eq!(ask("de").hit(&cache).object.body().complete().unwrap(), "same for all".as_bytes());
    assert_eq!(cache.stats().objects, 1);
}

#[test]
fn marks_are_for_a_variant_where_that_is_known() {
    let cache = store(1 << 20);
    let ask = |lang: &str| Ask::get("k").with("x-lang", lang);
    ask("de").fill(&cache, VARIED, b"ja");
    ask("en").miss(&cache).decline(NoStoreReason::SetCookie, Some(at(30)));
    assert!(matches!(ask("en").of(&cache), Lookup::HitForMiss));
    ask("fr").miss(&cache);
    ask("de").hit(&cache);
    assert_eq!(cache.stats().marks, 1);
    // Once the mark is over and the variant is stored, the mark is gone.
    ask("en").at(30).fill(&cache, VARIED, b"yes");
    assert_eq!(cache.stats().marks, 0);
}

#[test]
fn head_is_answered_by_get_but_not_the_reverse() {
    let cache = store(1 << 20);
    Ask::head("k").fill(&cache, FRESH, b"");
    Ask::head("k").hit(&cache);
    Ask::get("k").fill(&cache, FRESH, b"body");
    assert_eq!(cache.stats().objects, 1);
    assert!(!Ask::head("k").hit(&cache).object.head_only);
    // A get does not wait for a head, a head does for a get.
    let _head = Ask::head("j").miss(&cache);
    let _get = Ask::get("j").miss(&cache);
    Ask::head("j").wait(&cache);
    Ask::get("j").wait(&cache);
}

#[test]
fn renewal_under_another_vary_is_served_but_not_kept() {
    let cache = store(1 << 20);
    Ask::get("k").fill(&cache, FRESH, b"body");
    let (_, obligation) = Ask::get("k").at(100).stale(&cache);
    let object = obligation.unwrap().freshen(renewed(VARIED, at(100)));
    assert_eq!(object.body().complete().unwrap(), "body".as_bytes());
    Ask::get("k").at(100).miss(&cache);
}
