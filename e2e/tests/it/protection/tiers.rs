//! A shield that protects its origins, seen through an edge.

use e2e::world::Setup;
use proxy::metrics::ProxyMetrics;
use proxy::{Config, Node};
use runtime::metrics::Metrics;
use runtime::{Clock, Drain};

use super::*;
use crate::nodes;

fn node(name: &str, setup: &Setup) -> std::sync::Arc<Node> {
    let snapshot = setup.pools().unwrap().remove(0).snapshot;
    let (config, metrics) = (Config::new(snapshot, &[]), ProxyMetrics::new(&Metrics::default()));
    Node::new(name, config.unwrap(), Clock::system(), metrics.unwrap(), Drain::new())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_shield_holds_back_reaches_the_client_as_the_shields_word() {
    let origin = Workers::start(1000).await.unwrap();
    origin.set(Manner { service: ms(300), ..Manner::default() });
    let limits = json!({ "maxConcurrency": 2, "minConcurrency": 1, "queue": 2 });
    let shield = node("shield-0", &setup(&origin).site(json!({ "limits": limits })));
    let to_shield = nodes::to_shield(&shield);
    let edge = node("edge-0", &setup(&origin));
    let address = nodes::serve(edge.clone(), to_shield);
    // Two for each URL, of which one waits for the other at the edge.
    let mut asking = JoinSet::new();
    for n in 0..24 {
        asking.spawn(async move { ask(address, format!("/{}", n / 2).as_str()).await.unwrap() });
    }
    let answers = asking.join_all().await;
    let good = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(good, 8);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.expect_status(503);
        assert!(answer.field("retry-after").parse::<u32>().unwrap() >= 1, "{answer:?}");
    }
    assert_eq!(origin.count(), 4);
    assert!(most_at_once(&origin.visits(), GRACE) <= 2);
    origin.set(Manner::default());
    // The edge goes on asking its shield, which said nothing against itself.
    for n in 0..12 {
        ask(address, format!("/again/{n}").as_str()).await.unwrap().expect_status(200);
    }
}
