//! How many requests reach a server at once.

use std::sync::atomic::Ordering::SeqCst;

use http_body_util::BodyExt;
use tokio::task::JoinSet;

use super::server::Server;
use super::*;

fn setup(max_concurrency: u32, queue: u32, queue_timeout_ms: u64) -> Setup {
    let limits =
        OriginLimits { max_concurrency, queue, queue_timeout_ms, ..OriginLimits::default() };
    Setup { limits, ..Setup::default() }
}

#[tokio::test]
async fn never_more_than_the_limit_at_once() {
    let server = Server::start("a").await;
    server.told.delay_ms.store(50, SeqCst);
    let site = setup(8, 50, 30_000).urls(&[&server.url]);
    let mut all = JoinSet::new();
    for _ in 0..200 {
        let site = site.clone();
        all.spawn(async move { site.told().await });
    }
    let all = all.join_all().await;
    let answered = all.iter().filter(|told| told.0 == 200).count();
    let full = all.iter().filter(|told| **told == (503, "queue-full".to_owned())).count();
    assert_eq!((answered, full), (58, 142));
    assert_eq!((server.told.most.load(SeqCst), server.seen()), (8, 58));
    let report = site.order[0].report();
    assert_eq!((report.in_flight, report.waiting, report.counts.queue_full), (0, 0, 142));
}

#[tokio::test]
async fn a_place_comes_back_when_a_body_is_read_or_dropped_and_not_before() {
    let server = Server::start("a").await;
    let site = setup(1, 0, 1000).urls(&[&server.url]);
    let answer = site.get().await.unwrap();
    let error = site.get().await.unwrap_err();
    assert_eq!((error.as_str(), error.status().as_u16()), ("queue-full", 503));
    assert!(error.retry_after() >= Some(1));
    answer.response.into_body().collect().await.unwrap();
    assert_eq!(site.told().await.0, 200);

    server.told.stall.store(true, SeqCst);
    let mut body = site.get().await.unwrap().response.into_body();
    assert!(body.frame().await.unwrap().is_ok());
    assert_eq!(site.order[0].in_flight(), 1);
    drop(body);
    assert_eq!(site.order[0].in_flight(), 0);
    // Whoever leaves says nothing of the server.
    assert_eq!(site.order[0].report().counts.failed, 0);
}

#[tokio::test]
async fn a_client_that_leaves_gives_its_place_back() {
    let server = Server::start("a").await;
    server.told.delay_ms.store(60_000, SeqCst);
    let site = setup(1, 10, 30_000).urls(&[&server.url]);
    for _ in 0..3 {
        assert!(tokio::time::timeout(ms(50), site.get()).await.is_err());
    }
    let report = site.order[0].report();
    assert_eq!((report.in_flight, report.waiting, report.counts.failed), (0, 0, 0));
}

#[tokio::test]
async fn the_queue_has_a_time_limit() {
    let server = Server::start("a").await;
    server.told.stall.store(true, SeqCst);
    let site = setup(1, 10, 50).urls(&[&server.url]);
    let _held = site.get().await.unwrap();
    let error = site.get().await.unwrap_err();
    assert_eq!((error.as_str(), error.status().as_u16()), ("queue-timeout", 503));
    assert!(error.retry_after() >= Some(1));
}

#[tokio::test]
async fn one_flow_does_not_fill_the_queue_against_another() {
    let server = Server::start("a").await;
    server.told.delay_ms.store(100, SeqCst);
    let site = setup(1, 4, 30_000).urls(&[&server.url]);
    let fetch = |flow| {
        let site = site.clone();
        tokio::spawn(async move {
            let (get, order) = (head("GET", "/"), &site.order);
            let fetched =
                upstream::fetch(&site.clients, &site.policy, flow, order, get, empty_body());
            fetched.await.map(|answer| answer.response.status().as_u16())
        })
    };
    let busy: Vec<_> = (0..5).map(|_| fetch(1)).collect();
    until("the queue is full", || site.order[0].report().waiting == 4).await;
    assert_eq!(fetch(2).await.unwrap(), Ok(200));
    let mut told = Vec::new();
    for one in busy {
        told.push(one.await.unwrap().map_err(|error| error.as_str()));
    }
    assert_eq!(told, [Ok(200), Ok(200), Ok(200), Ok(200), Err("queue-full")]);
}

#[tokio::test]
async fn who_is_held_back_by_one_goes_to_the_next() {
    let (a, b) = (Server::start("a").await, Server::start("b").await);
    a.told.stall.store(true, SeqCst);
    let retries = Retries { attempts: 1, budget_percent: 0, ..Retries::default() };
    let site = Setup { retries, ..setup(1, 0, 1000) }.urls(&[&a.url, &b.url]);
    let _held = site.get().await.unwrap();
    assert_eq!(site.told().await, (200, "b".into()));
    // A body that nobody has read goes along.
    assert_eq!(site.post("text").await.unwrap().response.status(), 200);
    assert_eq!(*b.told.last_body.lock(), "text");
}

#[tokio::test]
async fn equal_settings_are_one_target_as_long_as_somebody_holds_it() {
    let setup = setup(1, 0, 1000);
    let targets = Targets::new();
    let settings = setup.settings(&Origin::at("http://127.0.0.1:1"));
    let one = targets.target(&settings).unwrap();
    assert!(Arc::ptr_eq(&one, &targets.target(&settings).unwrap()));
    let other = setup.settings(&Origin::at("http://127.0.0.1:2"));
    let other = targets.target(&other).unwrap();
    assert_eq!(targets.reports().len(), 2);
    drop((one, other));
    assert_eq!(targets.reports(), []);
}

#[tokio::test]
async fn an_adaptive_limit_follows_a_server_that_says_that_it_has_too_much() {
    let server = Server::start("a").await;
    server.says(429);
    server.told.delay_ms.store(10, SeqCst);
    let limits = OriginLimits {
        max_concurrency: 16,
        adaptive: true,
        min_concurrency: 2,
        ..OriginLimits::default()
    };
    let site = Setup { limits, ..Setup::default() }.urls(&[&server.url]);
    assert_eq!(site.order[0].report().limit, 16);
    let mut all = JoinSet::new();
    for _ in 0..200 {
        let site = site.clone();
        all.spawn(async move { site.told().await.0 });
    }
    assert!(all.join_all().await.iter().all(|status| *status == 429));
    let limit = site.order[0].report().limit;
    assert!((2..16).contains(&limit), "{limit}");
}
