use super::*;

/// `here` comes to a place where `b` is, or where `b` and `c` are; and the backend of `here`.
async fn come(b: u16) -> (World, Inherit<Beyond>, Tier) {
    let mut world = World::new(json!({ "mode": "peer", "rampMs": 1000 }));
    let b = Tier::start(b).await;
    world.join(RING, &[("here", "http://127.0.0.1:1"), ("b", &b.url)]);
    let inherit = Inherit::over(world.beyond.clone());
    (world, inherit, b)
}

#[tokio::test]
async fn who_had_the_key_before_is_asked_for_what_it_has_stored() {
    let (world, inherit, b) = come(200).await;
    let key = world.key(RING, "here", "b");
    for asked in [GET, BELOW] {
        assert_eq!(answered(world.fetch(&inherit, key, asked).await), (200, true));
        let asked = b.one();
        assert!(asked.contains("\r\nx-cdn-if-held: ?1\r\n"), "{asked}");
        assert!(asked.contains("\r\nx-cdn-seq: log/7-0\r\n"), "{asked}");
    }
    assert!(world.reached().is_empty());
}

#[tokio::test]
async fn for_four_ramps_and_no_longer() {
    let (world, inherit, b) = come(200).await;
    let key = world.key(RING, "here", "b");
    world.clock.advance(Duration::from_millis(3_999));
    assert_eq!(answered(world.fetch(&inherit, key, GET).await), (200, true));
    assert_eq!(b.asked().len(), 1);
    world.clock.advance(Duration::from_millis(1));
    assert!(world.fetch(&inherit, key, GET).await.is_err());
    world.one_beyond();
    assert!(b.asked().is_empty());
}

#[tokio::test]
async fn what_it_has_not_comes_from_beyond() {
    // Nothing stored, an error that was stored, a site that it does not know.
    for status in [504, 500, 421] {
        let (world, inherit, b) = come(status).await;
        let key = world.key(RING, "here", "b");
        assert!(world.fetch(&inherit, key, GET).await.is_err());
        world.one_beyond();
        assert_eq!(b.asked().len(), 1);
    }
    // What is gone for good is content too.
    let (world, inherit, _b) = come(410).await;
    let key = world.key(RING, "here", "b");
    assert_eq!(answered(world.fetch(&inherit, key, GET).await), (410, true));
}

#[tokio::test]
async fn what_does_more_than_read_is_not_asked_for_there() {
    let (world, inherit, b) = come(200).await;
    let key = world.key(RING, "here", "b");
    assert!(world.fetch(&inherit, key, POST).await.is_err());
    assert_eq!(world.one_beyond(), (Method::POST, "said".to_owned()));
    let with_body = Asked { method: Method::GET, ..POST };
    assert!(world.fetch(&inherit, key, with_body).await.is_err());
    assert_eq!(world.one_beyond(), (Method::GET, "said".to_owned()));
    assert!(b.asked().is_empty());
}

#[tokio::test]
async fn a_silent_one_is_not_waited_for() {
    let (world, inherit, _b) = come(1).await;
    let key = world.key(RING, "here", "b");
    let soon = tokio::time::timeout(Duration::from_secs(3), world.fetch(&inherit, key, GET));
    assert!(soon.await.expect("within a second").is_err());
    world.one_beyond();
}
