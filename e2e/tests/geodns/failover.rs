//! Both edges of a place are killed under a load of queries, and come back. `make bench-failover` does the same more
//! often and without other work beside it.

use std::time::Duration;

use e2e::failover::{Figures, Load, PLACES, Scene, Wrong};
use e2e::program::Program;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_place_leaves_all_answers_soon_and_comes_back_by_degrees() {
    let mut scene = Scene::start(Program::start).await.unwrap();
    let load = Load::start(scene.dns);
    let mut rounds = Vec::new();
    for place in 0..PLACES.len() {
        let round = scene.round(place, &load).await;
        let mut written = || scene.written();
        rounds.push(round.unwrap_or_else(|error| panic!("{error}: {}", written())));
    }
    let figures = Figures(&rounds);
    let (answers, wrong) = load.counts();
    println!("{figures}{answers} answers, {wrong:?}");
    assert_eq!(wrong, Wrong::default());
    assert!(answers > 1_000, "{answers}");
    // Two seconds are promised; here other tests run beside it.
    assert!(figures.gone_after(100.0) < Duration::from_secs(4), "{figures}");
    for round in &rounds {
        assert!(round.gone_after > Duration::ZERO, "nobody asked: {figures}");
        assert!(round.shares[0] < 0.5, "a part of its clients first: {figures}");
        assert_eq!(round.shares.last(), Some(&1.0), "{figures}");
    }
}
