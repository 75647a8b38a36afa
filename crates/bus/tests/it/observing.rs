//! What observers leave for each other in a real Redis.

use std::time::Duration;

use bus::contract::eventually;
use bus::{BusError, RedisBus, Sighting};

use crate::server::Server;

const KEEP: Duration = Duration::from_secs(60);

async fn connected(server: &Server) -> RedisBus {
    let bus = RedisBus::connect(server.settings()).unwrap();
    eventually("connected", async || bus::Bus::connected(&bus)).await;
    bus
}

fn said(all: &[Sighting]) -> Vec<(&str, &str)> {
    all.iter().map(|one| (&*one.observer, &*one.report)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn observers_hear_each_other_until_they_are_silent() {
    let server = Server::start(&[]).await;
    let (one, other) = (connected(&server).await, connected(&server).await);
    assert_eq!(one.observe("a", "1", KEEP, 3).await.unwrap(), []);
    let first = other.observe("b", "2", KEEP, 3).await.unwrap();
    assert_eq!(said(&first), [("a", "1")]);
    assert!(first[0].age < Duration::from_secs(20));
    let second = one.observe("a", "3", KEEP, 3).await.unwrap();
    assert_eq!(said(&second), [("a", "1"), ("b", "2")]);
    tokio::time::sleep(Duration::from_millis(5)).await;
    one.observe("a", "3", KEEP, 3).await.unwrap();
    let third = other.observe("b", "2", KEEP, 3).await.unwrap();
    assert!(third[0].stamp > first[0].stamp, "said anew: {third:?}");

    one.observe("c", "4", KEEP, 3).await.unwrap();
    let refused = one.observe("d", "5", KEEP, 3).await;
    assert!(matches!(refused, Err(BusError::Refused(_))), "{refused:?}");
    tokio::time::sleep(Duration::from_millis(60)).await;
    let kept = one.observe("d", "5", Duration::from_millis(50), 3).await.unwrap();
    assert_eq!(kept, [], "those were silent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_nobody_is_heard() {
    let server = Server::start(&[]).await;
    let bus = connected(&server).await;
    drop(server);
    assert!(matches!(bus.observe("a", "1", KEEP, 3).await, Err(BusError::Away(_))));
}
