//! Clients that leave, and what stays of them in the queue.

use super::*;

/// One at a time, and four may wait.
async fn narrow(origin: &Workers) -> World {
    let limits =
        json!({ "maxConcurrency": 1, "minConcurrency": 1, "queue": 4, "queueTimeout": "20s" });
    setup(origin).site(json!({ "limits": limits })).start().await.unwrap()
}

/// A request that nobody waits for any more, once it is in the queue.
async fn leave(world: &World, request: Request, waiting: usize) {
    let mut client = world.connect().await;
    client.send(request).await.unwrap();
    in_queue(world, waiting).await;
}

async fn in_queue(world: &World, count: usize) {
    let waiting = || world.metric("cdn_upstream_waiting", "upstream") as usize;
    world.until("the queue has so many", || waiting() == count).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fill_keeps_its_place_when_its_client_leaves_and_the_queue_its_bound() {
    let origin = Workers::start(1000).await.unwrap();
    origin.set(Manner { service: ms(400), ..Manner::default() });
    let world = narrow(&origin).await;
    let address = world.address;
    let first = tokio::spawn(async move { ask(address, "/first").await });
    world.until("the origin has one", || origin.count() == 1).await;
    for n in 0..4 {
        leave(&world, Request::get(&format!("/{n}")), n + 1).await;
    }
    // Nobody waits, yet there is no room.
    let answer = world.ask("/one-more").await;
    answer.expect_status(503).expect_cache_status("detail=queue-full");
    assert!(answer.field("retry-after").parse::<u32>().unwrap() >= 1);
    first.await.unwrap().unwrap().expect(200, "MISS");
    world.settled().await;
    // What was asked for is stored: whoever comes back has it.
    for n in 0..4 {
        world.ask(format!("/{n}").as_str()).await.expect(200, "HIT");
    }
    assert_eq!(origin.count(), 5);
    assert_eq!(most_at_once(&origin.visits(), GRACE), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_not_be_stored_leaves_the_queue_with_its_client() {
    let origin = Workers::start(1000).await.unwrap();
    origin.set(Manner { service: ms(2000), ..Manner::default() });
    let world = narrow(&origin).await;
    let address = world.address;
    let first = tokio::spawn(async move { ask(address, "/first").await });
    world.until("the origin has one", || origin.count() == 1).await;
    for n in 0..4 {
        let post = Request::new("POST", &format!("/{n}")).body("a");
        leave(&world, post, 1).await;
        in_queue(&world, 0).await;
    }
    first.await.unwrap().unwrap().expect(200, "MISS");
    assert_eq!(origin.count(), 1);
}
