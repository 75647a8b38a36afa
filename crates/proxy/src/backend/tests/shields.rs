use super::*;

async fn two(world: &mut World, one: u16, two: u16) -> (Shields<Beyond>, Tier, Tier) {
    let (one, two) = (Tier::start(one).await, Tier::start(two).await);
    world.join(SHIELDS, &[("s1", &one.url), ("s2", &two.url)]);
    (Shields::over(world.beyond.clone()), one, two)
}

fn world() -> World {
    World::new(json!({}))
}

#[tokio::test]
async fn the_owner_is_asked_and_told_the_position() {
    let mut world = world();
    let (shields, one, two) = two(&mut world, 200, 200).await;
    let key = world.key(SHIELDS, "s1", "s2");
    // For peers too: the shield is behind all of them.
    for asked in [GET, BELOW] {
        assert_eq!(answered(world.fetch(&shields, key, asked).await), (200, true));
        let asked = one.one();
        assert!(asked.contains("\r\nx-cdn-seq: log/7-0\r\n"), "{asked}");
        assert!(!asked.contains("x-cdn-if-held"), "{asked}");
    }
    assert!(two.asked().is_empty() && world.reached().is_empty());
    assert_eq!(world.node.metrics.bypassed.get(), 0);
}

#[tokio::test]
async fn then_the_next_one_then_the_origins() {
    let mut world = world();
    let (shields, mut one, mut two) = two(&mut world, 200, 200).await;
    let key = world.key(SHIELDS, "s1", "s2");
    one.stop().await;
    assert_eq!(answered(world.fetch(&shields, key, POST).await), (200, true));
    assert!(two.one().contains("said"));
    two.stop().await;
    for bypassed in 1..4 {
        assert!(world.fetch(&shields, key, POST).await.is_err());
        assert_eq!(world.one_beyond(), (Method::POST, "said".to_owned()));
        assert_eq!(world.node.metrics.bypassed.get(), bypassed);
    }
}

#[tokio::test]
async fn what_an_origin_says_through_a_shield_is_the_answer() {
    let mut world = world();
    let (shields, _one, two) = two(&mut world, 503, 200).await;
    let key = world.key(SHIELDS, "s1", "s2");
    assert_eq!(answered(world.fetch(&shields, key, GET).await), (503, true));
    assert!(two.asked().is_empty() && world.reached().is_empty());
}

#[tokio::test]
async fn shields_that_do_not_know_the_site_are_passed_over() {
    let mut world = world();
    let (shields, one, two) = two(&mut world, 421, 421).await;
    let key = world.key(SHIELDS, "s1", "s2");
    assert!(world.fetch(&shields, key, GET).await.is_err());
    world.one_beyond();
    assert_eq!((one.asked().len(), two.asked().len()), (1, 1));
}

#[tokio::test]
async fn what_may_have_been_done_is_not_done_again() {
    let mut world = world();
    let (shields, _one, two) = two(&mut world, 0, 200).await;
    let key = world.key(SHIELDS, "s1", "s2");
    assert!(world.fetch(&shields, key, POST).await.is_err());
    assert!(two.asked().is_empty() && world.reached().is_empty());
    assert_eq!(answered(world.fetch(&shields, key, GET).await), (200, true));
}

#[tokio::test]
async fn a_ring_that_nobody_told_of_is_bypassed() {
    let world = world();
    let shields = Shields::over(world.beyond.clone());
    assert!(world.fetch(&shields, 7, GET).await.is_err());
    world.one_beyond();
    assert_eq!(world.node.metrics.bypassed.get(), 1);
}
