//! A real Redis that is killed, paused and trimmed under load.

use std::sync::Arc;
use std::time::Duration;

use bus::contract::{Node, eventually, next, order, publish, until};
use bus::{Bus, BusError, RedisBus, RedisSettings, Sender, SenderSettings, Until};
use runtime::Clock;
use tokio::time::Instant;
use wire::invalidation::Phase;

use crate::server::{LOG, Server, connect};

async fn count(server: &Server, command: &str) -> i64 {
    redis::cmd(command).arg(LOG).query_async(&mut server.connection().await).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_at_first_is_no_error() {
    let port = crate::server::free_port();
    let url = format!("redis://127.0.0.1:{port}");
    let settings = RedisSettings { url, ..RedisSettings::default() };
    let bus: Arc<dyn Bus> = Arc::new(RedisBus::connect(settings).unwrap());
    let mut reader = bus.subscribe(None);
    assert_eq!(next(&mut reader).await, "away");
    assert!(!bus.connected());
    assert!(matches!(bus.publish(&order("a")).await, Err(BusError::Away(_))));
    let _server = Server::spawn(port, &[]);
    assert_eq!(next(&mut reader).await, "caught up");
    publish(&bus, &["a"]).await;
    assert_eq!(next(&mut reader).await, "a");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_restarted_empty_under_load_it_loses_no_order() {
    let server = Server::start(&[]).await;
    let mut nodes = Vec::new();
    for name in ["a", "b", "c"] {
        nodes.push(Node::start(connect(server.settings()).await, name).await);
    }
    let settings =
        SenderSettings { deadline: Duration::from_secs(60), ..SenderSettings::default() };
    let bus = connect(server.settings()).await;
    let sender = Arc::new(Sender::new(bus, Clock::system(), settings));
    let run = tokio::spawn(Arc::clone(&sender).run());
    let load = tokio::spawn({
        let sender = Arc::clone(&sender);
        async move {
            for n in 0..400 {
                sender.send(order(&format!("p{n}"))).await.unwrap();
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    });
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        server.restart_empty().await;
    }
    load.await.unwrap();
    for n in 0..400 {
        let id = format!("p{n}");
        let report = sender.wait(&id, Until::Counted, Duration::from_secs(20)).await.unwrap();
        assert_eq!((report.phase, report.nodes.len()), (Phase::Complete, 3), "{report:?}");
    }
    run.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_server_is_away_soon_and_back_without_a_gap() {
    let server = Server::start(&[]).await;
    let bus = connect(server.settings()).await;
    publish(&bus, &["a"]).await;
    let mut reader = bus.subscribe(None);
    until(&mut reader, "caught up").await;
    server.signal("STOP");
    let start = Instant::now();
    assert_eq!(next(&mut reader).await, "away");
    // A look is due within a second, and takes one.
    assert!(start.elapsed() < Duration::from_millis(3_000), "{:?}", start.elapsed());
    let start = Instant::now();
    assert!(bus.publish(&order("lost")).await.is_err());
    assert!(
        start.elapsed() < Duration::from_millis(100),
        "known to be away: {:?}",
        start.elapsed()
    );
    server.signal("CONT");
    assert_eq!(next(&mut reader).await, "caught up");
    publish(&bus, &["b"]).await;
    assert_eq!(until(&mut reader, "caught up").await, ["b", "caught up"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_trimmed_by_length_and_its_acknowledgements_with_it() {
    let server = Server::start(&[]).await;
    let bus = connect(RedisSettings { length: 10, ..server.settings() }).await;
    let node = Node::start(connect(server.settings()).await, "n").await;
    let ids: Vec<_> = (0..30).map(|n| n.to_string()).collect();
    let mut positions = Vec::new();
    for id in &ids {
        positions.extend(publish(&bus, &[id]).await);
        eventually("applied", async || node.applied().contains(id)).await;
    }
    assert_eq!(count(&server, "XLEN").await, 10);
    eventually("keys: the log, its name, a node, ten acknowledgements", async || {
        let mut connection = server.connection().await;
        redis::cmd("DBSIZE").query_async::<i64>(&mut connection).await.unwrap() == 13
    })
    .await;
    let mut sleeper = bus.subscribe(positions.first().cloned());
    let told = until(&mut sleeper, "caught up").await;
    assert_eq!((told[0].as_str(), &told[1..11]), ("gap: trimmed", &ids[20..]));
    // A smaller log is reached step by step, and the newest is always kept.
    let smaller = connect(RedisSettings { length: 1, ..server.settings() }).await;
    publish(&smaller, &["last"]).await;
    assert_eq!(count(&server, "XLEN").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_trimmed_by_age() {
    let server = Server::start(&[]).await;
    let settings = RedisSettings { age: Duration::from_millis(300), ..server.settings() };
    let bus = connect(settings).await;
    publish(&bus, &["a", "b"]).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    publish(&bus, &["c"]).await;
    assert_eq!(count(&server, "XLEN").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_the_server_forgot_are_written_back_and_those_declared_gone_are_not() {
    let server = Server::start(&[]).await;
    let bus = connect(server.settings()).await;
    for name in ["cut off", "declared gone"] {
        // A node that is cut off for ever as soon as it is known.
        drop(Node::start(connect(server.settings()).await, name).await);
    }
    assert_eq!(bus.members().await.unwrap().len(), 2);
    let other = connect(server.settings()).await;
    assert!(other.leave("declared gone").await.unwrap());
    assert_eq!(bus.members().await.unwrap().len(), 1);
    server.restart_empty().await;
    eventually("written back", async || {
        let Ok(members) = bus.members().await else { return false };
        members.iter().map(|member| member.beat.node.as_str()).eq(["cut off"])
    })
    .await;
    let fresh = connect(server.settings()).await;
    let members = fresh.members().await.unwrap();
    assert_eq!(members.len(), 1);
    assert!(fresh.leave("cut off").await.unwrap());
    eventually("gone for everybody", async || {
        bus.members().await.is_ok_and(|members| members.is_empty())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_lost_in_a_failover_are_never_given_out_again_even_at_the_same_time() {
    let server = Server::start(&[]).await;
    let bus = connect(server.settings()).await;
    let mut seen = std::collections::HashSet::new();
    for round in 0..20 {
        for n in 0..10 {
            let position = publish(&bus, &[&format!("{round}-{n}")]).await.remove(0);
            assert!(seen.insert(position.seq), "{position}");
        }
        bus::contract::Bench::lose_tail(&server, 5).await;
    }
    // A clock that was far ahead, and ids that are used up: the next one is still newer.
    for by_hand in [
        "99999999999999-0",
        "99999999999999-4503599627370495",
        "99999999999999-18446744073709551615",
    ] {
        let mut add = redis::cmd("XADD");
        add.arg(LOG).arg(by_hand).arg("by").arg("hand");
        let _id: String = add.query_async(&mut server.connection().await).await.unwrap();
        let position = publish(&bus, &["x"]).await.remove(0);
        assert!(position.seq > by_hand.parse().unwrap(), "{position}");
        let mut trim = redis::cmd("XTRIM");
        trim.arg(LOG).arg("MAXLEN").arg("=").arg(0);
        let _trimmed: i64 = trim.query_async(&mut server.connection().await).await.unwrap();
        redis::cmd("DEL")
            .arg(LOG)
            .query_async::<i64>(&mut server.connection().await)
            .await
            .unwrap();
    }
}
