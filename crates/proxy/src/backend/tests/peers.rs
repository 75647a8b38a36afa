use super::*;

fn peer() -> World {
    World::new(json!({ "mode": "peer", "hotAfter": 3 }))
}

/// `here`, `b` and `c`, whose answers are these; and the backend of `here`.
async fn three(world: &mut World, b: u16, c: u16) -> (Peers<Beyond>, Tier, Tier) {
    let (b, c) = (Tier::start(b).await, Tier::start(c).await);
    world.join(RING, &[("here", "http://127.0.0.1:1"), ("b", &b.url), ("c", &c.url)]);
    (Peers::over(world.beyond.clone()), b, c)
}

#[tokio::test]
async fn the_owner_is_asked_and_told_the_position() {
    let mut world = peer();
    let (peers, b, c) = three(&mut world, 200, 200).await;
    let key = world.key(RING, "b", "c");
    assert_eq!(answered(world.fetch(&peers, key, GET).await), (200, false));
    let asked = b.one();
    assert!(asked.starts_with("GET /a HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("\r\nx-cdn-seq: log/7-0\r\n"), "{asked}");
    assert!(!asked.contains("x-cdn-if-held"), "{asked}");
    assert!(c.asked().is_empty() && world.reached().is_empty());
}

#[tokio::test]
async fn what_is_asked_for_often_is_kept() {
    let mut world = peer();
    let (peers, _b, _c) = three(&mut world, 200, 200).await;
    let (often, seldom) = (world.key(RING, "b", "c"), world.key(RING, "c", "b"));
    assert_eq!(answered(world.fetch(&peers, often, GET).await), (200, false));
    assert_eq!(answered(world.fetch(&peers, seldom, GET).await), (200, false));
    assert_eq!(answered(world.fetch(&peers, often, GET).await), (200, false));
    assert_eq!(answered(world.fetch(&peers, often, GET).await), (200, true));
    assert_eq!(answered(world.fetch(&peers, seldom, GET).await), (200, false));
}

#[tokio::test]
async fn a_node_acts_for_itself_where_it_owns_the_key_or_a_peer_asks() {
    let mut world = peer();
    let (peers, b, c) = three(&mut world, 200, 200).await;
    let own = world.key(RING, "here", "b");
    assert!(world.fetch(&peers, own, GET).await.is_err());
    world.one_beyond();
    let others = world.key(RING, "b", "c");
    assert!(world.fetch(&peers, others, BELOW).await.is_err());
    world.one_beyond();
    assert!(b.asked().is_empty() && c.asked().is_empty());
}

#[tokio::test]
async fn in_other_modes_and_without_a_ring_nobody_else_is_asked() {
    for mode in ["independent", "redirect"] {
        let mut world = World::new(json!({ "mode": mode }));
        let (peers, b, _c) = three(&mut world, 200, 200).await;
        let key = world.key(RING, "b", "c");
        assert!(world.fetch(&peers, key, GET).await.is_err());
        world.one_beyond();
        assert!(b.asked().is_empty());
    }
    let world = peer();
    let peers = Peers::over(world.beyond.clone());
    assert!(world.fetch(&peers, 7, GET).await.is_err());
    world.one_beyond();
}

#[tokio::test]
async fn the_next_one_stands_in_for_an_owner_that_is_gone() {
    let mut world = peer();
    let (peers, mut b, mut c) = three(&mut world, 200, 200).await;
    let (then_c, then_here) = (world.key(RING, "b", "c"), world.key(RING, "b", "here"));
    b.stop().await;
    assert_eq!(answered(world.fetch(&peers, then_c, GET).await), (200, false));
    assert_eq!(c.asked().len(), 1);
    // Nobody was there twice: it is not asked for a third time.
    assert!(world.fetch(&peers, then_here, GET).await.is_err());
    world.one_beyond();
    let rings = world.node.rings();
    let ring = rings.get(RING).unwrap();
    let usable = |name: &str| ring.member(name).unwrap().target.is_usable();
    assert!(!usable("b") && usable("c"));
    // And with nobody left, not even for a moment, it is this node's.
    c.stop().await;
    assert!(world.fetch(&peers, then_c, GET).await.is_err());
    world.one_beyond();
}

#[tokio::test]
async fn a_body_is_for_whoever_is_there() {
    let mut world = peer();
    let (peers, mut b, mut c) = three(&mut world, 200, 201).await;
    let key = world.key(RING, "b", "c");
    assert_eq!(answered(world.fetch(&peers, key, POST).await), (200, false));
    let asked = b.one();
    assert!(asked.starts_with("POST /a ") && asked.contains("said"), "{asked}");
    b.stop().await;
    assert_eq!(answered(world.fetch(&peers, key, POST).await), (201, false));
    assert!(c.one().contains("said"));
    c.stop().await;
    assert!(world.fetch(&peers, key, POST).await.is_err());
    assert_eq!(world.one_beyond(), (Method::POST, "said".to_owned()));
}

#[tokio::test]
async fn what_may_have_been_done_is_not_done_again() {
    let mut world = peer();
    let (peers, b, c) = three(&mut world, 0, 200).await;
    let key = world.key(RING, "b", "c");
    let error = world.fetch(&peers, key, POST).await.err().unwrap();
    assert!(matches!(error, FetchError::Exchange { .. }), "{error}");
    assert_eq!((b.asked().len(), c.asked().len()), (1, 0));
    assert!(world.reached().is_empty());
    // A GET may be.
    assert_eq!(answered(world.fetch(&peers, key, GET).await), (200, false));
    assert_eq!((b.asked().len(), c.asked().len()), (1, 1));
}

#[tokio::test]
async fn a_peer_that_does_not_know_the_site_is_passed_over() {
    let mut world = peer();
    let (peers, _b, c) = three(&mut world, 421, 200).await;
    let key = world.key(RING, "b", "c");
    assert_eq!(answered(world.fetch(&peers, key, GET).await), (200, false));
    assert_eq!(c.asked().len(), 1);
    // What an origin says through a peer is not the peer's fault.
    let mut world = peer();
    let (peers, _b, c) = three(&mut world, 503, 200).await;
    assert_eq!(answered(world.fetch(&peers, key, GET).await), (503, false));
    assert!(c.asked().is_empty() && world.reached().is_empty());
}

#[tokio::test]
async fn a_silent_peer_is_found_out_while_requests_wait() {
    let mut world = peer();
    let (peers, b, _c) = three(&mut world, 1, 200).await;
    let key = world.key(RING, "b", "c");
    tokio::spawn(world.node.upstreams.clone().watch());
    let answer = tokio::time::timeout(Duration::from_secs(4), world.fetch(&peers, key, GET)).await;
    assert_eq!(answered(answer.expect("it moves on")), (200, false));
    let asked = b.asked();
    assert_eq!(asked.iter().filter(|a| a.starts_with("GET ")).count(), 1, "{asked:#?}");
}

#[tokio::test]
async fn an_owner_with_too_much_in_hand_is_helped() {
    let mut world = peer();
    let (peers, b, c) = three(&mut world, 1, 200).await;
    let key = world.key(RING, "b", "c");
    let world = Arc::new(world);
    let peers = Arc::new(peers);
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..60 {
        let (world, peers) = (world.clone(), peers.clone());
        waiting.spawn(async move { world.fetch(&*peers, key, GET).await.is_ok() });
    }
    let helped = tokio::time::timeout(Duration::from_secs(5), waiting.join_next()).await;
    assert!(helped.expect("somebody helps").unwrap().unwrap());
    assert!(!c.asked().is_empty());
    assert!(b.asked().len() <= 40);
}
