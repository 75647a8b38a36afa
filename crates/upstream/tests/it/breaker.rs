//! Servers that fail are left alone, and tried now and then.

use std::sync::atomic::Ordering::SeqCst;

use upstream::breaker::{BreakerState, TripReason};

use super::server::Server;
use super::*;

fn setup() -> Setup {
    let breaker = Breaker {
        consecutive_failures: 5,
        failure_percent: 60,
        min_requests: 10,
        open_ms: 300,
        max_open_ms: 300,
        ..Breaker::default()
    };
    Setup { breaker, ..Setup::default() }
}

#[tokio::test]
async fn errors_open_it_and_trials_close_it() {
    let server = Server::start("a").await;
    server.says(500);
    let site = setup().urls(&[&server.url]);
    for _ in 0..5 {
        assert_eq!(site.told().await, (500, "a".into()));
    }
    let error = site.get().await.unwrap_err();
    let FetchError::BreakerOpen { reason, retry_after, .. } = &error else { panic!("{error:?}") };
    assert_eq!((*reason, *retry_after), (TripReason::ConsecutiveFailures, 1));
    assert_eq!((error.status().as_u16(), error.retry_after()), (503, Some(1)));
    let report = site.order[0].report();
    assert_eq!((report.breaker, report.trip), (BreakerState::Open, Some(*reason)));
    assert_eq!((server.seen(), report.counts.breaker_open), (5, 1));
    assert!(!site.order[0].is_usable());

    server.says(200);
    until("half open", || site.order[0].is_usable()).await;
    for _ in 0..3 {
        assert_eq!(site.told().await.0, 200);
    }
    assert_eq!(site.order[0].report().breaker, BreakerState::Closed);
}

#[tokio::test]
async fn a_failed_trial_keeps_it_open() {
    let server = Server::start("a").await;
    server.says(500);
    let site = setup().urls(&[&server.url]);
    for _ in 0..5 {
        site.told().await;
    }
    until("half open", || site.order[0].is_usable()).await;
    assert_eq!(site.told().await.0, 500);
    assert_eq!(site.told().await, (503, "breaker-open".into()));
    assert_eq!(site.order[0].report().trip, Some(TripReason::TrialFailed));
}

#[tokio::test]
async fn what_a_server_does_not_do_is_no_failure() {
    let server = Server::start("a").await;
    server.says(501);
    let site = setup().urls(&[&server.url]);
    for _ in 0..20 {
        assert_eq!(site.told().await.0, 501);
    }
}

#[tokio::test]
async fn bodies_that_break_off_open_it() {
    let server = Server::start("a").await;
    server.told.cut.store(true, SeqCst);
    let site = setup().urls(&[&server.url]);
    for _ in 0..10 {
        assert_eq!(site.told().await, (200, "body-cut".into()));
    }
    assert_eq!(site.told().await.1, "breaker-open");
    assert_eq!(site.order[0].report().trip, Some(TripReason::FailureRatio));
}

#[tokio::test]
async fn it_opens_for_those_who_wait_as_well() {
    let server = Server::start("a").await;
    server.says(500);
    server.told.delay_ms.store(20, SeqCst);
    let limits = OriginLimits { max_concurrency: 1, ..OriginLimits::default() };
    let site = Setup { limits, ..setup() }.urls(&[&server.url]);
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let site = site.clone();
        all.spawn(async move { site.told().await.1 });
    }
    let all = all.join_all().await;
    assert_eq!(all.iter().filter(|told| *told == "a").count(), 5);
    assert_eq!(all.iter().filter(|told| *told == "breaker-open").count(), 45);
    assert_eq!(server.seen(), 5);
}
