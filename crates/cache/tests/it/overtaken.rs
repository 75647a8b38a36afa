//! Orders that overtake other orders, gaps and each other's waiters.

use std::sync::Arc;

use cache::{Cache, Keys, Lookup, Order, Outcome};
use http::HeaderMap;
use semantics::StaleReason;
use wire::invalidation::{How, Target};
use wire::{Invalidation, Seq};

use crate::support::*;

const A: &str = "http://h/a";
const ONE: &[(&str, &str)] = &[("cache-control", "max-age=60"), ("surrogate-key", "one")];

fn seq(n: u64) -> Seq {
    Seq { ms: n, n: 0 }
}

fn order(target: Target) -> Order {
    let (id, how) = ("o".into(), How::Hard);
    let order = Invalidation { format: 1, id, target, how, dry_run: false, issued_ms: 0 };
    Order::new(&order, |_| Keys::default()).unwrap()
}

fn one() -> Order {
    order(Target::Tags(vec!["one".into()]))
}

fn apply(cache: &Cache, n: u64, order: &Order) {
    cache.apply(seq(n), order, NOW).unwrap();
}

/// Fills, vouched for by a tier that is ahead.
fn fill_from_tier(cache: &Arc<Cache>, vouched: u64) {
    let mut duty = Ask::get(A).miss(cache);
    duty.sent(|| Seq::ZERO);
    duty.vouched_by_tier(seq(vouched));
    duty.begin(Ask::get(A).answer(ONE)).finish().unwrap();
}

/// After a gap a node reads the log again, or another one: lower positions come after higher ones.
#[test]
fn a_gap_is_not_forgotten_for_an_order_about_everything() {
    let cache = store(1 << 20);
    fill_from_tier(&cache, 9);
    cache.distrust();
    apply(&cache, 5, &order(Target::All));
    Ask::get(A).miss(&cache);
}

#[test]
fn an_order_of_this_node_alone_is_not_forgotten_for_one_of_the_log() {
    let cache = store(1 << 20);
    fill_from_tier(&cache, 9);
    cache.apply_here(&one(), NOW).unwrap();
    apply(&cache, 5, &one());
    Ask::get(A).miss(&cache);
}

/// What a node was vouched for in one log says nothing about another.
#[test]
fn a_revalidation_after_a_gap_is_vouched_for_by_itself() {
    let cache = store(1 << 20);
    fill_from_tier(&cache, 9);
    let Lookup::Stale(_, _, _, Some(mut duty)) = Ask::get(A).at(61).of(&cache) else {
        panic!("it is stale by now");
    };
    cache.distrust();
    assert_eq!(duty.sent(|| Seq::ZERO), Seq::ZERO);
    let object = duty.freshen(renewed(ONE, at(61)));
    assert_eq!(object.vouched, Seq::ZERO);
    Ask::get(A).at(61).hit(&cache);
    apply(&cache, 5, &one());
    Ask::get(A).at(61).miss(&cache);
}

/// A gap between what a fill is subject to and what it is vouched for: it is subject to the gap.
#[test]
fn a_position_of_a_log_that_was_left_meanwhile_saves_nothing() {
    let cache = store(1 << 20);
    let mut duty = Ask::get(A).miss(&cache);
    let least = || {
        cache.distrust();
        seq(9)
    };
    assert_eq!(duty.sent(least), seq(9));
    let _ = duty.begin(Ask::get(A).answer(ONE)).finish();
    Ask::get(A).miss(&cache);
}

/// Who comes after the first order that took away what a flight brings must not get it, whatever came
/// after that.
#[test]
fn who_came_between_two_orders_starts_anew() {
    let cache = store(1 << 20);
    let mut duty = Ask::get(A).miss(&cache);
    duty.sent(|| Seq::ZERO);
    let mut early = Ask::get(A).wait(&cache);
    apply(&cache, 1, &one());
    let mut between = Ask::get(A).wait(&cache);
    apply(&cache, 2, &one());
    let mut late = Ask::get(A).wait(&cache);
    let _fill = duty.begin(Ask::get(A).answer(ONE));
    let outcome =
        |waiter: &mut cache::Waiter| block_on(waiter.outcome(&HeaderMap::new(), &rules()));
    assert!(matches!(outcome(&mut early), Outcome::Filled(_)));
    assert!(matches!(outcome(&mut between), Outcome::Retry));
    assert!(matches!(outcome(&mut late), Outcome::Retry));
}

/// A flight may have been answered before an order that a node that is cut off does not know of.
#[test]
fn cut_off_nobody_waits_for_another() {
    let cache = store(1 << 20);
    let cut = Ask { unvouched: true, ..Ask::get(A) };
    let _flight = Ask::get(A).miss(&cache);
    let own = cut.miss(&cache);
    assert!(own.is_solo());
    own.begin(cut.answer(ONE)).finish().unwrap();
    let reason = |lookup| match lookup {
        Lookup::Stale(_, reason, _, Some(duty)) => (reason, duty.is_solo()),
        other => panic!("{other:?}"),
    };
    let first = cut.of(&cache);
    assert_eq!(reason(cut.of(&cache)), (StaleReason::LogLoss, true));
    assert_eq!(reason(first), (StaleReason::LogLoss, true));
    Ask::get(A).hit(&cache);
}
