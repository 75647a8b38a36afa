use BreakerOutcome::{Abandoned, Failure, Success};

use super::*;

/// All of the jitter's range but nothing.
const MOST: u64 = u64::MAX;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn settings() -> BreakerSettings {
    BreakerSettings {
        consecutive_failures: 3,
        failure_ratio: 0.5,
        window: ms(10_000),
        minimum_requests: 10,
        open: ms(1000),
        longest_open: ms(6000),
        trials: 2,
        trial_successes: 3,
    }
}

fn once(breaker: &mut Breaker, outcome: BreakerOutcome, now: Duration) -> Option<BreakerChange> {
    let ticket = breaker.admit(now).unwrap();
    breaker.report(ticket, outcome, now, MOST)
}

fn opened(now: Duration) -> Breaker {
    let mut breaker = Breaker::new(settings());
    for _ in 0..2 {
        assert_eq!(once(&mut breaker, Failure, now), None);
    }
    let change = BreakerChange::Opened(TripReason::ConsecutiveFailures);
    assert_eq!(once(&mut breaker, Failure, now), Some(change));
    breaker
}

/// How long it refuses from `now` on, in whole milliseconds, rounded up.
fn refuses(breaker: &mut Breaker, now: Duration) -> u128 {
    breaker.admit(now).unwrap_err().retry_after.as_micros().div_ceil(1000)
}

#[test]
fn failures_in_a_row_open_it() {
    let mut breaker = opened(ms(100));
    assert_eq!(breaker.state(ms(100)), BreakerState::Open);
    assert_eq!(breaker.reason(), Some(TripReason::ConsecutiveFailures));
    let refused = breaker.admit(ms(600)).unwrap_err();
    assert_eq!(refused.reason, TripReason::ConsecutiveFailures);
    assert_eq!(refuses(&mut breaker, ms(600)), 500);
}

#[test]
fn a_success_ends_the_row_and_an_abandoned_request_does_not() {
    let mut breaker = Breaker::new(settings());
    for outcome in [Failure, Failure, Success, Failure, Abandoned, Failure] {
        assert_eq!(once(&mut breaker, outcome, ms(1)), None);
    }
    assert!(once(&mut breaker, Failure, ms(1)).is_some());
}

#[test]
fn a_share_of_failures_opens_it_from_the_minimum_on() {
    let mut breaker = Breaker::new(settings());
    for n in 0..9 {
        let outcome = if n % 2 == 0 { Failure } else { Success };
        assert_eq!(once(&mut breaker, outcome, ms(n)), None);
    }
    // The tenth: six of ten failed.
    let change = once(&mut breaker, Failure, ms(10));
    assert_eq!(change, Some(BreakerChange::Opened(TripReason::FailureRatio)));
}

#[test]
fn failures_before_the_window_do_not_count() {
    let mut breaker = Breaker::new(settings());
    for n in 0..4 {
        once(&mut breaker, Failure, ms(n));
        once(&mut breaker, Success, ms(n));
    }
    for n in 0..20 {
        let outcome = if n % 3 == 0 { Failure } else { Success };
        assert_eq!(once(&mut breaker, outcome, ms(11_000 + n)), None);
    }
}

#[test]
fn a_success_never_opens_it() {
    let mut breaker = Breaker::new(BreakerSettings { consecutive_failures: 0, ..settings() });
    for _ in 0..9 {
        assert_eq!(once(&mut breaker, Failure, ms(1)), None);
    }
    assert_eq!(once(&mut breaker, Success, ms(1)), None);
    let change = once(&mut breaker, Failure, ms(1));
    assert_eq!(change, Some(BreakerChange::Opened(TripReason::FailureRatio)));
}

#[test]
fn each_rule_can_be_switched_off() {
    let off = BreakerSettings { consecutive_failures: 0, failure_ratio: 0.0, ..settings() };
    let mut breaker = Breaker::new(off);
    for _ in 0..1000 {
        assert_eq!(once(&mut breaker, Failure, ms(1)), None);
    }
}

#[test]
fn trials_are_bounded_and_their_successes_close_it() {
    let mut breaker = opened(ms(0));
    assert_eq!(breaker.state(ms(1000)), BreakerState::HalfOpen);
    let first = breaker.admit(ms(1000)).unwrap();
    let second = breaker.admit(ms(1000)).unwrap();
    assert_eq!(breaker.admit(ms(1000)).unwrap_err().retry_after, Duration::ZERO);
    assert_eq!(breaker.report(first, Success, ms(1100), MOST), None);
    let third = breaker.admit(ms(1100)).unwrap();
    assert!(breaker.admit(ms(1100)).is_err());
    assert_eq!(breaker.report(second, Success, ms(1100), MOST), None);
    assert_eq!(breaker.report(third, Success, ms(1200), MOST), Some(BreakerChange::Closed));
    assert_eq!(breaker.state(ms(1200)), BreakerState::Closed);
    assert_eq!(breaker.reason(), None);
    // What was before is forgotten.
    assert_eq!(once(&mut breaker, Failure, ms(1300)), None);
}

#[test]
fn abandoned_and_dropped_trials_give_their_place_back() {
    let mut breaker = opened(ms(0));
    for n in 0..10 {
        let now = ms(1000 + n);
        let first = breaker.admit(now).unwrap();
        let second = breaker.admit(now).unwrap();
        assert!(breaker.admit(now).is_err());
        drop(first);
        assert_eq!(breaker.report(second, Abandoned, now, MOST), None);
    }
    assert_eq!(breaker.state(ms(2000)), BreakerState::HalfOpen);
}

#[test]
fn a_failed_trial_opens_it_for_twice_as_long_up_to_a_bound() {
    let mut breaker = opened(ms(0));
    let mut now = ms(1000);
    for expected in [2000, 4000, 6000, 6000] {
        let change = once(&mut breaker, Failure, now);
        assert_eq!(change, Some(BreakerChange::Opened(TripReason::TrialFailed)));
        assert_eq!(refuses(&mut breaker, now), expected);
        now += ms(expected as u64);
    }
}

#[test]
fn jitter_takes_up_to_half() {
    let mut breaker = Breaker::new(settings());
    for _ in 0..3 {
        let ticket = breaker.admit(ms(0)).unwrap();
        breaker.report(ticket, Failure, ms(0), 0);
    }
    assert_eq!(breaker.admit(ms(0)).unwrap_err().retry_after, ms(500));
}

#[test]
fn one_that_falls_back_soon_after_closing_stays_open_longer() {
    for (pause, expected) in [(ms(100), 2000), (ms(11_000), 1000)] {
        let mut breaker = opened(ms(0));
        for _ in 0..3 {
            once(&mut breaker, Success, ms(1000));
        }
        let now = ms(1000) + pause;
        for _ in 0..3 {
            once(&mut breaker, Failure, now);
        }
        assert_eq!(refuses(&mut breaker, now), expected);
    }
}

#[test]
fn reports_from_an_earlier_phase_change_nothing() {
    let mut breaker = Breaker::new(settings());
    let old: Vec<_> = (0..10).map(|_| breaker.admit(ms(0)).unwrap()).collect();
    for _ in 0..3 {
        once(&mut breaker, Failure, ms(0));
    }
    let trial = breaker.admit(ms(1000)).unwrap();
    for (n, ticket) in old.into_iter().enumerate() {
        let outcome = if n % 2 == 0 { Failure } else { Success };
        assert_eq!(breaker.report(ticket, outcome, ms(1000), MOST), None);
    }
    assert_eq!(breaker.state(ms(1000)), BreakerState::HalfOpen);
    assert_eq!(breaker.report(trial, Success, ms(1000), MOST), None);
    // A trial of this half-open phase says nothing once another trial has opened it again.
    let (slow, quick) = (breaker.admit(ms(1000)).unwrap(), breaker.admit(ms(1000)).unwrap());
    assert!(breaker.report(quick, Failure, ms(1000), MOST).is_some());
    assert_eq!(breaker.report(slow, Failure, ms(1100), MOST), None);
    assert_eq!(refuses(&mut breaker, ms(1100)), 1900);
}

#[test]
fn zeros_in_the_settings_neither_wedge_nor_panic() {
    let mut breaker = Breaker::new(BreakerSettings {
        consecutive_failures: 1,
        failure_ratio: f64::NAN,
        window: Duration::ZERO,
        minimum_requests: 0,
        open: Duration::ZERO,
        longest_open: Duration::ZERO,
        trials: 0,
        trial_successes: 0,
    });
    assert!(once(&mut breaker, Failure, ms(1)).is_some());
    assert_eq!(breaker.state(ms(1)), BreakerState::HalfOpen);
    assert_eq!(once(&mut breaker, Success, ms(1)), Some(BreakerChange::Closed));
}

#[test]
fn words_are_distinct() {
    let words: std::collections::HashSet<_> = TripReason::ALL.map(TripReason::as_str).into();
    assert_eq!(words.len(), TripReason::ALL.len());
}

/// A request that got its response's head, and whose body broke off.
fn cut(breaker: &mut Breaker, now: Duration) -> Option<BreakerChange> {
    let ticket = breaker.admit(now).unwrap();
    let receipt = ticket.receipt();
    assert_eq!(breaker.report(ticket, Success, now, MOST), None);
    breaker.take_back(receipt, now, MOST)
}

#[test]
fn a_success_that_is_taken_back_is_one_failure_of_one_request() {
    let mut breaker = Breaker::new(settings());
    for n in 0..9 {
        assert_eq!(cut(&mut breaker, ms(n)), None);
    }
    let change = cut(&mut breaker, ms(10));
    assert_eq!(change, Some(BreakerChange::Opened(TripReason::FailureRatio)));

    // Four of ten are not half of them.
    let mut breaker = Breaker::new(settings());
    for n in 0..6 {
        assert_eq!(once(&mut breaker, Success, ms(n)), None);
    }
    for n in 6..10 {
        assert_eq!(cut(&mut breaker, ms(n)), None);
    }
    assert_eq!(breaker.state(ms(10)), BreakerState::Closed);
}

#[test]
fn a_trial_that_is_taken_back_has_failed() {
    let mut breaker = opened(ms(0));
    let change = cut(&mut breaker, ms(1000));
    assert_eq!(change, Some(BreakerChange::Opened(TripReason::TrialFailed)));
}

#[test]
fn a_success_from_an_earlier_phase_cannot_be_taken_back() {
    let mut breaker = Breaker::new(settings());
    let ticket = breaker.admit(ms(0)).unwrap();
    assert!(breaker.honours(&ticket));
    let receipt = ticket.receipt();
    for _ in 0..3 {
        once(&mut breaker, Failure, ms(1));
    }
    assert!(!breaker.honours(&ticket));
    assert_eq!(breaker.opens_in(ms(101)).as_millis(), 900);
    assert_eq!(breaker.take_back(receipt, ms(1001), MOST), None);
    assert_eq!(breaker.state(ms(1001)), BreakerState::HalfOpen);
    assert_eq!(breaker.opens_in(ms(1001)), ms(0));
}
