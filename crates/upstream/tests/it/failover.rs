//! The next server, or the same one again.

use std::sync::atomic::Ordering::SeqCst;

use http_body_util::BodyExt;
use tokio::net::TcpListener;
use upstream::Probe;

use super::server::Server;
use super::*;

/// Where nobody listens.
async fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn a_refused_connection_goes_on_to_the_next() {
    let alive = Server::start("alive").await;
    let site = Setup::default().urls(&[&dead().await, &alive.url]);
    let answer = site.get().await.unwrap();
    assert_eq!(
        (answer.response.status().as_u16(), answer.target.name()),
        (200, alive.address.to_string().as_str())
    );
    drop(answer);
    // Nothing was sent, so that any method may go elsewhere, and with its body.
    assert_eq!(site.post("text").await.unwrap().response.status(), 200);
    assert_eq!(*alive.told.last_body.lock(), "text");

    let site = Setup::default().urls(&[&dead().await]);
    assert_eq!(site.told().await, (502, "connect-failed".into()));
    assert_eq!(site.order[0].report().counts.sent, 3);
}

#[tokio::test]
async fn a_server_that_cannot_answer_now_is_not_the_only_one() {
    let (a, b) = (Server::start("a").await, Server::start("b").await);
    let site = Setup::default().urls(&[&a.url, &b.url]);
    for status in [502, 503, 504] {
        a.says(status);
        assert_eq!(site.told().await, (200, "b".into()));
    }
    assert_eq!(site.order[0].in_flight(), 0);
    // 500 is an answer like others, and what is not safe is sent once.
    a.says(500);
    assert_eq!(site.told().await, (500, "a".into()));
    a.says(503);
    let seen = b.seen();
    assert_eq!(site.post("text").await.unwrap().response.status(), 503);
    assert_eq!(b.seen(), seen);
}

#[tokio::test]
async fn if_the_other_one_does_not_answer_the_first_answer_counts() {
    let a = Server::start("a").await;
    a.says(503);
    let site = Setup::default().urls(&[&a.url, &dead().await]);
    assert_eq!(site.told().await, (503, "a".into()));
    assert_eq!((a.seen(), site.order[0].in_flight()), (1, 0));
}

#[tokio::test]
async fn what_a_tier_says_is_not_asked_of_the_next_and_does_not_count_against_it() {
    let (a, b) = (Server::start("a").await, Server::start("b").await);
    a.says(503);
    let setup = Setup::default();
    let targets = Targets::new();
    let tier = |url: &str| {
        let settings = setup.settings(&Origin::at(url));
        targets.target(&TargetSettings { probe: Some(Probe::Ping), ..settings }).unwrap()
    };
    let site = Site {
        order: vec![tier(&a.url), tier(&b.url)],
        clients: Clients::new(),
        policy: Policy::new(&setup.timeouts, &setup.retries),
        targets,
    };
    for _ in 0..30 {
        assert_eq!(site.told().await, (503, "a".into()));
    }
    assert!(site.order[0].is_usable());
}

#[tokio::test]
async fn what_was_sent_is_not_sent_again_unless_it_is_safe() {
    let (a, b) = (Server::start("a").await, Server::start("b").await);
    a.told.delay_ms.store(200, SeqCst);
    let site = Setup::default().urls(&[&a.url, &b.url]);
    let (told, posted) = (site.clone(), site.clone());
    let told = tokio::spawn(async move { told.told().await });
    let posted = tokio::spawn(async move { posted.post("text").await.map(|_| ()) });
    until("both are there", || a.seen() == 2).await;
    a.stop().await;
    assert_eq!(told.await.unwrap(), (200, "b".into()));
    assert_eq!(posted.await.unwrap().unwrap_err().as_str(), "exchange-failed");
    assert_eq!(b.seen(), 1);
}

#[tokio::test]
async fn the_budget_bounds_the_tries() {
    let setup = Setup {
        retries: Retries { attempts: 10, budget_percent: 10, backoff_ms: 1, max_backoff_ms: 1 },
        breaker: Breaker { consecutive_failures: 0, failure_percent: 0, ..Breaker::default() },
        ..Setup::default()
    };
    let site = setup.urls(&[&dead().await]);
    for _ in 0..200 {
        assert_eq!(site.told().await.1, "connect-failed");
    }
    // A tenth, and ten for a window of ten seconds.
    let sent = site.order[0].report().counts.sent;
    assert!((200..=230).contains(&sent), "{sent}");
    assert!(sent >= 220, "{sent}");
}

#[tokio::test]
async fn what_did_not_arrive_goes_to_the_neighbour_without_a_budget() {
    let alive = Server::start("alive").await;
    let setup = || Setup {
        retries: Retries { budget_percent: 0, ..Retries::default() },
        breaker: Breaker { consecutive_failures: 0, failure_percent: 0, ..Breaker::default() },
        ..Setup::default()
    };
    let site = setup().urls(&[&dead().await, &alive.url]);
    for _ in 0..100 {
        assert_eq!(site.told().await, (200, "alive".into()));
    }
    // Nobody is asked twice for that.
    let site = setup().urls(&[&dead().await, &dead().await]);
    for _ in 0..100 {
        assert_eq!(site.told().await.1, "connect-failed");
    }
    let sent = site.order.iter().map(|target| target.report().counts.sent).sum::<u64>();
    assert_eq!(sent, 200);
}

#[tokio::test]
async fn the_settings_bound_the_tries_of_one_request() {
    for attempts in 1..4 {
        let setup = Setup {
            retries: Retries { attempts, backoff_ms: 1, ..Retries::default() },
            ..Setup::default()
        };
        let site = setup.urls(&[&dead().await]);
        assert_eq!(site.told().await.1, "connect-failed");
        assert_eq!(site.order[0].report().counts.sent, u64::from(attempts));
    }
}

#[tokio::test]
async fn usable_servers_come_first_whatever_their_priority() {
    let (a, b) = (Server::start("a").await, Server::start("b").await);
    a.says(500);
    let breaker = Breaker { consecutive_failures: 1, open_ms: 60_000, ..Breaker::default() };
    let breaker = Breaker { max_open_ms: 60_000, ..breaker };
    let site = Setup { breaker, ..Setup::default() }.urls(&[&a.url, &b.url]);
    let choices: Vec<_> = (0..2_u8)
        .map(|n| upstream::Choice {
            target: site.order[usize::from(n)].clone(),
            priority: n,
            weight: 100,
        })
        .collect();
    let first = || upstream::order(&choices)[0].name().to_owned();
    assert_eq!(first(), a.address.to_string());
    let body = site.get().await.unwrap().response.into_body();
    body.collect().await.unwrap();
    assert_eq!(first(), b.address.to_string());
    assert_eq!(upstream::order(&choices).len(), 2);
}

#[tokio::test]
async fn names_are_asked_for_once_for_many_connections() {
    let server = Server::start("a").await;
    server.told.stall.store(true, SeqCst);
    let url = format!("http://localhost:{}", server.address.port());
    let site = Setup::default().urls(&[&url]);
    let _three = tokio::try_join!(site.get(), site.get(), site.get()).unwrap();
    assert_eq!(server.told.connections.load(SeqCst), 3);
    let resolve = site.order[0].report().resolve;
    assert_eq!((resolve.asked, resolve.failed, resolve.remembered), (1, 0, 0));
    assert!(resolve.age.is_some());
}
